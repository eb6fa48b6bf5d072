"""A running Dask or Ray cluster by its own means: nothing distributed is ours."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sertf.errors import SertfError
from sertf.parallel.interpreter import in_own_process


class SchedulerError(SertfError):
    """A scheduler that is unknown or not installed."""


def on_dask(
    function: Callable[[Any], Any], jobs: Sequence[Any], variables: Mapping[str, str], workers: int
) -> Iterator[Any]:
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


def on_ray(
    function: Callable[[Any], Any], jobs: Sequence[Any], variables: Mapping[str, str], workers: int
) -> Iterator[Any]:
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
        f"No {cluster} cluster responds: {named}; start the cluster, set {variable} to its address, or leave --scheduler "
        "out to use processes of this machine."
    )
