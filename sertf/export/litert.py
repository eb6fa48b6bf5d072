"""LiteRT (once TensorFlow Lite): a trained recognizer in one file for phones and small boards, one clip at a time.

The front end is in it where LiteRT has its arithmetic: log mel, MFCC and chroma, not the float64 spectra of the fused
statistics. Where it has not, the file takes the front end's features. There is no resampling in it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sertf.errors import SertfError
from sertf.parallel.environment import standard_error_hidden

FILE = "model.tflite"
# Lengths that a converted model is compared with its SavedModel at, in seconds; a model's shortest audio joins them.
_COMPARED_SECONDS = (1.0, 2.5, 4.1)
# Scores further apart than this are not the same model's; what rounding and LiteRT's own GELU make stays below 1e-3.
LARGEST_DIFFERENCE = 0.01


class LiteRTError(SertfError):
    """A network that LiteRT cannot run, or LiteRT itself missing."""


def write_litert(folder: Path, network: Any, front_end: Any, *, mean: np.ndarray, std: np.ndarray) -> dict[str, Any]:
    """Write `model.tflite` into the folder of an exported model and compare the two.

    Its signature takes one clip, `waveform` (1, samples) float32 at the front end's rate, or `features` (1, frames, …)
    before scaling, and gives the outputs of the SavedModel. TensorFlow backend only.

    Args:
        folder: of the SavedModel.
        network: the trained Keras model in it.
        front_end: layer of `sertf.features`.
        mean: subtracted from the features.
        std: the difference is divided by it.

    Returns:
        dict for the model card: file, input ("waveform" or "features"), bytes, seconds of the compared clips of noise,
        and the largest difference of a score to the SavedModel's over these.

    Raises:
        LiteRTError: LiteRT is not installed, neither form of the model converts, or what is converted scores differently.
    """
    _interpreter_class()  # its absence is said before the work
    content, taken = _convert(network, front_end, mean, std)
    path = folder / FILE
    path.write_bytes(content)
    with standard_error_hidden():  # the interpreter says what it delegates to
        clips, difference = _compare(path, folder, front_end, taken)
    if not difference <= LARGEST_DIFFERENCE:
        path.unlink()
        raise LiteRTError(
            f"The model {network.name} converts to LiteRT, but its scores then differ by {difference:.2g} from the "
            f"SavedModel's, more than {LARGEST_DIFFERENCE:g}; use the SavedModel."
        )
    return {"file": FILE, "input": taken, "bytes": len(content), "compared_seconds": clips, "difference": difference}


def litert_runner(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """A LiteRT model as a function of its input, by name, to a dict of its outputs.

    Raises:
        LiteRTError: LiteRT is not installed, or the file is not one of `write_litert`.
    """
    interpreter = _interpreter_class()
    try:
        with standard_error_hidden():
            return interpreter(model_path=str(path), num_threads=1).get_signature_runner()
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise LiteRTError(
            f"{path} is no LiteRT model of ours ({reason}); export it with sertf.export.saved_model.save."
        ) from error


def _interpreter_class():
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise LiteRTError("LiteRT models need the extra: pip install 'sertf[litert]'.") from error
    return Interpreter


def _convert(network, front_end, mean, std):
    """The model's bytes, and what it takes: "waveform" if the front end converts, else "features"."""
    import tensorflow as tf

    from sertf.export.graph import for_inference

    # LiteRT has no op for the recurrences that serving fuses; it runs Keras's loop.
    network = for_inference(network, fused=False)
    if not front_end.built:
        front_end.build((None, None))
    dims = front_end.feature_shape[1:]

    def from_features(features):
        return network((features - mean) / std, training=False)

    def from_waveform(waveform):
        # The shape says again what framing hides from the converter: that there is one clip.
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
