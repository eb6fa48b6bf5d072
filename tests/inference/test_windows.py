import io
from pathlib import Path

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.inference.windows import Cutting, cut_windows, sources_of


def test_windows_cover_a_stream_whatever_its_blocks():
    stream = np.arange(23)
    for sizes in ([23], [1] * 23, [7, 7, 9]):
        blocks = np.split(stream, np.cumsum(sizes)[:-1])
        windows = list(cut_windows(blocks, 6, 4))
        assert [start for start, _ in windows] == [0, 4, 8, 12, 16, 17]
        assert all(samples.tolist() == stream[start : start + 6].tolist() for start, samples in windows)


def test_samples_kept_do_not_grow_with_the_stream():
    """A window, a step and a block, whatever the blocks."""
    blocks = (np.zeros(3, np.float32) for _ in range(1000))
    for _, samples in cut_windows(blocks, 50, 40):
        assert len(samples if samples.base is None else samples.base) <= 50 + 40 + 3


CARD = {"minimum_seconds": 0.5, "front_end": {}, "sample_rates": [4000, 192000]}


def test_a_recording_is_heard_as_a_whole_or_in_windows():
    def starts(seconds, cutting):
        return [(start, len(samples) / 8000) for start, samples, _ in cutting.pieces((np.ones(8000 * seconds), 8000))]

    assert starts(12, Cutting.of(CARD)) == [(0.0, 12.0)]
    assert starts(16, Cutting.of(CARD)) == [(0.0, 10.0), (5.0, 10.0), (6.0, 10.0)]
    assert starts(4, Cutting.of(CARD, window=2)) == [(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)]
    spans = {**CARD, "front_end": {"span_seconds": (0, 3)}}
    assert starts(4, Cutting.of(spans)) == [(0.0, 3.0), (1.0, 3.0)]
    with pytest.raises(SertfError, match="window must be 0.5 s or more and at most 3 s, which is all that this model"):
        Cutting.of(spans, window=4)


NOISE = np.random.default_rng(0).integers(-3000, 3000, 4000, dtype="int16")


@pytest.mark.parametrize(
    "given",
    [
        (NOISE / 32768, 8000),
        (8000, NOISE),
        (NOISE, 8000.0),
        (np.int64(8000), NOISE.astype("int32") * 65536),
        (8000, np.stack([NOISE, NOISE], axis=1)),
        {"array": NOISE / 32768, "sampling_rate": 8000},
    ],
)
def test_samples_in_every_usual_form(given):
    ((name, (samples, rate)),) = sources_of(given)
    assert name == "" and rate == 8000 and samples.dtype == np.float32
    np.testing.assert_allclose(samples, NOISE / 32768, atol=1e-7)


def test_bytes_of_8_bits_have_their_middle_at_128():
    ((_, (samples, _)),) = sources_of((8000, np.array([0, 128, 255] * 1000, np.uint8)))
    np.testing.assert_allclose(samples[:3], [-1, 0, 127 / 128])


def test_several_recordings_of_several_kinds():
    file = io.BytesIO(b"RIFF")
    sources = sources_of(["a.wav", Path("b.wav"), file, (8000, NOISE)])
    assert [name for name, _ in sources] == ["a.wav", "b.wav", "", ""]
    assert sources[2][1] is file
    assert [name for name, _ in sources_of(("a.wav", "b.wav"))] == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "files is empty"),
        (NOISE, "files must be a path, an open binary file, a pair .* is a ndarray"),
        ([3], "files must hold a path, .* holds a int"),
        ({"path": "a.wav"}, 'must hold "array" and "sampling_rate", but holds .*path'),
        ((NOISE.astype("int64"), 8000), "or 8, 16 or 32-bit integers, .* int64"),
        ((8000, NOISE[None]), r"got \(1, 4000\); transpose them"),
        ((1e30 * NOISE.astype(float), 8000), "the samples: beyond full scale"),
        ((NOISE, 10), "the samples: its sample rate is 10 Hz; convert it to one from 1000"),
        ((NOISE, 8000.5), "sample_rate must be a whole number of Hz"),
    ],
)
def test_samples_that_cannot_be_used(given, message):
    with pytest.raises(SertfError, match=message):
        sources_of(given)
