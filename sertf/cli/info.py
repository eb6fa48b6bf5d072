"""Print the model card of an exported model: what it was trained on, what it scored, what it must not be used for."""

from sertf.cli import shared

HELP = "print a model's card"
EXAMPLES = """\
  sertf info
  sertf info models/mine
  sertf info models/mine --json
  sertf info --list
"""


def add_options(parser):
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="folder of an exported model, or a bundled one's name"
    )
    parser.add_argument("--list", action="store_true", help="list the bundled models, one line each")
    shared.add_json(parser)


def run(options):
    from sertf.errors import SertfError
    from sertf.inference.bundled import folder_of, presets
    from sertf.inference.card import read_card
    from sertf.inference.card_page import render_card

    if options.list:
        if options.model is not None:
            raise SertfError("--list lists all bundled models; leave MODEL out.")
        found = presets()
        if options.json:
            shared.print_json(found)
        else:
            print(found)
        return
    card = read_card(folder_of(options.model))
    if options.json:
        shared.print_json(card)
    else:
        print(render_card(card), end="")
