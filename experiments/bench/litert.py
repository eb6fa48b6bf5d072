"""A trained run as LiteRT file with weights in float32, float16 and int8: size, time of a clip, and what it still hears.

    python experiments/bench/litert.py RUN_DIRECTORY --data CORPUS_FOLDER

For each format: bytes of the file; the shortest time of a clip of 4 s on one core, front end included where the file holds
it; the UAR on the run's test part, and on how many clips the answer is that of the SavedModel. A minute for 300 clips.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sertf.errors import in_one_sentence

SECONDS = 4


def fastest_ms(answer, given, times):
    """Shortest time of a call in milliseconds, which other work on the machine disturbs least."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        answer(**given)
        taken.append(time.perf_counter() - start)
    return 1e3 * min(taken)


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="<runs>/<variant>/<protocol>/repeat-NN/<fold>")
    parser.add_argument("--data", required=True, help="folder of the corpus")
    parser.add_argument("--times", type=int, default=100, help="how often a clip is timed (100)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tensorflow as tf
    from sklearn.metrics import recall_score

    from sertf import corpora
    from sertf.audio.files import read_audio
    from sertf.evaluation.scores import predicted
    from sertf.export import saved_model
    from sertf.export.checkpoint import choose_run, restore_run
    from sertf.export.litert import WEIGHTS
    from sertf.inference.card import read_card
    from sertf.inference.litert import FILE, SHARED, litert_runner
    from sertf.runs.stored import read_facts, read_predictions

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder, run, _ = choose_run(options.run, None, None)
    emotions = read_facts(folder)["emotions"]
    front_end, *_ = restore_run(run)
    tested = read_predictions(run.place / "predictions.csv")
    paths = corpora.load(read_facts(folder)["corpus"], options.data).set_index("utterance")["path"]
    clips = [read_audio(paths[name], sample_rate=front_end.sample_rate)[0][None] for name in tested["utterance"]]
    noise = np.random.default_rng(0).normal(scale=0.1, size=(1, SECONDS * front_end.sample_rate)).astype("float32")
    expected = predicted(tested)
    print(
        f"{run.manifest['model']['name']}, {len(clips)} clips of its test part; the run's own UAR "
        f"{recall_score(tested['truth'], expected, average='macro'):.4f}"
    )
    for weights in WEIGHTS:
        with tempfile.TemporaryDirectory() as place:
            out = saved_model.save(run.place, Path(place) / "model", litert=weights)
            written, answer = read_card(out)["litert"], litert_runner(out / (SHARED if weights == "shared" else FILE))
        takes = written["input"]
        given = clips if takes == "waveform" else [np.asarray(front_end(clip)) for clip in clips]
        timed = noise if takes == "waveform" else np.asarray(front_end(noise))
        heard = [emotions[int(answer(**{takes: clip})["scores"].argmax())] for clip in given]
        uar = recall_score(tested["truth"], heard, average="macro")
        same = sum(a == b for a, b in zip(heard, expected))
        ms = fastest_ms(answer, {takes: timed}, options.times)
        print(
            f"  {weights:8} {written['bytes'] / 1000:8.0f} kB of {takes:8} {ms:7.2f} ms   UAR {uar:.4f}   "
            f"{same} of {len(clips)} answers the same"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
