"""The microphone, on a stand-in for sounddevice: no machine that tests has one."""

import sys
import types

import numpy as np
import pytest

from sertf.audio import microphone
from sertf.audio.microphone import LostSamples, Microphone, MicrophoneError, devices, open_microphone

RATE = 8000
DEVICES = [
    {"name": "speaker", "max_input_channels": 0, "default_samplerate": 48000.0},
    {"name": "headset", "max_input_channels": 1, "default_samplerate": 8000.0},
]


class PortAudioError(Exception):
    pass


@pytest.fixture
def library(monkeypatch):
    """sounddevice with a headset that says 1, 2, 3 … from block to block."""
    made = types.SimpleNamespace(PortAudioError=PortAudioError, opened=[])

    def query_devices(device=None, kind=None):
        if kind is None:
            return DEVICES
        if device not in (None, 1, "headset"):
            raise ValueError(f"No input device matching {device!r}")
        return DEVICES[1]

    class InputStream:
        def __init__(self, *, samplerate, device, channels, dtype, blocksize, callback):
            assert (samplerate, channels, dtype, blocksize) == (RATE, 1, "float32", 800)
            self.callback = callback

        def __enter__(self):
            made.opened.append(self)
            block = np.zeros((800, 1), "float32")
            for place in range(5):
                block[:] = place + 1  # PortAudio reuses its buffer
                self.callback(block, 800, None, types.SimpleNamespace(input_overflow=place == made.overflow))

        def __exit__(self, *_):
            made.opened.remove(self)

    made.query_devices, made.InputStream, made.overflow = query_devices, InputStream, None
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


def test_blocks_come_in_order_and_end_with_the_time(library):
    with open_microphone("headset") as opened:
        assert opened.sample_rate == RATE and len(library.opened) == 1
        blocks = list(opened.blocks(0.25))
    assert [len(block) for block in blocks] == [800, 800, 400] and [block[0] for block in blocks] == [1, 2, 3]
    assert not library.opened


def test_lost_samples_are_said_once(library):
    library.overflow = 1
    with open_microphone() as opened, pytest.warns(LostSamples, match="choose a longer --hop") as said:
        list(opened.blocks(0.5))
    assert len(said) == 1


def test_blocks_that_wait_too_long_are_lost():
    full = Microphone(RATE)
    for _ in range(microphone._WAITING + 1):
        full.put(np.zeros((800, 1), "float32"))
    with pytest.warns(LostSamples):
        next(full.blocks())


def test_a_microphone_that_falls_silent_is_an_error(monkeypatch):
    monkeypatch.setattr(microphone, "BLOCK_SECONDS", -9.9)
    with pytest.raises(MicrophoneError, match="sends nothing any more"):
        next(Microphone(RATE).blocks())


def test_microphones_are_listed(library):
    assert devices() == [(1, "headset", RATE)]


def test_an_unknown_microphone(library):
    with pytest.raises(MicrophoneError, match="The microphone lamp cannot be used .*sertf listen --devices"):
        with open_microphone("lamp"):
            pass


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MicrophoneError, match=r"needs sounddevice; install sertf\[microphone\]"):
        devices()


def test_a_missing_portaudio_is_named(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MicrophoneError, match=r"PortAudio library not found\); install it, .* libportaudio2"):
        devices()
