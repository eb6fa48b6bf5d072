"""Whisper's weights: all formats give the published numbers, and other files are refused."""

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from sertf.corpora.download import DownloadError
from sertf.extraction.clip import front_end_digest, front_end_key
from sertf.features import Whisper, whisper_weights
from sertf.features.whisper_weights import SIZES, WeightsError


@pytest.fixture
def weights(whisper_weights):
    from sertf.features.whisper_weights import load

    return load("tiny.en")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for tiny.en where SERTF_WHISPER points."""
    monkeypatch.setenv("SERTF_WHISPER", str(tmp_path))
    (tmp_path / "tiny.en").mkdir()
    return tmp_path / "tiny.en"


def as_published(weights):
    """The same numbers as the checkpoint on Hugging Face names and stores them, with a weight of the decoder."""
    tensors = {f"model.encoder.{name}": array.astype("float32") for name, array in weights.items()}
    return tensors | {"model.decoder.layer_norm.bias": np.zeros(3, "float32")}


@pytest.fixture
def nothing_at_hand(tmp_path, monkeypatch):
    """A machine without Whisper's weights, and without a connection."""

    def offline(url, known_hash, path):
        raise DownloadError(f"{url} cannot be reached.")

    monkeypatch.delenv("SERTF_WHISPER", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(whisper_weights, "download_file", offline)


def test_the_first_blocks_of_tiny_come_with_sertf(nothing_at_hand):
    waveform = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000)).astype("float32")
    found = np.asarray(Whisper(blocks=(1, 2, 3))(waveform))
    assert np.isfinite(found).all() and found.std() > 0.1
    np.testing.assert_allclose(np.asarray(Whisper(blocks=(2,))(waveform)), found[..., 768:1536], rtol=1e-5)
    for beyond in ({"blocks": (4,)}, {"size": "base", "blocks": (1,)}):
        with pytest.raises(WeightsError, match="cannot be reached. Or set SERTF_WHISPER"):
            Whisper(**beyond).build((None, None))


def test_they_are_the_published_ones(weights, monkeypatch):
    waveform = np.random.default_rng(0).normal(scale=0.1, size=(1, 16000)).astype("float32")
    published = np.asarray(Whisper(blocks=(1, 2, 3))(waveform))
    monkeypatch.delenv("SERTF_WHISPER")
    np.testing.assert_array_equal(np.asarray(Whisper(blocks=(1, 2, 3))(waveform)), published)


def test_names_and_shapes_of_the_encoder(weights):
    assert weights["conv1.weight"].shape == (384, 80, 3)
    assert weights["embed_positions.weight"].shape == (1500, 384)
    assert weights["layers.3.self_attn.k_proj.weight"].shape == (384, 384)
    assert "layers.0.self_attn.k_proj.bias" not in weights
    assert len(weights) == 7 + 4 * 15
    assert all(array.dtype == "float16" for array in weights.values())


def test_safetensors_give_the_same_as_ctranslate2(weights, folder):
    save_file(as_published(weights), folder / "model.safetensors")
    again = whisper_weights.load("tiny.en")  # which compares the digest
    assert set(again) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(again[name], array)


def write_preset(path, weights):
    """The same numbers as KerasHub's WhisperBackbone saves them, with a norm of the decoder."""
    kinds = {"weight": "0", "bias": "1"}
    attention = {"query_dense": "q_proj", "key_dense": "k_proj", "value_dense": "v_proj"}
    with h5py.File(path, "w") as file:

        def write(layer, name, change):
            for kind, number in kinds.items():
                if f"{name}.{kind}" in weights:
                    file[f"layers/{layer}/vars/{number}"] = change(weights[f"{name}.{kind}"].astype("float32"))

        for layer, name in (("conv1d", "conv1"), ("conv1d_1", "conv2")):
            write(layer, name, lambda array: array.transpose(2, 1, 0) if array.ndim == 3 else array)
        file["layers/position_embedding/vars/0"] = weights["embed_positions.weight"].astype("float32")
        write("layer_normalization", "layer_norm", np.asarray)
        file["layers/layer_normalization_1/vars/0"] = np.zeros(384, "float32")
        for block in range(4):
            stem, own = "whisper_encoder" + (f"_{block}" if block else ""), f"layers.{block}"
            write(f"{stem}/_self_attention_layer_norm", f"{own}.self_attn_layer_norm", np.asarray)
            write(f"{stem}/_feedforward_layer_norm", f"{own}.final_layer_norm", np.asarray)
            for layer, part in attention.items():
                write(
                    f"{stem}/_self_attention_layer/{layer}",
                    f"{own}.self_attn.{part}",
                    lambda array: array.T.reshape(*array.shape[1:], 6, 64),
                )
            write(
                f"{stem}/_self_attention_layer/output_dense",
                f"{own}.self_attn.out_proj",
                lambda array: array.T.reshape(6, 64, 384) if array.ndim == 2 else array,
            )
            for layer, part in (("intermediate", "fc1"), ("output", "fc2")):
                write(f"{stem}/_feedforward_{layer}_dense", f"{own}.{part}", np.transpose)


