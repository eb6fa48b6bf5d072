"""How far a long piece of work is, on standard error: a bar at a terminal and in notebooks, lines in a file."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from sertf.texts import unfiltered

SECONDS = 60.0
"""Least seconds between two lines."""


@contextlib.contextmanager
def shown(
    description: str, total: int | None, *, done: int = 0, size: bool = False, show: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show progress and the time left; yields the function that adds to it.

    A file, such as the output of a command in the background, gets at most a line a minute, and one at the end.

    Args:
        description: name of the work.
        total: amount of work, None if unknown.
        done: amount done before.
        size: count bytes and show their speed.
        show: False shows nothing.
    """
    from rich import progress
    from rich.console import Console

    console = Console(file=unfiltered(sys.stderr))
    if show and not (console.is_terminal or console.is_jupyter):
        lines = _Lines(description, total, done, size)
        yield lines.add
        lines.end()
        return
    counts = (progress.DownloadColumn(), progress.TransferSpeedColumn()) if size else (progress.MofNCompleteColumn(),)
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), *counts, progress.TimeRemainingColumn())
    with progress.Progress(*columns, console=console, disable=not show) as bar:
        task = bar.add_task(description, total=total, completed=done)
        yield lambda count: bar.advance(task, count)


@contextlib.contextmanager
def logged(label: str, *, show: bool = True) -> Iterator[None]:
    """Write what sertf logs on standard error, each line behind a label.

    Args:
        label: whose lines they are; several processes may write to one place.
        show: False writes nothing.
    """
    logger, handler = logging.getLogger("sertf"), logging.StreamHandler()
    # At a terminal a line takes the place of the bar, which is drawn again below it.
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    handler.setFormatter(logging.Formatter(f"{start}{label}: {{message}}", style="{"))
    before = logger.level
    if show:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Lines:
    """The lines of one piece of work; `SECONDS` is how often."""

    def __init__(self, description, total, done, size):
        self.description, self.total, self.before, self.done, self.size = description, total, done, done, size
        self.said = None
        self.start = self.last = time.monotonic()

    def add(self, count):
        self.done += count
        if time.monotonic() - self.last >= SECONDS:
            self._write()

    def end(self):
        if self.said != self.done:
            self._write()

    def _write(self):
        self.said, self.last = self.done, time.monotonic()
        passed = self.last - self.start
        parts = [f"{self.description} {self._counted()}", f"{_clock(passed)} passed"]
        if self.total is not None and self.before < self.done < self.total:
            left = passed * (self.total - self.done) / (self.done - self.before)
            parts.append(f"some {_clock(left)} left")
        print(", ".join(parts), file=sys.stderr, flush=True)

    def _counted(self):
        numbers = [self.done] if self.total is None else [self.done, self.total]
        if not self.size:
            return "/".join(map(str, numbers))
        return "/".join(f"{number / 1e6:.1f}" for number in numbers) + " MB"


def _clock(seconds):
    return timedelta(seconds=round(seconds))
