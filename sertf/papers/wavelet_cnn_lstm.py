"""CNN-LSTM on wavelet-scaled spectrograms, read as images (Sayed et al., 2025)."""

from collections.abc import Mapping
from dataclasses import replace

from sertf.audio.augmentation import Augmentation, RandomCut
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.experiment.search_space import log_float, search_space
from sertf.papers.system import System
from sertf.papers.wavelet_cnn_lstm_published import OTHERS, REMARKS, REMARKS_ON_BOTH, published_on
from sertf.training.recipe import Recipe

CITATION = (
    "Sayed, Husnain, Shoaib, Ghadi, Alajmi and Qahmash, A combine CNN-RNN based approach for augmenting the performance "
    "of speech emotions recognition, Traitement du Signal 42 (2025), doi:10.18280/ts.420205"
)
CORPORA = ("emodb", "ravdess")
FRONT_END = "scalogram"
FRONT_END_OPTIONS = {"sample_rate": 16000, "duration_seconds": 8.0, "colour": "rgb"}
# Options of the front end and of the network. A forward pass needs 0.39 G multiply-adds in the first, 1.53 G in the
# second. The first pools one block less, so that the LSTM has 8 steps in both.
SIZES = {
    "cpu": ({"n_scales": 64, "n_bins": 128}, {"colours": 3, "pooled_blocks": 3}),
    "paper_size": ({"n_scales": 128, "n_bins": 256}, {"colours": 3}),
}
# Widest masks in scales and time bins of `cpu`, of either two: a quarter of the image's height, an eighth of its length.
# The paper has none.
MASKS = (16, 16)
SEED = 2025

# Table 2, but for the rate. Patience is not printed.
LAST_EPOCH = Recipe(learning_rate=1e-3, batch_size=16, epochs=50, monitor=None)
RECIPES = {"paper": LAST_EPOCH, "strict": replace(LAST_EPOCH, monitor="uar", patience=15)}
PRINTED_RATE = {protocol: replace(recipe, learning_rate=0.1) for protocol, recipe in RECIPES.items()}
PROTOCOLS = {
    "paper": Setting("random-80-20-three", watch_test=True),
    "strict": Setting("pairs-out-three"),
}
# A training utterance stands at a random place in its 8 s, drawn once: the authors pad in preprocessing and augment
# nothing. Test utterances are centred.
PLACED = Augmentation(steps=(RandomCut(128_000),), copies=1, keep_original=False)
# Calm counts as neutral on RAVDESS, which leaves the 7 classes that the paper's random baseline of 14.29 % implies.
MERGED = {"emodb": {}, "ravdess": {"calm": "neutral"}}


def variant(
    title: str,
    size: str = "cpu",
    *,
    recipes: Mapping[str, Recipe] = RECIPES,
    published: Mapping[str, Mapping[str, tuple]] | None = None,
    compared_with: tuple[str, str] | None = None,
    headline: bool = False,
    **options,
) -> Variant:
    """The network of a size, with other options than the paper's."""
    front_end_options, sized = SIZES[size]
    return Variant(
        "wavelet_cnn_lstm",
        recipes=recipes,
        options={**sized, **options},
        published=published or {},
        front_end_options=front_end_options,
        augmentation=PLACED,
        for_gpu=size == "paper_size",
        compared_with=compared_with,
        title=f"CNN-LSTM on scalograms, {title}",
        headline=headline,
    )


