"""A running Dask or Ray cluster by its own means: nothing distributed is ours.

A job whose worker or node dies starts again on another. So does one whose own process is killed, as for lack of memory.
"""

import logging
import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from sertf.errors import SertfError
from sertf.parallel.interpreter import ProcessKilled, in_own_process

SECONDS_TO_CONNECT = 10
"""How long the address of a cluster may take to answer."""
# What a gRPC client says first, with empty settings (RFC 9113, 3.4). A server answers with its own settings.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4" + bytes(5)
STARTS = 4
"""How often a job starts while its workers die, as on a Dask cluster by default."""


class SchedulerError(SertfError):
    """A scheduler that is unknown, not installed, or does not respond."""


class WorkersDied(SertfError):
    """A cluster lost a job's workers again and again, or is gone itself."""

    exit_code = 1


class _Lost(Exception):
    """A job lost its worker."""


def on_dask(
    function: Callable[[Any], Any], jobs: Sequence[Any], variables: Mapping[str, str], workers: int
) -> Iterator[Any]:
    """Answers from a dask cluster, as they come; `workers` jobs at a time.

    Not by joblib, which does the jobs in this process where the cluster has a single core.
    """
    try:
        from dask import config
        from dask.distributed import Client, KilledWorker, wait
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise SchedulerError("--scheduler dask needs the extra: pip install sertf[dask].") from error
    try:
        client = Client(set_as_default=True, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise SchedulerError(
            _unreachable("dask", "DASK_SCHEDULER_ADDRESS", config.get("scheduler-address", None))
        ) from error

    def start(job):
        return client.submit(in_own_process, function, job, variables, pure=False)

    def first(running):
        return next(iter(wait(running, return_when="FIRST_COMPLETED").done))

    def answer(ended):
        return ended.result()

    def tell(event):  # Dask itself starts the jobs of a dead worker again
        _, what = event
        if what.get("action") == "remove-worker" and set(what.get("processing-tasks", ())) & set(client.futures):
            _say_again("its worker died")

    with client:
        client.subscribe_topic("all", tell)
        try:
            yield from _answers(jobs, workers, start, first, answer)
        except (KilledWorker, CancelledError, CommClosedError) as error:
            raise WorkersDied(_died(type(error).__name__)) from error


def on_ray(
    function: Callable[[Any], Any], jobs: Sequence[Any], variables: Mapping[str, str], workers: int
) -> Iterator[Any]:
    """Answers from a ray cluster, as they come; `workers` jobs at a time. joblib's way there gives all at the end."""
    # Ray reads this when it is imported. It would print paragraphs on standard output, among the results.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed|has been marked dead")
    try:
        import ray
    except ImportError as error:
        raise SchedulerError("--scheduler ray needs the extra: pip install sertf[ray].") from error
    own = not ray.is_initialized()
    if own:
        address = os.environ.get("RAY_ADDRESS")
        try:
            _check_answers(address)
            ray.init(logging_level=logging.ERROR, log_to_driver=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise SchedulerError(_unreachable("ray", "RAY_ADDRESS", address)) from error
    remote = ray.remote(num_cpus=1, max_retries=0)(in_own_process).remote

    def start(job):
        return remote(function, job, variables)

    def first(running):
        return ray.wait(running)[0][0]

    def answer(ended):
        try:
            return ray.get(ended)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise _Lost(type(error).__name__) from error

    try:
        yield from _answers(jobs, workers, start, first, answer)
    finally:
        if own:
            ray.shutdown()


def _answers(
    jobs: Sequence[Any],
    workers: int,
    start: Callable[[Any], Any],
    first: Callable[[list[Any]], Any],
    answer: Callable[[Any], Any],
) -> Iterator[Any]:
    """The answers of a cluster as they come. A job that loses its worker starts again.

    Args:
        jobs: what to do.
        workers: jobs at a time.
        start: gives a job to the cluster; its result stands for the job there.
        first: of several such results, one that has ended.
        answer: what that one returned, or raises `_Lost` or `ProcessKilled` for one that died.
    """
    waiting, running, starts = iter(range(len(jobs))), {}, Counter[int]()

    def more(numbers):
        for number in numbers:
            starts[number] += 1
            running[start(jobs[number])] = number

    more(islice(waiting, workers))
    while running:
        ended = first(list(running))
        number = running.pop(ended)
        try:
            found = answer(ended)
        except (_Lost, ProcessKilled) as error:
            if starts[number] == STARTS:
                raise WorkersDied(_died(str(error))) from error
            _say_again("its worker died" if isinstance(error, _Lost) else "its process was killed")
            more([number])
            continue
        more(islice(waiting, 1))
        yield found


def _say_again(why):
    print(f"A run on the cluster starts again: {why}. Nothing else is lost.", file=sys.stderr)


def _died(cause):
    return (
        f"The cluster lost a run's workers {STARTS} times, or is gone ({cause}). Finished runs are stored, and the same "
        "command resumes. If memory was short, use fewer --workers."
    )


def _check_answers(address: str | None) -> None:
    """Raise an OSError unless somebody answers at the address of a cluster; Ray itself would try for minutes.

    With encryption, a server closes the connection on such a greeting, which is an answer too.
    """
    place = urlsplit(address if address and "//" in address else f"//{address or ''}")
    if place.port is not None:
        with socket.create_connection((place.hostname or "", place.port), timeout=SECONDS_TO_CONNECT) as connection:
            connection.sendall(_GREETING)
            connection.recv(1)


def _unreachable(cluster, variable, address):
    named = f"{variable} names {address!r}" if address else f"{variable} is not set"
    return (
        f"No {cluster} cluster responds: {named}; start the cluster, set {variable} to its address, or leave --scheduler "
        "out to use processes of this machine."
    )
