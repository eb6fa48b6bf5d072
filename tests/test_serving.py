"""What serves a model elsewhere: the client of TensorFlow Serving, and the folder for a Space."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import keras
import pytest
import soundfile

import sertf

ROOT = Path(__file__).parents[1]
if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


class StandIn(http.server.BaseHTTPRequestHandler):
    """Answers as TensorFlow Serving's REST API documents, by the signature of the SavedModel."""

    model: sertf.Recognizer

    def do_POST(self):
        import tensorflow as tf

        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signature = self.model.model.signatures[asked.get("signature_name", "serving_default")]
        specs = signature.structured_input_signature[1]
        fits = self.path == "/v1/models/recognizer:predict" and set(asked["inputs"]) == set(specs)
        answer = {"error": f"{self.path} with {sorted(asked['inputs'])}"}
        if fits:
            given = {name: tf.constant(value, specs[name].dtype) for name, value in asked["inputs"].items()}
            (output,) = signature(**given).values()
            answer = {"outputs": output.numpy().tolist()}
        body = json.dumps(answer).encode()
        self.send_response(200 if fits else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_the_client_prints_what_the_model_scores(corpus):
    StandIn.model = sertf.load()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = corpus["path"].iloc[0]
    command = [sys.executable, ROOT / "docker" / "client.py", path, f"http://127.0.0.1:{server.server_port}"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"no_proxy": "127.0.0.1"})
    server.shutdown()
    assert done.returncode == 0, done.stderr
    printed = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}
    samples, rate = soundfile.read(path, dtype="float32")
    expected = StandIn.model.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)["scores"][0]
    assert list(printed.values()) == sorted(printed.values(), reverse=True)
    assert printed == {
        emotion: pytest.approx(float(score), abs=6e-4) for emotion, score in zip(StandIn.model.emotions, expected)
    }


def test_the_space_serves_the_page(tmp_path):
    pytest.importorskip("gradio")
    hub = pytest.importorskip("huggingface_hub")
    front = hub.RepoCard.load(ROOT / "space" / "README.md").data.to_dict()
    assert front["sdk"] == "gradio" and (ROOT / "space" / front["app_file"]).is_file()
    command = [sys.executable, "-u", ROOT / "space" / "app.py", "--port", "7999"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "no_proxy": "127.0.0.1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
    try:
        line = next(line for line in process.stdout if "Ctrl-C ends it" in line)
        assert "for all who reach 0.0.0.0" in line
        page = (
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:7999").read().decode()
        )
        assert re.search("Speech emotion recognition", page) and "Recordings go to the server of this page" in page
    finally:
        process.terminate()
        assert process.wait(60) == 0
