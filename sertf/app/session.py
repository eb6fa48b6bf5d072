"""The work of `sertf app`: the models to choose from, and the recognition of one clip by one of them."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sertf.audio.files import AudioError, open_audio, stated_seconds
from sertf.errors import SertfError
from sertf.inference.bundled import folder_of, names
from sertf.inference.card import ModelError, read_card, render_card
from sertf.inference.recognizer import Recognizer, load
from sertf.inference.recordings import collected
from sertf.parallel.environment import import_tensorflow_quietly

if TYPE_CHECKING:
    from sertf.plots.clips import Curve

FOLDER = Path("models")
PARTS = 20
"""Number of parts of a clip that are silenced in turn, to see what a result rests on."""
_COLUMNS = 1200  # of a drawn waveform
_BATCH = 4  # clips with a silenced part scored at a time


def models(given: Iterable[Path | str] = ()) -> dict[str, Path]:
    """The models to choose from.

    Args:
        given: names of bundled models, folders of exported ones, or folders of several of these. Without any, the bundled
            models and those in `FOLDER`.

    Returns:
        Dict of name to folder. A second model of the same name is listed by its path.

    Raises:
        SertfError: an unknown name, or a folder without a model that sertf exported.
    """
    if given:
        folders = [folder for model in given for folder in _models_in(folder_of(model))]
    else:
        folders = [*map(folder_of, names()), *_exported(FOLDER)]
    found = {}
    for folder in dict.fromkeys(folders):
        found[str(folder) if folder.name in found else folder.name] = folder
    return found


def _models_in(folder):
    """The folder itself, if it is a model, else the models in it."""
    inside = [] if (folder / "saved_model.pb").exists() else _exported(folder)
    if not inside:
        read_card(folder)  # raises the error to show
    return inside or [folder]


def _exported(folder):
    """Folders of the models that sertf exported into a folder; others are left out."""

    def ours(path):
        try:
            return bool(read_card(path))
        except ModelError:
            return False

    return [path.parent for path in sorted(folder.glob("*/saved_model.pb")) if ours(path.parent)]


class Heard(NamedTuple):
    """What the page shows of a clip.

    Attributes:
        text: Markdown: the emotion and its confidence, or the sentence of an error.
        scores: dict of emotion to score, the mean over the windows; None if the clip cannot be used.
        figure: the clip over time, a matplotlib `Figure`; None if the clip cannot be used.
    """

    text: str
    scores: dict[str, float] | None = None
    figure: Any = None


class Listener:
    """Recognizes clips with one of several models. It loads a model when first needed and keeps the last one.

    Args:
        folders: dict of name to folder, from `models`.
    """

    def __init__(self, folders: Mapping[str, Path]):
        self.folders = folders
        self._name = self._model = None

    def card(self, name: str) -> str:
        """The model card as Markdown, with headings one level lower to fit the page."""
        text = render_card(read_card(self.folders[name]))
        lines = text.splitlines()
        code = np.cumsum([line.startswith("```") for line in lines]) % 2
        return "\n".join(
            f"#{line}" if line.startswith("#") and not inside else line for line, inside in zip(lines, code)
        )

    def hear(self, path: Path | str | None, name: str, threshold: float = 0.0) -> Heard:
        """Recognize the emotion in a clip. A mistake becomes a sentence in the result.

        Args:
            path: audio file, or None if none was given.
            name: name of the model.
            threshold: below this confidence the verdict is `uncertain`, as in `sertf predict`.

        Returns:
            `Heard`.
        """
        if path is None:
            return Heard("**No recording yet.** Upload a recording, record one or pick an example.")
        try:
            stated_seconds(path)  # shows most faults before a model is loaded
            return self._hear(path, self._loaded(name), name, threshold)
        except AudioError as error:
            # The path is that of a copy in a temporary folder. The user knows the file by its name.
            return Heard(f"**This recording cannot be used.** {Path(error.path).name}: {error.reason}.")
        except SertfError as error:
            return Heard(f"**This does not work.** {error}")

    def _loaded(self, name):
        if name != self._name:
            import_tensorflow_quietly()
            self._name = self._model = None  # memory never holds two models
            self._model = load(self.folders[name])
            self._name = name
        return self._model

    def _hear(self, path, model, name, threshold):
        from sertf.plots import clips

        with collected() as unlike:
            table = model.predict(path)
        heard = table.dropna(subset="emotion")
        means = {emotion: float(heard[emotion].mean()) for emotion in model.emotions}
        window = heard.loc[heard["confidence"].idxmax()]
        seconds, extremes, pieces, at = table["end"].max(), [], [], 0
        with open_audio(path) as opened:
            rate = opened.sample_rate
            first, last = round(window["start"] * rate), round(window["end"] * rate)
            for block in opened.blocks(max(1, math.ceil(seconds * rate / _COLUMNS))):
                extremes.append((block.min(), block.max()))
                pieces.append(block[max(0, first - at) : max(0, last - at)])
                at += len(block)
        samples = np.concatenate(pieces)  # (n,)
        curve = inside(model, samples, rate, window["emotion"])._replace(start=window["start"], end=window["end"])
        middles = (table["start"] + table["end"]) / 2
        over_time = (middles, {emotion: table[emotion] for emotion in model.emotions}) if len(table) > 1 else None
        figure = clips.heard(np.array(extremes), seconds, curve, over_time)
        text = _in_words(table, means, threshold)
        if len(table) > 1:
            stretch = f"{window['start']:.1f} to {window['end']:.1f} s"
            text += f" The curve below belongs to the window with the largest score, {stretch}."
        text += "".join(f"\n\n**Unlike the training clips:** {what}." for what in unlike)
        return Heard(f"{text}\n\n`{Path(path).name}`, recognized by `{name}`", means, figure)


def _in_words(table, means, threshold):
    """The result of a clip in Markdown, from its windows and their mean scores."""
    emotion = max(means, key=means.get)
    confidence = means[emotion]
    silent = int(table["emotion"].isna().sum())
    if confidence >= threshold:
        text = f"## {emotion}\n\nConfidence {confidence:.2f}: the largest score."
    else:
        text = f"## uncertain\n\nThe largest score, {confidence:.2f} for {emotion}, is below {threshold:.2f}."
    if len(table) > 1:
        seconds = table["end"].iloc[0] - table["start"].iloc[0]
        text += f" Scores are means over {len(table) - silent} windows of {seconds:g} s."
    if silent:
        text += f" Windows of digital silence, which are not scored: {silent}."
    return text


def inside(model: Recognizer, samples: np.ndarray, sample_rate: int, emotion: str) -> "Curve":
    """What a model's result on one clip rests on: its attention over time, or else occlusion.

    Occlusion (Zeiler and Fergus 2014) silences each part of the clip in turn. The curve shows how far the emotion's
    score falls.

    Args:
        model: `Recognizer`.
        samples: mono float32, (n,), of a length that the model scores as a whole.
        sample_rate: Hz.
        emotion: the emotion whose score is watched.

    Returns:
        `plots_clips.Curve` over the clip: attention in %, or the fall of the score for each of `PARTS` parts.
    """
    from sertf.plots import clips

    score = model.model.signatures["waveform"]
    outputs = {key: value.numpy() for key, value in score(waveform=samples[None], sample_rate=sample_rate).items()}
    seconds = len(samples) / sample_rate
    # With a fixed number of frames the clip was cut or padded. Steps of attention are no shares of the clip then.
    if "attention" in outputs and model.card["front_end"]["shape"][0] is None:
        values = 100 * outputs["attention"][0]  # (steps,)
        return clips.Curve(0.0, seconds, values, "attention in %", 100 / len(values), "even attention")
    place = model.emotions.index(emotion)
    parts = np.array_split(np.arange(len(samples)), PARTS)
    silenced = []
    for first in range(0, PARTS, _BATCH):
        batch = np.repeat(samples[None], len(parts[first : first + _BATCH]), axis=0)
        for row, part in zip(batch, parts[first : first + _BATCH]):
            row[part] = 0
        silenced += list(score(waveform=batch, sample_rate=sample_rate)["scores"].numpy()[:, place])
    falls = outputs["scores"][0, place] - np.array(silenced)  # (PARTS,)
    return clips.Curve(0.0, seconds, falls, f"fall of {emotion}'s\nscore if silenced", 0.0, "no change")
