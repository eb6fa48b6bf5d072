import sys

import numpy as np
import pytest
import soundfile

from sertf.audio.files import AudioError, read_audio
from sertf.audio.media import MediaError, open_media

RATE = 48_000


def tone(seconds=2.0):
    return (0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def encode(path, codec, samples=None, *, channels=1, picture=False, **options):
    """Write a tone as a phone or a camera does."""
    av = pytest.importorskip("av")
    samples = tone() if samples is None else samples
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w", options=options) as container:
        film = container.add_stream("mpeg4", rate=10) if picture else None
        track = container.add_stream(codec, rate=RATE, layout=layout) if codec else None
        if film is not None:
            film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
            for _ in range(10):
                container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
            container.mux(film.encode())
        if track is not None:
            resampler = av.AudioResampler(
                track.codec_context.format, layout, RATE, track.codec_context.frame_size or 1024
            )
            frame = av.AudioFrame.from_ndarray(np.tile(samples, (channels, 1)), "fltp", layout)
            frame.sample_rate, frame.pts = RATE, 0
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(track.encode(part))
            container.mux(track.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.m4a", "aac", {}),
        ("a.mp4", "aac", {"picture": True, "channels": 2}),
        ("a.3gp", "aac", {}),
        ("a.webm", "libopus", {}),
        ("a.aac", "aac", {}),
        ("a.wav", "aac", {"format": "mp4"}),
    ],
)
def test_files_of_phones_and_cameras(tmp_path, name, codec, options):
    path = tmp_path / name
    if options.pop("format", None):
        encode(tmp_path / "b.mp4", codec).rename(path)
    else:
        encode(path, codec, **options)
    samples, rate = read_audio(path)
    assert rate == RATE and samples.dtype == np.float32 and samples.ndim == 1
    assert abs(len(samples) / rate - 2) < 0.1
    middle = samples[rate // 2 : rate + rate // 2]
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) == 440 and abs(np.sqrt(np.mean(middle**2)) - 0.4 / np.sqrt(2)) < 0.03


def test_a_film_that_was_cut_off(tmp_path):
    path = encode(
        tmp_path / "a.m4a", "aac", np.random.default_rng(0).normal(0, 0.1, 4 * RATE).astype("f"), movflags="faststart"
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="a.m4a: (cut off|not readable)"):
        read_audio(path)


def test_a_film_without_sound_and_a_playlist(tmp_path):
    with pytest.raises(AudioError, match="a.mp4: not readable as audio .it holds no sound"):
        read_audio(encode(tmp_path / "a.mp4", None, picture=True))
    soundfile.write(tmp_path / "b.wav", tone(), RATE)
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXTINF:2,\n{tmp_path / 'b.wav'}\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError, match="a.m3u8: not readable as audio"):
        read_audio(tmp_path / "a.m3u8")
    with pytest.raises(MediaError), open_media(tmp_path / "a.m3u8"):
        pass


def test_a_track_of_an_unknown_codec_holds_no_sound(tmp_path, capfd):
    pytest.importorskip("av")
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[20:22] = b"\x34\x12"
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(AudioError, match="it holds no sound"):
        read_audio(tmp_path / "a.wav")
    assert capfd.readouterr().err == ""


def test_a_name_is_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "a.m4a", "aac").rename("concat:a|b.m4a")
    assert len(read_audio("concat:a|b.m4a")[0]) == pytest.approx(2 * RATE, abs=0.1 * RATE)


def test_blocks_follow_each_other(tmp_path):
    path = encode(tmp_path / "a.m4a", "aac")
    whole, _ = read_audio(path)
    with open_media(path) as media:
        blocks = []
        while len(block := media.read(1000)):
            blocks.append(block)
    assert {len(block) for block in blocks[:-1]} == {1000}
    np.testing.assert_array_equal(np.concatenate(blocks)[:, 0], whole)


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    path = encode(tmp_path / "a.m4a", "aac")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioError, match=r"a.m4a: not readable as audio .* install sertf\[media\], which reads more"):
        read_audio(path)
    soundfile.write(tmp_path / "a.ogg", tone(), RATE)
    (tmp_path / "a.ogg").write_bytes(2 * (tmp_path / "a.ogg").read_bytes())
    with pytest.raises(AudioError, match=r"libsndfile reads only a part of it.; install sertf\[media\]"):
        read_audio(tmp_path / "a.ogg")
