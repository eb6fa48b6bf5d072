import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sertf.corpora import CorpusWarning
from sertf.errors import SertfError
from sertf.experiment import command_line, runner
from sertf.experiment.description import Setting, Variant, digest
from sertf.parallel import processes
from sertf.protocols.splits import protocol
from sertf.training.recipe import Recipe, Tuned, write_recipe
from tests.corpora import trees
from tests.toy import EXPERIMENT


@pytest.fixture(autouse=True)
def toy_corpus(monkeypatch, corpus):
    """The tiny corpus in place of the one that the experiment names."""
    monkeypatch.setattr(command_line.corpora, "load", lambda *_, **__: corpus)


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: [runner.run_job(job) for job in jobs])


def command(cache, out, *more):
    return ["--data", "unused", "--cache", str(cache), "--out", str(out), "--protocol", "strict", *more]


def test_smoke_runs_and_prints_the_table_of_the_experiment(cache, tmp_path, in_process, capsys):
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke"))
    printed = capsys.readouterr().out
    assert "`small`" in printed and "report.md" in printed
    shutil.copytree(tmp_path / "results" / "toy", tmp_path / "results" / "another")
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke"))
    assert capsys.readouterr().out == printed
    assert (tmp_path / "results" / "toy" / "small" / "strict" / "predictions.csv.gz").is_file()
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke", "--results", str(tmp_path / "elsewhere")))
    assert (tmp_path / "elsewhere" / "toy" / "small" / "strict" / "predictions.csv.gz").is_file()


def test_a_few_of_two_speakers_are_ten_of_each_emotion():
    """Enough for the 90/10 split of TESS, and of each corpus in a table of several."""
    from tests.protocols.test_splits import make_table

    two, many = make_table(2, per_emotion=20, corpus="two"), make_table(24, per_emotion=20, corpus="many")
    table = command_line.few(pd.concat([two, many], ignore_index=True))
    counts = table.groupby(["corpus", "emotion"]).size()
    assert counts["two"].tolist() == [10] * 3 and counts["many"].tolist() == [48] * 3
    # Of 24 speakers, an emotion that two of them have.
    rare = many[(many["emotion"] != "anger") | many["speaker"].isin(many["speaker"].unique()[:2])]
    assert command_line.few(rare).groupby("emotion").size()["anger"] == 10


