import numpy as np
import pytest

from sertf import cli
from sertf.models import MODELS
from sertf.training.recipe import read_recipe


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["reslstm"], "reslstm_sa"),
        (["demo", "--tuner", "baysian"], "bayesian"),
        (["reslstm_sa"], "needs --data"),
        (["demo", "--tuner", "hyperband", "--trials", "3"], "Leave --trials out"),
        (["demo", "--table", "mine.csv", "--corpus", "emodb"], "leave --corpus and --data out"),
    ],
)
def test_mistakes(options, message, capsys, monkeypatch):
    monkeypatch.delenv("SERTF_DATA", raising=False)
    assert cli.main(["tune", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_search_on_own_data_gives_a_recipe(corpus, cache, tmp_path, capsys, monkeypatch):
    pytest.importorskip("keras_tuner")
    monkeypatch.chdir(tmp_path)
    corpus[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    options = ["--table", "mine.csv", "--trials", "1", "--epochs", "1", "--fold", "fold-1", "--cache", str(cache)]
    assert cli.main(["tune", "demo", *options]) == 0
    assert "runs/mine_demo_random/recipe.json" in capsys.readouterr().out
    assert read_recipe("runs/mine_demo_random/recipe.json").corpus == "table"


def test_keras_tuner_searches_a_builder_of_the_zoo(tmp_path):
    """With what the extra `tune` brings: Keras Tuner needs TensorBoard."""
    keras_tuner = pytest.importorskip("keras_tuner")

    def build(hyperparameters):
        model = MODELS["lstm_sa"]((None, 4), 2, units=hyperparameters.Choice("units", [2, 3]))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    tuner = keras_tuner.RandomSearch(build, "val_loss", max_trials=2, directory=tmp_path, overwrite=True)
    x, y = np.random.default_rng(0).normal(size=(8, 5, 4)).astype("float32"), np.arange(8) % 2
    tuner.search(x, y, validation_data=(x, y), epochs=1, verbose=0)
    assert tuner.get_best_hyperparameters()[0].get("units") in (2, 3)
    assert len(tuner.oracle.get_best_trials(2)) == 2
