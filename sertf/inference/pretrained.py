"""The trained Keras model of an exported one, to fine-tune: its network, front end and emotions.

A SavedModel holds no Keras layers. The card says how the network and the front end are built. The SavedModel's variables
give their weights, and constants of its graph the scaling. Before anything is returned, its scores are compared with the
SavedModel's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.inference import bundled
from sertf.inference.card import Card, ModelError, check_intact, read_card
from sertf.inference.litert import VARIABLES
from sertf.training.scaling import Scaling

if TYPE_CHECKING:
    import keras

    from sertf.features import FrontEnd

LARGEST_DIFFERENCE = 1e-4
"""Of a score from the SavedModel's: rounding of other operations stays far below it."""
_INSIDE = ("embedding", "attention")  # outputs of a SavedModel besides the scores, by the name of their layer
_FRAMES = 50  # of the features that are compared, if the front end gives no number


@dataclass(frozen=True)
class Pretrained:
    """A trained Keras model and what belongs to it.

    Attributes:
        network: from scaled features (batch, *front_end.feature_shape) to scores (batch, emotions). Its scores are not
            calibrated.
        front_end: layer from waveforms to features.
        scaling: what scales the features before the network.
        emotions: names of the scores, in their order.
        card: the model card.
    """

    network: "keras.Model"
    front_end: "FrontEnd"
    scaling: Scaling
    emotions: tuple[str, ...]
    card: Card

    def network_for(self, num_classes: int) -> "keras.Model":
        """A new network for other emotions, with the trained weights in the layers before the last.

        Args:
            num_classes: number of the other emotions.

        Returns:
            Uncompiled Keras model of the same layers. Its last layer has new random weights, or zeros for a linear model,
            which passes on its front end alone. So have layers before it whose size depends on the emotions, as class
            capsules.
        """
        from sertf.models.linear import LINEAR

        made = _build(self.card, self.front_end, num_classes)
        if self.card["model"]["name"] in LINEAR:
            return made
        *shared, _ = [layers for layers in zip(self.network.layers, made.layers, strict=True) if layers[0].weights]
        for trained, fresh in shared:
            if [weight.shape for weight in trained.weights] == [weight.shape for weight in fresh.weights]:
                fresh.set_weights(trained.get_weights())
        return made


def pretrained(model: Path | str | None = None) -> Pretrained:
    """The trained Keras model of an exported one, with its front end and emotions, to fine-tune or to look into.

    Nothing is downloaded: a front end with pretrained weights gets them from the SavedModel too.

    Args:
        model: name of a bundled model, or the folder of any exported one; None takes the default.

    Returns:
        `Pretrained`.

    Raises:
        ModelError: a custom model, a damaged one, or one that this version of sertf builds otherwise.
        SertfError: neither a bundled name nor an existing folder.
    """
    folder = bundled.folder_of(model)
    card = read_card(folder)
    check_intact(folder)
    if ":" in card["model"]["name"] or ":" in card["front_end"]["name"]:
        raise ModelError(
            f"{folder} holds custom code ({card['model']['name']} on {card['front_end']['name']}), which its export does "
            "not hold; load weights.keras of its run instead."
        )
    try:
        front_end = _front_end(card)
        network = _build(card, front_end, len(card["emotions"]), directions=card["model"].get("directions"))
        weights = [*front_end.weights, *_weights(network)]
        stored = _count(folder)
        further = "held_out" in card.get("known_speakers", {})  # those of a second network follow
        if stored < len(weights) or (stored > len(weights) and not further):
            raise ValueError(f"it has {stored} weights, but {len(weights)} are expected")
        _restore(weights, folder)
        mean, std = _scaling(folder)
    except (OSError, ValueError, KeyError, TypeError, LookupError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{folder} cannot become a Keras model here ({reason}); export it again with this version of sertf."
        ) from error
    found = Pretrained(network, front_end, Scaling(mean, std), tuple(card["emotions"]), card)
    _check(found, folder)
    return found


