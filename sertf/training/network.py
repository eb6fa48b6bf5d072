"""Build a network for training, with the recipe's dropout and precision, and load a trained one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.training.fit import WEIGHTS, RunError
from sertf.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

# The last batch of an epoch borrows from the one before it. That one must keep two utterances or more.
SMALLEST_WITH_NORM = 3


def build_network(
    builder: "Callable[..., keras.Model]",
    options: Mapping[str, object],
    recipe: Recipe,
    input_shape: tuple,
    num_classes: int,
) -> "keras.Model":
    """Build an uncompiled Keras model whose weights, scores and losses are float32 under any precision.

    Args:
        builder: function of input_shape, num_classes and options.
        options: keyword arguments of the builder; the recipe's dropout replaces theirs.
        recipe: `sertf.training.recipe.Recipe`.
        input_shape: shape of the features of one utterance.
        num_classes: number of emotions.

    Raises:
        RunError: a batch norm with batches so small that one may hold a single utterance.
        SertfError: options or shapes that the builder refuses.
    """
    import keras

    if recipe.dropout is not None:
        options = {**options, "dropout": recipe.dropout}
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else f"mixed_{recipe.precision}")
    try:
        network = builder(input_shape, num_classes, **options)
    finally:
        keras.config.set_dtype_policy(before)
    if smallest_batch(network) > 1 and recipe.batch_size < SMALLEST_WITH_NORM:
        raise RunError(
            f"{network.name} has a batch norm and needs a batch_size of {SMALLEST_WITH_NORM} or more, but the recipe has "
            f"{recipe.batch_size}. No batch may hold a single utterance. Use a larger batch_size, or a smaller "
            "accumulation."
        )
    return network


def smallest_batch(network):
    """Least size of a training batch. A batch norm turns a single utterance into its own bias, whatever the input."""
    import keras

    return 2 if any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers) else 1


def in_float32(network):
    """Let a network trained in another precision compute in float32, the precision of its weights; returns it.

    TensorFlow's fused LSTM and LiteRT have no half precision.
    """
    for layer in network._flatten_layers():
        if layer.compute_dtype != layer.variable_dtype:
            layer.dtype_policy = layer.variable_dtype
    return network


def load_network(run: Path, name: str = WEIGHTS[0]) -> "keras.Model":
    """A trained network of a run's folder by the name of its file, uncompiled.

    Raises:
        OSError, ValueError, TypeError: a file that cannot be loaded.
    """
    import keras

    import sertf.models  # noqa: F401  loading a network needs its layers registered

    return keras.saving.load_model(run / name, compile=False)
