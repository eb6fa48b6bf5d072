"""Read audio: files of any format, open files and samples, mixed to mono float32, resampled with soxr.

soundfile (libsndfile) reads each file that it can read whole. PyAV reads the others, if it is installed. A clip that
cannot be used raises `AudioError`. It names the file, the fault and the mend.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from sertf.audio import containers, media
from sertf.audio.segments import SLACK_SECONDS, Segment, segment_of
from sertf.errors import SertfError
from sertf.files import digest

# Suffixes of formats that libsndfile recognizes by content. Headerless .raw is left out: its layout would be a guess.
SUFFIXES = frozenset(
    {".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus", ".mp3", ".au", ".snd", ".caf"}
    | {".w64", ".rf64", ".sph", ".nist", ".voc", ".avr"}
)
# Hz. Below there is no speech left; the upper end bounds the memory that resampling takes.
SAMPLE_RATES = (1_000, 768_000)
MIN_SECONDS = 0.1
# A clip whose samples span less than this is silent: below one step of 24-bit audio (1.2e-7). A constant offset is
# silence too, so the span counts, not the peak.
SILENCE_SPAN = 1e-7
# Decoders overshoot full scale, which is 1, a little. 16-bit integers that became floats lie far beyond it.
LOUDEST = 16.0
# libsndfile gives about 2 to the 63 frames to a FLAC of unknown length.
_LONGEST = 2**62
# Frames that are decoded at a time, and samples of all channels. A wrong header must not decide how much memory is taken.
_BLOCK = 2**20
_MOST_SAMPLES = 8 * _BLOCK
# Resampled samples this far below the peak are rounding noise: soxr HQ is precise to 20 bits.
RESAMPLING_FLOOR = 2.0**-20

# libsndfile seeks to the exact sample in these, if their samples are not compressed.
_SEEKABLE = frozenset({"WAV", "WAVEX", "W64", "RF64", "AIFF", "AU", "CAF", "FLAC"})
_UNCOMPRESSED = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")

Source = Path | str | BinaryIO
"""A path, a segment of a file such as `call.wav#t=10,12.5`, or a file open for reading bytes, such as a BytesIO."""


class AudioError(SertfError):
    """A clip that cannot be used.

    Attributes:
        path: The file, a str.
        reason: What is wrong with it, and how to mend it.
    """

    def __init__(self, path: Path | str, reason: str):
        # Both go to args, so that the error survives pickling between processes.
        super().__init__(str(path), reason)
        self.path = str(path)
        self.reason = reason

    def __str__(self):
        return f"{self.path}: {self.reason}"


class Recording:
    """An open recording.

    Attributes:
        name: what errors call it.
        sample_rate: Hz.
        seconds: duration that the file states, or of the segment; 0 if the file states none.
    """

    def __init__(self, name: str, decoder: soundfile.SoundFile | media.Media, least: int, segment: Segment):
        self.name = name
        self.sample_rate = decoder.samplerate if isinstance(decoder, soundfile.SoundFile) else decoder.sample_rate
        seconds = decoder.frames / self.sample_rate if decoder.frames < _LONGEST else 0.0
        self.seconds = max(0.0, (seconds if segment.end is None else segment.end) - segment.start)
        self._decoder, self._least = decoder, least
        self._start = round(segment.start * self.sample_rate)
        self._end = None if segment.end is None else round(segment.end * self.sample_rate)

    def blocks(self, size: int = _BLOCK) -> Iterator[np.ndarray]:
        """Yield the samples as mono float32 blocks, (n,), of at most `size` samples.

        Raises:
            AudioError: cut off, empty, shorter than `MIN_SECONDS`, silent (also after mixing the channels), non-finite or
                beyond full scale. Faults that only the end shows are raised after the last block.
        """
        whole = self._start == 0 and self._end is None
        return _mono(self._decoded(size) if whole else self._segment(size), self.sample_rate, self.name)

    def _segment(self, size):
        """Yield the blocks of the segment, (n, channels)."""
        decoder, slack, place = self._decoder, round(SLACK_SECONDS * self.sample_rate), 0
        if _can_seek(decoder) and self._start < decoder.frames:
            place = decoder.seek(self._start)
        for block in self._decoded(size, place):
            part = block[max(0, self._start - place) : None if self._end is None else self._end - place]
            place += len(block)
            if len(part):
                yield part
            if self._end is not None and place >= self._end:
                return
        length = f"but the recording has {place / self.sample_rate:.2f} s"
        if place <= self._start:
            raise AudioError(
                self.name, f"the segment begins at {self._start / self.sample_rate:g} s, {length}; mend its start"
            )
        if self._end is not None and place < self._end - slack:
            raise AudioError(
                self.name, f"the segment ends at {self._end / self.sample_rate:g} s, {length}; mend its end"
            )

    def _decoded(self, size, count=0):
        """Yield blocks as they are decoded from the sample `count` on, (n, channels)."""
        size = min(size, _MOST_SAMPLES // self._decoder.channels)
        while True:
            try:
                if isinstance(self._decoder, media.Media):
                    block = self._decoder.read(size)
                else:
                    block = self._decoder.read(size, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, media.MediaError, OSError, RuntimeError) as error:
                raise AudioError(self.name, _unreadable(error)) from error
            if len(block) == 0:
                break
            count += len(block)
            yield block
        if count < self._least:
            raise AudioError(self.name, f"cut off: {count} of {self._least} frames could be read; fetch it again")


@contextlib.contextmanager
def open_audio(source: Source) -> Iterator[Recording]:
    """Open a recording and check what its bytes show before they are decoded.

    Args:
        source: Audio file, a segment of one, or an open binary file, which is read to its end. The content tells the
            format, so an AIFF file named .wav is read.

    Raises:
        AudioError: missing, no file, unreadable, cut off, empty, or of a sample rate outside `SAMPLE_RATES`.
    """
    name = _name(source)
    segment = segment_of(source) if isinstance(source, (str, os.PathLike)) else Segment("", 0.0, None)
    if segment.end is not None and segment.end <= segment.start:
        raise AudioError(name, "the segment ends before it begins; mend its times")
    with as_file(segment.file or source) as path:
        _check_file(path, name)
        contents = containers.examine(path)
        if contents.missing:
            raise AudioError(name, f"cut off: {contents.missing}; fetch it again")
        if contents.damaged:
            raise AudioError(name, f"damaged: {contents.damaged}; fetch it again")
        with _decoder(path, name, contents) as (decoder, least):
            if decoder.frames == 0 and isinstance(decoder, soundfile.SoundFile):
                raise AudioError(name, _EMPTY)
            recording = Recording(name, decoder, least, segment)
            check_rate(recording.sample_rate, name)
            yield recording


def read_audio(source: Source, *, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read a recording as mono float32.

    Args:
        source: Audio file, a segment of one, or an open binary file, which is read to its end. The content tells the
            format, so an AIFF file named .wav is read.
        sample_rate: Hz to resample to; None keeps the file's own.

    Returns:
        samples, float32 (n,), full scale at 1, and their sample rate in Hz, an int.

    Raises:
        AudioError: missing, unreadable, cut off, empty, shorter than `MIN_SECONDS`, silent (also after mixing the
            channels), non-finite, beyond full scale, or of a sample rate outside `SAMPLE_RATES`.
    """
    with open_audio(source) as recording:
        samples, rate = np.concatenate(list(recording.blocks())), recording.sample_rate
    if sample_rate is not None and sample_rate != rate:
        samples = resample(samples, rate, sample_rate)
        rate = int(sample_rate)
    return samples, rate


