import json

import keras
import pandas as pd
import pytest

from sertf.inference.card_page import render_card

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_card_states_the_run_and_its_held_out_score(exported, done):
    from sklearn.metrics import balanced_accuracy_score

    card = json.loads((exported / "model_card.json").read_text())
    kept = pd.read_csv(done[1] / "repeat-01" / "fold-2" / "predictions.csv")
    predicted = kept[card["emotions"]].to_numpy().argmax(axis=1)
    truth = [card["emotions"].index(emotion) for emotion in kept["truth"]]
    assert card["held_out"]["uar"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert card["run"]["repeat"] == 1 and card["run"]["fold"] == "fold-2"
    assert card["over_repeats"]["repeats"] == 2
    page = (exported / "README.md").read_text()
    for wanted in ("Licence of the recordings", "UAR", "speaker", "tf.saved_model.load", "is trusting it"):
        assert wanted in page
    assert (exported / "assets" / "labels.txt").read_text().split() == card["emotions"]
    assert "counts as" not in page
    merged = card | {"corpus": card["corpus"] | {"merged": {"calm": "neutral"}}}
    assert " Hz. Calm counts as neutral. Licence of" in render_card(merged)


def test_a_card_says_what_a_call_hears(of_one_second, exported):
    assert "One call scores 0 to 1 s of a clip and ignores the rest" in (of_one_second / "README.md").read_text()
    assert "takes audio of any length and needs TensorFlow alone" in (exported / "README.md").read_text()
    card = json.loads((exported / "model_card.json").read_text())
    assert card["front_end"].pop("span_seconds") is None and card["front_end"].pop("middle_seconds") is None
    assert (exported / "README.md").read_text().endswith(render_card(card))  # as of exports before there was one


def test_a_card_states_band_and_levels_of_the_training_clips(exported):
    card = json.loads((exported / "model_card.json").read_text())
    facts = {"clips": 40, "band_hz": 7700, "levels_db": [-52.8, -14.4]}
    page = render_card(card | {"recordings": facts})
    assert "The training clips reach up to 7.7 kHz, measured on 40 of them." in page
    assert "levels from -53 to -14 dBFS. `predict` warns of recordings with less than 4.6 kHz, or a level more" in page
    assert "gain changes nothing" in render_card(card | {"recordings": facts | {"levels_db": None}})
    assert f"It never trained on these speakers: {', '.join(card['held_out']['names'])}." in page


def test_a_card_says_that_the_speakers_are_unknown(exported):
    card = json.loads((exported / "model_card.json").read_text())
    assert "unknown speakers" not in render_card(card)
    page = render_card(card | {"audit": {"verdict": "leaks by declaration: speakers unknown", "findings": []}})
    assert "utterances, unknown speakers, languages" in page and "utterances of unknown speakers (test part" in page
