import json
import sys

import keras
import numpy as np
import pytest

import sertf
from sertf import cli
from sertf.audio.files import read_audio
from sertf.export import saved_model
from sertf.export.onnx import OnnxError, from_exported

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")


@pytest.fixture(scope="module")
def beside(done, tmp_path_factory):
    return saved_model.save(done[1], tmp_path_factory.mktemp("onnx") / "toy", repeat=1, fold="fold-2", onnx=True)


def test_a_run_scores_in_onnx_runtime_as_the_savedmodel(beside, recognizer, corpus):
    session = onnxruntime.InferenceSession(beside / "model.onnx")
    for path in corpus["path"].iloc[:4]:
        samples, rate = read_audio(path)
        expected = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)
        names = sorted(expected)
        for name, ours in zip(names, session.run(names, {"waveform": samples[None]}), strict=True):
            np.testing.assert_allclose(ours, expected[name], atol=1e-4)


def test_the_card_describes_the_file(beside):
    card = json.loads((beside / "model_card.json").read_text())
    assert card["onnx"]["input"] == "waveform" and card["onnx"]["difference"] < 1e-4
    assert card["onnx"]["bytes"] == (beside / "model.onnx").stat().st_size


@pytest.mark.parametrize("name", ["reslstm_sa_h64_ravdess", "speechnet_emodb"])
def test_bundled_models_convert_whole(name, tmp_path):
    written = from_exported(name, tmp_path / "model.onnx")
    assert written["input"] == "waveform" and written["difference"] < 1e-5
    model = sertf.load(name)
    clips = np.random.default_rng(1).normal(scale=0.05, size=(2, 3 * model.sample_rate)).astype("float32")
    (scores,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(["scores"], {"waveform": clips})
    expected = model.model.signatures["waveform"](waveform=clips, sample_rate=model.sample_rate)["scores"]
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_digital_silence_has_equal_scores(beside):
    session = onnxruntime.InferenceSession(beside / "model.onnx")
    (scores,) = session.run(["scores"], {"waveform": np.zeros((1, 16000), "float32")})
    assert np.ptp(scores) == 0


def test_the_command_converts_an_exported_model(exported, tmp_path, capsys):
    out = tmp_path / "mine.onnx"
    assert cli.main(["export", str(exported), str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n" and out.is_file()
    assert cli.main(["export", str(exported), str(out), "--onnx"]) == 2
    assert "takes no other options" in capsys.readouterr().err


def test_a_missing_library_is_one_sentence(exported, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(OnnxError, match=r"pip install 'sertf\[onnx\]'"):
        from_exported(exported, tmp_path / "mine.onnx")
