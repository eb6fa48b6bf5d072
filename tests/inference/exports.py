"""Exported models of one dense layer on any front end."""

import contextlib
import json
import shutil

import keras
import numpy as np
import pytest

from sertf.export import saved_model
from sertf.extraction.clip import front_end_digest
from sertf.runs.folder import seal


@contextlib.contextmanager
def noise_counts_as_speech():
    """Models exported inside score steady sound too: tests use noise in place of speech."""
    import tensorflow as tf

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sertf.export.graph.is_steady", lambda waveform, *_: tf.zeros(tf.shape(waveform)[:1], tf.bool))
        yield


def export_of(front_end, done, folder):
    """An exported model of one dense layer on a front end."""
    run = shutil.copytree(done[1], folder / "strict") / "repeat-00" / "fold-1"
    manifest = json.loads((run / "manifest.json").read_text())
    config = {
        name: value for name, value in front_end.get_config().items() if name not in ("name", "dtype", "trainable")
    }
    manifest["front_end"] = {"name": type(front_end).__name__.lower(), "options": {}, "config": config}
    manifest["front_end_digest"] = front_end_digest(front_end)
    (run / "manifest.json").write_text(json.dumps(manifest))
    inputs = keras.Input(front_end.feature_shape)
    outputs = keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).save(run / "weights.keras")
    dims = front_end.feature_shape[-1]
    np.savez(run / "scaling.npz", mean=np.zeros(dims, "float32"), std=np.ones(dims, "float32"))
    seal(run)
    with noise_counts_as_speech():
        return saved_model.save(run, folder / "model")
