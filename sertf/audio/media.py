"""Sound that libsndfile cannot read, through PyAV, whose wheels bring FFmpeg: phones' and cameras' files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sertf.errors import SertfError

SUFFIXES = frozenset({".m4a", ".mp4", ".mov", ".webm", ".mkv", ".mka", ".amr", ".3gp", ".3g2", ".aac", ".wma"})
EXTRA = "sertf[media]"
# FFmpeg's names of the formats that may be opened. Playlists are none of them: they name other files and addresses.
FORMATS = "mov,matroska,webm,amr,amrnb,amrwb,aac,asf,mp3,ogg,flac,wav,w64,aiff,caf,au"
# And no address is opened: a name is that of a file, whatever it looks like.
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
# Seconds by which a track may be shorter than it states: what encoders put before and behind.
SLACK_SECONDS = 0.25


class MediaError(SertfError):
    """A file that PyAV cannot read; the text is the reason alone."""


class Media:
    """The first sound track of a file, decoded block by block.

    Attributes:
        sample_rate: Hz.
        channels: how many it has.
        frames: samples a channel that the track states, 0 if it does not.
        exact: whether the statement can be relied on, so that a file that gives fewer samples is cut off.
    """

    def __init__(self, container: Any, track: Any):
        from av import AudioResampler

        self.sample_rate, self.channels = int(track.rate), int(track.channels)
        stated = float(track.duration * track.time_base) if track.duration else (container.duration or 0) / 1e6
        self.frames = round(stated * self.sample_rate)
        self.exact = bool(track.duration) and container.format.name.startswith("mov")
        self._frames = container.decode(track)
        self._resampler: Any = AudioResampler(format="fltp", layout=track.layout, rate=self.sample_rate)
        self._left = np.zeros((0, self.channels), np.float32)

    def read(self, size: int) -> np.ndarray:
        """The next samples, float32 (n, channels), `size` of them; fewer at the end, none behind it.

        Raises:
            MediaError: the next ones cannot be decoded.
        """
        import av

        pieces, count = [self._left], len(self._left)
        try:
            while count < size and self._resampler is not None:
                frame = next(self._frames, None)
                for part in self._resampler.resample(frame):  # None gives what is left
                    pieces.append(part.to_ndarray().T)  # (n, channels)
                    count += len(pieces[-1])
                if frame is None:
                    self._resampler = None
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(_reason(error)) from error
        samples = np.concatenate(pieces)
        self._left = samples[size:]
        return samples[:size]


@contextlib.contextmanager
def open_media(path: Path | str) -> Iterator[Media]:
    """Open a file's first sound track.

    Raises:
        MediaError: no such format, no sound in it, or damaged.
        ImportError: PyAV is not installed.
    """
    import av

    av.logging.set_level(None)
    with contextlib.ExitStack() as stack:
        try:
            container = stack.enter_context(av.open(f"file:{path}", options=OPTIONS))
            tracks = [
                track for track in container.streams.audio if track.codec_context and track.rate and track.channels
            ]
            media = Media(container, tracks[0]) if tracks else None
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(_reason(error)) from error
        if media is None:
            raise MediaError("it holds no sound")
        yield media


def _reason(error):
    return getattr(error, "strerror", None) or str(error)
