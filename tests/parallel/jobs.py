"""Jobs that the tests of processes, clusters and interpreters have done elsewhere."""

import os

from sertf.errors import SertfError


def place_of(job):
    """Where a job is done: its process, and what decides the number of TensorFlow's threads there."""
    return job, os.getpid(), os.environ["TF_NUM_INTRAOP_THREADS"]


def refuse(job):
    raise SertfError(f"not {job}")
