import io
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sertf.audio.files import AudioError, audio_digest, check_audio, open_audio, read_audio, resample, stated_seconds
from sertf.errors import SertfError


def tone(seconds=0.5, rate=16000, hertz=440.0):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write(path, samples, rate=16000, **options):
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(("name", "atol"), [("a.wav", 4e-5), ("a.flac", 4e-5), ("A.WAV", 4e-5), ("a.ogg", 0.1)])
def test_read_formats(tmp_path, name, atol):
    path = write(tmp_path / name, tone())
    samples, rate = read_audio(path)
    assert rate == 16000 and isinstance(rate, int)
    assert samples.dtype == np.float32 and samples.shape == (8000,)
    np.testing.assert_allclose(samples, tone(), atol=atol)


def test_aiff_inside_a_wav_name(tmp_path):
    path = tmp_path / "YAF_germ_angry.wav"
    with path.open("wb") as file:
        soundfile.write(file, tone(rate=24414), 24414, format="AIFF")
    samples, rate = read_audio(path)
    assert rate == 24414 and len(samples) == 12207


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([tone(), 0.5 * tone()], axis=1)
    samples, _ = read_audio(write(tmp_path / "a.wav", stereo, subtype="FLOAT"))
    np.testing.assert_allclose(samples, 0.75 * tone(), atol=1e-7)


def test_resampling_keeps_a_tone(tmp_path):
    samples, rate = read_audio(write(tmp_path / "a.wav", tone(rate=48000), 48000, subtype="FLOAT"), sample_rate=16000)
    assert rate == 16000 and samples.dtype == np.float32 and samples.shape == (8000,)
    np.testing.assert_allclose(samples[500:-500], tone()[500:-500], atol=1e-4)


def test_resample_refuses_odd_rates():
    assert resample(tone(), 16000, 16000).shape == (8000,)
    for rate in (0, -1, 16000.5):
        with pytest.raises(SertfError, match="target sample rate must be a positive whole number"):
            resample(tone(), 16000, rate)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", r"empty \(0 bytes\)"),
        (b"this is no sound at all, but a text\n" * 50, "not readable as audio"),
        (np.zeros(0, np.float32), "no samples"),
        (np.zeros(8000, np.float32), "silent"),
        (np.full(8000, 0.25, np.float32), "silent"),
        (np.stack([tone(), -tone()], axis=1), "its channels cancel each other out when mixed"),
        (np.zeros((8000, 2), np.float32), "silent"),
        (tone(0.09), "too short: 0.0900 s, but at least 0.1 s"),
        (np.where(np.arange(8000) == 5, np.nan, tone()), "1 samples are not finite"),
        (np.where(np.arange(8000) < 3, np.inf, tone()), "3 samples are not finite"),
    ],
)
def test_bad_files_are_named(tmp_path, content, reason):
    path = tmp_path / "bad.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write(path, content, subtype="FLOAT")
    with pytest.raises(AudioError, match=reason) as caught:
        read_audio(path)
    assert caught.value.path == str(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_folder_and_cut_off_file(tmp_path):
    with pytest.raises(AudioError, match="a folder; give the path of an audio file"):
        read_audio(tmp_path)
    path = write(tmp_path / "a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 32000))
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(AudioError, match="cut off|not readable"):
        read_audio(path)


@pytest.mark.parametrize(("name", "start"), [("a.wav", b"data"), ("a.aiff", b"SSND")])
def test_samples_that_end_before_their_header_says(tmp_path, name, start):
    path = write(tmp_path / name, tone())
    whole = path.read_bytes()
    path.write_bytes(whole[:8000])
    with pytest.raises(
        AudioError, match=f"header states {len(whole) - 8000} bytes more than the file has; fetch it again"
    ):
        read_audio(path)
    if name == "a.aiff":
        return
    at = whole.index(start) + 4
    # A stream that was never closed, and a writer that counts its header.
    for length in (0xFFFFFFFF, 0x7FFFFFFF, 16000 + at + 4):
        path.write_bytes(whole[:at] + length.to_bytes(4, "little") + whole[at + 4 :])
        assert len(read_audio(path)[0]) == 8000


def test_shortest_clip_and_quietest_sound(tmp_path):
    assert len(read_audio(write(tmp_path / "a.wav", tone(0.1)))[0]) == 1600
    check_audio(np.float32(2e-7) * tone(), 16000, path="quiet.wav")


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(AudioError("a.wav", "silent")))
    assert (error.path, error.reason, str(error)) == ("a.wav", "silent", "a.wav: silent")


def test_digest_is_of_samples_and_rate(tmp_path):
    sixteen = (32767 * tone()).astype(np.int16)
    first = audio_digest(*read_audio(write(tmp_path / "a.wav", sixteen)))
    assert first == audio_digest(*read_audio(write(tmp_path / "b.flac", sixteen)))
    assert first != audio_digest(tone(), 16000)  # the file holds 16 bits only
    assert audio_digest(tone(), 16000) != audio_digest(tone(), 8000)
    assert audio_digest(tone(), 16000) == audio_digest(np.repeat(tone(), 2)[::2], 16000)


@pytest.mark.parametrize(("largest", "shown"), [(18520, "18520"), (1e30, "1e\\+30"), (17, "17")])
def test_samples_beyond_full_scale_are_refused(tmp_path, largest, shown):
    path = write(tmp_path / "a.wav", 2 * largest * tone(), subtype="FLOAT")
    with pytest.raises(AudioError, match=f"beyond full scale: the largest sample is {shown}.* by 32768"):
        read_audio(path)
    assert len(read_audio(write(path, 8 * tone(), subtype="FLOAT"))[0]) == 8000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {"subtype": "GSM610"}),
        ("a.au", {"subtype": "G721_32"}),
        ("a.wav", {"subtype": "NMS_ADPCM_16"}),
    ],
)
def test_codecs_that_cannot_seek(tmp_path, name, options):
    samples, rate = read_audio(write(tmp_path / name, tone(rate=8000), 8000, **options))
    assert rate == 8000 and abs(len(samples) - 4000) <= 640
    assert abs(np.corrcoef(samples[1000:3000], tone(rate=8000)[1000:3000])[0, 1]) > 0.9


