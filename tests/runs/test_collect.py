"""Reading run directories: what is complete, what is broken, and what the summary holds."""

import shutil

import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.runs.collect import collect, merge_manifests
from tests.synthetic_runs import EMOTIONS, FOLDS, make_run, seal_again


def test_collect_reads_every_run_in_order(runs):
    found = collect(runs)
    assert found.facts["emotions"] == EMOTIONS
    assert list(found.predictions.groupby(["repeat", "fold"], sort=False).size().items()) == [
        ((repeat, fold), 24) for repeat in range(3) for fold in FOLDS
    ]
    assert [(m["repeat"], m["fold"]) for m in found.manifests] == [(r, f) for r in range(3) for f in FOLDS]
    assert len(found.histories) == 12 and set(found.histories["fold"]) == set(FOLDS)
    assert found.representations == runs / "repeat-00" / "fold-1" / "representations.npz"
    assert found.beyond_plan == ()


def test_missing_half_written_and_broken_runs_are_all_named(runs):
    shutil.rmtree(runs / "repeat-00" / "fold-2")
    (runs / "repeat-01" / "fold-1" / "manifest.json").unlink()
    (runs / "repeat-02" / "fold-1" / "manifest.json").write_text('{"digest": "ab')
    (runs / "repeat-02" / "fold-2" / "history.csv").write_text("")
    seal_again(runs)
    with pytest.raises(SertfError) as caught:
        collect(runs)
    message = str(caught.value)
    assert "4 of the 6 runs" in message
    assert "repeat 0, fold fold-2 is missing" in message
    assert "repeat 1, fold fold-1 is half-written (no manifest.json)" in message
    assert "repeat 2, fold fold-1 is broken" in message and "manifest.json cannot be read as JSON" in message
    assert "repeat 2, fold fold-2 is broken" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="anger"), "columns|no score column"),
        (lambda t: t[[*t.columns[:5], "anger", "sadness", "neutral"]], "has the columns"),
        (lambda t: t.assign(repeat=1), "another repeat or fold"),
        (lambda t: t.assign(fold="fold-9"), "another repeat or fold"),
        (lambda t: t.assign(anger=[*t["anger"][:-1], float("nan")]), "'anger' is NaN or infinite for 1 of 24"),
        (lambda t: t.assign(truth="joy"), "'joy'"),
        (lambda t: t.iloc[:0], "empty"),
        (lambda t: t.iloc[2:], "predicts 22 of the 24 tested utterances"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "predicts 1 utterances twice, first 'u0'"),
    ],
)
def test_broken_predictions(runs, change, message):
    path = runs / "repeat-00" / "fold-1" / "predictions.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    seal_again(runs)
    with pytest.raises(SertfError, match=f"1 of the 6 runs .* repeat 0, fold fold-1 is broken: .*({message})"):
        collect(runs)


@pytest.mark.parametrize("name", ["predictions.csv", "history.csv", "manifest.json", "representations.npz"])
def test_a_changed_byte_of_a_run_is_refused_by_name(runs, name):
    path = runs / "repeat-01" / "fold-2" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SertfError, match=f"1 of the 6 .* repeat 1, fold fold-2 .*SHA256SUMS: {name} has changed; copy"):
        collect(runs)


def test_a_run_without_checksums_is_refused(runs):
    (runs / "repeat-01" / "fold-2" / "SHA256SUMS").unlink()
    with pytest.raises(SertfError, match="repeat 1, fold fold-2 is broken: .*SHA256SUMS cannot be read as checksums"):
        collect(runs)


def test_a_run_of_another_experiment(runs):
    shutil.rmtree(runs / "repeat-00" / "fold-1")
    make_run(runs / "repeat-00" / "fold-1", repeat=0, fold="fold-1", digest="other")
    with pytest.raises(SertfError, match=r"repeat 0, fold fold-1 is of another experiment \(digest other, not abc\)"):
        collect(runs)


def test_names_that_look_like_missing_values(runs):
    for path in runs.rglob("predictions.csv"):
        path.write_text(path.read_text().replace(",s0,", ",NA,"))
    seal_again(runs)
    assert "NA" in set(collect(runs).predictions["speaker"])


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (None, "holds no experiment.json"),
        ("{", "cannot be read as JSON"),
        ("[]", "must hold a JSON object"),
        ('{"experiment": "x"}', "lacks .*'digest'"),
    ],
)
def test_bad_experiment_file(runs, facts, message):
    (runs / "experiment.json").unlink()
    if facts is not None:
        (runs / "experiment.json").write_text(facts)
    with pytest.raises(SertfError, match=message):
        collect(runs)


def test_merge_manifests():
    first = {"repeat": 0, "fold": "1", "seed": 3, "code": "a", "device": "CPU"}
    assert merge_manifests([first, {**first, "repeat": 1, "code": "b"}]) == (
        {"device": "CPU"},
        [{"repeat": 0, "fold": "1", "seed": 3, "code": "a"}, {"repeat": 1, "fold": "1", "seed": 3, "code": "b"}],
    )
    assert merge_manifests([first])[1] == [{"repeat": 0, "fold": "1", "seed": 3}]
