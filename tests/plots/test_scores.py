"""Figures: what they show, that they render small and the same each time, and that pyplot stays untouched."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from sertf.errors import SertfError
from sertf.plots.scores import (
    against,
    bars,
    confusion,
    curves,
    projections,
    reliability,
    right_and_wrong,
    save_figure,
    violin,
)

EMOTIONS = ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "boredom", "excitement"]


def histories(runs=4, epochs=6):
    rng = np.random.default_rng(0)
    columns = {"loss": 2, "val_loss": 2, "uar": 0.5, "val_uar": 0.4}
    return pd.concat(
        pd.DataFrame({"epoch": range(1, epochs + 1), **{c: m + rng.normal(0, 0.1, epochs) for c, m in columns.items()}})
        for _ in range(runs)
    )


def every_figure():
    rng = np.random.default_rng(0)
    labels = rng.choice(EMOTIONS, 80)
    return {
        "confusion": confusion(rng.integers(0, 90, (10, 10)), EMOTIONS),
        "curves": curves(histories()),
        "violin": violin({"UAR": rng.normal(0.6, 0.01, 10), "WA": [0.5, 0.5]}, published={"UAR": 0.62}),
        "projections": projections(dict.fromkeys("ab", (rng.normal(size=(80, 2)), [0.4, 0.3])), labels),
        "against": against(
            [(n, group, rng.random(3), 0.1, 0.9) for n in (1, 2, 4) for group in ("paper", "strict")],
            xlabel="layers",
            ylabel="UAR",
        ),
        "reliability": reliability([[0, None, None], [30, 0.5, 0.4], [50, 0.8, 0.9]]),
        "right_and_wrong": right_and_wrong({"gender": {"female": (7.5, 0.5), "male": (3, 5)}}),
    }


@pytest.mark.parametrize(
    "name", ["confusion", "curves", "violin", "projections", "against", "reliability", "right_and_wrong"]
)
def test_small_and_the_same_each_time(name, tmp_path):
    for path in ("a.png", "b.png", "a.svg", "b.svg"):
        figure = every_figure()[name]
        assert isinstance(figure, Figure)
        save_figure(figure, tmp_path / path)
    written = (tmp_path / "a.png").read_bytes()
    assert written == (tmp_path / "b.png").read_bytes()
    assert 5_000 < len(written) < 250_000
    assert imread(tmp_path / "a.png").shape[1] == pytest.approx(200 * figure.get_size_inches()[0], abs=1)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<svg " in (tmp_path / "a.svg").read_bytes()


def test_pyplot_is_never_loaded():
    code = "import sys; from sertf.plots import scores; scores.violin({'a': range(9)}); print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_confusion_prints_recall_or_counts():
    matrix = [[3, 1], [0, 2]]
    assert texts(confusion(matrix, ["a", "b"]).axes[0]) == ["75", "25", "0", "100"]
    assert texts(confusion(matrix, ["a", "b"], normalise=False).axes[0]) == ["3", "1", "0", "2"]


def test_confusion_of_an_emotion_without_utterances():
    assert texts(confusion([[0, 0], [1, 1]], ["a", "b"]).axes[0]) == ["0", "0", "50", "50"]


def test_curves_show_mean_and_spread():
    table = pd.concat(
        pd.DataFrame({"epoch": [1, 2], "loss": [a, b], "val_loss": [1, 1], "uar": [0, 1], "val_uar": [0, 1]})
        for a, b in ((1, 3), (3, 7))
    )
    axes = curves(table).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [2, 5])
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (1, 7)  # 2 - 1 and 5 + 2


def test_curves_show_the_loss_without_the_penalty_where_it_is_logged():
    """In runs of before it is not; they keep the loss that they have."""
    history = pd.DataFrame({"epoch": [1, 2], "loss": [9.0, 8.0], "val_loss": [9.5, 9.0], "uar": 0.5, "val_uar": 0.4})
    later = history.assign(data_loss=[1.0, 0.5], val_data_loss=[1.5, 1.25])
    training, validation = curves(later).axes[0].lines
    assert training.get_ydata().tolist() == [1.0, 0.5] and validation.get_ydata().tolist() == [1.5, 1.25]
    training, _ = curves(pd.concat([history, later])).axes[0].lines
    assert training.get_ydata().tolist() == [5.0, 4.25]


def test_reliability_draws_accuracy_of_filled_bins_and_shares():
    above, below = reliability([[0, None, None], [30, 0.45, 0.4], [10, 0.8, 0.9]]).axes
    assert [bar.get_height() for bar in above.patches] == [0.4, 0.9]
    assert above.collections[0].get_offsets().tolist() == [[0.45, 0.4], [0.8, 0.9]]
    assert [bar.get_height() for bar in below.patches] == [0, 0.75, 0.25]


def test_violin_draws_every_repeat_and_no_density_of_few():
    axes = violin({"UAR": [0.4, 0.6]}, published={"UAR": 0.7}).axes[0]
    dots = axes.collections[0].get_offsets()
    np.testing.assert_allclose(sorted(dots[:, 1]), [0.4, 0.6])
    assert texts(axes) == ["0.500"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one repeat", "mean", "published mean"]


def test_violin_shows_chance_as_a_dashed_line():
    axes = violin({"UAR": [0.4, 0.6], "WA": [0.5], "macro F1": [0.5]}, chance={"UAR": 0.25, "WA": 0.3}).axes[0]
    dashed = [
        line.get_xydata().tolist() for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata())
    ]
    assert dashed == [[[-0.4, 0.25], [0.4, 0.25]], [[0.6, 0.3], [1.4, 0.3]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one repeat", "mean", "chance"]
    assert all(line.get_linestyle() != "--" for line in violin({"UAR": [0.4]}).axes[0].lines)


def test_projections_tell_the_explained_variance():
    points = np.random.default_rng(0).normal(size=(50, 2))
    labels = ["anger", "fear"] * 25
    shown = {"embeddings": (points, [0.6, 0.2]), "averaged features": (points, [0.3, 0.1])}
    figure = projections(shown, labels, names=["fear", "anger", "calm"])
    assert [axes.get_title() for axes in figure.axes] == ["embeddings", "averaged features"]
    assert figure.axes[0].get_xlabel() == "component 1 (60 % of variance)"
    assert figure.axes[0].get_ylabel() == "component 2 (20 %)"
    assert figure.axes[0].get_legend_handles_labels()[1] == ["fear", "anger"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: confusion([[1, 2]], ["a", "b"]), r"shape \(2, 2\)"),
        (lambda: confusion([[np.nan]], ["a"]), "finite"),
        (lambda: curves(histories().drop(columns="val_uar")), "val_uar"),
        (lambda: curves(histories().iloc[:0]), "need rows"),
        (lambda: violin({}), "got none"),
        (lambda: violin({"UAR": []}), "not empty"),
        (
            lambda: projections({"embeddings": (np.ones((4, 2)), [1, 0])}, ["a"] * 3),
            r"embeddings must be a point a label",
        ),
        (lambda: against([], xlabel="x", ylabel="y"), "one row or more"),
        (lambda: against([(1, "a", [np.nan], None, None)], xlabel="x", ylabel="y"), "a must hold finite"),
    ],
)
def test_bad_input(draw, message):
    with pytest.raises(SertfError, match=message):
        draw()


def test_curves_leave_out_what_was_not_scored():
    """No validation part, the test part watched: its curve stands beside the training's, in all three panels."""
    history = pd.DataFrame({"epoch": [1, 2], "loss": [1.0, 0.5], "uar": [0.4, 0.6], "wa": [0.5, 0.7]})
    for column in ("val_loss", "val_uar", "val_wa"):
        history[column] = np.nan
    figure = curves(history.assign(test_loss=1.0, test_uar=0.3, test_wa=0.2))
    assert [[line.get_label() for line in axes.lines] for axes in figure.axes] == [["training", "test"]] * 3


