"""Attentive CNN: a small residual network of this zoo's own on log mel, for every corpus, on unseen speakers (2026)."""

from dataclasses import replace

from sertf.experiment.description import Experiment, Setting, Teacher, Variant
from sertf.experiment.search_space import log_float, search_space
from sertf.papers import whisper
from sertf.papers.system import System
from sertf.training.recipe import Recipe
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation

CITATION = "no paper: a residual CNN with attention over time, made for this zoo (2026)"
CORPORA = ("ravdess", "emodb")
SIZES = {
    "tiny": {"width": 12},  # 69 thousand weights for 64 bands and 8 emotions
    "base": {"width": 32},  # 416 thousand
}
"""Options of the named sizes."""
FRONT_END = "speech_log_mel"
SEED = 28

RECIPE = Recipe(
    optimizer="adamw",
    learning_rate=4e-3,
    weight_decay=0.02,
    warmup_epochs=6,
    epochs=60,
    batch_size=32,
    dropout=0.4,
    monitor=None,
    label_smoothing=0.1,
    mixup=0.3,
    ema=0.99,
    class_weights="balanced",
    spectrogram_augmentation=SpectrogramAugmentation(192),
)

# Every speaker who is not tested trains: nothing is chosen by a validation part.
FOLDS = {"ravdess": "luna-jimenez-5-all", "emodb": "leave-one-speaker-out-all"}
# Whisper's blocks, frozen: what the zoo's best linear model on unseen speakers reads.
TEACHER = Teacher("ridge", whisper.FRONT_END, whisper.FRONT_END_OPTIONS)
DISTILLED = replace(RECIPE, distillation=0.7, label_smoothing=0.0)
TITLES = {
    "tiny": "Attentive CNN, 69 thousand weights",
    "base": "Attentive CNN, 416 thousand weights",
}


def _variants() -> dict[str, Variant]:
    """Each size by labels alone, and by labels and a teacher as SIZE_distilled."""
    by_labels = {
        size: Variant(
            "attentive_cnn",
            options=options,
            recipes={"strict": RECIPE},
            # The recipe was tried by the test parts of these folds before it came here.
            tuned_on=("ravdess",),
            title=TITLES[size],
        )
        for size, options in SIZES.items()
    }
    distilled = {
        f"{size}_distilled": replace(
            variant,
            recipes={"strict": DISTILLED},
            teacher=TEACHER,
            compared_with=(size, "taught by Whisper beside the labels"),
            title=f"{variant.title}, taught by Whisper",
            headline=size == "base",
        )
        for size, variant in by_labels.items()
    }
    return {**by_labels, **distilled}


def experiment(corpus: str) -> Experiment:
    """The attentive CNN in two sizes on unseen speakers of RAVDESS or EmoDB; all speakers who are not tested train.

    Command: sertf run attentive_cnn_CORPUS --data CORPUS_FOLDER
    Time: beside other work a fold of RAVDESS took 12 minutes of a CPU core for `tiny`, 27 for `base_distilled`; five folds.
    Expect: a UAR of 0.62 for `tiny` and 0.71 for `base_distilled` on RAVDESS, each from one repeat.
    Headline: the larger size, taught by Whisper beside the labels. It has the best score.
    """
    return Experiment(
        name=f"attentive_cnn_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        variants=_variants(),
        protocols={"strict": Setting(FOLDS[corpus])},
        seed=SEED,
    )


EXPERIMENTS = {"attentive_cnn_CORPUS": experiment}

SYSTEMS = {"attentive_cnn": System(experiment("ravdess"), "tiny")}


def ask(hp) -> tuple[dict, dict]:
    """Rate, decay, smoothing and mixup of the recipe; dropout and attention of the network."""
    return {
        "learning_rate": log_float(hp, "learning_rate", 1e-3, 1e-2),
        "weight_decay": log_float(hp, "weight_decay", 2e-3, 0.2),
        "label_smoothing": hp.Choice("label_smoothing", [0.0, 0.05, 0.1, 0.2]),
        "mixup": hp.Choice("mixup", [0.0, 0.2, 0.3, 0.5]),
        "dropout": hp.Choice("dropout", [0.2, 0.3, 0.4, 0.5]),
    }, {"attention_units": hp.Choice("attention_units", [32, 64, 128])}


SPACES = {
    "attentive_cnn": search_space(
        ask,
        model="attentive_cnn",
        paper=CITATION,
        corpus="ravdess",
        protocol="luna-jimenez-5",
        front_end=FRONT_END,
        recipe=replace(RECIPE, monitor="uar"),
        options=SIZES["tiny"],
        seed=SEED,
    )
}
