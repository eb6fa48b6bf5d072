import numpy as np

from sertf.inference.windows import cut_windows


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
