"""The hyperparameters that the papers searched, or print without a search: what `sertf.tuning.search` chooses from.

A space is an experiment of one variant under one protocol, both named "search", and a function that asks for values in
the way of Keras Tuner's hyperparameters (`Float`, `Int`, `Choice`), without importing it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from sertf.audio.augmentation import Augmentation, WhiteNoise
from sertf.errors import SertfError, unknown
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.training.recipe import Recipe, Tuned

SEARCH = "search"
RESULT = "result.json"
"""File that a finished trial of a search leaves."""


@dataclass(frozen=True)
class SearchSpace:
    """A model, how it is trained, and what of it is searched.

    Attributes:
        experiment: one variant and one protocol, both named "search".
        ask: function of hyperparameters to two dicts: changes to the recipe, and to the builder's keyword arguments. It is
            sent to other processes, so that it must stand by itself in a module.
    """

    experiment: Experiment
    ask: Callable

    @property
    def variant(self):
        """The variant that is searched."""
        return self.experiment.variant(SEARCH)

    def tuned(self, hyperparameters):
        """The recipe and options that hyperparameters stand for, a `sertf.training.recipe.Tuned`.

        Raises:
            SertfError: `ask` gives anything but two dicts, or changes what no recipe has.
        """
        found = self.ask(hyperparameters)
        if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(part, dict) for part in found)):
            raise SertfError(
                "The space's `ask` must return two dicts, changes to the recipe and options of the model, either of which "
                f"may be empty, but returned {found!r}."
            )
        changes, options = found
        known = [field.name for field in fields(Recipe)]
        for name in changes:
            if name not in known:
                raise SertfError(unknown("field of a recipe, which the space's `ask` changes,", name, known))
        recipe = replace(self.experiment.recipe(SEARCH, SEARCH), **changes)
        return Tuned(self.variant.model, recipe, options, self.experiment.corpus)

    def on(self, corpus=None, *, protocol=None, epochs=None):
        """The space on another corpus, under another protocol, or of recipes of another length; None keeps each."""
        variant, recipe = self.variant, self.experiment.recipe(SEARCH, SEARCH)
        variant = replace(
            variant, recipes={SEARCH: replace(recipe, epochs=recipe.epochs if epochs is None else epochs)}
        )
        setting = self.experiment.setting(SEARCH)
        experiment = replace(
            self.experiment,
            corpus=corpus or self.experiment.corpus,
            variants={SEARCH: variant},
            protocols={SEARCH: setting if protocol is None else Setting(protocol)},
        )
        return replace(self, experiment=experiment)


def _space(ask, *, model, paper, corpus, protocol, front_end, recipe, front_end_options=None, options=None, **variant):
    return SearchSpace(
        Experiment(
            name=f"{model}_search",
            paper=paper,
            corpus=corpus,
            front_end=front_end,
            front_end_options=front_end_options or {},
            variants={SEARCH: Variant(model, recipes={SEARCH: recipe}, options=options or {}, **variant)},
            protocols={SEARCH: Setting(protocol)},
            seed=2606,
        ),
        ask,
    )


def _reslstm_sa(hp):
    """Section IV-C of the paper."""
    return {
        "learning_rate": _log_float(hp, "learning_rate", 3e-5, 2e-4),
        "l2": _log_float(hp, "l2", 2e-5, 2e-2),
        "dropout": round(float(hp.Float("dropout", 0.1, 0.5)), 2),
        "restart_epochs": hp.Choice("restart_epochs", [1, 2, 3, 5, 10]),
        "batch_size": hp.Choice("batch_size", [8, 16, 32, 64]),
    }, {}


def _demo(hp):
    """ResLSTM-SA's rate and dropout, ten times the rate since ten times fewer steps are trained; its size."""
    return {
        "learning_rate": _log_float(hp, "learning_rate", 3e-4, 1e-2),
        "dropout": round(float(hp.Float("dropout", 0.1, 0.5)), 2),
        "batch_size": hp.Choice("batch_size", [16, 32, 64]),
    }, {"units": hp.Choice("units", [4, 8, 16])}


def _speechnet(hp):
    """The paper prints rate 1e-3, dropout 0.5, batch 256 and 2 iterations without a search: around these."""
    return {
        "learning_rate": hp.Choice("learning_rate", [1e-4, 3e-4, 1e-3, 3e-3]),
        "dropout": hp.Choice("dropout", [0.3, 0.5, 0.7]),
        "batch_size": hp.Choice("batch_size", [32, 64, 128, 256]),
    }, {"iterations": hp.Choice("iterations", [1, 2, 3])}


