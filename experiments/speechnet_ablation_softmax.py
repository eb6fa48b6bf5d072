"""SpeechNet with softmax scores, without one module each, on EmoDB or another corpus.

python experiments/speechnet_ablation_softmax.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(speechnet.ablation_of_softmax("emodb"), on=speechnet.ablation_of_softmax, results="experiments/results")
