import json

import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.reports import filled_page
from sertf.reports.overview import write_overview
from sertf.reports.report import write_report
from tests.synthetic_runs import make_runs, without_rendering


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Stored results of two variants, with their overview."""
    without_rendering(monkeypatch)
    results = tmp_path / "results"
    for variant, skill in (("h32", 0.2), ("h64", 1.0)):
        runs = make_runs(tmp_path / "runs", variant=variant, skill=skill, groups=True)
        write_report(runs, results / "lstm_toy" / variant / "paper")
    write_overview(results / "lstm_toy", references=["h32"], score="uar")
    return filled_page.Source(results, lambda experiment: {"h64": "LSTM, 64 units"}, tmp_path)


def test_scores_come_from_the_report(source):
    uar = source.report("lstm_toy/h64/paper")["scores"]["uar"]
    place = "lstm_toy/h64/paper"
    assert filled_page.filled(f"{{{{ mean {place} uar 3 }}}} of it", source) == f"{uar['mean']:.3f} of it"
    assert filled_page.filled(f"{{{{ spread {place} uar }}}}", source) == f"{uar['mean']:.2f} ± {uar['std']:.2f}"
    assert filled_page.filled(f"{{{{ speakers {place} uar }}}}", source) == f"{uar['low']:.2f} to {uar['high']:.2f}"
    assert filled_page.filled(f"{{{{ published {place} uar 2 }}}}", source) == "0.95"
    fold, entry = next(iter(source.report(place)["folds"].items()))
    expected = f"{entry['uar']['mean']:.2f} ± {entry['uar']['std']:.2f}"
    assert filled_page.filled(f"{{{{ of_fold {place} {fold} uar }}}}", source) == expected
    later = sum(uar["values"][1:]) / 2
    assert filled_page.filled(f"{{{{ later_mean {place} uar 4 }}}}", source) == f"{later:.4f}"


def test_one_place_minus_another_is_what_the_overview_holds(source):
    table = filled_page.filled("{{ differences lstm_toy }}", source).splitlines()
    assert table[2].startswith("| `h32`") and table[3].startswith("| LSTM, 64 units |") and "(3) | +" in table[3]
    difference = filled_page.filled("{{ compared lstm_toy/h64/paper lstm_toy/h32/paper uar }}", source)
    assert f"| {difference} |" in table[3]


def test_variants_on_one_side_of_the_reference_are_named(source):
    text = filled_page.filled("{{ differences lstm_toy }}", source)
    assert text.splitlines()[-1] == (
        "- With shared speakers, shown to lie above: LSTM, 64 units. Shown to lie below: none."
    )
    overview = source.results / "lstm_toy" / "overview.json"
    content = json.loads(overview.read_text())
    content["differences"][0]["over_repeats"]["low"] = -0.01  # seeds cover 0
    overview.write_text(json.dumps(content))
    assert filled_page.filled("{{ differences lstm_toy }}", source).endswith("above: none. Shown to lie below: none.")


def test_epochs_that_the_penalty_moves(source):
    for variant, other in (("h32", 1), ("h64", 2)):
        path = source.results / "lstm_toy" / variant / "paper" / "history.csv.gz"
        history = pd.read_csv(path)
        history["val_loss"] = history["epoch"].map(lambda epoch: abs(epoch - 2))
        history["val_data_loss"] = history["epoch"].map(lambda epoch, other=other: abs(epoch - other))
        history.to_csv(path, index=False)
    runs = history.groupby(["repeat", "fold"]).ngroups
    found = filled_page.filled("{{ epochs_without_penalty lstm_toy/h32/paper }}", source)
    assert found == ", ".join(["2 (1)"] * runs)
    assert filled_page.filled("{{ moved_by_penalty lstm_toy }}", source) == f"{runs} of the {2 * runs}"


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("median lstm_toy/h64/paper", "no lookup is called median; known are mean"),
        ("mean lstm_toy/h64/strict uar", "cannot be filled in: .*strict holds no report.json"),
        ("mean lstm_toy/h64/paper loss", "mean lstm_toy/h64/paper loss .* cannot be filled in"),
        ("mean lstm_toy/h64/paper", "cannot be filled in"),
        ("link nothing.md", "nothing.md is no file"),
    ],
)
def test_a_field_that_cannot_be_filled_is_named(source, field, message):
    with pytest.raises(SertfError, match=message):
        filled_page.filled(f"{{{{ {field} }}}}", source)


def test_a_template_has_a_name_of_its_own(source, tmp_path):
    with pytest.raises(SertfError, match=r"must have a name that ends in \.template\.md"):
        filled_page.fill(tmp_path / "page.md", source.results, source.titles)


def test_evaluations_beside_the_results_say_what_may_have_trained(source):
    for name, seen, held_out in (("emodb", 0, 0), ("ravdess", 1200, 240), ("tested_speakers", 0, 240)):
        place = source.results.parent / "evaluations" / "reader" / name
        place.mkdir(parents=True)
        found = {
            "model": "reader",
            "corpora": ["emodb" if name == "emodb" else "ravdess"],
            "utterances": 1440,
            "speakers": 24,
            "seen": seen,
            "held_out": held_out,
            "enrolled": name == "tested_speakers",
            "chance": 0.125,
            "scores": {"uar": {"value": 0.5, "low": 0.4, "high": 0.6}},
            "calibration": {"values": {"ece": [0.1]}},
        }
        (place / "evaluation.json").write_text(json.dumps(found))
    rows = filled_page.filled("{{ evaluations }}", source).splitlines()[2:]
    link = "evaluations/reader"
    assert rows == [
        f"| `reader` | [emodb]({link}/emodb/report.md) | no | 1440 | 24 | 0.50 [0.40, 0.60] | 0.12 | 0.10 |",
        f"| `reader` | [ravdess]({link}/ravdess/report.md) | 1200 of them | 1440 | 24 | 0.50 [0.40, 0.60] | 0.12 | 0.10 |",
        f"| `reader` | [ravdess]({link}/tested_speakers/report.md), tested speakers, enrolled by their clips | no | 1440 "
        "| 24 | 0.50 [0.40, 0.60] | 0.12 | 0.10 |",
    ]


def test_the_cost_of_a_model_is_a_row(source):
    place = source.results / "lstm_toy" / "h64" / "paper"
    report = json.loads((place / "report.json").read_text())
    (source.results / "benchmarks").mkdir()
    (source.results / "benchmarks" / "clips.json").write_text('{"ms": {"lstm_toy/h64": 3.14}}')
    (place / "report.json").write_text(json.dumps(report | {"parameters": 12345}))
    stored = json.loads((place / "manifest.json").read_text())
    for run in stored["runs"]:
        run["wall_seconds"] = 90.0
    stored["runs"][0]["wall_seconds"] = 9000.0  # a run that was halted costs no more
    (place / "manifest.json").write_text(json.dumps(stored))
    uar = f"{report['scores']['uar']['mean']:.2f}"
    field = "{{ cost lstm_toy/h64/paper }}"
    assert filled_page.filled(field, source) == f"LSTM, 64 units | 12,345 | 1.5 | 3.1 | {uar} | –"
    known = source.results / "lstm_toy" / "h64" / "speaker-known"
    known.mkdir()
    report["scores"]["uar"]["mean"] = 0.876
    (known / "report.json").write_text(json.dumps(report))
    assert filled_page.filled(field, source).endswith(f"| {uar} | 0.88")
