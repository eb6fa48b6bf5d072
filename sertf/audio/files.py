"""Read audio files: any format soundfile reads, mixed to mono, resampled with soxr.

A clip that cannot be used raises `AudioError`. It names the file, the fault and the mend.
"""

import contextlib
from pathlib import Path

import numpy as np
import soundfile
import soxr

from sertf.errors import SertfError
from sertf.files import digest

# Suffixes of formats that libsndfile recognizes by content. Headerless .raw is left out: its layout would be a guess.
SUFFIXES = frozenset(
    {".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus", ".mp3", ".au", ".snd", ".caf"}
    | {".w64", ".rf64", ".sph", ".nist", ".voc", ".avr"}
)
MIN_SECONDS = 0.1
# A clip whose samples span less than this is silent: below one step of 24-bit audio (1.2e-7). A constant offset is
# silence too, so the span counts, not the peak.
SILENCE_SPAN = 1e-7
# Containers made of chunks with lengths in one byte order, and the names of the chunks that hold samples.
CHUNK_ORDERS = {b"RIFF": "little", b"RIFX": "big", b"FORM": "big"}
SAMPLE_CHUNKS = (b"data", b"SSND")
# A stream of unknown length states some length near these. One that was never closed states 0.
UNKNOWN_LENGTH = 0x7FFFF000
# Some writers count the header as samples (44 bytes, a few more with other chunks).
HEADER_SLACK = 128
# Resampled samples this far below the peak are rounding noise: soxr HQ is precise to 20 bits.
RESAMPLING_FLOOR = 2.0**-20


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


def read_audio(path: Path | str, *, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read a file as mono float32.

    Args:
        path: Audio file. The content tells the format, so an AIFF file named .wav is read.
        sample_rate: Hz to resample to; None keeps the file's own.

    Returns:
        samples, float32 (n,), full scale at 1, and their sample rate in Hz, an int.

    Raises:
        AudioError: missing, unreadable, cut off, empty, shorter than `MIN_SECONDS`, silent (also after mixing the
            channels), or non-finite.
    """
    with _opened(path) as file:
        rate, frames = file.samplerate, file.frames
        samples = file.read(dtype="float32", always_2d=True)  # (n, channels)
    if len(samples) < frames:
        raise AudioError(path, f"cut off: {len(samples)} of {frames} frames could be read; fetch it again")
    check_not_cut_off(path)
    channels = samples
    samples = np.ascontiguousarray(channels[:, 0] if channels.shape[1] == 1 else channels.mean(axis=1))  # (n,)
    if len(samples) and np.ptp(samples) < SILENCE_SPAN <= np.ptp(channels, axis=0).max():
        raise AudioError(path, "its channels cancel each other out when mixed; give a file with one of them alone")
    check_audio(samples, rate, path=path)
    if sample_rate is not None and sample_rate != rate:
        samples = resample(samples, rate, sample_rate)
        rate = int(sample_rate)
    return samples, rate


def read_header(path: Path | str) -> tuple[int, int]:
    """Samples and sample rate in Hz that the header of a file states. Nothing is decoded.

    Raises:
        AudioError: missing, unreadable or empty. Faults that only decoding shows pass unnoticed.
    """
    with _opened(path) as file:
        frames, rate = file.frames, file.samplerate
    if frames == 0:
        raise AudioError(path, "the clip is empty (no samples); fetch it again or leave it out")
    return frames, rate


@contextlib.contextmanager
def _opened(path):
    """The open file. A failure at or after opening becomes an `AudioError`."""
    path = Path(path)
    if not path.exists():
        raise AudioError(path, "no such file; check the path or leave it out")
    if not path.is_file():
        raise AudioError(path, f"{'a folder' if path.is_dir() else 'not a file'}; give the path of an audio file")
    if path.stat().st_size == 0:
        raise AudioError(path, "the file is empty (0 bytes); fetch it again or leave it out")
    try:
        with soundfile.SoundFile(str(path)) as file:
            yield file
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        detail = str(error).rpartition(": ")[2].rstrip(".")
        raise AudioError(path, f"not readable as audio ({detail}); fetch it again or convert it to WAV") from error


def check_not_cut_off(path: Path | str) -> None:
    """Raise `AudioError` for a WAV or AIFF shorter than its header states; libsndfile would read it as whole."""
    lacking = _lacking_bytes(path)
    if lacking > HEADER_SLACK:
        raise AudioError(path, f"cut off: its header states {lacking} bytes more than the file has; fetch it again")


def _lacking_bytes(path):
    """Bytes by which the samples of a WAV or AIFF are fewer than its header states."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        order = CHUNK_ORDERS.get(file.read(4))
        at = 12
        while order is not None and at + 8 <= size:
            file.seek(at)
            name, length = file.read(4), int.from_bytes(file.read(4), order)
            if name in SAMPLE_CHUNKS:
                return 0 if length >= UNKNOWN_LENGTH else max(0, length - (size - at - 8))
            at += 8 + length + length % 2
    return 0


def check_audio(samples: np.ndarray, sample_rate: int, *, path: Path | str) -> None:
    """Raise `AudioError` for `path` if its samples, (n,), are empty, non-finite, too short or silent."""
    if len(samples) == 0:
        raise AudioError(path, "the clip is empty (no samples); fetch it again or leave it out")
    finite = np.isfinite(samples)
    if not finite.all():
        raise AudioError(
            path, f"{np.count_nonzero(~finite)} samples are not finite (NaN or infinite); convert it again"
        )
    seconds = len(samples) / sample_rate
    if seconds < MIN_SECONDS:
        raise AudioError(path, f"too short: {seconds:.4f} s, but at least {MIN_SECONDS} s are needed; leave it out")
    if np.ptp(samples) < SILENCE_SPAN:
        raise AudioError(path, f"silent: its samples span less than {SILENCE_SPAN:g}; record it again or leave it out")


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
