"""The data of the figure ``toy``: the empirical score's sampler on small laws, without sampling.

The toy experiment of farghly2026 (arXiv 2507.03756): N training points, their empirical score, the
exponential-integrator sampler with the two-phase times of Proposition 7, and the divergence from
the law to the sampler's output against the step size κ, the number of steps K and the early
stopping time ε. Given the data the output's density is transported, so that the only randomness is
that of the data sets.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.toy_curves import Sweep, verdicts_on
from proofs_check.figures.toy_points import Task, evaluate, grid_of
from proofs_check.figures.toy_record import SHOWN, Parts, Toy
from proofs_check.figures.toy_targets import LINES, PLANES


@dataclass(frozen=True, slots=True)
class Batch:
    """The same runs on ``draws`` data sets; see `toy_points.Task`."""

    target: str
    size: int
    draws: int
    paces: tuple[int, ...]
    half_decades: int


#: What an effort computes.
Plan = tuple[Batch, ...]

SIZE = 40
_LONG = (10, 9, 8, 7, 6, 5, 4)  # steps so long that they cost next to nothing
_MIDDLE = (48, 24, 16, 12, *_LONG)


def _plan(
    *,
    draws: int,
    fine: tuple[int, ...],
    coarse: tuple[int, ...],
    half_decades: int,
    sizes: tuple[int, ...],
    draws_of_sizes: int,
    planar: int,
    short: tuple[int, ...],
) -> Plan:
    """Return the batches, the longest tasks first, that workers end together."""
    return (
        *(Batch(target, SIZE, planar, short, 3) for target in PLANES),
        *(Batch(target, SIZE, planar, (24, 12), min(4, half_decades - 1)) for target in PLANES),
        *(
            Batch(target, size, draws_of_sizes, _MIDDLE, min(5, half_decades))
            for target, size in itertools.product(LINES, sizes)
        ),
        *(
            Batch(target, SIZE, draws, fine if target == "normal" else coarse, half_decades)
            for target in LINES
        ),
    )


PLANS: Mapping[str, Plan] = {
    "quick": _plan(
        draws=8,
        fine=(48, 24, 12, *_LONG),
        coarse=(48, 12, *_LONG),
        half_decades=4,
        sizes=(10, 160),
        draws_of_sizes=2,
        planar=2,
        short=(32, 16, 8),
    ),
    "standard": _plan(
        draws=100,
        fine=(96, 64, 32, *_MIDDLE),
        coarse=(32, *_MIDDLE),
        half_decades=6,
        sizes=(10, 20, 80, 160),
        draws_of_sizes=24,
        planar=20,
        short=(64, 48, 32, 16, 8),
    ),
    "deep": _plan(
        draws=400,
        fine=(240, 96, 64, 32, *_MIDDLE),
        coarse=(96, 64, 32, *_MIDDLE),
        half_decades=6,
        sizes=(10, 20, 80, 160),
        draws_of_sizes=200,
        planar=100,
        short=(96, 64, 48, 32, 16, 8),
    ),
}


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> Toy:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        Of the data sets.
    jobs
        Number of worker processes.
    advance
        Called with how much is done, of how much, and what came last.
    plan
        Instead of the effort's own.
    cache
        Where finished points are found and kept; the cache of the present code if None.

    Raises
    ------
    UsageError
        For an unknown effort, a negative seed, fewer than one job, or a cache that cannot be
        written.
    WorkerDied
        If a worker process was killed or ran out of memory.

    Examples
    --------
    >>> compute(effort="quik")
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: unknown effort 'quik': did you mean 'quick'? Known: ...
    """
    check_request(effort, seed, jobs)
    kept = open_cache("toy") if cache is None else cache
    batches = PLANS[effort] if plan is None else plan
    tasks = [task for batch in batches for task in _tasks(batch, seed)]
    parts = [*_parts_tasks(batches)]
    finish((*parts, *tasks), evaluate, kept, jobs=jobs, advance=advance)
    sweeps = tuple(sweep for batch in batches for sweep in _sweeps(batch, seed, kept.known))
    return Toy(
        sweeps,
        tuple(part for task in parts for part in _parts(task, kept.known[task.key])),
        verdicts_on(sweeps, SHOWN),
        effort,
        seed,
    )


def _tasks(batch: Batch, seed: int) -> Generator[Task]:
    for draw in range(batch.draws):
        yield Task(batch.target, batch.size, draw, batch.paces, batch.half_decades, seed)


def _parts_tasks(batches: Plan) -> Generator[Task]:
    """Yield one task for each law on the line; seeds play no part."""
    for target in LINES:
        mine = [batch for batch in batches if batch.target == target]
        if mine:
            paces = sorted({pace for batch in mine for pace in batch.paces}, reverse=True)
            yield Task(target, 0, 0, tuple(paces), max(b.half_decades for b in mine), 0)


def _sweeps(batch: Batch, seed: int, known: Mapping[str, Any]) -> Generator[Sweep]:
    found = [known[task.key] for task in _tasks(batch, seed)]
    for pace in batch.paces:
        grid = grid_of(pace, batch.half_decades)
        runs = [one[str(pace)] for one in found]
        yield Sweep(
            batch.target,
            batch.size,
            pace,
            grid.kappa,
            grid.noise_times,
            np.array(grid.kept),
            {name: np.array([run[name] for run in runs]) for name in runs[0]},
        )


def _parts(task: Task, found: Mapping[str, Any]) -> Generator[Parts]:
    for pace, one in found.items():
        kappa = grid_of(int(pace), task.half_decades).kappa
        for eps, change, prior in zip(one["eps"], one["discretisation"], one["prior"], strict=True):
            yield Parts(task.target, kappa, eps, change, prior)
