"""The levels of the package, that importing it stays light, and that tests mirror it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sertf

ROOT = Path(sertf.__file__).parent
ORDER = """
texts errors files custom parallel keras_import audio layers losses metrics corpora evaluation protocols extraction features models plots
training runs reports inference export experiment papers tuning app cli __main__
""".split()
"""Packages and modules at the top: each imports only from those before it."""

COVERED_ELSEWHERE = {
    "papers/cnn_transformer.py": "papers/test_papers.py",
    "papers/reslstm_sa.py": "papers/test_papers.py",
    "papers/serct.py": "papers/test_papers.py",
    "papers/speechnet.py": "papers/test_papers.py",
    "papers/wavelet_cnn_lstm.py": "papers/test_papers.py",
    "papers/whisper.py": "papers/test_papers.py",
    "reports/overview_page.py": "reports/test_overview.py",
}
"""Modules without a test file of their own, and the one that covers them: contracts of all papers, a page as written."""


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
def test_packages_import_only_from_those_before_them(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert own in ORDER, f"sertf/{own} has no place; add it to ORDER"
    for other in imported(path):
        assert ORDER.index(other) <= ORDER.index(own), f"{path.name} in {own} imports {other}, which stands behind it"


def test_import_is_light():
    code = "import sys, sertf; print([m for m in ('tensorflow', 'keras', 'jax', 'librosa', 'matplotlib') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="No sertf attribute nothing"):
        sertf.nothing  # noqa: B018


def test_tests_mirror_the_modules():
    tests = Path(__file__).parent
    names = {
        str(path.relative_to(ROOT).as_posix()) for path in MODULES if path.name not in ("__init__.py", "__main__.py")
    }
    names -= {name for name in names if name.startswith("papers/") and name.endswith("_published.py")}
    mirrored = {name for name in names if (tests / name).with_name(f"test_{Path(name).name}").is_file()}
    missing = names - mirrored - set(COVERED_ELSEWHERE)
    assert not missing, f"no test file mirrors {', '.join(sorted(missing))}; add tests/PACKAGE/test_MODULE.py"
    assert set(COVERED_ELSEWHERE) <= names - mirrored, "an exception has its own test file, or no module; take it out"
    assert all((tests / covering).is_file() for covering in COVERED_ELSEWHERE.values())
