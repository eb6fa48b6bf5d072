"""Weights of Whisper's encoder: which are published, where they are looked for, how their files are read.

The default recognizer ships with the first blocks of one size, so that these need no file at all.

OpenAI publishes Whisper under the MIT licence (Radford et al. 2023, arXiv:2212.04356). Three formats are read: the
safetensors of OpenAI's checkpoints on Hugging Face, CTranslate2's, which faster-whisper uses, and KerasHub's presets. All
of them hold the same float16 numbers. Their digest is pinned here, so that features do not depend on which file they came
from.
"""

import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sertf.corpora.download import DownloadError, download_file
from sertf.errors import SertfError, expanded
from sertf.files import SHIPPED

VARIABLE = "SERTF_WHISPER"
LICENCE = "MIT"
CITATION = "A. Radford et al.: Robust speech recognition via large-scale weak supervision. ICML 2023. https://arxiv.org/abs/2212.04356"
FILES = ("model.safetensors", "model.bin", "model.weights.h5")
RECOGNIZER = SHIPPED / "recognizer"
_RESTORED: ContextVar[bool] = ContextVar("restored", default=False)
AGAIN = f"delete it, and sertf fetches it again unless {VARIABLE} is set."


class WeightsError(SertfError):
    """Weights that are not there, cannot be fetched or are not those that OpenAI published."""


@dataclass(frozen=True)
class Size:
    """A published size of Whisper.

    Attributes:
        dims: Of a token.
        heads: Of the attention.
        blocks: Of the encoder.
        digest: SHA-256 of the encoder's numbers, see `weights_digest`.
        repository: On Hugging Face.
        revision: Commit of this repository.
        checksum: SHA-256 of its model.safetensors.
    """

    dims: int
    heads: int
    blocks: int
    digest: str
    repository: str
    revision: str
    checksum: str

    @property
    def url(self) -> str:
        """Address of the checkpoint."""
        return f"https://huggingface.co/{self.repository}/resolve/{self.revision}/model.safetensors"


SIZES = {
    "tiny.en": Size(
        dims=384,
        heads=6,
        blocks=4,
        digest="0941fc061bef9019059896ead3878faa24ae80ff47b219f8d84aac287d8eb939",
        repository="openai/whisper-tiny.en",
        revision="87c7102498dcde7456f24cfd30239ca606ed9063",
        checksum="db59695928ded6043adaef491a53ef4e12da9611184d77c53baa691a60b958ad",
    ),
    "base": Size(
        dims=512,
        heads=8,
        blocks=6,
        digest="10e92e4de670305820cd751ad9377cd21192f4007baab95bfe3d59c8a74d0aa7",
        repository="openai/whisper-base",
        revision="e37978b90ca9030d5170a5c07aadb050351a65bb",
        checksum="07cadb9f25677c8d50df603e66a98fbd842cce45047139baeb16e6219a1e807b",
    ),
}


def load(size: str) -> dict[str, np.ndarray]:
    """The encoder's weights of a size in `SIZES`, float16, by the names of the checkpoint on Hugging Face.

    They come from the folder that the environment variable SERTF_WHISPER names, `<folder>/<size>/model.safetensors`,
    `model.bin` or `model.weights.h5`, else from the checkpoint on Hugging Face, which is fetched once.

    Raises:
        WeightsError: no such file, no connection, or other numbers than OpenAI published.
    """
    if _RESTORED.get():
        return {name: np.zeros(shape, "float16") for name, shape in _shapes(SIZES[size]).items()}
    path = find(size)
    weights = read(path)
    found = weights_digest(weights)
    if found != SIZES[size].digest:
        raise WeightsError(
            f"{path} does not hold the encoder of OpenAI's Whisper {size} (digest {found[:12]}, not "
            f"{SIZES[size].digest[:12]}); {AGAIN}"
        )
    return weights


