import os

import pytest

from sertf.errors import SertfError
from sertf.parallel.interpreter import ProcessKilled, in_own_process
from tests.parallel.jobs import kill_itself, place_of, refuse


def end(job):
    os._exit(job)


def test_an_interpreter_of_its_own_gives_the_result_the_error_or_what_it_said_last():
    job, process, threads = in_own_process(place_of, 3, {"TF_NUM_INTRAOP_THREADS": "1"})
    assert (job, threads) == (3, "1") and process != os.getpid()
    with pytest.raises(SertfError, match="not 3"):
        in_own_process(refuse, 3, {})
    with pytest.raises(RuntimeError, match="exit code 7"):
        in_own_process(end, 7, {})
    with pytest.raises(ProcessKilled, match="signal 9"):
        in_own_process(kill_itself, 0, {})
