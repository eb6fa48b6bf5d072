"""How fast a trained model answers: the bundled ResLSTM-SA as exported, through Keras, and behind librosa; long files.

    python experiments/bench/inference.py

First one clip of 4 s at 48 kHz on one core, from samples to emotion, model loaded: the exported model, the same network
with our front end called through Keras, and librosa's features given to the exported network. Then `sertf predict` on an
hour of audio at 16 kHz, in its default windows of 10 s every 5 s, on all cores, with the peak memory of its process
beside that for six minutes. The audio is noise: neither time nor memory depends on what is said. Some three minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sertf.errors import in_one_sentence

SECONDS = 4
RATE = 48_000
LONG_RATE = 16_000
MINUTES = (6, 60)


def median_ms(call, times):
    """Median time of a call in milliseconds, after three that are not counted."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken)


def librosa_features(samples):
    """What a user would write: (1, frames, 46)."""
    import librosa

    mfcc = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=34, n_fft=4096, hop_length=2048)
    chroma = librosa.feature.chroma_stft(y=samples, sr=RATE, n_fft=4096, hop_length=2048)
    return np.concatenate([mfcc, chroma]).T[None].astype("float32")


def keras_network(recognizer):
    """The exported network as the Keras model that it was made of, with its weights."""
    from sertf.models import MODELS

    card = recognizer.card
    network = MODELS[card["model"]["name"]]((None, 46), len(recognizer.emotions), **card["model"]["options"])
    values = [variable.numpy() for variable in recognizer.model.weights]
    network.set_weights([value for value in values if value.dtype == np.float32])  # others are states of random numbers
    return network


def one_clip(times):
    """Print the times of one clip, as JSON, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import sertf
    from sertf.features import MfccChroma

    recognizer = sertf.load()
    waveform, features = (recognizer.model.signatures[name] for name in ("waveform", "features"))
    samples = np.random.default_rng(0).normal(scale=0.1, size=SECONDS * RATE).astype("float32")
    front_end, network = MfccChroma(RATE), keras_network(recognizer)

    def best(scores):
        return recognizer.emotions[int(np.argmax(scores))]

    def exported():
        return waveform(waveform=samples[None], sample_rate=RATE)["scores"].numpy()

    def behind_librosa():
        return features(features=librosa_features(samples))["scores"].numpy()

    difference = float(abs(exported() - behind_librosa()).max())
    # Scaling is two operations on 46 numbers a frame; its values lie in the exported graph alone.
    calls = {
        "exported": lambda: best(exported()),
        "exported, Recognizer.predict": lambda: recognizer.predict((samples, RATE))["emotion"][0],
        "Keras, model(x)": lambda: best(np.asarray(network((front_end(samples[None]) - 0.0) / 1.0, training=False))),
        "Keras, model.predict(x)": lambda: best(network.predict((front_end(samples[None]) - 0.0) / 1.0, verbose=0)),
        "librosa, then exported": lambda: best(behind_librosa()),
    }
    print(json.dumps({"ms": {name: median_ms(call, times) for name, call in calls.items()}, "difference": difference}))


def long_file(minutes, folder):
    """Of `sertf predict` on a file of so many minutes: wall and processor time in seconds, peak memory in bytes."""
    import soundfile

    path = Path(folder) / f"{minutes}.wav"
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", LONG_RATE, 1) as file:
        for _ in range(minutes):
            file.write(rng.normal(scale=0.1, size=60 * LONG_RATE))
    command = [sys.executable, "-m", "sertf", "predict", str(path), "--out", str(path.with_suffix(".csv"))]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("sertf predict failed")
    return np.array([time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024])


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200, help="how often each way is timed (200)")
    parser.add_argument("--one-clip", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_clip:
        one_clip(options.times)
        return
    # A process of its own: TensorFlow fixes its threads when it starts.
    command = [sys.executable, __file__, "--one-clip", "--times", str(options.times)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    ours = result["ms"]["exported"]
    print(f"{SECONDS} s on one core, samples to emotion, median of {options.times}")
    for name, taken in result["ms"].items():
        print(f"  {name:29} {taken:8.2f} ms   {taken / ours:5.1f} ×")
    print(f"largest difference of a score between the exported front end and librosa's: {result['difference']:.1e}")
    with tempfile.TemporaryDirectory() as folder:
        short, long = (long_file(minutes, folder) for minutes in MINUTES)
    seconds = 60 * (MINUTES[1] - MINUTES[0])
    wall, processor, _ = long - short
    cores = len(os.sched_getaffinity(0))
    print(f"an hour through sertf predict on {cores} cores: {long[0]:.1f} s, {3600 / long[0]:.0f} times real time")
    print(f"  without its start: {seconds / wall:.0f} times real time")
    print(
        f"  by processor time, all cores added up: {seconds / processor:.0f} times real time; higher than the line above"
    )
    print("  says that other work kept the cores busy meanwhile")
    print(f"  peak memory {long[2] / 1e6:.0f} MB; of {MINUTES[0]} minutes {short[2] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
