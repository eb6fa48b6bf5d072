"""The file of a speaker's statistics."""

import numpy as np
import pytest

from sertf.inference import SpeakerError, SpeakerStatistics

STATISTICS = SpeakerStatistics(np.array([1.0, 2.0], "float32"), np.array([0.5, 0.0], "float32"), 40, 3, "ab12", "mine")


def test_a_file_gives_the_statistics_back(tmp_path):
    path = STATISTICS.save(tmp_path / "ann.npz")
    found = SpeakerStatistics.load(path)
    for name, value in vars(STATISTICS).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    assert (found.mean.dtype, type(found.count), found.model) == (np.float32, int, "ab12")
    assert path.stat().st_size < 3000 and [entry.name for entry in tmp_path.iterdir()] == ["ann.npz"]


def test_files_that_hold_no_statistics(tmp_path):
    with pytest.raises(SpeakerError, match=r"must end in .npz, but is ann"):
        STATISTICS.save("ann")
    with pytest.raises(SpeakerError, match=r"ann.npz cannot be written \(No such file"):
        STATISTICS.save(tmp_path / "nowhere" / "ann.npz")
    with pytest.raises(SpeakerError, match=r"no.npz: no such file; give a file that"):
        SpeakerStatistics.load(tmp_path / "no.npz")
    np.savez(tmp_path / "scaling.npz", mean=np.zeros(2), std=np.ones(2))
    (tmp_path / "text.npz").write_text("mean 0")
    whole = STATISTICS.save(tmp_path / "half.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[:200])
    with open(tmp_path / "array.npz", "wb") as file:
        np.save(file, np.zeros(2))
    for name in ("scaling", "text", "half", "array"):
        with pytest.raises(SpeakerError, match=f"{name}.npz holds no statistics of a speaker; give a file that"):
            SpeakerStatistics.load(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "later.npz", format=3, **vars(STATISTICS))
    with pytest.raises(SpeakerError, match=r"later.npz has format 3, not 2; enrol the speaker again"):
        SpeakerStatistics.load(tmp_path / "later.npz")
