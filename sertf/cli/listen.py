"""Recognize emotions in what a microphone hears, window by window.

A line comes as soon as a window is complete: every --hop seconds. Ctrl-C ends the command, or --seconds. A window of
silence or of steady sound, such as a fan, gets no emotion. --no-voice-activity leaves it to the model.

Needs the extra `microphone`: pip install 'sertf[microphone]'. On Linux it also needs PortAudio, such as the package
libportaudio2. Nothing is recorded on disk, and nothing leaves this machine.
"""

import sys

from sertf.cli import shared

HELP = "recognize emotions from a microphone"
EXAMPLES = """\
  sertf listen
  sertf listen --window 4 --hop 1 --threshold 0.5
  sertf listen --seconds 60 --json > minute.jsonl
  sertf listen --devices
"""


def add_options(parser):
    parser.add_argument("--model", metavar="MODEL", help="an exported model's folder, or a bundled model's name")
    parser.add_argument("--window", type=float, metavar="SECONDS", help="length of a window (10, or the model's)")
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="time from one window to the next (half a window)")
    parser.add_argument(
        "--threshold", type=float, metavar="SCORE", help="verdict `uncertain` under this confidence (the model's)"
    )
    parser.add_argument("--seconds", type=float, metavar="SECONDS", help="stop after this time (Ctrl-C stops)")
    parser.add_argument("--device", metavar="NAME", help="name or number of the microphone (the system's)")
    parser.add_argument("--devices", action="store_true", help="list the microphones")
    shared.add_voice_activity(parser)
    parser.add_argument("--json", action="store_true", help="print a line of JSON a window, for programs")


def run(options):
    from sertf.audio import microphone
    from sertf.errors import SertfError
    from sertf.inference.bundled import folder_of
    from sertf.inference.recognizer import load

    found = microphone.devices()  # says what is missing before a model is loaded
    if options.devices:
        _list(found, options.json)
        return
    shared.check_threshold(options)
    if options.seconds is not None and not options.seconds > 0:
        raise SertfError(f"--seconds must be above 0, got {options.seconds:g}.")
    model = load(folder_of(options.model))
    device = int(options.device) if options.device and options.device.isdecimal() else options.device
    try:
        with microphone.open_microphone(device) as opened:
            print(f"Listening with {model.card['name']}; Ctrl-C stops.", file=sys.stderr)
            for window in model.stream(
                opened.blocks(options.seconds),
                sample_rate=opened.sample_rate,
                window=options.window,
                hop=options.hop,
                threshold=options.threshold,
                voice_activity=options.voice_activity,
            ):
                _show(window, options.json)
    except KeyboardInterrupt:
        pass  # how a person ends it


def _show(window, as_json):
    from sertf.inference.verdicts import in_words

    heard = window.emotion is not None
    if as_json:
        scores = {name: round(score, 6) if heard else None for name, score in window.scores.items()}
        content = {"start": window.start, "end": window.end, "emotion": window.emotion, "verdict": window.verdict}
        content |= {"confidence": round(window.confidence, 6) if heard else None, "scores": scores}
        line = shared.to_json_line(content)
    else:
        confidence = f"{window.confidence:.2f}" if heard else "-"
        line = f"{window.start:8.2f} {window.end:8.2f}  {in_words(window.verdict, window.emotion):24} {confidence}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def _list(found, as_json):
    if as_json:
        shared.print_json([{"number": number, "name": name, "sample_rate": rate} for number, name, rate in found])
    elif not found:
        print("No microphone is connected.")
    else:
        shared.print_table(
            ("number", "microphone", "sample rate (Hz)"), [(str(n), name, str(rate)) for n, name, rate in found]
        )
