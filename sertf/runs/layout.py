"""Where runs and stored results lie; no other module composes or parses these paths.

Runs lie in `<runs>/<variant>/<protocol>/repeat-NN/<fold>`, stored results in
`<results>/<experiment>/<variant>/<protocol>`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPlace:
    """The place of one run.

    Attributes:
        folder: `<runs>/<variant>/<protocol>`.
        repeat: number of the repeat, from 0.
        fold: name of the fold.

    >>> place = RunPlace(Path("runs/small/strict"), 0, "fold-1")
    >>> place.path.as_posix(), place.label
    ('runs/small/strict/repeat-00/fold-1', 'small/strict/repeat-00/fold-1')
    """

    folder: Path
    repeat: int
    fold: str

    @classmethod
    def parse(cls, path: Path) -> "RunPlace":
        """The place of an absolute path of a run directory."""
        return cls(folder_of(path), int(path.parent.name.removeprefix("repeat-")), path.name)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.folder / f"repeat-{self.repeat:02d}" / self.fold

    @property
    def checkpoint(self) -> Path:
        """The file that a training which is not finished yet is stored in, beside its run directory."""
        return self.path.with_name(f".{self.fold}.checkpoint.npz")

    @property
    def names(self) -> tuple[str, str]:
        """The names of the variant and of the protocol."""
        return self.folder.parent.name, self.folder.name

    @property
    def label(self) -> str:
        """The place below the folder of all runs, for messages."""
        return "/".join((*self.names, self.path.parent.name, self.fold))


def runs_folder(runs: Path, variant: str, protocol: str) -> Path:
    """The folder of all runs of a variant under a protocol."""
    return runs / variant / protocol


def runs_lock(folder: Path) -> Path:
    """The file that is locked while a command trains runs of a variant under a protocol."""
    return folder.parent.parent / f".{folder.parent.name}.{folder.name}.lock"


def results_lock(results: Path) -> Path:
    """The file that is locked while stored results are written below a folder. Their pages show each other's scores."""
    return results / ".results-lock"  # no folder's own lock, `.<name>.lock`, is called so


def results_of(folder: Path, names: tuple[str, str, str]) -> Path:
    """The folder of all results, of one of stored results; its own parent where it is not called by these names."""
    folder = folder.absolute()
    return folder.parents[2] if folder.parts[-3:] == names else folder.parent


def folder_of(run: Path) -> Path:
    """The folder of all runs of the variant and protocol of a run directory."""
    return run.absolute().parent.parent


def planned_runs(folder: Path, repeats: int, folds: Iterable[str]) -> list[RunPlace]:
    """The places of all runs of an experiment.json, the folds of the first repeat first."""
    folds = list(folds)
    return [RunPlace(folder, repeat, fold) for repeat in range(repeats) for fold in folds]


def is_finished(run: Path) -> bool:
    """Whether a run directory holds a finished run; without a manifest it is half-written."""
    return (run / "manifest.json").is_file()


def finished_runs(folder: Path) -> list[Path]:
    """The directories of all finished runs of a variant under a protocol, in the order of their names."""
    return [path.parent for path in visible(folder, folder.glob("repeat-*/*/manifest.json"))]


def stored_folder(results: Path, experiment: str, variant: str, protocol: str) -> Path:
    """The folder of stored results."""
    return results / experiment / variant / protocol


def is_stored(folder: Path) -> bool:
    """Whether a folder holds stored results. A report.json shows that all their files are there."""
    return (folder / "report.json").is_file()


def sibling(folder: Path, *, variant: str | None = None, protocol: str | None = None) -> Path:
    """The folder of stored results of another variant or protocol of the same experiment."""
    return folder.parent.parent / (variant or folder.parent.name) / (protocol or folder.name)


def stored_below(results: Path) -> list[Path]:
    """The folders of all stored results, in the order of their names."""
    return _with_reports(results, "*/*/*")


def stored_of_experiment(folder: Path) -> list[Path]:
    """The folders of stored results in `<results>/<experiment>`."""
    return _with_reports(folder, "*/*")


def stored_of_variant(folder: Path) -> list[Path]:
    """The folders of stored results in `<results>/<experiment>/<variant>`."""
    return _with_reports(folder, "*")


def stored_of_protocol(folder: Path) -> list[Path]:
    """The folders of stored results of all variants of an experiment under the protocol of `folder`."""
    return [found for found in stored_of_experiment(folder.parent.parent) if found.name == folder.name]


def _with_reports(folder: Path, pattern: str) -> list[Path]:
    return [path.parent for path in visible(folder, folder.glob(f"{pattern}/report.json"))]


def visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Paths below a folder, sorted, without those in hidden folders: these are half-written or belong to others."""
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts))
