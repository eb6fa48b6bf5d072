"""A microphone as a source of blocks, through sounddevice (PortAudio)."""

import contextlib
import queue
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from sertf.errors import SertfError

EXTRA = "sertf[microphone]"
BLOCK_SECONDS = 0.1
_WAITING = 600
"""Blocks that wait while a window is scored: one minute. Later ones are lost."""


class MicrophoneError(SertfError):
    """No microphone can be used; the message says why and what mends it."""


class LostSamples(UserWarning):
    """The machine was too slow, so that part of the speech was not heard."""


class Microphone:
    """An open microphone.

    Attributes:
        sample_rate: Hz that it records at.
    """

    def __init__(self, sample_rate: int):
        self.sample_rate = sample_rate
        self._blocks: queue.Queue[np.ndarray] = queue.Queue(_WAITING)
        self._lost = False

    def put(self, samples: np.ndarray, lost: bool = False) -> None:
        """Take a block (n, 1), which is copied; `lost` says that samples before it are missing."""
        self._lost = self._lost or bool(lost)
        try:
            self._blocks.put_nowait(samples[:, 0].copy())
        except queue.Full:
            self._lost = True

    def blocks(self, seconds: float | None = None) -> Iterator[np.ndarray]:
        """Yield mono float32 blocks (n,) as they come, for some seconds or without end.

        Warns:
            LostSamples: once, when samples were lost.
        """
        left = np.inf if seconds is None else round(seconds * self.sample_rate)
        said = False
        while left > 0:
            try:
                block = self._blocks.get(timeout=10 + BLOCK_SECONDS)
            except queue.Empty:
                raise MicrophoneError("The microphone sends nothing any more; check that it is connected.") from None
            if self._lost and not said:
                said = True
                warnings.warn(
                    "The machine is too slow and lost samples; choose a longer --hop.", LostSamples, stacklevel=2
                )
            block = block[: int(min(left, len(block)))]
            left -= len(block)
            yield block


@contextlib.contextmanager
def open_microphone(device: str | int | None = None) -> Iterator[Microphone]:
    """Open a microphone at its usual sample rate.

    Args:
        device: its name, a part of it or its number in `devices()`; None takes the system's.

    Raises:
        MicrophoneError: sounddevice or PortAudio is missing, or there is no such microphone.
    """
    library = _library()
    try:
        rate = int(library.query_devices(device, "input")["default_samplerate"])
        microphone = Microphone(rate)
        stream = library.InputStream(
            samplerate=rate,
            device=device,
            channels=1,
            dtype="float32",
            blocksize=round(BLOCK_SECONDS * rate),
            callback=lambda samples, _, __, status: microphone.put(samples, status.input_overflow),
        )
    except (library.PortAudioError, ValueError) as error:
        named = "There is no microphone" if device is None else f"The microphone {device} cannot be used"
        raise MicrophoneError(f"{named} ({error}); connect one, or see `sertf listen --devices`.") from error
    with stream:
        yield microphone


def devices() -> list[tuple[int, str, int]]:
    """Number, name and sample rate in Hz of each microphone.

    Raises:
        MicrophoneError: sounddevice or PortAudio is missing.
    """
    return [
        (place, device["name"], int(device["default_samplerate"]))
        for place, device in enumerate(_library().query_devices())
        if device["max_input_channels"] > 0
    ]


def _library() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise MicrophoneError(f"A microphone needs sounddevice; install {EXTRA}.") from error
    except OSError as error:  # its wheels for Linux bring no PortAudio
        raise MicrophoneError(
            f"A microphone needs PortAudio ({error}); install it, on Debian and Ubuntu as libportaudio2."
        ) from error
    return sounddevice
