"""A page in the browser: upload, record or pick a clip, and see what a model hears in it.

It shows the emotion and how sure the model is, the scores of all emotions, the waveform, what in the clip the answer
rests on (the model's attention, else what its score loses when a part is silenced), the scores over time where it is
heard in several windows, and the model card. Models are chosen on the page, among the bundled ones and those in
./models.

Nothing leaves the machine: the page is served on 127.0.0.1 alone and loads nothing from elsewhere. Uploads lie in a
temporary folder that is removed when the command ends. Ctrl-C ends it.
"""

from sertf.errors import SertfError

HELP = "try models on a page in the browser"
EXAMPLES = """\
  sertf app
  sertf app --open --port 8000
  sertf app --model models/mine --model reslstm_sa_h64_ravdess
"""


def add_options(parser):
    parser.add_argument(
        "--model",
        action="append",
        metavar="MODEL",
        help="folder of an exported model or of several, or the name of a bundled one; repeatable",
    )
    parser.add_argument("--port", type=int, metavar="PORT", help="of 127.0.0.1 (the first free one from 7860 on)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(options):
    if options.port is not None and not 1 <= options.port <= 65535:
        raise SertfError(f"--port must lie between 1 and 65535, but is {options.port}.")
    import importlib.util

    if importlib.util.find_spec("gradio") is None:
        raise SertfError("The page needs the extra: pip install 'sertf[app]'.")
    from sertf.app import session
    from sertf.app.page import build, sealed, serve, write_examples

    folders = session.models(options.model or ())
    with sealed() as folder:
        page = build(session.Listener(folders), write_examples(folder / "examples"))
        serve(page, port=options.port, browser=options.open)