def test_smoke_shrinks_but_keeps_speakers_and_emotions(corpus):
    table = command_line.few(corpus)
    assert table["speaker"].nunique() == 4 and table["emotion"].nunique() == 4
    assert command_line.shrink(EXPERIMENT).recipe("small", "paper").epochs == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--variant", "big"], "Unknown variant 'big'; known are small"),
        (["--repeats", "0"], "repeats must be 1 or more"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(cache, tmp_path, more, message, capsys):
    with pytest.raises(SystemExit) as left:
        command_line.main(EXPERIMENT, command(cache, tmp_path, *more))
    printed = capsys.readouterr().err
    assert left.value.code == 2 and message in printed and "Traceback" not in printed


def test_what_is_given_wrongly_is_said_before_anything_is_trained(cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "run", lambda *_, **__: pytest.fail("something was trained"))

    def said(arguments, **environment):
        with pytest.raises(SystemExit) as left:
            command_line.main(replace(EXPERIMENT, corpus="emodb"), arguments)
        assert left.value.code == 2
        return capsys.readouterr().err

    without_data = command(cache, tmp_path)[2:]
    assert said(without_data).startswith("error: emodb needs --data, the folder that holds it; `sertf corpora` says")
    (tmp_path / "file").touch()
    printed = said(command(cache, tmp_path, "--results", str(tmp_path / "file" / "kept")))
    assert "Cannot write to" in printed and "choose another --results folder" in printed
    printed = said([*without_data, "--data", str(tmp_path), "--smoke", "--out", str(tmp_path / "file" / "runs")])
    assert "Cannot write to" in printed and "choose another --out folder" in printed
    monkeypatch.setenv("KERAS_BACKEND", "jacks")
    expected = "error: KERAS_BACKEND: Unknown backend 'jacks'; known are tensorflow, jax.\n"
    assert said(command(cache, tmp_path)) == expected


def test_own_data_and_corpora_that_do_not_exist(corpus, cache, tmp_path, monkeypatch, capsys):
    tables = []
    monkeypatch.setattr(runner, "run", lambda _, table, **__: tables.append(table) or {})
    corpus[["path", "emotion", "speaker"]].to_csv(tmp_path / "mine.csv", index=False)
    own, rest = replace(EXPERIMENT, corpus="table"), command(cache, tmp_path)[2:]
    command_line.main(own, ["--data", str(tmp_path / "mine.csv"), "--results", str(tmp_path / "kept"), *rest])
    assert set(tables[0]["corpus"]) == {"mine"} and len(tables[0]) == len(corpus)
    for experiment, message in (
        (own, "needs --data, a CSV"),
        (replace(own, corpus="embeded"), "did you mean embedded"),
    ):
        with pytest.raises(SystemExit):
            command_line.main(experiment, rest)
        assert message in capsys.readouterr().err


def test_a_network_of_no_layers_is_one_sentence(cache, tmp_path, in_process, capsys):
    experiment = replace(
        EXPERIMENT,
        front_end="waveform",
        front_end_options={"sample_rate": 8000, "samples": 4000},
        variants={"deep": replace(EXPERIMENT.variants["small"], model="serct", options={"layers": 0})},
    )
    with pytest.raises(SystemExit) as left:
        command_line.main(experiment, command(cache, tmp_path))
    printed = capsys.readouterr().err
    assert left.value.code == 2 and "SERCT: layers must be a whole number above 0, got 0" in printed


def test_extending_takes_the_runs_from_the_results(cache, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "run", lambda *_, results, extend, **__: seen.append((results, extend)) or {})
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--results", str(tmp_path / "kept"), "--extend"))
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--results", str(tmp_path / "kept")))
    assert seen == [(tmp_path / "kept", True), (tmp_path / "kept", False)]
    with pytest.raises(SystemExit) as left:
        command_line.main(EXPERIMENT, command(cache, tmp_path, "--extend", "--verify"))
    assert left.value.code == 2 and len(seen) == 2


def test_verifying_trains_a_kept_run_for_an_epoch_and_writes_nothing(cache, tmp_path, in_process, capsys):
    command_line.main(
        EXPERIMENT, command(cache, tmp_path / "out", "--repeats", "1", "--results", str(tmp_path / "kept"))
    )
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    monitored = lambda function, jobs, **__: [function(job) for job in jobs]  # noqa: E731
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(processes, "run_all", monitored)
        command_line.main(EXPERIMENT, command(cache, tmp_path / "out", "--results", str(tmp_path / "kept"), "--verify"))
    assert "| kept loss | here | difference |" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def test_the_same_experiment_on_another_corpus(cache, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "run", lambda experiment, table, **_: seen.append(experiment) or {})
    on = lambda corpus: replace(EXPERIMENT, corpus=corpus, name=f"toy_{corpus}")  # noqa: E731
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--corpus", "emodb"), on=on)
    command_line.main(EXPERIMENT, command(cache, tmp_path), on=on)
    assert [experiment.name for experiment in seen] == ["toy_emodb", "toy"]
    with pytest.raises(SystemExit):
        command_line.main(EXPERIMENT, command(cache, tmp_path, "--corpus", "emodb"))


@pytest.fixture
def esd(monkeypatch):
    """One utterance an emotion of two speakers of either language in place of ESD; the list of what is run."""
    from tests.protocols.test_splits import make_table

    english, mandarin = (make_table(2, per_emotion=1, corpus=name) for name in ("en", "zh"))
    both = pd.concat([english, mandarin.assign(language="zh")], ignore_index=True).assign(corpus="esd")
    seen = []
    monkeypatch.setattr(command_line.corpora, "load", lambda name, *_, **__: {"esd": both}[name])
    monkeypatch.setattr(command_line.corpora, "load_several", lambda folders, **_: both)
    monkeypatch.setattr(runner, "run", lambda experiment, table, **_: seen.append((experiment, table)) or {})
    return seen


def test_a_language_of_a_corpus_is_a_corpus_of_its_own(cache, tmp_path, esd):
    on = lambda corpus: replace(EXPERIMENT, corpus=corpus, name=f"toy_{corpus}")  # noqa: E731
    for corpus in ("esd", "esd_en", "esd_zh"):
        command_line.main(EXPERIMENT, command(cache, tmp_path, "--corpus", corpus), on=on)
    assert [(e.name, set(t["corpus"]), set(t["language"]), len(t)) for e, t in esd] == [
        ("toy_esd", {"esd"}, {"en", "zh"}, 12),
        ("toy_esd_en", {"esd_en"}, {"en"}, 6),
        ("toy_esd_zh", {"esd_zh"}, {"zh"}, 6),
    ]
    assert len({digest(experiment.identity("small", "strict")) for experiment, _ in esd}) == 3


def test_from_one_language_of_a_corpus_to_the_other(esd):
    command_line.main(between("ravdess", ("emodb",)), ["--train", "esd_en", "--data", "esd=/e"], between=between)
    ((experiment, table),) = esd
    assert (experiment.name, experiment.corpus) == ("esd_en_to_esd_zh", "esd_en+esd_zh")
    (fold,) = protocol("zero-shot-90-10-esd_en")(
        pd.concat([table.assign(utterance=table["utterance"] + n) for n in "abcde"])
    )
    assert fold.name == "esd_zh" and all(name.startswith("en-") for name in fold.train)


def test_a_language_that_a_corpus_has_not(cache, tmp_path, esd, capsys):
    with pytest.raises(SystemExit) as left:
        command_line.main(EXPERIMENT, command(cache, tmp_path, "--corpus", "esd_fr"), on=lambda _: EXPERIMENT)
    printed = capsys.readouterr().err
    assert left.value.code == 2 and "esd_fr" in printed and "esd_zh" in printed and "esd_en" in printed
    assert "emodb_de" not in printed  # the whole of it


def test_precision_and_accumulation_change_the_recipe_and_its_identity():
    as_is = command_line.with_options(EXPERIMENT, None, None)
    assert as_is == EXPERIMENT
    changed = command_line.with_options(EXPERIMENT, "bfloat16", 4)
    recipe = changed.recipe("small", "strict")
    assert (recipe.precision, recipe.batch_size, recipe.accumulation) == ("bfloat16", 2, 4)
    assert command_line.with_options(changed, None, 2).recipe("small", "strict").batch_size == 4
    assert digest(changed.identity("small", "strict")) != digest(EXPERIMENT.identity("small", "strict"))
    with pytest.raises(SertfError, match="--accumulation must divide the batches of 8, but is 3"):
        command_line.with_options(EXPERIMENT, None, 3)
    classical = replace(EXPERIMENT, variants={"svm": Variant("svm", recipes=None)})
    assert command_line.with_options(classical, "bfloat16", 4) == classical


def test_variants_for_a_gpu_are_run_where_they_are_named(cache, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "run", lambda *_, variants, **__: seen.append(variants) or {})
    small = EXPERIMENT.variants["small"]
    experiment = replace(EXPERIMENT, variants={"small": small, "large": replace(small, for_gpu=True)})
    command_line.main(experiment, command(cache, tmp_path))
    command_line.main(experiment, command(cache, tmp_path, "--variant", "large"))
    assert seen == [["small"], ["large"]]


def between(trained, tested):
    return replace(EXPERIMENT, corpus="+".join((trained, *tested)), name=f"{trained}_to_{'_'.join(tested)}")


@pytest.fixture
def given(monkeypatch):
    """What a script of several corpora loads, trains and tests on, without doing it."""
    seen = {}
    monkeypatch.setattr(command_line.corpora, "load_several", lambda folders, **_: seen.update(folders=folders))
    monkeypatch.setattr(command_line.zero_shot, "shared_emotions", lambda table: table)
    monkeypatch.setattr(runner, "run", lambda experiment, *_, **__: seen.update(corpus=experiment.corpus) or {})

    def call(*arguments):
        command_line.main(between("ravdess", ("emodb",)), list(arguments), between=between)
        return seen

    return call


def test_several_corpora_by_name(given):
    data = ["--data", "emodb=/b=c", "--data", "tess=/t", "--data", "ravdess=/a"]
    assert given(*data)["folders"] == {"emodb": "/b=c", "tess": "/t", "ravdess": "/a"}
    assert given(*data)["corpus"] == "ravdess+emodb+tess"
    assert given(*data, "--train", "tess")["corpus"] == "tess+emodb+ravdess"


def test_several_corpora_in_one_folder(given, tmp_path):
    for name in ("EmoDB", "ravdess", "notes"):
        (tmp_path / name).mkdir()
    seen = given("--data", str(tmp_path), "--train", "emodb")
    assert seen["folders"] == {"emodb": tmp_path / "EmoDB", "ravdess": tmp_path / "ravdess"}
    assert seen["corpus"] == "emodb+ravdess"


def test_corpora_that_do_not_do_are_one_sentence(given, capsys):
    with pytest.raises(SystemExit) as left:
        given("--data", "ravdess=/a")
    assert left.value.code == 2
    assert "To test on another corpus than ravdess its recordings are needed" in capsys.readouterr().err


def test_a_missing_folder_and_corpora_without_shared_emotions(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()  # the toy corpus in place of those asked for
    call = lambda *data: command_line.main(between("ravdess", ("emodb",)), list(data), between=between)  # noqa: E731
    trees.touch(tmp_path / "emodb", trees.emodb())
    with pytest.warns(CorpusWarning), pytest.raises(SystemExit) as left:
        call("--data", f"emodb={tmp_path / 'emodb'}", "--data", f"ravdess={tmp_path / 'nowhere'}")
    assert (
        left.value.code == 2
        and "nowhere: no such folder; give the folder that holds ravdess" in capsys.readouterr().err
    )
    trees.touch(tmp_path / "ravdess", [name for name in trees.ravdess() if "-08-" in name[9:18]])  # surprise alone
    with pytest.warns(CorpusWarning), pytest.raises(SystemExit) as left:
        call("--data", str(tmp_path))
    printed = capsys.readouterr().err
    assert left.value.code == 2
    assert "The corpora share 0 emotions, and 2 are needed to tell apart: emodb has anger, boredom" in printed


def test_ctrl_c_says_how_to_go_on(cache, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    with pytest.raises(SystemExit) as left:
        command_line.main(EXPERIMENT, command(cache, tmp_path))
    assert left.value.code == 130 and "same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("experiments/*.py")), ids=lambda path: path.stem)
def test_every_experiment_script_has_help_and_a_docstring(path):
    import subprocess
    import sys

    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith('"""') and "usage:" in done.stdout


def test_a_recipe_file_takes_the_place_of_the_variants_recipe(cache, tmp_path, in_process):
    tuned = Tuned("lstm_sa", Recipe(learning_rate=0.02, epochs=3, batch_size=16), {"units": 3})
    write_recipe(tmp_path / "recipe.json", tuned)
    given = ["--recipe", str(tmp_path / "recipe.json"), "--variant", "small", "--repeats", "1", "--accumulation", "2"]
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--results", str(tmp_path / "results"), *given))
    facts = json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text())
    assert facts["recipe"]["learning_rate"] == 0.02 and facts["epochs"] == 3
    assert (facts["recipe"]["batch_size"], facts["recipe"]["accumulation"]) == (8, 2)
    assert facts["model"] == {"name": "lstm_sa", "options": {"units": 3}}


def test_a_recipe_file_where_nothing_is_held_out_to_choose_an_epoch_by():
    experiment = replace(EXPERIMENT, protocols={**EXPERIMENT.protocols, "paper": Setting("random-80-20")})
    changed = command_line.with_recipe(experiment, Tuned("lstm_sa", Recipe(patience=3)), ["small"])
    assert (changed.recipe("small", "paper").monitor, changed.recipe("small", "strict").monitor) == (None, "uar")


@pytest.mark.parametrize(("corpus", "leaks"), [("embedded", ["tuning"]), ("ravdess", []), (None, [])])
def test_a_recipe_searched_on_the_corpus_has_seen_its_speakers(corpus, leaks):
    tuned = Tuned("lstm_sa", Recipe(), corpus=corpus)
    changed = command_line.with_recipe(EXPERIMENT, tuned, ["small"])
    assert [name for name, _ in changed.declared_leaks("small", "strict")] == leaks


@pytest.mark.parametrize(
    ("model", "variants", "message"),
    [
        ("lstm_sa", None, "A recipe is for variants that are named; choose --variant of small"),
        ("serct", ["small"], "The recipe is for the model serct, but variant small trains lstm_sa"),
        ("lstm_sa", ["big"], "Unknown variant 'big'"),
    ],
)
def test_recipes_that_do_not_fit(model, variants, message):
    with pytest.raises(SertfError, match=message):
        command_line.with_recipe(EXPERIMENT, Tuned(model, Recipe()), variants)
