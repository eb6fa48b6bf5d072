"""What several commands share."""

import argparse
import json
from pathlib import Path

import pytest

from sertf.cli import shared
from sertf.errors import SertfError


def options(**given):
    absent = dict.fromkeys(("table", "corpus", "data", "map", "speakers"))
    return argparse.Namespace(**{**absent, "skip_bad": False, **given})


@pytest.mark.parametrize("given", [{}, {"table": Path("mine.csv"), "corpus": "emodb"}])
def test_utterances_come_from_a_corpus_or_a_table_and_not_both(given):
    with pytest.raises(SertfError, match="Give either the name of a corpus, or --table"):
        shared.load_table(options(**given))


def test_a_table_of_the_users_own(corpus, tmp_path):
    corpus.to_csv(tmp_path / "mine.csv", index=False)
    table = shared.load_table(options(table=tmp_path / "mine.csv"))
    assert list(table["utterance"]) == list(corpus["utterance"])


def test_workers_are_at_least_one():
    shared.check_workers(argparse.Namespace(workers=None))
    shared.check_workers(argparse.Namespace(workers=1))
    with pytest.raises(SertfError, match="--workers must be 1 or more, got 0"):
        shared.check_workers(argparse.Namespace(workers=0))


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    shared.check_place(tmp_path / "table.csv")
    assert not list(tmp_path.iterdir())
    with pytest.raises(SertfError, match="is a folder; give the name of a file"):
        shared.check_place(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SertfError, match="cannot be written .*; choose another place"):
        shared.check_place(tmp_path / "file" / "table.csv")
    with pytest.raises(SertfError, match="cannot be written .*; choose another place"):
        shared.write(tmp_path / "file" / "table.csv", "text")


def test_json_takes_paths_and_letters_as_they_are_and_no_nan(capsys):
    content = {"path": Path("a/b"), "emotion": "Ärger"}
    shared.print_json(content)
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"path": "a/b", "emotion": "Ärger"} and "Ärger" in printed
    with pytest.raises(ValueError, match="not JSON compliant"):
        shared.to_json({"uar": float("nan")})


def test_columns_are_as_wide_as_their_widest_cell(capsys):
    shared.print_table(["name", "x"], [["a", "1"], ["longest", ""]])
    assert capsys.readouterr().out.split("\n") == ["name     x", "a        1", "longest", ""]
