"""The work of `sertf app`: the models to choose from, and the recognition of one clip by one of them."""

import contextlib
import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sertf import papers
from sertf.audio.files import AudioError, open_audio, stated_seconds
from sertf.errors import SertfError
from sertf.inference.bundled import DEFAULT, folder_of, names
from sertf.inference.card import ModelError, read_card
from sertf.inference.card_page import render_card
from sertf.inference.litert import can_serve
from sertf.inference.recognizer import Recognizer, Window, load
from sertf.inference.recordings import collected
from sertf.inference.speakers import SpeakerStatistics
from sertf.inference.verdicts import verdict_of
from sertf.parallel.environment import import_tensorflow_quietly

FOLDER = Path("models")
PARTS = 20
"""Number of parts of a clip that are silenced in turn, to see what a result rests on."""
_COLUMNS = 600  # of a drawn waveform
_BATCH = 4  # clips with a silenced part scored at a time
_LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ur": "Urdu",
    "zh": "Chinese",
}


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


class Curve(NamedTuple):
    """Values of equal shares of a stretch of time.

    Attributes:
        start, end: of the stretch, seconds.
        values: one a share, (shares,).
        label: what they are.
        reference: value to compare them with.
    """

    start: float
    end: float
    values: np.ndarray
    label: str
    reference: float


class Heard(NamedTuple):
    """What a model heard in a clip.

    Attributes:
        name: of the file.
        model: title of the model.
        verdict: the emotion of the largest score, or `uncertain`.
        emotion: that emotion.
        confidence: that score.
        threshold: under this confidence the verdict is `uncertain`.
        scores: dict of emotion to score, the mean over the windows that are not silent.
        windows: the windows of the clip, one if it is short.
        seconds: length of the clip.
        extremes: smallest and largest sample of equal shares of the clip, (columns, 2).
        warnings: sentences on what may make the answer wrong.
        speaker_clips: how many windows of other recordings the speaker is known by; 0 for an unknown speaker.
        curve: what the result rests on; None until it is computed.
    """

    name: str
    model: str
    verdict: str
    emotion: str
    confidence: float
    threshold: float
    scores: dict[str, float]
    windows: list[Window]
    seconds: float
    extremes: np.ndarray
    warnings: list[str]
    speaker_clips: int = 0
    curve: Curve | None = None


class Fault(NamedTuple):
    """Why there is no answer, in a sentence or two."""

    sentence: str