def test_a_preset_of_kerashub_gives_the_same(weights, folder):
    write_preset(folder / "model.weights.h5", weights)
    again = whisper_weights.load("tiny.en")  # which compares the digest
    for name, array in weights.items():
        np.testing.assert_array_equal(again[name], array)


def test_other_numbers_are_refused(weights, folder):
    tensors = as_published(weights)
    tensors["model.encoder.conv1.bias"][0] += 1
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match="does not hold the encoder of OpenAI's Whisper tiny.en"):
        whisper_weights.load("tiny.en")


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "model.weights.h5"])
@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", bytes(5000)])
def test_a_file_that_is_no_checkpoint(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name}: holds no encoder of Whisper"):
        whisper_weights.load("tiny.en")


def test_a_folder_without_weights(folder):
    names = "model.safetensors, model.bin or model.weights.h5"
    with pytest.raises(WeightsError, match=f"holds no {names}; put one there, or unset SERTF_WHISPER"):
        whisper_weights.load("tiny.en")


def test_fetched_once_from_the_published_address(weights, tmp_path, monkeypatch):
    asked = []

    def download(url, checksum, place):
        asked.append((url, checksum))
        save_file(as_published(weights), place)
        return place

    monkeypatch.delenv("SERTF_WHISPER")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(whisper_weights, "download_file", download)
    for _ in range(2):
        whisper_weights.load("tiny.en")
    assert asked == [(SIZES["tiny.en"].url, f"sha256:{SIZES['tiny.en'].checksum}")]


@pytest.mark.parametrize("damaged", ["no checkpoint", "other numbers"])
def test_a_damaged_fetched_file_is_fetched_again_once_deleted(damaged, weights, tmp_path, monkeypatch):
    def download(url, checksum, place):
        save_file(as_published(weights), place)
        return place

    monkeypatch.delenv("SERTF_WHISPER")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(whisper_weights, "download_file", download)
    place = whisper_weights.find("tiny.en")
    if damaged == "no checkpoint":
        place.write_bytes(b"cut off")
    else:
        save_file(as_published(weights | {"conv1.bias": weights["conv1.bias"] + 1}), place)
    with pytest.raises(WeightsError, match="delete it, and sertf fetches it again unless SERTF_WHISPER is set"):
        whisper_weights.load("tiny.en")
    place.unlink()
    assert whisper_weights.load("tiny.en").keys() == weights.keys()


def test_without_a_connection_the_message_names_the_other_door(tmp_path, monkeypatch):
    def download(url, checksum, place):
        raise DownloadError(f"{url} cannot be fetched (ConnectionError); try again later.")

    monkeypatch.delenv("SERTF_WHISPER", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(whisper_weights, "download_file", download)
    with pytest.raises(
        WeightsError, match="try again later. Or set SERTF_WHISPER to a folder that holds tiny.en/model"
    ):
        whisper_weights.load("tiny.en")


def test_digest_is_part_of_the_caches_key(monkeypatch):
    front_end = Whisper()
    assert front_end_key(front_end)["weights"] == SIZES["tiny.en"].digest
    before = front_end_digest(front_end)
    monkeypatch.setattr(Whisper, "pretrained", {"digest": "another"})
    assert front_end_digest(front_end) != before
