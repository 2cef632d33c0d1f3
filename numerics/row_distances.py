"""Rows of data and the distances between them.

Distances come from one matrix product per chunk of the centred rows; where their last digits
matter they are computed again from differences.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from numerics.point_arguments import checked_points
from numerics.streams import Rng, keyed

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Entries of a chunk of distances: 32 MB.
_ENTRIES = 1 << 22
# Up to this many coordinates a tree finds neighbours faster than matrix products.
_TREE = 10
# Candidates beyond the wanted neighbours, in case rounding mixes up their order.
_SPARE = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of data, centred and divided by ``2**exponent``, with their squared norms."""

    points: FloatArray
    squares: FloatArray
    exponent: int

    def in_data_units(self, length: float) -> float:
        """Return a length in units of the data."""
        return math.ldexp(length, self.exponent)


def scaled_rows(data: ArrayLike) -> Rows:
    """Return the rows of data, ready for distances.

    Parameters
    ----------
    data : array_like, shape (n, d)
        At least two rows, not all equal.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        One line: another shape, entries that are no finite real numbers, one row, rows all equal.

    Examples
    --------
    >>> scaled_rows([[0.0], [4.0]]).in_data_units(1.0)
    4.0
    """
    points = checked_points("data", data, "n")
    if len(points) < 2:
        raise ValueError(
            f"data has {len(points)} row(s); distances need at least 2: give more rows"
        )
    if (points == points[0]).all():
        raise ValueError(
            f"data has {len(points)} rows, all equal; a geometry needs at least 2 different ones: "
            "give other rows"
        )
    spread = points - points[0]
    exponent = math.frexp(float(np.abs(spread).max()))[1] - 1
    centred = np.ldexp(spread - spread.mean(axis=0), -exponent)
    return Rows(centred, np.einsum("ij,ij->i", centred, centred), exponent)


def distinct_rows(data: ArrayLike) -> FloatArray:
    """Return the first of each set of equal rows, in order.

    Examples
    --------
    >>> distinct_rows([[1.0], [2.0], [1.0]]).tolist()
    [[1.0], [2.0]]
    """
    # Adding 0 makes -0 and 0 the same bytes.
    points = checked_points("data", data, "n") + 0.0
    seen: set[bytes] = set()
    first = np.zeros(len(points), dtype=bool)
    for index, row in enumerate(points):
        name = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
        first[index] = name not in seen
        seen.add(name)
    return points[first]


def chosen_rows(count: int, limit: int, rng: Rng, stream: int) -> IntArray:
    """Return all of ``range(count)``, or ``limit`` of it at random without repeats, sorted.

    Examples
    --------
    >>> chosen_rows(3, 5, 0, 0).tolist(), len(chosen_rows(9, 5, 0, 0))
    ([0, 1, 2], 5)
    """
    if count <= limit:
        return np.arange(count)
    return np.sort(keyed(rng, stream).choice(count, size=limit, replace=False))


def chunk_length(entries: int) -> int:
    """Return how many rows of so many entries each make a chunk, at least one.

    Examples
    --------
    >>> chunk_length(1 << 21), chunk_length(1 << 30)
    (2, 1)
    """
    return max(1, _ENTRIES // entries)


def squared_distances(rows: Rows, chosen: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield chunks of ``chosen`` and their squared distances to all rows, infinite to themselves.

    Relative to the squared norms of the centred rows the error is some d roundings.

    Examples
    --------
    >>> rows = scaled_rows([[0.0], [1.0]])
    >>> next(squared_distances(rows, np.array([1])))[1].tolist()
    [[1.0, inf]]
    """
    count, dimension = rows.points.shape
    step = chunk_length(max(count, 32 * dimension))
    for start in range(0, len(chosen), step):
        part = chosen[start : start + step]
        squares = rows.points[part] @ rows.points.T
        squares *= -2.0
        squares += rows.squares
        squares += rows.squares[part, None]
        np.maximum(squares, 0.0, out=squares)
        squares[np.arange(len(part)), part] = np.inf
        yield part, squares


def nearest_distances(rows: Rows, neighbours: int, chosen: IntArray) -> FloatArray:
    """Return the distances of chosen rows to their nearest other rows, in units of ``rows``.

    Parameters
    ----------
    rows : Rows
        All rows.
    neighbours : int
        How many, from 1 to n - 1.
    chosen : ndarray of int
        Rows to start from.

    Returns
    -------
    ndarray, shape (len(chosen), neighbours)
        Ascending.

    Examples
    --------
    >>> nearest_distances(scaled_rows([[0.0], [1.0], [4.0]]), 2, np.array([0])).tolist()
    [[0.25, 1.0]]
    """
    count, dimension = rows.points.shape
    if dimension <= _TREE:
        found, _ = cKDTree(rows.points).query(rows.points[chosen], k=neighbours + 1)
        distances: FloatArray = found[:, 1:]
        return distances
    kept = min(neighbours + _SPARE, count - 1)
    result = np.empty((len(chosen), neighbours))
    done = 0
    for part, squares in squared_distances(rows, chosen):
        near = np.argpartition(squares, kept - 1, axis=1)[:, :kept]
        steps = rows.points[near] - rows.points[part][:, None]
        exact = np.sort(np.sqrt(np.einsum("ijk,ijk->ij", steps, steps)), axis=1)
        result[done : done + len(part)] = exact[:, :neighbours]
        done += len(part)
    return result
