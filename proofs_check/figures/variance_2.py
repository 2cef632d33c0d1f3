"""The data of the figure ``variance-2``: what linear denoisers put between the points {−1, 0, 1}.

Laws of the probability flow's output averaged over fits of a Gaussian-feature denoiser, for several
ε and numbers P of draws, with quartiles over fits; p_ε itself; and the law that the exact score
ends in after the same Euler steps and after ten times as many.  All flows start from the same
normal quantiles, so that the law of one fit has no sampling noise.  Source: vastola2025, Figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.variance_points import (
    CELLS,
    EXACT,
    NOISY,
    Setting,
    Task,
    evaluate,
    level,
)
from proofs_check.figures.variance_regions import REACH, true_cells, true_masses
from proofs_check.figures.variance_statistics import mean_of

Array = NDArray[np.float64]

#: Euler steps of the paper, and ten times as many.
STEPS, MORE_STEPS = 30, 300
TRUE = "true"
_QUANTITIES = ("gap", "outside")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed."""

    stops: tuple[float, ...]
    sizes: tuple[int, ...]
    fits: int
    starts: int


PLANS: Mapping[str, Plan] = {
    "quick": Plan((1e-4, 1e-3, 1e-2), (64, 256, 1024), 20, 10_000),
    "standard": Plan((1e-4, 1e-3, 1e-2), (64, 128, 256, 512, 1024), 100, 100_000),
    "deep": Plan((1e-4, 1e-3, 1e-2), (64, 128, 256, 512, 1024, 2048, 4096), 400, 100_000),
}


@dataclass(frozen=True, slots=True)
class Row:
    """The mass of a region under one law.

    ``law`` is ``true`` for p_ε (no steps), ``exact`` for the exact score, and ``data`` for fits, of
    whose masses ``value`` is the mean and ``error`` its standard error.  ``ratio`` is F/P.
    """

    law: str
    stop: float
    size: int
    ratio: float
    steps: int
    quantity: str
    value: float
    error: float
    fits: int


