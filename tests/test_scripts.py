"""The scripts of `experiments/` and `examples/`: each answers --help, and those over papers are short."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OVER_PAPERS = sorted((ROOT / "experiments").glob("*.py"))
SCRIPTS = sorted([*(ROOT / "experiments").rglob("*.py"), *(ROOT / "examples").glob("*.py")])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_help_and_a_docstring(path):
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith('"""') and "usage:" in done.stdout


@pytest.mark.parametrize("path", OVER_PAPERS, ids=lambda path: path.stem)
def test_scripts_over_papers_are_short(path):
    assert len(path.read_text().splitlines()) <= 15
