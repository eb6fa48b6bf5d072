"""The data of a trained model's figures: embeddings, and one clip's states and attention over time."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sertf.training.scaling import Part

if TYPE_CHECKING:
    import keras

    from sertf.features import FrontEnd


def representations(
    model: "keras.Model", part: Part, predict: Callable[["keras.Model", Part], np.ndarray], front_end: "FrontEnd"
) -> dict[str, np.ndarray]:
    """The data of a trained model's figures on one part; an empty dict for a model without these layers.

    Args:
        model: a model with the layers "embedding" (an utterance's representation), "states" (its states over time) and
            "attention" (the pair of context and attention weights); any of them may be missing.
        part: `sertf.training.scaling.Part`; its first utterance is the clip shown over time.
        predict: function of model and part to its outputs in the part's order.
        front_end: front end of the features; it names their dimensions and the time between frames.

    Returns:
        dict of arrays: utterances, labels, embeddings (utterances, units), means (utterances, dims). For the clip:
        clip_utterance, clip_features (frames, dims), clip_states (frames, units), clip_attention (frames,). With
        deformable attention: clip_windows (layers, heads, steps, 2), the windows' ends in steps, and clip_received
        (layers, heads, steps), the attention to each step, averaged over queries. With a clip also dimension_labels and
        dimension_sizes, the groups of its dimensions, and clip_step_seconds if a frame is a fixed stretch of time.
    """
    import keras

    from sertf.layers import DeformableAttention

    names = {layer.name for layer in model.layers}
    if "embedding" not in names:
        return {}
    embedder = keras.Model(model.inputs, model.get_layer("embedding").output)
    result = {
        "utterances": np.array(part.utterances, dtype=str),
        "labels": part.labels,
        "embeddings": predict(embedder, part).astype(np.float32),
        "means": np.stack([array.mean(axis=0) for array in part.arrays]),
    }
    clip = part.arrays[0]
    shown = {
        "clip_utterance": np.array(part.utterances[0]),
        "clip_features": clip,
        "dimension_labels": np.array([label for label, _ in front_end.dimension_groups]),
        "dimension_sizes": np.array([size for _, size in front_end.dimension_groups]),
    }
    if front_end.frame_step_seconds is not None:
        shown["clip_step_seconds"] = np.array(front_end.frame_step_seconds)
    if {"states", "attention"} <= names:
        inside = keras.Model(model.inputs, [model.get_layer("states").output, model.get_layer("attention").output[1]])
        # float32 throughout: NumPy stores no bfloat16.
        states, attention = (np.asarray(output, np.float32)[0] for output in inside.predict_on_batch(clip[None]))
        result |= {**shown, "clip_states": states, "clip_attention": attention}
    deformable = [layer for layer in model.layers if isinstance(layer, DeformableAttention)]
    if deformable:
        # Flat: for a single layer Keras would not give a list with its pair in it.
        inside = keras.Model(model.inputs, [output for layer in deformable for output in layer.output[1:]])
        found = inside.predict_on_batch(clip[None])
        weights, windows = found[::2], found[1::2]
        received = [np.asarray(of_layer, np.float32)[0].mean(axis=1) for of_layer in weights]
        result |= {
            **shown,
            "clip_windows": np.stack([np.asarray(of_layer, np.float32)[0] for of_layer in windows]),
            "clip_received": np.stack(received),
        }
    return result
