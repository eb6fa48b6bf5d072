import json
from pathlib import Path

import pytest

from sertf import cli, results_table
from tests.synthetic_runs import make_runs, without_rendering


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without rendering, which takes most of the time."""
    without_rendering(monkeypatch)


@pytest.fixture
def results(tmp_path, capsys):
    """Reports of one variant under two protocols, and the lines that were printed."""
    for protocol in ("paper", "strict"):
        make_runs(tmp_path / "runs" / "h64" / protocol, protocol=protocol)
    assert cli.main(["report", str(tmp_path / "runs"), "--out", str(tmp_path / "results")]) == 0
    assert all(Path(line).is_file() for line in capsys.readouterr().out.split())
    return tmp_path / "results"


def test_pages_readme_and_overview(results, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"{results_table.BEGIN}\n{results_table.END}\n")
    assert cli.main(["report", "--readme", str(readme), "--results", str(results)]) == 0
    assert "`h64`" in readme.read_text()
    assert cli.main(["report", "--overview", str(results / "lstm_toy"), "--score", "uar", "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said[said.index("{") :])["pages"] == [str(results / "lstm_toy" / "overview.md")]


def test_pages_from_the_kept_reports(results, capsys):
    places = [results / "lstm_toy" / "h64" / protocol / "report.md" for protocol in ("paper", "strict")]
    texts = [place.read_text() for place in places]
    for place in places:
        place.unlink()
    assert cli.main(["report", "--pages", str(results)]) == 0
    assert capsys.readouterr().out.split() == [str(place) for place in places]
    assert [place.read_text() for place in places] == texts


def test_pages_of_a_broken_report(results, capsys):
    broken = results / "lstm_toy" / "h64" / "strict" / "report.json"
    broken.write_text("{")
    page = broken.with_name("report.md")
    page.unlink()
    assert cli.main(["report", "--pages", str(results)]) == 2
    assert f"{broken} cannot be read as JSON" in capsys.readouterr().err
    assert not page.exists()


def test_a_comparison(results, capsys):
    pair = [str(results / "lstm_toy" / "h64" / protocol) for protocol in ("paper", "strict")]
    assert cli.main(["report", "--compare", *pair]) == 0
    assert "h64 (paper) against h64 (strict), UAR" in capsys.readouterr().out
    assert cli.main(["report", "--compare", *pair, "--score", "wa"]) == 0
    assert "h64 (paper) against h64 (strict), WA (accuracy)" in capsys.readouterr().out
    assert cli.main(["report", "--pages", str(results), "--score", "wa"]) == 2
    assert "--score belongs to --overview or --compare" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(results, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main(["report", str(tmp_path / "runs"), "--out", str(tmp_path / "file" / "results")]) == 2
    assert "error: Cannot write to" in capsys.readouterr().err
