import numpy as np
import pytest
import soundfile

from sertf.audio.files import AudioError, open_audio, read_audio, stated_seconds
from sertf.audio.segments import Segment, is_there, overlapping, segment_of

RATE = 8000


@pytest.fixture(scope="module")
def ramp():
    """Four seconds in which every sample is another one."""
    return (np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE) * 2**15).astype("<i2")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/call.wav", ("a/call.wav", 0, None)),
        ("call.wav#t=10,12.5", ("call.wav", 10, 12.5)),
        ("call.wav#t=10", ("call.wav", 10, None)),
        ("call.wav#t=,5", ("call.wav", 0, 5)),
        ("call.wav#t=", ("call.wav#t=", 0, None)),
        ("call.wav#t=a,b", ("call.wav#t=a,b", 0, None)),
    ],
)
def test_a_path_names_a_segment(path, expected):
    assert segment_of(path) == expected


def test_a_segment_is_written_as_it_is_read():
    for text in ("call.wav", "call.wav#t=10,12.5", "call.wav#t=10", "call.wav#t=0,5"):
        assert str(segment_of(text)) == text
    assert Segment("call.wav", 1.25, 3.0).times == "1.25-3" and Segment("call.wav", 2, None).times == "2-"


def test_a_file_of_such_a_name_counts_as_a_whole(tmp_path):
    name = tmp_path / "x.wav#t=1,2"
    name.touch()
    assert segment_of(name).is_whole and is_there(name)
    assert not is_there(tmp_path / "y.wav#t=1,2")


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.aiff"])
def test_samples_of_a_segment_are_exact(tmp_path, ramp, name):
    path = tmp_path / name
    soundfile.write(path, ramp, RATE, subtype="PCM_16")
    for start, end in ((1, 2.5), (0, 0.5), (3.5, 4), (0.25, None), (3, 4.01)):
        found, rate = read_audio(str(Segment(str(path), start, end)))
        assert rate == RATE
        np.testing.assert_array_equal(found, ramp[round(start * RATE) : end and round(end * RATE)] / np.float32(2**15))


def test_a_segment_of_a_compressed_file_is_cut_from_what_it_decodes_to(tmp_path, ramp):
    path = tmp_path / "x.ogg"
    soundfile.write(path, ramp / 2**15, RATE)
    whole, _ = read_audio(path)
    np.testing.assert_array_equal(read_audio(f"{path}#t=1,2.5")[0], whole[RATE : round(2.5 * RATE)])


def test_blocks_of_a_segment_join_to_it(tmp_path, ramp):
    path = tmp_path / "x.wav"
    soundfile.write(path, ramp, RATE)
    with open_audio(f"{path}#t=1,3") as recording:
        assert recording.seconds == 2
        blocks = list(recording.blocks(700))
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(f"{path}#t=1,3")[0])
    assert stated_seconds(f"{path}#t=1.5") == 2.5


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("1,9", "the segment ends at 9 s, but the recording has 4.00 s; mend its end"),
        ("7,9", "the segment begins at 7 s, but the recording has 4.00 s; mend its start"),
        ("5", "the segment begins at 5 s"),
        ("2,1", "the segment ends before it begins"),
        ("1,1.01", "too short: 0.0100 s"),
    ],
)
@pytest.mark.parametrize("name", ["x.wav", "x.ogg"])
def test_times_out_of_range_are_one_sentence(tmp_path, ramp, name, times, reason):
    soundfile.write(tmp_path / name, ramp / 2**15, RATE)
    with pytest.raises(AudioError, match=reason) as caught:
        read_audio(f"{tmp_path / name}#t={times}")
    assert str(caught.value).startswith(f"{tmp_path / name}#t={times}: ")


def test_segments_that_share_a_part_are_found():
    paths = {"a": "x.wav#t=0,5", "b": "x.wav#t=4,9", "c": "x.wav#t=9,12", "d": "y.wav#t=4,9", "e": "z.wav"}
    assert overlapping(paths) == {"a": "x.wav#t=0,9", "b": "x.wav#t=0,9"}
    whole = overlapping({"a": "x.wav", "b": "x.wav#t=1,2", "c": "x.wav#t=3"})
    assert set(whole) == {"a", "b", "c"} and set(whole.values()) == {"x.wav"}
    assert overlapping({"a": "x.wav#t=0,5", "b": "x.wav#t=4.99,9"}) == {}  # rounded times
