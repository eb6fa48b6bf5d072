import json
import shutil

import keras
import numpy as np
import pytest
import soundfile

from sertf import cli
from sertf.inference.card import read_card
from sertf.inference.card_page import render_card
from sertf.inference.hub_card import front_matter
from sertf.inference.recognizer import load

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture
def table(corpus, tmp_path):
    """A CSV of the embedded corpus, with words of people for its emotions."""
    words = corpus["emotion"].replace({"anger": "Angry", "sadness": "sad"})
    path = tmp_path / "mine.csv"
    corpus[["path", "speaker"]].assign(emotion=words, corpus="mine").to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def loaded(monkeypatch, recognizer):
    """The toy's model, loaded once."""
    monkeypatch.setattr("sertf.inference.recognizer.load", lambda _: recognizer)


def evaluated(capsys, exported, *arguments):
    assert cli.main(["evaluate", "--model", str(exported), *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_table_in_words_of_people(capsys, exported, table, recognizer, corpus):
    found = evaluated(capsys, exported, "--table", str(table))
    assert found["utterances"] == 32 and found["corpora"] == ["mine"] and found["seen"] == 0
    assert found["scores"]["uar"]["value"] == recognizer.evaluate(corpus).scores["uar"].value


def test_segments_score_as_the_files_that_they_were_joined_from(capsys, exported, corpus, tmp_path):
    clips = [soundfile.read(path, dtype="float32") for path in corpus["path"]]
    rate = clips[0][1]
    soundfile.write(tmp_path / "all.wav", np.concatenate([samples for samples, _ in clips]), rate, subtype="FLOAT")
    ends = np.cumsum([len(samples) for samples, _ in clips]) / rate
    cut = corpus[["emotion", "speaker"]].assign(path="all.wav", start=[0, *ends[:-1]], end=ends)
    cut.to_csv(tmp_path / "cut.csv", index=False)
    corpus[["path", "emotion", "speaker"]].to_csv(tmp_path / "files.csv", index=False)
    of_segments, of_files = (
        evaluated(capsys, exported, "--table", str(tmp_path / name)) for name in ("cut.csv", "files.csv")
    )
    assert of_segments["confusion"] == of_files["confusion"] and of_segments["utterances"] == len(corpus)


def test_for_people(capsys, exported, table, tmp_path):
    command = ["evaluate", "--model", str(exported), "--table", str(table), "--conditions"]
    assert cli.main([*command, "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "toy on mine: 32 clips of 4 speakers"
    assert lines[1] == "The model was trained on none of these corpora."
    starts = [line.split("  ")[0] for line in lines]
    assert {"UAR", "WA", "macro F1", "anger", "ECE", "as recorded", "telephone", "reverberation"} <= set(starts)
    assert lines[-1] == f"Report: {tmp_path / 'out' / 'report.md'}" and (tmp_path / "out" / "report.md").is_file()


def test_a_corpus_by_its_folder_says_what_trained(capsys, exported, recognizer, tmp_path, monkeypatch):
    (tmp_path / "emodb").mkdir()
    for name in ("03a01Fa", "03a01Wa", "08a01Fa", "08a01Wa"):
        soundfile.write(
            tmp_path / "emodb" / f"{name}.wav", np.random.default_rng(0).normal(scale=0.1, size=4000), 16000
        )
    found = evaluated(capsys, exported, "--corpus", "emodb", "--data", str(tmp_path))
    assert (found["corpora"], found["utterances"], found["speakers"], found["seen"]) == (["emodb"], 4, 2, 0)
    assert evaluated(capsys, exported, "--data", f"emodb={tmp_path / 'emodb'}") == found
    assert evaluated(capsys, exported, "--data", str(tmp_path)) == found
    monkeypatch.setitem(recognizer.card["corpus"], "names", ["ravdess", "emodb"])
    assert evaluated(capsys, exported, "--data", str(tmp_path))["seen"] == 4


def test_a_table_without_speakers(capsys, exported, corpus, tmp_path):
    corpus[["path", "emotion"]].to_csv(tmp_path / "mine.csv", index=False)
    assert cli.main(["evaluate", "--model", str(exported), "--table", str(tmp_path / "mine.csv")]) == 0
    printed = capsys.readouterr().out
    assert "toy on mine: 32 clips\n" in printed and "95 % interval over clips" in printed


def test_bad_clips_are_named_or_skipped(capsys, exported, table, tmp_path):
    lines = table.read_text().splitlines()
    (tmp_path / "text.wav").write_text("no audio")
    table.write_text("\n".join([*lines, "text.wav,s09,anger,mine", "gone.wav,s09,anger,mine"]) + "\n")
    assert cli.main(["evaluate", "--model", str(exported), "--table", str(table)]) == 2
    assert "no such file" in capsys.readouterr().err
    assert cli.main(["evaluate", "--model", str(exported), "--table", str(table), "--skip-bad"]) == 0
    said = capsys.readouterr()
    assert "Left out: 1 clip that cannot be used." in said.out
    assert "text.wav: not readable" in said.err and "skipped gone.wav: line 35: no such file" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "a.csv", "--corpus", "emodb"], "--table stands alone"),
        (["--corpus", "emodbb"], "Unknown corpus 'emodbb'"),
        ([], "There are no recordings to evaluate on; give --table"),
        (["--data", "emodb=x", "--corpus", "ravdess"], "--data gives emodb, but not ravdess"),
        (["--model", "nothing", "--corpus", "emodb"], "Unknown model 'nothing'"),
    ],
)
def test_mistakes_end_in_one_sentence(capsys, monkeypatch, arguments, message):
    monkeypatch.delenv("SERTF_DATA", raising=False)
    assert cli.main(["evaluate", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_other_corpora_and_conditions_go_into_the_card(capsys, exported, table, corpus, recognizer, tmp_path):
    copy = shutil.copytree(exported, tmp_path / "model")
    found = evaluated(capsys, copy, "--table", str(table), "--card")
    row = read_card(copy)["other_corpora"]["mine"]
    assert row["uar"] == found["scores"]["uar"]["value"] and row["emotions"] == 4 and row["utterances"] == 32
    own = tmp_path / "embedded.csv"
    corpus[["path", "speaker", "emotion"]].to_csv(own, index=False)
    found = evaluated(capsys, copy, "--table", str(own), "--split", "test", "--conditions", "--card")
    card = read_card(copy)
    assert card["conditions"]["rows"] == found["conditions"] and card["other_corpora"]["mine"] == row
    assert found["utterances"] == card["held_out"]["utterances"] == card["conditions"]["utterances"]
    assert found["scores"]["uar"]["value"] == pytest.approx(card["held_out"]["uar"])
    page = (copy / "README.md").read_text()
    assert (
        page == front_matter(card) + render_card(card)
        and "## Under conditions" in page
        and "## On other corpora" in page
    )
    assert f"| mine | 32 | 4 | 4 | {row['uar']:.4f} [" in page


def test_known_speakers_under_conditions_go_into_the_card(
    capsys, of_known_speakers, table, corpus, tmp_path, monkeypatch
):
    model = load(of_known_speakers)
    monkeypatch.setattr("sertf.inference.recognizer.load", lambda _: model)
    copy, own = shutil.copytree(of_known_speakers, tmp_path / "model"), tmp_path / "embedded.csv"
    corpus[["path", "speaker", "emotion"]].to_csv(own, index=False)
    command = ["--split", "test", "--conditions", "--known-speakers", "all", "--card"]
    found = evaluated(capsys, copy, "--table", str(own), *command)
    card = read_card(copy)
    assert card["known_speakers"]["conditions"]["rows"] == found["conditions"] and "conditions" not in card
    evaluated(capsys, copy, "--table", str(own), *command[:3], *command[5:])
    page = (copy / "README.md").read_text()
    assert "No speaker is enrolled here." in page and "All speakers enrolled by their clips under the same" in page
    assert cli.main(["evaluate", "--model", str(copy), "--table", str(table), "--known-speakers", "all", "--card"]) == 2
    assert "states other corpora for unknown speakers alone" in capsys.readouterr().err


def test_clips_that_may_have_trained_never_enter_the_card(capsys, exported, corpus, tmp_path):
    copy, own = shutil.copytree(exported, tmp_path / "model"), tmp_path / "embedded.csv"
    corpus[["path", "speaker", "emotion"]].to_csv(own, index=False)
    before = (copy / "model_card.json").read_text()
    for more, message in (
        ([], "clips, so the scores may not stand in its card; add --split test"),
        (["--split", "test"], "add --conditions to write them too"),
    ):
        assert cli.main(["evaluate", "--model", str(copy), "--table", str(own), "--card", *more]) == 2
        assert message in capsys.readouterr().err
    assert (copy / "model_card.json").read_text() == before
