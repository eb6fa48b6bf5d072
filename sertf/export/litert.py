"""LiteRT (once TensorFlow Lite): a trained recognizer in one file for phones and small boards, one clip at a time.

The file holds the front end if LiteRT has its arithmetic: log mel, MFCC and chroma, but not the float64 spectra of the
fused statistics. Otherwise the file takes the front end's features. It does not resample.

Weights are float32, float16 or int8. The arithmetic is float32, but for dense layers and convolutions with int8 weights.
The front end's Fourier transforms and filters stay float32, because rounding them would drown quiet bands in noise.
Pretrained weights published in float16 keep their values. Beside int8 two kinds of weights are float16:

- those of recurrences, where errors add up from step to step;
- those of the last layer. The normalisation before it is folded into it, so their sizes differ too much for 8 bits.

Shared weights stand in the SavedModel alone. Such a file is small, and sertf alone can read it.
"""

import contextlib
import io
import itertools
import re
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from sertf.errors import SertfError, unknown
from sertf.inference.litert import FILE, SHARED, VARIABLES, Piece, litert_runner
from sertf.parallel.environment import standard_error_hidden

# Larger differences mean another model. In float32 rounding and LiteRT's GELU stay below 1e-3.
LARGEST_DIFFERENCE = {"float32": 0.01, "float16": 0.01, "int8": 0.1, "shared": 0.01}
WEIGHTS = tuple(LARGEST_DIFFERENCE)
"""How LiteRT files store weights: in a number format, or not at all where the SavedModel beside them has them."""
# Lengths of the clips that compare a converted model with its SavedModel, in seconds, besides its shortest audio.
_COMPARED_SECONDS = (1.0, 2.5, 4.1)
_SMALLEST_HALVED = 4096  # bytes of a constant
# Scopes of operations in the file: those of the network, and those of the loops of its recurrences.
_NETWORK, _LOOP = "network", "while"


class LiteRTError(SertfError):
    """A network that LiteRT cannot run."""


def write_litert(
    folder: Path,
    network: Any,
    front_end: Any,
    *,
    mean: np.ndarray,
    std: np.ndarray,
    temperature: float | None = None,
    weights: str = "float32",
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
        weights: one of `WEIGHTS`.

    Returns:
        dict for the model card: file, input ("waveform" or "features"), weights, bytes, seconds of the compared clips of
        noise, and the largest difference of a score from the SavedModel's on these.

    Raises:
        LiteRTError: unknown weights, neither form of the model converts, or the result scores differently.
    """
    check_weights(weights)
    content, taken = _convert(network, front_end, mean, std, temperature, weights)
    path = folder / (SHARED if weights == "shared" else FILE)
    if weights == "shared":
        variables = [np.asarray(variable) for variable in [*front_end.weights, *network.weights]]
        np.savez_compressed(path, **_apart(content, variables, (folder / VARIABLES).read_bytes()))
    else:
        path.write_bytes(content)
    with standard_error_hidden():  # the interpreter prints its delegates
        run = litert_runner(path)
        clips, difference = compared(lambda **given: run(**given)["scores"], folder, front_end, taken)
    largest = LARGEST_DIFFERENCE[weights]
    if not difference <= largest:
        path.unlink()
        mend = "use the SavedModel" if weights == "float32" else "store the weights in float32"
        raise LiteRTError(
            f"The LiteRT scores of {network.name} differ by {difference:.2g} from the SavedModel's, more than {largest:g} "
            f"with weights of {weights}; {mend}."
        )
    return {
        "file": path.name,
        "input": taken,
        "weights": weights,
        "bytes": path.stat().st_size,
        "compared_seconds": clips,
        "difference": difference,
    }


def check_weights(weights: str) -> None:
    """Raise `LiteRTError` unless LiteRT files can store weights so."""
    if weights not in WEIGHTS:
        raise LiteRTError(unknown("LiteRT weights", weights, WEIGHTS))


def _convert(network, front_end, mean, std, temperature, weights):
    """The model's bytes, and its input: "waveform" if the front end converts, else "features"."""
    import tensorflow as tf

    from sertf.export.graph import at_own_rate, for_inference

    last = [layer.name for layer in network.layers if layer.weights][-1:]
    # LiteRT has no op for fused recurrences; it runs Keras's loop.
    network = for_inference(network, fused=False, temperature=temperature)
    from_features, from_waveform = at_own_rate(network, front_end, mean=mean, std=std, clips=1)
    samples = tf.TensorSpec((1, None), tf.float32, name="waveform")
    features = tf.TensorSpec((1, *front_end.feature_shape), tf.float32, name="features")
    reasons = []
    for taken, function, given in (("waveform", from_waveform, samples), ("features", from_features, features)):
        module = tf.Module()
        module.weights = [variable.value for variable in [*front_end.weights, *network.weights]]
        module.function = tf.function(function, input_signature=[given])
        try:
            content = _converted(module, taken)
            if weights in ("float16", "int8"):
                content = _quantized(_halved(content), weights, last)
            return (_halved(content) if weights == "shared" else content), taken
        except LiteRTError as error:
            reasons.append(f"{taken}: {error}")
    raise LiteRTError(f"The model {network.name} does not convert to LiteRT ({'; '.join(reasons)}).")


def _quantized(content, weights, last):
    """A LiteRT file with the network's weights in float16; with int8 all but those of recurrences and the layers `last`."""
    with standard_error_hidden(), contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        from litert_quantizer import algorithm_manager, qtyping, quantizer

        casting, every = algorithm_manager.AlgorithmName.FLOAT_CASTING, qtyping.TFLOperationName.ALL_SUPPORTED
        half = qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        )
        made = quantizer.Quantizer(content)
        if weights == "int8":  # of patterns that fit, the last counts
            made.add_dynamic_config(_NETWORK, every, num_bits=8)
        for scope in (_LOOP, *map(re.escape, last)) if weights == "int8" else (_NETWORK,):
            made.update_quantization_recipe(scope, every, half, casting)
        return bytes(made.quantize().quantized_model)


