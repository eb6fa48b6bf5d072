import pytest

from sertf.errors import SertfError
from sertf.reports import readme_table
from sertf.reports.overview import write_overview
from sertf.reports.readme_table import Row, render_table
from sertf.reports.report import write_report
from tests.synthetic_runs import make_runs, summary, without_rendering, written


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without rendering, which takes most of the time."""
    without_rendering(monkeypatch)


@pytest.fixture
def runs(tmp_path):
    return make_runs(tmp_path / "runs")


def titles(experiment):
    return {"h64": "LSTM, 64 units"} if experiment == "titled" else {}


def headlines(experiment):
    return ["h64"]


def update(readme, results):
    readme_table.update_readme(readme, results, titles=titles, headlines=headlines)


README = "# Zoo\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nThe end.\n"


def test_table_and_readme(runs, tmp_path):
    strict = make_runs(tmp_path / "runs", protocol="strict", skill=0.2)
    other = make_runs(tmp_path / "runs", variant="h32", protocol="strict")
    paper = write_report(runs, written(tmp_path))
    honest = write_report(strict, written(tmp_path, "strict"))
    write_report(other, written(tmp_path, "strict", "h32"))
    readme = tmp_path / "README.md"
    readme.write_text(README)
    update(readme, tmp_path / "results")
    text = readme.read_text()
    assert text.startswith("# Zoo\n\n<!-- results:begin -->\n") and text.endswith("<!-- results:end -->\n\nThe end.\n")
    assert "old" not in text
    rows = [line for line in text.splitlines() if line.startswith("| `h")]
    assert len(rows) == 2 and "`h32`" in rows[0] and "`h64`" in rows[1]
    assert "| toy | UAR | 0.95 |" in rows[1]
    uar = paper["scores"]["uar"]
    assert f"| [{uar['mean']:.2f}](results/lstm_toy/h64/paper/report.md) |" in rows[1]
    uar = honest["scores"]["uar"]
    assert f"(results/lstm_toy/h64/strict/report.md) ({uar['low']:.2f}–{uar['high']:.2f}; 3) |" in rows[1]
    assert "| not run |" in rows[0]
    update(readme, tmp_path / "results")
    assert readme.read_text() == text


def test_a_papers_experiment_gives_its_headlines_under_their_titles(runs, tmp_path):
    write_report(runs, tmp_path / "results" / "titled" / "h64" / "paper")
    write_report(make_runs(tmp_path / "runs", variant="h32"), tmp_path / "results" / "titled" / "h32" / "paper")
    asked = {"titles": titles, "headlines": headlines, "relative_to": tmp_path}
    rows = readme_table.headline_table(tmp_path / "results", **asked).splitlines()[2:]
    assert len(rows) == 1 and rows[0].startswith("| LSTM, 64 units | toy |")


def test_what_is_set_against_another_experiment_is_one_link_to_its_overview(runs, tmp_path):
    kept = tmp_path / "results"
    write_report(runs, kept / "whole" / "h64" / "paper")
    for variant in ("h16", "h32"):
        write_report(make_runs(tmp_path / "runs", variant=variant), kept / "parts" / variant / "paper")
    write_overview(kept / "parts", references=["h16"])
    assert readme_table.results_table(kept, titles=titles).count(
        "| lstm_toy"
    ) == 3 and "own" not in readme_table.results_table(kept, titles=titles)
    write_overview(kept / "parts", references=["whole/h64"])
    assert readme_table.results_table(kept, titles=titles).count("| lstm_toy") == 1
    assert readme_table.results_table(kept, titles=titles).endswith(
        "On pages of their own: [parts](parts/overview.md)."
    )
    (kept / "parts" / "overview.json").write_text("{")
    with pytest.raises(SertfError, match=r"overview\.json cannot be read as JSON"):
        readme_table.results_table(kept, titles=titles)


@pytest.mark.parametrize(
    "text",
    [
        "# Zoo\n",
        README.replace("begin", "start"),
        README + README,
        README.replace("end", "x").replace("begin", "end").replace("x -->", "begin -->"),
    ],
)
def test_readme_without_markers_stays_as_it_is(runs, tmp_path, text):
    write_report(runs, written(tmp_path))
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(SertfError, match="must hold the lines <!-- results:begin --> and <!-- results:end -->"):
        update(readme, tmp_path / "results")
    assert readme.read_text() == text


def test_table_of_nothing_or_a_broken_report(runs, tmp_path):
    with pytest.raises(SertfError, match="write a report first"):
        readme_table.results_table(tmp_path / "results", titles=titles)
    write_report(runs, written(tmp_path))
    (written(tmp_path) / "report.json").write_text("{")
    with pytest.raises(SertfError, match="report.json cannot be read as JSON"):
        readme_table.results_table(tmp_path / "results", titles=titles)


def test_a_row_holds_what_the_paper_prints_for_each_protocol():
    pair = {"paper": summary(protocol="paper", published={"uar": [0.9]}), "strict": summary(published={"uar": [0.8]})}
    row = Row(pair, {"paper": "p.md", "strict": "s.md"})
    assert "| UAR | `paper` 0.9000 <br>`strict` 0.8000 | [0.5000" in render_table([row])


def test_the_leak_is_told_where_both_protocols_were_run():
    rows = [Row({"strict": summary(published={"wa": [0.8, None, None]})}, {"strict": "r.md"})]
    assert render_table(rows).splitlines()[2] == (
        "| e | `a\\|b` | toy | WA | 0.8000 | not run | [0.5000 ± 0.0100](r.md) (0.5000) <br>2 repeats | – |"
    )
    both = {protocol: summary(protocol=protocol, mean=mean) for protocol, mean in (("paper", 0.6), ("strict", 0.5))}
    row = Row(both, {"paper": "p.md", "strict": "s.md"})
    assert render_table([row]).endswith("| +0.1000 |")
    for content in both.values():
        content["facts"]["across"] = {"tested": {}}
    assert render_table([row]).endswith("| – |")


def test_known_speakers_have_a_column_where_some_were_tested():
    known = summary(protocol="speaker-known", mean=0.7)
    rows = [Row({"strict": summary()}, {"strict": "s.md"})]
    assert "speaker known" not in render_table(rows)
    rows.append(Row({"speaker-known": known, "strict": summary()}, {"speaker-known": "k.md", "strict": "s.md"}))
    head, _, first, second = render_table(rows).splitlines()
    assert head.endswith("| the leak's worth | ours, speaker known |") and first.endswith("| – | – |")
    cells = second.split(" | ")
    assert "[0.5000 ± 0.0100](s.md)" in cells[6] and cells[-1].startswith("[0.7000 ± 0.0100](k.md)")
    assert cells[-1].endswith("2 repeats, all clips of a speaker |")
    known["facts"]["enrolment_clips"] = 5
    assert render_table(rows).endswith("2 repeats, 5 clips of a speaker |")
