import json
import re
import shutil

import pytest

from sertf.errors import SertfError
from sertf.evaluation.reproducibility import rates_of
from sertf.evaluation.scores import scores_of
from sertf.evaluation.statistics import unpaired_test
from sertf.reports.overview import write_overview
from sertf.reports.overview_page import _differences, _order
from sertf.reports.report import write_report
from sertf.runs.stored import ResultsError, read_predictions, read_summary
from tests.synthetic_runs import FOLDS, make_runs, seal_again

PUBLISHED = {"wa": [0.9, 0.01, 0.95], "PLR": [0.8, None, None]}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The whole, one much worse, two of a single repeat and protocol: without published scores, and with the whole's."""
    root = tmp_path_factory.mktemp("kept")
    rows = [
        ("whole", 3.0, 3, "paper"),
        ("whole", 3.0, 3, "strict"),
        ("cut", 0.1, 3, "paper"),
        ("cut", 0.1, 3, "strict"),
    ]
    printed = {"whole": PUBLISHED, "same": PUBLISHED, "cut": PUBLISHED | {"wa": [0.84, None, None]}}
    for variant, skill, repeats, protocol in [*rows, ("single", 3.0, 1, "paper"), ("same", 3.0, 1, "paper")]:
        runs = make_runs(
            root / "runs",
            variant=variant,
            protocol=protocol,
            repeats=repeats,
            skill=skill,
            published=printed.get(variant),
        )
        write_report(runs, root / "lstm_toy" / variant / protocol)
    return root / "lstm_toy"


@pytest.fixture(scope="module")
def written(results):
    return write_overview(results, references=["whole"], score="wa"), (results / "overview.md").read_text()


def test_numbers_are_those_of_the_kept_predictions(results, written):
    content, _ = written
    table = read_predictions(results / "cut" / "strict" / "predictions.csv.gz")
    values = [scores_of(part)["wa"] for _, part in table.groupby("repeat")]
    kept = content["variants"]["cut"]["strict"]
    assert kept["mean"] == pytest.approx(sum(values) / 3)
    assert kept["reproducibility"] == rates_of(table)
    assert json.loads((results / "overview.json").read_text()) == json.loads(json.dumps(content))


def test_differences_with_intervals_and_a_plain_sentence(written):
    content, page = written
    rows = {(row["variant"], row["protocol"]): row for row in content["differences"]}
    assert set(rows) == {("cut", "paper"), ("cut", "strict"), ("single", "paper"), ("same", "paper")}
    cut = rows["cut", "strict"]
    assert cut["low"] < cut["difference"] < cut["high"] < 0
    assert cut["over_repeats"]["repeats"] == [3, 3] and cut["published"] == pytest.approx(-0.06)
    assert rows["same", "paper"]["published"] is None
    assert "other speakers: cut lies below whole" in page


def test_a_single_repeat_has_no_reproducibility_and_no_paired_test(written):
    content, page = written
    (row,) = [row for row in content["differences"] if row["variant"] == "single"]
    assert row["over_repeats"] is None and row["published"] is None
    assert "(repeats: 1 against 3; other seeds are not covered)" in page
    assert content["variants"]["single"]["paper"]["reproducibility"] is None
    assert "| `single` | paper | 1 | – | – | – | – | – | – |" in page
    assert "not run" in page


def test_published_reproducibility_stands_beside_ours(results, written):
    _, page = written
    assert "PLR 0.8000" in page
    assert "| PLR | all repeats agree | 80.00 % |" in (results / "whole" / "paper" / "report.md").read_text()


def test_figures(results, written):
    for name in ("bars.png", "repeats_paper.png", "repeats_strict.png"):
        assert (results / name).stat().st_size > 1000 and name in written[1]


def test_a_reference_and_variants_of_another_experiment(results):
    shutil.copytree(results / "whole", results.parent / "other" / "base", dirs_exist_ok=True)
    content = write_overview(results, references=["other/base"], score="wa", beside=["other/base"])
    rows = {(row["variant"], row["protocol"]): row["difference"] for row in content["differences"]}
    assert rows["whole", "strict"] == 0 and rows["cut", "strict"] < 0
    assert "(../other/base/strict/report.md)" in (results / "overview.md").read_text()


