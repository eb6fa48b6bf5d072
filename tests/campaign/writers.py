"""Several commands that write to one place at once, and what they leave compared with what one alone leaves.

Extractions fill one cache, reports go to one folder, exports to one model, trainings to one folder of runs.

wrong: a file differs from that of a single command, but for times. Of trainings, all but one may be refused in one sentence.
lost: a file is missing in the end.
traces: a command ended with another exit code than it may.
"""

from pathlib import Path

from tests.campaign.commands import ROOT, Counts, compare, contents, said, start, traces, utterances

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
    compare(counts, contents(folder / "cache-one"), contents(folder / "cache-many"), "cache of trainings")
    compare(counts, contents(folder / "results-one"), contents(folder / "results-many"), "results of trainings")
    runs = folder / "runs-one"
    extraction = ("extract", "--table", table, "--front-end", "mfcc_chroma", "--workers", 2, "--cache")
    for kind, command in (
        ("extraction", lambda place: (*extraction, place)),
        ("report", lambda place: ("report", runs, "--out", place)),
        ("export", lambda place: ("export", runs / "network" / "strict", place / "model")),
    ):
        _at_once(counts, folder, 1, command(folder / f"{kind}-one"), kind)
        _at_once(counts, folder, count, command(folder / f"{kind}-many"), kind)
        compare(counts, contents(folder / f"{kind}-one"), contents(folder / f"{kind}-many"), kind)
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
