r"""How far the empirical score moves when one i.i.d. point joins N others, exactly.

For points S of size N and U = S with one more point, ``m_S(x)`` the posterior mean of S at x::

    own   = E |m_U(X) - m_S(X)|^2,  X noised from the joining point
    other = E |m_U(X) - m_S(X)|^2,  X noised from a given member of S

times ``mu^2 / sigma^4``.  The joining point 1 has weight ``k`` at x, the others ``Z`` together,
and ``|m_U - m_S|^2 = k^2 |sum_j k_j (x_1 - x_j)|^2 / (Z^2 (k + Z)^2)``.  Laplace transforms

    1 / (Z^2 (Z + k)^2) = int e^{-lambda Z} k^-3 g_own(lambda k) dlambda
    1 / (Z (Z + k)^2)   = int e^{-lambda Z} k^-2 g_other(lambda k) dlambda
    g_own(u) = u (1 + e^-u) - 2 (1 - e^-u),  g_other(u) = 1 - (1 + u) e^-u

over lambda > 0 make the N points independent, so that each expectation is one integral over x
and lambda of products of single means over the law.  Every term is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.laplace_levels import BEFORE, last_level, level_edges, pair_distance, pair_spread
from numerics.law_quadrature import LAST_DEPTH, Law, check_noise, depth_edges, panel_rule

FloatArray = NDArray[np.float64]

# Nodes per panel of the two resolutions: over x, over log lambda, over the law.
_COARSE = (9, 9, 7)
_FINE = (11, 11, 9)
# exp(-u) vanishes from exp(_GONE) on.
_GONE = 4.0
_SERIES_BELOW = 0.5


@dataclass(frozen=True)
class AddOneChanges:
    """Squared changes of the score, and estimates of their absolute errors, 1 / (data units)^2.

    ``lower <= eps_stab^2 <= upper`` for the replace-one stability of the empirical score of N
    i.i.d. points, up to the errors.
    """

    own: float
    other: float
    lower: float
    upper: float
    own_error: float
    other_error: float
    lower_error: float
    upper_error: float


def add_one_changes(law: Law, size: int, *, mu: float, sigma: float) -> AddOneChanges:
    r"""Mean squared change of the empirical score of ``size`` points when one more joins.

    Parameters
    ----------
    law : Law
        Law of the points, from ``numerics.law_quadrature``.
    size : int
        Number N >= 1 of points before the change.
    mu, sigma : float
        Noising ``X = mu X_0 + sigma Z``, both positive; sigma in data units.

    Returns
    -------
    AddOneChanges
        ``own`` (A) and ``other`` (O) times ``mu^2 / sigma^4``, ``lower = A + O`` and
        ``upper = (1 + 2 / N) A + O``.  Errors compare two resolutions and add the mass of noised
        points left out; they are estimates.

    Raises
    ------
    ValueError
        If ``size < 1``, or ``mu`` or ``sigma`` is not positive and finite.

    Notes
    -----
    Source: score stability, farghly2026, arXiv 2507.03756; the identity is this project's.

    Examples
    --------
    Little noise, one point joins another: the mean jumps by their distance, squared mean 2.

    >>> from numerics.law_quadrature import Circle
    >>> changes = add_one_changes(Circle(1.0), 1, mu=1.0, sigma=0.01)
    >>> round(changes.own * 0.01**4, 3)
    2.0
    """
    check_noise(mu, sigma)
    if size < 1:
        raise ValueError(f"size = {size}: must be at least 1")
    own_rough, other_rough = _changes(law, size, mu, sigma, _COARSE)
    own, other = _changes(law, size, mu, sigma, _FINE)
    factor, neglect = (mu / sigma**2) ** 2, law.diameter**2 * law.neglect()
    own_error = abs(own - own_rough) + 1e-13 * own + neglect
    other_error = abs(other - other_rough) + 1e-13 * other + neglect
    more = 1.0 + 2.0 / size
    return AddOneChanges(
        own=factor * own,
        other=factor * other,
        lower=factor * (own + other),
        upper=factor * (more * own + other),
        own_error=factor * own_error,
        other_error=factor * other_error,
        lower_error=factor * (own_error + other_error),
        upper_error=factor * (more * own_error + other_error),
    )


def _changes(
    law: Law, size: int, mu: float, sigma: float, orders: tuple[int, int, int]
) -> tuple[float, float]:
    """Return own and other without the factor ``mu^2 / sigma^4``."""
    probes = law.probes(mu, sigma, orders[0])
    own = other = 0.0
    for place, weight in zip(probes.position, probes.weight, strict=True):
        if weight == 0.0:
            continue
        tops = law.tops(place, mu, sigma)
        last = last_level(law, size, place, mu, sigma, float(tops[-1]))
        edges = level_edges(tops, -math.log(size) - BEFORE, last)
        levels, measure = panel_rule(edges, orders[1])
        cap = min(float(tops[-1]), max(last, 0.0) + LAST_DEPTH)
        seen = law.view(place, mu, sigma, depth_edges(levels, cap), orders[2])
        mine, theirs = _over_levels(
            levels, measure, seen.depth, seen.weight, seen.offset, seen.square, size
        )
        own += float(weight) * mine
        other += float(weight) * theirs
    return own, other


@njit(cache=True)
def _series(u: float) -> tuple[float, float]:
    """Return ``g_own(u) / u`` and ``g_other(u) / u`` for small ``u`` from their power series."""
    own = other = 0.0
    # Terms (-1)^(n-1) (n - 2) u^(n-1) / n! and (-1)^n (n - 1) u^(n-1) / n!.
    term = 0.5 * u
    for n in range(2, 16):
        other += (n - 1) * term
        own -= (n - 2) * term
        term *= -u / (n + 1)
    return own, other


@njit(cache=True)
def _over_levels(
    levels: FloatArray,
    measure: FloatArray,
    depth: FloatArray,
    weight: FloatArray,
    offset: FloatArray,
    square: FloatArray,
    size: int,
) -> tuple[float, float]:
    """Integrate over log lambda at one x.

    With ``u = lambda e^-depth``, sums are over the law of g(u) / lambda for the joining point
    (``mine``, ``theirs``), of ``u^2 e^-u`` (``pair``) and of ``u e^-u`` (``mean``) for the
    others, each times 1, offset and square.
    """
    count, axes = offset.shape
    parts = axes + 2
    row = np.empty(parts)
    mass_below = np.zeros((count + 1, parts))
    weight_below = np.zeros((count + 1, parts))
    strength = weight * np.exp(-depth)
    for i in range(count):
        _fill(row, offset[i], square[i])
        for part in range(parts):
            mass_below[i + 1, part] = mass_below[i, part] + weight[i] * row[part]
            weight_below[i + 1, part] = weight_below[i, part] + strength[i] * row[part]
    mine = np.empty(parts)
    theirs = np.empty(parts)
    pair = np.empty(parts)
    mean = np.empty(parts)
    own = other = 0.0
    for level, step in zip(levels, measure):  # noqa: B905 (numba knows no strict)
        first = np.searchsorted(depth, level - _GONE)
        last = np.searchsorted(depth, max(level, 0.0) + LAST_DEPTH)
        small = math.exp(-level)
        for part in range(parts):
            mine[part] = weight_below[first, part] - 2.0 * small * mass_below[first, part]
            theirs[part] = small * mass_below[first, part]
            pair[part] = mean[part] = 0.0
        lost = mass_below[first, 0]
        for i in range(first, last):
            u = math.exp(level - depth[i])
            decay = math.exp(-u)
            if u < _SERIES_BELOW:
                joins, stays = _series(u)
            else:
                joins = (u * (1.0 + decay) - 2.0 * (1.0 - decay)) / u
                stays = (1.0 - (1.0 + u) * decay) / u
            # 1 - e^-u, without cancellation for small u.
            lost += weight[i] * u * (stays + decay)
            joins *= strength[i]
            stays *= strength[i]
            single = weight[i] * u * decay
            double = single * u
            _fill(row, offset[i], square[i])
            for part in range(parts):
                mine[part] += joins * row[part]
                theirs[part] += stays * row[part]
                pair[part] += double * row[part]
                mean[part] += single * row[part]
        unseen = max(1.0 - lost, 1e-300)
        once = math.exp((size - 1) * math.log(unseen)) if size > 1 else 1.0
        twice = (size - 1) * math.exp((size - 2) * math.log(unseen)) if size > 1 else 0.0
        own += step * size * (once * pair_spread(mine, pair) + twice * pair_distance(mine, mean))
        other += step * (once * pair_spread(theirs, pair) + twice * pair_distance(theirs, mean))
    return own, other


@njit(cache=True)
def _fill(row: FloatArray, offset: FloatArray, square: float) -> None:
    """Set ``row`` to 1, the offset's components and the square."""
    row[0] = 1.0
    for axis in range(len(offset)):
        row[axis + 1] = offset[axis]
    row[-1] = square