def _cnn_transformer(hp):
    """A grid over rate, dropout and batch; the paper prints the chosen 1e-3, 0.4 and 16: around these."""
    return {
        "learning_rate": hp.Choice("learning_rate", [1e-4, 1e-3, 1e-2]),
        "dropout": hp.Choice("dropout", [0.3, 0.4, 0.5]),
        "batch_size": hp.Choice("batch_size", [16, 32, 64]),
    }, {}


def _wavelet_cnn_lstm(hp):
    """Section 3.5 searched rates of 0.001 to 0.1 and batches of 8 to 64; filters, units and poolings as it tried."""
    return {
        "learning_rate": _log_float(hp, "learning_rate", 1e-3, 0.1),
        "batch_size": hp.Choice("batch_size", [8, 16, 32, 64]),
    }, {
        "pooling": hp.Choice("pooling", ["average", "max"]),
        "filters": hp.Choice("filters", [64, 128, 256]),
        "lstm_units": hp.Choice("lstm_units", [64, 100, 128, 256]),
    }


def _serct(hp):
    """Depth, which the thesis varies from 1 to 6 layers."""
    return {}, {"layers": int(hp.Int("layers", 1, 6))}


def _log_float(hp, name, low, high):
    """A number of three digits, log uniform."""
    return float(f"{hp.Float(name, low, high, sampling='log'):.3g}")


_RESLSTM_SA = {
    "paper": "Krasnoproshin and Vashkevich, arXiv:2606.03359 (2026), section IV-C",
    "corpus": "ravdess",
    "protocol": "reslstm-sa",
    "front_end": "mfcc_chroma",
    "front_end_options": {"sample_rate": 48000},
    "recipe": Recipe(epochs=100),
    "options": {"units": 64},
}

SPACES = {
    "demo": _space(
        _demo,
        model="reslstm_sa",
        paper="Krasnoproshin and Vashkevich, arXiv:2606.03359 (2026), the architecture at a small size",
        corpus="embedded",
        protocol="speaker-independent-4",
        front_end="mfcc_chroma",
        front_end_options={"sample_rate": 16000, "n_fft": 1024, "hop_length": 512, "n_mfcc": 20, "n_mels": 64},
        recipe=Recipe(epochs=12, l2=1e-4),
    ),
    "reslstm_sa": _space(_reslstm_sa, model="reslstm_sa", **_RESLSTM_SA),
    "lstm_sa": _space(_reslstm_sa, model="lstm_sa", **_RESLSTM_SA),
    "speechnet": _space(
        _speechnet,
        model="speechnet",
        paper="Zhang et al., Biomedical Signal Processing and Control (2025), section 5.1",
        corpus="emodb",
        protocol="speaker-independent-5",
        front_end="fused_statistics",
        front_end_options={"sample_rate": 16000, "fmax": 7200, "segments": 64},
        recipe=Recipe(epochs=200, loss="balanced_margin"),
        options={"refinement_filters": 64},
    ),
    "cnn_transformer": _space(
        _cnn_transformer,
        model="cnn_transformer",
        paper="Wei et al., International Journal of Advanced Computer Science and Applications 16 (2025), Table I",
        corpus="ravdess",
        protocol="reslstm-sa",
        front_end="log_mel",
        front_end_options={"sample_rate": 16000},
        recipe=Recipe(optimizer="sgd", momentum=0.8, l2=1e-3, epochs=60, monitor="loss", patience=50),
        augmentation=Augmentation(steps=(WhiteNoise(snr_db=(15.0, 30.0)),), copies=2),
        scaled_each="cell",
    ),
    "wavelet_cnn_lstm": _space(
        _wavelet_cnn_lstm,
        model="wavelet_cnn_lstm",
        paper="Sayed et al., Traitement du Signal (2025), section 3.5",
        corpus="emodb",
        protocol="pairs-out-three",
        front_end="scalogram",
        recipe=Recipe(epochs=50, patience=10),
    ),
    "serct": _space(
        _serct,
        model="serct",
        paper="Zheng, master's thesis, University of Groningen (2024), depth",
        corpus="tess",
        protocol="random-stratified",
        front_end="waveform",
        front_end_options={"sample_rate": 16000, "samples": 48000},
        recipe=Recipe(learning_rate=3e-4, l2=5e-3, batch_size=16, epochs=20, decay_epochs=10),
        options={
            "convolutions": ((64, 10, 5), *((64, 3, 2),) * 4, *((64, 2, 2),) * 2),
            "width": 128,
            "feed_forward": 64,
        },
    ),
}
