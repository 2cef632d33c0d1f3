"""Distances between the rows of data: diameter, masses of balls, reach.

The law is known through its rows alone, so that all but the diameter of the rows are estimates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from numerics.row_distances import Rows, chosen_rows, chunk_length, scaled_rows, squared_distances
from numerics.streams import Rng

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Subsamples: centres of balls, rows for the reach. Streams that choose them.
_CENTRES, _REACH_ROWS = 2000, 3000
_CENTRE_STREAM, _REACH_STREAM = 0, 1
_RADII = 64
# Pairs for the reach are farther apart than so many times the rows that span a tangent space:
# their estimated tangent tilts by up to half their width, as a fraction 1 / _FAR of the bend.
_FAR = 4.0


@dataclass(frozen=True, slots=True)
class BallMasses:
    """Fractions of the other rows within each radius of a row.

    ``smallest`` and ``low`` (a quantile) are over the rows that served as centres; ``lower`` is a
    simultaneous lower confidence bound of the law's mass of every such ball.
    """

    radii: tuple[float, ...]
    smallest: tuple[float, ...]
    low: tuple[float, ...]
    lower: tuple[float, ...]
    quantile: float
    confidence: float
    centres: int


@dataclass(frozen=True, slots=True)
class LowerMass:
    """Estimated constant c of ``mass of ball(x, r) >= c r^dimension``, rows as centres.

    Attributes
    ----------
    log_value, log_lower
        Logarithms of c, from the observed masses and from their lower confidence bounds.
    dimension
        The exponent that c belongs to.
    smallest_radius, radius_limit
        Radii that were looked at: below the first the bound is an extrapolation.
    confidence, centres
        Of ``log_lower``, simultaneous over all radii and centres; how many rows were centres.
    """

    log_value: float
    log_lower: float
    dimension: float
    smallest_radius: float
    radius_limit: float
    confidence: float
    centres: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Estimated reach of the support, infinite where no pair of rows shows curvature."""

    value: float
    rows: int
    neighbours: int
    tangent_dimension: int


def diameter(data: ArrayLike) -> float:
    """Return the largest distance between two rows, up to rounding.

    Parameters
    ----------
    data : array_like, shape (n, d)
        At least two rows, not all equal.

    Returns
    -------
    float
        In units of the data; at most the diameter of the law's support.

    Raises
    ------
    ValueError
        As `scaled_rows`.

    Notes
    -----
    At most O(n^2 d): rows are taken by falling distance to the mean, and pairs whose distances to
    it add up to less than the largest found so far are skipped. Memory O(n d) and one chunk.

    Examples
    --------
    >>> diameter([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
    5.0
    """
    rows = scaled_rows(data)
    order = np.argsort(-rows.squares, kind="stable")
    points, squares = rows.points[order], rows.squares[order]
    norms = np.sqrt(squares)
    step = chunk_length(len(points))
    best = 0.0
    for start in range(0, len(points), step):
        if 2.0 * norms[start] <= best:
            break
        # Falling norms: the rows that may be far enough come first.
        stop = int(np.searchsorted(-norms, norms[start] - best, side="right"))
        part = slice(start, min(start + step, len(points)))
        found = squares[part, None] + squares[None, start:stop]
        found -= 2.0 * (points[part] @ points[start:stop].T)
        if found.size == 0:
            continue
        one, other = np.unravel_index(int(np.argmax(found)), found.shape)
        distance = float(np.linalg.norm(points[start + one] - points[start + other]))
        best = max(best, distance)
    return rows.in_data_units(best)


def ball_masses(
    data: ArrayLike,
    radii: ArrayLike,
    *,
    quantile: float = 0.05,
    confidence: float = 0.99,
    centres: int = _CENTRES,
    rng: Rng = 0,
) -> BallMasses:
    """Return how much of the data lies in balls about its rows, the row itself left out.

    Parameters
    ----------
    data : array_like, shape (n, d)
        Independent rows of one law, at least two and not all equal.
    radii : array_like, shape (k,)
        Radii of the balls, positive.
    quantile : float
        In (0, 1): which low quantile over the centres to report besides the smallest.
    confidence : float
        In (0, 1), of ``lower``.
    centres : int
        At most so many rows serve as centres, chosen at random; masses are over all rows.
    rng : int, SeedSequence or Generator
        Seed of this choice.

    Returns
    -------
    BallMasses

    Raises
    ------
    ValueError
        One line: bad data, or a number outside its domain.

    Notes
    -----
    Given the centre the count is binomial: Clopper–Pearson bounds, Bonferroni over centres and
    radii. Cost O(centres n d).

    Examples
    --------
    >>> ball_masses([[0.0], [1.0], [3.0]], [1.5, 4.0]).smallest
    (0.0, 1.0)
    """
    rows = scaled_rows(data)
    wanted = np.sort(np.atleast_1d(np.asarray(radii, dtype=np.float64)))
    if wanted.ndim != 1 or wanted.size == 0 or not (np.isfinite(wanted) & (wanted > 0.0)).all():
        raise ValueError(f"radii = {radii!r}; they must be finite and > 0: pass positive radii")
    _check_share("quantile", quantile)
    _check_share("confidence", confidence)
    chosen = _chosen_centres(rows, centres, rng)
    return _masses(rows, wanted, chosen, quantile, confidence)


