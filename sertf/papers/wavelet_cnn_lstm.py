"""CNN-LSTM on wavelet-scaled spectrograms, read as images (Sayed et al., 2025)."""

from collections.abc import Mapping
from dataclasses import replace

from sertf.audio.augmentation import Augmentation, RandomCut
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.experiment.search_space import log_float, search_space
from sertf.papers.system import System
from sertf.papers.wavelet_cnn_lstm_published import OTHERS, RATE_REMARK, REMARKS, REMARKS_ON_BOTH, published_on
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
# Complex Morlet of a bandwidth of 12 and a centre frequency of 1: any wavelet will do, says section 3.1.
FINER = "cmor12-1.0"
# Widest masks in scales and time bins of `cpu`, of either two: a quarter of the image's height, an eighth of its length.
# The paper has none.
MASKS = (16, 16)
SEED = 2025

# Table 2, but for the rate. Patience is not printed.
LAST_EPOCH = Recipe(learning_rate=1e-3, batch_size=16, epochs=50, monitor=None)
RECIPES = {"paper": LAST_EPOCH, "strict": replace(LAST_EPOCH, monitor="uar", patience=15)}
PRINTED_RATE = {protocol: replace(recipe, learning_rate=0.1) for protocol, recipe in RECIPES.items()}
# Table 2 and section 3.5 speak of a base and an initial rate, which implies a decay; when and how far is not printed.
DECAYED = replace(LAST_EPOCH, decay_epochs=35, decay_factor=0.1)
RATES = {"rate_1e-3": 1e-3, "rate_3e-4": 3e-4, "rate_1e-4": 1e-4}
PROTOCOLS = {
    "paper": Setting("random-80-20-three", watch_test=True),
    "strict": Setting("pairs-out-three"),
}
# As in the paper, every speaker who is not tested trains: a recipe of fixed length needs nobody to choose an epoch by.
ALL_OTHERS = {"paper": PROTOCOLS["paper"], "strict": Setting("pairs-out-three-all")}
# A training utterance stands at a random place in its 8 s, drawn once: the authors pad in preprocessing and augment
# nothing. Test utterances are centred. The network's option `moved` draws a place anew in every epoch.
PLACED = Augmentation(steps=(RandomCut(128_000),), copies=1, keep_original=False)
# Calm counts as neutral on RAVDESS, which leaves the 7 classes that the paper's random baseline of 14.29 % implies.
MERGED = {"emodb": {}, "ravdess": {"calm": "neutral"}}


