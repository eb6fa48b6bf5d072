"""The embedded corpus: synthetic clips of eight speakers in four emotions, made on first use, no download.

For demonstrations and tests. Emotions differ in pitch level and range, loudness, speaking rate, spectral tilt and
jitter, as reviews of vocal emotion report (Scherer 2003). Each speaker has a tract, a voice and a way of showing each
emotion. So a model can recognize an unseen speaker, but not perfectly.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from sertf.corpora.card import Corpus, CorpusError
from sertf.corpora.folder import BadFile, corpus_root, decode, match, read_folder
from sertf.errors import expanded
from sertf.files import write_atomically, write_text

if TYPE_CHECKING:
    import pandas

VERSION = 1
SAMPLE_RATE = 16000
SENTENCES = 5
MARKER = "embedded.json"

# gender, pitch (Hz), vocal tract factor, rate, tilt (dB an octave), breath, noise (dB)
SPEAKERS = (
    ("female", 205.0, 1.17, 1.00, 0.0, 0.020, -62),
    ("male", 112.0, 1.00, 0.94, -0.8, 0.012, -56),
    ("female", 188.0, 1.12, 1.10, 0.8, 0.012, -58),
    ("male", 128.0, 1.05, 1.06, 0.6, 0.020, -64),
    ("female", 226.0, 1.22, 1.04, -0.6, 0.028, -54),
    ("male", 101.0, 0.95, 1.00, 0.2, 0.016, -60),
    ("female", 196.0, 1.15, 0.92, 0.3, 0.016, -57),
    ("male", 120.0, 0.98, 1.12, -0.3, 0.026, -61),
)
# Effects of an emotion: pitch (semitones), pitch range (factor), level (dB), rate (factor), tilt (dB an octave), jitter
# and formants (factors). A smile shortens the tract.
EFFECTS = {
    "neutral": (0.0, 1.0, 0.0, 1.00, 0.0, 1.0, 1.00),
    "happiness": (3.0, 1.8, 3.0, 1.08, 1.5, 1.1, 1.06),
    "sadness": (-1.0, 0.6, -5.0, 0.86, -2.4, 1.6, 0.97),
    "anger": (2.2, 1.4, 5.0, 1.12, 3.2, 2.2, 0.98),
}
# Standard deviations of the same seven (factors: of their logarithm), from speaker to speaker and from clip to clip.
SPEAKER_SPREAD = (0.8, 0.15, 1.2, 0.05, 0.4, 0.2, 0.01)
CLIP_SPREAD = (1.0, 0.2, 1.4, 0.06, 0.5, 0.3, 0.01)


def load(
    root: Path | str | None = None, *, skip_bad: bool = False, speakers: int = 8, utterances: int = 10, seed: int = 0
) -> "pandas.DataFrame":
    """Load the embedded corpus. Missing clips are synthesised first (a few seconds).

    Args:
        root: Folder for the clips; None uses one below the user's cache (`XDG_CACHE_HOME` or `~/.cache`).
        skip_bad: Leave files out that do not belong here.
        speakers: 2 to 8, women and men in turn.
        utterances: Clips a speaker and emotion, 1 to 99; five sentences in turn.
        seed: Seed of all random draws.

    Extra column: take.
    """
    if not 2 <= speakers <= len(SPEAKERS):
        raise CorpusError(f"speakers must be 2 to {len(SPEAKERS)}; got {speakers!r}")
    if not 1 <= utterances <= 99:
        raise CorpusError(f"utterances must be 1 to 99; got {utterances!r}")
    setup = {"version": VERSION, "speakers": speakers, "utterances": utterances, "seed": seed}
    folder = _folder(root, setup)
    _synthesize_missing(folder, setup)

    def parse(path):
        parts = match(CORPUS, path)
        speaker, number = int(parts["speaker"]), int(parts["number"])
        if not (1 <= speaker <= speakers and 1 <= number <= utterances):
            raise BadFile(f"not one of the {speakers} speakers and {utterances} utterances an emotion")
        return {
            "utterance": f"embedded-{path.stem}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"embedded-{speaker:02d}",
            "gender": SPEAKERS[speaker - 1][0],
            "language": "",
            "sentence": str((number - 1) % SENTENCES + 1),
            "take": (number - 1) // SENTENCES + 1,
        }

    expected = {
        (f"embedded-{speaker + 1:02d}", emotion): utterances for speaker in range(speakers) for emotion in EFFECTS
    }
    return read_folder(CORPUS, folder, parse, expected=expected, skip_bad=skip_bad)


def _folder(root, setup):
    """The corpus's folder, made if missing. A marker file records which set of clips it holds."""
    if root is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "sertf" / "-".join(["embedded", *(f"{key[0]}{value}" for key, value in setup.items())])
    else:
        folder = expanded(root)
        if folder.is_dir():
            folder = corpus_root(CORPUS, folder)
    marker = folder / MARKER
    try:
        if marker.exists():
            try:
                held = json.loads(marker.read_text())
            except ValueError as error:
                raise CorpusError(f"{marker}: is damaged; remove {folder} to have the corpus made again") from error
            if held != setup:
                raise CorpusError(f"{folder}: holds the embedded corpus of {held}, not of {setup}; give another folder")
            return folder
        # Hidden files do not count: another process may be writing the marker.
        if folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise CorpusError(f"{folder}: holds other files; give the embedded corpus a new or empty folder, or none")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(marker, json.dumps(setup) + "\n")
    except OSError as error:
        raise CorpusError(
            f"{folder}: the embedded corpus cannot be written here ({error.strerror}); give another root"
        ) from error
    return folder