def experiment(corpus: str) -> Experiment:
    """The published network and a small one on EmoDB or RAVDESS (Tables 4 and 5).

    `paper` is three random folds that each test 20 %, with shared speakers, and keeps the last of 50 epochs. The authors
    print each fold's highest accuracy on the part that they test on; the report shows our highest.
    `strict` is three folds that each test a woman and a man; another pair validates and stops the training early.
    `paper_size` is the published network on 128 scales and 256 time bins, for a GPU; `cpu` halves both.
    `cpu_rate_01` has the printed learning rate, and `cpu_masks` has masks that are drawn anew in every step.

    Command: sertf run wavelet_cnn_lstm_emodb --data EMODB_FOLDER --variant cpu --repeats 3
    Time: a run of `cpu` takes 20 to 35 minutes on a CPU core on EmoDB, 55 to 80 on RAVDESS; three runs a repeat.
    Expect: a WA of 0.69 for `cpu` under `paper` and 0.51 under `strict` on EmoDB, 0.59 and 0.47 on RAVDESS. The paper
    has 0.94 and 0.88, and 0.73 and 0.74.
    Headline: `cpu`, the only variant with runs on both corpora. It has the paper's network on a smaller image.
    """
    published = published_on(corpus)
    return Experiment(
        name=f"wavelet_cnn_lstm_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants={
            "cpu": variant("64 scales", published=published, headline=True),
            "cpu_rate_01": variant(
                "64 scales, printed rate",
                recipes=PRINTED_RATE,
                published=published,
                compared_with=("cpu", "0.1 as learning rate"),
            ),
            "cpu_masks": variant(
                "64 scales, with masks",
                published=published,
                masks=MASKS,
                compared_with=("cpu", "masks over scales and time"),
            ),
            "paper_size": variant("published size", "paper_size", published=published),
        },
        protocols=PROTOCOLS,
        seed=SEED,
        merged=MERGED[corpus],
        others={name: round(accuracy / 100, 4) for name, accuracy in OTHERS[corpus].items()},
        remarks=(*REMARKS[corpus], *REMARKS_ON_BOTH),
    )


def pooling() -> Experiment:
    """Average against max pooling on EmoDB, in an abbreviated network whose first part is one convolutional pipe.

    The paper compares them in section 3.5. Here the pipe is 3×3, on the image of `cpu`, under the same protocols and
    recipes; a forward pass takes 0.12 G multiply-adds.

    Command: sertf run wavelet_cnn_lstm_pooling --data EMODB_FOLDER --repeats 3
    Time: about 7 minutes a run on a CPU core.
    Expect: a UAR of 0.72 for average and 0.68 for max pooling under `paper`, 0.47 and 0.64 under `strict`.
    """
    return Experiment(
        name="wavelet_cnn_lstm_pooling",
        paper=CITATION,
        corpus="emodb",
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants={
            "average": variant("abbreviated, average pooling", kernels=(3,), pooling="average"),
            "max": variant(
                "abbreviated, max pooling",
                kernels=(3,),
                pooling="max",
                compared_with=("average", "max pooling in place of average pooling"),
            ),
        },
        protocols=PROTOCOLS,
        seed=SEED,
        remarks=(
            "Section 4.4: average pooling outperformed maximum pooling, in contrast to several previous studies. No "
            "figure is printed.",
        ),
    )


EXPERIMENTS = {"wavelet_cnn_lstm_CORPUS": experiment, "wavelet_cnn_lstm_pooling": pooling}

# The masks were chosen by the scores on EmoDB.
SYSTEMS = {"wavelet_cnn_lstm": System(experiment("emodb"), "cpu_masks", chosen_on=("emodb",))}


def ask(hp) -> tuple[dict, dict]:
    """Section 3.5 searched rates of 0.001 to 0.1 and batches of 8 to 64; filters, units and poolings as it tried."""
    return {
        "learning_rate": log_float(hp, "learning_rate", 1e-3, 0.1),
        "batch_size": hp.Choice("batch_size", [8, 16, 32, 64]),
    }, {
        "pooling": hp.Choice("pooling", ["average", "max"]),
        "filters": hp.Choice("filters", [64, 128, 256]),
        "lstm_units": hp.Choice("lstm_units", [64, 100, 128, 256]),
    }


SPACES = {
    "wavelet_cnn_lstm": search_space(
        ask,
        model="wavelet_cnn_lstm",
        paper=f"{CITATION}, section 3.5",
        corpus="emodb",
        protocol=PROTOCOLS["strict"].folds,
        front_end=FRONT_END,
        recipe=replace(RECIPES["strict"], patience=10),
    )
}
