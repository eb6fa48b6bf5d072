"""How fast features are extracted: ours beside a plain loop of library calls, in one run on the same files.

    python experiments/bench/features.py --data ~/corpora/ravdess --emodb ~/corpora/emodb

`--data`: MFCC and chroma of 200 files of RAVDESS, ours beside librosa. `--emodb`: scalograms of 100 clips of EmoDB, ours
beside `pywt.cwt(method="fft")`. Prints milliseconds an utterance of both, decoding included, the ratio, the time for the
whole corpus with an empty and with a filled cache, and the peak memory of the process tree. On 4 cores the first takes
under a minute, the second some two, most of them PyWavelets'.
"""

import argparse
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import pandas as pd

from sertf.errors import in_one_sentence

RAVDESS_FILES = 200
EMODB_FILES = 100
CHECKED_FILES = 10
SUFFIXES = (".wav", ".flac")


class PeakMemory:
    """Highest resident memory in bytes of this process and its children, sampled in a thread."""

    def __init__(self, interval_seconds=0.02):
        import psutil

        self.peak = 0
        self._process = psutil.Process()
        self._gone = psutil.NoSuchProcess
        self._interval_seconds = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._stop.wait(self._interval_seconds):
            total = 0
            for process in [self._process, *self._process.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except self._gone:
                    continue
            self.peak = max(self.peak, total)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def timed(call):
    """Seconds that a call takes, and its result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def librosa_loop(paths):
    """What a user would write."""
    import librosa
    import numpy as np

    features = []
    for path in paths:
        samples, rate = librosa.load(path, sr=None)
        mfcc = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=34, n_fft=4096, hop_length=2048)
        chroma = librosa.feature.chroma_stft(y=samples, sr=rate, n_fft=4096, hop_length=2048)
        features.append(np.concatenate([mfcc, chroma]).T)
    return features


def pywt_loop(paths, dtype="float32"):
    """What a user would write: unit RMS, 8 s around the middle, 128 scales, 256 time bins, decibels."""
    import librosa
    import numpy as np
    import pywt

    scales = pywt.frequency2scale("morl", np.geomspace(64, 8000, 128) / 16000)
    features = []
    for path in paths:
        samples, rate = librosa.load(path, sr=16000, dtype=dtype)
        samples = samples / np.sqrt(np.mean(np.trim_zeros(samples) ** 2))
        samples = librosa.util.pad_center(samples[max(0, len(samples) - 128000) // 2 :][:128000], size=128000)
        coefficients, _ = pywt.cwt(samples, scales, "morl", sampling_period=1 / rate, method="fft")
        power = np.square(coefficients).reshape(128, 256, 500).mean(axis=2)
        decibels = 10 * np.log10(np.maximum(power, 1e-10))
        features.append(np.maximum(decibels, decibels.max() - 80).T)
    return features


def mfcc_difference(ours, reference):
    """Largest difference of MFCC, relative to the utterance's largest value."""
    return abs(ours[:, :34] - reference[:, :34]).max() / abs(reference[:, :34]).max()


def decibel_difference(ours, reference):
    """Largest difference of decibels, relative to the 80 that are kept, of 10 files in double precision."""
    return abs(ours - reference).max() / 80


def compare(paths, count, front_end, loop, difference, exact=None):
    """Extract `count` of the files by ours and by a loop, all of them by ours; print times and memory.

    `exact` is the loop that ours is compared with, on a few files, where the plain one is too coarse for it.
    """
    from sertf.extraction.cache import FeatureCache

    table = pd.DataFrame({"utterance": [Path(path).stem for path in paths], "path": paths})
    every = len(table) // count
    some = table.iloc[: every * count : every]  # all speakers and emotions

    def ours(table, folder):
        return FeatureCache(folder).extract(table, front_end(), progress=False)

    with tempfile.TemporaryDirectory() as folder:
        with PeakMemory() as memory:
            # Each side first makes two clips, which pays for its imports, compilation and caches of filter banks.
            ours_start, _ = timed(lambda: ours(table.tail(2), f"{folder}/start"))
            ours_seconds, features = timed(lambda: ours(some, f"{folder}/some"))
            cold, _ = timed(lambda: ours(table, f"{folder}/all"))
            warm, _ = timed(lambda: ours(table, f"{folder}/all"))
        with PeakMemory() as loop_memory:
            loop_start, _ = timed(lambda: loop(table["path"].tail(2)))
            loop_seconds, reference = timed(lambda: loop(some["path"]))
        if exact is not None:
            reference = exact(some["path"].head(CHECKED_FILES))
        largest = max(difference(features[u], by_loop) for u, by_loop in zip(some["utterance"], reference))

    print(f"{count} files                  ours  {loop.__name__.replace('_', ' '):>15}")
    print(f"start (once)            {ours_start:7.2f} s   {loop_start:10.2f} s")
    print(f"extraction              {ours_seconds:7.2f} s   {loop_seconds:10.2f} s")
    print(f"  an utterance          {1e3 * ours_seconds / count:7.2f} ms  {1e3 * loop_seconds / count:10.2f} ms")
    print(f"ratio without the start {loop_seconds / ours_seconds:7.1f}")
    print(f"ratio with the start    {(loop_start + loop_seconds) / (ours_start + ours_seconds):7.1f}")
    print(f"{difference.__doc__.rstrip('.')}: {largest:.1e}")
    print(f"whole corpus, {len(table)} files: {cold:.2f} s with an empty cache, {warm:.2f} s with a filled one")
    print(
        f"peak memory of the process tree: {memory.peak / 1e9:.2f} GB while ours extracted, "
        f"{loop_memory.peak / 1e9:.2f} GB in the loop after it"
    )


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of RAVDESS speech, with its Actor_NN folders")
    parser.add_argument("--emodb", type=Path, help="folder of EmoDB, with its wav folder")
    arguments = parser.parse_args()
    if arguments.data is None and arguments.emodb is None:
        parser.error("give --data RAVDESS_FOLDER, --emodb EMODB_FOLDER or both")
    from sertf.features import MfccChroma, Scalogram

    # In float32, as librosa reads, PyWavelets itself is off by up to 3 dB 80 dB under the maximum.
    exact = partial(pywt_loop, dtype="float64")
    rows = (
        ("--data", arguments.data, "03-01-*", RAVDESS_FILES, MfccChroma, librosa_loop, mfcc_difference),
        ("--emodb", arguments.emodb, "wav/*", EMODB_FILES, Scalogram, pywt_loop, decibel_difference, exact),
    )
    for option, folder, pattern, count, *compared in rows:
        if folder is None:
            continue
        paths = sorted(str(path) for path in folder.rglob(pattern) if path.suffix.lower() in SUFFIXES)
        if len(paths) < count:
            parser.error(f"{option} {folder}: needs at least {count} speech files ({pattern}), found {len(paths)}")
        print(f"\n{compared[0].__name__}, {folder.name}")
        compare(paths, count, *compared)


if __name__ == "__main__":
    main()
