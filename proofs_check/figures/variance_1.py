"""The data of the figure ``variance-1``: where the proxy score of a few points is mostly noise.

Maps of tr C / (tr C + |s|²), C the covariance of the proxy score given x and s the score, on a
square, for four sets of six points and several times of the schedule μ² = 1 − t, σ² = t.
Closed forms only: nothing is random.  Source: vastola2025, Figure 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.proxy_score import relative_variance
from proofs_check.figures import Advance
from proofs_check.figures.finishing import check_request

Array = NDArray[np.float64]

#: The square [−REACH, REACH]².
REACH = 2.0
TIMES = (0.05, 0.1, 0.2, 0.5, 0.75)
#: Points of a side of the grid, its ends included; the paper's number but for ``deep``.
SIDES: Mapping[str, int] = {"quick": 100, "standard": 100, "deep": 1000}
SETS: Mapping[str, Sequence[tuple[float, float]]] = {
    "hexagon": [(math.cos(math.pi * k / 3), math.sin(math.pi * k / 3)) for k in range(6)],
    "line": [(-1 + 0.4 * k, -1 + 0.4 * k) for k in range(6)],
    "corner": [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0.5, -1), (1, -1)],
    "scattered": [(-1, -1), (-0.9, 1), (-0.3, 0.2), (0.1, -0.1), (0.2, -0.1), (0.9, 0.7)],
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: the mean and the maximum over the grid."""

    points: str
    time: float
    mean: float
    largest: float


@dataclass(frozen=True, slots=True, eq=False)
class ProxyVariance:
    """Everything that the figure shows: maps (sets, times, side, side), of x and then y."""

    maps: Array
    effort: str

    @property
    def line(self) -> Array:
        """Return the coordinates of the grid along a side."""
        return np.linspace(-REACH, REACH, self.maps.shape[-1])

    def panels(self) -> tuple[Panel, ...]:
        """Return the panels, by set and then time."""
        return tuple(
            Panel(name, time, float(one.mean()), float(one.max()))
            for name, row in zip(SETS, self.maps, strict=True)
            for time, one in zip(TIMES, row, strict=True)
        )

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file."""
        rows = [(one.points, one.time, one.mean, one.largest) for one in self.panels()]
        return ["points", "t", "mean", "largest"], rows

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the maps with their grid, times, and points."""
        return {
            "relative_variance": self.maps,
            "grid": self.line,
            "times": np.array(TIMES),
            "sets": np.array(list(SETS)),
            "points": np.array(list(SETS.values())),
            "effort": np.array(self.effort),
        }

    def summary(self) -> Sequence[str]:
        """Return what the figure shows, in lines."""
        lines = []
        panels = self.panels()
        for name in SETS:
            own = [one for one in panels if one.points == name]
            most = max(own, key=lambda one: one.mean)
            told = ", ".join(f"{one.mean:.5f} (t={one.time:g})" for one in own)
            lines.append(f"{name}: mean share of noise {told}; most at t={most.time:g}")
        return lines


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
) -> ProxyVariance:
    """Compute the maps; nothing is random, and one process does it.

    Raises
    ------
    UsageError
        For an unknown effort, a negative seed, or fewer than one job.

    Examples
    --------
    >>> round(compute(effort="quick").panels()[2].mean, 5)
    0.32578
    """
    check_request(effort, seed, jobs)
    side = SIDES[effort]
    line = np.linspace(-REACH, REACH, side)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    maps = np.empty((len(SETS), len(TIMES), side, side))
    for i, (name, points) in enumerate(SETS.items()):
        for j, time in enumerate(TIMES):
            found = relative_variance(grid, points, mu=math.sqrt(1 - time), sigma=math.sqrt(time))
            maps[i, j] = found.reshape(side, side)
            advance(i * len(TIMES) + j + 1, len(SETS) * len(TIMES), f"{name} t={time:g}")
    return ProxyVariance(maps, effort)
