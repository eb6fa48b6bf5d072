"""Figures of one utterance over time."""

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.plots import clips
from sertf.plots.scores import save_figure


def test_attention_shares_one_time_axis():
    figure = clips.attention(np.eye(4), np.eye(4), [0.1, 0.2, 0.3, 0.4], "clip", hop_seconds=0.5)
    features, states, weights = figure.axes[:3]
    assert features.get_xlim() == states.get_xlim() == weights.get_xlim() == (-0.25, 1.75)
    assert weights.get_xlabel() == "time in s"
    assert clips.attention(np.eye(4), np.eye(4), np.ones(4) / 4, "clip").axes[2].get_xlabel() == "frame"


def test_attention_of_pooled_steps_stands_under_their_frames():
    figure = clips.attention(np.ones((9, 3)), np.ones((2, 5)), [0.25, 0.75], "clip")
    features, states, weights = figure.axes[:3]
    assert features.images[0].get_extent()[:2] == [-0.5, 8.5]
    assert states.images[0].get_extent()[:2] == [-0.5, 7.5]  # 2 steps of 4 frames; the ninth counts to none
    assert weights.lines[0].get_xdata().tolist() == [1.5, 5.5]


def test_attention_names_the_dimensions_of_the_front_end():
    def features_axes(**options):
        return clips.attention(np.eye(6), np.eye(6), np.ones(6) / 6, "clip", **options).axes[0]

    axes = features_axes(dimensions=[("MFCC 1 to 4", 4), ("chroma 1 to 2", 2)])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MFCC 1 to 4", "chroma 1 to 2"]
    assert axes.get_yticks().tolist() == [2.5, 5.5] and axes.images[0].get_extent()[2:] == [0.5, 6.5]
    assert [line.get_ydata() for line in axes.lines] == [[4.5, 4.5]]
    assert features_axes(dimensions=[("mel band 1 to 6", 6)]).get_ylabel() == "mel band 1 to 6"
    assert features_axes().get_ylabel() == "feature"


def clip(samples=100, own=80):
    waveform = np.sin(np.arange(samples) / 3)
    waveform[own:] = 0
    return waveform


def windows_of(layers=2, heads=3, steps=10, half=1.5):
    """Windows of one width around their queries."""
    own = np.broadcast_to(np.arange(steps), (layers, heads, steps))
    return np.stack([own - half, own + half], axis=-1)


def test_windows_stand_over_their_part_of_the_clip():
    figure = clips.windows(clip(), windows_of(), np.full((2, 3, 10), 0.1), "clip (anger)", sample_rate=10)
    waveform, first, second = figure.axes
    assert waveform.get_xlim() == first.get_xlim() == second.get_xlim() == (0, 10)  # 100 samples at 10 Hz
    assert second.get_xlabel() == "time in s" and waveform.get_ylabel() == "amplitude"
    assert first.get_ylabel() == "layer 1, heads"
    # Steps of 1 s. Of the 8 s that are no padding the steps at a sixth, a half and five sixths are shown.
    queries = [line.get_xdata()[0] for line in waveform.lines if len(line.get_xdata()) == 2]
    assert queries == [1.5, 4.5, 6.5]
    bars = [bar.get_segments() for bar in first.collections]
    assert [len(heads) for heads in bars] == [3, 3, 3]
    for query, heads in zip(queries, bars):
        for segment in heads:
            assert segment[:, 0].tolist() == [max(query - 1.5, 0), query + 1.5]
    assert "padding" in [text.get_text() for text in waveform.texts]


def test_windows_end_where_the_clip_does():
    figure = clips.windows(clip(own=100), windows_of(half=50.0), np.full((2, 3, 10), 0.1), "clip")
    waveform, first, second = figure.axes
    for bar in first.collections:
        assert all(segment[:, 0].tolist() == [0, 100] for segment in bar.get_segments())
    assert second.get_xlabel() == "sample" and len(waveform.texts) == 0


@pytest.mark.parametrize("name", ["attention", "windows"])
def test_small_and_the_same_each_time(name, tmp_path):
    rng = np.random.default_rng(0)
    weights = rng.random(30)
    arguments = {
        "attention": (rng.normal(size=(30, 9)), rng.normal(size=(30, 16)), weights / weights.sum(), "clip (anger)"),
        "windows": (rng.normal(size=48_000), windows_of(4, 8, 150, 9.0), rng.random((4, 8, 150)), "clip (anger)"),
    }[name]
    for path in ("a.png", "b.png"):
        save_figure(getattr(clips, name)(*arguments), tmp_path / path)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert 5_000 < (tmp_path / "a.png").stat().st_size < 250_000


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: clips.attention(np.ones((3, 2)), np.ones((3, 2)), np.ones(4), "t"), "same number of steps"),
        (lambda: clips.attention(np.ones((3, 2)), np.ones((4, 2)), np.ones(4), "t"), "at most one a frame"),
        (
            lambda: clips.windows(clip(), windows_of(), np.ones((2, 3, 9)), "t"),
            r"received \(layers, heads, steps\)",
        ),
        (
            lambda: clips.windows(clip() * np.nan, windows_of(), np.ones((2, 3, 10)), "t"),
            "waveform must hold finite",
        ),
    ],
)
def test_bad_input(draw, message):
    with pytest.raises(SertfError, match=message):
        draw()
