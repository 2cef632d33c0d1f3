"""The data of the figure ``variance-3``: shapes between four points, and the axes of the features.

Maps of the probability flow's output, averaged over fits of Gaussian and of Fourier features, for
four points of the unit circle turned by several angles while the features' axes stay.  A square has
its mass between neighbouring points, a cross between the points and the centre: masses of discs of
`variance_regions` tell them apart.  Each fit has random starts of its own, so that standard errors
over fits have the sampling noise in them.  Source: vastola2025, Figure 3.
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
from proofs_check.figures.variance_regions import REACH, areas, true_cells, true_masses
from proofs_check.figures.variance_statistics import mean_of, ratio_of

Array = NDArray[np.float64]

TURNS = (0.0, 0.125, 0.25)
FEATURES = ("gaussian", "fourier")
STEPS = 30
STOP, SIZE = 1e-2, 500
COUNTS = (10, 10, 10)
TRUE = "true"
#: Ratios of densities: the first has the paper's places, the second equal distance from the data.
RATIOS: Mapping[str, tuple[str, str]] = {
    "mid-edge / mid-diagonal": ("mid-edge", "mid-diagonal"),
    "edge / mid-diagonal": ("edge", "mid-diagonal"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed."""

    fits: int
    starts: int


PLANS: Mapping[str, Plan] = {
    "quick": Plan(12, 5_000),
    "standard": Plan(100, 20_000),
    "deep": Plan(400, 50_000),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A mass, a density or a ratio of densities under one law.

    ``features`` are those of the fits, or ``exact`` for the exact score, or ``true`` for p_ε.
    ``turn`` is the angle of the first point in units of π.  Densities are per unit of area, in the
    mean over the discs of a region; ``error`` is a standard error over fits, for ratios that of the
    jackknife.
    """

    features: str
    turn: float
    quantity: str
    value: float
    error: float


@dataclass(frozen=True)
class Shapes:
    """Everything that the figure shows: what the tasks found, by their keys."""

    plan: Plan
    found: Mapping[str, Any]
    effort: str
    seed: int

    def result(self, features: str, turn: float) -> dict[str, Any]:
        """Return masses and the map of fits, or of the exact score."""
        one: dict[str, Any] = self.found[task_of(self.plan, features, turn, self.seed).key]
        return one[str(STEPS)]  # type: ignore[no-any-return]

    def true_map(self, turn: float) -> Array:
        """Return the masses of the cells under p_ε."""
        return true_cells(setting_of(turn).data, *level(STOP), CELLS[2])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Return the numbers of every law and turn."""
        found = []
        for turn in TURNS:
            data = setting_of(turn).data
            sizes = areas(data)
            true = {n: np.array([v]) for n, v in true_masses(data, *level(STOP)).items()}
            laws = {TRUE: true}
            for name in (EXACT, *FEATURES):
                masses = self.result(name, turn)["masses"]
                laws[name] = {region: np.array(values) for region, values in masses.items()}
            for law, masses in laws.items():
                for region, values in masses.items():
                    dense = region in sizes and region != "near"
                    mean = mean_of(values / sizes[region] if dense else values, 0.5)
                    quantity = f"{region} {'density' if dense else 'mass'}"
                    found.append(Row(law, turn, quantity, mean.value, mean.error))
                if law == TRUE:  # next to nothing over next to nothing
                    continue
                for name, (up, down) in RATIOS.items():
                    ratio = ratio_of(masses[up] / sizes[up], masses[down] / sizes[down])
                    found.append(Row(law, turn, name, *ratio))
        return tuple(found)

    def row(self, features: str, turn: float, quantity: str) -> Row:
        """Return one row."""
        wanted = (features, turn, quantity)
        return next(r for r in self.rows if (r.features, r.turn, r.quantity) == wanted)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file, one number in each."""
        return [field.name for field in fields(Row)], [list(asdict(r).values()) for r in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return maps of probabilities, and masses by fit.

        ``maps`` is (turns, features, cells, cells), of x and then y: a map sums to one with the
        mean of ``mass_outside`` (turns, features, fits).  ``exact`` and ``true`` are (turns, cells,
        cells).
        """
        results = [[self.result(name, turn) for name in FEATURES] for turn in TURNS]
        masses = {
            f"mass_{name}": np.array([[one["masses"][name] for one in row] for row in results])
            for name in results[0][0]["masses"]
        }
        return {
            **masses,
            "maps": np.array([[one["mean"] for one in row] for row in results]),
            "exact": np.array([self.result(EXACT, turn)["mean"] for turn in TURNS]),
            "true": np.array([self.true_map(turn) for turn in TURNS]),
            "edges": np.linspace(-REACH, REACH, CELLS[2] + 1),
            "turns": np.array(TURNS) * math.pi, "features": np.array(FEATURES),
            "effort": np.array(self.effort), "seed": np.array(str(self.seed)),
        }  # fmt: skip

    def summary(self) -> Sequence[str]:
        """Return the numbers of the fits, in lines."""
        lines = []
        for name in FEATURES:
            for turn in TURNS:

                def told(quantity: str, name: str = name, turn: float = turn) -> str:
                    one = self.row(name, turn, quantity)
                    return f"{one.value:.4f} ± {one.error:.4f}"

                ratios = ", ".join(f"{ratio} {told(ratio)}" for ratio in RATIOS)
                lines.append(
                    f"{name}, turned {turn:g}π: within 0.2 of a point {told('near mass')}; density"
                    f" mid-edge {told('mid-edge density')}, mid-diagonal"
                    f" {told('mid-diagonal density')}; {ratios}; outside {told('outside mass')}"
                )
        exact = self.row(EXACT, 0.0, "near mass")
        lines.append(
            f"exact score, {STEPS} steps: within 0.2 of a point {exact.value:.4f}; p_ε:"
            f" {self.row(TRUE, 0.0, 'near mass').value:.4f}"
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
) -> Shapes:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` (the paper's number of fits) or ``deep``.
    seed
        Of what the fits learn from, and of the starts.
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
    >>> compute(jobs=0)
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: jobs=0: the number of worker processes is an integer ≥ 1
    """
    check_request(effort, seed, jobs)
    kept = open_cache("variance-3") if cache is None else cache
    chosen = plan or PLANS[effort]
    tasks = [task_of(chosen, n, turn, seed) for n in (*FEATURES, EXACT) for turn in TURNS]
    finish(tasks, evaluate, kept, jobs=jobs, advance=advance)
    return Shapes(chosen, {task.key: kept.known[task.key] for task in tasks}, effort, seed)


def setting_of(turn: float, features: str = "gaussian") -> Setting:
    """Return what is learnt from."""
    return Setting("circle", turn, features, COUNTS, STOP, SIZE)


def task_of(plan: Plan, features: str, turn: float, seed: int) -> Task:
    """Return the task of fits of some features, or of the exact score."""
    exact = features == EXACT
    setting = setting_of(turn) if exact else setting_of(turn, features)
    denoiser = EXACT if exact else NOISY
    return Task(setting, denoiser, (STEPS,), plan.fits, plan.starts, seed, maps=True)