def _apart(content, variables, stored):
    """The arrays of a file `SHARED`: what remains of a LiteRT model without the variables in the bytes `stored`."""
    found: list[tuple[Piece, int]] = []
    for values in variables:
        if values.nbytes < _SMALLEST_HALVED or values.ndim > 3:
            continue
        offset = stored.find(values.tobytes())
        shaped = values.reshape((1,) * (3 - values.ndim) + values.shape)
        # LiteRT has the axes of a matrix or a filter in another order.
        for axes in itertools.permutations(range(3)):
            position = content.find(shaped.transpose(axes).tobytes())
            if position >= 0 and offset >= 0:
                found.append((Piece(position, offset, values.itemsize, shaped.shape, axes), values.nbytes))
                break
    rest, pieces, end = [], [], 0
    for piece, size in sorted(found):
        if piece.position >= end:  # equal weights of two layers are one constant
            rest.append(content[end : piece.position])
            pieces.append(piece.row())
            end = piece.position + size
    rest.append(content[end:])
    return {
        "rest": np.frombuffer(b"".join(rest), np.uint8),
        "pieces": np.array(pieces, np.int64).reshape(-1, 9),
        "crc32": np.uint32(zlib.crc32(content)),
    }


def _halved(content):
    """A LiteRT file with its large constants in float16 where that keeps every value; LiteRT widens them when it loads."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(content)
    model.operatorCodes.append(schema.OperatorCodeT())
    model.operatorCodes[-1].builtinCode = model.operatorCodes[-1].deprecatedBuiltinCode = (
        schema.BuiltinOperator.DEQUANTIZE
    )
    for graph in model.subgraphs:
        widened = []
        for place, tensor in enumerate(list(graph.tensors)):
            data = model.buffers[tensor.buffer].data
            if tensor.type != schema.TensorType.FLOAT32 or data is None or len(data) < _SMALLEST_HALVED:
                continue
            values = np.frombuffer(bytes(data), "<f4")
            with np.errstate(over="ignore"):
                half = values.astype("<f2")
            if not np.array_equal(half.astype("<f4"), values):
                continue
            stored = schema.TensorT()
            stored.name, stored.shape, stored.type = tensor.name + b"_float16", tensor.shape, schema.TensorType.FLOAT16
            stored.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer(half.tobytes(), "uint8")
            model.buffers[tensor.buffer].data, tensor.buffer = None, 0  # buffer 0 is the empty one
            widen = schema.OperatorT()
            widen.opcodeIndex = len(model.operatorCodes) - 1
            widen.inputs, widen.outputs = [len(graph.tensors)], [place]
            widen.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
            widen.builtinOptions = schema.DequantizeOptionsT()
            graph.tensors.append(stored)
            widened.append(widen)
        graph.operators = [*widened, *graph.operators]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


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


def compared(score, folder, front_end, taken):
    """Seconds of the compared clips, and the largest difference of a score from the SavedModel's.

    The clips are noise, quiet in the last quarter, which some front ends cut off.

    Args:
        score: function of the input, by its name `taken`, to scores (1, emotions).
        folder: of the SavedModel.
        front_end: layer of `sertf.features`.
        taken: "waveform" or "features".
    """
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    full, rate = model.signatures["waveform"], front_end.sample_rate
    shortest = max(0.1, front_end.minimum_samples / rate)
    seconds = [shortest, *(length for length in _COMPARED_SECONDS if length > shortest)]
    largest = 0.0
    for seed, length in enumerate(seconds):
        clip = np.random.default_rng(seed).normal(scale=0.1, size=(1, round(length * rate))).astype(np.float32)
        clip[:, -clip.shape[1] // 4 :] *= 1e-3
        given = clip if taken == "waveform" else front_end(clip).numpy()
        ours, expected = score(**{taken: given}), full(waveform=clip, sample_rate=rate)["scores"].numpy()
        largest = max(largest, float(np.abs(ours - expected).max()))
    return seconds, largest
