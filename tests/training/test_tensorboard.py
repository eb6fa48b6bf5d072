import importlib.util

import pytest

from sertf.errors import SertfError
from sertf.training import tensorboard
from tests.toy import in_process, run


def scalars(folder, name):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    import tensorflow as tf

    return {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(name)}


def test_each_epochs_scores_are_those_of_the_history(corpus, cache, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    import pandas as pd

    in_process(monkeypatch)
    folder = run(corpus, cache, tmp_path / "runs", repeats=1, tensorboard=tmp_path / "events")["small", "strict"]
    history = pd.read_csv(folder / "repeat-00" / "fold-2" / "history.csv").set_index("epoch")
    events = tmp_path / "events" / "small" / "strict" / "repeat-00" / "fold-2"
    for part, prefix in (("train", ""), ("validation", "val_")):
        for name in ("loss", "uar"):
            assert scalars(events / part, name) == pytest.approx(history[f"{prefix}{name}"].to_dict(), rel=1e-5)


def test_without_tensorboard_nothing_is_trained(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SertfError, match=r"pip install 'sertf\[tensorboard\]'"):
        tensorboard.check_installed()
