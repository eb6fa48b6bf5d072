"""Reading what runs and results keep: whole, or refused by name."""

import gzip
import json

import pandas as pd
import pytest

from sertf.runs.stored import ResultsError, read_predictions, read_run, read_summary
from tests.synthetic_runs import make_run, seal_again, summary


def test_a_run_is_read(tmp_path):
    make_run(tmp_path / "fold-1", repeat=1, fold="fold-1")
    manifest, predictions, history = read_run(tmp_path / "fold-1")
    assert manifest["seed"] == 10 and len(predictions) == manifest["tested"] == 24 and list(history["epoch"]) == [1, 2]


@pytest.mark.parametrize(("name", "text"), [("manifest.json", "[]"), ("predictions.csv", ""), ("history.csv", "")])
def test_a_broken_run_is_refused_by_file(tmp_path, name, text):
    make_run(tmp_path / "fold-1", repeat=1, fold="fold-1")
    (tmp_path / "fold-1" / name).write_text(text)
    seal_again(tmp_path)
    with pytest.raises(ResultsError, match=f"{tmp_path / 'fold-1' / name} (must hold|cannot be read)"):
        read_run(tmp_path / "fold-1")


def test_damaged_predictions(tmp_path):
    make_run(tmp_path / "fold-1", repeat=1, fold="fold-1")
    packed = gzip.compress((tmp_path / "fold-1" / "predictions.csv").read_bytes())
    path = tmp_path / "predictions.csv.gz"
    for content in (packed[:300], packed[:40] + bytes(200) + packed[240:], b"no gzip"):
        path.write_bytes(content)
        with pytest.raises(ResultsError, match=f"{path} cannot be read as predictions"):
            read_predictions(path)
    path.write_bytes(packed)
    pd.testing.assert_frame_equal(read_predictions(path), read_predictions(tmp_path / "fold-1" / "predictions.csv"))


def test_summaries(tmp_path):
    with pytest.raises(
        ResultsError, match=f"{tmp_path} holds no report.json, so it is not a stored result; give <resu"
    ):
        read_summary(tmp_path)
    whole = summary()
    (tmp_path / "report.json").write_text(json.dumps(whole))
    assert read_summary(tmp_path) == whole


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        (lambda s: s.pop("recall"), "recall"),
        (lambda s: s["facts"].pop("emotions"), "emotions of facts"),
        (lambda s: s["scores"]["wa"].pop("low"), "low of wa"),
        (lambda s: s.clear(), "facts, scores, recall"),
    ],
)
def test_summaries_that_lack_something(tmp_path, change, lacking):
    cut = summary()
    change(cut)
    (tmp_path / "report.json").write_text(json.dumps(cut))
    with pytest.raises(ResultsError, match=f"report.json lacks {lacking}.*; delete the folder and write the report"):
        read_summary(tmp_path)