def _chosen_centres(rows: Rows, centres: int, rng: Rng) -> IntArray:
    return chosen_rows(len(rows.points), _whole("centres", centres), rng, _CENTRE_STREAM)


def _masses(
    rows: Rows, radii: FloatArray, chosen: IntArray, quantile: float, confidence: float
) -> BallMasses:
    others = len(rows.points) - 1
    edges = np.ldexp(radii, -rows.exponent) ** 2
    counts = np.empty((len(chosen), len(radii)), dtype=np.int64)
    done = 0
    for part, squares in squared_distances(rows, chosen):
        bins = np.searchsorted(edges, squares.ravel()).reshape(squares.shape)
        bins += np.arange(len(part))[:, None] * (len(edges) + 1)
        whole = np.bincount(bins.ravel(), minlength=len(part) * (len(edges) + 1))
        counts[done : done + len(part)] = whole.reshape(len(part), -1)[:, :-1].cumsum(axis=1)
        done += len(part)
    least = counts.min(axis=0)
    rate = (1.0 - confidence) / counts.size
    lower = np.where(least > 0, stats.beta.ppf(rate, np.maximum(least, 1), others - least + 1), 0.0)
    low = np.quantile(counts, quantile, axis=0, method="lower")
    return BallMasses(
        radii=tuple(radii.tolist()),
        smallest=tuple((least / others).tolist()),
        low=tuple((low / others).tolist()),
        lower=tuple(lower.tolist()),
        quantile=quantile,
        confidence=confidence,
        centres=len(chosen),
    )


