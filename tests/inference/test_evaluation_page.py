import dataclasses
import json

import keras
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.inference.evaluation_page import notes, render_evaluation, title, write_evaluation

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def found(recognizer, corpus):
    return recognizer.evaluate(corpus, conditions=True)


def test_a_folder_of_a_page_numbers_predictions_and_figures(found, tmp_path):
    page = write_evaluation(found, tmp_path / "out")
    assert {path.name for path in page.parent.iterdir()} == {
        *("report.md", "evaluation.json", "predictions.csv.gz", "confusion.png", "reliability.png", "groups.png")
    }
    text, numbers = page.read_text(), json.loads((page.parent / "evaluation.json").read_text())
    uar = found.scores["uar"]
    assert f"| UAR | {uar.value:.4f} [{uar.low:.4f}, {uar.high:.4f}] |" in text
    assert numbers["scores"]["uar"]["value"] == uar.value and len(numbers["conditions"]) == 13
    row = found.conditions[1]
    assert f"| telephone | {row.uar:.4f} | {100 * row.same:.1f} % | {row.confidence:.2f} |" in text
    assert "## By gender" in text and "means over repeats" not in text
    assert all(f"({name})" in text for name in ("confusion.png", "reliability.png", "groups.png"))
    assert len(pd.read_csv(page.parent / "predictions.csv.gz")) == 32


def test_it_replaces_an_evaluation_and_nothing_else(found, tmp_path):
    write_evaluation(found, tmp_path / "out")
    write_evaluation(found, tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("of years")
    with pytest.raises(SertfError, match="holds something else than an evaluation"):
        write_evaluation(found, tmp_path / "other")
    assert (tmp_path / "other" / "thesis.tex").is_file()


def test_scores_on_training_corpora_are_never_called_honest(found):
    found = dataclasses.replace(found, seen=32, held_out=0)
    seen, *_ = notes(found)
    assert seen.startswith("The model was trained on clips of this corpus. 32 of the 32 clips may be among them")
    assert seen in render_evaluation(found, figures=[])
    elsewhere = notes(dataclasses.replace(found, seen=0))
    assert elsewhere[0] == "The model was trained on none of these corpora."
    assert notes(dataclasses.replace(found, enrolled=""))[1].endswith("No speaker was enrolled here.")
    assert notes(dataclasses.replace(found, enrolled="each"))[1].startswith(
        "Each speaker was enrolled by all their clips"
    )
    tested, *_ = notes(dataclasses.replace(found, seen=0, held_out=32))
    assert tested == "The model was tested on the speakers of 32 clips. It never trained on them."


def test_it_says_what_was_left_out_and_what_intervals_draw(found):
    changed = dataclasses.replace(found, left_out={"boredom": 3, "calm": 1}, skipped=2, drawn="clips", speakers=32)
    text = " ".join(notes(changed))
    assert "Left out: 4 clips of emotions that the model lacks (boredom 3, calm 1)." in text
    assert "Left out: 2 clips that cannot be used." in text and "intervals are over clips" in text
    assert title(changed).endswith("32 clips") and title(found).endswith("32 clips of 4 speakers")
    assert "95 % interval over clips" in render_evaluation(changed, figures=[])
    assert "Intervals over 4 speakers say little" in " ".join(notes(found))


def test_a_second_column_chooses_among_the_clips_emotions(found):
    assert "the clips' emotions alone" not in render_evaluation(found, figures=[])
    text = render_evaluation(dataclasses.replace(found, present=found.present[:-1]), figures=[])
    assert "the clips' emotions alone" in text and "An answer that no clip has counts as wrong" in text
