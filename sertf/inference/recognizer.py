"""Use an exported model: its folder and audio files in, a table of emotions out.

LiteRT scores if the model has a file for it, TensorFlow otherwise. Neither needs Keras. LiteRT starts in a fraction of
TensorFlow's time and takes as long for a window.
"""

import itertools
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sertf.audio.files import SILENCE_SPAN, AudioError, Source, check_rate, resample
from sertf.audio.meter import Meter
from sertf.inference.card import Card, ModelError, check_intact, read_card
from sertf.inference.litert import can_serve, litert_runner
from sertf.inference.recordings import differences, tell
from sertf.inference.speakers import SpeakerError, SpeakerStatistics, check_knows_speakers
from sertf.inference.verdicts import verdict_of, without_speech
from sertf.inference.windows import BATCH, Cutting, checked_rate, sources_of

if TYPE_CHECKING:
    import pandas as pd

    from sertf.inference.evaluation import Evaluation

COLUMNS = ("file", "start", "end", "emotion", "confidence", "verdict")
"""Columns of a table of predictions; those of the scores follow."""
Clips = Sequence[tuple[np.ndarray, int]]
"""Mono float32 samples (n,) with full scale at 1, and their sample rate in Hz, of each clip."""


def load(path: Path | str) -> "Recognizer":
    """Load an exported model.

    Args:
        path: folder from `sertf.export.saved_model.save`.

    Returns:
        `Recognizer`.

    Raises:
        ModelError: no such folder, a file, not a SavedModel, not exported by sertf, or damaged.
    """
    return Recognizer(path)


_tensorflow_process: int | None = None
"""The process that first loaded a SavedModel. In its forks TensorFlow waits forever for threads that they lack."""


def _check_not_forked():
    if _tensorflow_process not in (None, os.getpid()):
        raise ModelError(
            "This process was forked after sertf had started TensorFlow, which does not survive a fork; start processes with "
            'multiprocessing.get_context("spawn"), or fork before the first model is loaded.'
        )


