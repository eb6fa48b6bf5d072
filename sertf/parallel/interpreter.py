"""A call in a new interpreter with other environment variables."""

import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sertf.errors import SertfError


class ProcessKilled(SertfError):
    """The process of a call was killed, often for lack of memory."""


def end_with_parent() -> None:
    """End this process when its parent is gone, from a thread: a killed command leaves nothing at work behind.

    Its runs would take the cores from the command that goes on with them.
    """
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def in_own_process(function: Callable[[Any], Any], job: Any, variables: Mapping[str, str]) -> Any:
    """Call `function` on a job in a new interpreter that starts with other environment variables.

    For a cluster's workers. Their threads draw from Python's random numbers while Keras takes its seeds from these. And
    they started with the variables of another machine. It ends when the process that called ends.

    Raises:
        ProcessKilled: a signal killed it.
        RuntimeError: it ended without a result.
    """
    with tempfile.TemporaryDirectory() as folder:
        call, answer = Path(folder) / "call", Path(folder) / "answer"
        call.write_bytes(pickle.dumps((function, job)))
        command = [
            sys.executable,
            "-c",
            "import sys; from sertf.parallel.interpreter import answer; answer(*sys.argv[1:])",
        ]
        # Modules beside the user's script are found there as they are here.
        variables = {**variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run([*command, call, answer], env={**os.environ, **variables}, stderr=subprocess.PIPE)
        if not answer.is_file():
            if done.returncode < 0:
                raise ProcessKilled(f"signal {-done.returncode}")
            trace = done.stderr.decode(errors="replace")[-4000:]
            raise RuntimeError(f"The process of a run ended without a result (exit code {done.returncode}):\n{trace}")
        result, error = pickle.loads(answer.read_bytes())
    if error is not None:
        raise error
    return result


def answer(call: Path | str, place: Path | str) -> None:
    """What `in_own_process` starts: do the call that a file holds, write its result or its `SertfError` to another."""
    end_with_parent()
    function, job = pickle.loads(Path(call).read_bytes())
    try:
        found = function(job), None
    except SertfError as error:
        found = None, error
    Path(place).write_bytes(pickle.dumps(found))