class Listener:
    """Recognizes clips with one of several models. It loads a model when first needed and keeps the last one.

    Args:
        folders: dict of name to folder, from `models`.
    """

    def __init__(self, folders: Mapping[str, Path]):
        self.folders = folders
        self._name: str | None = None
        self._model: Recognizer | None = None
        self._speaker: tuple[tuple[str, ...], SpeakerStatistics] | None = None
        self._turn = threading.Lock()

    def titles(self) -> dict[str, str]:
        """The models' names by titles in words: what it is, languages and number of emotions."""
        found: dict[str, str] = {}
        for name, folder in self.folders.items():
            card = read_card(folder)
            languages = [_LANGUAGES.get(code, code) for code in card["corpus"]["languages"]]
            kinds = f"{len(card['emotions'])} emotions"
            title = f"{_named(name, card)} ({', '.join([*languages, kinds])})"
            found[f"{title}, {name}" if title in found else title] = name
        return found

    def title(self, name: str) -> str:
        """The title of a model."""
        return next(title for title, other in self.titles().items() if other == name)

    def threshold(self, name: str, *, enrolled: bool = False) -> float:
        """The threshold of certain answers that a model's card states, to 0.01; 0 without one.

        Args:
            name: of the model.
            enrolled: take that of an enrolled speaker, where the card states another one.
        """
        card = read_card(self.folders[name])
        certainty, known = card.get("certainty"), card.get("known_speakers", {})
        if enrolled and "threshold" in known:
            return round(known["threshold"], 2)
        return round(certainty["threshold"], 2) if certainty else 0.0

    def knows_speakers(self, name: str) -> bool:
        """Whether a model answers better by other recordings of the speaker."""
        return "known_speakers" in read_card(self.folders[name])

    def warm_up(self, name: str) -> threading.Thread:
        """Load a model and let it score half a second of noise, in the background. What fails shows at the first clip."""

        def work():
            with contextlib.suppress(SertfError):
                model = self._loaded(name)
                noise = np.random.default_rng(0).normal(scale=0.1, size=model.sample_rate // 2).astype("float32")
                model.outputs(noise[None], model.sample_rate)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def card(self, name: str) -> str:
        """The model card as Markdown, with headings one level lower to fit the page."""
        text = render_card(read_card(self.folders[name]))
        lines = text.splitlines()
        code = np.cumsum([line.startswith("```") for line in lines]) % 2
        return "\n".join(
            f"#{line}" if line.startswith("#") and not inside else line for line, inside in zip(lines, code)
        )

    def hear(
        self, path: Path | str | None, name: str, threshold: float = 0.0, of_speaker: Iterable[str] = ()
    ) -> Iterator[Heard | Fault]:
        """Recognize the emotion in a clip: the answer first, then the same with its curve. A mistake is a `Fault`.

        Args:
            path: audio file, or None if none was given.
            name: name of the model.
            threshold: under this confidence the verdict is `uncertain`.
            of_speaker: other recordings of the one who speaks, for a model that `knows_speakers`.
        """
        if path is None:
            yield Fault("No recording yet. Record a sentence or upload a file.")
            return
        try:
            stated_seconds(path)  # shows most faults before a model is loaded
            model = self._loaded(name)
            speaker = self._enrolled(model, tuple(of_speaker)) if of_speaker else None
            yield from self._hear(Path(path), model, name, threshold, speaker)
        except AudioError as error:
            # The path is that of a copy in a temporary folder. The user knows the file by its name.
            yield Fault(f"This recording cannot be used. {Path(error.path).name}: {error.reason}.")
        except SertfError as error:
            yield Fault(f"This does not work. {error}")

    def _loaded(self, name):
        with self._turn:
            if name != self._name:
                if not can_serve(read_card(self.folders[name])):
                    import_tensorflow_quietly()
                self._name = self._model = self._speaker = None  # memory never holds two models
                self._model = load(self.folders[name])
                self._name = name
            return self._model

    def _enrolled(self, model, clips):
        """Statistics of a speaker; those of the last clips are kept."""
        with self._turn:
            if self._speaker is None or self._speaker[0] != clips:
                import_tensorflow_quietly()
                self._speaker = clips, model.enroll(clips)
            return self._speaker[1]

    def _hear(self, path, model, name, threshold, speaker):
        with collected() as unlike:
            windows = list(model.windows(path, threshold=threshold, speaker=speaker))
        spoken = [window for window in windows if window.emotion is not None]
        if not spoken:
            yield Fault(f"There is no speech in this recording. {path.name} holds steady sound, such as noise or hum.")
            return
        scores = {emotion: float(np.mean([window.scores[emotion] for window in spoken])) for emotion in model.emotions}
        emotion = max(scores, key=scores.__getitem__)
        surest = max(spoken, key=lambda window: window.confidence)
        seconds, extremes, pieces, at = windows[-1].end, [], [], 0
        with open_audio(path) as opened:
            rate = opened.sample_rate
            first, last = round(surest.start * rate), round(surest.end * rate)
            for block in opened.blocks(max(1, math.ceil(seconds * rate / _COLUMNS))):
                extremes.append((block.min(), block.max()))
                pieces.append(block[max(0, first - at) : max(0, last - at)])
                at += len(block)
        heard = Heard(
            name=path.name,
            model=self.title(name),
            verdict=verdict_of(emotion, scores[emotion], threshold),
            emotion=emotion,
            confidence=scores[emotion],
            threshold=threshold,
            scores=scores,
            windows=windows,
            seconds=seconds,
            extremes=np.array(extremes),
            warnings=[f"Unlike the training clips: {what}." for what in unlike],
            speaker_clips=speaker.clips if speaker else 0,
        )
        yield heard
        samples = np.concatenate(pieces)  # (n,)
        curve = inside(model, samples, rate, surest.emotion, speaker)._replace(start=surest.start, end=surest.end)
        yield heard._replace(curve=curve)


def _named(name, card):
    """A model in words: the title of its variant where the zoo has the experiment, else its folder's name."""
    if name == DEFAULT:
        return "Default recognizer"
    with contextlib.suppress(SertfError, KeyError):
        return papers.find(card["experiment"]).experiment.variants[card["variant"]].title or name
    return name.replace("_", " ")


def inside(
    model: Recognizer, samples: np.ndarray, sample_rate: int, emotion: str, speaker: SpeakerStatistics | None = None
) -> Curve:
    """What a model's result on one clip rests on: its attention over time, or else occlusion.

    Occlusion (Zeiler and Fergus 2014) silences each part of the clip in turn. The curve shows how far the emotion's
    score falls.

    Args:
        model: `Recognizer`.
        samples: mono float32, (n,), of a length that the model scores as a whole.
        sample_rate: Hz.
        emotion: the emotion whose score is watched.
        speaker: statistics of the one who speaks; None for nobody who is enrolled.

    Returns:
        `Curve` over the clip: attention in %, or the fall of the score for each of `PARTS` parts.
    """
    outputs = model.outputs(samples[None], sample_rate, speaker=speaker)
    seconds = len(samples) / sample_rate
    # With a fixed number of frames the clip was cut or padded. Steps of attention are no shares of the clip then.
    if "attention" in outputs and model.card["front_end"]["shape"][0] is None:
        values = 100 * outputs["attention"][0]  # (steps,)
        return Curve(0.0, seconds, values, "Attention over time; the dashed line is even attention", 100 / len(values))
    place = model.emotions.index(emotion)
    parts = np.array_split(np.arange(len(samples)), PARTS)
    silenced = []
    for first in range(0, PARTS, _BATCH):
        batch = np.repeat(samples[None], len(parts[first : first + _BATCH]), axis=0)
        for row, part in zip(batch, parts[first : first + _BATCH]):
            row[part] = 0
        silenced += list(model.outputs(batch, sample_rate, speaker=speaker)["scores"][:, place])
    falls = outputs["scores"][0, place] - np.array(silenced)  # (PARTS,)
    label = f"What {emotion} rests on: how far its score falls when a part is silenced"
    return Curve(0.0, seconds, falls, label, 0.0)
