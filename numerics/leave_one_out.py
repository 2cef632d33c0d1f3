"""Softmax sums over every point but one, and the share of one point in the total weight.

The sums are built without the point that is left out, scaled by their own largest weight: no
dominating weight is ever subtracted.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.exponent_gaps import exponent_gap
from numerics.vector_exp import LARGEST_DECAY, decay

FloatArray = NDArray[np.float64]


@njit(cache=True)
def leave_one_out(
    points: FloatArray,
    near: FloatArray,
    far: FloatArray,
    skip: int,
    base: int,
    centre: int,
    inverse: float,
    weight: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
    want_radius: bool,
) -> tuple[float, float]:
    """Softmax sums over every point but ``skip``, scaled by the weight of point ``base``.

    Writes the weights (0 at ``skip``), the sums ``sum_j w_j (x_j - x_centre)`` into ``mean``
    and of absolute values into ``spread``; returns the total weight and the largest exponent
    kept.  With no other point the total is 0.
    """
    dimension, count = points.shape
    deepest = 0.0
    if base < 0:
        weight[:] = 0.0
        mean[:] = 0.0
        spread[:] = 0.0
        return 0.0, deepest
    base_near = near[base]
    base_far = far[base]
    for j in range(count):
        weight[j] = decay(exponent_gap(near[j], far[j], base_near, base_far, inverse))
    weight[skip] = 0.0
    total = _lane_sum(weight)
    for k in range(dimension):
        mean[k] = _lane_moment(weight, points[k], points[k, centre])
    if want_radius:
        for j in range(count):
            depth = exponent_gap(near[j], far[j], base_near, base_far, inverse)
            if j != skip and depth <= LARGEST_DECAY:
                deepest = max(deepest, depth)
        for k in range(dimension):
            middle = points[k, centre]
            size = 0.0
            for j in range(count):
                size += weight[j] * abs(points[k, j] - middle)
            spread[k] = size
    return total, deepest


@njit(cache=True)
def _lane_sum(values: FloatArray) -> float:
    """Sum in eight interleaved lanes: a fixed order that still keeps the pipeline full."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = values.size - values.size % 8
    for j in range(0, whole, 8):
        a0 += values[j]
        a1 += values[j + 1]
        a2 += values[j + 2]
        a3 += values[j + 3]
        a4 += values[j + 4]
        a5 += values[j + 5]
        a6 += values[j + 6]
        a7 += values[j + 7]
    for j in range(whole, values.size):
        a0 += values[j]
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@njit(cache=True)
def _lane_moment(weight: FloatArray, values: FloatArray, middle: float) -> float:
    """Return ``sum_j weight_j (values_j - middle)`` in eight interleaved lanes."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = values.size - values.size % 8
    for j in range(0, whole, 8):
        a0 += weight[j] * (values[j] - middle)
        a1 += weight[j + 1] * (values[j + 1] - middle)
        a2 += weight[j + 2] * (values[j + 2] - middle)
        a3 += weight[j + 3] * (values[j + 3] - middle)
        a4 += weight[j + 4] * (values[j + 4] - middle)
        a5 += weight[j + 5] * (values[j + 5] - middle)
        a6 += weight[j + 6] * (values[j + 6] - middle)
        a7 += weight[j + 7] * (values[j + 7] - middle)
    for j in range(whole, values.size):
        a0 += weight[j] * (values[j] - middle)
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@njit(cache=True)
def share(total: float, gap: float) -> tuple[float, float]:
    """Return ``w / (total + w)`` and ``total / (total + w)`` for ``w = exp(-gap)``, any sign."""
    if gap >= 0.0:
        own = decay(gap)
        return own / (total + own), total / (total + own)
    rest = total * decay(-gap)
    return 1.0 / (1.0 + rest), rest / (1.0 + rest)