def test_violin_has_a_box_from_quartile_to_quartile():
    (axes,) = violin({"WA": [0.1, 0.2, 0.3, 0.4, 0.5]}).axes
    (box,) = axes.patches
    assert (box.get_y(), box.get_height()) == pytest.approx((0.2, 0.2))


def test_right_and_wrong_are_stacked():
    panels = {"gender": {"female": (7.5, 2.5), "male": (3, 5)}, "intensity": {"normal": (0, 4), "strong": (6, 8)}}
    figure = right_and_wrong(panels)
    gender, intensity = figure.axes
    assert [(bar.get_y(), bar.get_height()) for bar in gender.patches] == [(0, 7.5), (0, 3), (7.5, 2.5), (3, 5)]
    assert texts(gender) == ["8 (75 %)", "3 (38 %)", "2 (25 %)", "5 (62 %)"]
    assert [label.get_text() for label in gender.get_xticklabels()] == ["female", "male"]
    assert intensity.get_xlabel() == "intensity"
    assert texts(intensity) == ["6 (43 %)", "4 (100 %)", "8 (57 %)"]  # no text in an empty bar
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["right", "wrong"]
    for empty in ({}, {"gender": {}}):
        with pytest.raises(SertfError, match="one group or more"):
            right_and_wrong(empty)
    with pytest.raises(SertfError, match="gender must hold finite numbers"):
        right_and_wrong({"gender": {"female": (float("nan"), 1)}})


def test_bars_and_their_intervals():
    figure = bars([("a", "paper", 0.2, 0.1, 0.3), ("a", "strict", -0.1, None, None)], xlabel="difference")
    widths = sorted(bar.get_width() for bar in figure.axes[0].patches)
    assert widths == pytest.approx([-0.1, 0, 0, 0.2])
    with pytest.raises(SertfError, match="bars needs one row or more"):
        bars([], xlabel="difference")


def test_against_joins_the_means_in_the_order_of_the_number():
    rows = [(4, "paper", [0.4, 0.6], 0.3, 0.7), (1, "paper", [0.2], None, None), (1, "strict", [0.1], None, None)]
    (axes,) = against(rows, xlabel="layers", ylabel="UAR").axes
    paper, strict = (line for line in axes.lines if line.get_marker() == "D")
    assert paper.get_ydata() == pytest.approx([0.2, 0.5]) and strict.get_ydata() == pytest.approx([0.1])
    assert list(axes.get_xticks()) == [1, 4]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["paper", "strict"]


def test_long_names_stay_off_their_neighbours():
    names = [
        "speechnet_emodb/small_segments",
        "speechnet_emodb/small_utterance",
        "small_segments_sabour_margins",
        "lsm",
    ]
    figure = violin(dict.fromkeys(names, [0.5, 0.6]))
    figure.canvas.draw()
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text().replace("\n", "") for label in labels] == names
    boxes = [label.get_window_extent() for label in labels]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:]))
