"""Run the campaign and print its counts; exit with 1 if anything was wrong, ended with a trace or was lost.

python -m tests.campaign [--kills N] [--inputs N] [--writers N] [--seed N]
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign.inputs import inputs
from tests.campaign.kills import kills
from tests.campaign.writers import writers


def main() -> int:
    """Run each part that is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("kills", 100), ("inputs", 300), ("writers", 8)):
        parser.add_argument(f"--{name}", type=int, default=number, metavar="N", help=f"number of {name}; 0 for none")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of times and mutations")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parts = {
        "inputs": lambda folder: inputs(folder, options.inputs, options.seed),
        "writers": lambda folder: writers(folder, options.writers),
        "kills": lambda folder: kills(folder, options.kills, options.seed),
    }
    found = []
    for name, part in parts.items():
        if not getattr(options, name):
            continue
        print(f"{name}:", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"sertf-{name}-") as folder:
            found.append(part(Path(folder)))
        print(f"  {(time.monotonic() - began) / 60:.0f} minutes", flush=True)
    for counts in found:
        print("\n".join([str(counts), *(f"  {fault}" for fault in counts.faults)]), flush=True)
    return int(any(counts.faults for counts in found))


if __name__ == "__main__":
    sys.exit(main())
