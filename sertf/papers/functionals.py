"""Linear models on functionals: the zoo's own baseline, after the practice of openSMILE with a linear classifier."""

from sertf.experiment.description import Experiment, Setting, Variant, known_speakers
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
USUAL_PENALTIES = {"ridge": 3160.0, "logistic": 100.0, "linear_svm": 3160.0}
# RAVDESS is cut as in ResLSTM-SA's experiment, whose folds are those of Luna-Jiménez et al. (2021).
FOLDS = {"ravdess": "reslstm-sa", "emodb": "speaker-independent-5"}
# How many clips of a tested speaker are known, beside all of them.
ENROLMENT_CLIPS = (20, 10, 5, 0)


def _variants() -> dict[str, Variant]:
    return {
        model: Variant(model, recipes=None, tuned_on=CORPORA, title=f"{title} on functionals")
        for model, title in MODELS.items()
    }


def experiment(corpus: str) -> Experiment:
    """Ridge regression, logistic regression and a linear support vector machine on functionals of a clip.

    The penalty is chosen by validation speakers. Only the clips of known speakers are drawn at random, so elsewhere one
    repeat is all. The front end's level of silence and its threshold of voicing were chosen by cross-validation over the speakers that
    train and validate. Other folds test these speakers, which the audit declares.

    Command: sertf run functionals_ravdess --data RAVDESS_FOLDER --protocol strict --repeats 1
    Time: on 2 cores 1 minute for the features of RAVDESS, 0.6 for the five folds of ridge, 2.4 for those of logistic,
    0.2 for those of the support vector machine.
    Expect: a UAR of 0.63 for ridge, 0.60 for logistic and 0.61 for the machine on RAVDESS, 0.77 for all on EmoDB. With
    known speakers 0.76 for ridge on RAVDESS, 0.87 on EmoDB.
    """
    strict = Setting(FOLDS[corpus])
    return Experiment(
        name=f"functionals_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        variants=_variants(),
        protocols={"strict": strict, **known_speakers(strict, ENROLMENT_CLIPS)},
        seed=SEED,
    )


def emobox() -> Experiment:
    """The same models on RAVDESS, cut into the six test folds of EmoBox.

    Command: sertf run functionals_emobox --data RAVDESS_FOLDER --variant ridge --repeats 1
    Time: on 2 cores 1 minute for the features and 1 for the folds.
    Expect: for ridge a UAR of 0.62, and of 0.75 with known speakers.
    """
    strict = Setting("emobox-ravdess-6")
    return Experiment(
        name="functionals_emobox",
        paper=f"{CITATION}; folds of Ma et al., EmoBox, Interspeech 2024, arXiv:2406.07162",
        corpus="ravdess",
        front_end=FRONT_END,
        variants=_variants(),
        protocols={"strict": strict, **known_speakers(strict)},
        seed=SEED,
    )


EXPERIMENTS = {"functionals_CORPUS": experiment, "functionals_emobox": emobox}
SYSTEMS = {model: System(experiment("ravdess"), model) for model in MODELS}
SPACES: dict = {}
