"""Seconds per model-epoch of ResLSTM-SA h64 on RAVDESS with all cores busy: ours beside a plain `fit`, in one run.

    python experiments/bench_training.py --data RAVDESS_FOLDER

A model-epoch is one pass of one model over the 1020 training utterances of the first published fold, validation
included. Ours is what the runner does: one single-threaded worker a core, batches of similar length, under TensorFlow
and under JAX. The plain way is what a user would write: all utterances padded to the longest, one process with all
cores, `fit` on the arrays, under TensorFlow. First epochs, which compile, do not count. Some five minutes on 4 cores.
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

BATCH_SIZE = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="RAVDESS folder")
    parser.add_argument("--epochs", type=int, default=6, help="epochs of each model that count (6)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--cache", default="~/.cache/sertf")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        way, parts = options.worker
        print(json.dumps(train(way, Path(parts), options.epochs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder) / "parts.npz"
        prepare(options.data, options.cache, parts)
        seconds = {}
        for name, backend, way, workers in (
            ("plain fit, TensorFlow", "tensorflow", "plain", 1),
            ("ours, TensorFlow", "tensorflow", "ours", options.workers),
            ("ours, JAX", "jax", "ours", options.workers),
        ):
            epoch, memory = measure(options, backend, way, workers, parts)
            seconds[name] = epoch / workers
            print(
                f"{name:22} {workers} at a time, {epoch:6.2f} s an epoch: {epoch / workers:6.3f} s a model-epoch, "
                f"{seconds['plain fit, TensorFlow'] / seconds[name]:5.2f} times the plain fit's speed, "
                f"{memory / 1e9:.2f} GB in all processes",
                flush=True,
            )


def prepare(data, cache, path):
    """Features and labels of the first fold's training and validation part, scaled, into one file."""
    import sertf

    table = sertf.corpora.load("ravdess", data)
    features = sertf.cache.FeatureCache(cache).extract(table, sertf.features.MfccChroma())
    fold = sertf.protocols.protocol("reslstm-sa")(table)[0]
    emotions = sertf.utterances.emotions_of(table)
    labels = {row.utterance: emotions.index(row.emotion) for row in table.itertuples()}
    parts, _ = sertf.pipeline.parts_of(fold, features, labels)
    arrays = {}
    for name in ("train", "validation"):
        part = parts[name]
        arrays |= {f"{name}_frames": np.concatenate(part.arrays), f"{name}_lengths": part.lengths}
        arrays |= {f"{name}_labels": part.labels}
    np.savez(path, **arrays)


def measure(options, backend, way, workers, parts):
    """Mean seconds an epoch over `workers` processes that train at the same time, and their peak memory together."""
    import psutil

    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if way == "ours":
        environment |= {
            "OMP_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        }
    command = [sys.executable, __file__, "--data", options.data, "--epochs", str(options.epochs)]
    command += ["--worker", way, str(parts)]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    watched = [psutil.Process(process.pid) for process in processes]
    peak = 0
    while any(process.poll() is None for process in processes):
        peak = max(peak, sum(w.memory_info().rss for w, p in zip(watched, processes) if p.poll() is None))
        time.sleep(0.1)
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("A worker failed; its message stands above.")
    return float(np.mean([json.loads(output.splitlines()[-1]) for output in outputs])), peak


def train(way, path, epochs):
    """Mean seconds an epoch of one model, the first epoch left out."""
    from sertf import pipeline, training
    from sertf.models import MODELS
    from sertf.recipes import Recipe

    arrays = np.load(path)
    parts = {}
    for name in ("train", "validation"):
        cuts = np.cumsum(arrays[f"{name}_lengths"])[:-1]
        utterances = tuple(map(str, range(len(cuts) + 1)))
        parts[name] = pipeline.Part(utterances, np.split(arrays[f"{name}_frames"], cuts), arrays[f"{name}_labels"])
    ends = []
    if way == "ours":
        training.fit(
            lambda: MODELS["reslstm_sa"]((None, 46), 8, units=64),
            Recipe(batch_size=BATCH_SIZE, epochs=epochs + 1, restart_epochs=10),
            train=pipeline.as_dataset(pipeline.Batches(parts["train"], BATCH_SIZE, seed=1)),
            validation=pipeline.as_dataset(pipeline.Batches(parts["validation"], 64)),
            num_classes=8,
            seed=1,
            watch={"end": lambda model: ends.append(time.perf_counter()) or len(ends)},
        )
    else:
        import keras

        model = MODELS["reslstm_sa"]((None, 46), 8, units=64)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        longest = max(part.lengths.max() for part in parts.values())
        padded = {name: keras.utils.pad_sequences(p.arrays, longest, "float32", "post") for name, p in parts.items()}
        model.fit(
            padded["train"],
            parts["train"].labels,
            validation_data=(padded["validation"], parts["validation"].labels),
            batch_size=BATCH_SIZE,
            epochs=epochs + 1,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))],
            verbose=0,
        )
    return float(np.mean(np.diff(ends)))


if __name__ == "__main__":
    main()
