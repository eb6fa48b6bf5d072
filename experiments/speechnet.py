"""SpeechNet on EmoDB or another corpus; `sertf/papers/speechnet.py` has its facts.

python experiments/speechnet.py --corpus ravdess --data RAVDESS_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.experiment("emodb"), on=speechnet.experiment, results="experiments/results")
