"""Print the model card of an exported model: what it was trained on, what it scored, what it must not be used for."""

from sertf.cli import shared

HELP = "print a model's card"
EXAMPLES = """\
  sertf info
  sertf info models/mine
  sertf info models/mine --json
"""


def add_options(parser):
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="folder of an exported model, or a bundled one's name"
    )
    shared.add_json(parser)


def run(options):
    from sertf.inference.bundled import folder_of
    from sertf.inference.card import read_card, render_card

    card = read_card(folder_of(options.model))
    if options.json:
        shared.print_json(card)
    else:
        print(render_card(card), end="")
