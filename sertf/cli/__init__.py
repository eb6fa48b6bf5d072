"""The command `sertf`. A command is one module here with `HELP`, `EXAMPLES`, `add_options(parser)` and `run(options)`.

A command imports what it needs inside its functions. So `--help` and errors come at once.
"""

import argparse
import os
import sys
import warnings

import sertf
from sertf.cli import app, audit, corpora, evaluate, export, extract, info, listen, predict, report, run, tune
from sertf.errors import SertfError, exit_code, unknown
from sertf.parallel.environment import check_backend

COMMANDS = {
    "predict": predict,
    "listen": listen,
    "evaluate": evaluate,
    "info": info,
    "corpora": corpora,
    "extract": extract,
    "run": run,
    "audit": audit,
    "report": report,
    "export": export,
    "tune": tune,
    "app": app,
}
_EXAMPLES = """
examples:
  sertf predict clip.wav                      the emotion in a recording
  sertf corpora fetch ravdess --to ~/corpora  a corpus to train on
  sertf run --table mine.csv                  train on your own recordings

sertf COMMAND --help explains a command. Exit codes: 0 done, 2 a mistake in the input, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one sentence."""

    def error(self, message):
        self.exit(2, f"error: {message}; {self.prog} --help shows what is allowed\n")


def main(arguments=None):
    """Run a command; returns the exit code: 0, 2 for a user's mistake, 130 after Ctrl-C.

    Args:
        arguments: the command line; None uses the process's own.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with exit_code() as code, warnings.catch_warnings():
        warnings.showwarning = _say
        try:
            check_backend()
            _run(arguments)
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            code.value = 130
        except BrokenPipeError:
            # The reader has closed the pipe. Python would complain again on closing it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code.value


def _say(message, *_, **__):
    print(f"warning: {message}", file=sys.stderr)


def _run(arguments):
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        raise SertfError(unknown("command", arguments[0], COMMANDS))
    if run.is_experiment(arguments):
        run.experiment(arguments[1], arguments[2:])
        return
    parser = Parser(
        prog="sertf",
        description="Speech emotion recognition: published systems, trained and ready to use.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sertf {sertf.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f"examples:\n{module.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in arguments:  # options list names of the zoo, which are slow to import
            module.add_options(command)
        command.set_defaults(command=module.run)
    options, rest = parser.parse_known_args(arguments)
    if rest:
        raise SertfError(f"Unknown argument {rest[0]}; sertf {arguments[0]} --help shows what is allowed.")
    options.command(options)