@pytest.mark.parametrize("total", [0, 2**36 - 1])
def test_a_flac_of_unknown_or_absurd_length(tmp_path, total):
    path = write(tmp_path / "a.flac", tone())
    whole = bytearray(path.read_bytes())
    whole[21] = whole[21] & 0xF0 | total >> 32
    whole[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(whole)
    if total:
        with pytest.raises(AudioError, match=f"cut off: 8000 of {total} frames could be read|not readable"):
            read_audio(path)
    else:
        np.testing.assert_allclose(read_audio(path)[0], tone(), atol=4e-5)
        assert stated_seconds(path) == 0


@pytest.mark.parametrize("rate", [1, 999, 800_000])
def test_rates_that_no_speech_has(tmp_path, rate):
    path = write(tmp_path / "a.wav", tone(rate=16000), rate)
    with pytest.raises(AudioError, match=f"its sample rate is {rate} Hz; convert it to one from 1000 to 768000 Hz"):
        read_audio(path, sample_rate=16000)


@pytest.mark.parametrize("name", [b"bad\xff\xfe.wav", b"n" * 300 + b".wav"])
def test_names_that_cannot_be_used(tmp_path, name):
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    if len(name) < 250:
        path.write_bytes(write(tmp_path / "a.wav", tone()).read_bytes())
    with pytest.raises(AudioError, match="rename") as caught:
        read_audio(path)
    str(caught.value).encode()


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="a.wav: not a file; give the path of an audio file"):
        read_audio(tmp_path / "a.wav")


def test_open_files_and_bytes(tmp_path):
    path = write(tmp_path / "a.flac", tone())
    expected, rate = read_audio(path)
    for source in (io.BytesIO(path.read_bytes()), path.open("rb")):
        with source:
            samples, found = read_audio(source)
        np.testing.assert_array_equal(samples, expected)
        assert found == rate
    with pytest.raises(AudioError, match=r"the recording: the file is empty \(0 bytes\)"):
        read_audio(io.BytesIO())


def test_blocks_are_those_of_the_whole(tmp_path):
    stereo = np.stack([tone(3.0), 0.5 * tone(3.0, hertz=300)], axis=1)
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3"):
        path = write(tmp_path / name, stereo)
        whole = soundfile.read(path, dtype="float32")[0].mean(axis=1)
        with open_audio(path) as recording:
            np.testing.assert_allclose(np.concatenate(list(recording.blocks(1111))), whole, atol=1e-6)
        assert stated_seconds(path) == len(whole) / 16000


@pytest.mark.parametrize("error", [OSError("disk full"), RuntimeError("stop"), TypeError("no number")])
def test_an_error_of_the_caller_is_not_the_files(tmp_path, error):
    path = write(tmp_path / "a.wav", tone())
    with pytest.raises(type(error)) as caught, open_audio(path):
        raise error
    assert caught.value is error


def test_many_channels_take_little_memory(tmp_path):
    soundfile.write(tmp_path / "many.wav", np.full((4000, 250), 0.1) * np.sin(np.arange(4000))[:, None], 16000)
    tracemalloc.start()
    try:
        assert len(read_audio(tmp_path / "many.wav")[0]) == 4000
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
