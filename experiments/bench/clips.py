"""Milliseconds from samples to scores of a clip of 4 s on one core, front end included, for the models of the zoo.

    python experiments/bench/clips.py --out experiments/results/benchmarks/clips.json

Each model is built as its experiment describes it, with eight emotions and untrained weights, and called as its SavedModel
is. The time depends on no weight. The shortest of the calls counts, which other work on the machine disturbs least. All
models run in one process, in turns, so that they share what disturbs. `docs/results.md` has the table. Five minutes.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from sertf.errors import in_one_sentence

SECONDS = 4
ROUNDS = 3
CASES = (
    "functionals_ravdess/ridge",
    "attentive_cnn_ravdess/tiny_distilled",
    "attentive_cnn_ravdess/base_distilled",
    "reslstm_sa_ravdess/reslstm_sa_h64",
    "reslstm_sa_ravdess/lstm_sa_h64",
    "speechnet_ravdess/small_segments",
    "cnn_transformer_ravdess/cpu",
    "wavelet_cnn_lstm_ravdess/cpu",
    "serct_ravdess/narrow_rate_3e-4",
    "whisper_ravdess/tiny",
    "whisper_ravdess/base",
    "whisper_attentive_ravdess/tiny",
    "speechnet_linear_ravdess/ridge_segments",
    "speechnet_baselines_segments_ravdess/cnn",
    "speechnet_baselines_segments_ravdess/lstm",
    "speechnet_baselines_segments_ravdess/transformer",
    "speechnet_baselines_segments_ravdess/tcn",
    "speechnet_baselines_segments_ravdess/autoencoder",
)


def served(case, folder):
    """Function of a clip at the model's rate to scores, and that rate."""
    import tensorflow as tf

    from sertf import features, papers
    from sertf.export.graph import ServingModule
    from sertf.models import MODELS, linear
    from sertf.models.ridge import Linear

    name, variant = case.split("/")
    experiment = papers.find(name).experiment
    chosen = experiment.variant(variant)
    front_end = features.find(experiment.front_end)(**{**experiment.front_end_options, **chosen.front_end_options})
    emotions = tuple("abcdefgh")
    if chosen.model in linear.LINEAR:
        values = int(np.prod(front_end.feature_shape))
        network = linear.network(Linear(np.zeros((values, 8)), np.zeros(8)), front_end.feature_shape, name=chosen.model)
    else:
        network = MODELS[chosen.model](front_end.feature_shape, len(emotions), **chosen.options)
    (folder / "labels.txt").write_text("\n".join(emotions))
    module = ServingModule(
        network,
        front_end,
        mean=np.float32(0),
        std=np.float32(1),
        emotions=emotions,
        labels=folder / "labels.txt",
        minimum_seconds=0.1,
    )
    rate = front_end.sample_rate
    clip = tf.constant(np.random.default_rng(0).normal(scale=0.1, size=(1, SECONDS * rate)).astype("float32"))
    return lambda: module.waveform(clip, tf.constant(rate))["scores"].numpy()


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=CASES, help="EXPERIMENT/VARIANT (all of the table)")
    parser.add_argument("--out", type=Path, help="JSON to write")
    parser.add_argument("--times", type=int, default=40, help="calls of a model in a round (40)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        calls = {case: served(case, Path(folder)) for case in options.cases}
    shortest = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for case, call in calls.items():
            for _ in range(options.times):
                start = time.perf_counter()
                call()
                shortest[case] = min(shortest[case], 1e3 * (time.perf_counter() - start))
    for case, ms in shortest.items():
        print(f"{case:60} {ms:8.2f} ms")
    if options.out:
        content = {"seconds": SECONDS, "tensorflow": tf.__version__, "machine": platform.machine(), "ms": shortest}
        content["ms"] = {case: round(ms, 2) for case, ms in shortest.items()}
        options.out.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
