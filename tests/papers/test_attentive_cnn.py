import json

import pytest

from sertf import corpora
from sertf.papers import attentive_cnn
from sertf.protocols import splits
from tests.corpora import trees


def test_every_speaker_who_is_not_tested_trains(tmp_path):
    experiment = attentive_cnn.experiment("emodb")
    with pytest.warns(corpora.CorpusWarning):  # the tree has EmoDB's emotions, not its speakers' shares of them
        table = corpora.load("emodb", trees.touch(tmp_path, trees.emodb()))
    folds = splits.protocol(experiment.setting("strict").folds)(table, seed=experiment.seed)
    speaker = dict(zip(table["utterance"], table["speaker"]))
    assert len(folds) == 10 and all(len(fold.train) + len(fold.test) == len(table) for fold in folds)
    assert all(not {speaker[u] for u in fold.train} & {speaker[u] for u in fold.test} for fold in folds)


def test_a_run_is_described_by_plain_values():
    identity = json.loads(json.dumps(attentive_cnn.experiment("ravdess").identity("tiny", "strict")))
    assert identity["folds"] == "luna-jimenez-5-all" and identity["recipe"]["ema"] == 0.99
    assert identity["recipe"]["spectrogram_augmentation"]["frames"] == 192


def test_runs_on_ravdess_declare_how_the_recipe_was_chosen():
    assert [name for name, _ in attentive_cnn.experiment("ravdess").declared_leaks("base", "strict")] == ["tuning"]
    assert attentive_cnn.experiment("emodb").declared_leaks("base", "strict") == []
