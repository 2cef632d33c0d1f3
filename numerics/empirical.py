"""Score, log density and posterior moments of the Gaussian-noised empirical measure.

The noised measure has the density ``p(x) = sum_i a_i N(x; mu y_i, sigma^2 I)`` with the data
``y_i`` and normalised weights ``a_i``.  Its posterior weights at ``x`` are
``w_i = softmax_i(log a_i - |x - mu y_i|^2 / (2 sigma^2))``.

Every function first runs in float64 and bounds its own error.  Queries whose bound misses the
target are computed again with double-double exponents.  ``numerics.weighted_passes`` derives the
bounds.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.double_double import residuals
from numerics.moments_of_posterior import posterior_covariance, posterior_moments
from numerics.packed_points import PackedPoints, pack_points
from numerics.point_arguments import checked_problem
from numerics.streaming_sums import UNIT, exponent_cut, exponent_error
from numerics.weighted_passes import (
    INFLATE,
    SKIPPED_MASS,
    UNDECIDED,
    UNDERFLOW,
    double_nearest,
    double_pass,
    float_pass,
    times_weight_error,
)

__all__ = ["empirical_score", "log_density", "posterior_covariance", "posterior_moments"]

Array = NDArray[np.float64]

# Relative errors that a float64 result must meet, else it is computed again.
_SCORE_TARGET = 8e-12
_LOG_TARGET = 5e-13

_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def _log_normaliser(dimension: int, sigma: float, weight_sum: float) -> tuple[float, float]:
    """Return ``log(weight_sum) + d/2 log(2 pi sigma^2)`` as a double-double."""
    with localcontext() as context:
        context.prec = 60
        exact = (2 * _PI * Decimal(sigma) ** 2).ln() * dimension / 2 + Decimal(weight_sum).ln()
        high = float(exact)
        return high, float(exact - Decimal(high))


def _norm(rows: Array) -> Array:
    """Return Euclidean norms (M,) of the rows, safe from underflow of the squares."""
    largest = np.max(np.abs(rows), axis=1, initial=1e-300)
    return np.asarray(largest * np.sqrt(np.sum((rows / largest[:, None]) ** 2, axis=1)))


def _reach(centre: Array, smallest: Array, packed: PackedPoints, mu: float, sigma: float) -> Array:
    """Bound |mu y - x - centre| (M, d) of a skipped point, averaged with its unit of mass.

    ``exp(-z) sqrt(2 (smallest + z))`` decreases for z >= 1, so the worst point lies at the cut;
    nor can it be farther away than the data extend.
    """
    cut = exponent_cut(packed.number)
    extent = mu * (packed.box_high.max(axis=0) - packed.box_low.min(axis=0))
    distance = sigma * np.sqrt(2.0 * (smallest + cut))
    return np.asarray(np.minimum(distance[:, None] + np.abs(centre), extent) * INFLATE)


@overload
def empirical_score(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[False] = False,
) -> Array: ...


@overload
def empirical_score(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[True],
) -> tuple[Array, Array]: ...


def empirical_score(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: bool = False,
) -> Array | tuple[Array, Array]:
    """Return the score of the noised empirical measure, ``(mu sum_i w_i y_i - x) / sigma^2``.

    Parameters
    ----------
    x : array_like, shape (M, d)
        Queries, in units of the noised variable.
    data : array_like, shape (N, d)
        Data points ``y_i``; their means are ``mu * data``.
    mu : float
        Scale of the data in the noised variable, in [0, 1e70].
    sigma : float
        Noise standard deviation, in [1e-70, 1e70].
    weights : array_like, shape (N,), optional
        Non-negative weights, normalised to sum 1; uniform when None.
    return_radius : bool
        Also return the error bound.

    Returns
    -------
    score : ndarray, shape (M, d)
    radius : ndarray, shape (M, d)
        With ``return_radius``: bound on ``|score - exact score|`` of the float64 inputs.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or dtype, is not finite or lies outside its domain.

    Notes
    -----
    Error bound: ``(h s + 160 u (|c| + s) + 2.3e-18 R) / sigma^2`` with the
    residual mean ``c = sigma^2 score``, the posterior standard deviation ``s`` of ``mu y``, the
    relative weight error ``h`` and the reach ``R`` of skipped points (see ``weighted_passes``).
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> empirical_score([[0.0], [3.0]], [[-1.0], [1.0]], mu=1.0, sigma=1.0).round(6) + 0.0
    array([[ 0.      ],
           [-2.004945]])
    """
    queries, points, mu, sigma, checked = checked_problem(x, data, mu, sigma, weights)
    packed = pack_points(points, checked)
    first = float_pass(queries, packed, mu, sigma, 1, mu)
    centre = first.sums / first.total[:, None]
    # Total variance of mu y over sigma^2, from the mean exponent; cancellation is covered by the
    # last term, which bounds the roundoff of the two subtracted numbers.
    mean_exponent = first.smallest + first.excess
    slack = 4.0 * exponent_error(queries.shape[1]) + (5000.0 + 4.0 * len(packed.blocks)) * UNIT
    variance = 2.0 * (mean_exponent - first.shift) - _norm(centre / sigma) ** 2
    spread = sigma * np.sqrt(np.maximum(variance, 0.0) + slack * mean_exponent) * INFLATE
    size = _norm(centre)
    weight_part = np.minimum(first.mean_error, 1.0) * spread
    reach = _reach(centre, first.smallest, packed, mu, sigma)
    error = (
        times_weight_error(first.mean_error, spread)[:, None]
        + first.sum_error[:, None] * (np.abs(centre) + spread[:, None])
        + SKIPPED_MASS * reach
        + UNDERFLOW
    )
    again = (first.largest_error > UNDECIDED) | (
        (weight_part > _SCORE_TARGET * size) & (first.mean_error > _SCORE_TARGET)
    )
    chosen = np.flatnonzero(again)
    if chosen.size:
        centre[chosen], error[chosen] = _double_centre(
            queries[chosen], packed, mu, sigma, first.smallest[chosen]
        )
    score = centre / (sigma * sigma)
    if not return_radius:
        return score
    radius = (error / (sigma * sigma) + 3.0 * UNIT * np.abs(score)) * INFLATE
    return score, radius


def _double_centre(
    queries: Array, packed: PackedPoints, mu: float, sigma: float, smallest: Array
) -> tuple[Array, Array]:
    """Return the residual means (M, d) and their error bounds with double-double exponents."""
    nearest, points = double_nearest(queries, packed, mu, sigma, smallest)
    again = double_pass(queries, packed, mu, sigma, smallest, nearest, points, 1)
    closest = residuals(points, queries, mu)
    centre = closest + mu * again.sums
    spread = mu * again.spread * INFLATE
    weight_part = np.minimum(
        times_weight_error(again.error, spread)[:, None], mu * again.hull * INFLATE
    )
    reach = _reach(centre, smallest, packed, mu, sigma)
    error = (
        weight_part
        + 4.0 * UNIT * (np.abs(closest) + np.abs(centre))
        + 16.0 * UNIT * spread[:, None]
        + SKIPPED_MASS * reach
        + UNDERFLOW
    )
    return centre, error


@overload
def log_density(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[False] = False,
) -> Array: ...


@overload
def log_density(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[True],
) -> tuple[Array, Array]: ...


def log_density(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: bool = False,
) -> Array | tuple[Array, Array]:
    """Return the log density of the noised empirical measure.

    Parameters
    ----------
    x, data, mu, sigma, weights, return_radius
        As in ``empirical_score``.

    Returns
    -------
    value : ndarray, shape (M,)
        ``log sum_i a_i N(x; mu y_i, sigma^2 I)`` in nats.
    radius : ndarray, shape (M,)
        With ``return_radius``: bound on ``|value - exact value|``.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or dtype, is not finite or lies outside its domain.

    Notes
    -----
    Error bound: ``g (E + mean excess) + (80 + 5 rescalings) u + 2.3e-18`` plus three roundings of
    the result, with the names of ``weighted_passes``.
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> log_density([[0.0]], [[-1.0], [1.0]], mu=1.0, sigma=1.0).round(6)
    array([-1.418939])
    """
    queries, points, mu, sigma, checked = checked_problem(x, data, mu, sigma, weights)
    packed = pack_points(points, checked)
    dimension = queries.shape[1]
    first = float_pass(queries, packed, mu, sigma, 0)
    high = first.smallest.copy()
    low = np.zeros_like(high)
    total = first.total.copy()
    error = (
        first.fixed_error
        + (exponent_error(dimension) + 2.0 * UNIT) * first.excess
        + first.sum_error / 2.0
        + SKIPPED_MASS
    )
    normaliser = _log_normaliser(dimension, sigma, packed.weight_sum)
    value, rounding = _join_log(high, low, total, normaliser)
    again = (first.largest_error > UNDECIDED) | (
        (error + rounding > _LOG_TARGET * np.abs(value)) & (first.fixed_error > 100.0 * UNIT)
    )
    chosen = np.flatnonzero(again)
    if chosen.size:
        subset = queries[chosen]
        smallest = first.smallest[chosen]
        nearest, origins = double_nearest(subset, packed, mu, sigma, smallest)
        second = double_pass(subset, packed, mu, sigma, smallest, nearest, origins, 1)
        high[chosen] = nearest[:, 0]
        low[chosen] = nearest[:, 1]
        total[chosen] = second.total
        error[chosen] = second.error + 8.0 * UNIT + SKIPPED_MASS
        value, rounding = _join_log(high, low, total, normaliser)
    if not return_radius:
        return value
    return value, (error + rounding) * INFLATE


def _join_log(
    high: Array, low: Array, total: Array, normaliser: tuple[float, float]
) -> tuple[Array, Array]:
    """Return ``log(total) - (high + low) - normaliser`` and a bound on the roundoff of joining."""
    logarithm = np.log(total)
    joined = -high - normaliser[0]
    back = joined + high
    rest = (-high - (joined - back)) + (-normaliser[0] - back)
    small = (rest - low - normaliser[1]) + logarithm
    value = joined + small
    # numpy's log errs by less than one unit in the last place, the weight sum by u.
    rounding = UNIT * (np.abs(value) + 4.0 * np.abs(small) + 4.0 * np.abs(logarithm) + 2.0)
    return value, rounding + 4.0 * UNIT * (np.abs(rest) + np.abs(low))
