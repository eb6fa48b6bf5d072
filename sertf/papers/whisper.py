"""Ridge regression on the first blocks of Whisper's encoder, frozen: the zoo's own recognizer."""

from dataclasses import replace

from sertf.audio.augmentation import Augmentation, RecordingCondition, Speed
from sertf.experiment.description import Experiment, Setting, Variant, known_speakers
from sertf.papers.system import System

CITATION = (
    "the zoo's own system, no paper's; its encoder is of Radford et al., Robust Speech Recognition via Large-Scale Weak "
    "Supervision, ICML 2023, arXiv:2212.04356"
)
CORPORA = ("ravdess", "emodb")
FRONT_END = "whisper"
# Blocks were chosen by test scores of an earlier trial, which each setting declares.
FRONT_END_OPTIONS = {"size": "tiny.en", "blocks": (1, 2, 3)}
SEED = 29
FOLDS = {"ravdess": "reslstm-sa", "emodb": "leave-one-speaker-out"}
# How many clips of a tested speaker are known, beside all of them.
ENROLMENT_CLIPS = (20, 10, 5, 0)
TRAINED_ON = "ravdess+emodb+tess"
# Each training clip twice: as it is, and at another speed under a random recording condition.
COPIES = Augmentation(steps=(Speed(0.1), RecordingCondition()), copies=1)


def _variants(headline: bool = True) -> dict[str, Variant]:
    """Two sizes of the encoder, trained on clean clips."""
    return {
        "tiny": Variant(
            "ridge",
            recipes=None,
            title="Whisper tiny.en, blocks 1 to 3, ridge",
            headline=headline,
        ),
        "base": Variant(
            "ridge",
            recipes=None,
            front_end_options={"size": "base", "blocks": (2, 3, 4)},
            title="Whisper base, blocks 2 to 4, ridge",
        ),
    }


def _trained_on_copies() -> dict[str, Variant]:
    """The same, trained on altered copies too. Nobody is known by altered clips, so that these have no known speakers."""
    return {
        name: replace(variant, augmentation=COPIES, title=f"{variant.title}, with altered copies")
        for name, variant in _variants(headline=False).items()
    }


def _both() -> dict[str, Variant]:
    """Those trained on clean clips by their size, the others as SIZE_robust."""
    robust = {f"{name}_robust": variant for name, variant in _trained_on_copies().items()}
    clean = {
        name: replace(variant, compared_with=(f"{name}_robust", "clean training clips alone"))
        for name, variant in _variants(headline=False).items()
    }
    return {**robust, **clean}


def _experiment(name: str, corpus: str, variants: dict[str, Variant], protocols: dict[str, Setting]) -> Experiment:
    return Experiment(
        name=name,
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants=variants,
        protocols=protocols,
        seed=SEED,
    )


def experiment(corpus: str) -> Experiment:
    """Ridge regression on mean and deviation of Whisper's blocks, on unseen speakers of one corpus.

    The penalty is chosen by validation speakers. Only the clips of known speakers are drawn at random, so elsewhere one
    repeat is all.

    Command: sertf run whisper_ravdess --data RAVDESS_FOLDER --protocol strict --repeats 1
    Time: 2 minutes on 2 cores, most of it for the features.
    Expect: on RAVDESS a UAR of 0.76 for either size; on EmoDB 0.89 for `tiny` and 0.93 for `base`.
    """
    strict = Setting(FOLDS[corpus], tuned_on_test=True)
    return _experiment(
        f"whisper_{corpus}", corpus, _variants(), {"strict": strict, **known_speakers(strict, ENROLMENT_CLIPS)}
    )


def robust(corpus: str) -> Experiment:
    """The same, trained on altered copies too: other speeds, rooms, microphones, noise, levels, bands and codecs.

    Command: sertf run whisper_robust_ravdess --data RAVDESS_FOLDER --repeats 1
    Time: 4 minutes on 2 cores, most of it for the features.
    Expect: on RAVDESS a UAR of 0.75 for `tiny` and 0.76 for `base`; on EmoDB 0.89 and 0.93.
    """
    strict = Setting(FOLDS[corpus], tuned_on_test=True)
    return _experiment(f"whisper_robust_{corpus}", corpus, _trained_on_copies(), {"strict": strict})


def across() -> Experiment:
    """Trained on two corpora, tested on the third, over the six emotions that all three have.

    Command: sertf run whisper_across --data ravdess=FOLDER --data emodb=FOLDER --data tess=FOLDER --repeats 1
    Time: 5 minutes on 2 cores, most of it for the features.
    Expect: for `tiny_robust` a UAR of 0.69 on EmoDB, 0.57 on RAVDESS and 0.30 on TESS; chance is 0.17.
    """
    strict = Setting("leave-one-corpus-out", tuned_on_test=True)
    return _experiment("whisper_across", TRAINED_ON, _both(), {"strict": strict})


def recognizer() -> Experiment:
    """The default recognizer: trained on RAVDESS, EmoDB and TESS, over the six emotions that all three have.

    Command: sertf run recognizer --data ravdess=FOLDER --data emodb=FOLDER --data tess=FOLDER --repeats 1
    Time: 8 minutes on 2 cores, most of it for the features.
    Expect: a UAR of 0.85 with altered copies and 0.83 without; chance is 0.17.
    """
    tiny = {name: variant for name, variant in _both().items() if name.startswith("tiny")}
    return _experiment("recognizer", TRAINED_ON, tiny, {"strict": Setting("speaker-independent-5", tuned_on_test=True)})


EXPERIMENTS = {
    "whisper_CORPUS": experiment,
    "whisper_robust_CORPUS": robust,
    "whisper_across": across,
    "recognizer": recognizer,
}
# Its blocks were chosen by test scores on these.
SYSTEMS = {"whisper": System(experiment("ravdess"), "tiny", chosen_on=CORPORA)}
SPACES: dict = {}
