"""Posterior mean and covariance of the data point behind each query."""

from __future__ import annotations

from typing import Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.packed_points import PackedPoints, pack_points
from numerics.point_arguments import checked_problem
from numerics.streaming_sums import UNIT
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

Array = NDArray[np.float64]

# Relative error of the weights from which queries are computed again in double-double.
_MOMENT_TARGET = 4e-11


class _Moments(NamedTuple):
    """Posterior moments and error bounds; ``squares`` is (M, 1), the trace, or (M, d, d)."""

    mean: Array
    mean_error: Array
    squares: Array
    squares_error: Array


def _moments(queries: Array, packed: PackedPoints, mu: float, sigma: float, order: int) -> _Moments:
    """Return the mean and the trace (order 2) or the covariance (order 3), taken about the mean.

    The first pass finds the mean, the second sums about it, so nothing cancels.
    """
    dimension = queries.shape[1]
    first = float_pass(queries, packed, mu, sigma, 1, 1.0, np.zeros_like(queries))
    origins = first.sums / first.total[:, None]
    second = float_pass(queries, packed, mu, sigma, order, 1.0, origins)
    shift = second.sums / second.total[:, None]
    squares = second.squares / second.total[:, None]
    corner = slice(None, None, dimension + 1)
    trace = np.sum(squares[:, corner], axis=1)
    weight_error, sum_error = second.largest_error, second.sum_error
    hull = np.full_like(queries, np.inf)
    chosen = np.flatnonzero(
        (weight_error > UNDECIDED) | ((weight_error > _MOMENT_TARGET) & (trace > 0.0))
    )
    if chosen.size:
        subset, smallest = queries[chosen], second.smallest[chosen]
        nearest, points = double_nearest(subset, packed, mu, sigma, smallest)
        rough = double_pass(subset, packed, mu, sigma, smallest, nearest, points, 1)
        origins[chosen] = points + rough.sums
        fine = double_pass(subset, packed, mu, sigma, smallest, nearest, origins[chosen], order)
        shift[chosen] = fine.sums
        trace[chosen] = fine.spread**2
        squares[chosen] = fine.squares if order == 3 else trace[chosen, None]
        weight_error[chosen] = fine.error
        sum_error[chosen] = (dimension + 20) * UNIT
        hull[chosen] = fine.hull * INFLATE
    mean = origins + shift
    deviation = np.sqrt(trace) * INFLATE
    # Farthest any point, kept or skipped, can be from the mean along each axis.
    reach = np.maximum(packed.box_high.max(axis=0) - mean, mean - packed.box_low.min(axis=0))
    reach = np.abs(reach) * INFLATE
    mean_error = (
        np.minimum(times_weight_error(weight_error, deviation)[:, None], hull)
        + sum_error[:, None] * deviation[:, None]
        + 3.0 * UNIT * (np.abs(mean) + np.abs(shift))
        + 2.0 * SKIPPED_MASS * reach
        + UNDERFLOW
    )
    if order == 2:
        value = np.maximum(squares - np.sum(shift * shift, axis=1, keepdims=True), 0.0)
        size = squares
        width = np.sum(hull * hull, axis=1, keepdims=True)
        far = np.sum(reach * reach, axis=1, keepdims=True)
        roundoff = (2.0 * sum_error + 8.0 * UNIT)[:, None]
    else:
        lower = np.tril(squares.reshape(-1, dimension, dimension))
        moments = lower + np.swapaxes(np.tril(lower, -1), 1, 2)
        value = moments - shift[:, :, None] * shift[:, None, :]
        side = np.sqrt(np.diagonal(moments, axis1=1, axis2=2)) * INFLATE
        size = side[:, :, None] * side[:, None, :]
        width = 2.0 * hull[:, :, None] * hull[:, None, :]
        far = reach[:, :, None] * reach[:, None, :]
        roundoff = (2.0 * sum_error + 8.0 * UNIT)[:, None, None]
    squares_error = (
        np.minimum(2.0 * times_weight_error(weight_error, size), width)
        + roundoff * size
        + 4.0 * SKIPPED_MASS * far
        + UNDERFLOW
    )
    return _Moments(mean, mean_error * INFLATE, value, squares_error * INFLATE)


def posterior_moments(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: bool = False,
) -> tuple[Array, ...]:
    """Return the posterior mean of the data point and the trace of its covariance.

    Parameters
    ----------
    x, data, mu, sigma, weights, return_radius
        As in ``empirical_score``.

    Returns
    -------
    mean : ndarray, shape (M, d)
        ``sum_i w_i y_i``, in units of the data.
    covariance_trace : ndarray, shape (M,)
        ``sum_i w_i |y_i - mean|^2``.
    mean_radius, trace_radius : ndarray, shapes (M, d) and (M,)
        With ``return_radius``: bounds on the absolute errors.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or dtype, is not finite or lies outside its domain.

    Notes
    -----
    Error bounds: ``h s + 160 u s + 3 u |mean| + 4.6e-18 R`` for the mean and
    ``2 (h + 160 u) s^2 + 9.2e-18 R^2`` for the trace, with the posterior standard deviation ``s``
    and the largest distance ``R`` of a data point from the mean (see ``weighted_passes``).
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> mean, trace = posterior_moments([[0.0]], [[-1.0], [1.0]], mu=1.0, sigma=1.0)
    >>> mean + 0.0, trace
    (array([[0.]]), array([1.]))
    """
    queries, points, mu, sigma, checked = checked_problem(x, data, mu, sigma, weights)
    result = _moments(queries, pack_points(points, checked), mu, sigma, 2)
    if not return_radius:
        return result.mean, result.squares[:, 0]
    return (
        result.mean,
        result.squares[:, 0],
        result.mean_error,
        result.squares_error[:, 0],
    )


@overload
def posterior_covariance(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[False] = False,
) -> Array: ...


@overload
def posterior_covariance(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: Literal[True],
) -> tuple[Array, Array]: ...


def posterior_covariance(
    x: ArrayLike,
    data: ArrayLike,
    *,
    mu: float,
    sigma: float,
    weights: ArrayLike | None = None,
    return_radius: bool = False,
) -> Array | tuple[Array, Array]:
    """Return the posterior covariance of the data point given each query.

    Parameters
    ----------
    x, data, mu, sigma, weights, return_radius
        As in ``empirical_score``.

    Returns
    -------
    covariance : ndarray, shape (M, d, d)
        ``sum_i w_i (y_i - mean)(y_i - mean)^T``, exactly symmetric.
    radius : ndarray, shape (M, d, d)
        With ``return_radius``: bound on the absolute error of each entry.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or dtype, is not finite or lies outside its domain.

    Notes
    -----
    Error bound: ``2 (h + 160 u) s_j s_k + 9.2e-18 R_j R_k`` with the posterior standard deviation
    ``s_j`` and the largest distance ``R_j`` along each axis (see ``weighted_passes``).
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> posterior_covariance([[0.0]], [[-1.0], [1.0]], mu=1.0, sigma=1.0)
    array([[[1.]]])
    """
    queries, points, mu, sigma, checked = checked_problem(x, data, mu, sigma, weights)
    result = _moments(queries, pack_points(points, checked), mu, sigma, 3)
    if not return_radius:
        return result.squares
    return result.squares, result.squares_error