def _saved_model(path):
    global _tensorflow_process
    import tensorflow as tf

    _tensorflow_process = os.getpid()
    try:
        model = tf.saved_model.load(str(path))
        model.signatures["waveform"]
    except (tf.errors.OpError, OSError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{path} is damaged and cannot be loaded ({reason}); export the model again.") from error
    return model


class Window(NamedTuple):
    """The result of one window.

    Attributes:
        start: seconds from the start of the source.
        end: the same, of the window's last sample.
        emotion: the emotion of the largest score; None without speech, which is not scored.
        confidence: that score; the card says whether it is calibrated. NaN without speech.
        verdict: the emotion; `uncertain` if the confidence lies under the threshold; `silence` for digital silence; `no
            speech` for steady sound, see `sertf.audio.steadiness`.
        scores: dict of emotion to score.
    """

    start: float
    end: float
    emotion: str | None
    confidence: float
    verdict: str
    scores: dict[str, float]


class Recognizer:
    """An exported model, ready to predict.

    Several threads may share it. It is pickled by its folder, so a process that receives it loads the model again. A forked
    process loads a LiteRT model again too. TensorFlow does not survive a fork: the next prediction raises `ModelError`.

    Attributes:
        emotions: names of the scores, in their order.
        sample_rate: Hz of the training audio; the model resamples other rates.
        card: the model card, a dict.
        knows_speakers: whether `enroll` can estimate a speaker's statistics. A network of its own scores their speech, or
            the model scales any other speech by the statistics of its training speakers.
        threshold: under this confidence the verdict is `uncertain`; 0 if the card states none. The card may state another
            one for speech of an enrolled speaker.
    """

    def __init__(self, path: Path | str):
        self.card: Card = read_card(Path(path))
        check_intact(Path(path))
        self.emotions: list[str] = list(self.card["emotions"])
        self.sample_rate: int = self.card["sample_rate"]
        certainty = self.card.get("certainty")
        self.threshold: float = certainty["threshold"] if certainty else 0.0
        self.knows_speakers = "known_speakers" in self.card
        self._path = Path(path)
        self._start()
        if self._litert is None:
            _ = self.model  # a damaged one shows now

    def _start(self):
        self._process = os.getpid()
        self._turn = threading.Lock()  # LiteRT has one set of tensors, and TensorFlow loads once
        self._model: Any = None
        self._litert = litert_runner(self._path / self.card["litert"]["file"]) if can_serve(self.card) else None

    def __reduce__(self):
        return type(self), (self._path.absolute(),), {"threshold": self.threshold}

    def __repr__(self):
        return f"Recognizer({self.card['name']}: {', '.join(self.emotions)})"

    @property
    def model(self) -> Any:
        """The SavedModel, for its signatures. It is loaded when first touched, with TensorFlow.

        Raises:
            ModelError: it is damaged, or this process was forked after TensorFlow had started.
        """
        _check_not_forked()
        if self._process != os.getpid():
            self._start()
        with self._turn:
            if self._model is None:
                self._model = _saved_model(self._path)
            return self._model

    def outputs(
        self, waveform: np.ndarray, sample_rate: int, *, speaker: SpeakerStatistics | None = None
    ) -> dict[str, np.ndarray]:
        """All outputs of the model for clips of one length.

        Args:
            waveform: (batch, samples) mono float32, full scale at 1.
            sample_rate: Hz.
            speaker: statistics of the one who speaks, from `enroll`; None for a speaker who is not enrolled.

        Returns:
            dict of arrays whose first axis is the batch: `scores`, and `embedding` and `attention` if the model has them.
        """
        if self._process != os.getpid():
            self._start()  # threads and locks of the process it was forked from are not here
        if speaker is not None:
            statistics = {"mean": speaker.mean, "std": speaker.std}
            if speaker.kernel.size:
                statistics |= {"kernel": speaker.kernel, "bias": speaker.bias}
            known = self.model.signatures["waveform_of_speaker"]
            found = known(waveform=waveform, sample_rate=sample_rate, **statistics)
            return {name: values.numpy() for name, values in found.items()}
        if self._litert is None:
            found = self.model.signatures["waveform"](waveform=waveform, sample_rate=sample_rate)
            return {name: values.numpy() for name, values in found.items()}
        clips = resample(waveform.T, sample_rate, self.sample_rate).T.astype(np.float32, copy=False)
        with self._turn:
            rows = [self._litert(waveform=clip[None]) for clip in clips]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def predict(
        self,
        files: Source | tuple[Any, Any] | Mapping[str, Any] | Iterable[Any],
        *,
        window: float | None = None,
        hop: float | None = None,
        speaker: SpeakerStatistics | None = None,
        threshold: float | None = None,
        voice_activity: bool = True,
        progress: Callable[[float], None] | None = None,
    ) -> "pd.DataFrame":
        """Recognize emotions in audio files, or in samples.

        By default audio of 12 s or less is scored as a whole, and longer audio in windows of 10 s every 5 s. A model
        may use only a fixed span or the middle of a clip. Its card states this as `span_seconds` or `middle_seconds`,
        and its windows have that length. Long files are read block by block, so memory does not grow with their length.
        The last window ends with the audio. A window of digital silence or of steady sound is not scored: its emotion
        is None and its scores are NaN.

        Where the card states band and levels of the training clips, a recording that lacks the band or lies far outside the
        levels warns.

        Args:
            files: one recording or several. A recording is a path, an open binary file, a pair of samples and sample rate
                in Hz in either order, or a dict with "array" and "sampling_rate". Samples have the shape (n,) or
                (n, channels). They are floats with full scale at 1, or 8, 16 or 32-bit integers.
            window: seconds; longer audio is cut into windows of this length. At most what the model uses of a clip.
            hop: seconds from one window to the next, at most `window`; half a window by default.
            speaker: statistics of the one who speaks, from `enroll`; None for a speaker who is not enrolled.
            threshold: under this confidence the verdict is `uncertain`; None takes the card's threshold.
            voice_activity: give steady sound, such as noise or hum, no emotion; False leaves it to the model, which gives it
                equal scores. Digital silence has none either way.
            progress: function that gets the second of the file up to which windows are scored, again and again.

        Returns:
            DataFrame, one row a window: file (empty if it has no name), start and end in seconds, emotion (of the largest
            score), confidence (that score), verdict (the emotion, `uncertain`, `silence` or `no speech`), and one column of
            scores an emotion. Printed, it shows the columns up to the verdict.

        Raises:
            AudioError: a file that is missing, unreadable, too short, silent throughout or otherwise unusable.
            SertfError: no files, a window or hop out of range, statistics of another model, or scores that are not finite.

        Warns:
            RecordingWarning: a recording unlike the training clips.
        """
        from sertf.inference.predictions import Predictions

        cutting = Cutting.of(self.card, window, hop)
        self._check_speaker(speaker)
        rows = [
            (file, *found[:5], *found.scores.values())
            for file, source in sources_of(files)
            for found in self._predicted(file, source, cutting, speaker, threshold, voice_activity, progress)
        ]
        return Predictions(rows, columns=[*COLUMNS, *self.emotions])

    def windows(
        self,
        file: Source | tuple[Any, Any] | Mapping[str, Any],
        *,
        window: float | None = None,
        hop: float | None = None,
        speaker: SpeakerStatistics | None = None,
        threshold: float | None = None,
        voice_activity: bool = True,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Window]:
        """Recognize emotions in one recording, as `predict` does, without pandas.

        Returns:
            Iterator of `Window`.

        Raises:
            AudioError, SertfError: as `predict`; those of the audio while iterating.
        """
        cutting = Cutting.of(self.card, window, hop)
        self._check_speaker(speaker)
        ((name, source),) = sources_of(file)
        return self._predicted(name, source, cutting, speaker, threshold, voice_activity, progress)

    def _predicted(self, file, source, cutting, speaker, threshold, voice_activity, progress):
        # Measured if the card tells what to compare a recording with.
        meters: list[Meter] | None = [] if "recordings" in self.card else None
        for windows in cutting.batches(source, meters):
            yield from self._results(file, windows, speaker, threshold, voice_activity)
            if progress is not None and len(windows) == BATCH:
                progress(windows[-1][0])
        for what in differences(meters[0], self.card["recordings"]) if meters else ():
            tell(file or "the samples", what, stacklevel=3)

    def enroll(
        self,
        clips: Source | tuple[Any, Any] | Mapping[str, Any] | Iterable[Any],
        *,
        window: float | None = None,
        hop: float | None = None,
    ) -> SpeakerStatistics:
        """Estimate the statistics of one speaker from clips of theirs, without labels.

        The clips should hold all emotions that the speaker shows. A model that trains itself on them needs several emotions,
        since clips of one alone mislead it. `predict` and `stream` take the result. Its method
        `save` writes it to a file, and `SpeakerStatistics.load` reads it.

        Args:
            clips: recordings of one speaker, as `files` of `predict`; memory holds one at a time of an iterator's.
            window, hop: seconds, as for `predict`: long recordings count as their windows.

        Returns:
            `SpeakerStatistics` of this model.

        Raises:
            AudioError: as `predict`.
            SpeakerError: the model knows no speakers, or the clips give a single vector of features.
            SertfError: no clips, or a window or hop out of range.
        """
        return self.enroll_all({"": clips}, window=window, hop=hop)[""]

    def enroll_all(
        self, clips: Mapping[str, Any], *, window: float | None = None, hop: float | None = None
    ) -> dict[str, SpeakerStatistics]:
        """Estimate the statistics of several speakers, each from clips of theirs, without labels.

        A model that trains itself on the clips does so on all of them together. Where they are of one corpus, this helps
        more than each speaker's own.

        Args:
            clips: the recordings of each speaker by name, as `clips` of `enroll`.
            window, hop: seconds, as for `predict`.

        Returns:
            `SpeakerStatistics` by name.

        Raises:
            AudioError, SertfError: as `enroll`; a sentence on the clips of one of several speakers names them.
        """
        from sertf.inference.enrolment import enrolled

        check_knows_speakers(self.card)
        return enrolled(self.model, self.card, clips, Cutting.of(self.card, window, hop))

    def _check_speaker(self, speaker):
        if speaker is None:
            return
        check_knows_speakers(self.card)
        if speaker.model != self.card["known_speakers"]["model"]:
            raise SpeakerError(
                f"The speaker's statistics belong to the model {speaker.name} ({speaker.model[:8]}), not to "
                f"{self.card['name']} ({self.card['known_speakers']['model'][:8]}); enrol the speaker with this model."
            )

    def score(self, clips: Clips, *, speaker: SpeakerStatistics | None = None) -> np.ndarray:
        """Score many clips in batches: each as a whole or, if longer, by the mean of its windows' scores.

        Args:
            clips: samples and rates, all in memory; cut into windows as by `predict`.
            speaker: statistics of the one who speaks in all of them, from `enroll`; None for nobody who is enrolled.

        Returns:
            (clips, emotions) scores; NaN for a clip of digital silence.

        Raises:
            AudioError: a clip that is too short, or of a sample rate out of range.
        """
        cutting = Cutting.of(self.card)
        pieces = []  # (sample rate, samples, place of the clip)
        for place, clip in enumerate(clips):
            for _, samples, rate in cutting.pieces(clip):
                if np.ptp(samples) >= SILENCE_SPAN:
                    pieces.append((rate, samples, place))
        pieces.sort(key=lambda piece: (piece[0], len(piece[1])))  # those of about one length are padded little
        totals, counts = np.zeros((len(clips), len(self.emotions))), np.zeros(len(clips))

        # Speech of a speaker is not padded: that signature takes no lengths.
        def together(piece):
            return piece[0] if speaker is None else (piece[0], len(piece[1]))

        for _, group in itertools.groupby(pieces, key=together):
            alike = list(group)
            for batch in (alike[start : start + BATCH] for start in range(0, len(alike), BATCH)):
                places = [place for *_, place in batch]
                np.add.at(totals, places, self._scores_of(batch, speaker))
                np.add.at(counts, places, 1)
        with np.errstate(invalid="ignore"):
            return totals / counts[:, None]

    def _scores_of(self, pieces, speaker):
        """Scores (pieces, emotions) of pieces of one sample rate, and of one length if a speaker is given."""
        rate = pieces[0][0]
        if speaker is not None:
            return self.outputs(np.stack([samples for _, samples, _ in pieces]), rate, speaker=speaker)["scores"]
        lengths = np.array([len(samples) for _, samples, _ in pieces], np.int32)
        padded = np.stack([np.pad(samples, (0, lengths.max() - len(samples))) for _, samples, _ in pieces])
        score = self.model.signatures["waveform_with_lengths"]
        return score(waveform=padded, lengths=lengths, sample_rate=rate)["scores"].numpy()

    def evaluate(
        self,
        table: "pd.DataFrame",
        *,
        split: str | None = None,
        conditions: bool = False,
        known_speakers: str | None = None,
        by: Sequence[str] = (),
        skip_bad: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> "Evaluation":
        """Measure how good the model is on labelled clips.

        Clips of emotions that the model lacks are left out. The answer is the emotion of the largest score. Longer clips
        than 12 s are scored in windows, by the mean of their scores.

        Args:
            table: utterance table, from `sertf.corpora`.
            split: "test" keeps the speakers that the model was tested on, as its card names them; None keeps all.
            conditions: score the clips under each of `sertf.audio.conditions.CONDITIONS` too.
            known_speakers: enrol speakers by the clips that are scored, without labels; under a condition by the clips under
                it. "each" enrols each speaker alone, as `enroll` does, and "all" all of them, as `enroll_all` does. "one"
                enrols all speakers of a corpus as one, where nobody tells them apart. None enrols nobody.
            by: columns of the table to break the accuracy down by, besides gender, intensity, language and corpus.
            skip_bad: leave out clips that cannot be used, instead of raising.
            progress: function that gets the numbers of scored clips and of all, again and again.

        Returns:
            `sertf.inference.evaluation.Evaluation`.

        Raises:
            SertfError: fewer than two of the model's emotions, clips that cannot be used, an unknown column, a split that
                the card does not tell, or speakers that cannot be enrolled.
        """
        from sertf.inference.evaluation import evaluate

        return evaluate(
            self,
            table,
            split=split,
            conditions=conditions,
            known_speakers=known_speakers,
            by=by,
            skip_bad=skip_bad,
            progress=progress,
        )

    def stream(
        self,
        chunks: Iterable[np.ndarray],
        *,
        sample_rate: int,
        window: float | None = None,
        hop: float | None = None,
        speaker: SpeakerStatistics | None = None,
        threshold: float | None = None,
        voice_activity: bool = True,
    ) -> Iterator[Window]:
        """Recognize emotions in a live source, in overlapping windows while it runs.

        The iterator reads chunks as results are asked for. A window's result comes as soon as its last sample is there:
        the first after `window` seconds, then one every `hop` seconds. So speech shows in a result at most `hop` seconds,
        and the time to score one window, later. No chunk is read while a window is scored; the source has to buffer
        what arrives meanwhile. Memory holds a window, a hop and a chunk of samples, however long the source runs. The
        last window ends with the source. A source shorter than a window gives one result for all of it.

        Args:
            chunks: iterable of mono float arrays (n,) of any lengths, full scale at 1; copied when read.
            sample_rate: Hz of the chunks.
            window: seconds of a window; 10 by default, or what the model uses of a clip, as in `predict`.
            hop: seconds from one window to the next, at most `window`; half a window by default.
            speaker, threshold, voice_activity: as for `predict`.

        Returns:
            Iterator of `Window`.

        Raises:
            SertfError: at once for a sample rate, window, hop or statistics that do not fit. While iterating for a chunk that cannot be
                used, or a source that ends without a sample or sooner than the model needs.
        """
        cutting = Cutting.of(self.card, window, hop)
        self._check_speaker(speaker)
        rate = checked_rate(sample_rate)
        check_rate(rate, "the source", self.card["sample_rates"])
        how = speaker, threshold, voice_activity
        return itertools.chain.from_iterable(self._results("", [piece], *how) for piece in cutting.live(chunks, rate))

    def _results(self, file, windows, speaker, threshold, voice_activity):
        """Score windows of one file, all of the same length."""
        if threshold is None:
            of_speaker = self.card["known_speakers"].get("threshold") if speaker else None
            threshold = self.threshold if of_speaker is None else of_speaker
        unscored = [without_speech(samples, rate, steady=voice_activity) for _, samples, rate in windows]
        spoken = [i for i, verdict in enumerate(unscored) if verdict is None]
        scores = np.full((len(windows), len(self.emotions)), np.nan)
        if spoken:
            batch = np.stack([windows[i][1] for i in spoken])
            rate = windows[0][2]
            scores[spoken] = self.outputs(batch, rate, speaker=speaker)["scores"]
            if not np.isfinite(scores[spoken]).all():
                raise AudioError(
                    file or "the samples", "the model gives scores that are not finite; use another model or convert it"
                )
        for (start, samples, rate), row, verdict in zip(windows, scores, unscored):
            named = dict(zip(self.emotions, row.tolist()))
            emotion = max(named, key=named.__getitem__) if verdict is None else None
            confidence = named[emotion] if emotion is not None else math.nan
            verdict = verdict or verdict_of(emotion, confidence, threshold)
            yield Window(start, start + len(samples) / rate, emotion, confidence, verdict, named)
