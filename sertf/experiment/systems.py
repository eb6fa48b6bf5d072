"""The zoo's systems: with which front end, options and recipe each model is trained on data that no paper ran on.

Taken from the experiments, their `strict` protocol, in the size that trains on a CPU; `tests/test_systems.py` holds the
two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sertf.audio.augmentation import Augmentation, RandomCut, WhiteNoise
from sertf.custom.code import is_custom
from sertf.errors import SertfError, unknown
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.protocols.splits import protocol as find_protocol
from sertf.training.recipe import Recipe


@dataclass(frozen=True)
class System:
    """A model and what it is trained with.

    Attributes:
        source: experiment, or paper, that front end, options and recipe are from.
        front_end: name in `sertf.features.FEATURES`.
        front_end_options: keyword arguments of the front end.
        recipe: `sertf.training.recipe.Recipe`; None for a scikit-learn model.
        options: keyword arguments of the model's builder.
        augmentation: of the training part.
        scaled_each: what is standardised by itself, as of `sertf.experiment.Variant`.
        tuned_on: names of the corpora by whose scores the recipe was chosen, as of `sertf.experiment.Variant`.
    """

    source: str
    front_end: str
    front_end_options: Mapping[str, object]
    recipe: Recipe | None
    options: Mapping[str, object] = field(default_factory=dict)
    augmentation: Augmentation | None = None
    scaled_each: str = "dimension"
    tuned_on: tuple[str, ...] = ()


_RESLSTM_SA = System(
    "reslstm_sa_ravdess",
    "mfcc_chroma",
    {"sample_rate": 48000},
    Recipe(learning_rate=0.000175, l2=4e-5, dropout=0.15, batch_size=16, epochs=100, restart_epochs=5),
    {"units": 64},
    tuned_on=("ravdess",),
)
_STATISTICS = {"sample_rate": 16000, "fmax": 7200}
_BASELINE = System("speechnet_baselines", "fused_statistics", _STATISTICS, Recipe(batch_size=32, epochs=100))
_SERCT = System(
    "SERCT, section 5.3, at 16 kHz",
    "waveform",
    # 3 s, as the thesis; at one rate, because a model of files at their own rates cannot be exported.
    {"sample_rate": 16000, "samples": 48000},
    Recipe(l2=5e-3, batch_size=16, epochs=20, decay_epochs=10),
)

SYSTEMS = {
    "reslstm_sa": _RESLSTM_SA,
    "lstm_sa": _RESLSTM_SA,
    # The margins of Sabour et al., with which it scores higher than with the printed ones on EmoDB: on speakers held out for
    # validation (a UAR of 0.65 against 0.63) and, where speakers are shared, on the test part.
    "speechnet": System(
        "speechnet_emodb, small_segments_sabour_margins",
        "fused_statistics",
        {**_STATISTICS, "segments": 64},
        Recipe(dropout=0.5, batch_size=256, epochs=200, loss="balanced_margin", margins=(0.9, 0.5, 0.1)),
        {"refinement_filters": 64},
        tuned_on=("emodb",),
    ),
    # Masks, which neither paper has, and more epochs: both by the scores of the validation part.
    "cnn_transformer": System(
        "cnn_transformer_ravdess, cpu_masks_160_epochs",
        "log_mel",
        {"sample_rate": 16000},
        Recipe(l2=1e-3, dropout=0.4, batch_size=16, epochs=160, restart_epochs=160, monitor="loss", patience=50),
        {"size": "small", "masks": (24, 32)},
        augmentation=Augmentation(steps=(WhiteNoise(snr_db=(15.0, 30.0)),), copies=2),
        scaled_each="cell",
        tuned_on=("ravdess",),
    ),
    # Its masks, which the paper has not, by the scores on EmoDB.
    "wavelet_cnn_lstm": System(
        "wavelet_cnn_lstm_emodb, cpu_masks",
        "scalogram",
        {"sample_rate": 16000, "duration_seconds": 8.0, "colour": "rgb", "n_scales": 64, "n_bins": 128},
        Recipe(batch_size=16, epochs=50, patience=15),
        {"colours": 3, "pooled_blocks": 3, "masks": (16, 16)},
        augmentation=Augmentation(steps=(RandomCut(128_000),), copies=1, keep_original=False),
        tuned_on=("emodb",),
    ),
    # At the printed rate it hardly learns; this one validated best.
    "serct": replace(
        _SERCT,
        source="serct_emodb, narrow_rate_3e-4",
        recipe=replace(_SERCT.recipe, learning_rate=3e-4),
        options={"size": "narrow"},
        tuned_on=("emodb", "ravdess"),
    ),
    "waveform_mlp": _SERCT,
    "waveform_lstm": _SERCT,
    "waveform_cnn": replace(_SERCT, options={"blocks": ((32, 5, 8), (32, 5, 8))}),
    "waveform_cnn_bilstm": replace(_SERCT, options={"blocks": ((32, 5, 10), (64, 5, 10))}),
    **dict.fromkeys(("lstm", "gru", "cnn", "transformer", "unet", "rbm", "autoencoder", "lsm", "tcn"), _BASELINE),
    **dict.fromkeys(("svm", "gradient_boosting"), replace(_BASELINE, recipe=None)),
}
FRONT_ENDS = tuple(dict.fromkeys(system.front_end for system in SYSTEMS.values()))


def system(model):
    """Look a model's system up.

    Raises:
        SertfError: an unknown name; the message offers the nearest. A model of one's own, which has none.
    """
    if is_custom(model):
        raise SertfError(
            f"{model} is a model of your own, for which no front end and recipe are known; name them with it in an "
            "experiment, a script of its own (see the README)."
        )
    if model not in SYSTEMS:
        raise SertfError(unknown("model", model, SYSTEMS))
    return SYSTEMS[model]


def front_end_of(model=None, name=None):
    """Name and options of a front end: the model's own, or another by its name with its default options.

    SERCT's for a waveform by its name, whose default are files at their own rates: no model of these can be exported.
    """
    if name is not None and is_custom(name):
        raise SertfError(
            f"{name} is a front end of your own; name it in an experiment, a script of its own (see the README)."
        )
    if name is not None and name not in FRONT_ENDS:
        raise SertfError(unknown("front end", name, FRONT_ENDS))
    if model is not None and name in (None, system(model).front_end):
        return system(model).front_end, dict(system(model).front_end_options)
    return name, dict(_SERCT.front_end_options) if name == _SERCT.front_end else {}


def fitted_to(recipe, protocol):
    """A recipe under a protocol; the last epoch counts where the protocol holds nothing out to choose one by."""
    if "no validation" in find_protocol(protocol).allows:
        return replace(recipe, monitor=None, patience=None)
    return recipe


def experiment(name, model, protocol, *, corpus="table", front_end=None, epochs=None):
    """The experiment that trains a model of the zoo on a table under a protocol, its only one.

    Args:
        name: of the experiment, for its folders.
        model: key of `SYSTEMS`.
        protocol: name for `sertf.protocols.protocol`.
        corpus: key of `sertf.corpora.CORPORA`, or "table" for own data.
        front_end: key of `sertf.features.FEATURES` in place of the model's own, with options as of `front_end_of`; the
            model is then trained without augmentation, which is made for one front end.
        epochs: in place of the recipe's.

    Raises:
        SertfError: an unknown name, or epochs for a model that has none.
    """
    chosen, recipe = system(model), system(model).recipe
    if epochs is not None and recipe is None:
        raise SertfError(f"{model} is fitted in one go and has no epochs; leave --epochs out.")
    recipe = recipe and fitted_to(recipe, protocol)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    own = front_end in (None, chosen.front_end)
    front_end, front_end_options = front_end_of(model, front_end)
    variant = Variant(
        model,
        recipes=recipe and {protocol: recipe},
        options=chosen.options,
        augmentation=chosen.augmentation if own else None,
        scaled_each=chosen.scaled_each if own else "dimension",
        tuned_on=chosen.tuned_on,
    )
    return Experiment(
        name=name,
        paper=f"none ran on this table; front end and recipe as in {chosen.source}",
        corpus=corpus,
        front_end=front_end,
        front_end_options=front_end_options,
        variants={model: variant},
        protocols={protocol: Setting(protocol)},
    )
