"""Processor time of `Recognizer.stream` per second of speech, and the wait for a window, for each bundled model.

    python experiments/bench/streaming.py CLIP

The clip is repeated to a minute. Windows have 4 s and come every second. The first two are not counted.
"""

import argparse
import time

import numpy as np

import sertf
from sertf.audio.files import read_audio
from sertf.inference import bundled

SECONDS, WINDOW, HOP = 60, 4, 1

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip", help="a recording of speech")
clip = parser.parse_args().clip

print("| model | processor time, s per s of speech | median wait for a window, ms |\n| --- | ---: | ---: |")
for name in bundled.names():
    model = sertf.load(name)
    samples, rate = read_audio(clip, sample_rate=16000)
    samples = np.resize(samples, SECONDS * rate)
    waits, ready = [], [0.0]

    def chunks(samples=samples, rate=rate, ready=ready):
        for start in range(0, len(samples), rate // 10):
            ready[0] = time.perf_counter()
            yield samples[start : start + rate // 10]

    windows = model.stream(chunks(), sample_rate=rate, window=WINDOW, hop=HOP)
    next(windows), next(windows)
    began, first = time.process_time(), None
    for window in windows:
        waits.append(time.perf_counter() - ready[0])
        first = window.start if first is None else first
    heard = window.start - first + HOP
    print(f"| `{name}` | {(time.process_time() - began) / heard:.3f} | {1000 * np.median(waits):.0f} |", flush=True)
