"""Logarithm of a sum of many Gaussians of one variance, at many points of the line.

Each sum is scaled by its own largest term, so a density of ``exp(-1500)`` is as accurate as one
of order one. Sources come in blocks of ``BLOCK``; a block whose largest possible term is below
``exp(-CUT)`` of the largest term of every point of a block of targets is skipped. The loops run
across the targets of a block, so there is no reduction to reorder, and every target is summed in
the order of the sources: the bits do not depend on the number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.vector_exp import decay

Array = NDArray[np.float64]

#: Sources and targets per block.
BLOCK = 16
#: A skipped source adds less than exp(-CUT) of the largest term.
CUT = 45.0
# Starting threads, on a busy machine, takes longer than so few pairs, most of them skipped.
_FEW = 100_000_000


@njit(cache=True, error_model="numpy")
def _blocks(logarithm: Array, mean: Array) -> tuple[Array, Array, Array, Array]:
    """Return largest logarithm, the mean where it is taken, lowest and highest mean by block."""
    count = (len(mean) + BLOCK - 1) // BLOCK
    top, at = np.empty(count), np.empty(count)
    low, high = np.empty(count), np.empty(count)
    for block in range(count):
        first = block * BLOCK
        last = min(first + BLOCK, len(mean))
        best = first
        low[block] = high[block] = mean[first]
        for j in range(first + 1, last):
            if logarithm[j] > logarithm[best]:
                best = j
            low[block] = min(low[block], mean[j])
            high[block] = max(high[block], mean[j])
        top[block], at[block] = logarithm[best], mean[best]
    return top, at, low, high


@njit(cache=True, error_model="numpy")
def _reaches(
    y: Array, floor: Array, slack: float, top: float, low: float, high: float, half: float
) -> bool:
    """Whether some target of the block can see a term above its floor less the slack."""
    seen = 0
    for t in range(BLOCK):
        distance = max(0.0, max(low - y[t], y[t] - high))
        seen += top - half * distance * distance >= floor[t] - slack
    return seen > 0


def log_sum_of_normals(
    targets: Array, logarithm: Array, mean: Array, variance: float, error: Array
) -> tuple[Array, Array, Array]:
    """Return ``log sum_j exp(logarithm_j) N(y; mean_j, variance)`` and two diagnostics.

    Parameters
    ----------
    targets : ndarray, shape (T,)
        Points y.
    logarithm, mean : ndarray, shape (S,)
        Logarithms of the masses, finite, and means of the Gaussians.
    variance : float
        Their common variance, > 0.
    error : ndarray, shape (S,)
        Relative errors of the masses.

    Returns
    -------
    value : ndarray, shape (T,)
        The logarithms.
    alternating : ndarray, shape (T,)
        The sum with signs (-1)^j over the plain sum.
    carried : ndarray, shape (T,)
        The mean of ``error`` under the terms of the sum.

    Examples
    --------
    >>> one = np.zeros(1)
    >>> log_sum_of_normals(np.array([60.0]), one, one, 1.0, one)[0].round(4)
    array([-1800.9189])
    """
    kernel = _serial if len(targets) * len(mean) < _FEW else _parallel
    value, alternating, carried = kernel(targets, logarithm, mean, variance, error)
    return value, alternating, carried


@njit(cache=True, error_model="numpy")
def _sum_group(
    group: int,
    targets: Array,
    logarithm: Array,
    mean: Array,
    variance: float,
    error: Array,
    boxes: tuple[Array, Array, Array, Array],
    value: Array,
    alternating: Array,
    carried: Array,
) -> None:
    """Write the three results of one block of targets."""
    top, at, low, high = boxes
    half = 0.5 / variance
    sources, blocks = len(mean), len(top)
    start = group * BLOCK
    y, peak = np.empty(BLOCK), np.full(BLOCK, -np.inf)
    plain, signed, weighted = np.zeros(BLOCK), np.zeros(BLOCK), np.zeros(BLOCK)
    for t in range(BLOCK):
        y[t] = targets[min(start + t, len(targets) - 1)]
    # One source of each block bounds every largest term from below.
    for block in range(blocks):
        for t in range(BLOCK):
            gap = y[t] - at[block]
            term = top[block] - half * gap * gap
            peak[t] = term if term > peak[t] else peak[t]
    for block in range(blocks):
        if _reaches(y, peak, 0.0, top[block], low[block], high[block], half):
            for j in range(block * BLOCK, min(block * BLOCK + BLOCK, sources)):
                own, centre = logarithm[j], mean[j]
                for t in range(BLOCK):
                    gap = y[t] - centre
                    term = own - half * gap * gap
                    peak[t] = term if term > peak[t] else peak[t]
    for block in range(blocks):
        if _reaches(y, peak, CUT, top[block], low[block], high[block], half):
            for j in range(block * BLOCK, min(block * BLOCK + BLOCK, sources)):
                own, centre, wrong = logarithm[j], mean[j], error[j]
                sign = 1.0 - 2.0 * (j & 1)
                for t in range(BLOCK):
                    gap = y[t] - centre
                    share = decay(peak[t] - (own - half * gap * gap))
                    plain[t] += share
                    signed[t] += sign * share
                    weighted[t] += wrong * share
    constant = 0.5 * math.log(2.0 * math.pi * variance)
    for t in range(min(BLOCK, len(targets) - start)):
        value[start + t] = peak[t] + math.log(plain[t]) - constant
        alternating[start + t] = signed[t] / plain[t]
        carried[start + t] = weighted[t] / plain[t]


# Two loops and not one compiled twice: the compiled code is cached by the function's name.
@njit(cache=True, error_model="numpy")
def _serial(
    targets: Array, logarithm: Array, mean: Array, variance: float, error: Array
) -> tuple[Array, Array, Array]:
    boxes, count = _blocks(logarithm, mean), len(targets)
    value, alternating, carried = np.empty(count), np.empty(count), np.empty(count)
    for group in range((count + BLOCK - 1) // BLOCK):
        _sum_group(
            group, targets, logarithm, mean, variance, error, boxes, value, alternating, carried
        )
    return value, alternating, carried


@njit(cache=True, parallel=True, error_model="numpy")
def _parallel(
    targets: Array, logarithm: Array, mean: Array, variance: float, error: Array
) -> tuple[Array, Array, Array]:
    boxes, count = _blocks(logarithm, mean), len(targets)
    value, alternating, carried = np.empty(count), np.empty(count), np.empty(count)
    for group in prange((count + BLOCK - 1) // BLOCK):
        _sum_group(
            group, targets, logarithm, mean, variance, error, boxes, value, alternating, carried
        )
    return value, alternating, carried
