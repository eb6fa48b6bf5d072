import numpy as np
import pytest

from sertf.reports.figures import draw_representations
from sertf.runs.collect import collect
from sertf.runs.stored import ResultsError
from tests.synthetic_runs import make_runs


def with_arrays(folder, drop=(), **more):
    """Runs whose first one keeps other arrays."""
    runs = make_runs(folder, repeats=1)
    place = runs / "repeat-00" / "fold-1" / "representations.npz"
    with np.load(place) as file:
        arrays = {name: file[name] for name in file.files if name not in drop}
    np.savez(place, **arrays, **more)
    return collect(runs)


def drawn(results):
    return draw_representations(results.representations, results.facts["emotions"], results.manifests[0])


def test_windows_are_drawn_of_the_run_that_keeps_them(tmp_path):
    own = np.broadcast_to(np.arange(10), (2, 3, 10))
    found = with_arrays(
        tmp_path,
        drop=("clip_states", "clip_attention"),
        clip_windows=np.stack([own - 1.5, own + 1.5], axis=-1),
        clip_received=np.full((2, 3, 10), 0.1),
    )
    figures = drawn(found)
    assert set(figures) == {"projections.png", "windows.png"}
    assert len(figures["windows.png"].axes) == 3  # the clip and two layers
    assert figures["windows.png"].axes[0].get_title().startswith("u3 (")


def test_only_what_was_kept_is_drawn(tmp_path):
    kept = ("clip_utterance", "clip_features", "clip_states", "clip_attention")
    assert set(drawn(with_arrays(tmp_path, drop=kept))) == {"projections.png"}


def test_arrays_that_do_not_fit_are_named(tmp_path):
    found = with_arrays(tmp_path, clip_windows=np.zeros((2, 3, 10, 2)), clip_received=np.zeros((2, 3, 9)))
    with pytest.raises(ResultsError, match="representations.npz cannot be drawn.*delete that run's folder"):
        drawn(found)
