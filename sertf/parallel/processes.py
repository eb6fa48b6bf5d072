"""Worker processes of this machine, or of a dask or ray cluster by its own means: nothing distributed is ours."""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sertf.parallel.clusters import on_dask, on_ray
from sertf.parallel.environment import environment, in_environment
from sertf.parallel.interpreter import end_with_parent
from sertf.parallel.progress import shown


def death(error: Exception) -> str:
    """The sentence on a worker process that died, of joblib's paragraph the exit code alone."""
    code = re.search(r"\{(.+?)\}", str(error))
    cause = f" ({code[1]})" if code else ""
    return (
        f"A worker process died{cause}. Finished runs are stored, and the same command resumes. If memory was short, use "
        "fewer --workers."
    )


def run_all(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    *,
    workers: int,
    scheduler: str,
    progress: bool,
    cache: Path | str,
    done: int = 0,
) -> list[Any]:
    """Call `function` on every job in worker processes, in any order.

    Never in this process, not even for one worker: it may have threads already, and rounds differently with them.

    Args:
        function: importable in a worker.
        jobs: picklable arguments, one a call.
        workers: processes at a time, one thread each.
        scheduler: one of `SCHEDULERS`.
        progress: show progress and the time left on standard error.
        cache: folder whose `jax` subfolder holds what JAX compiled.
        done: number of jobs finished before; the count starts there.

    Returns:
        List of the calls' results, in the order of their ends.

    Raises:
        SchedulerError: unknown scheduler, or its package is missing. Errors of a job pass through.
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


SCHEDULERS = {"processes": _in_processes, "dask": on_dask, "ray": on_ray}
"""Where jobs are done, by name."""
