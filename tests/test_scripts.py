"""The scripts of `experiments/`: short, and each answers --help."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(path for path in (Path(__file__).parents[1] / "experiments").rglob("*.py"))
OVER_PAPERS = [path for path in SCRIPTS if path.parent.name == "experiments" and "sertf.papers" in path.read_text()]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_help_and_a_docstring(path):
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith('"""') and "usage:" in done.stdout


@pytest.mark.parametrize("path", OVER_PAPERS, ids=lambda path: path.stem)
def test_scripts_over_papers_are_short(path):
    assert path.stem == "demo" or len(path.read_text().splitlines()) <= 15
