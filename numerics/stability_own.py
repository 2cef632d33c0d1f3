"""Stability where every point has its own replacement and queries: O(N d) per point and query."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.exponent_gaps import (
    exponent_gap,
    nearest_point,
    plain_distances,
    plain_error,
    squared_distances,
)
from numerics.leave_one_out import leave_one_out, share
from numerics.posterior_change import Roundoff, Shares, posterior_change
from numerics.stability_problem import Problem, Scratch, scratch_for
from numerics.stability_radius import (
    BLURRED,
    FLUSHED,
    depth_error,
    exponent_error,
    gap_error,
    relative_error,
    trivial_radius,
)
from numerics.vector_exp import LARGEST_DECAY, fused

FloatArray = NDArray[np.float64]

# Plain distances serve where they move no large exponent by more than this.
_PLAIN = 2.0**-37


@njit(cache=True)
def _length(vector: FloatArray) -> float:
    """Return the Euclidean norm."""
    square = 0.0
    for k in range(vector.size):
        square = fused(vector[k], vector[k], square)
    return math.sqrt(square)


@njit(cache=True)
def _at_query(i: int, row: int, problem: Problem, scratch: Scratch) -> tuple[float, float]:
    """Return the squared change at one query when ``x_i`` is replaced, and its radius."""
    query, inverse, reach = problem.queries[i, row], problem.inverse, problem.reach
    high, low = problem.high, problem.low
    near, far = scratch.near, scratch.far
    mean, spread = scratch.mean, scratch.spread
    dimension, count = problem.points.shape
    one = slice(i, i + 1)
    squared_distances(
        query, problem.new_high[:, one], problem.new_low[:, one],
        scratch.new_near, scratch.new_far,
    )  # fmt: skip
    new_near, new_far = scratch.new_near[0], scratch.new_far[0]
    length = _length(query)
    plain_distances(query, high, near)
    far[:] = 0.0
    base = nearest_point(near, far, i)
    plain = base >= 0 and plain_error(dimension, near[base], length) * inverse < _PLAIN
    if not plain:
        squared_distances(query, high, low, near, far)
        base = nearest_point(near, far, i)
    # x_i and its replacement are compared with each other: always in double-double.
    squared_distances(query, high[:, one], low[:, one], near[one], far[one])
    centre = base if base >= 0 else i
    total, deepest = leave_one_out(
        problem.points, near, far, i, base, centre, inverse, scratch.weight, mean, spread,
        problem.want_radius,
    )  # fmt: skip
    exact = exponent_error(dimension, near[base], inverse) if base >= 0 else 0.0
    depth = deepest
    if base >= 0:
        own_gap = exponent_gap(near[i], far[i], near[base], far[base], inverse)
        new_gap = exponent_gap(new_near, new_far, near[base], far[base], inverse)
        own, own_rest = share(total, own_gap)
        new, new_rest = share(total, new_gap)
        for k in range(dimension):
            mean[k] /= total
            spread[k] /= total
        depth += min(abs(own_gap), LARGEST_DECAY) + min(abs(new_gap), LARGEST_DECAY)
    else:
        own, own_rest, new, new_rest = 1.0, 0.0, 1.0, 0.0
    if plain:
        exact += 2.0 * inverse * plain_error(dimension, near[base] + deepest / inverse, length)
    gap = exponent_gap(new_near, new_far, near[i], far[i], inverse)
    error = gap_error(gap, dimension, near[i] + new_near, inverse)
    theta = relative_error(depth_error(exact, depth), count)
    square, radius = posterior_change(
        problem.rows, i, problem.new[i], centre, mean, spread, 1.0, 0.0,
        Shares(own, own_rest, new, new_rest, gap),
        Roundoff(problem.want_radius, theta, error, FLUSHED * count * reach),
    )  # fmt: skip
    if exact > BLURRED:
        radius = trivial_radius(square, dimension, reach)
    return square, radius


@njit(cache=True)
def _at_point(i: int, problem: Problem) -> tuple[float, float]:
    """Sums over the queries of point ``i`` of its squared changes and of their radii."""
    dimension, count = problem.points.shape
    scratch = scratch_for(count, dimension)
    square_sum = 0.0
    radius_sum = 0.0
    for row in range(problem.queries.shape[1]):
        square, radius = _at_query(i, row, problem, scratch)
        square_sum += square
        radius_sum += radius
    return square_sum, radius_sum


@njit(cache=True, parallel=True)
def own_parallel(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Sums over each point's queries of the squared changes (N,) and of their radii (N,)."""
    squares = np.zeros(len(problem.rows))
    radii = np.zeros(len(problem.rows))
    for index in prange(len(problem.rows)):
        i = int(np.int64(index))  # prange counts in uint64; with int64 that would make float64
        squares[i], radii[i] = _at_point(i, problem)
    return squares, radii


@njit(cache=True)
def own_serial(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """``own_parallel`` without threads, the same bits."""
    squares = np.zeros(len(problem.rows))
    radii = np.zeros(len(problem.rows))
    for i in range(len(problem.rows)):
        squares[i], radii[i] = _at_point(i, problem)
    return squares, radii
