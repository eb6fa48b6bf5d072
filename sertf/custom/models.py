"""Custom models, named "module:function", such as "my_models:build".

The function builds as the zoo's builders do: from input_shape, num_classes and options it makes an uncompiled Keras
model. The model's output is float32 scores, (batch, num_classes).
"""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.custom import code as own_code
from sertf.errors import SertfError, unknown

if TYPE_CHECKING:
    import keras

# Half precision inside a network leaves sums of softmax this far from 1.
_TOLERANCE = 1e-2


def find(model: str) -> Callable[..., "keras.Model"]:
    """Import the builder of "module:function".

    Raises:
        SertfError: as `sertf.custom.code.import_named`, or no such function.
    """
    module, builder = own_code.import_named("model", model)
    name, _, function = model.partition(":")
    if not inspect.isroutine(builder) or not str(getattr(module, "__file__", "")).endswith(".py"):
        raise SertfError(
            f"Model {model}: the module {name} has no Python function {function}; define it there, as "
            f"{function}(input_shape, num_classes), followed by keyword arguments."
        )
    own_code.source_digest(builder, module)  # of the file at its import
    return builder


def source_digest(model: str) -> str:
    """Digest of the module's file. After a change of the file, earlier runs do not count as finished."""
    module, builder = own_code.import_named("model", model)
    return own_code.source_digest(builder, module)


def check_options(model: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError for options that the builder does not take, or that no manifest can hold."""
    signature = inspect.signature(find(model))
    parameters = list(signature.parameters.values())
    if not any(entry.kind is entry.VAR_KEYWORD for entry in parameters):
        known = [entry.name for entry in parameters[2:] if entry.kind is not entry.VAR_POSITIONAL]
        for name in options:
            if name not in known:
                raise SertfError(unknown(f"option of {model}", name, known))
    from_recipe = {"dropout": 0.0} if takes(model, "dropout") else {}
    try:
        signature.bind((), 2, **{**from_recipe, **options})
    except TypeError as error:
        raise SertfError(
            f"Model {model} takes {signature}, but is called with input_shape, num_classes and the options "
            f"{', '.join(options) or '(none)'} ({error}). Let it take these two first, and give every other argument a "
            "default or an option."
        ) from None
    own_code.check_plain(f"Model {model}", options)


def takes(model: str, option: str) -> bool:
    """Whether the builder takes an option."""
    parameters = list(inspect.signature(find(model)).parameters.values())
    return any(entry.kind is entry.VAR_KEYWORD for entry in parameters) or option in [p.name for p in parameters[2:]]


def check_network(model: str, network: "keras.Model", num_classes: int) -> None:
    """Raise SertfError unless the builder's network suits training, figures and export."""
    import keras

    if not isinstance(network, keras.Model):
        raise SertfError(f"Model {model} must return a keras.Model, but returned {type(network).__name__}.")
    if not network.built or len(network.inputs) != 1 or len(network.outputs) != 1:
        raise SertfError(
            f"Model {model} must be a functional or sequential Keras model of one input and one output; build it with "
            "keras.Model(inputs, scores)."
        )
    shape, dtype = tuple(network.outputs[0].shape), keras.backend.standardize_dtype(network.outputs[0].dtype)
    if shape != (None, num_classes) or dtype != "float32":
        raise SertfError(
            f"Model {model} must give float32 scores of shape (None, {num_classes}), one an emotion, but gives {dtype} of "
            f"shape {shape}; use sertf.models.output.softmax_scores(x, num_classes) as its last layer."
        )
    for name, form, fits in _FORMS:
        if any(layer.name == name for layer in network.layers) and not fits(network.get_layer(name).output):
            raise SertfError(f"Model {model}: figures need {form} from a layer named {name!r}; rename the layer.")


def _ranks(output):
    return [len(part.shape) for part in output] if isinstance(output, list | tuple) else len(output.shape)


# `sertf.training.representations.representations` and `sertf.export.graph` read these layers by name.
_FORMS = (
    ("embedding", "an utterance's representation (batch, units)", lambda output: _ranks(output) == 2),
    ("states", "states over time (batch, frames, units)", lambda output: _ranks(output) == 3),
    ("attention", "the pair of context (batch, units) and weights (batch, frames)", lambda o: _ranks(o) == [2, 2]),
)


def check_restorable(model: str, network: "keras.Model") -> None:
    """Raise SertfError for a network that could not be loaded again after saving."""
    import keras

    try:
        keras.models.model_from_json(network.to_json())
    except Exception as error:  # whatever a layer's get_config and constructor raise
        raise SertfError(
            f"Model {model} could not be loaded again ({reason_of(error)}). Put @keras.saving.register_keras_serializable() above its "
            "custom layers, let their get_config give all constructor arguments, and replace Lambda by a layer."
        ) from error


def reason_of(error: Exception) -> str:
    """The sentence in Keras's loading error that tells the fault."""
    return str(error).rpartition("Exception encountered: ")[2].strip().partition("\n")[0].partition(". ")[0]


def check_scores(model: str, scores: np.ndarray) -> None:
    """Raise SertfError unless scores, (utterances, classes), are probabilities, as a cross-entropy needs."""
    sums = np.asarray(scores, float).sum(axis=1)
    if not np.isfinite(sums).all() or np.min(scores) < 0 or np.abs(sums - 1).max() > _TOLERANCE:
        raise SertfError(
            f"Model {model} must give probabilities that sum to 1 over the emotions, but before training the first "
            f"utterance's sum to {sums[0]:.4g}; use sertf.models.output.softmax_scores(x, num_classes) as its last layer."
        )
