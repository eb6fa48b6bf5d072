"""Recognize the emotion in recordings.

sertf scores recordings of 12 s or less as a whole. It scores longer ones in windows of 10 s every 5 s, each with its
start and end. A model whose card states a fixed span uses windows of that span instead.

Input may have any format that libsndfile reads, any sample rate from 1 kHz on, and any number of channels, which are
averaged. With the extra `media` sertf reads m4a, mp4, webm, amr and 3gp too. Of a folder it reads all audio files.

The confidence is the model's largest score. `sertf info` prints whether it is calibrated: then some 80 of 100 results
of 0.8 are right, for speech like the training corpora's. Under a threshold the verdict is `uncertain`, with the best guess
beside it. The threshold is the model's, which `sertf info` prints, or that of --threshold. A window of digital silence
or of steady sound, such as noise or hum, is not scored. --no-voice-activity leaves it to the model.

Loading a model is trusting it: a SavedModel can read and write files when it runs.

A model with a LiteRT file starts in less than a second, since it needs no TensorFlow.

Unlabelled clips of the one who speaks make answers better: --speaker names their folder. 20 clips or more should hold the
emotions that the speaker shows. sertf estimates statistics of them once. --keep-speaker writes these to a file, which
--speaker takes later. The default recognizer takes clips, and so does a model that `sertf run --known-speakers` trained.

If a file cannot be used, sertf names it, writes nothing and exits with 2. It reports files that are not audio or cut
off at once. It reports faults that only decoding shows after the last file. --skip-bad names them and continues.

sertf warns where a recording lacks the band of the model's training clips, or has a level far outside theirs.
"""

import contextlib
import csv
import io
import os
import sys
from pathlib import Path

from sertf.cli import shared
from sertf.texts import defused, unfiltered

HELP = "recognize the emotion in recordings"
EXAMPLES = """\
  sertf predict clip.wav
  sertf predict clips/ --out emotions.csv
  sertf predict --list files.txt --skip-bad
  sertf predict call.flac --window 5 --hop 2.5 --threshold 0.5
  sertf predict clips/*.wav --model models/mine --json
  sertf predict call.wav --speaker clips_of_ann/ --keep-speaker ann.npz
  sertf predict later.wav --speaker ann.npz
  ffmpeg -i film.mp4 -f wav - | sertf predict -
"""
STDIN = "-"
FORMATS = (".csv", ".json")


