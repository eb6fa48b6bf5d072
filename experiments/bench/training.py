"""Seconds per model-epoch on RAVDESS with all cores busy: ours beside a plain `fit`, in one run.

    python experiments/bench/training.py --data RAVDESS_FOLDER
    python experiments/bench/training.py --data RAVDESS_FOLDER --model cnn_transformer --epochs 2
    python experiments/bench/training.py --data RAVDESS_FOLDER --model serct --epochs 2

A model-epoch is one pass of one model over a training part, validation included: ResLSTM-SA h64 over the 1020
utterances of the first published fold; the CNN-Transformer, small, at 16 kHz over the 3456 of its random split, two noisy copies
of each among them; SERCT, narrow, over the 1152 of that split. Ours is what the runner does: one single-threaded worker a
core, batches of similar length. The plain way is what a user would write: all utterances padded to the longest, one
process with all cores, `fit` on the arrays, under TensorFlow. First epochs, which compile, do not count. Input alone is a
pass over our batches without training. Some five minutes on 4 cores for each model.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sertf.errors import in_one_sentence

# Front end and its options, protocol, scaling, copies, model and its options, batch size, backends of ours.
CASES = {
    "reslstm_sa": {
        "front_end": ("mfcc_chroma", {}),
        "protocol": "reslstm-sa",
        "scaled_each": "dimension",
        "noisy_copies": 0,
        "options": {"units": 64},
        "batch_size": 32,
        "backends": ("tensorflow", "jax"),
    },
    "cnn_transformer": {
        "front_end": ("log_mel", {"sample_rate": 16000}),
        "protocol": "random-stratified",
        "scaled_each": "cell",
        "noisy_copies": 2,
        "options": {"size": "small"},
        "batch_size": 16,
        "backends": ("tensorflow",),
    },
    "serct": {
        "front_end": ("waveform", {"sample_rate": 16000, "samples": 48000}),
        "protocol": "random-stratified",
        "scaled_each": "dimension",
        "noisy_copies": 0,
        "options": {"size": "narrow"},
        "batch_size": 16,
        "backends": ("tensorflow", "jax"),
    },
}


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="RAVDESS folder")
    parser.add_argument("--model", choices=CASES, default="reslstm_sa")
    parser.add_argument("--epochs", type=int, default=6, help="epochs of each model that count (6)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--cache", default="~/.cache/sertf")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        way, parts = options.worker
        print(json.dumps(train(way, Path(parts), options.model, options.epochs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder) / "parts.npz"
        prepare(options.data, options.cache, CASES[options.model], parts)
        ways = [("plain fit, TensorFlow", "tensorflow", "plain", 1)]
        ways += [(f"ours, {backend}", backend, "ours", options.workers) for backend in CASES[options.model]["backends"]]
        plain = None
        for name, backend, way, workers in ways:
            epoch, alone, memory = measure(options, backend, way, workers, parts)
            plain = plain or epoch / workers
            share = f", input alone {100 * alone / epoch:.1f} % of it" if alone else ""
            print(
                f"{name:22} {workers} at a time, {epoch:6.2f} s an epoch{share}: {epoch / workers:6.3f} s a "
                f"model-epoch, {plain * workers / epoch:5.2f} times the plain fit's speed, "
                f"{memory / 1e9:.2f} GB in all processes",
                flush=True,
            )


def prepare(data, cache, case, path):
    """Scaled features and labels of the first fold's training and validation part, into one file."""
    import sertf
    from sertf.audio.augmentation import Augmentation, copies_of
    from sertf.features import FEATURES

    name, front_end_options = case["front_end"]
    table, front_end = sertf.corpora.load("ravdess", data), FEATURES[name](**front_end_options)
    store = sertf.cache.FeatureCache(cache)
    features = store.extract(table, front_end)
    fold = sertf.protocols.protocol(case["protocol"])(table)[0]
    emotions = sertf.corpora.utterances.emotions_of(table)
    labels = {row.utterance: emotions.index(row.emotion) for row in table.itertuples()}
    if case["noisy_copies"]:
        copies = copies_of(table, case["noisy_copies"])
        features = features.joined(store.extract(copies, front_end, augmentation=Augmentation()))
        fold = fold.with_copies(dict(zip(copies["utterance"], copies["parent"])))
        labels |= {row.utterance: labels[row.parent] for row in copies.itertuples()}
    parts, _ = sertf.training.scaling.parts_of(fold, features, labels, each=case["scaled_each"])
    arrays = {}
    for name in ("train", "validation"):
        part = parts[name]
        arrays |= {f"{name}_frames": np.concatenate(part.arrays), f"{name}_lengths": part.lengths}
        arrays |= {f"{name}_labels": part.labels}
    np.savez(path, **arrays)


