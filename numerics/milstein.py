"""Euler–Maruyama and Milstein for an SDE whose noise is diagonal.

    dX^i = b^i(X, t) dt + g^i(X^i, t) dW^i

Milstein's method adds g g' ((ΔW)² - h) / 2 with g' = dg^i/dx^i, and has strong order 1 where
Euler–Maruyama has 1/2. Where g does not depend on X, as in the reverse SDE of
``numerics.samplers``, g' = 0 and both are the same method.

Source: Milstein, "Approximate integration of stochastic differential equations", 1975.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Coefficient = Callable[[Array, float], Array]
DiagonalMethod = Literal["euler-maruyama", "milstein"]


@dataclass(frozen=True, slots=True)
class DiagonalEquation:
    """The coefficients, each mapping states (M, d) and a time to (M, d), entry by entry for g.

    ``diffusion_slope`` is dg^i/dx^i.
    """

    drift: Coefficient
    diffusion: Coefficient
    diffusion_slope: Coefficient


def geometric_brownian_motion(growth: float, volatility: float) -> DiagonalEquation:
    """Return dX = growth X dt + volatility X dW, in every coordinate.

    Examples
    --------
    >>> geometric_brownian_motion(0.5, 2.0).diffusion(np.array([[3.0]]), 0.0)
    array([[6.]])
    """
    return DiagonalEquation(
        lambda x, t: growth * x,
        lambda x, t: volatility * x,
        lambda x, t: np.full_like(x, volatility),
    )


def diagonal_step(
    equation: DiagonalEquation,
    x: Array,
    time: float,
    length: float,
    increments: Array,
    method: DiagonalMethod,
) -> Array:
    """Return the states (M, d) one step after ``time``.

    Parameters
    ----------
    equation : DiagonalEquation
    x : ndarray, shape (M, d)
        States at ``time``.
    time, length : float
        Start and length h of the step.
    increments : ndarray, shape (M, d)
        Brownian increments ΔW over the step, of variance h.
    method : str
        "euler-maruyama" or "milstein".

    Raises
    ------
    ValueError
        One line, for an unknown method or states that are no longer finite.

    Examples
    --------
    >>> motion = geometric_brownian_motion(0.0, 1.0)
    >>> x, dw = np.ones((1, 1)), np.full((1, 1), 0.5)
    >>> [diagonal_step(motion, x, 0.0, 0.125, dw, m)[0, 0] for m in ("euler-maruyama", "milstein")]
    [np.float64(1.5), np.float64(1.5625)]
    """
    if method not in get_args(DiagonalMethod):
        raise ValueError(
            f"method = {method!r}: it must be one of {', '.join(get_args(DiagonalMethod))}"
        )
    diffusion = equation.diffusion(x, time)
    with np.errstate(over="ignore", invalid="ignore"):
        new = x + length * equation.drift(x, time) + diffusion * increments
        if method == "milstein":
            slope = equation.diffusion_slope(x, time)
            new += 0.5 * diffusion * slope * (increments**2 - length)
    if not np.all(np.isfinite(new)):
        row = int(np.argmin(np.all(np.isfinite(new), axis=1)))
        raise ValueError(
            f"the state of row {row} is not finite after time {time:.6g}: coefficients must stay "
            "finite; shorten the steps there"
        )
    return np.asarray(new)
