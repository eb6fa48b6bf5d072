import os
import random
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from sertf.errors import SertfError
from sertf.parallel.clusters import SchedulerError
from sertf.parallel.environment import check_backend
from sertf.parallel.interpreter import in_own_process
from sertf.parallel.processes import death, run_all

SCRIPT = """
from sertf.parallel.environment import import_tensorflow_quietly
import_tensorflow_quietly()
import tensorflow as tf
add = tf.function(lambda x: x + 1)
for i in range(12):
    add(i)  # a new Python number is a new graph: TensorFlow's hint on tracing
import sys
print("kept", file=sys.stderr)
"""


def test_a_worker_imports_tensorflow_without_a_line(tmp_path):
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0
    assert done.stderr == "kept\n"


held = []


def test_a_backend_that_is_unknown_or_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    check_backend()
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    with pytest.raises(SertfError, match="keras.json: Unknown backend 'torch'; known are tensorflow, jax"):
        check_backend()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jax" else name)
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    with pytest.raises(SertfError, match=r"keras.json: the backend jax is not installed; pip install 'sertf\[jax\]'"):
        check_backend()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # goes before the file
    check_backend()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(SertfError, match="KERAS_BACKEND: the backend jax is not installed"):
        check_backend()


def place_of(job):
    """Where a job is done: its process, and what decides the number of TensorFlow's threads there."""
    return job, os.getpid(), os.environ["TF_NUM_INTRAOP_THREADS"]


def refuse(job):
    raise SertfError(f"not {job}")


def end(job):
    os._exit(job)


def grow(job):
    """Hold 400 MB more after the first job; loky looks a second later."""
    if job:
        held.append(bytearray(b"x") * 400_000_000)
    time.sleep(1.1)
    return os.getpid()


def draw(job):
    random.seed(job)
    return [random.random() for _ in range(3)], threading.active_count()


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
        "A worker process died (SIGKILL(-9), EXIT(0)); finished runs are kept, the same command goes on. If memory was "
        "short, fewer --workers need less."
    )
    assert death("?").startswith("A worker process died; finished")


def test_what_was_done_before_counts(tmp_path, capsys):
    run_all(place_of, [3, 4], workers=1, scheduler="processes", progress=True, cache=tmp_path, done=6)
    assert capsys.readouterr().err.startswith("training 8/8, ")


def test_an_interpreter_of_its_own_gives_the_result_the_error_or_what_it_said_last():
    job, process, threads = in_own_process(place_of, 3, {"TF_NUM_INTRAOP_THREADS": "1"})
    assert (job, threads) == (3, "1") and process != os.getpid()
    with pytest.raises(SertfError, match="not 3"):
        in_own_process(refuse, 3, {})
    with pytest.raises(RuntimeError, match="exit code 7"):
        in_own_process(end, 7, {})


@pytest.mark.parametrize(("scheduler", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_on_a_cluster_no_other_thread_draws_random_numbers_meanwhile(scheduler, package, tmp_path):
    pytest.importorskip(package)
    options = {"workers": 2, "scheduler": scheduler, "progress": False, "cache": tmp_path}
    done = run_all(draw, [3, 3, 3], **options)
    expected = random.Random(3)
    assert done == 3 * [([expected.random() for _ in range(3)], 1)]
    with pytest.raises(SertfError, match="^not 3$"):
        run_all(refuse, [3], **options)


def parent(_):
    return os.getppid()


def test_a_dask_cluster_of_one_core_does_the_job(tmp_path):
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        with dask.config.set({"scheduler-address": cluster.scheduler_address}):
            done = run_all(parent, [0, 1], workers=2, scheduler="dask", progress=False, cache=tmp_path)
    assert len(set(done)) == 1 and os.getpid() not in done


def test_a_dask_cluster_that_does_not_answer(tmp_path):
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    wrong = {"scheduler-address": "tcp://127.0.0.1:9", "distributed.comm.timeouts.connect": "1s"}
    with (
        dask.config.set(wrong),
        pytest.raises(SchedulerError, match="No dask cluster answers: DASK_SCHEDULER_AD"),
    ):
        run_all(parent, [0], workers=1, scheduler="dask", progress=False, cache=tmp_path)


def test_a_ray_cluster_that_does_not_answer(tmp_path, monkeypatch):
    def refused(**_):
        raise ConnectionError("Failed to connect")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=refused))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(SchedulerError, match="No ray cluster answers: RAY_ADDRESS names '127.0.0.1:9'; start"):
        run_all(parent, [0], workers=1, scheduler="ray", progress=False, cache=tmp_path)


def test_a_ray_that_the_caller_started_is_used_and_stays(tmp_path):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, logging_level="error", log_to_driver=False)
    try:
        assert run_all(draw, [3], workers=1, scheduler="ray", progress=False, cache=tmp_path)
        assert ray.is_initialized()
    finally:
        ray.shutdown()


@pytest.mark.parametrize(("scheduler", "module"), [("dask", "dask.distributed"), ("ray", "ray")])
def test_a_cluster_without_its_package(scheduler, module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        SchedulerError, match=rf"--scheduler {scheduler} needs the extra: pip install sertf\[{scheduler}"
    ):
        run_all(draw, [3], workers=1, scheduler=scheduler, progress=False, cache=tmp_path)


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
