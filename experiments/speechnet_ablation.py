"""SpeechNet without one module each, on EmoDB or another corpus.

python experiments/speechnet_ablation.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.ablation("emodb"), on=speechnet.ablation, results="experiments/results")
