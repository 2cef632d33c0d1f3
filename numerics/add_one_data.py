r"""How far the empirical score of given points moves when a held-out point joins them.

With ``m`` the posterior mean of the points ``x_1..x_N`` at ``X`` and ``w`` the share of the
joining point ``r`` in the weights of all N + 1, the score moves by ``(mu / sigma^2) w (r - m)``.
Neither factor cancels: ``m`` is a sum over the N points alone, and ``w`` comes from a difference
of exponents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.exponent_gaps import (
    exponent_gap,
    nearest_point,
    plain_distances,
    plain_error,
    scaled_points,
    squared_distances,
)
from numerics.leave_one_out import leave_one_out, share
from numerics.point_arguments import checked_number, checked_points
from numerics.posterior_change import Roundoff, Shares, posterior_change
from numerics.stability_problem import scratch_for
from numerics.stability_radius import (
    BLURRED,
    FLUSHED,
    depth_error,
    exponent_error,
    mean_radius,
    relative_error,
    trivial_radius,
)
from numerics.vector_exp import LARGEST_DECAY

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Plain distances serve where they move no large exponent by more than this.
_PLAIN = 2.0**-37
# Largest coordinate in units of sigma: squares and their sums cannot overflow.
_LARGEST = 1e140
# Point-query-coordinate triples below which a job stays on one thread (some milliseconds).
_SMALL = 500_000


@dataclass(frozen=True, slots=True)
class DataChanges:
    """Mean squared changes of the score, in 1 / (units of the data)^2, and their roundoff.

    ``own`` is measured where the joining point is noised, ``other`` where a point is that was
    there before.
    """

    own: float
    other: float
    own_error: float
    other_error: float


class _Job(NamedTuple):
    """Arguments in units of sigma's power of two.

    ``rows`` (N + 1 + h, d) holds the points, one slot that is always skipped and the held-out
    points; columns and their scaled parts are the same split in two.  Query k meets the held-out
    points ``first[k]`` to ``last[k]``.
    """

    rows: FloatArray
    points: FloatArray
    high: FloatArray
    low: FloatArray
    held_high: FloatArray
    held_low: FloatArray
    queries: FloatArray
    first: IntArray
    last: IntArray
    inverse: float
    reach: float


@njit(cache=True)
def _at_query(k: int, job: _Job) -> tuple[float, float]:
    """Sum over the held-out points of one query of the squared changes, and their radii."""
    query, inverse, rows = job.queries[k], job.inverse, job.rows
    first, last = job.first[k], job.last[k]
    dimension, slots = job.points.shape
    skip = slots - 1
    scratch = scratch_for(slots, dimension)
    near, far = scratch.near, scratch.far
    mean, spread = scratch.mean, scratch.spread
    held = slice(first, last)
    held_near = np.empty(last - first)
    held_far = np.empty(last - first)
    length = math.sqrt(np.dot(query, query))
    plain_distances(query, job.high, near)
    far[:] = 0.0
    base = nearest_point(near, far, skip)
    plain = plain_error(dimension, near[base], length) * inverse < _PLAIN
    if not plain:
        squared_distances(query, job.high, job.low, near, far)
        base = nearest_point(near, far, skip)
    squared_distances(query, job.held_high[:, held], job.held_low[:, held], held_near, held_far)
    total, deepest = leave_one_out(
        job.points, near, far, skip, base, base, inverse, scratch.weight, mean, spread, True
    )
    for axis in range(dimension):
        mean[axis] /= total
        spread[axis] /= total
    exact = exponent_error(dimension, near[base], inverse)
    if plain:
        exact += 2.0 * inverse * plain_error(dimension, near[base] + deepest / inverse, length)
    square_sum = 0.0
    radius_sum = 0.0
    for i in range(last - first):
        gap = exponent_gap(held_near[i], held_far[i], near[base], far[base], inverse)
        own, rest = share(total, gap)
        depth = deepest + min(abs(gap), LARGEST_DECAY)
        theta = relative_error(depth_error(exact, depth), slots)
        # Nothing is swapped in: a replacement of weight 0, infinitely far.
        square, radius = posterior_change(
            rows, slots + first + i, rows[slots + first + i], base, mean, spread, 1.0, 0.0,
            Shares(own, rest, 0.0, 1.0, np.inf),
            Roundoff(True, theta, 0.0, FLUSHED * slots * job.reach),
        )  # fmt: skip
        if exact > BLURRED:
            radius = trivial_radius(square, dimension, job.reach)
        square_sum += square
        radius_sum += radius
    return square_sum, radius_sum


@njit(cache=True, parallel=True)
def _changes_parallel(job: _Job) -> tuple[FloatArray, FloatArray]:
    squares = np.zeros(len(job.queries))
    radii = np.zeros(len(job.queries))
    for index in prange(len(job.queries)):
        k = int(np.int64(index))  # prange counts in uint64; with int64 that would make float64
        squares[k], radii[k] = _at_query(k, job)
    return squares, radii


@njit(cache=True)
def _changes_serial(job: _Job) -> tuple[FloatArray, FloatArray]:
    squares = np.zeros(len(job.queries))
    radii = np.zeros(len(job.queries))
    for k in range(len(job.queries)):
        squares[k], radii[k] = _at_query(k, job)
    return squares, radii


def data_changes(
    data: ArrayLike,
    held: ArrayLike,
    own_queries: ArrayLike,
    other_queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
) -> DataChanges:
    r"""Mean squared change of the empirical score of ``data`` when a held-out point joins it.

    Parameters
    ----------
    data : array_like, shape (N, d)
        The points, N >= 1.
    held : array_like, shape (h, d)
        Points that join one at a time.
    own_queries : array_like, shape (h, M, d)
        Noised copies of each held-out point, where its own change is measured.
    other_queries : array_like, shape (K, d)
        Noised points of ``data``; the change at each is averaged over all held-out points.
    mu, sigma : float
        Scaling ``mu >= 0`` and noise ``sigma > 0`` of the kernel ``N(mu x, sigma^2 I)``.

    Returns
    -------
    DataChanges
        The exact real numbers for the given floats lie within the errors.

    Raises
    ------
    ValueError
        One line naming the argument: wrong shape, empty, NaN or infinite, ``sigma <= 0``,
        points beyond 1e140 sigma, or a result beyond the float64 range.

    Notes
    -----
    Cost O((hM + K) N d + K h d), memory O((N + h) d) beside the arguments. Equal bits for any
    number of threads.
    For i.i.d. points their expectations A and O bracket the score stability of farghly2026,
    arXiv 2507.03756: A + O <= eps_stab^2 <= (1 + 2 / N) A + O.

    Examples
    --------
    A point joins one other, far away for the noise: where it is noised, the mean jumps to it.

    >>> found = data_changes([[0.0]], [[9.0]], [[[9.0]]], [[0.0]], mu=1.0, sigma=1.0)
    >>> found.own, round(found.other, 12)
    (81.0, 0.0)
    """
    points = checked_points("data", data, "N")
    joining = checked_points("held", held, "h")
    shape = np.shape(own_queries)
    if len(shape) != 3 or shape[0] != len(joining) or 0 in shape:
        raise ValueError(
            f"own_queries has shape {shape}; it must be (h, M, d) with h = {len(joining)}: give "
            "each held-out point at least one query"
        )
    own = checked_points("own_queries", np.reshape(own_queries, (-1, shape[2])), "h M")
    other = checked_points("other_queries", other_queries, "K")
    for name, array in (("held", joining), ("own_queries", own), ("other_queries", other)):
        if array.shape[1] != points.shape[1]:
            raise ValueError(
                f"{name} has {array.shape[1]} coordinates and data {points.shape[1]}; they must "
                "agree: pass points of one space"
            )
    for name, array in (("data", points), ("held", joining), ("other_queries", other)):
        if len(array) == 0:
            raise ValueError(f"{name} has 0 rows; it must have at least 1: pass a point")
    scaling, noise = checked_number("mu", mu, 0.0), checked_number("sigma", sigma, 1e-70)
    squares, radii, factor = _sums(points, joining, own, other, scaling, noise)
    split, draws = len(own), shape[1]
    parts = []
    for part, number in (
        (slice(None, split), len(joining) * draws),
        (slice(split, None), len(other) * len(joining)),
    ):
        square, radius = squares[part].sum(keepdims=True), radii[part].sum(keepdims=True)
        error = factor * (factor * mean_radius(square, radius, number))
        parts.append((float((factor * (factor * (square / number)))[0]), float(error[0])))
    (own_value, own_error), (other_value, other_error) = parts
    if not (math.isfinite(own_value) and math.isfinite(other_value)):
        raise ValueError(
            f"sigma = {sigma}: the squared score exceeds the float64 range; rescale data"
        )
    return DataChanges(own_value, other_value, own_error, other_error)


def _sums(
    points: FloatArray,
    joining: FloatArray,
    own: FloatArray,
    other: FloatArray,
    mu: float,
    sigma: float,
) -> tuple[FloatArray, FloatArray, float]:
    """Return sums per query over held-out points, their radii, and the factor of the root.

    Everything is computed in units of a power of two near sigma, which is exact.
    """
    exponent = math.frexp(sigma)[1] - 1
    unit_sigma = math.ldexp(sigma, -exponent)
    rows = np.ldexp(np.concatenate([points, points[:1], joining]), -exponent)
    queries = np.ldexp(np.concatenate([own, other]), -exponent)
    reach = 2.0 * float(np.abs(rows).max())
    if not max(reach, mu * reach, float(np.abs(queries).max())) <= _LARGEST:
        raise ValueError(
            f"sigma = {sigma}: data, held, queries and mu must stay within {_LARGEST:g} sigma; "
            "rescale them or enlarge sigma"
        )
    slots, number = len(points) + 1, len(joining)
    columns = np.ascontiguousarray(rows[:slots].T)
    high, low = scaled_points(mu, columns)
    held_high, held_low = scaled_points(mu, np.ascontiguousarray(rows[slots:].T))
    first = np.concatenate(
        [np.repeat(np.arange(number), len(own) // number), np.zeros(len(other), np.int64)]
    )
    last = np.concatenate([first[: len(own)] + 1, np.full(len(other), number)])
    job = _Job(
        rows, columns, high, low, held_high, held_low, queries, first, last,
        0.5 / (unit_sigma * unit_sigma), reach,
    )  # fmt: skip
    # Waking threads costs more than a small job.
    kernel = _changes_parallel if queries.size * slots > _SMALL else _changes_serial
    squares, radii = kernel(job)
    return squares, radii, math.ldexp(mu / (unit_sigma * unit_sigma), -exponent)
