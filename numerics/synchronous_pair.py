"""The worst distance of two synchronously coupled chains of clipped SGD, without sampling.

From r it goes to h(r), or with the probability that the batch holds the replaced point to
(1 - eta lambda) r + 2 eta C; the noise is the same in both chains and plays no part.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from numerics.clipped_step import ClippedStep
from numerics.law_quadrature import Estimate

Floats = NDArray[np.float64]

#: Cells of the finer of two grids.
_CELLS = 8192
#: Functions that change by less than this share in a step are at rest.
_AT_REST = 2.0**-52


def synchronous_moments(
    step: ClippedStep, probability: float, steps: int
) -> tuple[Estimate, Estimate]:
    """Return the mean distance and the mean squared distance after some steps from distance 0.

    Parameters
    ----------
    step : ClippedStep
        The step; its noise is not used.
    probability : float
        That a step's batch holds the replaced point, in [0, 1].
    steps : int
        How many, at least 0.

    Raises
    ------
    ValueError
        If an argument is outside its domain.

    Notes
    -----
    Functions of the distance are followed backwards, linear between grid points; the errors compare
    two grids.

    Examples
    --------
    >>> step = ClippedStep(0.5, 1.0, 2.0, 1.0, 1.0)
    >>> [round(moment.value, 6) for moment in synchronous_moments(step, 0.25, 1)]
    [0.25, 0.25]
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability={probability}: must be in [0, 1]; it is B/N")
    if steps < 0:
        raise ValueError(f"steps={steps}: must be an integer >= 0; take 1")
    coarse, fine = (_backwards(step, probability, steps, n) for n in (_CELLS // 2, _CELLS))
    return tuple(  # type: ignore[return-value]
        Estimate(f, 2.0 * abs(f - c) + 1e-13 * steps * f) for f, c in zip(fine, coarse, strict=True)
    )


def _backwards(
    step: ClippedStep, probability: float, steps: int, cells: int
) -> tuple[float, float]:
    diameter = 2.0 * step.ball_radius()
    kink = min(step.kink, diameter)
    inner = max(1, math.ceil(cells * kink / diameter))
    grid = np.concatenate(
        [
            np.linspace(0.0, kink, inner + 1),
            np.linspace(kink, diameter, max(2, cells - inner + 1))[1:],
        ]
    )
    kept = np.minimum(np.asarray(step.displacement(grid)), diameter)
    moved = np.minimum(step.displacement_with_replacement(grid), diameter)
    found = []
    for power in (1, 2):
        values = grid**power
        for _ in range(steps):
            before = values
            values = (1.0 - probability) * np.interp(kept, grid, values) + (
                probability * np.interp(moved, grid, values)
            )
            if np.max(np.abs(values - before)) <= _AT_REST * diameter**power:
                break
        found.append(float(values[0]))
    return found[0], found[1]
