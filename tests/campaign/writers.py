"""Several commands that write to one place at once, and what they leave compared with what one alone leaves.

Extractions fill one cache, reports go to one folder, exports to one model, trainings to one folder of runs.

wrong: a file differs from that of a single command. Of trainings, all but one may be refused in one sentence.
lost: a file is missing in the end.
traces: a command ended with another exit code than it may.
"""

import json
from pathlib import Path

from tests.campaign.commands import ROOT, Counts, said, start, traces, utterances

LONGEST_SECONDS = 1800


def writers(folder: Path, count: int) -> Counts:
    """Let so many commands of each kind write at once.

    Args:
        folder: an empty folder to work in.
        count: commands of each kind.
    """
    counts = Counts("writers")
    table = utterances(folder)
    experiment = ROOT / "tests" / "campaign" / "experiment.py"
    run = ("run", experiment, "--data", table, "--repeats", 1, "--workers", 1)

    def training(name):
        out = ("--out", folder / f"runs-{name}", "--results", folder / f"results-{name}")
        return *run, *out, "--cache", folder / f"cache-{name}"

    _at_once(counts, folder, 1, training("one"), "training")
    _at_once(counts, folder, min(2, count), training("many"), "training", refused=True)
    _compare(counts, folder / "cache-one", folder / "cache-many", "cache of trainings")
    _compare(counts, folder / "results-one", folder / "results-many", "results of trainings")
    runs = folder / "runs-one"
    extraction = ("extract", "--table", table, "--front-end", "mfcc_chroma", "--workers", 2, "--cache")
    for kind, command in (
        ("extraction", lambda place: (*extraction, place)),
        ("report", lambda place: ("report", runs, "--out", place)),
        ("export", lambda place: ("export", runs / "network" / "strict", place / "model")),
    ):
        _at_once(counts, folder, 1, command(folder / f"{kind}-one"), kind)
        _at_once(counts, folder, count, command(folder / f"{kind}-many"), kind)
        _compare(counts, folder / f"{kind}-one", folder / f"{kind}-many", kind)
        print(f"  {kind}: {counts}", flush=True)
    return counts


def _at_once(counts, folder, number, arguments, kind, *, refused=False):
    """Start commands at once and wait for all of them."""
    places = [folder / f"said-{kind}-{i}" for i in range(number)]
    for place in places:
        place.mkdir(exist_ok=True)
    processes = [start(*arguments, folder=place) for place in places]
    ends = []
    for process, place in zip(processes, places):
        process.wait(LONGEST_SECONDS)
        counts.traces += traces(process, said(place), allowed=(0, 2) if refused else (0,))
        ends.append(process.returncode)
    if 0 not in ends:
        counts.lost.append(f"no {kind} ended with its results")
    if number > 1:
        counts.tried += number


def _compare(counts, one: Path, many: Path, kind: str) -> None:
    expected, found = _files(one), _files(many)
    counts.lost += [f"{kind}: {name} is missing" for name in expected.keys() - found.keys()]
    counts.wrong += [f"{kind}: {name} is left over" for name in found.keys() - expected.keys()]
    counts.wrong += [f"{kind}: {name} differs" for name in found if name in expected and found[name] != expected[name]]


def _files(place: Path) -> dict[str, bytes]:
    """The files below a folder, without the times that differ between any two trainings."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = str(path.relative_to(place))
        if path.is_dir() or (path.name == "report.md" and "training" in str(place)):
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            content = json.dumps(_without_times(json.loads(content))).encode()
        found[name] = content
    return found


def _without_times(value):
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key != "wall_seconds"}
    return [_without_times(each) for each in value] if isinstance(value, list) else value
