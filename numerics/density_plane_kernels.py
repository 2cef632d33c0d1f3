"""Compiled loops of the densities in the plane: scattering Gaussians, and the empirical score.

A thread owns rows of the target and visits the sources in one order, so the bits do not depend on
the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.point_arguments import checked_points, checked_weights
from numerics.vector_exp import decay

Array = NDArray[np.float64]

#: A score: places (n, 2) and a noise time to values (n, 2).
PlaneScore = Callable[[Array, float], Array]

# Rows of the target that one thread takes at a time.
_BAND = 16
# Places that are scored together, and how far below the nearest a point is left out.
_GROUP, _CUT = 16, 50.0
# Data points that are left out together.
_BLOCK = 16


@njit(cache=True, parallel=True, error_model="numpy")
def scatter(
    mass: Array, first: Array, second: Array, variance: float, reach: float, x: Array, y: Array
) -> Array:
    """Return ``sum_j mass_j N((x, y); (first_j, second_j), variance I)`` on a grid.

    Parameters
    ----------
    mass, first, second : ndarray, shape (S,)
        Masses and means, sorted by ``first``.
    variance, reach : float
        The variance in each coordinate, and how many standard deviations are kept of each
        Gaussian, in each coordinate.
    x, y : ndarray, shape (n1,) and (n2,)
        Uniformly spaced coordinates of the grid.

    Returns
    -------
    ndarray, shape (n1, n2)

    Examples
    --------
    >>> one, axis = np.ones(1), np.linspace(-9.0, 9.0, 61)
    >>> float(scatter(one, one, one, 1.0, 8.0, axis, axis).sum() * 0.09).__round__(12)
    1.0
    """
    rows, columns = len(x), len(y)
    out = np.zeros((rows, columns))
    half, length = 0.5 / variance, reach * math.sqrt(variance)
    spacing = (y[columns - 1] - y[0]) / (columns - 1)
    constant = half / math.pi
    for band in prange((rows + _BAND - 1) // _BAND):
        top = band * _BAND
        bottom = min(top + _BAND, rows)
        begin = np.searchsorted(first, x[top] - length)
        end = np.searchsorted(first, x[bottom - 1] + length)
        across = np.empty(columns)
        for j in range(begin, end):
            centre = second[j]
            left = max(0, math.ceil((centre - length - y[0]) / spacing))
            right = min(columns, math.floor((centre + length - y[0]) / spacing) + 1)
            for c in range(left, right):
                gap = y[c] - centre
                across[c] = decay(half * gap * gap)
            for r in range(top, bottom):
                gap = x[r] - first[j]
                if abs(gap) <= length:
                    share = mass[j] * constant * decay(half * gap * gap)
                    row = out[r]
                    for c in range(left, right):
                        row[c] += share * across[c]
    return out


def empirical_score_plane(data: ArrayLike, weights: ArrayLike | None = None) -> PlaneScore:
    """Return the score of the noised data in the plane as a fast callable.

    Parameters
    ----------
    data : array_like, shape (N, 2)
        Data points, N >= 1.
    weights : array_like, shape (N,), optional
        Non-negative weights, normalised to sum 1; uniform when None.

    Returns
    -------
    callable
        ``score(x, u)`` with places (n, 2) and the noise time u > 0 gives ``(mu E[y | x] - x) /
        sigma^2``, (n, 2), with ``mu = e^{-u}`` and ``sigma^2 = 1 - e^{-2u}``.

    Raises
    ------
    ValueError
        One line, for data or weights outside their domains, or a noise time that is not > 0.

    Notes
    -----
    Fastest where neighbouring rows of x are neighbouring places. For error bounds and for other
    dimensions use ``numerics.empirical_score``. Source: empirical score, farghly2026, arXiv
    2507.03756, Section 2.

    Examples
    --------
    >>> score = empirical_score_plane([[-1.0, 0.0], [1.0, 0.0]])
    >>> score(np.array([[0.0, 1.0]]), np.log(2.0)).round(6) + 0.0
    array([[ 0.      , -1.333333]])
    """
    points = checked_points("data", data, "N")
    if points.shape[1] != 2 or len(points) == 0:
        raise ValueError(
            f"data has shape {points.shape}; it must be (N, 2) with N >= 1: pass points of a plane"
        )
    shares = checked_weights(weights, len(points))
    mass = np.ones(len(points)) if shares is None else shares / shares.max()
    kept = mass > 0.0
    rank = np.flatnonzero(kept)[_in_blocks(points[kept, 0], points[kept, 1])]
    first, second = points[rank].T.copy()
    mass = mass[rank]

    def score(x: Array, u: float) -> Array:
        if not (math.isfinite(u) and u > 0.0):
            raise ValueError(f"u = {u!r}: a noise time is a finite number > 0; pass 0.1, say")
        places = np.ascontiguousarray(x, dtype=np.float64)
        return np.asarray(_scores(places, first, second, mass, math.exp(-u), -math.expm1(-2.0 * u)))

    return score


def _in_blocks(first: Array, second: Array) -> NDArray[np.intp]:
    """Return an order in which runs of ``_BLOCK`` points lie close together."""
    strips = max(1, round(math.sqrt(len(first) / _BLOCK)))
    rank = np.argsort(first, kind="stable")
    parts = (part[np.argsort(second[part], kind="stable")] for part in np.array_split(rank, strips))
    return np.concatenate(list(parts))


@njit(cache=True, error_model="numpy")
def _boxes(first: Array, second: Array) -> Array:
    """Return lowest and highest coordinates (blocks, 4) of every block of points."""
    boxes = np.empty(((len(first) + _BLOCK - 1) // _BLOCK, 4))
    for block in range(len(boxes)):
        chosen = slice(block * _BLOCK, min(block * _BLOCK + _BLOCK, len(first)))
        boxes[block, 0], boxes[block, 1] = first[chosen].min(), first[chosen].max()
        boxes[block, 2], boxes[block, 3] = second[chosen].min(), second[chosen].max()
    return boxes


@njit(cache=True, parallel=True, error_model="numpy")
def _scores(
    x: Array, first: Array, second: Array, mass: Array, mu: float, variance: float
) -> Array:
    count, number = len(x), len(mass)
    score = np.empty((count, 2))
    half = 0.5 / variance
    boxes = mu * _boxes(first, second)
    for group in prange((count + _GROUP - 1) // _GROUP):
        start = group * _GROUP
        here, there = np.empty(_GROUP), np.empty(_GROUP)
        least = np.full(_GROUP, np.inf)
        total, along, beside = np.zeros(_GROUP), np.zeros(_GROUP), np.zeros(_GROUP)
        for t in range(_GROUP):
            row = min(start + t, count - 1)
            here[t], there[t] = x[row, 0], x[row, 1]
        west, east, south, north = here.min(), here.max(), there.min(), there.max()
        away = np.empty(len(boxes))
        for block in range(len(boxes)):
            across = max(0.0, max(boxes[block, 0] - east, west - boxes[block, 1]))
            upward = max(0.0, max(boxes[block, 2] - north, south - boxes[block, 3]))
            away[block] = across * across + upward * upward
            a, b = mu * first[block * _BLOCK], mu * second[block * _BLOCK]
            for t in range(_GROUP):
                square = (a - here[t]) ** 2 + (b - there[t]) ** 2
                least[t] = square if square < least[t] else least[t]
        farthest = least.max()
        for block in range(len(boxes)):
            if away[block] <= farthest:
                for j in range(block * _BLOCK, min(block * _BLOCK + _BLOCK, number)):
                    a, b = mu * first[j], mu * second[j]
                    for t in range(_GROUP):
                        square = (a - here[t]) ** 2 + (b - there[t]) ** 2
                        least[t] = square if square < least[t] else least[t]
        farthest = least.max() + _CUT / half
        for block in range(len(boxes)):
            if away[block] <= farthest:
                for j in range(block * _BLOCK, min(block * _BLOCK + _BLOCK, number)):
                    a, b, own = mu * first[j], mu * second[j], mass[j]
                    for t in range(_GROUP):
                        left, down = a - here[t], b - there[t]
                        share = own * decay(half * (left * left + down * down - least[t]))
                        total[t] += share
                        along[t] += share * left
                        beside[t] += share * down
        for t in range(min(_GROUP, count - start)):
            score[start + t, 0] = along[t] / (total[t] * variance)
            score[start + t, 1] = beside[t] / (total[t] * variance)
    return score


@njit(cache=True, parallel=True, error_model="numpy")
def smoothed(values: Array, first: Array, second: Array) -> Array:
    """Return values (n1 + 2 c1, n2 + 2 c2) convolved with kernels (2 c + 1,) on each axis.

    Only where the kernels fit, (n1, n2); every sum runs in the order of its kernel.

    Examples
    --------
    >>> smoothed(np.ones((5, 3)), np.full(3, 2.0), np.ones(1))
    array([[6., 6., 6.],
           [6., 6., 6.],
           [6., 6., 6.]])
    """
    rows, columns = values.shape[0], values.shape[1] - len(second) + 1
    half_way = np.zeros((rows, columns))
    for r in prange(rows):
        source, target = values[r], half_way[r]
        for i in range(len(second)):
            share = second[i]
            for c in range(columns):
                target[c] += share * source[c + i]
    out = np.zeros((rows - len(first) + 1, columns))
    for r in prange(len(out)):
        target = out[r]
        for i in range(len(first)):
            share, source = first[i], half_way[r + i]
            for c in range(columns):
                target[c] += share * source[c]
    return out
