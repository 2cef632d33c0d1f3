"""Checks in worker processes, which end when their parent does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerDied(RuntimeError):
    """A worker process was killed from outside, or ran out of memory."""


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    # Ctrl-C reaches every process of the terminal, and only the parent is to answer it. Workers
    # started here inherit the block; the parent gets, afterwards, what came meanwhile.
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(threads: int) -> None:
    # Read when numba is imported, which no worker has done yet: the cores are shared out.
    os.environ.setdefault("NUMBA_NUM_THREADS", str(threads))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(parent_sentinel: int) -> None:
    # A killed parent tells its workers nothing: they would wait for tasks for ever.
    wait([parent_sentinel])
    os._exit(1)


def in_workers(
    function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int
) -> Generator[tuple[Task, Result]]:
    """Yield each task with its result, in the order in which they are finished.

    Whatever ends the iteration early, Ctrl-C included, kills the workers at once.

    Raises
    ------
    WorkerDied
        If a worker process ends before its work does.
    """
    before = set(multiprocessing.active_children())
    workers = min(jobs, len(tasks))
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(max(1, (os.cpu_count() or 1) // workers),),
    )
    finished = False
    try:
        with _interrupts_held_back():
            pending = {pool.submit(function, task): task for task in tasks}
        for future in as_completed(pending):
            yield pending[future], future.result()
        finished = True
    except BrokenProcessPool as error:
        raise WorkerDied(
            "a worker process died, perhaps for want of memory; finished verdicts are kept: "
            "try again with fewer jobs"
        ) from error
    finally:
        if not finished:
            for worker in set(multiprocessing.active_children()) - before:
                worker.kill()
        pool.shutdown(wait=True, cancel_futures=True)
