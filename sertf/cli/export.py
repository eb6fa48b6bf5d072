"""Export a trained run as one SavedModel. It takes raw audio and needs only TensorFlow to run.

Of several runs sertf exports the one with the best validation score. Test scores have no part in the choice.
"""

from pathlib import Path

from sertf.cli import shared

HELP = "export a trained run as a SavedModel"
EXAMPLES = """\
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine --repeat 0 --fold fold-2
  sertf export runs/mine/reslstm_sa/speaker-independent-5 models/mine --litert float16
"""


def add_options(parser):
    parser.add_argument("runs", type=Path, metavar="RUNS", help="<runs>/<variant>/<protocol>, or one run directory")
    parser.add_argument("out", type=Path, metavar="FOLDER", help="folder to write; replaces an exported model there")
    parser.add_argument("--repeat", type=int, metavar="N", help="export a run of this repeat")
    parser.add_argument("--fold", metavar="NAME", help="export a run of this fold")
    parser.add_argument(
        "--litert",
        nargs="?",
        const="float32",
        metavar="WEIGHTS",
        help="also write a LiteRT model, with weights in float32, float16 or int8, or shared with the SavedModel (float32)",
    )
    parser.add_argument(
        "--certain",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="share of certain answers that are to be right; less confident ones are `uncertain` (0.9)",
    )
    shared.add_json(parser)


def run(options):
    from sertf.parallel.environment import import_tensorflow_quietly
    from sertf.runs.layout import is_finished
    from sertf.runs.stored import read_facts

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
        litert=options.litert,
        certain=options.certain,
    )
    if options.json:
        shared.print_json({"folder": folder, "card": read_card(folder)})
    else:
        print(folder)
