"""A page in the browser: record or upload a clip, and see which emotion a model recognizes.

The page shows the verdict, the confidence, the scores of all emotions and the waveform. It shows what the result rests
on: the model's attention, or else how far the score falls when a part is silenced. A long clip also gets the scores of
its windows over time. The model card stands below. You choose among the bundled models and those in ./models.

Nothing leaves the machine. sertf serves the page on 127.0.0.1 alone, unless you name another host. It loads nothing
from elsewhere. Uploads lie in a temporary folder that is removed when the command ends. Ctrl-C ends it. Those of a
killed command go at the next start.

Loading a model is trusting it: a SavedModel can read and write files when it runs.
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
        help="an exported model's folder, a folder of several, or a bundled model's name; repeatable",
    )
    parser.add_argument(
        "--host", metavar="ADDRESS", help="address to listen on; 0.0.0.0 lets every machine in (127.0.0.1)"
    )
    parser.add_argument("--port", type=int, metavar="PORT", help="port (the first free one from 7860 on)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(options):
    if options.port is not None and not 1 <= options.port <= 65535:
        raise SertfError(f"--port must lie between 1 and 65535, got {options.port}.")
    import importlib.util

    if importlib.util.find_spec("gradio") is None:
        raise SertfError("The page needs Gradio; install it with: pip install 'sertf[app]'.")
    from sertf.app import session
    from sertf.app.page import HOST, build, sealed, serve

    folders = session.models(options.model or ())
    with sealed():
        host = options.host or HOST
        serve(build(session.Listener(folders), host=host), host=host, port=options.port, browser=options.open)
