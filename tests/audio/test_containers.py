import numpy as np
import pytest
import soundfile

from sertf.audio.containers import examine
from sertf.audio.files import AudioError, read_audio

RATE = 16_000


def noise(seconds=3.0):
    return np.random.default_rng(0).normal(scale=0.1, size=round(seconds * RATE)).astype(np.float32)


def write(path, samples, **options):
    soundfile.write(path, samples, RATE, **options)
    return path


FORMATS = [
    ("a.wav", {}),
    ("a.aiff", {}),
    ("a.w64", {"format": "W64"}),
    ("a.rf64", {"format": "RF64"}),
    ("a.au", {}),
    ("a.au", {"endian": "LITTLE"}),
    ("a.flac", {}),
    ("a.caf", {}),
    ("a.ogg", {}),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
    ("a.mp3", {}),
]


@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_a_file_that_was_cut_off_is_refused_in_every_format(tmp_path, name, options):
    path = write(tmp_path / name, noise(), **options)
    whole = path.read_bytes()
    assert abs(len(read_audio(path)[0]) - 3 * RATE) < 0.1 * RATE
    for share in (0.3, 0.6, 0.95):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(AudioError, match="cut off|not readable"):
            read_audio(path)


def test_ogg_without_its_last_page_is_cut_off(tmp_path):
    path = write(tmp_path / "a.ogg", noise())
    path.write_bytes(path.read_bytes()[: path.read_bytes().rindex(b"OggS")])
    with pytest.raises(AudioError, match="cut off: no page ends its stream; fetch it again"):
        read_audio(path)


@pytest.mark.parametrize(("name", "options"), [("a.ogg", {}), ("a.opus", {"format": "OGG", "subtype": "OPUS"})])
def test_a_damaged_ogg_page_is_refused(tmp_path, name, options):
    path = write(tmp_path / name, noise(), **options)
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=20):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(AudioError, match="damaged: the page at byte|cut off|not readable"):
            read_audio(path)


def test_an_mp3_without_the_frames_behind_its_header_is_cut_off(tmp_path):
    path = write(tmp_path / "a.mp3", noise())
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + whole[len(whole) // 2 :])
    with pytest.raises(AudioError, match=r"cut off: its header states \d+ frames, \d+ are there"):
        read_audio(path)


@pytest.mark.parametrize("name", ["a.au", "a.wav"])
def test_a_stream_that_was_never_closed_is_whole(tmp_path, name):
    path = write(tmp_path / name, noise())
    whole = bytearray(path.read_bytes())
    at = 8 if name == "a.au" else whole.index(b"data") + 4
    whole[at : at + 4] = b"\xff" * 4
    path.write_bytes(whole)
    assert len(read_audio(path)[0]) == 3 * RATE


def mp3(path, seconds=3.0):
    """Bytes of the Xing frame and of the others of a file with variable bitrates."""
    loud = noise(seconds) * np.linspace(0.01, 3, round(seconds * RATE), dtype=np.float32)
    data = write(path, loud, bitrate_mode="VARIABLE", compression_level=0.5).read_bytes()
    at = data.index(b"\xff", 4 if data[:1] == b"\xff" else 0)
    while abs(len(data) - at) and (data[at + 1] & 0xE0 != 0xE0 or data[at + 1] != data[data.index(b"\xff") + 1]):
        at = data.index(b"\xff", at + 1)
    return data[:at], data[at:]


def test_frames_of_an_mp3_are_counted_not_estimated(tmp_path):
    path = tmp_path / "a.mp3"
    header, frames = mp3(path)
    assert b"Xing" in header and 3 * RATE <= examine(path).samples < 3 * RATE + 4 * 576
    for content in (
        frames,
        b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128) + header + frames,
        frames + b"TAG" + bytes(125),
    ):
        path.write_bytes(content)
        assert 3 * RATE <= examine(path).samples < 3 * RATE + 4 * 576 and not examine(path).missing


@pytest.mark.parametrize("kind", ["no Xing header", "half the frames in the Xing header", "two files joined"])
def test_an_mp3_is_heard_whole(tmp_path, kind):
    pytest.importorskip("av")
    path = tmp_path / "a.mp3"
    header, frames = mp3(path, 6.0)
    at = header.index(b"Xing") + 8
    half = header[:at] + (int.from_bytes(header[at : at + 4], "big") // 2).to_bytes(4, "big") + header[at + 4 :]
    contents = {"no Xing header": frames, "two files joined": 2 * (header + frames)}
    path.write_bytes(contents.get(kind, half + frames))
    expected = 12 if kind == "two files joined" else 6
    assert abs(len(read_audio(path)[0]) / RATE - expected) < 0.2


def test_joined_ogg_streams_are_heard_whole(tmp_path):
    pytest.importorskip("av")
    path = write(tmp_path / "a.ogg", noise())
    path.write_bytes(path.read_bytes() + write(tmp_path / "b.ogg", noise(2.0)[::-1]).read_bytes())
    assert examine(path).joined
    assert abs(len(read_audio(path)[0]) / RATE - 5) < 0.1


def test_other_files_count_as_whole(tmp_path):
    for content in (b"a text\n" * 100, b"x", b"\xff" * 50, b"RIFF", b"OggS", b"ID3", b".snd"):
        (tmp_path / "a").write_bytes(content)
        assert bool(examine(tmp_path / "a").missing) == (content == b"OggS")
    assert not examine(write(tmp_path / "a.flac", noise())).missing
