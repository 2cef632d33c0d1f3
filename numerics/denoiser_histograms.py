"""Histograms of many models' samples, as probabilities, with the mass outside beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """Fractions of each model's samples; together with ``outside`` they sum to one.

    Attributes
    ----------
    edges : tuple of ndarray
        Of each axis. A cell has its lower edge but not its upper one, the last cell has both.
    probabilities : ndarray, shape (models, K) or (models, K_x, K_y)
    outside : ndarray, shape (models,)
        The fraction in no cell.
    """

    edges: tuple[Array, ...]
    probabilities: Array
    outside: Array


def histogram_1d(samples: ArrayLike, edges: ArrayLike) -> Histograms:
    """Count samples on a line.

    Parameters
    ----------
    samples : array_like, shape (models, n) or (models, n, 1)
    edges : array_like, shape (K + 1,)
        Increasing.

    Returns
    -------
    Histograms
        ``probabilities`` is (models, K).

    Raises
    ------
    ValueError
        One line, for a wrong shape or edges that do not increase.

    Examples
    --------
    >>> found = histogram_1d([[0.1, 0.2, 0.9, 5.0]], [0.0, 0.5, 1.0])
    >>> found.probabilities.tolist(), found.outside.tolist()
    ([[0.5, 0.25]], [0.25])
    """
    values = np.ascontiguousarray(samples, dtype=np.float64)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            f"samples has shape {values.shape}: it must be (models, n) or (models, n, 1) with "
            "n >= 1; pass that"
        )
    limits = _checked_edges("edges", edges)
    counts = np.zeros((len(values), len(limits) - 1), dtype=np.int64)
    _count_line(np.ascontiguousarray(values), limits, counts)
    total = values.shape[1]
    return Histograms((limits,), counts / total, (total - counts.sum(axis=1)) / total)


def histogram_2d(samples: ArrayLike, edges_x: ArrayLike, edges_y: ArrayLike) -> Histograms:
    """Count samples in the plane.

    Parameters
    ----------
    samples : array_like, shape (models, n, 2)
    edges_x, edges_y : array_like, shape (K_x + 1,), (K_y + 1,)
        Increasing.

    Returns
    -------
    Histograms
        ``probabilities`` is (models, K_x, K_y), which sums to 1 - outside over both axes.

    Raises
    ------
    ValueError
        One line, for a wrong shape or edges that do not increase.

    Examples
    --------
    >>> histogram_2d([[[0.1, 0.7], [3.0, 0.0]]], [0, 1], [0, 0.5, 1]).probabilities.tolist()
    [[[0.0, 0.5]]]
    """
    values = np.ascontiguousarray(samples, dtype=np.float64)
    if values.ndim != 3 or values.shape[2] != 2 or values.shape[1] == 0:
        raise ValueError(
            f"samples has shape {values.shape}: it must be (models, n, 2) with n >= 1; pass that"
        )
    first, second = _checked_edges("edges_x", edges_x), _checked_edges("edges_y", edges_y)
    counts = np.zeros((len(values), len(first) - 1, len(second) - 1), dtype=np.int64)
    _count_plane(values, first, second, counts)
    total = values.shape[1]
    outside = (total - counts.sum(axis=(1, 2))) / total
    return Histograms((first, second), counts / total, outside)


def _checked_edges(name: str, edges: ArrayLike) -> Array:
    limits = np.array(edges, dtype=np.float64)
    if limits.ndim != 1 or len(limits) < 2:
        raise ValueError(f"{name} has shape {limits.shape}: at least 2 edges are needed; pass two")
    if not (np.all(np.isfinite(limits)) and np.all(np.diff(limits) > 0.0)):
        raise ValueError(f"{name}: finite, strictly increasing numbers are needed; sort them")
    return limits


@njit(cache=True)
def _cell(x: float, edges: Array, scale: float) -> int:
    """Return the cell of x, or -1: a guess as if cells were equal, then set right."""
    last = len(edges) - 1
    if not edges[0] <= x <= edges[last]:
        return -1
    cell = min(int((x - edges[0]) * scale), last - 1)
    while x < edges[cell]:
        cell -= 1
    while cell < last - 1 and x >= edges[cell + 1]:
        cell += 1
    return cell


@njit(cache=True, parallel=True)
def _count_line(values: Array, edges: Array, counts: NDArray[np.int64]) -> None:
    scale = (len(edges) - 1) / (edges[-1] - edges[0])
    for index in prange(len(values)):
        i = int(np.int64(index))  # prange counts in uint64
        for p in range(values.shape[1]):
            cell = _cell(values[i, p], edges, scale)
            if cell >= 0:
                counts[i, cell] += 1


@njit(cache=True, parallel=True)
def _count_plane(values: Array, first: Array, second: Array, counts: NDArray[np.int64]) -> None:
    across = (len(first) - 1) / (first[-1] - first[0])
    up = (len(second) - 1) / (second[-1] - second[0])
    for index in prange(len(values)):
        i = int(np.int64(index))  # prange counts in uint64
        for p in range(values.shape[1]):
            x = _cell(values[i, p, 0], first, across)
            y = _cell(values[i, p, 1], second, up)
            if x >= 0 and y >= 0:
                counts[i, x, y] += 1