def shipped(size: str, blocks: int) -> Callable[[int], np.ndarray] | None:
    """Variables of an encoder in the default recognizer, float16, by their number in the order of Keras's `weights`.

    None where the environment variable SERTF_WHISPER names other weights, or the recognizer lacks these blocks.

    Args:
        size: in `SIZES`.
        blocks: how many of the first blocks are needed.
    """
    front_end = json.loads((RECOGNIZER / "model_card.json").read_text(encoding="utf-8"))["front_end"]
    held = front_end["config"]
    if os.environ.get(VARIABLE) or _RESTORED.get() or held["size"] != size or max(held["blocks"]) < blocks:
        return None
    import tensorflow as tf

    stored = tf.train.load_checkpoint(str(RECOGNIZER / "variables" / "variables"))
    return lambda number: stored.get_tensor(f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE")


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Let `load` give zeros: for encoders whose variables an exported model holds."""
    token = _RESTORED.set(True)
    try:
        yield
    finally:
        _RESTORED.reset(token)


def _shapes(size):
    """Shapes of the encoder's arrays by their names."""
    dims, hidden = size.dims, 4 * size.dims
    shapes = {"embed_positions.weight": (1500, dims), "conv1.weight": (dims, 80, 3), "conv2.weight": (dims, dims, 3)}
    shapes |= {"conv1.bias": (dims,), "conv2.bias": (dims,)}
    for block in range(size.blocks):
        own = f"layers.{block}"
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            shapes |= {f"{own}.{norm}.{kind}": (dims,) for kind in ("weight", "bias")}
        for part in ("q", "k", "v", "out"):
            shapes |= {f"{own}.self_attn.{part}_proj.weight": (dims, dims)}
        for part, rows, columns in (("fc1", hidden, dims), ("fc2", dims, hidden)):
            shapes |= {f"{own}.{part}.weight": (rows, columns), f"{own}.{part}.bias": (rows,)}
    return shapes


def find(size: str) -> Path:
    """The file of a size's weights, which is fetched if SERTF_WHISPER names no folder."""
    return _local(size) or _fetched(size)


def described(size: str) -> dict[str, str]:
    """What a manifest and a model card say of the weights of a size."""
    published = SIZES[size]
    return {
        "title": f"the encoder of OpenAI's Whisper {size}",
        "digest": published.digest,
        "licence": LICENCE,
        "citation": CITATION,
        "url": published.url,
    }


def _local(size):
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = expanded(named) / size
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(
        f"{VARIABLE} is {named}, but {folder} holds no {', '.join(FILES[:-1])} or {FILES[-1]}; put one there, or unset "
        f"{VARIABLE} to have it fetched."
    )


def _fetched(size):
    import pooch

    published = SIZES[size]
    place = Path(pooch.os_cache("sertf")) / "whisper" / size / FILES[0]
    if place.is_file():  # `load` compares its numbers
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return download_file(published.url, f"sha256:{published.checksum}", place)
    except DownloadError as error:
        raise WeightsError(
            f"{error} Or set {VARIABLE} to a folder that holds {size}/{FILES[0]}, faster-whisper's {size}/{FILES[1]} or "
            f"KerasHub's {size}/{FILES[2]}."
        ) from error
    except OSError as error:
        raise WeightsError(
            f"{place.parent}: cannot be written ({error.strerror}); make it writable, or set {VARIABLE}."
        ) from error


def read(path: Path) -> dict[str, np.ndarray]:
    """The encoder's weights in a file of any of the formats, told by its suffix.

    Raises:
        WeightsError: a file that is none of them.
    """
    try:
        return _READERS[path.suffix](path)
    except Exception as error:  # the readers' libraries raise errors of their own on what they cannot parse
        if isinstance(error, OSError) and error.strerror:  # HDF5's errors of content have none
            raise WeightsError(f"{path}: cannot be read ({error.strerror}); give a checkpoint of Whisper.") from error
        raise WeightsError(
            f"{path}: holds no encoder of Whisper in {path.suffix[1:]} format ({type(error).__name__}: {error}); {AGAIN}"
        ) from error


def weights_digest(weights: dict[str, np.ndarray]) -> str:
    """SHA-256 of names, shapes and float16 numbers, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name], "<f2").tobytes())
    return digest.hexdigest()


def _read_safetensors(path):
    from safetensors import safe_open

    prefix, weights = "model.encoder.", {}
    with safe_open(str(path), framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118  it is no dict
            if name.startswith(prefix):
                weights[name.removeprefix(prefix)] = file.get_tensor(name).astype("float16")
    if not weights:
        raise ValueError("it has no weights of an encoder")
    return weights


# Parts of names in CTranslate2's files, and on Hugging Face.
_RENAMED = (
    ("position_encodings/encodings", "embed_positions.weight"),
    ("layer_norm/gamma", "layer_norm.weight"),
    ("layer_norm/beta", "layer_norm.bias"),
    ("self_attention/layer_norm", "self_attn_layer_norm"),
    ("self_attention/linear_1", "self_attn.out_proj"),
    ("ffn/layer_norm", "final_layer_norm"),
    ("ffn/linear_0", "fc1"),
    ("ffn/linear_1", "fc2"),
    ("layer_", "layers."),
    ("layers.norm", "layer_norm"),
    ("/", "."),
)


def _read_ctranslate2(path):
    weights = {}
    for name, array in _ctranslate2_arrays(path.read_bytes()):
        if not name.startswith("encoder/") or not array.ndim:
            continue
        name = name.removeprefix("encoder/")
        if "self_attention/linear_0" in name:  # queries, keys and values in one
            stem, kind = name.replace("layer_", "layers.").split("/self_attention/linear_0/")
            for part, rows in zip(("q_proj", "k_proj", "v_proj"), np.split(array, 3), strict=True):
                if (part, kind) != ("k_proj", "bias"):  # which Whisper has not
                    weights[f"{stem}.self_attn.{part}.{kind}"] = rows
            continue
        for old, new in _RENAMED:
            name = name.replace(old, new)
        weights[name] = array
    if not weights:
        raise ValueError("it has no weights of an encoder")
    return weights


def _ctranslate2_arrays(content):
    """Names and arrays of a CTranslate2 model, version 6: a header, then each array behind its name, shape and type."""
    place = 0

    def number(form):
        nonlocal place
        (value,) = struct.unpack_from(f"<{form}", content, place)
        place += struct.calcsize(form)
        return value

    def text():
        nonlocal place
        length = number("H")
        value = content[place : place + length - 1].decode()  # a zero ends it
        place += length
        return value

    version, kind, _ = number("I"), text(), number("I")
    if (version, kind) != (6, "WhisperSpec"):
        raise ValueError(f"it is {kind!r} of version {version}, not WhisperSpec of version 6")
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        dtype, size = number("B"), number("I")
        array = np.frombuffer(content[place : place + size], _DTYPES[dtype]).reshape(shape)
        place += size
        if name.startswith("encoder/") and array.ndim and array.dtype.kind != "f":
            raise ValueError(f"{name} is quantised to {array.dtype}; give a model in float16 or float32")
        yield name, array.astype("float16") if array.dtype == np.float32 else array


_DTYPES = {0: np.dtype("<f4"), 1: np.dtype("i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<f2")}

# Layers of a block in KerasHub's files, and on Hugging Face.
_PRESET_NORMS = {"_self_attention_layer_norm": "self_attn_layer_norm", "_feedforward_layer_norm": "final_layer_norm"}
_PRESET_DENSE = {
    "_self_attention_layer/query_dense": "self_attn.q_proj",
    "_self_attention_layer/key_dense": "self_attn.k_proj",
    "_self_attention_layer/value_dense": "self_attn.v_proj",
    "_self_attention_layer/output_dense": "self_attn.out_proj",
    "_feedforward_intermediate_dense": "fc1",
    "_feedforward_output_dense": "fc2",
}


def _read_keras_preset(path):
    import h5py

    weights = {}
    with h5py.File(path) as file:
        layers = file["layers"]
        dims = len(layers["layer_normalization/vars/0"])

        def read(layer, number, *shape):
            array = np.asarray(layers[f"{layer}/vars/{number}"], "float16")
            return array.reshape(shape) if shape else array

        def affine(layer, name, rows):
            weights[f"{name}.weight"] = read(layer, 0, rows, -1).T  # heads side by side
            if "1" in layers[layer]["vars"]:  # Whisper's keys have no bias
                weights[f"{name}.bias"] = read(layer, 1, -1)

        def norm(layer, name):
            weights[f"{name}.weight"], weights[f"{name}.bias"] = read(layer, 0), read(layer, 1)

        for layer, name in (("conv1d", "conv1"), ("conv1d_1", "conv2")):
            weights[f"{name}.weight"], weights[f"{name}.bias"] = read(layer, 0).transpose(2, 1, 0), read(layer, 1)
        weights["embed_positions.weight"] = read("position_embedding", 0)
        norm("layer_normalization", "layer_norm")  # the decoder's is layer_normalization_1
        for block in range(sum(name.startswith("whisper_encoder") for name in layers)):
            own = "whisper_encoder" if block == 0 else f"whisper_encoder_{block}"
            for layer, name in _PRESET_NORMS.items():
                norm(f"{own}/{layer}", f"layers.{block}.{name}")
            for layer, name in _PRESET_DENSE.items():
                rows = 4 * dims if name == "fc2" else dims
                affine(f"{own}/{layer}", f"layers.{block}.{name}", rows)
    return weights


_READERS = {".safetensors": _read_safetensors, ".bin": _read_ctranslate2, ".h5": _read_keras_preset}