def measure(options, backend, way, workers, parts):
    """Mean seconds an epoch and of its input alone over processes at the same time, and their peak memory together."""
    import psutil

    from sertf.parallel import processes as workers_module

    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if way == "ours":
        environment |= workers_module.environment(Path(options.cache).expanduser())
    environment["KERAS_BACKEND"] = backend
    command = [sys.executable, __file__, "--data", options.data, "--epochs", str(options.epochs)]
    command += ["--model", options.model, "--worker", way, str(parts)]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    watched = [psutil.Process(process.pid) for process in processes]
    peak = 0
    while any(process.poll() is None for process in processes):
        peak = max(peak, sum(w.memory_info().rss for w, p in zip(watched, processes) if p.poll() is None))
        time.sleep(0.1)
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("A worker failed; its message stands above.")
    seconds = np.mean([json.loads(output.splitlines()[-1]) for output in outputs], axis=0)
    return float(seconds[0]), float(seconds[1]), peak


def train(way, path, name, epochs):
    """Mean seconds an epoch of one model, the first epoch left out, and of a pass over its batches alone, 0 if plain."""
    from sertf.models import MODELS
    from sertf.training.batches import Batches, as_dataset
    from sertf.training.fit import fit
    from sertf.training.recipe import Recipe
    from sertf.training.scaling import Part

    arrays, case = np.load(path), CASES[name]
    parts = {}
    for part in ("train", "validation"):
        cuts = np.cumsum(arrays[f"{part}_lengths"])[:-1]
        utterances = tuple(map(str, range(len(cuts) + 1)))
        parts[part] = Part(utterances, np.split(arrays[f"{part}_frames"], cuts), arrays[f"{part}_labels"])
    lengths = np.concatenate([part.lengths for part in parts.values()])
    dims = parts["train"].arrays[0].shape[1]
    shape = (int(lengths[0]) if np.ptp(lengths) == 0 else None, dims)
    ends = []
    if way == "ours":
        train = Batches(parts["train"], case["batch_size"], seed=1)
        started = time.perf_counter()
        for _ in as_dataset(train):
            pass
        alone = time.perf_counter() - started
        fit(
            lambda: MODELS[name](shape, 8, **case["options"]),
            Recipe(batch_size=case["batch_size"], epochs=epochs + 1, restart_epochs=10),
            train=as_dataset(train),
            validation=as_dataset(Batches(parts["validation"], 64)),
            num_classes=8,
            seed=1,
            watch=lambda *_: {"end": ends.append(time.perf_counter()) or len(ends)},
        )
        return float(np.mean(np.diff(ends))), alone
    import keras

    model = MODELS[name](shape, 8, **case["options"])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    padded = {
        key: keras.utils.pad_sequences(part.arrays, lengths.max(), "float32", "post") for key, part in parts.items()
    }
    model.fit(
        padded["train"],
        parts["train"].labels,
        validation_data=(padded["validation"], parts["validation"].labels),
        batch_size=case["batch_size"],
        epochs=epochs + 1,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))],
        verbose=0,
    )
    return float(np.mean(np.diff(ends))), 0.0


if __name__ == "__main__":
    main()
