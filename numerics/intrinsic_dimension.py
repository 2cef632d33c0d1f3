"""Intrinsic dimension of data from ratios of distances to near neighbours.

Where the law has a density on a d-dimensional set, nearly constant as far as the second neighbour,
the ratio of the distances to the second and first neighbours is a Pareto variable of exponent d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from numerics.point_arguments import checked_points
from numerics.row_distances import chosen_rows, distinct_rows, nearest_distances, scaled_rows
from numerics.streams import Rng

FloatArray = NDArray[np.float64]

# Rows whose neighbours are looked for, and the stream that chooses them.
_CENTRES, _STREAM = 2000, 0
# Mutual neighbours share a distance: in simulations the sum's variance is 1.1 to 1.7 times that
# of independent ratios, in dimensions from 1 to 20.
_DEPENDENCE = 2.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Estimates for several numbers of neighbours: their mean and range."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class IntrinsicDimension:
    """An estimate of the intrinsic dimension.

    Attributes
    ----------
    value, lower, upper, confidence
        TwoNN's estimate and its interval.
    rows, duplicates
        Rows of the data, and how many were copies of earlier ones and so left out.
    centres
        Rows whose neighbours entered.
    ties
        Centres whose two nearest neighbours are equally far; a law with a density has none, and
        each tie raises the estimate.
    levina_bickel
        Second opinion: from ``neighbours`` of them, the mean and the range.
    neighbours
        Numbers of neighbours of the second opinion.
    """

    value: float
    lower: float
    upper: float
    confidence: float
    rows: int
    duplicates: int
    centres: int
    ties: int
    levina_bickel: Spread
    neighbours: tuple[int, ...]


def intrinsic_dimension(
    data: ArrayLike,
    *,
    confidence: float = 0.99,
    neighbours: tuple[int, ...] = (5, 10, 20),
    centres: int = _CENTRES,
    rng: Rng = 0,
) -> IntrinsicDimension:
    """Estimate the intrinsic dimension of data by TwoNN, with Levina–Bickel beside it.

    Parameters
    ----------
    data : array_like, shape (n, d)
        Rows; at least three different ones.
    confidence : float
        In (0, 1), of TwoNN's interval.
    neighbours : tuple of int
        Numbers of neighbours for Levina–Bickel, each at least 3 and cut at the rows there are.
    centres : int
        Neighbours are looked for among all rows, from at most so many rows, chosen at random.
    rng : int, SeedSequence or Generator
        Seed of this choice.

    Returns
    -------
    IntrinsicDimension

    Raises
    ------
    ValueError
        One line: bad data, fewer than three different rows, two nearest neighbours equally far
        everywhere, or a number outside its domain.

    Notes
    -----
    TwoNN: Facco, d'Errico, Rodriguez and Laio 2017, Scientific Reports 7, 12140; with m ratios,
    (m - 1) / sum of their logarithms, and the interval from the sum's Gamma law. Ratios at rows
    that are neighbours of each other are dependent, so the law is taken for m / 2 of them. The
    interval sees none of the bias from edges, curvature, noise or a density that changes within
    the second neighbour's distance. Levina and Bickel 2005, with
    inverse estimates averaged over the rows (MacKay and Ghahramani). Copies of rows are left out
    first. Cost O(centres n d), or a tree up to ten coordinates.

    Examples
    --------
    >>> points = np.random.default_rng(0).standard_normal((1000, 2))
    >>> found = intrinsic_dimension(points @ np.ones((2, 30)) + np.arange(30.0))
    >>> found.lower < 1.0 < found.upper
    True
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(
            f"confidence = {confidence}; it must lie strictly between 0 and 1: pass 0.99, say"
        )
    wanted = tuple(neighbours)
    if not wanted or any(type(k) is not int or k < 3 for k in wanted):
        raise ValueError(
            f"neighbours = {neighbours!r}; they must be integers of at least 3: pass (5, 10, 20)"
        )
    if type(centres) is not int or centres < 2:
        raise ValueError(f"centres = {centres!r}; it must be an integer of at least 2: pass one")
    count = len(checked_points("data", data, "n"))
    different = distinct_rows(data)
    if len(different) < 3:
        raise ValueError(
            f"data has {count} row(s), {len(different)} of them different; two neighbours of a "
            "row need at least 3: give more rows"
        )
    rows = scaled_rows(different)
    chosen = chosen_rows(len(different), centres, rng, _STREAM)
    kept = tuple(dict.fromkeys(min(k, len(different) - 1) for k in wanted))
    distances = nearest_distances(rows, max(kept), chosen)
    # Rows whose difference is lost in rounding have no ratio.
    distances = distances[distances[:, 0] > 0.0]
    total = float(np.sum(np.log(distances[:, 1] / distances[:, 0])))
    number = len(distances)
    if number < 2 or total == 0.0:
        raise ValueError(
            f"data has {len(different)} different rows whose two nearest neighbours are equally "
            "far; the ratio of distances shows no dimension: add a little noise to a lattice"
        )
    rate = 0.5 * (1.0 - confidence)
    opinions = [_levina_bickel(distances[:, :k]) for k in kept]
    return IntrinsicDimension(
        value=(number - 1) / total,
        lower=float(stats.gamma.ppf(rate, number / _DEPENDENCE)) * _DEPENDENCE / total,
        upper=float(stats.gamma.isf(rate, number / _DEPENDENCE)) * _DEPENDENCE / total,
        confidence=confidence,
        rows=count,
        duplicates=count - len(different),
        centres=number,
        ties=int(np.count_nonzero(distances[:, 0] == distances[:, 1])),
        levina_bickel=Spread(sum(opinions) / len(opinions), min(opinions), max(opinions)),
        neighbours=kept,
    )


def _levina_bickel(distances: FloatArray) -> float:
    """Return the estimate from the distances (m, k) to the k nearest neighbours."""
    logs = np.log(distances[:, -1:] / distances[:, :-1])
    # k - 1 logarithms make k - 2 an unbiased numerator for one row; over m rows the bias is gone.
    total = float(logs.sum())
    return (logs.size - 1) / total if total > 0.0 else float("inf")
