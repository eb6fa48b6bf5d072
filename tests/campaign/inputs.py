"""Malformed files, made from real ones of many formats by mutation, given to `sertf predict` and `sertf extract`.

Kinds of mutations:

- `cut`: the end is missing
- `hole`: a stretch inside is missing
- `flip`: some bits are turned
- `header`: some of the first 64 bytes have other values
- `zeros`: a stretch inside is zeros
- `garbage`: random bytes follow the end

wrong: `sertf predict` answers, with exit code 0, on a file whose sound is certainly damaged:

- a `cut` or a `hole` that takes 5 % or more of a file's bytes;
- a `flip` or `zeros` behind the first quarter of a FLAC or an Ogg file, whose pages and frames carry checksums.

No reader can tell the other mutants from sound files. A flipped bit of a WAV is another WAV. There an answer counts
as right, and a refusal too.

wrong is also a whole file that is refused.
traces: a stack trace, a signal, an exit code other than 0 and 2, or no end within some minutes.
lost: a sound file that a bad one beside it kept from its answer, in spite of `--skip-bad`.
"""

import io
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from sertf.corpora import embedded
from tests.campaign.commands import Counts, kill, said, start, traces

FORMATS = {
    "pcm16.wav": ("WAV", "PCM_16"),
    "pcm24.wav": ("WAV", "PCM_24"),
    "pcm8.wav": ("WAV", "PCM_U8"),
    "float.wav": ("WAV", "FLOAT"),
    "ulaw.wav": ("WAV", "ULAW"),
    "alaw.wav": ("WAV", "ALAW"),
    "ima.wav": ("WAV", "IMA_ADPCM"),
    "ms.wav": ("WAV", "MS_ADPCM"),
    "gsm.wav": ("WAV", "GSM610"),
    "extensible.wav": ("WAVEX", "PCM_16"),
    "flac.flac": ("FLAC", "PCM_16"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.opus": ("OGG", "OPUS"),
    "mpeg.mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff.aiff": ("AIFF", "PCM_16"),
    "au.au": ("AU", "PCM_16"),
    "w64.w64": ("W64", "PCM_16"),
    "rf64.rf64": ("RF64", "PCM_16"),
    "caf.caf": ("CAF", "PCM_16"),
}
"""File names to container and codec of libsndfile."""
CHECKED = ("FLAC", "OGG")
"""Containers with checksums over the sound."""
SHARE = 0.05
"""Share of a file's bytes whose loss certainly is one of sound."""
HEADER = 64
BATCH = 60
LONGEST_SECONDS = 1200
MODEL = "reslstm_sa_h64_ravdess"


def originals(folder: Path) -> dict[str, bytes]:
    """One sound file of each format, of a synthesised utterance: name to bytes."""
    table = embedded.load(folder, speakers=2, utterances=1)
    samples, rate = soundfile.read(table["path"].iloc[0], dtype="float32")
    samples = np.tile(samples, 2)[: 2 * rate]
    made = {}
    for name, (container, codec) in FORMATS.items():
        stream = io.BytesIO()
        soundfile.write(stream, samples, rate, format=container, subtype=codec)
        made[name] = stream.getvalue()
    return made


def mutant(data: bytes, container: str, kind: str, chance: random.Random) -> tuple[bytes, bool]:
    """A mutated file, and whether its sound is certainly damaged.

    Args:
        data: the bytes of a sound file.
        container: libsndfile's name of its format.
        kind: one of `KINDS`.
        chance: draws where and how much.
    """
    return KINDS[kind](data, container, chance)


def _cut(data, _, chance):
    end = chance.randrange(1, len(data))
    return data[:end], len(data) - end >= SHARE * len(data)


def _hole(data, _, chance):
    start = chance.randrange(HEADER, len(data) // 2)
    size = chance.randrange(1, len(data) // 2)
    return data[:start] + data[start + size :], size >= SHARE * len(data)


def _flip(data, container, chance):
    mutated, places = bytearray(data), [chance.randrange(len(data)) for _ in range(chance.randrange(1, 9))]
    for place in places:
        mutated[place] ^= 1 << chance.randrange(8)
    damaged = bytes(mutated) != data and max(places) >= len(data) // 4
    return bytes(mutated), damaged and container in CHECKED


def _header(data, _, chance):
    mutated = bytearray(data)
    start = chance.randrange(HEADER)
    for place in range(start, min(start + chance.choice((1, 2, 4, 8)), len(data))):
        mutated[place] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))
    return bytes(mutated), False


def _zeros(data, container, chance):
    start = chance.randrange(HEADER, len(data) - 1)
    size = chance.randrange(1, len(data) // 4)
    mutated = data[:start] + bytes(len(data[start : start + size])) + data[start + size :]
    damaged = mutated != data and start + size > len(data) // 4 and mutated[len(data) // 4 :] != data[len(data) // 4 :]
    return mutated, damaged and container in CHECKED


def _garbage(data, _, chance):
    return data + chance.randbytes(chance.randrange(1, 5000)), False


KINDS: dict[str, Callable[[bytes, str, random.Random], tuple[bytes, bool]]] = {
    "cut": _cut,
    "hole": _hole,
    "flip": _flip,
    "header": _header,
    "zeros": _zeros,
    "garbage": _garbage,
}
"""Kinds of mutations by name."""


def inputs(folder: Path, count: int, seed: int) -> Counts:
    """Give so many mutated files to the commands, some at a time, with the whole ones among them.

    Args:
        folder: an empty folder to work in.
        count: number of mutated files.
        seed: of the mutations.
    """
    counts, chance = Counts("inputs"), random.Random(seed)
    files, damaged, sound = folder / "files", set(), set()
    files.mkdir()
    whole = originals(folder / "corpus")
    for name, data in whole.items():
        (files / f"whole-{name}").write_bytes(data)
        sound.add(f"whole-{name}")
    names = []
    for number in range(count):
        name, kind = list(whole)[number % len(whole)], list(KINDS)[number // len(whole) % len(KINDS)]
        data, certain = mutant(whole[name], FORMATS[name][0], kind, chance)
        names.append(f"{number:03d}-{kind}-{name}")
        (files / names[-1]).write_bytes(data)
        if certain:
            damaged.add(names[-1])
    for first in range(0, count, BATCH):
        batch = [*sorted(sound), *names[first : first + BATCH]]
        answered = _answered(folder, files, batch, counts)
        counts.wrong += [f"{name} got an answer" for name in sorted(damaged & answered)]
        missing = f"did not answer on {{}} beside files {first} to {first + BATCH - 1}"
        counts.lost += [missing.format(name) for name in sorted(sound - answered)]
        counts.tried += len(names[first : first + BATCH])
        print(f"  {counts}", flush=True)
    print(f"  {len(damaged)} certainly damaged, {count - len(damaged)} of which no reader can tell", flush=True)
    _extract(folder, files, [*sorted(sound), *names], counts)
    return counts


def _answered(folder, files, names, counts):
    """The files that `sertf predict` answers on. A command that ends with a trace is tried again file by file."""
    found = _predict(folder, [files / name for name in names])
    if isinstance(found, set):
        return found
    answered = set()
    for name in names:
        one = _predict(folder, [files / name])
        if isinstance(one, set):
            answered |= one
        else:
            counts.traces.append(f"{name}: {one}")
    if not any(name in fault for name in names for fault in counts.traces):
        counts.traces.append(found)
    return answered


def _predict(folder, paths):
    """The names of the files that one command answers on, or what shows that it failed."""
    (folder / "list.txt").write_text("".join(f"{path}\n" for path in paths))
    out = folder / "answers.json"
    out.unlink(missing_ok=True)
    process = start("predict", "--model", MODEL, "--skip-bad", "--list", "list.txt", "--out", out, folder=folder)
    try:
        process.wait(LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        kill(process)
        return f"no end in {LONGEST_SECONDS} s"
    failed = traces(process, said(folder), allowed=(0, 2))
    if failed:
        return failed[0]
    if not out.exists():
        return set()
    return {Path(one["file"]).name for one in json.loads(out.read_text())["predictions"]}


def _extract(folder, files, names, counts):
    """Extract features of all files at once, as for a training."""
    rows = "".join(f"{files / name},anger,s{i % 2}\n" for i, name in enumerate(names))
    (folder / "table.csv").write_text("path,emotion,speaker\n" + rows)
    options = ("--front-end", "mfcc_chroma", "--cache", folder / "cache", "--skip-bad")
    process = start("extract", "--table", "table.csv", *options, folder=folder)
    try:
        process.wait(LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        kill(process)
        counts.traces.append(f"extract: no end in {LONGEST_SECONDS} s")
        return
    counts.traces += traces(process, said(folder), allowed=(0,))
