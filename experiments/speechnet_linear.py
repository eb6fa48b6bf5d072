"""Linear models on the means and on the 64 segments that SpeechNet reads, on EmoDB or another corpus.

python experiments/speechnet_linear.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.linear("emodb"), on=speechnet.linear, results="experiments/results")
