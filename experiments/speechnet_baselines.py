"""SpeechNet's baselines on the means over an utterance, on EmoDB or another corpus.

python experiments/speechnet_baselines.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.baselines("emodb"), on=speechnet.baselines, results="experiments/results")
