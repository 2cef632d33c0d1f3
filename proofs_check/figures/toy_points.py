"""The points of the figure ``toy``: what the sampler makes of one data set, by density transport.

A *pace* s is the number of steps from noise time 1 to 1/100: the step size is κ = 100^(1/s) − 1, so
that ε = 1/100 is met exactly at every pace, ε = 1/10 and 1/1000 at every even one, and odd powers
of √10 where s is a multiple of four. T = κL + 1 with L the nearest integer to 4/κ.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.density import empirical_score_line, kl_divergence, transport_density
from numerics.density_2d import empirical_score_plane, kl_divergence_2d, transport_density_2d
from numerics.fisher_information import discretisation_error, prior_divergence
from numerics.sampler_times import SamplerTimes, two_phase_times
from numerics.streams import keyed
from proofs_check.figures.toy_targets import LINES, PLANES, Blobs, Circle, Line

Array = NDArray[np.float64]

#: Of the transported densities, relative.
LINE_ACCURACY, PLANE_ACCURACY = 1e-8, 1e-4
_SQUARE = (-6.0, 6.0)
# Of noise times below 1, about this many are kept in two decades.
_KEPT = 24
# Half decades of ε at which the bound and its parts are found: 1/10 to 1/1000.
_HALF_DECADES = range(2, 7)


@dataclass(frozen=True, slots=True)
class Task:
    """Runs on one data set, the ``draw``-th of this size, at several paces.

    They go down to ε = 10^(−half_decades/2), or to the last step above it. A task of size 0 finds
    what no data set changes: the prior divergence and the discretisation error.
    """

    target: str
    size: int
    draw: int
    paces: tuple[int, ...]
    half_decades: int
    seed: int

    @property
    def key(self) -> str:
        """Return what the cache knows the point by."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        if not self.size:
            return f"{self.target}: discretisation error"
        return f"{self.target} N={self.size}: data set {self.draw}"


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of a pace, and the steps at which results are kept, by increasing index."""

    times: SamplerTimes
    kappa: float
    uniform: int
    kept: tuple[int, ...]

    @property
    def noise_times(self) -> Array:
        """The kept noise times, decreasing from T."""
        return np.asarray(self.times.noise_times[list(self.kept)])


def grid_of(pace: int, half_decades: int) -> Grid:
    """Return the times of a pace down to ε = 10^(−half_decades/2), and which are kept.

    Examples
    --------
    >>> grid = grid_of(8, 2)
    >>> grid.kappa.__round__(4), grid.noise_times.round(3)
    (0.7783, array([4.891, 4.113, 3.335, 2.557, 1.   , 0.562, 0.316, 0.178, 0.1  ]))
    """
    kappa = math.expm1(math.log(100.0) / pace)
    uniform = max(1, round(4.0 / kappa))
    geometric = half_decades * pace // 4
    early = {uniform * quarter // 4 for quarter in range(4)}
    late = range(uniform, uniform + geometric + 1, max(1, pace // _KEPT))
    kept = tuple(sorted(early.union(late)))
    return Grid(two_phase_times(kappa, uniform, geometric), kappa, uniform, kept)


def data_set(target: str, size: int, draw: int, seed: int) -> Array:
    """Return a data set; smaller ones of the same draw are its beginnings.

    Examples
    --------
    >>> whole = data_set("pair", 4, 0, 1)
    >>> bool(np.all(data_set("pair", 2, 0, 1) == whole[:2]))
    True
    """
    law = LINES[target] if target in LINES else PLANES[target]
    return law.sample(keyed(seed, zlib.crc32(target.encode()), draw), size)


def evaluate(task: Task) -> dict[str, dict[str, list[float]]]:
    """Return by pace the quantities at the kept steps; the same task gives the same numbers."""
    if task.target in LINES and not task.size:
        return {str(pace): _parts(task, pace) for pace in task.paces}
    points = data_set(task.target, task.size, task.draw, task.seed)
    found: dict[str, Mapping[str, Array]] = {}
    for pace in task.paces:
        grid = grid_of(pace, task.half_decades)
        if task.target in LINES:
            found[str(pace)] = line_run(LINES[task.target], points, grid)
        else:
            found[str(pace)] = plane_run(PLANES[task.target], points, grid)
    return {
        pace: {name: [float(value) for value in values] for name, values in run.items()}
        for pace, run in found.items()
    }


def line_run(law: Line, points: Array, grid: Grid) -> Mapping[str, Array]:
    """Return the divergences and Σ γ E|ŝ − s|² of a run on the line, at the kept steps.

    Examples
    --------
    >>> run = line_run(LINES["normal"], data_set("normal", 40, 0, 0), grid_of(8, 4))
    >>> sorted(run)
    ['kl_noised', 'kl_target', 'score_error']
    """
    score, _ = empirical_score_line(points)
    run = transport_density(
        score,
        grid.times,
        interval=law.interval,
        accuracy=LINE_ACCURACY,
        record="all",
        estimate_error=False,
    )
    errors = [0.0]
    for k, step in enumerate(grid.times.steps):
        # The panels of a step resolve the score that the step evaluates.
        at, u = run.snapshots[k], float(grid.times.noise_times[k])
        mass = at.weights * np.exp(law.log_density(u)(at.nodes))
        errors.append(
            float(step) * float(mass @ (score(at.nodes, u) - law.score(u)(at.nodes)) ** 2)
        )
    states = [run.snapshots[k] for k in grid.kept]
    itself = law.log_density(0.0)
    return {
        "kl_target": np.array([kl_divergence(itself, at).value for at in states]),
        "kl_noised": np.array(
            [kl_divergence(law.log_density(at.noise_time), at).value for at in states]
        ),
        "score_error": np.cumsum(errors)[list(grid.kept)],
    }


def plane_run(law: Circle | Blobs, points: Array, grid: Grid) -> Mapping[str, Array]:
    """Return the divergences of a run in the plane, NaN where they are infinite or not resolved.

    Examples
    --------
    >>> run = plane_run(PLANES["circle"], data_set("circle", 10, 0, 0), grid_of(8, 1))
    >>> bool(np.isnan(run["kl_target"]).all()), bool(run["kl_noised"][-1] > 0.0)
    (True, True)
    """
    run = transport_density_2d(
        empirical_score_plane(points),
        grid.times,
        interval=_SQUARE,
        accuracy=PLANE_ACCURACY,
        record=[k for k in grid.kept if k >= grid.uniform],
        estimate_error=False,
    )
    noised, target = (np.full(len(grid.kept), math.nan) for _ in range(2))
    for i, k in enumerate(grid.kept):
        if k < grid.uniform:
            continue
        at = run.snapshots[k]
        # The trapezoid rule errs by 4 exp(−2π²) where the narrowest Gaussian is one spacing wide.
        spacing = math.sqrt(at.cell)
        if spacing < law.least_width(at.noise_time):
            noised[i] = kl_divergence_2d(law.log_density(at.noise_time), at).value
        if spacing < law.least_width(0.0):
            target[i] = kl_divergence_2d(law.log_density(0.0), at).value
    return {"kl_target": target, "kl_noised": noised}


def _parts(task: Task, pace: int) -> dict[str, list[float]]:
    """Return the noise times at which the parts are found, D_κ, and the prior divergence."""
    law, grid = LINES[task.target], grid_of(pace, task.half_decades)
    found: dict[str, list[float]] = {"eps": [], "discretisation": [], "prior": []}
    for half in _HALF_DECADES:
        if half * pace % 4 == 0 and half <= task.half_decades:
            times = two_phase_times(grid.kappa, grid.uniform, half * pace // 4)
            change = discretisation_error(law.centres, None, law.width, times)
            prior = prior_divergence(law.centres, None, law.width, times.horizon)
            found["eps"].append(times.early_stopping_time)
            found["discretisation"].append(change.value)
            found["prior"].append(prior.value)
    return found
