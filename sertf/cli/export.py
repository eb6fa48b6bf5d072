"""Export a trained run as one SavedModel. It takes raw audio and needs only TensorFlow to run.

Of several runs sertf exports the one with the best validation score. Test scores have no part in the choice.
"""

import sys
from pathlib import Path

from sertf.cli import shared

HELP = "export a trained run as a SavedModel"
EXAMPLES = """\
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine --repeat 0 --fold fold-2
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine --litert float16
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine --onnx
  sertf export recognizer recognizer.onnx
"""


def add_options(parser):
    parser.add_argument("runs", type=Path, metavar="RUNS", help="<runs>/<variant>/<protocol>, or one run directory")
    parser.add_argument(
        "out",
        type=Path,
        metavar="FOLDER",
        help="folder to write; replaces an exported model there. For an exported model as RUNS: FILE.onnx",
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="export a run of this repeat")
    parser.add_argument("--fold", metavar="NAME", help="export a run of this fold")
    parser.add_argument(
        "--known-speakers",
        type=Path,
        metavar="RUNS",
        help="runs of known speakers on the same folds: their network scores a speaker of whom there are clips",
    )
    parser.add_argument(
        "--litert",
        nargs="?",
        const="float32",
        metavar="WEIGHTS",
        help="also write a LiteRT model, with weights in float32, float16 or int8, or shared with the SavedModel (float32)",
    )
    parser.add_argument("--onnx", action="store_true", help="also write an ONNX model (extra onnx)")
    parser.add_argument(
        "--certain",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="share of certain answers that are to be right; less confident ones are `uncertain` (0.9)",
    )
    parser.add_argument(
        "--custom-code",
        action="store_true",
        help="run the modules of a custom model and front end that the run names; only for code that you trust",
    )
    shared.add_json(parser)


def run(options):
    from sertf.parallel.environment import import_tensorflow_quietly
    from sertf.runs.layout import is_finished
    from sertf.runs.stored import read_facts

    if options.out.suffix == ".onnx":
        _to_onnx(options)
        return
    if not is_finished(options.runs):
        read_facts(options.runs)  # reports a mistake before TensorFlow takes its time to load
    import_tensorflow_quietly()
    from sertf.export import saved_model
    from sertf.inference.card import read_card

    folder = saved_model.save(
        options.runs,
        options.out,
        repeat=options.repeat,
        fold=options.fold,
        of_speakers=options.known_speakers,
        litert=options.litert,
        onnx=options.onnx,
        certain=options.certain,
        custom_code=options.custom_code,
    )
    card = read_card(folder)
    if card.get("smoke"):
        print("This is the model of a smoke test: it recognizes nothing. Train without --smoke.", file=sys.stderr)
    if options.json:
        shared.print_json({"folder": folder, "card": card})
    else:
        print(folder)


def _to_onnx(options):
    """Convert a model that is exported already."""
    from sertf.errors import SertfError
    from sertf.parallel.environment import import_tensorflow_quietly

    others = (options.repeat, options.fold, options.known_speakers, options.litert)
    if options.onnx or any(option is not None for option in others):
        raise SertfError(
            f"{options.out} is to be an ONNX file of an exported model, which takes no other options; give a folder for the "
            "export of a run."
        )
    shared.check_place(options.out)
    import_tensorflow_quietly()
    from sertf.export import onnx

    written = onnx.from_exported(str(options.runs), options.out)
    if options.json:
        shared.print_json(written | {"file": options.out})
    else:
        print(options.out)
