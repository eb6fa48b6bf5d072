import re
from xml.etree import ElementTree

import numpy as np
import pytest

from sertf.app.drawing import answer, sentence
from sertf.app.session import Curve, Heard
from sertf.inference.recognizer import Window

SCORES = {"neutral": 0.1, "anger": 0.7, "fear": 0.2}


def window(start, end, emotion="anger", scores=None):
    return Window(start, end, emotion, 0.7 if emotion else np.nan, emotion or "silence", scores or SCORES)


def heard(**changes):
    facts = {
        "name": "clip.wav",
        "model": "Default recognizer",
        "verdict": "anger",
        "emotion": "anger",
        "confidence": 0.7,
        "threshold": 0.5,
        "scores": SCORES,
        "windows": [window(0, 4)],
        "seconds": 4.0,
        "extremes": np.array([[-0.5, 0.25], [-0.1, 0.1]]),
        "warnings": [],
    }
    return Heard(**(facts | changes))


def parsed(html):
    """The HTML as a tree, which shows that every tag is closed."""
    return ElementTree.fromstring(html.replace("&nbsp;", " "))


def words(html):
    return " ".join("".join(parsed(html).itertext()).split())


def test_the_verdict_stands_first_and_the_scores_below_it_in_their_order():
    tree = parsed(answer(heard()))
    assert "".join(tree[0].itertext()) == "anger70 % confident"
    bars = [["".join(cell.itertext()) for cell in bar] for bar in tree.iter("div") if bar.get("class") == "bar"]
    assert bars == [["anger", "", "70 %"], ["fear", "", "20 %"], ["neutral", "", "10 %"]]
    assert re.findall(r"width:([\d.]+)%", answer(heard())) == ["70.0", "20.0", "10.0"]


def test_an_uncertain_answer_names_its_best_guess():
    said = words(answer(heard(verdict="uncertain", confidence=0.4)))
    assert said.startswith("uncertainmaybe anger, 40 %The confidence lies under 50 %.")


def test_it_says_by_how_many_clips_the_speaker_is_known():
    assert "The speaker is known by 3 other clips." in words(answer(heard(speaker_clips=3)))
    assert "known by" not in words(answer(heard()))


def test_the_waveform_fills_its_height_and_the_axis_ends_with_the_clip():
    html = answer(heard())
    (outline,) = re.findall(r'<polygon points="([^"]+)" fill="currentColor"', html)
    points = [tuple(map(float, point.split(","))) for point in outline.split()]
    assert points == [(150, 25), (450, 40), (450, 60), (150, 100)]
    assert "0.0 s2.0 s4.0 s" in words(html)


def test_the_curve_lies_over_its_stretch_of_the_clip():
    curve = Curve(1.0, 3.0, np.array([0.0, 1.0]), "What anger rests on", 0.0)
    assert "What anger rests on" not in answer(heard())
    html = answer(heard(curve=curve))
    assert "What anger rests on" in words(html)
    (steps,) = re.findall(r'<polyline points="([^"]+)"', html)
    assert [float(point.split(",")[0]) for point in steps.split()] == [150, 300, 300, 450]


def test_silence_interrupts_the_scores_of_the_windows_and_has_its_row():
    windows = [window(0, 10), window(5, 15, None), window(10, 20), window(15, 25)]
    html = answer(heard(windows=windows, seconds=25.0))
    lines = re.findall(r"<polyline points=.([^\"]+). [^>]*><title>(\w+)</title>", html)
    assert [name for _, name in lines] == ["neutral", "neutral", "anger", "anger", "fear", "fear"]
    assert [len(points.split()) for points, _ in lines] == [1, 2] * 3
    said = words(html)
    assert "means over 3 windows of 10 s. Windows without speech, which are not scored: 1." in said
    assert "5.0–15.0 ssilence–" in said and "0.0–10.0 s anger70 %" in said


def test_names_from_outside_are_text():
    html = answer(heard(name="<script>alert(1)</script>.wav", warnings=["a <b> & c"]))
    assert "<script>" not in html and "<script>alert(1)</script>.wav, recognized by" in words(html)
    assert "a <b> & c" in words(html)
    assert parsed(sentence("This fails. <i>x</i>")).find(".//i") is None


@pytest.mark.parametrize("text", ["One.", "One. Two three."])
def test_a_sentence_is_said_whole(text):
    assert words(sentence(text)) == text
