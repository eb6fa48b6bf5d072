import os
import subprocess
import sys
import time

import psutil
import pytest

from sertf.errors import SertfError
from sertf.parallel.processes import death, run_all
from tests.parallel.jobs import place_of, refuse

held = []


def grow(job):
    """Hold 400 MB more after the first job; loky looks a second later."""
    if job:
        held.append(bytearray(b"x") * 400_000_000)
    time.sleep(1.1)
    return os.getpid()


def test_a_worker_that_has_grown_is_replaced_without_a_word(tmp_path, recwarn):
    done = run_all(grow, range(4), workers=1, scheduler="processes", progress=False, cache=tmp_path)
    assert len(set(done)) > 1
    assert not recwarn.list


@pytest.mark.parametrize("count", [1, 2])
def test_jobs_are_done_in_other_processes_of_one_thread_even_by_one_worker(tmp_path, count):
    options = {"workers": count, "scheduler": "processes", "progress": False, "cache": tmp_path}
    done = run_all(place_of, [3, 4, 5], **options)
    assert sorted(job for job, _, _ in done) == [3, 4, 5]
    assert os.getpid() not in {process for _, process, _ in done} and {threads for *_, threads in done} == {"1"}
    assert len({process for _, process, _ in done}) <= count
    with pytest.raises(SertfError, match="not 3"):
        run_all(refuse, [3], **options)


def test_a_death_in_one_sentence():
    told = "A worker process was terminated.\n\nThe exit codes of the workers are {SIGKILL(-9), EXIT(0)}\nMore on this."
    assert death(told) == (
        "A worker process died (SIGKILL(-9), EXIT(0)). Finished runs are stored, and the same command resumes. If memory "
        "was short, use fewer --workers."
    )
    assert death("?").startswith("A worker process died. Finished")


def test_what_was_done_before_counts(tmp_path, capsys):
    run_all(place_of, [3, 4], workers=1, scheduler="processes", progress=True, cache=tmp_path, done=6)
    assert capsys.readouterr().err.startswith("training 8/8, ")


def stay(folder):
    """Say who works, and work for ever."""
    (folder / str(os.getpid())).touch()
    while True:
        time.sleep(0.1)


def test_a_killed_command_leaves_nothing_at_work(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from sertf.parallel import processes as workers\n"
        "from tests.parallel.test_processes import stay\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "workers.run_all(stay, [folder] * 2, workers=2, scheduler='processes', progress=False, cache=folder)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    working = [psutil.Process(int(path.name)) for path in tmp_path.iterdir()]
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(working, timeout=20)
    assert len(working) == 2 and not alive
