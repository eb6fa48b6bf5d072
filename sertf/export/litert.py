"""LiteRT (once TensorFlow Lite): a trained recognizer in one file for phones and small boards, one clip at a time.

The file holds the front end if LiteRT has its arithmetic: log mel, MFCC and chroma, but not the float64 spectra of the
fused statistics. Otherwise the file takes the front end's features. It does not resample.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sertf.errors import SertfError
from sertf.parallel.environment import standard_error_hidden

FILE = "model.tflite"
# Lengths of the clips that compare a converted model with its SavedModel, in seconds, besides its shortest audio.
_COMPARED_SECONDS = (1.0, 2.5, 4.1)
# Larger differences mean another model. Rounding and LiteRT's GELU stay below 1e-3.
LARGEST_DIFFERENCE = 0.01


class LiteRTError(SertfError):
    """A network that LiteRT cannot run, or LiteRT is missing."""


def write_litert(
    folder: Path,
    network: Any,
    front_end: Any,
    *,
    mean: np.ndarray,
    std: np.ndarray,
    temperature: float | None = None,
) -> dict[str, Any]:
    """Write `model.tflite` into the folder of an exported model and compare the two.

    Its signature takes one clip, `waveform` (1, samples) float32 at the front end's rate, or `features` (1, frames, …)
    before scaling, and gives the outputs of the SavedModel. TensorFlow backend only.

    Args:
        folder: folder of the SavedModel.
        network: the trained Keras model in it.
        front_end: layer of `sertf.features`.
        mean: subtracted from the features.
        std: divides the difference.
        temperature: of the scores, as in the SavedModel.

    Returns:
        dict for the model card: file, input ("waveform" or "features"), bytes, seconds of the compared clips of noise,
        and the largest difference of a score from the SavedModel's on these.

    Raises:
        LiteRTError: LiteRT is not installed, neither form of the model converts, or the result scores differently.
    """
    _interpreter_class()  # raises before the work if LiteRT is missing
    content, taken = _convert(network, front_end, mean, std, temperature)
    path = folder / FILE
    path.write_bytes(content)
    with standard_error_hidden():  # the interpreter prints its delegates
        clips, difference = _compare(path, folder, front_end, taken)
    if not difference <= LARGEST_DIFFERENCE:
        path.unlink()
        raise LiteRTError(
            f"The LiteRT scores of {network.name} differ by {difference:.2g} from the SavedModel's, more than "
            f"{LARGEST_DIFFERENCE:g}; use the SavedModel."
        )
    return {"file": FILE, "input": taken, "bytes": len(content), "compared_seconds": clips, "difference": difference}


def litert_runner(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """A LiteRT model as a function of its input, by name, to a dict of its outputs.

    Raises:
        LiteRTError: LiteRT is not installed, or the file is not from `write_litert`.
    """
    interpreter = _interpreter_class()
    try:
        with standard_error_hidden():
            return interpreter(model_path=str(path), num_threads=1).get_signature_runner()
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise LiteRTError(
            f"{path} is not a LiteRT model from sertf ({reason}); export it with sertf.export.saved_model.save."
        ) from error


def _interpreter_class():
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise LiteRTError("LiteRT is not installed; install it with: pip install 'sertf[litert]'.") from error
    return Interpreter


def _convert(network, front_end, mean, std, temperature):
    """The model's bytes, and its input: "waveform" if the front end converts, else "features"."""
    import tensorflow as tf

    from sertf.export.graph import for_inference

    # LiteRT has no op for fused recurrences; it runs Keras's loop.
    network = for_inference(network, fused=False, temperature=temperature)
    if not front_end.built:
        front_end.build((None, None))
    dims = front_end.feature_shape[1:]

    def from_features(features):
        return network((features - mean) / std, training=False)

    def from_waveform(waveform):
        # Framing hides from the converter that there is one clip. The shape states it again.
        return from_features(tf.reshape(front_end(waveform), (1, front_end.feature_shape[0] or -1, *dims)))

    samples = tf.TensorSpec((1, None), tf.float32, name="waveform")
    features = tf.TensorSpec((1, *front_end.feature_shape), tf.float32, name="features")
    reasons = []
    for taken, function, given in (("waveform", from_waveform, samples), ("features", from_features, features)):
        module = tf.Module()
        module.weights = [variable.value for variable in [*front_end.variables, *network.variables]]
        module.function = tf.function(function, input_signature=[given])
        try:
            return _converted(module, taken), taken
        except LiteRTError as error:
            reasons.append(f"{taken}: {error}")
    raise LiteRTError(f"The model {network.name} does not convert to LiteRT ({'; '.join(reasons)}).")


def _converted(module, taken):
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, standard_error_hidden():
        tf.saved_model.save(module, folder, signatures={taken: module.function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[taken])
        try:
            return converter.convert()
        except Exception as error:  # its ConverterError has no public name
            lines = [line.partition("error:")[2].strip() for line in str(error).splitlines() if "error:" in line]
            raise LiteRTError((lines or [type(error).__name__])[0]) from error


def _compare(path, folder, front_end, taken):
    """Seconds of the compared clips of noise, and the largest difference between both models' scores."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    lite, full, rate = litert_runner(path), model.signatures["waveform"], front_end.sample_rate
    shortest = max(0.1, front_end.minimum_samples / rate)
    seconds = [shortest, *(length for length in _COMPARED_SECONDS if length > shortest)]
    largest = 0.0
    for seed, length in enumerate(seconds):
        clip = np.random.default_rng(seed).normal(scale=0.1, size=(1, round(length * rate))).astype(np.float32)
        given = clip if taken == "waveform" else front_end(clip).numpy()
        ours, expected = lite(**{taken: given})["scores"], full(waveform=clip, sample_rate=rate)["scores"].numpy()
        largest = max(largest, float(np.abs(ours - expected).max()))
    return seconds, largest
