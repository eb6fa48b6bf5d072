"""SpeechNet's baselines and linear models on functionals of an utterance, on EmoDB or another corpus.

python experiments/speechnet_baselines_functionals.py --data EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import speechnet

if __name__ == "__main__":
    main(
        speechnet.baselines_on_functionals("emodb"),
        on=speechnet.baselines_on_functionals,
        results="experiments/results",
    )