def test_each_variant_is_set_against_the_reference_of_its_recipe(results, tmp_path):
    copy = tmp_path / "lstm_toy"
    shutil.copytree(results, copy)
    for variant in ("slow", "slow_cut"):
        shutil.copytree(copy / variant.replace("slow_", "").replace("slow", "whole"), copy / variant)
        for place in copy.glob(f"{variant}/*/report.json"):
            content = json.loads(place.read_text())
            content["facts"]["recipe"] = content["facts"]["recipe"] | {"learning_rate": 1e-5}
            place.write_text(json.dumps(content))
    rows = write_overview(copy, references=["whole", "slow"])["differences"]
    against = {row["variant"]: row["reference"] for row in rows}
    assert against == {"cut": "whole", "single": "whole", "same": "whole", "slow": "whole", "slow_cut": "slow"}
    page = (copy / "overview.md").read_text()
    assert "minus that of a reference" in page and "| `slow_cut` | `slow` | paper |" in page


def test_unequal_repeats_are_compared_over_seeds_too(results, tmp_path):
    copy = tmp_path / "lstm_toy"
    shutil.copytree(results, copy)
    write_report(make_runs(tmp_path / "runs", variant="two", repeats=2, skill=0.1), copy / "two" / "paper")
    (row,) = [row for row in write_overview(copy, references=["whole"])["differences"] if row["variant"] == "two"]
    values = [read_summary(copy / name / "paper")["scores"]["wa"]["values"] for name in ("two", "whole")]
    test = unpaired_test(*values)
    assert (row["over_repeats"]["low"], row["over_repeats"]["high"]) == (test.low, test.high)
    page = (copy / "overview.md").read_text()
    (line,) = [line for line in page.splitlines() if line.startswith("| `two` | paper |") and "against" in line]
    assert "(2 against 3)" in line
    assert "- `paper`, other speakers: two lies below whole; other seeds: the same." in page


def test_what_holds_over_speakers_but_not_over_seeds_is_said(written):
    content, page = written
    row = {"variant": "cut", "reference": "whole", "protocol": "paper", "published": None}
    row |= {"difference": -0.1, "low": -0.2, "high": -0.05}
    row["over_repeats"] = {"low": -0.3, "high": 0.1, "t_p": 0.2, "repeats": [3, 3]}
    lines = _differences(content | {"differences": [row]}, "UAR")
    found = "cut lies below whole; other seeds: a difference between cut and whole is not shown (the interval holds 0)."
    assert lines[-2] == f"- `paper`, other speakers: {found}"


def test_without_a_reference(results, tmp_path):
    assert write_overview(results)["differences"] == []
    assert "minus" not in (results / "overview.md").read_text()


def test_different_test_sets_are_never_compared(results, tmp_path):
    copy = tmp_path / "lstm_toy"
    shutil.copytree(results, copy)
    table = read_predictions(copy / "cut" / "paper" / "predictions.csv.gz")
    table["utterance"] = "other-" + table["utterance"]
    table.to_csv(copy / "cut" / "paper" / "predictions.csv.gz", index=False)
    with pytest.raises(ResultsError, match="cut cannot be set against whole under paper: .*same utterances"):
        write_overview(copy, references=["whole"])


def test_the_score_against_an_option(tmp_path):
    for layers in (1, 2, 3):
        model = {"name": "serct", "options": {"size": "narrow", "layers": layers}}
        runs = make_runs(tmp_path / "runs", variant=f"layers_{layers}", repeats=2, skill=layers / 3, model=model)
        write_report(runs, tmp_path / "toy" / f"layers_{layers}" / "paper")
    write_overview(tmp_path / "toy", by="layers")
    assert (tmp_path / "toy" / "by_layers.png").stat().st_size > 1000
    assert "by layers: repeats, their mean" in (tmp_path / "toy" / "overview.md").read_text()
    for option in ("depth", "size"):
        with pytest.raises(ResultsError, match=f"the option '{option}' as a number; their options are layers, size"):
            write_overview(tmp_path / "toy", by=option)


