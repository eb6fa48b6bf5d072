import shutil

import numpy as np
import pytest

from sertf.plots.clips import windows
from sertf.reports import figures, report
from sertf.reports.figures import draw_model, draw_scores
from sertf.reports.representations import REPRESENTATIONS, read_arrays, reduced
from sertf.reports.summary import summarise
from sertf.runs.collect import collect
from sertf.runs.stored import ResultsError
from tests.synthetic_runs import EMOTIONS, make_runs, seal_again, written

CLIP = ("clip_utterance", "clip_features", "clip_states", "clip_attention")


def with_arrays(folder, drop=(), **more):
    """Runs whose first one keeps other arrays."""
    runs = make_runs(folder, repeats=1)
    place = runs / "repeat-00" / "fold-1"
    arrays = read_arrays(place / REPRESENTATIONS)
    np.savez(place / REPRESENTATIONS, **{name: arrays[name] for name in arrays if name not in drop} | more)
    seal_again(runs)
    return collect(runs)


def drawn(results):
    return draw_model(reduced(results), EMOTIONS)


def deformable(steps=10, layers=2, heads=3):
    own = np.broadcast_to(np.arange(steps), (layers, heads, steps))
    return {
        "clip_windows": np.stack([own - 1.5, own + 1.5], axis=-1),
        "clip_received": np.full((layers, heads, steps), 0.1),
    }


def test_windows_are_drawn_of_the_run_that_keeps_them(tmp_path):
    found = drawn(with_arrays(tmp_path, drop=("clip_states", "clip_attention"), **deformable()))
    assert set(found) == {"projections.png", "windows.png"}
    assert len(found["windows.png"].axes) == 3  # the clip and two layers
    assert found["windows.png"].axes[0].get_title().startswith("u3 (truth: ")


def test_only_what_was_kept_is_drawn(tmp_path):
    assert set(drawn(with_arrays(tmp_path, drop=CLIP))) == {"projections.png"}


def test_arrays_that_do_not_fit_are_named(tmp_path):
    arrays = deformable() | {"clip_received": np.zeros((2, 3, 9))}
    found = with_arrays(tmp_path, **arrays)
    with pytest.raises(ResultsError, match="representations.npz cannot be drawn.*delete that run's folder"):
        figures.write_figures(found, summarise(found), tmp_path, before=tmp_path / "none")


def test_attention_shows_truth_prediction_and_the_front_ends_dimensions(tmp_path):
    results = with_arrays(tmp_path)
    row = results.predictions.query("repeat == 0 and fold == 'fold-1' and utterance == 'u3'")
    chosen = row[EMOTIONS].idxmax(axis=1).item()
    axes = drawn(results)["attention.png"].axes[0]
    assert axes.get_title() == f"u3 (truth: {row['truth'].item()}, prediction: {chosen})"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MFCC 1 to 3", "chroma 1 to 2"]
    assert axes.get_xlim() == pytest.approx((-0.05, 1.95))  # 20 frames of 0.1 s


def test_scores_stand_over_chance(tmp_path):
    summary = summarise(collect(make_runs(tmp_path, repeats=1)))
    (axes,) = draw_scores(summary, collect(tmp_path / "h64" / "paper").histories)["scores.png"].axes
    dashed = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--" and len(line.get_ydata())]
    assert dashed == pytest.approx([1 / 3, max(map(sum, summary["confusion"])) / 48])


def test_a_waveform_is_stored_by_its_extremes(tmp_path):
    wave = np.sin(np.arange(48_000) / 40).astype(np.float32)
    wave[32_000:] = 0.25  # padding, standardised
    arrays = deformable(150, 4, 8) | {"clip_features": wave[:, None], "clip_step_seconds": 1 / 16000}
    arrays |= {"dimension_labels": np.array(["amplitude"]), "dimension_sizes": np.array([1])}
    results = with_arrays(tmp_path, drop=("clip_states", "clip_attention"), **arrays)
    found = reduced(results)
    assert len(found["clip_features"]) == 4000
    assert 4000 * found["clip_step_seconds"] == pytest.approx(3)
    whole = windows(wave, *deformable(150, 4, 8).values(), "clip", sample_rate=16000)
    stored = drawn(results)["windows.png"]
    for axes, other in zip(stored.axes, whole.axes):
        assert axes.get_xlim() == pytest.approx(other.get_xlim())
    edges = [figure.axes[0].patches[0].get_x() for figure in (stored, whole)]
    assert edges[0] == pytest.approx(edges[1], abs=0.002) and stored.axes[0].get_ylabel() == "amplitude"
    np.savez_compressed(tmp_path / "size.npz", **found)
    assert (tmp_path / "size.npz").stat().st_size < 100_000


def test_stored_results_draw_the_same_figures_again(tmp_path):
    out = written(tmp_path)
    report.write_report(make_runs(tmp_path / "runs", repeats=2, groups=True), out, figure_formats=["svg"])
    shutil.rmtree(tmp_path / "runs")
    names = {"confusion", "scores", "reliability", "groups", "curves", "projections", "attention"}
    paths = [out / f"{name}.{kind}" for name in sorted(names) for kind in ("png", "svg")]
    assert {path for path in out.iterdir() if path.suffix in (".png", ".svg")} == set(paths)
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    assert report.redraw_figures(tmp_path / "results", ["png", "svg"]) == []
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.usefixtures("quick")
def test_figures_that_cannot_be_drawn_again_stay(tmp_path):
    out = written(tmp_path)
    runs = make_runs(tmp_path / "runs", repeats=1)
    report.write_report(runs, out)
    (out / REPRESENTATIONS).unlink()
    (out / "attention.png").write_bytes(b"old")
    assert report.redraw_figures(tmp_path / "results") == [out]
    assert (out / "attention.png").read_bytes() == b"old"
    (runs / "repeat-00" / "fold-1" / REPRESENTATIONS).unlink()
    (runs / "repeat-00" / "fold-2" / REPRESENTATIONS).unlink()
    seal_again(runs)
    report.write_report(runs, out)  # all runs taken over
    assert (out / "attention.png").read_bytes() == b"old" and not (out / REPRESENTATIONS).exists()
    (out / REPRESENTATIONS).write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ResultsError, match="representations.npz cannot be drawn.*write the report again"):
        report.redraw_figures(tmp_path / "results")


@pytest.mark.usefixtures("quick")
def test_what_is_stored_of_a_model_outlives_runs_that_were_taken_over(tmp_path):
    out = written(tmp_path)
    runs = make_runs(tmp_path / "runs", repeats=1)
    report.write_report(runs, out)
    stored = (out / REPRESENTATIONS).read_bytes()
    for path in runs.rglob(REPRESENTATIONS):
        path.unlink()
    seal_again(runs)
    report.write_report(runs, out)
    assert (out / REPRESENTATIONS).read_bytes() == stored and (out / "attention.png").is_file()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: path.touch())