def variant(
    title: str,
    size: str = "cpu",
    *,
    recipes: Mapping[str, Recipe] = RECIPES,
    published: Mapping[str, Mapping[str, tuple]] | None = None,
    front_end_options: Mapping[str, object] | None = None,
    compared_with: tuple[str, str] | None = None,
    tuned_on: tuple[str, ...] = (),
    headline: bool = False,
    **options,
) -> Variant:
    """The network of a size, with other options than the paper's, and with other options of the front end."""
    image, sized = SIZES[size]
    return Variant(
        "wavelet_cnn_lstm",
        recipes=recipes,
        options={**sized, **options},
        published=published or {},
        front_end_options={**image, **(front_end_options or {})},
        augmentation=None if options.get("moved") else PLACED,
        for_gpu=size == "paper_size",
        compared_with=compared_with,
        tuned_on=tuned_on,
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
    Headline: `cpu` on RAVDESS; it has the paper's network on a smaller image. On EmoDB it is that of `decayed`.
    """
    published = published_on(corpus)
    return Experiment(
        name=f"wavelet_cnn_lstm_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants={
            "cpu": variant("64 scales", published=published, headline=corpus == "ravdess"),
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
        remarks=(*REMARKS[corpus], *REMARKS_ON_BOTH, RATE_REMARK),
    )


def decaying(
    title: str, size: str = "cpu", *, rate: float = 1e-3, monitor: str | None = None, moved: bool = True, **arguments
) -> Variant:
    """`variant` with a rate that falls to a tenth after 35 of 50 epochs, and clips that move; other arguments as there.

    `rate` is the first 35 epochs' one. With a monitor all 50 epochs train, and the best by the validation part is kept.
    """
    recipe = replace(DECAYED, learning_rate=rate, monitor=monitor)
    # One fold of EmoDB was tried with the decay and with moved clips before both came here, and its test part was scored.
    return variant(title, size, recipes=dict.fromkeys(PROTOCOLS, recipe), tuned_on=("emodb",), moved=moved, **arguments)


def decayed(corpus: str) -> Experiment:
    """The network with a decaying rate and clips that move, on EmoDB or RAVDESS; all speakers who are not tested train.

    The rate falls to a tenth after 35 of 50 epochs, and the last epoch is kept. Each training clip stands at another place
    of its 8 s in every epoch, tested clips in the middle. `paper` is three random folds that each test 20 %. `strict` is
    three folds that each test a woman and a man; nobody validates.
    `cpu_placed_once` draws one place for each clip, `cpu_masks` adds masks over scales and time. `cpu_factor_a` has the
    paper's factor of the transform, 1/a. `cpu_cmor` has a wavelet of a third of the bandwidth. `paper_size` has 128 scales
    and 256 time bins, and `paper_size_cmor` the finer wavelet too. Both train on a CPU as well, at four times the cost.

    Command: sertf run wavelet_cnn_lstm_decayed_emodb --data EMODB_FOLDER --variant cpu --repeats 3
    Time: a step of 16 clips takes 0.85 s of a CPU core for `cpu`, 3.4 s for `paper_size`. An epoch has 26 to 29 steps on
    EmoDB, 72 to 83 on RAVDESS. A run has 50 epochs; three runs a repeat.
    Expect: a WA of 0.74 for `cpu` under `paper` and 0.63 under `strict` on EmoDB, where a constant rate has 0.69 and 0.51.
    Others have no stored result yet.
    """
    published = published_on(corpus)
    finer = {"wavelet": FINER, "precision": 16}
    return Experiment(
        name=f"wavelet_cnn_lstm_decayed_{corpus}",
        paper=CITATION,
        corpus=corpus,
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants={
            "cpu": decaying("64 scales, decaying rate", published=published, headline=corpus == "emodb"),
            "cpu_placed_once": decaying(
                "64 scales, decaying rate, placed once",
                published=published,
                moved=False,
                compared_with=("cpu", "one place for each clip"),
            ),
            "cpu_masks": decaying(
                "64 scales, decaying rate, with masks",
                published=published,
                masks=MASKS,
                compared_with=("cpu", "masks over scales and time"),
            ),
            "cpu_factor_a": decaying(
                "64 scales, decaying rate, factor 1/a",
                published=published,
                front_end_options={"factor": "1/a"},
                compared_with=("cpu", "1/a as the transform's factor"),
            ),
            "cpu_cmor": decaying(
                "64 scales, decaying rate, finer wavelet",
                published=published,
                front_end_options=finer,
                compared_with=("cpu", "a finer wavelet"),
            ),
            "paper_size": decaying("published size, decaying rate", "paper_size", published=published),
            "paper_size_cmor": decaying(
                "published size, decaying rate, finer wavelet",
                "paper_size",
                published=published,
                front_end_options=finer,
                compared_with=("paper_size", "a finer wavelet"),
            ),
        },
        protocols=ALL_OTHERS,
        seed=SEED,
        merged=MERGED[corpus],
        others={name: round(accuracy / 100, 4) for name, accuracy in OTHERS[corpus].items()},
        remarks=(*REMARKS[corpus], *REMARKS_ON_BOTH),
    )


def rates() -> Experiment:
    """Base rates of 1e-3, 3e-4 and 1e-4 on EmoDB, to be chosen by validation speakers; all decay as in `decayed`.

    Three folds test a woman and a man each, and the next fold's pair validates. All 50 epochs train; the best by the
    validation UAR is kept. A rate is chosen by the validation UAR of the reports, never by the tested pair.

    Command: sertf run wavelet_cnn_lstm_rates --data EMODB_FOLDER --repeats 1
    Time: a step of 16 clips takes 0.85 s of a CPU core. A run has 50 epochs of 19 to 22 steps; nine runs a repeat.
    Expect: no stored result yet.
    """
    return Experiment(
        name="wavelet_cnn_lstm_rates",
        paper=CITATION,
        corpus="emodb",
        front_end=FRONT_END,
        front_end_options=FRONT_END_OPTIONS,
        variants={
            name: decaying(f"64 scales, rate of {rate:g} that decays", rate=rate, monitor="uar")
            for name, rate in RATES.items()
        },
        protocols={"strict": PROTOCOLS["strict"]},
        seed=SEED,
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


EXPERIMENTS = {
    "wavelet_cnn_lstm_CORPUS": experiment,
    "wavelet_cnn_lstm_decayed_CORPUS": decayed,
    "wavelet_cnn_lstm_rates": rates,
    "wavelet_cnn_lstm_pooling": pooling,
}

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