def stated_seconds(source: Source) -> float:
    """Duration that a recording states, without decoding it; 0 if it states none.

    Raises:
        AudioError: as `open_audio` raises it. Only decoding shows other faults.
    """
    with open_audio(source) as recording:
        return recording.seconds


def _can_seek(decoder):
    """Whether a decoder finds any sample without decoding those before it."""
    if isinstance(decoder, media.Media) or decoder.frames >= _LONGEST or decoder.format not in _SEEKABLE:
        return False
    return decoder.subtype.startswith(_UNCOMPRESSED)


@contextlib.contextmanager
def as_file(source: Source) -> Iterator[Path]:
    """The path of a recording; what is no path is copied to a temporary file, for decoders have to seek."""
    if isinstance(source, (str, os.PathLike)):
        yield Path(source)
        return
    with tempfile.NamedTemporaryFile(prefix="sertf-") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


_EMPTY = "the clip is empty (no samples); fetch it again or leave it out"


def _name(source):
    """What errors call a recording; bytes of a path that are no UTF-8 are written out."""
    given = source if isinstance(source, (str, os.PathLike)) else getattr(source, "name", None)
    if not isinstance(given, (str, os.PathLike)):
        return "the recording"
    return os.fspath(given).encode("utf-8", "backslashreplace").decode()


def _check_file(path, name):
    """Raise an `AudioError` unless there is a file with something in it, of a name that can be written down."""
    try:
        os.fspath(path).encode()
        status = path.stat()
    except UnicodeEncodeError as error:
        raise AudioError(name, "the name is not UTF-8; rename it") from error
    except FileNotFoundError as error:
        raise AudioError(name, "no such file; check the path or leave it out") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(name, f"the path cannot be used ({reason}); rename the file or leave it out") from error
    if not path.is_file():
        raise AudioError(name, f"{'a folder' if path.is_dir() else 'not a file'}; give the path of an audio file")
    if status.st_size == 0:
        raise AudioError(name, "the file is empty (0 bytes); fetch it again or leave it out")
    if not os.access(path, os.R_OK):
        raise AudioError(name, "not readable as audio (no permission); change its permissions or leave it out")