def lower_mass(
    data: ArrayLike,
    dimension: float,
    *,
    neighbours: int = 20,
    confidence: float = 0.99,
    centres: int = _CENTRES,
    rng: Rng = 0,
) -> LowerMass:
    """Estimate the constant c of ``mass of ball(x, r) >= c r^dimension``.

    Parameters
    ----------
    data : array_like, shape (n, d)
        Independent rows of one law, at least two and not all equal.
    dimension : float
        Intrinsic dimension, positive.
    neighbours : int
        The smallest radius gives every centre so many neighbours, or a tenth of the rows if that
        is less; the largest gives every centre half of the rows.
    confidence, centres, rng
        As in `ball_masses`.

    Returns
    -------
    LowerMass
        Between the two radii the bound holds with the confidence for the centres, on the grid and
        off it; below the smallest radius it is an extrapolation.

    Raises
    ------
    ValueError
        One line: bad data, or a number outside its domain.

    Examples
    --------
    On a line segment of length 1 the ends have the least mass, r for each r.

    >>> found = lower_mass(np.linspace(0.0, 1.0, 1001)[:, None], 1.0)
    >>> round(math.exp(found.log_value), 1), round(found.radius_limit, 2)
    (0.9, 0.5)
    """
    if not (math.isfinite(dimension) and dimension > 0.0):
        raise ValueError(f"dimension = {dimension}; it must be finite and > 0: pass an estimate")
    _check_share("confidence", confidence)
    wanted = _whole("neighbours", neighbours)
    rows = scaled_rows(data)
    others = len(rows.points) - 1
    chosen = _chosen_centres(rows, centres, rng)
    near, half = min(wanted, max(1, others // 10)) - 1, (others + 1) // 2 - 1
    smallest = largest = 0.0
    for _, squares in squared_distances(rows, chosen):
        ranked = np.partition(squares, sorted({near, half}), axis=1)
        smallest = max(smallest, float(ranked[:, near].max()))
        largest = max(largest, float(ranked[:, half].max()))
    # A little more than the distances themselves, so that rounding does not move rows out.
    low, high = math.sqrt(smallest) * (1.0 + 1e-6), math.sqrt(largest) * (1.0 + 1e-6)
    if not low > 0.0:  # copies of every row: any positive radius has them
        low = high * 1e-3
    radii = np.geomspace(rows.in_data_units(low), rows.in_data_units(high), _RADII)
    masses = _masses(rows, radii, chosen, 0.05, confidence)
    # Between two radii the mass is at least that at the smaller one.
    room = dimension * np.log(np.append(radii[1:], radii[-1]))
    with np.errstate(divide="ignore"):
        values = np.log(np.array(masses.smallest)) - room
        lowers = np.log(np.array(masses.lower)) - room
    return LowerMass(
        log_value=float(values.min()),
        log_lower=float(lowers.min()),
        dimension=float(dimension),
        smallest_radius=float(radii[0]),
        radius_limit=float(radii[-1]),
        confidence=confidence,
        centres=len(chosen),
    )


def reach_estimate(
    data: ArrayLike, dimension: int, *, neighbours: int = 0, rows: int = _REACH_ROWS, rng: Rng = 0
) -> Reach:
    """Estimate the reach of the support by the pair of rows that bends most.

    Parameters
    ----------
    data : array_like, shape (n, d)
        At least ``dimension + 2`` rows, not all equal.
    dimension : int
        Of the tangent spaces, at least 1.
    neighbours : int
        Rows that span a tangent space, by principal components about their mean; by default twice
        the dimension and at least 10.
    rows : int
        At most so many rows are looked at, chosen at random.
    rng : int, SeedSequence or Generator
        Seed of this choice.

    Returns
    -------
    Reach

    Raises
    ------
    ValueError
        One line: bad data, or a number outside its domain.

    Notes
    -----
    The least of ``|y - x|^2 / (2 dist(y - x, T_x))``, from Aamari, Kim, Chazal, Michel, Rinaldo
    and Wasserman 2019, Electronic Journal of Statistics 13, 1359–1399. With the true tangent
    spaces it never falls below the reach of the support: it is biased upwards, and more so for
    fewer rows. Estimated tangent spaces, and noise on the rows, can push it either way; pairs
    within four times the width of a tangent space's rows, which they spoil most, are left out,
    and where no pair is left the estimate is infinite. Cost O(rows^2 d dimension).

    Examples
    --------
    >>> turn = np.linspace(0.0, 2.0 * np.pi, 100, endpoint=False)
    >>> circle = 3.0 * np.column_stack([np.cos(turn), np.sin(turn)])
    >>> round(reach_estimate(circle, 1).value, 6)
    3.0
    """
    tangent = _whole("dimension", dimension)
    all_rows = scaled_rows(data)
    chosen = chosen_rows(len(all_rows.points), _whole("rows", rows), rng, _REACH_STREAM)
    points = all_rows.points[chosen]
    count, ambient = points.shape
    if count < tangent + 2:
        raise ValueError(
            f"data has {count} rows for tangent spaces of dimension {tangent}; it needs at least "
            f"{tangent + 2}: give more rows or a smaller dimension"
        )
    wanted = _whole("neighbours", neighbours) if neighbours else max(10, 2 * tangent)
    near = min(wanted, count - 2)
    least = math.inf
    if tangent < ambient and near >= tangent:
        part_rows = Rows(points, np.einsum("ij,ij->i", points, points), 0)
        for part, squares in squared_distances(part_rows, np.arange(count)):
            least = min(least, _least_bend(points, part, squares, near, tangent))
    return Reach(all_rows.in_data_units(least), count, near, tangent)


def _least_bend(
    points: FloatArray, part: IntArray, squares: FloatArray, near: int, tangent: int
) -> float:
    """Return the least radius of a circle that touches the tangent space at a row of ``part``."""
    close = np.argpartition(squares, near - 1, axis=1)[:, :near]
    scale = _FAR**2 * np.take_along_axis(squares, close, axis=1).max(axis=1)
    least = math.inf
    for row, cloud, square, limit in zip(part, close, squares, scale, strict=True):
        away = (square > limit) & np.isfinite(square)
        if not away.any():
            continue
        spanned = points[np.append(cloud, row)]
        _, _, axes = np.linalg.svd(spanned - spanned.mean(axis=0), full_matrices=False)
        along = points @ axes[:tangent].T
        along -= along[row]
        height = square[away] - np.einsum("ij,ij->i", along, along)[away]
        # What rounding leaves of a flat support is no curvature.
        bent = height > 1e-10 * square[away]
        radii = square[away][bent] / (2.0 * np.sqrt(height[bent]))
        least = min(least, float(np.min(radii, initial=math.inf)))
    return least


def _check_share(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} = {value}; it must lie strictly between 0 and 1: pass 0.99, say")


def _whole(name: str, value: int) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} = {value!r}; it must be an integer of at least 1: pass one")
    return int(value)
