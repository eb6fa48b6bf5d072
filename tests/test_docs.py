"""The pages that people read: links, the length of the README, and scores as the stored results have them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from sertf import cli, papers

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "experiments" / "results"
PAGES = sorted((ROOT / "docs" / "papers").glob("*.md"))
FOLDER = re.compile(r"report, below `(experiments/results/[^`]+)`")
REPORT = re.compile(r"`([^`]+)/report\.md`")


def rows_of(page):
    """Cells of each table row that names a stored report, and the folder of its results."""
    folder = None
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if found := FOLDER.fullmatch(cells[-1]):
            folder = ROOT / found[1]
        elif found := REPORT.fullmatch(cells[-1]):
            yield cells, folder / found[1]


def written(score):
    spread = "" if score["std"] is None else f" ± {score['std']:.3f}"
    return f"{score['mean']:.3f}{spread} [{score['low']:.3f}, {score['high']:.3f}]"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_papers_page_holds_the_stored_scores(page):
    rows = list(rows_of(page))
    assert rows
    for cells, place in rows:
        stored = json.loads((place / "report.json").read_text(encoding="utf-8"))
        assert cells[-2] in [written(stored["scores"][key]) for key in ("uar", "wa")], place
        assert cells[2] == str(stored["facts"]["repeats"]), place


LINKED = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "experiments" / "results" / "README.md")
    if not page.name.endswith(".template.md")
)


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for address in re.findall(r"\]\(([^)\s]+)\)", text):
        if not address.startswith(("http", "#")):
            assert (page.parent / address.partition("#")[0]).exists(), address


def test_the_readme_has_the_recognizers_scores():
    places = ("recognizer/tiny_robust/strict", "recognizer_known/tiny/speaker-known")
    stored = [json.loads((RESULTS / place / "report.json").read_text(encoding="utf-8")) for place in places]
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    said = re.search(r"UAR on unseen speakers is (\d\.\d\d), and (\d\.\d\d) with all their clips", text)
    assert list(said.groups()) == [f"{report['scores']['uar']['mean']:.2f}" for report in stored]


def test_what_known_speakers_gain_across_corpora_is_stored():
    text = (ROOT / "docs" / "using-a-model.md").read_text(encoding="utf-8")
    rows = text.partition("| tested corpus | unknown speakers |")[2].splitlines()[2:5]
    place = RESULTS / "whisper_across/tiny_robust/strict" / "report.json"
    folds = json.loads(place.read_text(encoding="utf-8"))["folds"]
    for row in rows:
        corpus, unknown, *enrolled = row.strip("| ").split(" | ")
        assert unknown == f"{folds[corpus.lower()]['uar']['mean']:.2f}"
        for way, cell in zip(("one", "each", "all"), enrolled, strict=True):
            page = ROOT / "docs" / re.search(r"\((.*)report.md\)", cell)[1] / "evaluation.json"
            found = json.loads(page.read_text(encoding="utf-8"))
            assert found["enrolled"] == way and cell.startswith(f"[{found['scores']['uar']['value']:.2f}]")


def test_what_self_training_was_tried_with_is_stored():
    text = " ".join((ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8").split())
    folder = RESULTS / "whisper_self_training_search"
    trials = pd.read_csv(folder / "trials.csv").query(
        "weight == 0 or (weight == 1 and sharpness == 4 and rounds == 10)"
    )
    uar = trials.set_index(["weight", "enrolled"])["uar_one_to_one"]
    said = re.search(r"rises from (\S+) to (\S+) where all speakers train together, and to (\S+) speaker by", text)
    assert [float(value) for value in said.groups()] == [uar[0, "all"], uar[1, "all"], uar[1, "each"]]
    page = (ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8")
    rows = page.partition("| clips of each speaker |")[2].splitlines()[2:8]
    kinds = pd.read_csv(folder / "kinds_of_clips.csv").query("enrolled == 'all'")
    for row, (_, kind) in zip(rows, kinds.iterrows(), strict=True):
        cells = [
            f"{kind[f'{corpus}_scaled']:.2f}, {kind[f'{corpus}_trained']:.2f}"
            for corpus in ("emodb", "ravdess", "tess")
        ]
        assert row.strip("| ").split(" | ")[1:] == cells


def test_what_carries_across_corpora_is_stored():
    text = (ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8")
    rows = text.partition("| tested corpus | `tiny.en` |")[2].splitlines()[2:5]
    unknown = [
        f"whisper_across/{name}/strict" for name in ("tiny", "tiny_robust", "tiny_robust_alike", "base", "base_robust")
    ]
    known = [f"whisper_across_known/{name}/speaker-known" for name in ("tiny", "base")]
    folds = [
        json.loads((RESULTS / place / "report.json").read_text(encoding="utf-8"))["folds"] for place in unknown + known
    ]
    for row in rows:
        corpus, *shown = row.strip("| ").split(" | ")
        assert shown == [f"{of_all[corpus.lower()]['uar']['mean']:.3f}" for of_all in folds]


README = (ROOT / "README.md").read_text(encoding="utf-8")


def of_conditions(name):
    found = json.loads((ROOT / "experiments" / name / "evaluation.json").read_text(encoding="utf-8"))
    return {row["condition"]: row["uar"] for row in found["conditions"]}


def test_what_the_attentive_cnn_hears_is_stored():
    text = (ROOT / "docs" / "attentive-cnn.md").read_text(encoding="utf-8")
    row = r"\| `(\w+)` \| (\d+) \| (\S+) \[(\S+), (\S+)\](.*) \| `(\S+)` \|"
    ravdess, _, emodb = text.partition("EmoDB leaves one speaker out")
    for corpus, part, count in (("ravdess", ravdess, 2), ("emodb", emodb, 1)):
        rows = re.findall(row, part)
        assert len(rows) == count
        for variant, repeats, *pooled, folds, place in rows:
            page = RESULTS / f"attentive_cnn_{corpus}" / place
            found = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
            uar = found["scores"]["uar"]
            assert page.parent.parent.name == variant and int(repeats) == found["facts"]["repeats"]
            assert pooled == [f"{uar[key]:.3f}" for key in ("mean", "low", "high")]
            of_folds = [f"{fold['uar']['mean']:.3f}" for fold in found["folds"].values()]
            assert corpus == "emodb" or folds.removeprefix(" | ").split(" | ") == of_folds
    said = re.findall(
        r"`\w+_distilled` has\n(\S+) \[(\S+), (\S+)\] in one repeat\n\(\[report\]\(../(.*?)report.md", text
    )
    assert len(said) == 1
    for *shown, place in said:
        uar = json.loads((ROOT / place / "report.json").read_text(encoding="utf-8"))["scores"]["uar"]
        assert shown == [f"{uar[key]:.3f}" for key in ("mean", "low", "high")]


def test_what_ridge_regression_on_the_attentive_cnn_hears_is_stored():
    text = (ROOT / "docs" / "attentive-cnn.md").read_text(encoding="utf-8")
    cells = re.findall(r"\[(0\.\d{3})\]\(\.\./(\S+)/report\.md\)", text)
    few = re.search(r"20, 10 or 5 clips .*?\n?.*? has (\S+), (\S+) or (\S+) on RAVDESS", text).groups()
    of_tiny = "experiments/results/attentive_cnn_ridge_ravdess/tiny/speaker-known-"
    cells += [(value, f"{of_tiny}{clips}") for value, clips in zip(few, (20, 10, 5), strict=True)]
    assert len(cells) == 31
    for shown, place in cells:
        uar = json.loads((ROOT / place / "report.json").read_text(encoding="utf-8"))["scores"]["uar"]
        assert shown == f"{uar['mean']:.3f}"


def test_what_the_attentive_cnn_hears_across_corpora_and_by_five_seeds_is_stored():
    text = (ROOT / "docs" / "attentive-cnn.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (EmoDB|RAVDESS|TESS) \| (0\.\d{3}) \|$", text, re.MULTILINE)
    report = json.loads(
        (RESULTS / "attentive_cnn_across/tiny_distilled/strict/report.json").read_text(encoding="utf-8")
    )
    of_fold = {name: fold["uar"]["mean"] for name, fold in report["folds"].items()}
    assert [(name.lower(), value) for name, value in rows] == [(name, f"{of_fold[name]:.3f}") for name in of_fold]
    text = " ".join(text.split())
    gains = re.search(
        r"gain (\S+) on unknown speakers \[(\S+), (\S+)\], and (\S+) on known ones \[(\S+), (\S+)\]", text
    ).groups()
    stored = []
    for protocol in ("strict", "speaker-known"):
        place = RESULTS / "attentive_cnn_ridge_ravdess" / "five_tiny" / protocol / "report.json"
        compared = json.loads(place.read_text(encoding="utf-8"))["compared"]
        stored += [f"{compared[key]:.3f}" for key in ("difference", "low", "high")]
    assert list(gains) == stored


def test_the_average_of_seeds_of_the_attentive_cnn_is_of_its_kept_answers():
    text = " ".join((ROOT / "docs" / "attentive-cnn.md").read_text(encoding="utf-8").split())
    said = re.search(r"have (\S+) on unknown speakers of RAVDESS by ridge regression, and (\S+) by the softmax", text)
    places = ("attentive_cnn_ridge_ravdess/tiny", "attentive_cnn_ravdess/tiny_distilled")
    for shown, place in zip(said.groups(), places, strict=True):
        kept = pd.read_csv(RESULTS / place / "strict" / "predictions.csv.gz")
        kept = kept[kept["repeat"] < 7].groupby("utterance")
        chosen, truth = kept[list(kept.obj)[5:]].mean().idxmax(axis=1), kept["truth"].first()
        assert float(shown.rstrip(".")) == pytest.approx((chosen == truth).groupby(truth).mean().mean(), abs=5e-4)


def test_what_was_tried_for_the_attentive_cnn_is_stored():
    text = (ROOT / "docs" / "attentive-cnn.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.partition("| altered copies |")[2].splitlines()[2:5]]
    trials = pd.read_csv(RESULTS / "attentive_cnn_search" / "trials.csv")
    shown = ["epochs", "core_minutes", "val_uar", "telephone", "noise, 20 dB", "reverberation"]
    assert [[float(cell) for cell in cells[1:]] for cells in rows] == trials[shown].to_numpy().tolist()


def test_what_fine_tuning_on_altered_copies_gave_is_stored():
    text = " ".join((ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8").split())
    trials = pd.read_csv(RESULTS / "whisper_tuned_search" / "trials.csv")
    start, last = trials.iloc[0], trials.iloc[-1]
    said = re.search(r"starts at (\S+)\. .* fell with the first epoch, to (\S+) after .* rose to (\S+)\. So", text)
    assert [float(value) for value in said.groups()] == [start["test_uar"], last["test_uar"], last["uar"]]
    assert trials["test_uar"][1] < start["test_uar"]


def test_how_far_confidence_carries_is_stored():
    text = (ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8")
    tables = [part.splitlines()[2:5] for part in text.split("| tested corpus | UAR |")[1:]]
    rows = [line.strip("| ").split(" | ") for table in tables for line in table]
    assert len(rows) == 12
    for name, *shown in rows:
        folder = ROOT / "docs" / "papers" / re.search(r"\((.*)report.md\)", name)[1]
        found, card = (json.loads((folder / file).read_text()) for file in ("evaluation.json", "model_card.json"))
        clips = pd.read_csv(folder / "predictions.csv.gz")
        scores = clips[card["emotions"]]
        confidence, right = scores.max(axis=1), scores.idxmax(axis=1) == clips["truth"]
        certain = confidence >= card["certainty"]["threshold"]
        values = [found["scores"]["uar"]["value"], found["calibration"]["values"]["ece"][0], confidence.mean()]
        shares = [certain.mean(), right[certain].mean()]
        assert shown == [*(f"{value:.2f}" for value in values), *(f"{100 * share:.0f} %" for share in shares)]


def test_what_conditions_cost_is_stored():
    places = ("evaluations/recognizer/tested_speakers", "comparisons/recognizer_without_copies")
    ships, clean, known = map(of_conditions, (*places, "evaluations/recognizer/known_speakers"))
    text = (ROOT / "docs" / "papers" / "whisper.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.partition("| condition |")[2].splitlines()[2:]]
    rows = [cells for cells in rows if len(cells) == 4]
    assert len(rows) == len(ships) - 2  # gain -20 dB and peak normalisation change nothing
    for name, *scores in rows:
        condition = name.removesuffix(", clipped")
        assert scores == [f"{of_each[condition]:.3f}" for of_each in (ships, clean, known)]
    said = re.search(r"noise and rooms cost it at most (\d\.\d\d)", " ".join(README.split()))
    for of_each in (ships, known):
        assert max(of_each["as recorded"] - uar for uar in of_each.values()) <= float(said[1]) + 0.005


def test_the_readmes_first_commands_print_what_it_shows(tmp_path, monkeypatch, capsys):
    pytest.importorskip("tensorflow")
    corpus = Path(os.environ.get("SERTF_DATA", "nowhere")) / "ravdess"
    his, hers = (
        corpus / f"Actor_{name[-2:]}" / f"{name}.flac" for name in ("03-01-05-02-02-01-05", "03-01-03-02-01-02-16")
    )
    if not his.is_file():
        pytest.skip("set SERTF_DATA to a folder that holds ravdess/ in FLAC")
    shutil.copy(his, tmp_path / "his.flac")
    shutil.copy(hers, tmp_path / "hers.flac")
    (tmp_path / "her_other_clips").mkdir()
    for clip in hers.parent.glob("03-01-*.flac"):
        if clip.name != hers.name:
            shutil.copy(clip, tmp_path / "her_other_clips")
    monkeypatch.chdir(tmp_path)
    block = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    for command, *lines in (part.splitlines() for part in block.split("$ sertf ")[1:]):
        assert cli.main(command.split()) == 0
        assert capsys.readouterr().out.splitlines() == lines


def test_figures_in_git_are_those_of_headlines_and_few():
    listed = subprocess.run(["git", "ls-files", "*.png"], cwd=RESULTS, capture_output=True, text=True)
    if listed.returncode or not listed.stdout:
        pytest.skip("this is no checkout of git")
    figures = [Path(line) for line in listed.stdout.splitlines()]
    assert sum((RESULTS / path).stat().st_size for path in figures) < 10e6
    of_variants = {path.parts[:2] for path in figures if len(path.parts) == 4}
    assert all(variant in papers.headlines(experiment) for experiment, variant in of_variants)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900