def _front_end(card: Card) -> "FrontEnd":
    from sertf import features
    from sertf.features import whisper_weights

    described = card["front_end"]
    front_end = features.find(described["name"])(**described["config"])
    with whisper_weights.restored():
        front_end.build((None, None))
    return front_end


def _build(card: Card, front_end: "FrontEnd", num_classes: int, *, directions: int | None = None) -> "keras.Model":
    """A network of a card's model, with directions of a leverage where it is less sure of unlike clips."""
    from sertf.models import MODELS
    from sertf.models.confidence import Curve
    from sertf.models.linear import LINEAR, network
    from sertf.models.ridge import Leverage, Linear

    name, shape = card["model"]["name"], front_end.feature_shape
    if name in LINEAR:
        frames, values = shape
        assert frames is not None, "linear models take features of one length"
        dims, curve = frames * values, Curve(1.0, 1.0, 1.0) if directions else None
        leverage = Leverage(np.zeros(dims), np.zeros((dims, directions)), 1.0) if directions else None
        zeros = Linear(np.zeros((dims, num_classes)), np.zeros(num_classes), leverage)
        return network(zeros, (frames, values), name=name, curve=curve)
    options = {
        key: tuple(value) if isinstance(value, list) else value for key, value in card["model"]["options"].items()
    }
    return MODELS[name](shape, num_classes, **options)


def _weights(network: "keras.Model") -> list[Any]:
    """The network's weights in the order of an export, whose network has further outputs."""
    import keras

    names = {layer.name for layer in network.layers}
    outputs = {"scores": network.output}
    for name in _INSIDE:
        if name in names:
            output = network.get_layer(name).output
            outputs[name] = output[1] if isinstance(output, list | tuple) else output
    return keras.Model(network.inputs, outputs).weights


def _stored(folder: Path) -> Any:
    import tensorflow as tf

    return tf.train.load_checkpoint(str((folder / VARIABLES).parent / "variables"))


def _count(folder: Path) -> int:
    return sum(name.startswith("weights/") for name in _stored(folder).get_variable_to_shape_map())


def _restore(variables: Sequence[Any], folder: Path) -> None:
    """Give variables the first values that an export stores, those of the front end and then of the network."""
    stored = _stored(folder)
    for number, variable in enumerate(variables):
        variable.assign(stored.get_tensor(f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE"))  # raises for another shape


def _scaling(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation, the constants of the first subtraction and division in the function `features`."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    stored = saved_model_pb2.SavedModel()
    stored.ParseFromString((folder / "saved_model.pb").read_bytes())
    for function in stored.meta_graphs[0].graph_def.library.function:
        nodes = {node.name: node for node in function.node_def}
        given = [argument.name for argument in function.signature.input_arg]
        if given[:1] == ["features"] and "mean" not in given and "truediv" in nodes:
            mean, std = (nodes[nodes[name].input[1].partition(":")[0]] for name in ("sub", "truediv"))
            return tf.make_ndarray(mean.attr["value"].tensor), tf.make_ndarray(std.attr["value"].tensor)
    raise LookupError("its graph scales no features")


def _check(found: Pretrained, folder: Path) -> None:
    """Raise ModelError unless the network scores features as the SavedModel does."""
    import keras
    import tensorflow as tf

    from sertf.evaluation.calibration import probabilities

    shape = (2, *(size or _FRAMES for size in found.front_end.feature_shape))
    values = np.random.default_rng(0).normal(size=shape).astype("float32")
    features = values * found.scaling.std + found.scaling.mean
    scores = keras.ops.convert_to_numpy(found.network(found.scaling(features), training=False))
    if "calibration" in found.card:
        scores = probabilities(scores, found.card["calibration"]["temperature"])
    model = tf.saved_model.load(str(folder))
    expected = model.signatures["features"](features=tf.constant(features))["scores"].numpy()
    difference = float(np.abs(scores - expected).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelError(
            f"{folder}: the Keras model scores otherwise than the SavedModel (by {difference:.2g}), so this version of "
            "sertf builds it otherwise; export it again."
        )
