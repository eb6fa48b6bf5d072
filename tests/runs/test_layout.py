"""Paths of runs and of stored results, composed and parsed."""

import doctest
from pathlib import Path

import pytest

from sertf.runs import layout
from sertf.runs.layout import RunPlace


@pytest.mark.parametrize("repeat", [0, 7, 123])
def test_what_is_composed_is_parsed(repeat):
    place = RunPlace(layout.runs_folder(Path("/runs"), "small", "strict"), repeat, "fold-1")
    assert RunPlace.parse(place.path) == place
    assert place.names == ("small", "strict") and layout.folder_of(place.path) == place.folder


def test_the_label_is_the_end_of_the_path():
    place = RunPlace(Path("/anywhere/small/strict"), 12, "NA")
    assert place.path.as_posix() == f"/anywhere/{place.label}" and place.label == "small/strict/repeat-12/NA"


def test_planned_runs_go_repeat_by_repeat():
    found = layout.planned_runs(Path("small/strict"), 2, ["b", "a"])
    assert [(run.repeat, run.fold) for run in found] == [(0, "b"), (0, "a"), (1, "b"), (1, "a")]


def test_only_finished_runs_are_found(tmp_path):
    for name in ("repeat-01/a", "repeat-00/b", "repeat-00/.a-abcdefgh", "other/a"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").touch()
    (tmp_path / "repeat-00" / "half-written").mkdir()
    assert layout.finished_runs(tmp_path) == [tmp_path / "repeat-00" / "b", tmp_path / "repeat-01" / "a"]
    assert layout.is_finished(tmp_path / "repeat-00" / "b")
    assert not layout.is_finished(tmp_path / "repeat-00" / "half-written")


def test_the_folder_of_results_is_that_above_the_names():
    names = ("one", "b", "strict")
    assert layout.results_of(layout.stored_folder(Path("/results"), *names), names) == Path("/results")
    assert layout.results_of(Path("/somewhere/else/mine"), names) == Path("/somewhere/else")


@pytest.fixture
def results(tmp_path):
    for names in (("one", "b", "strict"), ("one", "b", "paper"), ("one", "a", "strict"), ("two", "a", "strict")):
        folder = layout.stored_folder(tmp_path, *names)
        folder.mkdir(parents=True)
        (folder / "report.json").touch()
    (tmp_path / "one" / "c" / "strict").mkdir(parents=True)  # without a report
    for hidden in (".d-abcdefgh/strict", "b/.strict-abcdefgh"):  # of killed reports
        (tmp_path / "one" / hidden).mkdir(parents=True)
        (tmp_path / "one" / hidden / "report.json").touch()
    return tmp_path


def test_stored_results_are_found_on_every_level(results):
    def found(folders):
        return [folder.relative_to(results).as_posix() for folder in folders]

    of_one = ["one/a/strict", "one/b/paper", "one/b/strict"]
    assert found(layout.stored_below(results)) == [*of_one, "two/a/strict"]
    assert found(layout.stored_of_experiment(results / "one")) == of_one
    assert found(layout.stored_of_variant(results / "one" / "b")) == ["one/b/paper", "one/b/strict"]
    assert found(layout.stored_of_protocol(results / "one" / "b" / "strict")) == ["one/a/strict", "one/b/strict"]
    assert not layout.is_stored(results / "one" / "c" / "strict")


def test_siblings_are_of_the_same_experiment(results):
    folder = layout.stored_folder(results, "one", "b", "strict")
    assert layout.sibling(folder, protocol="paper") == layout.stored_folder(results, "one", "b", "paper")
    assert layout.sibling(folder, variant="a") == layout.stored_folder(results, "one", "a", "strict")


def test_doctests():
    result = doctest.testmod(layout)
    assert result.attempted and not result.failed
