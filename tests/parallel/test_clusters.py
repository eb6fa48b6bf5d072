import importlib.util
import os
import random
import socket
import sys
import threading
import time

import pytest

from sertf.errors import SertfError
from sertf.parallel import clusters
from sertf.parallel.clusters import STARTS, SchedulerError, WorkersDied
from sertf.parallel.processes import run_all
from tests.parallel.jobs import kill_itself, kill_itself_once, kill_worker_once, refuse

both = pytest.mark.parametrize(("scheduler", "package"), [("dask", "distributed"), ("ray", "ray")])


def need(package):
    """Skip a test without a package, which is not imported: `on_ray` says first how."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")


def draw(job):
    random.seed(job)
    return [random.random() for _ in range(3)], [thread.name for thread in threading.enumerate()]


@both
def test_on_a_cluster_no_other_thread_draws_random_numbers_meanwhile(scheduler, package, tmp_path):
    need(package)
    options = {"workers": 2, "scheduler": scheduler, "progress": False, "cache": tmp_path}
    done = run_all(draw, [3, 3, 3], **options)
    expected = random.Random(3)
    assert done == 3 * [([expected.random() for _ in range(3)], ["MainThread", "end-with-parent"])]
    with pytest.raises(SertfError, match="^not 3$"):
        run_all(refuse, [3], **options)


@both
def test_a_killed_worker_costs_one_sentence(scheduler, package, tmp_path, capfd):
    need(package)
    options = {"workers": 2, "scheduler": scheduler, "progress": False, "cache": tmp_path}
    done = run_all(kill_worker_once, [(tmp_path, number) for number in range(4)], **options)
    assert sorted(done) == [0, 1, 2, 3]
    said = "A run on the cluster starts again: its worker died. Nothing else is lost.\n"
    time.sleep(1)  # what Ray itself would print comes later
    printed = capfd.readouterr()
    assert printed.err.count(said) == 1 and printed.out == ""


@both
def test_a_killed_process_starts_again_some_times(scheduler, package, tmp_path, capfd):
    need(package)
    options = {"workers": 2, "scheduler": scheduler, "progress": False, "cache": tmp_path}
    done = run_all(kill_itself_once, [(tmp_path, number) for number in range(3)], **options)
    assert sorted(done) == [0, 1, 2]
    assert capfd.readouterr().err.count("starts again: its process was killed") == 1
    with pytest.raises(WorkersDied, match=r"lost a run's workers 4 times, or is gone \(signal 9\). Finished runs are"):
        run_all(kill_itself, [0], **options)
    assert capfd.readouterr().err.count("starts again: its process was killed") == STARTS - 1


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
        pytest.raises(SchedulerError, match="No dask cluster responds: DASK_SCHEDULER_AD"),
    ):
        run_all(parent, [0], workers=1, scheduler="dask", progress=False, cache=tmp_path)


def test_a_ray_cluster_that_does_not_answer(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in (f"127.0.0.1:{nobody}", f"ray://127.0.0.1:{nobody}", f"127.0.0.1:{silent.getsockname()[1]}"):
            monkeypatch.setenv("RAY_ADDRESS", address)
            with pytest.raises(SchedulerError, match=f"No ray cluster responds: RAY_ADDRESS names '{address}'; start"):
                run_all(parent, [0], workers=1, scheduler="ray", progress=False, cache=tmp_path)
    assert time.monotonic() - started < 20


def test_a_ray_that_the_caller_started_is_used_and_stays(tmp_path):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, logging_level="error", log_to_driver=False)
    try:
        assert run_all(draw, [3], workers=1, scheduler="ray", progress=False, cache=tmp_path)
        assert ray.is_initialized()
        clusters._check_answers(ray.get_runtime_context().gcs_address)
    finally:
        ray.shutdown()


@pytest.mark.parametrize(("scheduler", "module"), [("dask", "dask.distributed"), ("ray", "ray")])
def test_a_cluster_without_its_package(scheduler, module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        SchedulerError, match=rf"--scheduler {scheduler} needs the extra: pip install sertf\[{scheduler}"
    ):
        run_all(draw, [3], workers=1, scheduler=scheduler, progress=False, cache=tmp_path)