class _Forward(soundfile.SoundFile):
    """A file that is read from start to end without seeking.

    soundfile seeks after each block. That changes what MP3 and Ogg decode to, and fails in a FLAC of unknown length.
    """

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def _decoder(path, name, contents):
    """The open decoder that reads all of a file, and how many samples a channel it has to give."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(_Forward(str(path)))
        except (soundfile.SoundFileError, OSError, RuntimeError, TypeError) as error:
            reason = _detail(error)
        else:
            in_part = contents.joined
            if contents.samples is not None:
                least = contents.samples - containers.MPEG_SLACK
                in_part = in_part or file.frames < least
            else:
                least = file.frames if file.frames < _LONGEST else 0
            if not in_part:
                yield file, max(0, least)
                return
            reason = "libsndfile reads only a part of it"
        try:
            track = stack.enter_context(media.open_media(path))
        except media.MediaError as error:
            raise AudioError(name, _unreadable(error)) from error
        except ImportError as error:
            mend = f"install {media.EXTRA}, which reads more formats, fetch it again or convert it to WAV"
            raise AudioError(name, f"not readable as audio ({reason}); {mend}") from error
        least = track.frames - round(media.SLACK_SECONDS * track.sample_rate) if track.exact else 0
        if contents.samples is not None:
            least = contents.samples - containers.MPEG_SLACK
        yield track, max(0, least)


def _detail(error):
    return str(error).rpartition(": ")[2].rstrip(".")


def _unreadable(error):
    return f"not readable as audio ({_detail(error)}); fetch it again or convert it to WAV"


def check_rate(sample_rate: int, name: Path | str, allowed: Sequence[int] = SAMPLE_RATES) -> None:
    """Raise `AudioError` for `name` unless its sample rate in Hz lies in the range `allowed`, (lowest, highest)."""
    lowest, highest = allowed
    if not lowest <= sample_rate <= highest:
        raise AudioError(name, f"its sample rate is {sample_rate} Hz; convert it to one from {lowest} to {highest} Hz")


def check_audio(samples: np.ndarray, sample_rate: int, *, path: Path | str) -> None:
    """Raise `AudioError` for `path` as reading a file does, if its samples, (n,), or their rate cannot be used."""
    check_rate(sample_rate, path)
    for _ in _mono([samples[:, None]], sample_rate, path):
        pass


def check_samples(samples: np.ndarray, name: Path | str) -> None:
    """Raise `AudioError` for `name` if samples, (n,) or (n, channels), are not finite or lie beyond full scale."""
    finite = np.isfinite(samples)
    if not finite.all():
        raise AudioError(
            name, f"{np.count_nonzero(~finite)} samples are not finite (NaN or infinite); convert it again"
        )
    peak = np.abs(samples).max(initial=0.0)
    if peak > LOUDEST:
        raise AudioError(
            name,
            f"beyond full scale: the largest sample is {peak:.6g}, where full scale is 1; divide samples that were 16-bit "
            "integers by 32768",
        )


def _mono(blocks: Iterable[np.ndarray], sample_rate: int, name: Path | str) -> Iterator[np.ndarray]:
    """Mix blocks, (n, channels), to mono, (n,), and raise `AudioError` for what cannot be used."""
    count, low, high, own_low, own_high = 0, np.inf, -np.inf, np.inf, -np.inf
    for block in blocks:
        if not len(block):
            continue
        check_samples(block, name)
        samples = np.ascontiguousarray(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))  # (n,)
        count += len(samples)
        low, high = min(low, samples.min()), max(high, samples.max())
        own_low, own_high = np.minimum(own_low, block.min(axis=0)), np.maximum(own_high, block.max(axis=0))
        yield samples
    if count == 0:
        raise AudioError(name, _EMPTY)
    if count / sample_rate < MIN_SECONDS:
        raise AudioError(
            name, f"too short: {count / sample_rate:.4f} s, but at least {MIN_SECONDS} s are needed; leave it out"
        )
    if high - low < SILENCE_SPAN:
        if np.max(own_high - own_low) >= SILENCE_SPAN:
            raise AudioError(name, "its channels cancel each other out when mixed; give a file with one of them alone")
        raise AudioError(name, f"silent: its samples span less than {SILENCE_SPAN:g}; record it again or leave it out")


def resample(samples: np.ndarray, source: int, target: int) -> np.ndarray:
    """Resample (n,) or (n, channels) from `source` to `target` Hz with soxr's HQ filter (band-limited, linear phase).

    Values 120 dB or more below the peak are the filter's rounding noise and become 0: digital silence stays silent.
    Front ends such as chroma scale each frame, and would raise that noise to the level of speech.
    """
    for name, rate in (("source", source), ("target", target)):
        if int(rate) != rate or rate <= 0:
            raise SertfError(f"{name} sample rate must be a positive whole number of Hz; got {rate!r}")
    if source == target:
        return samples
    resampled = soxr.resample(samples, int(source), int(target), quality="HQ")
    size = np.abs(resampled)
    return np.where(size < RESAMPLING_FLOOR * size.max(axis=0, initial=0), 0, resampled).astype(resampled.dtype)


def audio_digest(samples: np.ndarray, sample_rate: int) -> str:
    """Hex digest of decoded audio: equal samples give equal digests, whatever the file's name, format or place."""
    return digest(int(sample_rate).to_bytes(8, "little"), np.ascontiguousarray(samples, dtype="<f4").data, size=16)
