"""Quantities by sampling: replicates of the experiment, and intervals with a stated false alarm.

Where every replicate is bounded (data on a bounded support) the intervals are empirical
Bernstein bounds (Maurer and Pontil 2009, Theorem 4), valid for any sample size. Otherwise they are
Student intervals, valid as the number of replicates grows; the evidence says which.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy import stats
from sympy.codegen.rewriting import expm1_opt, optimize

from numerics.laws import Circles, Cube, Law, Mixture, Sphere
from numerics.replicates import QUANTITIES, Algorithm, evaluate_replicates
from proofs_check.point import Point
from theory.process import SCHEDULES, TimeAtoms, UniformTime

Array = NDArray[np.float64]

#: Probability that sampling error alone spoils one interval of one quantity.
FALSE_ALARM = 2e-11

#: One point may use an interval for each quantity and one for their combination, drawn twice.
INTERVALS_PER_POINT = 2 * (len(QUANTITIES) + 1) + 2

#: Replicates are drawn in batches of this size, each with a stream of its own.
_BATCH = 8192
#: Evaluations of a Gaussian kernel that one point may cost.
_BUDGET: Mapping[str, float] = {"quick": 3e7, "standard": 1.2e8, "deep": 2e9}
_MOST_BATCHES = 64

#: Uniform time is drawn once in each of so many parts of [ε, T], equal in log t.
_STRATA = 8

#: Rounding error of a mean, as a fraction of the mean absolute value of what is added up. Columns
#: that are equal but for rounding have no spread to show it.
_ROUNDING = 1e-12

_ALGORITHMS = {
    "gaussian-mean": Algorithm.GAUSSIAN_MEAN,
    "gaussian-mean-variance": Algorithm.GAUSSIAN_MEAN_VARIANCE,
    "fixed-score": Algorithm.FIXED_STANDARD,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One row per replicate, one column per quantity; ``bound`` is the largest possible entry."""

    values: Array
    bound: float | None

    def combination(self, coefficients: Mapping[str, float]) -> tuple[float, float]:
        """Return Σ coefficient · quantity and its half width at `FALSE_ALARM`.

        The columns of a replicate share their data, so a difference is known better than its terms.
        """
        columns = [QUANTITIES.index(name) for name in coefficients]
        weights = np.array(list(coefficients.values()))
        chosen = self.values[:, columns]
        span = None if self.bound is None else self.bound * float(np.abs(weights).sum())
        mean, width = mean_interval(chosen @ weights, span)
        return mean, width + _ROUNDING * float(np.mean(np.abs(chosen) @ np.abs(weights)))

    @property
    def how(self) -> str:
        """Say how many replicates there are and what the intervals rest on."""
        kind = "Student intervals (asymptotic)" if self.bound is None else "empirical Bernstein"
        return f"{len(self.values)} replicates, {kind}, false alarm {FALSE_ALARM:g} per interval"


def mean_interval(values: Array, span: float | None) -> tuple[float, float]:
    """Return the mean of independent values and the half width of its two-sided interval.

    With ``span``, the length of an interval that holds every possible value, the interval is valid
    for every sample size; without, as the sample grows.
    """
    count = len(values)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if span is None:
        quantile = float(stats.t.isf(FALSE_ALARM / 2, count - 1))
        return mean, quantile * deviation / math.sqrt(count)
    log_term = math.log(4 / FALSE_ALARM)  # Theorem 4 for each of the two sides
    width = deviation * math.sqrt(2 * log_term / count) + 7 * span * log_term / (3 * (count - 1))
    return mean, width


def law_of(point: Point) -> Law:
    """Return the law of the data at a point, for the cases that are sampled.

    Raises
    ------
    ValueError
        If the case is never sampled.
    """
    values = {name: float(value) for name, value in point.values}
    dimension = int(values.get("d", 1))
    if point.case == "one-point":
        return Mixture(np.zeros((1, dimension)), math.sqrt(values["V"] / dimension))
    if point.case in ("gaussian-mean", "gaussian-mean-variance", "gaussian-data"):
        return Mixture(np.zeros((1, dimension)), values["s"])
    if point.case == "fixed-score":
        centre = np.zeros((1, dimension))
        centre[0, 0] = values["b"]
        return Mixture(centre, values["s"])
    if point.case in ("finite-points", "gaussian-mixture"):
        centres = values["a"] * points_on_curve(int(values["K"]), dimension)
        return Mixture(centres, values.get("s", 0.0))
    if point.case in ("circle", "flat-torus"):
        return Circles(values["a"], 1 if point.case == "circle" else 2, dimension)
    if point.case == "sphere":
        return Sphere(values["a"], dimension)
    if point.case in ("segment", "cube"):
        return Cube(values["a"], 1 if point.case == "segment" else dimension, dimension)
    raise ValueError(f"case {point.case} is never sampled")


