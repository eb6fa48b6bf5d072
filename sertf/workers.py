"""Worker processes of this machine, or of a dask or ray cluster by its own means: nothing distributed is ours."""

import contextlib
import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from itertools import islice
from pathlib import Path

from sertf.errors import SertfError, unknown
from sertf.progress import shown
from sertf.quiet import standard_error_hidden

# glibc hands every large array back to the system, which clears its pages anew: 40 % of a worker's time with SpeechNet.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 33), "MALLOC_ARENA_MAX": "1"}


BACKENDS = ("tensorflow", "jax")


def check_backend():
    """Raise SertfError unless models train on the backend that Keras is going to take, and it is installed.

    Keras takes it from the variable KERAS_BACKEND, else from its keras.json, else TensorFlow.
    """
    named, place = os.environ.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not named:
        place = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        try:
            named = json.loads(place.read_text(encoding="utf-8"))["backend"]
        except (OSError, ValueError, KeyError, TypeError):
            named = BACKENDS[0]
    if named not in BACKENDS:
        raise SertfError(f"{place}: {unknown('backend', named, BACKENDS)}")
    if named != BACKENDS[0] and importlib.util.find_spec(named) is None:  # TensorFlow comes with sertf
        raise SertfError(f"{place}: the backend {named} is not installed; pip install 'sertf[{named}]'.")


class SchedulerError(SertfError):
    """A scheduler that is unknown or not installed."""


def death(error):
    """The sentence on a worker process that died, of joblib's paragraph the exit code alone."""
    code = re.search(r"\{(.+?)\}", str(error))
    cause = f" ({code[1]})" if code else ""
    return (
        f"A worker process died{cause}; finished runs are kept, the same command goes on. If memory was short, fewer "
        "--workers need less."
    )


def forget_models():
    """Drop what a worker's backend keeps of a finished model, so that its memory stays flat over many runs."""
    import keras

    keras.backend.clear_session()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()


def import_tensorflow_quietly():
    """Import TensorFlow without the lines that it writes before its log level counts, nor its hints on tracing later."""
    with standard_error_hidden():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")


def end_with_parent():
    """End this process when its parent is gone, from a thread: a killed command leaves nothing at work behind.

    Its runs would take the cores from the command that goes on with them.
    """
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_all(function, jobs, *, workers, scheduler, progress, cache, done=0):
    """Call `function` on every job in worker processes, in any order.

    Never in this process, not even for one worker: it may have threads already, and rounds differently with them.

    Args:
        function: importable in a worker.
        jobs: picklable arguments, one a call.
        workers: processes at a time, one thread each.
        scheduler: one of `SCHEDULERS`.
        progress: show on standard error how many are done and the time left.
        cache: folder whose `jax` subfolder holds what JAX compiled.
        done: jobs that were done before, which the count starts from.

    Returns:
        List of what the calls return, in the order in which they end.

    Raises:
        SchedulerError: unknown scheduler, or its package is missing. What a job raises is raised here.
    """
    if not jobs:
        return []
    variables, results = environment(cache), []
    answers = SCHEDULERS[scheduler](function, jobs, variables, min(workers, len(jobs)))
    with shown("training", done + len(jobs), done=done, show=progress) as advance:
        for answer in answers:
            results.append(answer)
            advance(1)
    return results


