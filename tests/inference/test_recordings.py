import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from sertf.audio.conditions import CONDITIONS
from sertf.audio.meter import measured
from sertf.inference.recordings import RecordingWarning, collected, differences, recordings_of, spread, tell

RATE = 16_000


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Clips of noise at -20, -30 and -40 dBFS."""
    folder = tmp_path_factory.mktemp("clips")
    for level in (-20, -30, -40):
        samples = np.random.default_rng(0).normal(scale=10 ** (level / 20), size=RATE)
        soundfile.write(folder / f"{level}.wav", samples, RATE, subtype="FLOAT")
    return sorted(folder.iterdir())


def test_facts_are_measured_on_the_clips(paths):
    found = recordings_of(paths, highest_hz=8000, level_counts=True)
    assert found["clips"] == 3 and found["band_hz"] == pytest.approx(8000, abs=50)
    assert found["levels_db"] == pytest.approx([-40, -20], abs=0.6)
    assert recordings_of(paths, highest_hz=5000, level_counts=False) == found | {"band_hz": 5000, "levels_db": None}


def test_a_telephone_and_a_far_level_differ_and_training_clips_do_not(paths):
    facts = recordings_of(paths, highest_hz=8000, level_counts=True)
    clip, _ = soundfile.read(paths[0], dtype="float32")
    assert differences(measured(clip, RATE), facts) == []
    heard = CONDITIONS["telephone"](clip, RATE, np.random.default_rng(0))
    (band,) = differences(measured(heard, RATE), facts)
    assert band.startswith(
        "it holds nothing above 3.9 kHz, as over a telephone, but the model was trained on up to 8.0"
    )
    quiet = (clip / clip.std() * 10 ** (-55 / 20)).astype("float32")
    (level,) = differences(measured(quiet, RATE), facts)
    assert level.startswith("its speech has -55 dBFS, but the model was trained on -40 to -20 dBFS")
    assert differences(measured(quiet, RATE), facts | {"levels_db": None}) == []


def test_many_clips_are_spread_evenly():
    assert spread(["a", "b"]) == ["a", "b"]
    many = spread([str(i) for i in range(4000)])
    assert len(many) == 400 and many[0] == "0" and many[-1] == "3999"


def test_told_differences_are_warnings_or_collected():
    with pytest.warns(RecordingWarning, match="clip.wav: it is quiet."):
        tell("clip.wav", "it is quiet", stacklevel=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with collected() as found:
            tell("clip.wav", "it is quiet", stacklevel=1)
            tell("other.wav", "it is quiet", stacklevel=1)
    assert found == ["it is quiet"] * 2


def test_threads_collect_their_own():
    together = threading.Barrier(8)

    def work(number):
        with collected() as found:
            together.wait()
            tell("clip.wav", str(number), stacklevel=1)
            together.wait()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [[str(number)] for number in range(8)]
