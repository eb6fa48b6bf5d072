"""Commands of sertf as their users start them, what went wrong in them, and what they leave."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).parents[2]
TRACE = "Traceback (most recent call last)"


@dataclass
class Counts:
    """What a part of the campaign tried and found.

    Attributes:
        name: what is counted.
        tried: how many there were.
        wrong: results or answers that are not right.
        traces: commands that ended with a stack trace, a signal or an unknown exit code, or never.
        lost: finished work that is gone.
    """

    name: str
    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that went wrong, one line each."""
        return [f"{kind}: {what}" for kind in ("wrong", "traces", "lost") for what in getattr(self, kind)]

    def __str__(self):
        return f"{self.tried} {self.name}: {len(self.wrong)} wrong, {len(self.traces)} traces, {len(self.lost)} lost"


def utterances(folder: Path) -> Path:
    """A table of some synthesised utterances, which are made in a folder."""
    from sertf import corpora

    table = corpora.load("embedded", folder / "corpus", speakers=4, utterances=1)
    table[["path", "emotion", "speaker"]].to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def start(*arguments: object, folder: Path) -> subprocess.Popen:
    """Start `sertf` in a folder, in a process group of its own. Its output goes to a file there."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    with open(folder / "said.txt", "ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "sertf", *map(str, arguments)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def said(folder: Path) -> str:
    """What the commands in a folder have printed since this was asked last."""
    path = folder / "said.txt"
    text = path.read_text(errors="replace") if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


def kill(process: subprocess.Popen, *, whole_group: bool = True) -> None:
    """End a command at once, by SIGKILL, with its workers or without them."""
    with contextlib.suppress(ProcessLookupError):
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def traces(process: subprocess.Popen, text: str, *, allowed: tuple[int, ...]) -> list[str]:
    """What a command's end shows of a fault of the code: a stack trace, a signal, an exit code that is not allowed."""
    if process.returncode in allowed and TRACE not in text:
        return []
    command = " ".join(process.args[3:6])
    return [f"{command}: exit code {process.returncode}, {text[-2000:].strip()}"]


def contents(place: Path) -> dict[str, Any]:
    """What is compared of each file below a folder, by its name. It is the file's bytes, but for times.

    Any two runs differ in `wall_seconds`, and in the time of day in `weights.keras`, a zip file: its arrays count. The
    checksums of these files are left out. So are hidden entries of a cache that a kill left half-written; nobody reads them.
    """
    found: dict[str, Any] = {}
    for path in sorted(place.rglob("*")):
        if path.is_dir() or path.name == "SHA256SUMS" or (path.name.startswith(".") and ".npy." in path.name):
            continue
        data = path.read_bytes()
        if path.suffix == ".keras":
            content: Any = _weights(data)
        elif path.suffix == ".json":
            content = _without_times(json.loads(data))
        elif path.name == "report.md":
            content = [line for line in data.splitlines() if not line.startswith(b"| time |")]
        else:
            content = data
        found[str(path.relative_to(place))] = content
    return found


def compare(counts: Counts, expected: dict[str, Any], found: dict[str, Any], what: str) -> None:
    """Count files that are missing, that differ, and that nobody expected."""
    counts.lost += [f"{what}: {name} is missing" for name in expected.keys() - found.keys()]
    counts.wrong += [f"{what}: {name} is left over" for name in found.keys() - expected.keys()]
    counts.wrong += [f"{what}: {name} differs" for name in found if name in expected and found[name] != expected[name]]


def _without_times(value):
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key != "wall_seconds"}
    return [_without_times(each) for each in value] if isinstance(value, list) else value


def _weights(data):
    """The arrays of a Keras file, by their names, as bytes."""
    arrays: dict[str, bytes] = {}

    def keep(name, value):
        if isinstance(value, h5py.Dataset):
            arrays[name] = np.asarray(value).tobytes()

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(keep)
    return arrays
