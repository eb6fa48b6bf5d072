"""Worker processes: joblib's, on this machine or on a dask or ray cluster. Nothing distributed is written here."""

import contextlib
import os
from pathlib import Path

from sertf.errors import SertfError
from sertf.quiet import standard_error_hidden

SCHEDULERS = ("processes", "dask", "ray")

# glibc hands every large array back to the system, which clears its pages anew: 40 % of a worker's time with SpeechNet.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 33), "MALLOC_ARENA_MAX": "1"}


class SchedulerError(SertfError):
    """A scheduler that is unknown or not installed."""


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


def run_all(function, jobs, *, workers, scheduler, progress, cache):
    """Call `function` on every job in worker processes, in any order, and show how many are done.

    Args:
        function: importable in a worker.
        jobs: picklable arguments, one a call.
        workers: processes at a time, one thread each.
        scheduler: one of `SCHEDULERS`.
        progress: show a bar on standard error.
        cache: folder whose `jax` subfolder holds what JAX compiled.

    Raises:
        SchedulerError: unknown scheduler, or its package is missing. What a job raises is raised here.
    """
    import joblib
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    if not jobs:
        return
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        in_environment(environment(cache)),
        _joblib_backend(scheduler),
        Progress(*columns, console=Console(stderr=True), disable=not progress) as bar,
    ):
        task = bar.add_task("training", total=len(jobs))
        results = joblib.Parallel(n_jobs=min(workers, len(jobs)), return_as="generator_unordered", batch_size=1)(
            joblib.delayed(function)(job) for job in jobs
        )
        for _ in results:
            bar.advance(task)


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


def _joblib_backend(scheduler):
    """joblib's own way to the cluster; nothing distributed is written here."""
    import joblib

    if scheduler == "processes":
        return joblib.parallel_config(backend="loky", inner_max_num_threads=1)
    if scheduler == "dask":
        try:
            from dask.distributed import Client
        except ImportError as error:
            raise SchedulerError("--scheduler dask needs the extra: pip install sertf[dask].") from error
        Client(set_as_default=True)
    else:
        try:
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise SchedulerError("--scheduler ray needs the extra: pip install sertf[ray].") from error
        register_ray()
    return joblib.parallel_config(backend=scheduler)
