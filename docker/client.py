"""Ask TensorFlow Serving for the emotion of a recording: python docker/client.py clip.wav [http://localhost:8501]"""

import json
import sys
import urllib.request

import soundfile

EMOTIONS = ("neutral", "happiness", "sadness", "anger", "fear", "disgust")  # saved_models/recognizer/assets/labels.txt
samples, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
inputs = {"waveform": [samples.mean(axis=1).tolist()], "sample_rate": rate}
body = json.dumps({"signature_name": "waveform", "inputs": inputs}).encode()
server = sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8501"
with urllib.request.urlopen(f"{server}/v1/models/recognizer:predict", body) as answer:
    (scores,) = json.load(answer)["outputs"]
for score, emotion in sorted(zip(scores, EMOTIONS, strict=True), reverse=True):
    print(f"{emotion:10} {score:.3f}")
