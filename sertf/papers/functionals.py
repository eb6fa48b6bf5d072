"""Linear models on functionals: the zoo's own baseline, after the practice of openSMILE with a linear classifier."""

from sertf.experiment.description import Experiment, Setting, Variant
from sertf.papers.system import System

CITATION = (
    "the zoo's own baseline, no paper's; it follows the practice of Eyben et al., The Geneva Minimalistic Acoustic "
    "Parameter Set (GeMAPS) for voice research and affective computing, IEEE Transactions on Affective Computing 7 "
    "(2016), doi:10.1109/TAFFC.2015.2457417"
)
CORPORA = ("ravdess", "emodb")
FRONT_END = "functionals"
SEED = 27
MODELS = {
    "ridge": "Ridge regression",
    "logistic": "Logistic regression",
    "linear_svm": "Linear support vector machine",
}
# For data of which nobody is left to choose by: round numbers inside the grids, tuned on nothing.
USUAL_PENALTIES = {"ridge": 3160.0, "logistic": 100.0, "linear_svm": 1000.0}
# RAVDESS is cut as in ResLSTM-SA's experiment, whose folds are those of Luna-Jiménez et al. (2021).
FOLDS = {"ravdess": "reslstm-sa", "emodb": "speaker-independent-5"}


def experiment(corpus: str) -> Experiment:
    """Ridge regression, logistic regression and a linear support vector machine on functionals of a clip.

    The penalty is chosen by validation speakers. Nothing is drawn at random, so one repeat is all.
    The front end's level of silence and its threshold of voicing were chosen by cross-validation over the speakers that
    train and validate. Other folds test these speakers, which the audit declares.

    Command: sertf run functionals_ravdess --data RAVDESS_FOLDER --repeats 1
    Time: on 2 cores 1 minute for the features of RAVDESS, 0.6 for the five folds of ridge, 2.4 for those of logistic.
    Expect: a UAR of 0.63 for ridge and 0.60 for logistic on RAVDESS, 0.77 for both on EmoDB.
    """
    return Experiment(
        name=f"functionals_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        variants={
            model: Variant(model, recipes=None, tuned_on=CORPORA, title=f"{title} on functionals")
            for model, title in MODELS.items()
        },
        protocols={"strict": Setting(FOLDS[corpus])},
        seed=SEED,
    )


EXPERIMENTS = {"functionals_CORPUS": experiment}
SYSTEMS = {model: System(experiment("ravdess"), model) for model in MODELS}
SPACES: dict = {}
