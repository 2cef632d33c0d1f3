"""Finishing what a figure is made of: what the cache holds is found, the rest computed and kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, Protocol, TypeVar

from proofs_check.errors import UsageError, one_of
from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache
from proofs_check.names import EFFORTS
from proofs_check.workers import in_workers


class Keyed(Protocol):
    """A task with a key that says everything its result depends on; its text names it."""

    @property
    def key(self) -> str:
        """The key of the cache."""


Task = TypeVar("Task", bound=Keyed)


def check_request(effort: str, seed: int, jobs: int) -> None:
    """Check what every figure is asked for.

    Raises
    ------
    UsageError
        For an unknown effort, a negative seed, or fewer than one job.

    Examples
    --------
    >>> check_request("quick", 0, 0)
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: jobs=0: the number of worker processes is an integer ≥ 1
    """
    one_of("effort", effort, EFFORTS)
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0")
    if jobs < 1:
        raise UsageError(f"jobs={jobs}: the number of worker processes is an integer ≥ 1")


def finish(
    tasks: Sequence[Task],
    evaluate: Callable[[Task], Any],
    cache: PointCache,
    *,
    jobs: int,
    advance: Advance,
) -> None:
    """Compute the tasks that the cache does not hold, and keep each as soon as it is finished.

    Raises
    ------
    UsageError
        If the cache cannot be written.
    WorkerDied
        If a worker process was killed or ran out of memory.
    """
    by_key = {task.key: task for task in tasks}
    missing = [task for key, task in by_key.items() if key not in cache.known]
    done = itertools.count(len(by_key) - len(missing) + 1)
    with closing(_evaluated(missing, evaluate, jobs)) as finished:
        for task, found in finished:
            cache.store(task.key, found)
            advance(next(done), len(by_key), str(task))


def _evaluated(
    tasks: Sequence[Task], evaluate: Callable[[Task], Any], jobs: int
) -> Generator[tuple[Task, Any]]:
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, evaluate(task)
        return
    with closing(in_workers(evaluate, tasks, jobs)) as results:
        yield from results
