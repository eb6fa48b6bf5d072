"""SpeechNet's baselines on the 64 segments that it reads, on EmoDB or another corpus.

python experiments/speechnet_baselines_segments.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.baselines_on_segments("emodb"), on=speechnet.baselines_on_segments, results="experiments/results")