def test_chance_and_languages_of_runs_across_corpora(tmp_path):
    described = {"languages": ["en"], "utterances": 9, "speakers": 2}
    across = {"trained": {"a": described}, "tested": {fold: {**described, "languages": ["de"]} for fold in FOLDS}}
    published = {"wa": [0.4, None, None], "training_hours": [2.5, None, None]}
    runs = make_runs(tmp_path / "runs", repeats=2, across=across, published=published)
    summary = write_report(runs, tmp_path / "toy" / "h64" / "paper")
    write_overview(tmp_path / "toy")
    page = (tmp_path / "toy" / "overview.md").read_text()
    assert "Trained on a (en), tested on fold-1 (de), fold-2 (de)." in page
    wa = summary["by_corpus"]["fold-1"]["scores"]["wa"]["chance"]
    assert f"| 0.4000 <br>2.5 h of training | fold-1 WA (accuracy) {wa:.4f}, fold-1 UAR 0.3333, fold-2 WA" in page
    assert "| s a run |" in page and "| 2 |" in page  # 2.5 s each


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"references": ["wohle"]}, "Unknown reference 'wohle'"),
        ({"references": ["lstm_toy/wohle"]}, "'lstm_toy/wohle' must be <experiment>/<variant>"),
        ({"beside": ["whole"]}, "'whole' must be <experiment>/<variant>"),
        ({"score": "kappa"}, "score must be one of uar, wa"),
    ],
)
def test_a_mistake_is_one_sentence(results, options, message):
    with pytest.raises(SertfError, match=message):
        write_overview(results, **options)


def test_no_results(tmp_path):
    with pytest.raises(SertfError, match="write reports first"):
        write_overview(tmp_path)


def test_one_speaker_has_no_intervals_to_compare_by(tmp_path):
    runs = make_runs(tmp_path / "runs")
    for path in runs.rglob("predictions.csv"):
        path.write_text(re.sub(r",s\d,", ",s0,", path.read_text()))
    seal_again(runs)
    write_report(runs, tmp_path / "toy" / "h64" / "paper")
    with pytest.raises(ResultsError, match="toy holds scores without intervals, since one speaker was tested"):
        write_overview(tmp_path / "toy")


def test_variants_stand_in_the_order_of_the_protocol_that_most_have():
    means = {"a": {"paper": 0.9}, "b": {"paper": 0.5, "strict": 0.4}, "c": {"paper": 0.4, "strict": 0.45}}
    summaries = {
        name: {protocol: {"scores": {"wa": {"mean": mean}}} for protocol, mean in of_variant.items()}
        for name, of_variant in means.items()
    }
    assert _order(summaries, "wa", ["paper", "strict"]) == ["a", "b", "c"]
    del summaries["a"]["paper"], summaries["c"]["paper"]
    summaries["a"]["strict"] = {"scores": {"wa": {"mean": 0.1}}}
    assert _order(summaries, "wa", ["paper", "strict"]) == ["c", "b", "a"]
    del summaries["b"]["strict"]
    assert _order(summaries, "wa", ["paper", "strict"]) == ["c", "a", "b"]


def test_features_that_differ_are_said(tmp_path):
    root = tmp_path / "results" / "lstm_toy"
    for variant, segments in (("whole", 64), ("cut", 64), ("means", 1)):
        front_end = {"name": "fused_statistics", "options": {"segments": segments}}
        runs = make_runs(tmp_path / "runs", variant=variant, repeats=1, front_end=front_end)
        write_report(runs, root / variant / "paper")
    write_overview(root)
    page = (root / "overview.md").read_text()
    assert "Not all variants read the same features:" in page
    assert "- `fused_statistics` (segments 1): `means`" in page
    shutil.rmtree(root / "means")
    write_overview(root)
    assert "same features" not in (root / "overview.md").read_text()
