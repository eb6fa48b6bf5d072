import json
import shutil
from pathlib import Path

import pytest

from sertf import cli
from sertf.reports import readme_table
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
    readme.write_text(f"{readme_table.BEGIN}\n{readme_table.END}\n")
    assert cli.main(["report", "--readme", str(readme), "--results", str(results)]) == 0
    assert "`h64`" in readme.read_text()
    template = tmp_path / "page.template.md"
    template.write_text("A UAR of {{ mean lstm_toy/h64/strict uar }}.\n")
    assert cli.main(["report", "--fill", str(template), "--results", str(results)]) == 0
    assert (tmp_path / "page.md").read_text().startswith("A UAR of 0.")
    assert cli.main(["report", "--fill", str(template)]) == 2
    assert "--fill and --results belong together" in capsys.readouterr().err
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


def test_runs_that_are_not_done_leave_the_reports_of_the_others(tmp_path, capsys):
    for protocol in ("paper", "strict"):
        make_runs(tmp_path / "runs" / "h64" / protocol, protocol=protocol)
    next((tmp_path / "runs").glob("h64/paper/**/repeat-02/*/manifest.json")).unlink()
    assert cli.main(["report", str(tmp_path / "runs"), "--out", str(tmp_path / "results")]) == 2
    error = capsys.readouterr().err
    assert "cannot be counted" in error and error.rstrip().endswith("1 of 2 reports were written.")
    kept = tmp_path / "results" / "lstm_toy" / "h64"
    assert (kept / "strict" / "report.md").is_file() and not (kept / "paper").exists()


def test_pages_with_the_overviews_as_they_were_asked_for(tmp_path, capsys):
    results = tmp_path / "results"
    make_runs(tmp_path / "runs", model={"name": "lstm", "options": {"hidden": 16}})
    assert cli.main(["report", str(tmp_path / "runs"), "--out", str(results)]) == 0
    folder = results / "lstm_toy"
    shutil.copytree(folder / "h64", folder.parent / "other" / "base")
    asked = ["--score", "uar", "--reference", "other/base", "--beside", "other/base", "--by", "hidden"]
    assert cli.main(["report", "--overview", str(folder), *asked]) == 0
    names = ("overview.md", "overview.json")
    before = {name: (folder / name).read_text() for name in names}
    (folder / "overview.md").write_text("stale")
    for place in (folder / "h64").glob("*/report.json"):
        content = json.loads(place.read_text())
        content["scores"]["uar"]["mean"] = 0.1234
        place.write_text(json.dumps(content))
    assert cli.main(["report", "--pages", str(results)]) == 0
    assert str(folder / "overview.md") in capsys.readouterr().out.split()
    page, content = ((folder / name).read_text() for name in names)
    assert "0.1234" in page and "0.1234" not in before["overview.md"]
    assert "by_hidden.png" in page and '"other/base"' in content


def test_an_overview_that_does_not_say_what_it_was_asked_for(results, capsys):
    (results / "lstm_toy" / "overview.json").write_text('{"score": "uar", "references": []}')
    assert cli.main(["report", "--pages", str(results)]) == 2
    assert "overview.json lacks beside, by; write it by `sertf report --overview` first" in capsys.readouterr().err


def test_figures_are_drawn_anew_and_shown(results, capsys):
    folder = results / "lstm_toy"
    assert cli.main(["report", "--overview", str(folder), "--score", "uar"]) == 0
    page = folder / "h64" / "paper" / "report.md"
    shown = page.read_text()
    for path in results.rglob("*.png"):
        path.unlink()
    assert cli.main(["report", "--pages", str(results)]) == 0
    assert "Figures are redrawn by `sertf report --figures RESULTS`." in page.read_text()
    capsys.readouterr()
    assert cli.main(["report", "--figures", str(results), "--figure-format", "svg", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and str(folder / "overview.md") in json.loads(said.out)["pages"]
    assert page.read_text() == shown
    for name in ("h64/strict/attention", "h64/paper/confusion", "bars"):
        assert (folder / f"{name}.png").is_file() and (folder / f"{name}.svg").is_file()


def test_figures_whose_arrays_are_not_stored(results, capsys):
    for path in results.rglob("representations.npz"):
        path.unlink()
    assert cli.main(["report", "--figures", str(results)]) == 0
    first = results / "lstm_toy" / "h64" / "paper"
    assert capsys.readouterr().err == (
        f"The figures of projections, attention and windows in {first} and 1 more were not redrawn: "
        "representations.npz is not stored there.\n"
    )


def test_a_figure_format_without_figures(results, capsys):
    pair = [str(results / "lstm_toy" / "h64" / protocol) for protocol in ("paper", "strict")]
    assert cli.main(["report", "--compare", *pair, "--figure-format", "svg"]) == 2
    assert "--figure-format belongs to RUNS, --figures, --pages or --overview" in capsys.readouterr().err
