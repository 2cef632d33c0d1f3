"""Squared distances from a query to every point, and exact differences of their exponents.

Double-double distances keep the digits of a weight when ``|q - mu x|^2 / sigma^2`` is huge;
plain ones are several times faster and serve where they move no large exponent.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.vector_exp import fused

FloatArray = NDArray[np.float64]

#: Half the distance from 1 to the next float64: the relative error of one rounding.
UNIT = 2.0**-53

# Points handled together, so that the running sums stay in the first-level cache.
_TILE = 512


@njit(cache=True)
def scaled_points(mu: float, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``mu * points`` as an unevaluated sum of two arrays."""
    high = np.empty_like(points)
    low = np.empty_like(points)
    for k in range(points.shape[0]):
        for j in range(points.shape[1]):
            high[k, j] = mu * points[k, j]
            low[k, j] = fused(mu, points[k, j], -high[k, j])
    return high, low


@njit(cache=True)
def squared_distances(
    query: FloatArray, high: FloatArray, low: FloatArray, near: FloatArray, far: FloatArray
) -> None:
    """Write ``|query - (high + low)[:, j]|^2`` as ``near[j] + far[j]``, relative error O(u^2).

    Shapes: query (d,), high and low (d, N), near and far (N,).  Error-free transformations
    (Dekker, Knuth); with ``d`` coordinates the relative error is at most (d^2 + 24 d + 32) u^2.
    """
    dimension, count = high.shape
    for start in range(0, count, _TILE):
        stop = min(start + _TILE, count)
        for j in range(start, stop):
            near[j] = 0.0
            far[j] = 0.0
        for k in range(dimension):
            q = query[k]
            for j in range(start, stop):
                y = high[k, j]
                total = q - y
                back = total - q
                rest = ((q - (total - back)) + (-y - back)) - low[k, j]
                lead = total + rest
                tail = rest - (lead - total)
                square = lead * lead
                error = fused(2.0 * lead, tail, fused(lead, lead, -square))
                old = near[j]
                new = old + square
                grown = new - old
                near[j] = new
                far[j] += ((old - (new - grown)) + (square - grown)) + error
        for j in range(start, stop):
            total = near[j] + far[j]
            far[j] -= total - near[j]
            near[j] = total


@njit(cache=True)
def plain_distances(query: FloatArray, high: FloatArray, near: FloatArray) -> None:
    """Write ``|query - high[:, j]|^2`` in plain float64 into ``near`` (N,)."""
    dimension, count = high.shape
    for start in range(0, count, _TILE):
        stop = min(start + _TILE, count)
        for j in range(start, stop):
            near[j] = 0.0
        # Four coordinates at a time: one load and store of the sum instead of four.
        whole = dimension - dimension % 4
        for k in range(0, whole, 4):
            q0, q1, q2, q3 = query[k], query[k + 1], query[k + 2], query[k + 3]
            for j in range(start, stop):
                s0 = q0 - high[k, j]
                s1 = q1 - high[k + 1, j]
                s2 = q2 - high[k + 2, j]
                s3 = q3 - high[k + 3, j]
                near[j] += fused(s0, s0, s1 * s1) + fused(s2, s2, s3 * s3)
        for k in range(whole, dimension):
            q = query[k]
            for j in range(start, stop):
                step = q - high[k, j]
                near[j] = fused(step, step, near[j])


@njit(cache=True)
def plain_error(dimension: int, square: float, length: float) -> float:
    """Bound the error of a plain squared distance ``square`` from a query of norm ``length``.

    Each difference is off by u of itself and u of the coordinate of ``mu x`` (whose norm is at
    most the query's plus the distance); the sum adds d u.
    """
    return 2.0 * UNIT * ((dimension + 8.0) * square + 2.0 * math.sqrt(square) * length)


@njit(cache=True)
def exponent_gap(
    near: float, far: float, base_near: float, base_far: float, inverse: float
) -> float:
    """Return ``(near + far - base_near - base_far) * inverse``, subtracting without error."""
    total = near - base_near
    back = total - near
    rest = (near - (total - back)) + (-base_near - back)
    return (total + (rest + (far - base_far))) * inverse


@njit(cache=True)
def nearest_point(near: FloatArray, far: FloatArray, skip: int) -> int:
    """Return the index of the smallest ``near + far``, leaving out ``skip`` (-1 if none)."""
    best = -1
    best_near = np.inf
    best_far = np.inf
    for j in range(near.size):
        if near[j] <= best_near and j != skip and (near[j] < best_near or far[j] < best_far):
            best = j
            best_near = near[j]
            best_far = far[j]
    return best
