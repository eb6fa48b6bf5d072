"""Exported models at work: a SavedModel and audio files in, a table of emotions out. Needs TensorFlow, not Keras."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from sertf import audio
from sertf.audio import AudioError
from sertf.errors import SertfError

CARD = "model_card.json"
MAKER = "sertf"
WHOLE_SECONDS = 12.0
WINDOW_SECONDS = 10.0
_BATCH = 8  # windows scored at a time


class ModelError(SertfError):
    """A folder that is no exported model."""


def load(path):
    """Load an exported model.

    Args:
        path: folder that `sertf.export.save` wrote.

    Returns:
        `Recognizer`.

    Raises:
        ModelError: no such folder, no SavedModel, one that sertf did not export, or a damaged one.
    """
    return Recognizer(path)


def read_card(path):
    """The model card of an exported model, a dict, without loading the model.

    Raises:
        ModelError: as `load`.
    """
    path = Path(path)
    if not path.is_dir():
        raise ModelError(f"{path}: no such folder; give the folder of an exported model.")
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"{path} is not a SavedModel (it holds no saved_model.pb); export one with sertf.export.save.")
    try:
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
        ours = card["made_by"] == MAKER
    except FileNotFoundError:
        ours = False
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path / CARD} cannot be read ({error}); export the model again.") from error
    if not ours:
        raise ModelError(f"{path} is a SavedModel, but none that sertf exported; export one with sertf.export.save.")
    return card


class Recognizer:
    """An exported model, ready to predict.

    Attributes:
        emotions: names of the scores, in their order.
        sample_rate: Hz of the audio that the model was trained on; other rates are resampled inside it.
        card: the model card, a dict.
        model: the loaded SavedModel, for its signatures.
    """

    def __init__(self, path):
        self.card = read_card(path)
        import tensorflow as tf

        try:
            self.model = tf.saved_model.load(str(path))
            self._score = self.model.signatures["waveform"]
            self.emotions = [name.decode() for name in self.model.emotions.numpy()]
            self.sample_rate = int(self.model.sample_rate)
        except (tf.errors.OpError, OSError, ValueError, KeyError, AttributeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(f"{path} cannot be loaded, it is damaged ({reason}); export the model again.") from error

    def __repr__(self):
        return f"Recognizer({self.card['name']}: {', '.join(self.emotions)})"

    def predict(self, files, *, window=None, hop=None, progress=None):
        """Recognize emotions in audio files, or in samples.

        By default audio of 12 s or less is scored as a whole, and longer audio in windows of 10 s every 5 s. Long
        files are read block by block, so that memory does not grow with their length. The last window ends where the
        audio ends. A window of digital silence is not scored: its emotion is None and its scores are NaN.

        Args:
            files: a path, several paths, or a pair of samples, float (n,) with full scale at 1, and sample rate in Hz.
            window: seconds; audio longer than this is cut into windows of this length.
            hop: seconds from window to window, at most `window`; half a window by default.
            progress: function that is told, again and again, at which second of the file its windows are scored.

        Returns:
            DataFrame, one row a window: file (empty for samples), start and end in seconds, emotion (of the largest
            score), confidence (that score, no calibrated probability), and one column of scores an emotion.

        Raises:
            AudioError: a file that is missing, unreadable, too short, silent throughout or otherwise unusable.
            SertfError: no files, or a window or hop out of range.
        """
        import pandas as pd

        limit, window, hop = self._windows(window, hop)
        rows = []
        for file, clip in _sources(files):
            pending = []
            for start, samples, rate in self._cut(file, clip, limit, window, hop):
                pending.append((start, samples, rate))
                if len(pending) == _BATCH:
                    rows += self._rows(file, pending)
                    pending = []
                    if progress is not None:
                        progress(start)
            rows += self._rows(file, pending)
        return pd.DataFrame(rows, columns=["file", "start", "end", "emotion", "confidence", *self.emotions])

    def _windows(self, window, hop):
        if window is None and hop is None:
            return WHOLE_SECONDS, WINDOW_SECONDS, WINDOW_SECONDS / 2
        length = WINDOW_SECONDS if window is None else window
        hop = length / 2 if hop is None else hop
        shortest = self.card["minimum_seconds"]
        if not shortest <= length < np.inf:
            raise SertfError(f"window must be {shortest:g} s or more, but is {window!r}.")
        if not 0.01 <= hop <= length:
            raise SertfError(f"hop must lie between 0.01 s and the window of {length:g} s, but is {hop!r}.")
        return (WHOLE_SECONDS if window is None else length), length, hop

    def _cut(self, file, clip, limit, window, hop):
        """Yield (start in seconds, samples, sample rate) of one source."""
        if clip is None and _seconds(file) > limit:
            with soundfile.SoundFile(file) as opened:
                rate = opened.samplerate
                self._check(file, opened.frames, rate)
                blocks = _blocks(opened, file, block=round(window * rate))
                for start, samples in cut_windows(blocks, round(window * rate), max(1, round(hop * rate))):
                    yield start / rate, samples, rate
            return
        # What cannot be opened ends here too: audio.read says why.
        samples, rate = audio.read(file) if clip is None else clip
        self._check(file or "the samples", len(samples), rate)
        if len(samples) <= limit * rate:
            yield 0.0, samples, rate
            return
        for start, part in cut_windows([samples], round(window * rate), max(1, round(hop * rate))):
            yield start / rate, part, rate

    def _check(self, file, samples, rate):
        lowest, highest = self.card["sample_rates"]
        if not lowest <= rate <= highest:
            raise AudioError(file, f"its sample rate is {rate} Hz, {lowest} to {highest} Hz can be used; convert it")
        shortest = self.card["minimum_seconds"]
        if samples / rate < shortest:
            raise AudioError(
                file, f"too short: {samples / rate:.4f} s, this model needs {shortest:g} s or more; leave it out"
            )

    def _rows(self, file, windows):
        """Score windows of one file, which are all of the same length, and make table rows of them."""
        spoken = [i for i, (_, samples, _) in enumerate(windows) if np.ptp(samples) >= audio.SILENCE_SPAN]
        scores = np.full((len(windows), len(self.emotions)), np.nan)
        if spoken:
            batch = np.stack([windows[i][1] for i in spoken])
            rate = windows[0][2]
            scores[spoken] = self._score(waveform=batch, sample_rate=rate)["scores"].numpy()
        rows = []
        for i, (start, samples, rate) in enumerate(windows):
            best = int(scores[i].argmax()) if i in spoken else None
            emotion, confidence = (None, np.nan) if best is None else (self.emotions[best], scores[i, best])
            rows.append([file, start, start + len(samples) / rate, emotion, confidence, *scores[i]])
        return rows


def cut_windows(blocks, size, step):
    """Cut a stream of arrays into overlapping windows; memory holds a window, a step and a block.

    Args:
        blocks: arrays of any lengths that follow each other, (n,).
        size: samples of a window.
        step: samples from window to window, at most `size`.

    Yields:
        (start, samples): a window's place in the stream and its samples, (size,). The last window is moved back to
        end where the stream ends; a stream shorter than a window gives one short window.

    >>> [(start, samples.tolist()) for start, samples in cut_windows([np.arange(3), np.arange(3, 6)], 3, 2)]
    [(0, [0, 1, 2]), (2, [2, 3, 4]), (3, [3, 4, 5])]
    """
    kept, origin, following = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        kept = np.concatenate([kept, block]) if len(kept) else np.asarray(block)
        end = origin + len(kept)
        while following + size <= end:
            yield following, kept[following - origin : following - origin + size]
            following += step
        # The last whole window stays, in case that the stream ends here.
        keep = max(origin, min(following, end - size))
        kept, origin = kept[keep - origin :], keep
    end = origin + len(kept)
    covered = following - step + size if following else 0
    if end > covered:
        start = max(origin, end - size)
        yield start, kept[start - origin :]


def _sources(files):
    """(file, None) of each path, or ("", (samples, sample rate))."""
    if isinstance(files, (str, os.PathLike)):
        return [(os.fspath(files), None)]
    if isinstance(files, tuple) and len(files) == 2 and not isinstance(files[0], (str, os.PathLike)):
        return [("", _checked_clip(*files))]
    if not isinstance(files, Iterable) or isinstance(files, np.ndarray):
        raise SertfError(
            f"files must be a path, several paths, or a pair (samples, sample_rate), but is a {type(files).__name__}."
        )
    files = list(files)
    if not files:
        raise SertfError("files is empty; give one audio file or more.")
    wrong = [file for file in files if not isinstance(file, (str, os.PathLike))]
    if wrong:
        raise SertfError(f"files must hold paths only, but holds a {type(wrong[0]).__name__}.")
    return [(os.fspath(file), None) for file in files]


def _checked_clip(samples, sample_rate):
    samples = np.asarray(samples)
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise SertfError(
            f"samples must be mono floats (n,) with full scale at 1, but are {samples.dtype} {samples.shape}; "
            "mix channels by their mean, divide 16-bit integers by 32768."
        )
    if isinstance(sample_rate, bool) or not float(sample_rate).is_integer() or sample_rate < 1:
        raise SertfError(f"sample_rate must be a whole number of Hz above 0, but is {sample_rate!r}.")
    samples = samples.astype(np.float32, copy=False)
    audio.check(samples, int(sample_rate), path="the samples")
    return samples, int(sample_rate)


def _seconds(path):
    """Duration that a file states, 0 if it cannot be opened."""
    try:
        return soundfile.info(path).duration
    except (soundfile.SoundFileError, OSError, RuntimeError):
        return 0.0


def _blocks(opened, path, *, block):
    """Yield a file's samples as mono float32 blocks; raise `AudioError` as `sertf.audio.read` does."""
    count, low, high = 0, np.inf, -np.inf
    while True:
        try:
            samples = opened.read(block, dtype="float32", always_2d=True).mean(axis=1)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError(path, f"not readable as audio ({error}); fetch it again or convert it to WAV") from error
        if len(samples) == 0:
            break
        if not np.isfinite(samples).all():
            raise AudioError(path, "some samples are not finite (NaN or infinite); convert it again")
        count, low, high = count + len(samples), min(low, samples.min()), max(high, samples.max())
        yield samples
    if count < opened.frames:
        raise AudioError(path, f"cut off: {count} of {opened.frames} frames could be read; fetch it again")
    if high - low < audio.SILENCE_SPAN:
        raise AudioError(path, "silent from start to end; record it again or leave it out")
