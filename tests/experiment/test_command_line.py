import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sertf.corpora import CorpusWarning
from sertf.experiment import command_line, runner
from sertf.experiment.description import digest
from sertf.parallel import processes
from sertf.protocols.splits import protocol
from sertf.training.recipe import Recipe, Tuned, write_recipe
from tests.corpora import trees
from tests.toy import EXPERIMENT


@pytest.fixture(autouse=True)
def toy_corpus(monkeypatch, corpus):
    """The tiny corpus in place of the one that the experiment names."""
    monkeypatch.delenv("SERTF_DATA", raising=False)
    monkeypatch.setattr(command_line.corpora, "load", lambda *_, **__: corpus)


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: [runner.run_job(job) for job in jobs])


def command(cache, out, *more):
    return ["--data", "unused", "--cache", str(cache), "--out", str(out), "--protocol", "strict", *more]


def test_smoke_runs_and_prints_the_table_of_the_experiment(cache, tmp_path, in_process, capsys):
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke"))
    printed = capsys.readouterr().out
    head, *rows = printed.splitlines()
    assert head.split() == ["variant", "protocol", "score", "published", "ours", "repeats", "report"]
    assert (
        rows[0].split()[0] == "small" and rows[0].endswith("report.md") and "|" not in printed and "<br>" not in printed
    )
    shutil.copytree(tmp_path / "results" / "toy", tmp_path / "results" / "another")
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke"))
    assert capsys.readouterr().out == printed
    assert (tmp_path / "results" / "toy" / "small" / "strict" / "predictions.csv.gz").is_file()
    more = ["--results", str(tmp_path / "elsewhere"), "--figure-format", "svg"]
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke", *more))
    place = tmp_path / "elsewhere" / "toy" / "small" / "strict"
    assert (place / "predictions.csv.gz").is_file()
    assert (place / "attention.png").is_file() and (place / "attention.svg").is_file()


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
    assert said(without_data).startswith("error: emodb needs --data, the folder that holds it, or SERTF_DATA; `sertf")
    (tmp_path / "file").touch()
    printed = said(command(cache, tmp_path, "--results", str(tmp_path / "file" / "kept")))
    assert "Cannot write to" in printed and "choose another --results folder" in printed
    printed = said([*without_data, "--data", str(tmp_path), "--smoke", "--out", str(tmp_path / "file" / "runs")])
    assert "Cannot write to" in printed and "choose another --out folder" in printed
    monkeypatch.setenv("KERAS_BACKEND", "jacks")
    expected = "error: KERAS_BACKEND: sertf runs on the Keras backends tensorflow and jax, not on jacks; set "
    assert said(command(cache, tmp_path)) == f"{expected}KERAS_BACKEND=tensorflow.\n"


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
    assert "| stored loss | here | difference |" in capsys.readouterr().out
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
    assert left.value.code == 130
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Finished runs are stored. The same command resumes.",
        "Interrupted.",
    ]


def test_the_death_of_a_worker_is_one_sentence(cache, tmp_path, monkeypatch, capsys):
    def died(*_, **__):
        raise TerminatedWorkerError("{SIGKILL(-9)}")

    monkeypatch.setattr(runner, "run", died)
    with pytest.raises(SystemExit) as left:
        command_line.main(EXPERIMENT, command(cache, tmp_path))
    printed = capsys.readouterr().err
    assert left.value.code == 1 and "A worker process died (SIGKILL(-9)). Finished runs are stored" in printed


def test_what_was_trained_as_json(cache, tmp_path, in_process, capsys):
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--smoke", "--json", "--epochs", "1"))
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["variant"], said["protocol"]) == ("small", "strict")
    assert 0 <= said["scores"]["uar"]["mean"] <= 1 and Path(said["report"]).is_file()


def test_several_corpora_that_an_experiment_names(monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(command_line.corpora, "load_several", lambda folders, **_: seen.update(folders=folders))
    monkeypatch.setattr(command_line.zero_shot, "shared_emotions", lambda table: table)
    monkeypatch.setattr(runner, "run", lambda *_, **__: {})
    data = ["--data", "emodb=/e", "--data", "tess=/t", "--data", "ravdess=/r"]
    command_line.main(between("ravdess", ("emodb",)), data)
    assert seen["folders"] == {"emodb": "/e", "ravdess": "/r"}
    for given, message in ((data[:2], "needs the recordings of ravdess, but --data gives emodb"), ([], "no --data")):
        with pytest.raises(SystemExit):
            command_line.main(between("ravdess", ("emodb",)), given)
        assert message in capsys.readouterr().err


def test_a_recipe_file_takes_the_place_of_the_variants_recipe(cache, tmp_path, in_process):
    tuned = Tuned("lstm_sa", Recipe(learning_rate=0.02, epochs=3, batch_size=16), {"units": 3})
    write_recipe(tmp_path / "recipe.json", tuned)
    given = ["--recipe", str(tmp_path / "recipe.json"), "--variant", "small", "--repeats", "1", "--accumulation", "2"]
    command_line.main(EXPERIMENT, command(cache, tmp_path, "--results", str(tmp_path / "results"), *given))
    facts = json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text())
    assert facts["recipe"]["learning_rate"] == 0.02 and facts["epochs"] == 3
    assert (facts["recipe"]["batch_size"], facts["recipe"]["accumulation"]) == (8, 2)
    assert facts["model"] == {"name": "lstm_sa", "options": {"units": 3}}
