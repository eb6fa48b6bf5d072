"""ONNX: a trained recognizer in one file for ONNX Runtime, front end included.

tf2onnx converts the graph. It lacks operations of the front ends: Fourier transforms whose real and imaginary parts are
read, and erfc, which GELU uses. Here they become ONNX's DFT and 1 - Erf. A model whose front end does not convert takes the
front end's features. The file does not resample.
"""

import contextlib
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np

from sertf.errors import SertfError
from sertf.export.litert import compared
from sertf.files import write_bytes
from sertf.inference.pretrained import pretrained
from sertf.parallel.environment import standard_error_hidden

FILE = "model.onnx"
OPSET = 18
LARGEST_DIFFERENCE = 1e-4
"""Of a score from the SavedModel's, on clips of noise."""


class OnnxError(SertfError):
    """A model that ONNX cannot hold, or missing libraries."""


def write_onnx(
    folder: Path,
    out: Path,
    network: Any,
    front_end: Any,
    *,
    mean: np.ndarray,
    std: np.ndarray,
    temperature: float | None = None,
) -> dict[str, Any]:
    """Write an ONNX file of an exported model and compare the two.

    Its input is `waveform` (batch, samples) float32 at the front end's rate, or `features` (batch, frames, …) before scaling.
    Its outputs are those of the SavedModel. TensorFlow backend only.

    Args:
        folder: folder of the SavedModel.
        out: file to write.
        network: the trained Keras model in it.
        front_end: layer of `sertf.features`.
        mean: subtracted from the features.
        std: divides the difference.
        temperature: of the scores, as in the SavedModel.

    Returns:
        dict for the model card: file, input ("waveform" or "features"), bytes, seconds of the compared clips of noise, and
        the largest difference of a score from the SavedModel's on these.

    Raises:
        OnnxError: the extra `onnx` is missing, neither form of the model converts, or the result scores differently.
    """
    check_installed()
    content, taken, run = _convert(network, front_end, mean, std, temperature)
    clips, difference = compared(lambda **given: run.run(["scores"], given)[0], folder, front_end, taken)
    if not difference <= LARGEST_DIFFERENCE:
        raise OnnxError(
            f"The ONNX scores of {network.name} differ by {difference:.2g} from the SavedModel's, more than "
            f"{LARGEST_DIFFERENCE:g}; use the SavedModel."
        )
    write_bytes(out, content)
    return {
        "file": out.name,
        "input": taken,
        "bytes": len(content),
        "compared_seconds": clips,
        "difference": difference,
    }


def from_exported(model: Path | str | None, out: Path | str) -> dict[str, Any]:
    """Write an ONNX file of a model that is exported already, or a bundled one.

    Args:
        model: name of a bundled model, or the folder of any exported one; None takes the default.
        out: file to write.

    Returns:
        dict, as of `write_onnx`.

    Raises:
        ModelError, SertfError: as `sertf.pretrained`.
        OnnxError: as `write_onnx`.
    """
    from sertf.inference import bundled

    check_installed()
    found = pretrained(model)
    temperature = found.card["calibration"]["temperature"] if "calibration" in found.card else None
    return write_onnx(
        bundled.folder_of(model),
        Path(out),
        found.network,
        found.front_end,
        mean=found.scaling.mean,
        std=found.scaling.std,
        temperature=temperature,
    )


def check_installed() -> None:
    """Raise OnnxError unless tf2onnx and ONNX Runtime are there."""
    try:
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise OnnxError(f"ONNX needs {error.name}; install the extra: pip install 'sertf[onnx]'.") from error


def _convert(network, front_end, mean, std, temperature):
    """The model's bytes, its input, "waveform" if the front end converts or else "features", and a session to run it."""
    import tensorflow as tf

    from sertf.export.graph import at_own_rate, for_inference

    # ONNX has no op for TensorFlow's fused recurrences; it runs Keras's loop.
    network = for_inference(network, fused=False, temperature=temperature)
    from_features, from_waveform = at_own_rate(network, front_end, mean=mean, std=std)
    samples = tf.TensorSpec((None, None), tf.float32, name="waveform")
    features = tf.TensorSpec((None, *front_end.feature_shape), tf.float32, name="features")
    reasons = []
    for taken, function, given in (("waveform", from_waveform, samples), ("features", from_features, features)):
        try:
            content, session = _converted(function, given)
            return content, taken, session
        except OnnxError as error:
            reasons.append(f"{taken}: {error}")
    raise OnnxError(f"The model {network.name} does not convert to ONNX ({'; '.join(reasons)}).")


def _converted(function, given):
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # its faults are raised below
    try:
        with standard_error_hidden(), contextlib.redirect_stdout(io.StringIO()):
            traced = tf.function(function, input_signature=[given])
            made, _ = tf2onnx.convert.from_function(
                traced, input_signature=[given], opset=OPSET, custom_op_handlers=_HANDLERS
            )
        content = made.SerializeToString()
        # tf2onnx leaves an operation that it lacks in the graph, which ONNX Runtime refuses.
        return content, onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # the libraries' own, which have no common class
        raise OnnxError(str(error).strip().partition("\n")[0][:200]) from error


def _rfft(graph, node, name, _):
    """RFFT (…, samples) to DFT (…, frequencies, 2), whose last axis holds real and imaginary part."""
    frames, outputs = node.input[0], node.output
    shape, dtype = graph.get_shape(frames), graph.get_dtype(frames)
    graph.remove_node(node.name)
    signal = graph.make_node("Unsqueeze", [frames, _constant(graph, [len(shape)])]).output
    graph.make_node(
        "DFT",
        signal,
        attr={"axis": len(shape) - 1, "onesided": 1},
        outputs=outputs,
        name=name,
        shapes=[[*shape[:-1], shape[-1] // 2 + 1, 2]],
        dtypes=[dtype],
    )


def _part_of_dft(index):
    def taken(graph, node, name, _):
        given, outputs = node.input[0], node.output
        shape, dtype = graph.get_shape(given), graph.get_dtype(given)
        graph.remove_node(node.name)
        graph.make_node(
            "Gather",
            [given, _constant(graph, index)],
            attr={"axis": len(shape) - 1},
            outputs=outputs,
            name=name,
            shapes=[shape[:-1]],
            dtypes=[dtype],
        )

    return taken


def _erfc(graph, node, name, _):
    given, outputs = node.input[0], node.output
    shape, dtype = graph.get_shape(given), graph.get_dtype(given)
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", [given]).output[0]
    graph.make_node(
        "Sub", [_constant(graph, 1, "float32"), erf], outputs=outputs, name=name, shapes=[shape], dtypes=[dtype]
    )


def _constant(graph, value, dtype="int64"):
    from tf2onnx import utils

    return graph.make_const(utils.make_name("constant"), np.array(value, dtype)).output[0]


_HANDLERS: dict[str, tuple[Any, list[Any]]] = {
    "RFFT": (_rfft, []),
    "Real": (_part_of_dft(0), []),
    "Imag": (_part_of_dft(1), []),
    "Erfc": (_erfc, []),
}
