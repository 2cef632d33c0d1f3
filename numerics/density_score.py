"""The empirical score on the line and its derivative as fast callables of place and noise time.

The density of ``e^{-u} y_i + sigma Z``, ``sigma^2 = 1 - e^{-2u}``, is a mixture of Gaussians. The
posterior weights at x are taken about the atom nearest to x, from differences of squares that are
factored, so neither small sigma nor a far x cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.point_arguments import checked_points, checked_weights
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]

#: A score: places (n,) and a noise time to values (n,).
Score = Callable[[Array, float], Array]

# Atoms whose posterior weight is below exp(-60) of the nearest one's are left out.
_CUT = 60.0
# Starting threads, on a busy machine, takes longer than so few pairs of place and atom.
_FEW = 5_000_000


def empirical_score_line(data: ArrayLike, weights: ArrayLike | None = None) -> tuple[Score, Score]:
    """Return the score of the noised data on the line, and its derivative in the place.

    Parameters
    ----------
    data : array_like, shape (N,)
        Data points, N >= 1.
    weights : array_like, shape (N,), optional
        Non-negative weights, normalised to sum 1; uniform when None.

    Returns
    -------
    score, score_derivative : callable
        ``f(x, u)`` with places x (n,) and the noise time u > 0 gives values (n,): with
        ``mu = e^{-u}`` and ``sigma^2 = 1 - e^{-2u}``, ``(mu E[y | x] - x) / sigma^2`` and
        ``mu^2 Var[y | x] / sigma^4 - 1 / sigma^2``.

    Raises
    ------
    ValueError
        One line, for data or weights outside their domains, or a noise time that is not > 0.

    Notes
    -----
    Relative error about 1e-14 against the larger of ``|x - mu y| / sigma^2``, y the nearest point,
    and ``1 / sigma``. Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> score, score_derivative = empirical_score_line([-1.0, 1.0])
    >>> u = np.log(2.0)
    >>> score(np.array([0.0, 0.75]), u).round(6), score_derivative(np.zeros(1), u).round(6)
    (array([ 0.      , -0.691922]), array([-0.888889]))
    """
    row = np.asarray(data)
    if row.ndim != 1 or row.size == 0:
        raise ValueError(
            f"data has shape {row.shape}; it must be (N,) with N >= 1: pass one row of numbers"
        )
    points = checked_points("data", row.reshape(-1, 1), "N")[:, 0]
    shares = checked_weights(weights, len(points))
    mass = np.ones(len(points)) if shares is None else shares
    rank = np.argsort(points, kind="stable")
    rank = rank[mass[rank] > 0.0]
    atoms, mass = points[rank], mass[rank] / mass.max()

    def score(x: Array, u: float) -> Array:
        return _at(x, u, atoms, mass)[0]

    def score_derivative(x: Array, u: float) -> Array:
        return _at(x, u, atoms, mass)[1]

    return score, score_derivative


def _at(x: Array, u: float, atoms: Array, mass: Array) -> tuple[Array, Array]:
    if not (math.isfinite(u) and u > 0.0):
        raise ValueError(f"u = {u!r}: a noise time is a finite number > 0; pass 0.1, say")
    places = np.ascontiguousarray(x, dtype=np.float64)
    kernel = _serial if places.size * len(atoms) < _FEW else _parallel
    score, slope = kernel(places.ravel(), atoms, mass, math.exp(-u), -math.expm1(-2.0 * u))
    return score.reshape(places.shape), slope.reshape(places.shape)


@njit(cache=True, error_model="numpy")
def _score_at(
    x: float, atoms: Array, mass: Array, mu: float, variance: float
) -> tuple[float, float]:
    place = x / mu
    nearest = np.searchsorted(atoms, place)
    if nearest == len(atoms) or (
        nearest > 0 and place - atoms[nearest - 1] < atoms[nearest] - place
    ):
        nearest -= 1
    centre = atoms[nearest]
    offset = fused(-mu, centre, x)
    radius = math.sqrt(offset * offset + 2.0 * _CUT * variance) / mu
    first = min(nearest, np.searchsorted(atoms, place - radius))
    last = max(nearest + 1, np.searchsorted(atoms, place + radius))
    scale = 0.5 * mu / variance
    total, mean = 0.0, 0.0
    for j in range(first, last):
        away = atoms[j] - centre
        # |x - mu y|^2 - |x - mu y_nearest|^2 in factors.
        share = mass[j] * decay(scale * away * (mu * away - 2.0 * offset))
        total += share
        mean += share * away
    mean /= total
    square = 0.0
    for j in range(first, last):
        away = atoms[j] - centre
        share = mass[j] * decay(scale * away * (mu * away - 2.0 * offset))
        square += share * (away - mean) ** 2
    score = (mu * mean - offset) / variance
    ratio = mu / variance
    slope = ratio * ratio * (square / total) - 1.0 / variance
    return score, slope


# Two loops and not one compiled twice: the compiled code is cached by the function's name.
@njit(cache=True, error_model="numpy")
def _serial(x: Array, atoms: Array, mass: Array, mu: float, variance: float) -> tuple[Array, Array]:
    score, slope = np.empty(len(x)), np.empty(len(x))
    for i in range(len(x)):
        score[i], slope[i] = _score_at(x[i], atoms, mass, mu, variance)
    return score, slope


@njit(cache=True, parallel=True, error_model="numpy")
def _parallel(
    x: Array, atoms: Array, mass: Array, mu: float, variance: float
) -> tuple[Array, Array]:
    score, slope = np.empty(len(x)), np.empty(len(x))
    for i in prange(len(x)):
        score[i], slope[i] = _score_at(x[i], atoms, mass, mu, variance)
    return score, slope
