"""Random kills of `sertf run`, and its results compared with those of a run that nobody kills.

One command trains a tiny experiment, from clips to the report. It is killed by SIGKILL at a random time, then started
again, until it ends. Every fourth kill hits the command alone and leaves its workers to find out. After each kill every
run directory that was there is there still and matches its checksums, and so does every entry of the cache.

wrong: a file of a finished command differs from that of the command that nobody killed, bit by bit, but for times.
lost: a run directory or entry of the cache that a kill removed or damaged, or a file that a finished command lacks.
traces: a command that nobody killed ended with anything but its results.
"""

import random
import shutil
import subprocess
import time
from pathlib import Path

from sertf.errors import SertfError
from sertf.extraction.cache_entries import DamagedEntry, read_entry
from sertf.runs.stored import check_intact
from tests.campaign.commands import ROOT, Counts, compare, contents, kill, said, start, traces, utterances

ALONE = 4
"""Every so many kills hit the command without its workers."""
LATEST = 0.6
"""Until which share of the time of a whole command it is killed. A command that resumes comes to its end by then."""
LONGEST_SECONDS = 1200


def kills(folder: Path, count: int, seed: int) -> Counts:
    """Kill a command so many times and compare what comes of it in the end.

    Args:
        folder: an empty folder to work in.
        count: number of kills.
        seed: of the times.
    """
    counts, chance = Counts("kills"), random.Random(seed)
    utterances(folder)
    began = time.monotonic()
    process = _start(folder, "whole")
    process.wait(LONGEST_SECONDS)
    seconds = time.monotonic() - began
    counts.traces += traces(process, said(folder), allowed=(0,))
    expected = contents(folder / "whole")
    number = 0
    while counts.tried < count:
        number += 1
        _kill_until_done(folder, f"killed-{number}", count, seconds, chance, counts)
        compare(counts, expected, contents(folder / f"killed-{number}"), f"round {number}")
        shutil.rmtree(folder / f"killed-{number}")
        print(f"  round {number}: {counts}", flush=True)
    return counts


def _start(folder: Path, name: str) -> subprocess.Popen:
    place = folder / name
    options = ("--out", place / "runs", "--results", place / "results", "--cache", place / "cache")
    experiment = ROOT / "tests" / "campaign" / "experiment.py"
    return start(
        "run", experiment, "--data", folder / "table.csv", "--repeats", 1, "--workers", 1, *options, folder=folder
    )


def _kill_until_done(folder, name, count, seconds, chance, counts):
    """Start the command and kill it until it ends by itself, or was killed often enough; then let it end."""
    stored: set[Path] = set()
    while True:
        process = _start(folder, name)
        patience = chance.uniform(0, LATEST * seconds) if counts.tried < count else LONGEST_SECONDS
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            counts.tried += 1
            kill(process, whole_group=counts.tried % ALONE != 0)
            said(folder)
            if patience == LONGEST_SECONDS:
                counts.traces.append(f"the command did not end in {LONGEST_SECONDS} s")
                return
            stored |= _stored(folder / name, counts)
            counts.lost += [f"{path} is gone after kill {counts.tried}" for path in stored if not path.exists()]
            continue
        text = said(folder)
        counts.traces += traces(process, text, allowed=(0,))
        return


def _stored(place: Path, counts: Counts) -> set[Path]:
    """The run directories and entries of the cache, each of them checked."""
    runs = {path.parent for path in place.glob("runs/*/*/*/[!.]*/manifest.json")}
    entries = set(place.glob("cache/*/[!.]*.npy"))
    for run in runs:
        try:
            check_intact(run)
        except SertfError as error:
            counts.lost.append(f"{run} after kill {counts.tried}: {error}")
    for entry in entries:
        try:
            read_entry(entry)
        except (DamagedEntry, OSError) as error:
            counts.lost.append(f"{entry} after kill {counts.tried}: {error}")
    return runs | entries
