"""Covariance of the proxy score, the regression target of denoising score matching.

A network that learns the score of the noised law is shown ∇ log p_{t|0}(x | X_0) in its stead,
which at a given x varies with the X_0 behind it.  For M equally weighted points all of it is in
the posterior weights of the points, in one pass over them for each x.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.point_arguments import LARGEST, checked_number, checked_points
from numerics.vector_exp import decay

Array = NDArray[np.float64]

# Queries per block: the weights of a block stay in the first-level cache, and loops over it become
# vector code.
_BLOCK = 128


class _Problem(NamedTuple):
    points: Array
    residuals: Array
    middles: Array
    centre: Array
    mu: float
    sigma: float


def proxy_score_covariance(points: ArrayLike, data: ArrayLike, *, mu: float, sigma: float) -> Array:
    r"""Return Cov(∇ log p_{t|0}(x | X_0) | X_t = x), which is (μ²/σ⁴) Cov(X_0 | X_t = x).

    X_0 is one of the M data points with equal probability and X_t = μ X_0 + σ Z.  Posterior weights
    are compared by differences of their exponents, and squares are summed about the mean: far from
    the data and for small σ only the conditioning in x itself is lost.

    Parameters
    ----------
    points
        Where, (n, d).
    data
        The M points, (M, d).
    mu, sigma
        Scale of the signal, ≥ 0, and of the noise, > 0, in units of the data.

    Returns
    -------
    NDArray
        Symmetric matrices, (n, d, d), in units of one over the data's squared.

    Raises
    ------
    ValueError
        If an argument is not of its shape or domain, or the result exceeds float64.

    Notes
    -----
    vastola2025, Section 3 and Figure 1.

    Examples
    --------
    >>> found = proxy_score_covariance([[0.0]], [[-1.0], [1.0]], mu=0.6, sigma=0.8)
    >>> float(found[0, 0, 0].round(9)) == round(0.6**2 / 0.8**4, 9)
    True
    """
    problem = _checked(points, data, mu, sigma)
    number, dimension = problem.points.shape
    found = np.empty((number, dimension, dimension))
    _covariances(*problem, found)
    with np.errstate(over="ignore", invalid="ignore"):
        found *= (problem.mu / problem.sigma) ** 2
        found /= problem.sigma**2
    if not np.all(np.isfinite(found)):
        raise ValueError(
            f"sigma = {problem.sigma!r}; the covariance, of order max|data|^2 mu^2/sigma^4, is "
            "beyond float64: divide points, data and sigma by a common factor"
        )
    return found


def relative_variance(points: ArrayLike, data: ArrayLike, *, mu: float, sigma: float) -> Array:
    """Return tr C / (tr C + |s|²), C the covariance of the proxy score and s the score, (n,).

    The share of the mean squared proxy score that is noise: σ cancels but for the weights.  It is
    0 where both vanish, as on a single data point.

    Parameters
    ----------
    points
        Where, (n, d).
    data
        The M points of equal probability, (M, d).
    mu, sigma
        Scale of the signal, ≥ 0, and of the noise, > 0, in units of the data.

    Returns
    -------
    NDArray
        Numbers in [0, 1], (n,).

    Raises
    ------
    ValueError
        If an argument is not of its shape or domain.

    Notes
    -----
    vastola2025, Figure 1.

    Examples
    --------
    >>> relative_variance([[0.0], [9.0]], [[-1.0], [1.0]], mu=0.6, sigma=0.8).round(6).tolist()
    [1.0, 0.0]
    """
    problem = _checked(points, data, mu, sigma)
    found = np.empty(problem.points.shape[0])
    _shares(*problem, found)
    return found


def _checked(points: ArrayLike, data: ArrayLike, mu: float, sigma: float) -> _Problem:
    queries = checked_points("points", points, "n")
    atoms = checked_points("data", data, "M")
    if atoms.shape[0] == 0:
        raise ValueError(
            f"data has shape {atoms.shape}; it must be (M, d) with M >= 1: pass at least one point"
        )
    if queries.shape[1] != atoms.shape[1]:
        raise ValueError(
            f"points has shape {queries.shape} and data {atoms.shape}; d must be the same: "
            "pass points with the same number of coordinates"
        )
    signal = checked_number("mu", mu, 0.0)
    noise = checked_number("sigma", sigma, 1.0 / LARGEST)
    centre = atoms.mean(axis=0)
    residuals = atoms - centre
    if not math.isfinite(signal * float(np.max(np.abs(atoms))) / noise**2 * LARGEST):
        raise ValueError(
            f"sigma = {noise!r}; exponents of order mu max|data| max|points|/sigma^2 must be "
            "within float64: divide points, data and sigma by a common factor"
        )
    return _Problem(queries, residuals, 0.5 * signal * (atoms + centre), centre, signal, noise)


@njit(cache=True, inline="always")
def _weigh(
    points: Array, residuals: Array, middles: Array, scale: float, weights: Array, highest: Array
) -> None:
    """Set weights (M, n) to those of each point relative to the largest; ``highest`` is scratch.

    With c the mean of the data, |x − μc|² − |x − μy|² = 2μ (y − c)·(x − μ(y + c)/2).
    """
    for b in range(points.shape[0]):
        highest[b] = -np.inf
    for i in range(residuals.shape[0]):
        for b in range(points.shape[0]):
            weights[i, b] = 0.0
        for a in range(residuals.shape[1]):
            slope, middle = scale * residuals[i, a], middles[i, a]
            for b in range(points.shape[0]):
                weights[i, b] += slope * (points[b, a] - middle)
        for b in range(points.shape[0]):
            highest[b] = max(highest[b], weights[i, b])
    for i in range(residuals.shape[0]):
        for b in range(points.shape[0]):
            weights[i, b] = decay(highest[b] - weights[i, b])


@njit(cache=True, inline="always")
def _means(residuals: Array, weights: Array, total: Array, mean: Array) -> None:
    """Set the sums of weights (n,), and the posterior means (d, n) about the mean of the data."""
    total[:] = 0.0
    mean[:] = 0.0
    for i in range(residuals.shape[0]):
        for b in range(total.shape[0]):
            total[b] += weights[i, b]
        for a in range(residuals.shape[1]):
            for b in range(total.shape[0]):
                mean[a, b] += weights[i, b] * residuals[i, a]
    for a in range(residuals.shape[1]):
        for b in range(total.shape[0]):
            mean[a, b] /= total[b]


@njit(cache=True, parallel=True)
def _covariances(
    points: Array,
    residuals: Array,
    middles: Array,
    centre: Array,
    mu: float,
    sigma: float,
    found: Array,
) -> None:
    number, dimension = points.shape
    for block in prange((number + _BLOCK - 1) // _BLOCK):
        first = block * _BLOCK
        last = min(first + _BLOCK, number)
        weights = np.empty((residuals.shape[0], last - first))
        total, mean = np.empty(last - first), np.empty((dimension, last - first))
        _weigh(points[first:last], residuals, middles, mu / sigma**2, weights, total)
        _means(residuals, weights, total, mean)
        square = np.empty(last - first)
        for a in range(dimension):
            for c in range(a + 1):
                square[:] = 0.0
                for i in range(residuals.shape[0]):
                    for b in range(last - first):
                        left = residuals[i, a] - mean[a, b]
                        square[b] += weights[i, b] * left * (residuals[i, c] - mean[c, b])
                for b in range(last - first):
                    found[first + b, a, c] = square[b] / total[b]
                    found[first + b, c, a] = found[first + b, a, c]


@njit(cache=True, parallel=True)
def _shares(
    points: Array,
    residuals: Array,
    middles: Array,
    centre: Array,
    mu: float,
    sigma: float,
    found: Array,
) -> None:
    number, dimension = points.shape
    for block in prange((number + _BLOCK - 1) // _BLOCK):
        first = block * _BLOCK
        last = min(first + _BLOCK, number)
        weights = np.empty((residuals.shape[0], last - first))
        total, mean = np.empty(last - first), np.empty((dimension, last - first))
        _weigh(points[first:last], residuals, middles, mu / sigma**2, weights, total)
        _means(residuals, weights, total, mean)
        trace, square = np.zeros(last - first), np.zeros(last - first)
        for a in range(dimension):
            for i in range(residuals.shape[0]):
                for b in range(last - first):
                    trace[b] += weights[i, b] * (residuals[i, a] - mean[a, b]) ** 2
            for b in range(last - first):
                square[b] += (points[first + b, a] - mu * (centre[a] + mean[a, b])) ** 2
        for b in range(last - first):
            noise = mu**2 * trace[b] / total[b]
            whole = noise + square[b]
            found[first + b] = noise / whole if whole > 0.0 else 0.0
