"""The levels of the package, and that importing it stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sertf

ROOT = Path(sertf.__file__).parent
LEVELS = {
    "errors": -2,
    **dict.fromkeys(("progress", "quiet", "own_code"), -1),
    **dict.fromkeys(
        (
            "utterances",
            "audio",
            "layers",
            "losses",
            "metrics",
            "scores",
            "statistics",
            "recipes",
            "model_card",
            "augmentation",
            "entries",
            "markdown",
            "folds",
            "notes",
            "canvas",
            "front_end_checks",
            "own_models",
            "own_front_ends",
        ),
        0,
    ),
    **dict.fromkeys(
        (
            "corpora",
            "features",
            "models",
            "zero_shot",
            "plots",
            "plots_clips",
            "audit",
            "extraction",
            "groups",
            "breakdowns",
            "reproducibility",
            "bundled",
            "search_plots",
            "sources",
            "serving",
        ),
        1,
    ),
    **dict.fromkeys(
        (
            "pipeline",
            "training",
            "kept",
            "zero_shot_page",
            "experiment",
            "workers",
            "fresh",
            "cache",
            "protocols",
            "corpora_options",
            "download",
            "recognizer",
            "litert",
        ),
        2,
    ),
    **dict.fromkeys(
        (
            "materials",
            "run_folder",
            "comparisons",
            "report_page",
            "results",
            "overview_page",
            "results_table",
            "report_figures",
            "systems",
            "search_spaces",
            "networks",
            "listening",
            "app",
        ),
        3,
    ),
    **dict.fromkeys(("jobs", "trained", "kept_runs", "plan_checks", "report", "overview"), 4),
    **dict.fromkeys(("runner", "export", "trials"), 5),
    **dict.fromkeys(("verification", "tuning"), 6),
    "script": 7,
    "cli": 8,
    "__main__": 9,
}


def imported(path):
    """Names of sertf's top-level modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "sertf" else [node.module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "sertf" and len(parts) > 1:
                yield parts[1]


MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_import_from_lower_levels_only(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert own in LEVELS, f"sertf/{own} has no level; add it to LEVELS"
    for other in imported(path):
        if other != own:
            assert LEVELS[other] < LEVELS[own], f"{path.name} (level {LEVELS[own]}) imports {other} ({LEVELS[other]})"


def test_import_is_light():
    code = "import sys, sertf; print([m for m in ('tensorflow', 'keras', 'jax', 'librosa', 'matplotlib') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sertf.nothing  # noqa: B018