def in_own_process(function, job, variables):
    """Call `function` on a job in an interpreter of its own that starts under some environment variables.

    For a cluster's workers: their own threads draw from Python's random numbers while Keras takes its seeds from these,
    and they have started under the variables of another place.
    """
    with tempfile.TemporaryDirectory() as folder:
        call, answer = Path(folder) / "call", Path(folder) / "answer"
        call.write_bytes(pickle.dumps((function, job)))
        command = [sys.executable, "-c", "import sys; from sertf.workers import answer; answer(*sys.argv[1:])"]
        # Modules beside the user's script are found there as they are here.
        variables = {**variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run([*command, call, answer], env={**os.environ, **variables}, stderr=subprocess.PIPE)
        if not answer.is_file():
            trace = done.stderr.decode(errors="replace")[-4000:]
            raise RuntimeError(f"The process of a run ended without an answer (exit code {done.returncode}):\n{trace}")
        result, error = pickle.loads(answer.read_bytes())
    if error is not None:
        raise error
    return result


def answer(call, place):
    """What `in_own_process` starts: do the call that a file holds, write its result or its `SertfError` to another."""
    function, job = pickle.loads(Path(call).read_bytes())
    try:
        found = function(job), None
    except SertfError as error:
        found = None, error
    Path(place).write_bytes(pickle.dumps(found))


def _in_processes(function, jobs, variables, workers):
    """Answers from joblib's processes on this machine, as they come."""
    from joblib.externals.loky import as_completed, get_reusable_executor

    # Loky replaces a worker whose memory has grown, which costs a start and does no harm, and warns of each.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    with in_environment(variables):
        executor = get_reusable_executor(max_workers=workers, initializer=end_with_parent)
        try:
            tasks = [executor.submit(function, job) for job in jobs]
            yield from (task.result() for task in as_completed(tasks))
        except BaseException:
            # After Ctrl-C or an error; what is in work has no manifest yet and is made again.
            executor.shutdown(kill_workers=True)
            raise


def _on_dask(function, jobs, variables, workers):
    """Answers from a dask cluster, as they come; `workers` jobs at a time.

    Not by joblib, which does the jobs in this process where the cluster has a single core.
    """
    try:
        from dask import config
        from dask.distributed import Client, as_completed
    except ImportError as error:
        raise SchedulerError("--scheduler dask needs the extra: pip install sertf[dask].") from error
    try:
        client = Client(set_as_default=True)
    except (OSError, ValueError) as error:
        raise SchedulerError(
            _unreachable("dask", "DASK_SCHEDULER_ADDRESS", config.get("scheduler-address", None))
        ) from error
    with client:
        waiting = iter(jobs)

        def start(count):
            return [
                client.submit(in_own_process, function, job, variables, pure=False) for job in islice(waiting, count)
            ]

        running = as_completed(start(workers))
        for ended in running:
            found = ended.result()
            running.update(start(1))
            yield found


def _on_ray(function, jobs, variables, workers):
    """Answers from a ray cluster, as they come; `workers` jobs at a time. joblib's way there gives all at the end."""
    try:
        import ray
    except ImportError as error:
        raise SchedulerError("--scheduler ray needs the extra: pip install sertf[ray].") from error
    own = not ray.is_initialized()
    if own:
        try:
            ray.init(logging_level="error", log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SchedulerError(_unreachable("ray", "RAY_ADDRESS", os.environ.get("RAY_ADDRESS"))) from error
    try:
        start = ray.remote(num_cpus=1, max_retries=0)(in_own_process).remote
        waiting = iter(jobs)
        running = [start(function, job, variables) for job in islice(waiting, workers)]
        while running:
            (ended,), running = ray.wait(running)
            try:
                found = ray.get(ended)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            running += [start(function, job, variables) for job in islice(waiting, 1)]
            yield found
    finally:
        if own:
            ray.shutdown()


def _unreachable(cluster, variable, address):
    named = f"{variable} names {address!r}" if address else f"{variable} is not set"
    return (
        f"No {cluster} cluster answers: {named}; start the cluster, set {variable} to its address, or leave --scheduler out "
        "for processes of this machine."
    )


SCHEDULERS = {"processes": _in_processes, "dask": _on_dask, "ray": _on_ray}
"""Where jobs are done, by name."""


def environment(cache):
    """Environment variables under which worker processes start: one thread each, since the processes fill the cores."""
    import keras

    return {
        "KERAS_BACKEND": keras.backend.backend(),
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        **KEEP_MEMORY,
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false "
        "intra_op_parallelism_threads=1".strip(),
        # A recipe's repeats compile the same steps; what one worker compiled the others read.
        "JAX_COMPILATION_CACHE_DIR": str(Path(cache) / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


@contextlib.contextmanager
def in_environment(wanted):
    """Environment variables inside, those of before after it; None removes one."""
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(variables):
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
