"""What figures share."""

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.plots import style
from sertf.plots.palette import COLOURS


def test_a_blank_figure_has_its_size_and_axes_and_needs_no_pyplot(tmp_path):
    figure, axes = style.blank((4, 3), rows=2, columns=3, height_ratios=(1, 2))
    assert tuple(figure.get_size_inches()) == (4, 3) and axes.shape == (2, 3)
    assert axes[0, 0].get_gridspec().get_height_ratios() == (1, 2)
    figure.savefig(tmp_path / "blank.png")
    assert (tmp_path / "blank.png").read_bytes().startswith(b"\x89PNG")


def test_tidy_labels_the_axes_and_takes_the_frame_off():
    _, axes = style.blank((2, 2))
    style.tidy(axes, xlabel="epoch", ylabel="UAR")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "UAR")
    assert {side: spine.get_visible() for side, spine in axes.spines.items()} == {
        "left": True,
        "bottom": True,
        "top": False,
        "right": False,
    }


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("short", ["short"]),
        ("variant/paper", ["variant/", "paper"]),
        ("segments_of_two_seconds", ["segments_of_", "two_seconds"]),
        ("averylongnameindeed", ["averylongnameindeed"]),
        ("short_averylongnameindeed", ["short_", "averylongnameindeed"]),
        ("twice__in/", ["twice__in/"]),
        ("", [""]),
    ],
)
def test_names_break_behind_slashes_and_underscores(name, lines):
    assert style.broken(name).split("\n") == lines


def test_finite_numbers_come_back_as_floats():
    values = style.finite("scores", [[1, 2], [3, 4]], 2)
    assert values.dtype == float and values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, np.nan], [np.inf]])
def test_what_cannot_be_drawn_is_named(values):
    with pytest.raises(SertfError, match="scores must hold finite numbers in 1 dimension, not empty, got shape"):
        style.finite("scores", values, 1)


def test_there_are_markers_and_colours_enough_to_tell_all_emotions_apart():
    from sertf.corpora.utterances import EMOTIONS

    looks = {(COLOURS[i % len(COLOURS)], style.MARKERS[i % len(style.MARKERS)]) for i in range(len(EMOTIONS))}
    assert len(looks) == len(EMOTIONS)


def test_labels_in_any_script_are_drawn_or_numbered():
    unknown = "\U00010980\U00010981"  # Meroitic hieroglyphs
    assert style.drawable(["Überraschung", "гнев", "θυμός"]) == ["Überraschung", "гнев", "θυμός"]
    assert style.font_of("neutral") == "DejaVu Sans"
    assert style.drawable(["neutral", unknown]) == ["neutral", "label 2" if style.font_of(unknown) is None else unknown]


def test_marks_of_matplotlib_are_drawn_as_they_are():
    assert style.drawable(["_x", "$a$"]) == [" _x", r"\$a\$"]
    figure, axes = style.blank((2, 2))
    axes.plot([0, 1], label=style.drawable(["_x"])[0])
    assert [text.get_text() for text in axes.legend().get_texts()] == [" _x"]


def test_a_text_gets_the_font_that_has_its_marks(monkeypatch):
    figure, axes = style.blank((2, 2))
    axes.set_xticks([0, 1], ["neutral", "愤怒"])
    monkeypatch.setattr(style, "font_of", lambda text: "Noto Sans CJK JP" if "愤" in text else "DejaVu Sans")
    style.fit_fonts(figure)
    families = [text.get_fontfamily() for text in axes.get_xticklabels()]
    assert families[1] == ["DejaVu Sans", "Noto Sans CJK JP"] and "Noto Sans CJK JP" not in families[0]
