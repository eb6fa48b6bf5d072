"""Jobs that the tests of processes, clusters and interpreters have done elsewhere."""

import os
import signal
import time
from pathlib import Path

from sertf.errors import SertfError


def place_of(job):
    """Where a job is done: its process, and what decides the number of TensorFlow's threads there."""
    return job, os.getpid(), os.environ["TF_NUM_INTRAOP_THREADS"]


def refuse(job):
    raise SertfError(f"not {job}")


def kill_worker_once(job):
    """The number of a job. The first one kills the worker of the cluster that it is done on, when it starts first."""
    folder, number = job
    if number == 0 and _first_time(folder):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return number


def kill_itself_once(job):
    """The number of a job. The first one kills its own process, when it starts first."""
    folder, number = job
    if number == 0 and _first_time(folder):
        kill_itself(number)
    return number


def kill_itself(_):
    os.kill(os.getpid(), signal.SIGKILL)


def _first_time(folder):
    try:
        (Path(folder) / "started").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