def add_options(parser):
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="audio files or folders; - reads one from standard input"
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="text file with one path a line")
    parser.add_argument("--model", metavar="MODEL", help="an exported model's folder, or a bundled model's name")
    parser.add_argument(
        "--window", type=float, metavar="SECONDS", help="score longer recordings in windows of this length"
    )
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="time from one window to the next (half a window)")
    parser.add_argument(
        "--speaker",
        type=Path,
        metavar="PLACE",
        help="for a model of known speakers: a folder of the speaker's clips, or a file of --keep-speaker",
    )
    parser.add_argument(
        "--keep-speaker", type=Path, metavar="FILE", help="write the statistics of --speaker to a .npz file"
    )
    parser.add_argument(
        "--threshold", type=float, metavar="SCORE", help="verdict `uncertain` under this confidence (the model's)"
    )
    shared.add_voice_activity(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a .csv or .json file, whole or not at all")
    shared.add_skip_bad(parser)
    shared.add_json(parser)


def run(options):
    from sertf.inference.bundled import folder_of
    from sertf.inference.card import read_card
    from sertf.inference.litert import can_serve
    from sertf.inference.recognizer import load

    _check(options)
    folder = folder_of(options.model)
    card = read_card(folder)
    with _readable(_files(options)) as places:
        clips, bad = _durations(places)
        _refuse(bad, options.skip_bad, nothing_left=not clips)
        if not can_serve(card):
            from sertf.parallel.environment import import_tensorflow_quietly

            import_tensorflow_quietly()
        model = load(folder)
        speaker = _speaker(model, options)
        rows, found = _predict(model, clips, speaker, options)
    _refuse(found, options.skip_bad, nothing_left=not rows)
    if options.out is not None:
        text = _as_json(card, rows, speaker) if options.out.suffix.lower() == ".json" else _as_csv(card, rows)
        shared.write(options.out, text)
        print(f"{options.out}: {len(rows)} rows", file=sys.stderr)
    if options.json:
        sys.stdout.write(_as_json(card, rows, speaker))
    elif options.out is None:
        _show(rows)
        if speaker is None and "held_out" in card.get("known_speakers", {}):
            _advise(rows)


def _check(options):
    from sertf.errors import SertfError

    shared.check_threshold(options)
    if options.files.count(STDIN) > 1:
        raise SertfError("Standard input can be read only once; give - once.")
    if options.out is not None:
        if options.out.suffix.lower() not in FORMATS:
            raise SertfError(f"--out must end in {' or '.join(FORMATS)}, got {options.out}.")
        shared.check_place(options.out)
    if options.speaker is not None and not options.speaker.is_dir() and options.speaker.suffix.lower() != ".npz":
        raise SertfError(
            f"--speaker {options.speaker} is neither a folder nor a .npz file; give a folder of the speaker's clips, or "
            "their statistics."
        )
    if options.keep_speaker is not None:
        from sertf.inference.speakers import check_place

        if options.speaker is None or not options.speaker.is_dir():
            raise SertfError("--keep-speaker keeps the statistics of --speaker FOLDER; give both.")
        check_place(options.keep_speaker)
        shared.check_place(options.keep_speaker)


def _speaker(model, options):
    """The statistics of --speaker; None without it, with a line where the model would use them."""
    from sertf.inference.speakers import SpeakerStatistics

    if options.speaker is None:
        known = model.card.get("known_speakers")
        if known is not None and "held_out" not in known:
            print(
                f"{model.card['name']} has no clips of the speaker and scales by its training speakers; --speaker FOLDER "
                "with clips of theirs gives better answers",
                file=sys.stderr,
            )
        return None
    if not options.speaker.is_dir():
        return SpeakerStatistics.load(options.speaker)
    speaker = model.enroll(_inside(options.speaker), window=options.window, hop=options.hop)
    if options.keep_speaker is not None:
        print(f"{speaker.save(options.keep_speaker)}: statistics of {speaker.clips} clips", file=sys.stderr)
    return speaker


def _inside(folder):
    """The audio files of a folder."""
    from sertf.audio import files, media
    from sertf.corpora.folder import find_files
    from sertf.errors import SertfError

    found = find_files(folder, files.SUFFIXES | media.SUFFIXES)
    if not found:
        raise SertfError(f"{folder} holds no audio files; give a folder that does.")
    return list(map(str, found))


@contextlib.contextmanager
def _readable(files):
    """(name, path) of the files. Standard input goes to a temporary file, since libsndfile has to seek."""
    from sertf.audio.files import as_file

    if STDIN not in files:
        yield [(file, file) for file in files]
        return
    with as_file(sys.stdin.buffer) as copy:
        yield [(file, copy if file == STDIN else file) for file in files]


def _files(options):
    """The files to score, those of folders and of --list included."""
    from sertf.errors import SertfError

    given = list(options.files)
    if options.list is not None:
        try:
            lines = options.list.read_bytes().decode("utf-8-sig", "surrogateescape").splitlines()
        except OSError as error:
            raise SertfError(f"--list {options.list} cannot be read: {error.strerror}; give a text file.") from error
        given += [line.strip() for line in lines if line.strip()]
    if not given:
        raise SertfError("There is no file to score; give audio files, a folder, or --list with a text file.")
    found = []
    for place in given:
        found += _inside(place) if os.path.isdir(place) else [place]
    return found


def _durations(places):
    """(name, path, seconds) of files with a readable header, and (name, reason) of the others."""
    from sertf.audio import files as audio

    clips, bad = [], []
    for name, path in places:
        try:
            clips.append((name, path, audio.stated_seconds(path)))
        except audio.AudioError as error:
            bad.append((name, error.reason))
    return clips, bad


def _refuse(bad, skip, *, nothing_left):
    """Name the bad files. Raise unless they are to be skipped and others are left."""
    from sertf.errors import SertfError

    lines = [f"{name}: {reason}" for name, reason in bad]
    if bad and (nothing_left or not skip):
        raise SertfError("\nerror: ".join(lines))
    for line in lines:
        print(f"skipped {line}", file=sys.stderr)


def _predict(model, clips, speaker, options):
    """(name, window) of all windows of the files, and (name, reason) of the files that fail to decode."""
    from sertf.audio.files import AudioError
    from sertf.inference.recordings import collected

    rows, bad, unlike, done = [], [], [], 0.0
    with _bar(sum(length for *_, length in clips)) as update:
        for name, path, length in clips:
            try:
                with collected() as differences:
                    windows = list(
                        model.windows(
                            path,
                            window=options.window,
                            hop=options.hop,
                            threshold=options.threshold,
                            voice_activity=options.voice_activity,
                            speaker=speaker,
                            progress=lambda second, done=done: update(done + second),
                        )
                    )
                unlike += [(name, what) for what in differences]
                rows += [(name, window) for window in windows]
            except AudioError as error:
                bad.append((name, error.reason))
            done += length
            update(done)
    for name, what in unlike:
        print(f"warning: {name}: {what}.", file=sys.stderr)
    return rows, bad


@contextlib.contextmanager
def _bar(total):
    """A bar on a terminal, and nothing elsewhere; gives the function that sets the seconds done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=unfiltered(sys.stderr)), transient=True) as bar:
        task = bar.add_task("Listening", total=total)
        yield lambda done: bar.update(task, completed=done)


def _as_csv(card, rows):
    from sertf.inference.recognizer import COLUMNS

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *card["emotions"]])
    for name, window in rows:
        # Six digits of a score, and the milliseconds of a time hours into a recording.
        times = [f"{time:.9g}" for time in window[:2]]
        confidence, *scores = (
            "" if window.emotion is None else f"{score:.6g}" for score in (window.confidence, *window.scores.values())
        )
        writer.writerow([defused(name), *times, window.emotion, confidence, window.verdict, *scores])
    return text.getvalue()


def _as_json(card, rows, speaker):
    def rounded(window, score):
        return None if window.emotion is None else round(score, 6)

    predictions = [
        {
            "file": name,
            "start": window.start,
            "end": window.end,
            "emotion": window.emotion,
            "verdict": window.verdict,
            "confidence": rounded(window, window.confidence),
            "scores": {emotion: rounded(window, score) for emotion, score in window.scores.items()},
        }
        for name, window in rows
    ]
    content = {"model": card["name"], "emotions": card["emotions"], "predictions": predictions}
    if "known_speakers" in card:
        content["speaker_clips"] = speaker.clips if speaker else 0
    return shared.to_json(content)


def _advise(rows):
    """Say what would make uncertain verdicts better, if there are any."""
    from sertf.inference.verdicts import UNCERTAIN

    if any(window.verdict == UNCERTAIN for _, window in rows):
        print(
            "Uncertain verdicts get better with --speaker FOLDER: 20 or more clips of the same voice, without labels.",
            file=sys.stderr,
        )


def _show(rows):
    from sertf.inference.verdicts import in_words

    cells = (
        (
            name,
            f"{window.start:.2f}",
            f"{window.end:.2f}",
            in_words(window.verdict, window.emotion),
            "-" if window.emotion is None else f"{window.confidence:.2f}",
        )
        for name, window in rows
    )
    shared.print_table(("file", "start (s)", "end (s)", "verdict", "confidence"), cells)