@dataclass(frozen=True)
class GapMass:
    """Everything that the figure shows: what the tasks found, by their keys."""

    plan: Plan
    found: Mapping[str, Any]
    effort: str
    seed: int

    def fitted(self, stop: float, size: int) -> dict[str, Any]:
        """Return masses and maps of the fits to P draws."""
        one: dict[str, Any] = self.found[fit_task(self.plan, stop, size, self.seed).key]
        return one[str(STEPS)]  # type: ignore[no-any-return]

    def exact(self, stop: float, steps: int) -> dict[str, Any]:
        """Return masses and the map of the exact score."""
        one: dict[str, Any] = self.found[exact_task(self.plan, stop, self.seed).key]
        return one[str(steps)]  # type: ignore[no-any-return]

    def true_map(self, stop: float) -> Array:
        """Return the masses of the cells under p_ε."""
        return true_cells(Setting().data, *level(stop), CELLS[1])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Return the masses, by ε: of p_ε, of the exact score, of the fits by P."""
        found = []
        for stop in self.plan.stops:
            true = true_masses(Setting().data, *level(stop))
            for name in _QUANTITIES:
                found.append(Row(TRUE, stop, 0, math.nan, 0, name, true[name], 0.0, 0))
                for steps in (STEPS, MORE_STEPS):
                    value = self.exact(stop, steps)["masses"][name][0]
                    found.append(Row(EXACT, stop, 0, math.nan, steps, name, value, 0.0, 0))
                for size in self.plan.sizes:
                    mean = mean_of(self.fitted(stop, size)["masses"][name], 0.5)
                    ratio = Setting().feature_count / size
                    entry = (NOISY, stop, size, ratio, STEPS, name, mean.value, mean.error)
                    found.append(Row(*entry, self.plan.fits))
        return tuple(found)

    def row(self, law: str, stop: float, quantity: str, *, size: int = 0, steps: int = 0) -> Row:
        """Return one row."""
        wanted = (law, stop, size, steps, quantity)
        return next(r for r in self.rows if (r.law, r.stop, r.size, r.steps, r.quantity) == wanted)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file, one mass in each."""
        return [field.name for field in fields(Row)], [list(asdict(r).values()) for r in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return maps of probabilities, and masses by fit.

        ``mean``, ``low`` and ``high`` are (ε, P, cells): a mean map sums to one with the mean of
        ``outside`` (ε, P, fits); ``gap`` is (ε, P, fits).  ``true`` and ``exact_…`` are (ε, cells).
        """
        stops, sizes = self.plan.stops, self.plan.sizes
        fitted = [[self.fitted(stop, size) for size in sizes] for stop in stops]
        maps = {
            name: np.array([[one[name] for one in row] for row in fitted])
            for name in ("mean", "low", "high")
        }
        masses = {
            name: np.array([[one["masses"][name] for one in row] for row in fitted])
            for name in _QUANTITIES
        }
        exact = {
            f"exact_{steps}": np.array([self.exact(stop, steps)["mean"] for stop in stops])
            for steps in (STEPS, MORE_STEPS)
        }
        return {
            **maps, **masses, **exact,
            "true": np.array([self.true_map(stop) for stop in stops]),
            "edges": np.linspace(-REACH, REACH, CELLS[1] + 1),
            "stops": np.array(stops), "sizes": np.array(sizes),
            "effort": np.array(self.effort), "seed": np.array(str(self.seed)),
        }  # fmt: skip

    def summary(self) -> Sequence[str]:
        """Return the masses of the gap, in lines."""
        lines = []
        for stop in self.plan.stops:
            parts = []
            for size in self.plan.sizes:
                one = self.row(NOISY, stop, "gap", size=size, steps=STEPS)
                parts.append(f"{one.value:.4f} ± {one.error:.4f} (F/P={one.ratio:.3g})")
            lines.append(f"ε={stop:g}: mass of 0.3<|x|<0.7 {', '.join(parts)}")
            exact = [self.row(EXACT, stop, "gap", steps=s).value for s in (STEPS, MORE_STEPS)]
            lines.append(
                f"ε={stop:g}: {self.row(TRUE, stop, 'gap').value:.2g} under p_ε, {exact[0]:.5f} for"
                f" the exact score after {STEPS} steps, {exact[1]:.5f} after {MORE_STEPS}"
            )
            beyond = [
                self.row(NOISY, stop, "outside", size=size, steps=STEPS).value
                for size in self.plan.sizes
            ]
            lines.append(
                f"ε={stop:g}: mass of |x|>{REACH:g} at most {max(beyond):.2g} of the fits' mean"
            )
        return lines


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> GapMass:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` (the paper's sizes) or ``deep``.
    seed
        Of what the fits learn from.
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
    >>> compute(seed=-1)
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: seed=-1: a seed is an integer ≥ 0
    """
    check_request(effort, seed, jobs)
    kept = open_cache("variance-2") if cache is None else cache
    chosen = plan or PLANS[effort]
    tasks = [fit_task(chosen, e, size, seed) for size in chosen.sizes[::-1] for e in chosen.stops]
    tasks += [exact_task(chosen, stop, seed) for stop in chosen.stops]
    finish(tasks, evaluate, kept, jobs=jobs, advance=advance)
    return GapMass(chosen, {task.key: kept.known[task.key] for task in tasks}, effort, seed)


def fit_task(plan: Plan, stop: float, size: int, seed: int) -> Task:
    """Return the task of the fits to P draws."""
    setting = Setting(stop=stop, size=size)
    return Task(setting, NOISY, (STEPS,), plan.fits, plan.starts, seed, maps=True)


def exact_task(plan: Plan, stop: float, seed: int) -> Task:
    """Return the task of the exact score."""
    setting = Setting(stop=stop, size=0)
    return Task(setting, EXACT, (STEPS, MORE_STEPS), 1, plan.starts, seed, maps=True)
