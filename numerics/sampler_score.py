"""Scores that a sampler can use: any callable, checked at each step, or the empirical score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.point_arguments import LARGEST, checked_points, checked_weights
from numerics.sampler_kernel import EmpiricalProblem, kernel_scores

Array = NDArray[np.float64]

#: Maps points x (M, d) and a noise time u to scores (M, d).
Score = Callable[[Array, float], Array]

# Below it 1 / (1 - exp(-2u)) could overflow with squared distances.
_SMALLEST_TIME = 1e-140
# Coordinates of a point that a message shows.
_SHOWN = 4


@dataclass(frozen=True, slots=True, eq=False)
class EmpiricalScore:
    """The score of the empirical measure noised by the Ornstein–Uhlenbeck process to time u.

    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Parameters
    ----------
    data : array_like, shape (N, d)
        Data points ``y_i``; at noise time u their means are ``exp(-u) y_i``.
    weights : array_like, shape (N,), optional
        Non-negative weights, normalised to sum 1; uniform when None.

    Raises
    ------
    ValueError
        One line, for a wrong shape or dtype, or an entry outside its domain.

    Notes
    -----
    A call ``score(x, u)`` returns ``sum_i w_i (mu y_i - x) / sigma^2`` with ``mu = exp(-u)``,
    ``sigma^2 = 1 - exp(-2u)`` and the posterior weights ``w_i``, in plain float64 with residuals,
    without an M x N array. Its relative error is about the largest exponent of a point that
    matters times 1e-16; ``numerics.empirical_score`` bounds its own and skips far points.

    Examples
    --------
    >>> score = EmpiricalScore([[-1.0], [1.0]])
    >>> score([[0.0], [3.0]], 0.5).round(6) + 0.0
    array([[ 0.      ],
           [-3.792458]])
    """

    data: Array
    weights: Array | None = None

    def __init__(self, data: ArrayLike, weights: ArrayLike | None = None) -> None:
        points = checked_points("data", data, "N").copy()
        if len(points) == 0:
            raise ValueError(
                f"data has shape {points.shape}; it must be (N, d) with N >= 1: "
                "pass at least one point"
            )
        share = checked_weights(weights, len(points))
        object.__setattr__(self, "data", points)
        object.__setattr__(self, "weights", None if share is None else share.copy())

    @property
    def dimension(self) -> int:
        """The dimension d of the data."""
        return int(self.data.shape[1])

    def at_times(self, noise_times: ArrayLike) -> EmpiricalProblem:
        """Return what the compiled kernels need for these noise times."""
        times = np.asarray(noise_times, dtype=np.float64)
        if not (times.min() >= _SMALLEST_TIME and times.max() < math.inf):
            worst = float(times[~((times >= _SMALLEST_TIME) & (times < math.inf))][0])
            raise ValueError(
                f"u = {worst!r}: noise times lie in [{_SMALLEST_TIME:g}, inf); stop earlier"
            )
        mean_scale, variance = np.exp(-times), -np.expm1(-2.0 * times)
        if self.weights is None:
            return EmpiricalProblem(self.data, np.zeros(len(self.data)), mean_scale, variance)
        used = self.weights > 0.0
        share = np.log(self.weights[used])
        return EmpiricalProblem(self.data[used], share.max() - share, mean_scale, variance)

    def __call__(self, x: ArrayLike, u: float) -> Array:
        """Return the scores (M, d) at the points ``x`` (M, d) and the noise time ``u``."""
        points = checked_points("x", x, "M")
        if points.shape[1] != self.dimension:
            raise ValueError(
                f"x has shape {points.shape}; it must be (M, {self.dimension}) as data has "
                f"{self.dimension} columns: pass points of that dimension"
            )
        return kernel_scores(self.at_times([u]), points)


def checked_scores(score: Score, x: Array, u: float, step: int, first_path: int) -> Array:
    """Return ``score(x, u)`` as float64 (M, d).

    Parameters
    ----------
    score : callable
        It is given a copy of ``x``, which it may overwrite.
    x : ndarray, shape (M, d)
    u : float
        Noise time.
    step, first_path : int
        Named in messages, with the row of ``x`` that went wrong.

    Raises
    ------
    ValueError
        One line, for a wrong shape or dtype, or an entry that is not finite.

    Examples
    --------
    >>> checked_scores(lambda x, u: -x, np.ones((1, 2)), 0.5, 0, 0)
    array([[-1., -1.]])
    """
    at = f"score at step {step} (u = {u:.6g})"
    try:
        raw = np.asarray(score(x.copy(), u))
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"{at} returned a ragged array; it must be {x.shape}: return one row per point"
        ) from error
    if raw.dtype.kind != "f":
        raise ValueError(
            f"{at} returned dtype {raw.dtype}; it must be real floating point: "
            "return np.asarray(value, dtype=np.float64)"
        )
    if raw.shape != x.shape:
        raise ValueError(
            f"{at} returned shape {raw.shape}; it must be {x.shape} as x: return one row per point"
        )
    values = np.asarray(raw, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(
            f"{at} returned {float(values[row, column])!r} for path {first_path + row} at "
            f"x = {shown(x[row])}; it must be finite: mend the score there"
        )
    return values


def check_state(y: Array, x: Array, u: float, step: int, first_path: int) -> None:
    """Raise a one-line ValueError if a path has left [-1e70, 1e70] in the step from ``x``."""
    bad = ~np.all(np.abs(y) <= LARGEST, axis=1)
    if np.any(bad):
        row = int(np.argmax(bad))
        raise ValueError(left_domain(x[row], u, step, first_path + row))


def left_domain(x: Array, u: float, step: int, path: int) -> str:
    """Return the message for a path that step ``step`` took out of the domain from ``x``."""
    return (
        f"path {path} left [-{LARGEST:g}, {LARGEST:g}] in step {step} (u = {u:.6g}) from "
        f"x = {shown(x)}; it must stay inside: shorten the steps near that time"
    )


def shown(point: Array) -> str:
    """Return a point as one short line.

    Examples
    --------
    >>> shown(np.arange(6.0))
    '[0.0, 1.0, 2.0, 3.0, …] (6 coordinates)'
    """
    head = ", ".join(repr(float(value)) for value in point[:_SHOWN])
    return f"[{head}]" if len(point) <= _SHOWN else f"[{head}, …] ({len(point)} coordinates)"
