import contextlib
import json

import keras
import numpy as np
import pytest
import soundfile

from sertf import cli
from sertf.audio import microphone

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)

RATE = 16000


class Source:
    """Blocks of a recording in place of a microphone."""

    sample_rate = RATE

    def __init__(self, samples, *, interrupted=False):
        self.samples, self.interrupted = samples, interrupted

    def blocks(self, seconds):
        yield from np.array_split(self.samples[: None if seconds is None else int(seconds * RATE)], 7)
        if self.interrupted:
            raise KeyboardInterrupt


@pytest.fixture
def listen(monkeypatch, exported, recognizer, capsys):
    """Function of samples and arguments: the exit code and what is said."""
    monkeypatch.setattr("sertf.inference.recognizer.load", lambda _: recognizer)
    monkeypatch.setattr(microphone, "devices", lambda: [(1, "headset", RATE)])

    def run(samples, *arguments, **options):
        opened = []

        @contextlib.contextmanager
        def open_microphone(device):
            opened.append(device)
            yield Source(samples, **options)

        monkeypatch.setattr(microphone, "open_microphone", open_microphone)
        code = cli.main(["listen", "--model", str(exported), *arguments])
        return code, opened, capsys.readouterr()

    return run


@pytest.fixture
def speech(corpus):
    samples, rate = soundfile.read(corpus["path"].iloc[0], dtype="float32")
    return np.tile(samples, 1 + 8 * rate // len(samples))[: 4 * RATE]


@pytest.mark.noise_is_no_speech
def test_windows_come_as_they_would_of_a_stream(listen, recognizer, speech):
    quiet = np.random.default_rng(0).normal(scale=1e-3, size=2 * RATE).astype("float32")
    heard = np.concatenate([speech, quiet, np.zeros(2 * RATE, "float32")])
    code, opened, said = listen(heard, "--window", "2", "--hop", "2", "--json", "--device", "3")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert code == 0 and opened == [3]
    assert [row["verdict"] for row in rows[2:]] == ["no speech", "silence"]
    assert rows[2]["emotion"] is None and rows[2]["confidence"] is None
    expected = list(recognizer.stream([heard], sample_rate=RATE, window=2, hop=2))
    assert [row["emotion"] for row in rows] == [window.emotion for window in expected]
    assert [(row["start"], row["end"]) for row in rows] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    _, _, said = listen(heard, "--window", "2", "--hop", "2", "--json", "--no-voice-activity")
    assert json.loads(said.out.splitlines()[2])["emotion"] in recognizer.emotions


def test_for_people_until_ctrl_c(listen, speech):
    code, opened, said = listen(speech, "--window", "2", interrupted=True)
    assert code == 0 and opened == [None]
    first = said.out.splitlines()[0].split()
    assert first[:2] == ["0.00", "2.00"] and 0 <= float(first[-1]) <= 1
    assert "Ctrl-C stops" in said.err


def test_for_some_seconds_under_a_threshold(listen, speech):
    code, _, said = listen(speech, "--window", "1", "--hop", "1", "--seconds", "2", "--threshold", "1")
    assert code == 0 and len(said.out.splitlines()) == 2 and "uncertain (" in said.out


def test_microphones_are_listed(listen):
    code, opened, said = listen(None, "--devices")
    assert code == 0 and not opened and "headset" in said.out and "16000" in said.out
    assert json.loads(listen(None, "--devices", "--json")[2].out)[0]["number"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "2"], "--threshold must lie between 0 and 1"),
        (["--seconds", "0"], "--seconds must be above 0"),
        (["--window", "2", "--hop", "3"], "hop must lie between"),
    ],
)
def test_mistakes(listen, speech, arguments, message):
    code, _, said = listen(speech, *arguments)
    assert code == 2 and message in said.err
