from dataclasses import replace
from pathlib import Path

import pytest

from sertf import runner, script
from tests.toy import EXPERIMENT


@pytest.fixture(autouse=True)
def toy_corpus(monkeypatch, corpus):
    """The tiny corpus in place of the one that the experiment names."""
    monkeypatch.setattr(script.corpora, "load", lambda *_, **__: corpus)


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(runner.workers_module, "run_all", lambda _, jobs, **__: [runner.run_job(job) for job in jobs])


def command(cache, out, *more):
    return ["--data", "unused", "--cache", str(cache), "--out", str(out), "--protocol", "strict", *more]


def test_smoke_runs_and_prints_the_table(cache, tmp_path, in_process, capsys):
    script.main(EXPERIMENT, command(cache, tmp_path, "--smoke"))
    printed = capsys.readouterr().out
    assert "`small`" in printed and "report.md" in printed
    assert (tmp_path / "results" / "toy" / "small" / "strict" / "predictions.csv.gz").is_file()


def test_smoke_shrinks_but_keeps_speakers_and_emotions(corpus):
    table = script.few(corpus)
    assert table["speaker"].nunique() == 4 and table["emotion"].nunique() == 4
    assert script.shrink(EXPERIMENT).recipe("small", "paper").epochs == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--variant", "big"], "Unknown variant 'big'; known are small"),
        (["--repeats", "0"], "repeats must be 1 or more"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(cache, tmp_path, more, message, capsys):
    with pytest.raises(SystemExit) as left:
        script.main(EXPERIMENT, command(cache, tmp_path, *more))
    printed = capsys.readouterr().err
    assert left.value.code == 2 and message in printed and "Traceback" not in printed


def test_the_same_experiment_on_another_corpus(cache, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "run", lambda experiment, table, **_: seen.append(experiment) or {})
    monkeypatch.setattr(script.report, "table", lambda *_, **__: "")
    on = lambda corpus: replace(EXPERIMENT, corpus=corpus, name=f"toy_{corpus}")  # noqa: E731
    script.main(EXPERIMENT, command(cache, tmp_path, "--corpus", "emodb"), on=on)
    script.main(EXPERIMENT, command(cache, tmp_path), on=on)
    assert [experiment.name for experiment in seen] == ["toy_emodb", "toy"]
    with pytest.raises(SystemExit):
        script.main(EXPERIMENT, command(cache, tmp_path, "--corpus", "emodb"))


def test_ctrl_c_says_how_to_go_on(cache, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    with pytest.raises(SystemExit) as left:
        script.main(EXPERIMENT, command(cache, tmp_path))
    assert left.value.code == 130 and "same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[1].glob("experiments/*.py")), ids=lambda path: path.stem)
def test_every_experiment_script_has_help_and_a_docstring(path):
    import subprocess
    import sys

    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith('"""') and "usage:" in done.stdout