def _synthesize_missing(folder, setup):
    def write(job):
        path, speaker, emotion, number = job
        samples = clip(speaker, emotion, number, seed=setup["seed"])
        try:
            # Two processes may make the same clip at once.
            write_atomically(
                path, lambda part: soundfile.write(part, samples, SAMPLE_RATE, subtype="PCM_16", format="WAV")
            )
        except (OSError, soundfile.SoundFileError) as error:
            raise CorpusError(f"{path}: cannot be written ({error}); free the disk or give another root") from error

    jobs = [
        (folder / f"s{speaker + 1:02d}_{emotion}_{number:02d}.wav", speaker, emotion, number)
        for speaker in range(setup["speakers"])
        for emotion in EFFECTS
        for number in range(1, setup["utterances"] + 1)
    ]
    # Two threads overlap writing with computing. More would wait for the interpreter's lock.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [job for job in jobs if not job[0].exists()]))


def clip(speaker: int, emotion: str, number: int, *, seed: int = 0) -> np.ndarray:
    """One clip, float32 (n,) at 16 kHz, the same for the same arguments.

    Args:
        speaker: Row of `SPEAKERS`.
        emotion: Key of `EFFECTS`.
        number: Utterance, from 1; it chooses the sentence.
        seed: Seed of all random draws.
    """
    # Imported here: SciPy takes half a second to load, and other corpora do not need it.
    from sertf.corpora import synthesis

    _, pitch, tract, rate, tilt, breath, noise = SPEAKERS[speaker]
    emotion_index = list(EFFECTS).index(emotion)
    # Separate streams: a speaker's way of showing an emotion must not depend on the set of clips.
    habit = np.random.default_rng([seed, speaker, emotion_index]).standard_normal(7) * SPEAKER_SPREAD
    rng = np.random.default_rng([seed, speaker, emotion_index, number])
    moment = habit + rng.standard_normal(7) * CLIP_SPREAD
    effect = EFFECTS[emotion]
    voice = synthesis.Voice(
        pitch_hz=pitch * 2 ** ((effect[0] + moment[0]) / 12),
        range_semitones=1.8 * effect[1] * np.exp(moment[1]),
        tract=tract * effect[6] * np.exp(moment[6]),
        rate=rate * effect[3] * np.exp(moment[3]),
        level_db=-26.0 + effect[2] + moment[2],
        tilt_db=tilt + effect[4] + moment[4],
        jitter=0.008 * effect[5] * np.exp(moment[5]),
        breath=breath,
        noise_db=noise,
    )
    return synthesis.synthesize(voice, synthesis.SENTENCES[(number - 1) % SENTENCES], rng)


CORPUS = Corpus(
    name="embedded",
    title="Embedded synthetic corpus",
    citation="Synthesised by sertf; cite sertf.",
    licence="Apache-2.0",
    url="made by sertf.corpora.load('embedded')",
    languages=(),
    utterances=320,
    speakers=8,
    emotions={emotion: emotion for emotion in EFFECTS},
    pattern=re.compile(r"s(?P<speaker>\d\d)_(?P<emotion>[a-z]+)_(?P<number>\d\d)"),
    example="s01_anger_03.wav",
    load=load,
)
