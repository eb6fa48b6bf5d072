"""The answer of the page as HTML: the verdict, bars of the scores, and the clip over time, drawn by the browser.

Colours of text and lines are Gradio's own, so the answer suits its light and its dark mode. Text stays text: it keeps its
size on a phone, where a picture would shrink it.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from sertf.inference.recognizer import Window
from sertf.inference.verdicts import UNCERTAIN, in_words
from sertf.plots.palette import COLOURS

if TYPE_CHECKING:
    from sertf.app.session import Curve, Heard

_WIDTH, _HEIGHT = 600, 100  # of a drawing's own units; the browser stretches it to the page

CSS = """
.sertf { color: var(--body-text-color); font-size: 1rem; line-height: 1.4; }
.sertf p { margin: 0.25rem 0; }
.sertf .verdict { display: flex; align-items: baseline; gap: 0.75rem; flex-wrap: wrap; margin: 0; }
.sertf .verdict strong { font-size: 2.25rem; line-height: 1.2; border-bottom: 0.3rem solid var(--emotion); }
.sertf .verdict span { font-size: 1.25rem; }
.sertf .note { opacity: 0.75; font-size: 0.9rem; }
.sertf .warning { border-left: 0.3rem solid #E69F00; padding-left: 0.6rem; font-size: 0.9rem; }
.sertf .bar { display: grid; grid-template-columns: 6.5rem 1fr 3rem; gap: 0.5rem; align-items: center; margin: 0.3rem 0; }
.sertf .track { background: var(--border-color-primary); height: 1rem; border-radius: 0.25rem; overflow: hidden; }
.sertf .fill { background: var(--emotion); height: 100%; }
.sertf .value { text-align: right; font-variant-numeric: tabular-nums; }
.sertf figure { margin: 1rem 0 0; }
.sertf figcaption { font-size: 0.9rem; margin-bottom: 0.25rem; }
.sertf svg { display: block; width: 100%; height: 5.5rem; border-bottom: 1px solid var(--border-color-primary); }
.sertf svg.tall { height: 9rem; }
.sertf svg path, .sertf svg polyline, .sertf svg line { vector-effect: non-scaling-stroke; }
.sertf .axis { display: flex; justify-content: space-between; font-size: 0.8rem; opacity: 0.75; }
.sertf table { border-collapse: collapse; font-size: 0.9rem; margin-top: 0.5rem; }
.sertf td, .sertf th { padding: 0.15rem 0.9rem 0.15rem 0; text-align: left; border: none; }
.sertf .dot { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 50%; background: var(--emotion); }
/* On a phone the answer stands above the choices, where the eye is. */
@media (max-width: 768px) {
  #columns { flex-direction: column; }
  #right { order: -1; }
  h1 { font-size: 1.4rem !important; }
}
"""


def sentence(text: str) -> str:
    """A sentence in place of an answer; the part before the first full stop is bold."""
    first, stop, rest = text.partition(". ")
    return f'<div class="sertf"><p><strong>{escape(first + stop.strip())}</strong> {escape(rest)}</p></div>'


def answer(heard: "Heard") -> str:
    """The answer on a clip.

    Args:
        heard: `sertf.app.session.Heard`. Without its curve that figure is left out.
    """
    places = {emotion: place for place, emotion in enumerate(heard.scores)}
    parts = [
        _verdict(heard, places),
        *(f'<p class="warning">{escape(what)}</p>' for what in heard.warnings),
        _bars(heard.scores, places),
        _figure("The recording", _waveform(heard.extremes), heard.seconds),
    ]
    if heard.curve is not None:
        stretch = f" ({heard.curve.start:.1f} to {heard.curve.end:.1f} s)" if len(heard.windows) > 1 else ""
        parts.append(_figure(heard.curve.label + stretch, _curve(heard.curve, heard.seconds), heard.seconds))
    if len(heard.windows) > 1:
        parts.append(
            _figure(
                "Scores of the windows, from 0 to 100 %, in the colours above", _over_time(heard, places), heard.seconds
            )
        )
        parts.append(_table(heard.windows, places))
    parts.append(f'<p class="note">{escape(heard.name)}, recognized by {escape(heard.model)}</p>')
    return f'<div class="sertf">{"".join(parts)}</div>'


def _verdict(heard, places):
    if heard.verdict == UNCERTAIN:
        beside = f"maybe {heard.emotion}, {_percent(heard.confidence)}"
    else:
        beside = f"{_percent(heard.confidence)} confident"
    note = ""
    if heard.verdict == UNCERTAIN:
        note = f"The confidence lies under {_percent(heard.threshold)}. "
    if heard.speaker_clips:
        note += f"The speaker is known by {heard.speaker_clips} other clips. "
    spoken = [window for window in heard.windows if window.emotion is not None]
    if len(heard.windows) > 1:
        seconds = heard.windows[0].end - heard.windows[0].start
        note += f"Scores are means over {len(spoken)} windows of {seconds:g} s. "
    if len(spoken) < len(heard.windows):
        note += f"Windows without speech, which are not scored: {len(heard.windows) - len(spoken)}."
    return (
        f'<p class="verdict"><strong style="{_colour(places[heard.emotion])}">{escape(heard.verdict)}</strong>'
        f"<span>{escape(beside)}</span></p>" + (f'<p class="note">{escape(note.strip())}</p>' if note else "")
    )


def _bars(scores: Mapping[str, float], places: Mapping[str, int]) -> str:
    rows = (
        f'<div class="bar" style="{_colour(places[emotion])}"><span>{escape(emotion)}</span>'
        f'<span class="track"><span class="fill" style="display:block;width:{100 * score:.1f}%"></span></span>'
        f'<span class="value">{_percent(score)}</span></div>'
        for emotion, score in sorted(scores.items(), key=lambda item: -item[1])
    )
    return f'<div class="bars">{"".join(rows)}</div>'


def _figure(caption, drawing, seconds):
    marks = "".join(f"<span>{mark:.1f} s</span>" for mark in np.linspace(0, seconds, 3))
    return f'<figure><figcaption>{escape(caption)}</figcaption>{drawing}<div class="axis">{marks}</div></figure>'


def _svg(content, kind=""):
    return f'<svg class="{kind}" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img">{content}</svg>'


def _waveform(extremes):
    """A filled outline of smallest and largest samples, (columns, 2)."""
    across = (np.arange(len(extremes)) + 0.5) * _WIDTH / len(extremes)
    bound = max(float(np.abs(extremes).max()), 1e-9)
    low, high = (_HEIGHT / 2 * (1 - extremes[:, side] / bound) for side in (0, 1))
    outline = _points([*zip(across, high), *reversed([*zip(across, low)])])
    return _svg(f'<polygon points="{outline}" fill="currentColor" stroke="currentColor" stroke-width="0.5"/>')


def _curve(curve: "Curve", seconds: float) -> str:
    """Steps of a curve's values over its stretch of the clip, and a dashed line at what they are compared with."""
    low = min(float(curve.values.min()), curve.reference)
    high = max(float(curve.values.max()), curve.reference)
    room = max(high - low, 1e-9)

    def y(value):
        return _HEIGHT * (0.95 - 0.9 * (value - low) / room)

    edges = np.linspace(curve.start, curve.end, len(curve.values) + 1) / seconds * _WIDTH
    steps = [(x, y(value)) for value, ends in zip(curve.values, zip(edges, edges[1:])) for x in ends]
    base = y(curve.reference)
    area = _points([(edges[0], base), *steps, (edges[-1], base)])
    line = f'<line x1="0" x2="{_WIDTH}" y1="{base:.1f}" y2="{base:.1f}" stroke="currentColor" stroke-dasharray="4 3"/>'
    return _svg(
        f'<polygon points="{area}" fill="{COLOURS[0]}" opacity="0.4"/>'
        f'<polyline points="{_points(steps)}" fill="none" stroke="{COLOURS[5]}" stroke-width="2"/>{line}'
    )


def _over_time(heard, places):
    """A line an emotion through its scores at the middles of the windows; silent windows interrupt it."""
    lines = []
    for emotion, place in places.items():
        pieces: list[list[tuple[float, float]]] = [[]]
        for window in heard.windows:
            if window.emotion is None:
                pieces.append([])
                continue
            middle = (window.start + window.end) / 2 / heard.seconds * _WIDTH
            pieces[-1].append((middle, _HEIGHT * (0.97 - 0.94 * window.scores[emotion])))
        for piece in filter(None, pieces):
            lines.append(
                f'<polyline points="{_points(piece)}" fill="none" stroke="{_of_place(place)}" stroke-width="2.5">'
                f"<title>{escape(emotion)}</title></polyline>"
            )
    return _svg("".join(lines), "tall")


def _table(windows: Sequence[Window], places: Mapping[str, int]) -> str:
    rows = []
    for window in windows:
        dot = f'<span class="dot" style="{_colour(places[window.emotion])}"></span> ' if window.emotion else ""
        score = "–" if window.emotion is None else _percent(window.confidence)
        words = escape(in_words(window.verdict, window.emotion))
        rows.append(f"<tr><td>{window.start:.1f}–{window.end:.1f} s</td><td>{dot}{words}</td><td>{score}</td></tr>")
    head = "<tr><th>window</th><th>verdict</th><th>confidence</th></tr>"
    return f"<details><summary>Every window</summary><table>{head}{''.join(rows)}</table></details>"


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _percent(share):
    return f"{100 * share:.0f} %"


def _of_place(place):
    return COLOURS[place % len(COLOURS)]


def _colour(place):
    return f"--emotion:{_of_place(place)}"
