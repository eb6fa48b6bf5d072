"""A network as a recipe trains it: the model's builder under the recipe's dropout and precision."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sertf.training.fit import RunError
from sertf.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

# The last batch of an epoch borrows from the one before it, which must not be left with one utterance then.
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
        options: keyword arguments of the builder; the recipe's dropout goes over them.
        recipe: `sertf.training.recipe.Recipe`.
        input_shape: of the features of one utterance.
        num_classes: number of emotions.

    Raises:
        RunError: batches under a batch norm of which one may be of a single utterance.
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
            f"{network.name} has a batch norm, which needs a batch_size of {SMALLEST_WITH_NORM} or more, so that no batch "
            f"is of one utterance alone, but the recipe has {recipe.batch_size}; use a larger batch_size, or a smaller "
            "accumulation."
        )
    return network


def smallest_batch(network):
    """Utterances that a training batch needs: a batch norm makes of one by itself its own bias, whatever the input."""
    import keras

    return 2 if any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers) else 1


def in_float32(network):
    """Let a network that was trained in another precision compute in float32, which its weights are in; returns it.

    TensorFlow's fused LSTM and LiteRT have no half precision.
    """
    for layer in network._flatten_layers():
        if layer.compute_dtype != layer.variable_dtype:
            layer.dtype_policy = layer.variable_dtype
    return network
