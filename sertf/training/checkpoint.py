"""The state of a training between two epochs, from which a killed one goes on bit by bit."""

import glob
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sertf.files import write_atomically


@dataclass(frozen=True)
class State:
    """A training between two epochs.

    Attributes:
        variables: values of all variables of model and optimizer, in their order; seeds of dropout are among them.
        logs: what Keras logged of each epoch.
        watched: watched scores of each epoch.
        seconds: that the training has taken.
        best: epoch from 0, score, and epochs without improvement since, of the monitored score; None without a monitor.
        best_weights: the model's weights of that epoch.
    """

    variables: Sequence[np.ndarray]
    logs: list[dict[str, float]]
    watched: list[dict[str, float]]
    seconds: float
    best: tuple[int, float, int] | None = None
    best_weights: Sequence[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoint:
    """The file that holds the state of one training.

    Attributes:
        path: the file, an .npz.
        key: stands for everything that decides the training; the state of another one does not count.
    """

    path: Path
    key: str

    def of_part(self, number: int) -> "Checkpoint":
        """The checkpoint of one of several trainings of a run, from 0."""
        return Checkpoint(part_path(self.path, number), f"{self.key}-{number}")

    def read(self) -> State | None:
        """The state of this very training, or None: no file, another training's, or a broken one."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                facts: dict[str, Any] = json.loads(str(file["facts"]))
                if facts.pop("key") != self.key:
                    return None
                for name in _ARRAYS:
                    facts[name] = [file[f"{name}-{i}"] for i in range(facts[name])]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return State(**{**facts, "best": facts["best"] and tuple(facts["best"])})

    def write(self, state: State) -> None:
        """Put a state in the place of the one before, as a whole."""
        facts: dict[str, Any] = {name: getattr(state, name) for name in _FACTS}
        facts |= {"key": self.key, **{name: len(getattr(state, name)) for name in _ARRAYS}}
        arrays = {f"{name}-{i}": array for name in _ARRAYS for i, array in enumerate(getattr(state, name))}

        def write(path):
            with open(path, "wb") as file:
                np.savez(file, facts=np.array(json.dumps(facts)), **arrays)

        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, write)

    def remove(self) -> None:
        """Remove the file and those of parts, if there are any."""
        for path in self.path.parent.glob(f"{glob.escape(self.path.stem)}*{self.path.suffix}"):
            path.unlink(missing_ok=True)


def part_path(path: Path, number: int) -> Path:
    """The file of one of several trainings of a run, from that of the run."""
    return path.with_stem(f"{path.stem}-{number}")


_ARRAYS = ("variables", "best_weights")
_FACTS = ("logs", "watched", "seconds", "best")