def points_on_curve(count: int, dimension: int) -> Array:
    """Return the points (cos θ, sin θ, cos 2θ, …) of the case ``finite-points``, shape (K, d)."""
    angle = 2 * np.pi * (np.arange(count) + 1 / 3) / count
    frequency = np.arange(dimension) // 2 + 1
    phase = angle[:, None] * frequency
    return np.where(np.arange(dimension) % 2 == 0, np.cos(phase), np.sin(phase))


def draw(point: Point, *, effort: str, seed: int, more: int = 1) -> Sample:
    """Draw replicates at a point; the same seed gives the same bits on any number of threads.

    ``more`` multiplies the number of replicates that the effort stands for.
    """
    law = law_of(point)
    size = int(dict(point.values).get("N", sp.S.One))
    algorithm = _ALGORITHMS.get(point.case, Algorithm.EMPIRICAL_SCORE)
    times = len(point.tau.times) if isinstance(point.tau, TimeAtoms) else _STRATA
    cost = times * (2 * size + 1) ** 2 * (4 + law.dimension) * _BATCH
    batches = more * min(_MOST_BATCHES, max(2, int(_BUDGET[effort] / cost)))
    streams = np.random.SeedSequence([seed, zlib.crc32(str(point).encode())]).spawn(batches)
    rows = [_batch(point, law, size, algorithm, np.random.default_rng(s)) for s in streams]
    return Sample(np.concatenate(rows), largest_change(point, law))


def _batch(
    point: Point, law: Law, size: int, algorithm: Algorithm, rng: np.random.Generator
) -> Array:
    mu, sigma, weights = noise_levels(point, rng)
    return evaluate_replicates(
        law,
        law.sample(rng, (_BATCH, size)),
        law.sample(rng, (_BATCH,)),
        rng.standard_normal((_BATCH, size + 1, law.dimension)),
        mu=mu,
        sigma=sigma,
        weights=weights,
        algorithm=algorithm,
    )


def noise_level(point: Point, times: Array) -> tuple[Array, Array]:
    """Return mu and sigma at the given times, by the exact schedule's own formulas."""
    evaluate = _compiled_levels(point.schedule, point.schedule_values)
    mu, sigma2 = (np.broadcast_to(level, times.shape) for level in evaluate(times))
    return np.ascontiguousarray(mu, dtype=float), np.sqrt(sigma2)


@cache
def _compiled_levels(
    schedule: str, values: tuple[tuple[str, sp.Expr], ...]
) -> Callable[[Array], list[Array]]:
    t = sp.Symbol("t", positive=True)
    exact = SCHEDULES[schedule].at(t, dict(values)).values()
    levels = [optimize(level, (expm1_opt,)) for level in exact]  # 1 - exp(-2t) loses digits at 0
    return sp.lambdify(t, levels, "numpy")  # type: ignore[no-any-return]


def noise_levels(point: Point, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    if isinstance(point.tau, TimeAtoms):
        times = np.array([float(t) for t in point.tau.times])
        mu, sigma = noise_level(point, times)
        weights = np.array([float(w) for w in point.tau.weights])
        return np.tile(mu, (_BATCH, 1)), np.tile(sigma, (_BATCH, 1)), weights
    edges = _strata(point)
    times = edges[:-1] + np.diff(edges) * rng.random((_BATCH, _STRATA))
    mu, sigma = noise_level(point, times)
    return mu, sigma, np.diff(edges) / (edges[-1] - edges[0])


def _strata(point: Point) -> Array:
    tau = point.tau
    assert isinstance(tau, UniformTime)
    return np.geomspace(float(tau.early_stopping_time), float(tau.horizon), _STRATA + 1)


def squared_diameter(point: Point, law: Law) -> float | None:
    """Return the squared diameter of the law's support; None if it is not bounded."""
    if isinstance(law, Mixture):
        if law.standard_deviation > 0:
            return None
        differences = law.centres[:, None] - law.centres[None, :]
        return float((differences**2).sum(axis=-1).max())
    geometry = point.law.geometry
    assert geometry is not None
    return float(geometry(dict(point.values)).diameter ** 2)


def largest_change(point: Point, law: Law) -> float | None:
    """Bound every column: posterior means and points lie in the hull of the law's support."""
    diameter_squared = squared_diameter(point, law)
    if diameter_squared is None:
        return None
    if isinstance(point.tau, TimeAtoms):
        times = np.array([float(t) for t in point.tau.times])
        weights = np.array([float(w) for w in point.tau.weights])
    else:  # mu falls and sigma grows with time: a stratum's factor is largest where it begins
        edges = _strata(point)
        times, weights = edges[:-1], np.diff(edges) / (edges[-1] - edges[0])
    mu, sigma = noise_level(point, times)
    return diameter_squared * float(weights @ (mu**2 / sigma**4)) * (1 + 1e-12)
