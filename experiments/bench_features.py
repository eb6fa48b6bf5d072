"""How fast MFCC and chroma of RAVDESS are extracted: ours beside a plain loop of librosa calls, in one run.

    python experiments/bench_features.py --data ~/corpora/ravdess

Prints milliseconds an utterance of both on the same 200 files, decoding included, the ratio, the time for the whole
corpus with an empty and with a filled cache, and the peak memory of the process tree. Takes under a minute on 4 cores.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd

FILES = 200
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


def ours(table, folder):
    from sertf.cache import FeatureCache
    from sertf.features import MfccChroma

    return FeatureCache(folder).extract(table, MfccChroma(), progress=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder of RAVDESS speech, with its Actor_NN folders")
    arguments = parser.parse_args()
    paths = sorted(str(path) for path in arguments.data.rglob("03-01-*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < FILES:
        parser.error(f"--data {arguments.data}: needs at least {FILES} RAVDESS speech files, found {len(paths)}")
    table = pd.DataFrame({"utterance": [Path(path).stem for path in paths], "path": paths})
    every = len(table) // FILES
    some = table.iloc[: every * FILES : every]  # all speakers and emotions

    with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
        # Each side first makes two clips, which pays for its imports, compilation and caches of filter banks.
        ours_start, _ = timed(lambda: ours(table.tail(2), f"{folder}/start"))
        ours_seconds, features = timed(lambda: ours(some, f"{folder}/some"))
        cold, _ = timed(lambda: ours(table, f"{folder}/all"))
        warm, _ = timed(lambda: ours(table, f"{folder}/all"))
        peak = memory.peak
        loop_start, _ = timed(lambda: librosa_loop(table["path"].tail(2)))
        loop_seconds, reference = timed(lambda: librosa_loop(some["path"]))
        difference = max(
            abs(features[utterance][:, :34] - by_loop[:, :34]).max() / abs(by_loop[:, :34]).max()
            for utterance, by_loop in zip(some["utterance"], reference, strict=True)
        )

    print(f"{FILES} files                  ours     librosa loop")
    print(f"start (once)            {ours_start:7.2f} s   {loop_start:10.2f} s")
    print(f"extraction              {ours_seconds:7.2f} s   {loop_seconds:10.2f} s")
    print(f"  an utterance          {1e3 * ours_seconds / FILES:7.2f} ms  {1e3 * loop_seconds / FILES:10.2f} ms")
    print(f"ratio without the start {loop_seconds / ours_seconds:7.1f}")
    print(f"ratio with the start    {(loop_start + loop_seconds) / (ours_start + ours_seconds):7.1f}")
    print(f"largest difference of MFCC, relative to the utterance's largest value: {difference:.1e}")
    print(f"whole corpus, {len(table)} files: {cold:.2f} s with an empty cache, {warm:.2f} s with a filled one")
    print(f"peak memory of the process tree while ours extracted: {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
