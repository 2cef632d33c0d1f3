r"""Replace-one stability of the empirical score of N i.i.d. points, exactly.

One of N points is replaced by an independent one, x~; X is noised from x~.  The M = N - 1 points
that stay have posterior mean ``m`` and weight ``Z`` together at X, and the two posterior means
differ by ``a - b``, with ``a = k~ (x~ - m) / (k~ + Z)`` and b likewise for the point replaced::

    eps_stab^2 = (mu^2 / sigma^4) (own + third - 2 cross)
    own = E |a|^2,  third = E |b|^2,  cross = E <a, b>

As in ``numerics.add_one``, Laplace transforms make the M points independent: own and third are
one integral over lambda, and cross is one over ``lambda = s + s'``, because

    a b / (Z^2 (Z + a) (Z + b)) = int int e^{-(s + s') Z} (1 - e^{-s a}) (1 - e^{-s' b}) ds ds'

also parts x~ from the point replaced.  The inner integral reads tables of single means over the
law, which are smooth in log s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.laplace_levels import BEFORE, last_level, level_edges, pair_distance, pair_spread
from numerics.law_quadrature import (
    LAST_DEPTH,
    Estimate,
    Law,
    check_noise,
    depth_edges,
    panel_rule,
)

FloatArray = NDArray[np.float64]

# What the single means of a table weigh a node by, u = lambda e^-depth: g_own(u) / lambda and
# g_own(u) / u for a joining point, u^2 e^-u and u e^-u for one that stays, and the factors of
# the double transform, e^-depth (1 - e^-u) and 1 - e^-u.
_OWN, _THIRD, _PAIR, _MEAN, _NEAR, _FREE = range(6)
# exp(-u) vanishes from exp(_GONE) on, and u below exp(-_FAINT); 1e-9 of either.
_GONE = 3.1
_FAINT = 20.0
# Power series for small u: of g_own(u) / u^3 and of (1 - e^-u) / u.
_SERIES_BELOW = 0.5
_JOINS = tuple((-1.0) ** n * (n + 1) / math.factorial(n + 3) for n in range(11))
_GOES = tuple((-1.0) ** n / math.factorial(n + 1) for n in range(11))
# A node of x and lambda bounded by this, relative to own + third, is left out of cross.
_NEGLIGIBLE = 1e-11


@dataclass(frozen=True)
class _Orders:
    """Nodes per panel over x, log lambda and the law; step and reach of log s / s'."""

    probes: int
    levels: int
    law: int
    step: float
    reach: float


# The trapezoid rule over log s / s' loses e^(-pi^2 / step) and, with its ends, e^-reach / 50.
_COARSE = _Orders(9, 9, 7, 0.75, 10.0)
_FINE = _Orders(11, 11, 9, 0.65, 12.0)


@dataclass(frozen=True)
class _Parts:
    """own, third and cross, and a bound of what was left out of cross; squared data units."""

    own: float
    third: float
    cross: float
    omitted: float


def replace_one_stability(law: Law, size: int, *, mu: float, sigma: float) -> Estimate:
    r"""Squared replace-one stability of the empirical score of ``size`` i.i.d. points.

    .. math:: \epsilon_{stab}^2 = E\, |s_S(X) - s_{S'}(X)|^2

    for S and S' that share all points but one, X noised from the one that only S has.

    Parameters
    ----------
    law : Law
        Law of the points, from ``numerics.law_quadrature``.
    size : int
        Number N >= 1 of points.
    mu, sigma : float
        Noising ``X = mu X_0 + sigma Z``, both positive; sigma in data units.

    Returns
    -------
    Estimate
        In 1 / (data units)^2.  The error adds those of three parts, each from two resolutions,
        and the mass of noised points left out; it is an estimate.

    Raises
    ------
    ValueError
        If ``size < 1``, or ``mu`` or ``sigma`` is not positive and finite.

    Notes
    -----
    Source: score stability, farghly2026, arXiv 2507.03756; the identity is this project's.

    Examples
    --------
    One point for another: the mean jumps by their distance, squared mean 2.

    >>> from numerics.law_quadrature import Circle
    >>> round(replace_one_stability(Circle(1.0), 1, mu=1.0, sigma=0.1).value * 0.1**4, 12)
    2.0
    """
    check_noise(mu, sigma)
    if size < 1:
        raise ValueError(f"size = {size}: must be at least 1")
    factor = (mu / sigma**2) ** 2
    if size == 1:
        jump = 2.0 * _variance(law)
        return Estimate(factor * jump, factor * 1e-13 * jump)
    rough, fine = (_parts(law, size - 1, mu, sigma, orders) for orders in (_COARSE, _FINE))
    error = abs(fine.own - rough.own) + abs(fine.third - rough.third)
    error += 2.0 * (abs(fine.cross - rough.cross) + fine.omitted)
    # Powers M of a mean lose M units in the last place.
    error += (1e-13 + 2e-16 * size) * (fine.own + fine.third + 2.0 * abs(fine.cross))
    error += law.diameter**2 * law.neglect()
    return Estimate(factor * (fine.own + fine.third - 2.0 * fine.cross), factor * error)


def _variance(law: Law) -> float:
    """Return the trace of the covariance of the law."""
    place, scale = law.own_probes(9).position[0], law.diameter
    if scale == 0.0:
        return 0.0
    top = float(law.tops(place, 1.0, scale)[-1])
    seen = law.view(place, 1.0, scale, depth_edges(np.zeros(1), top), 13)
    first = seen.weight @ seen.offset
    return float(seen.weight @ seen.square) - float(first @ first)


def _parts(law: Law, stay: int, mu: float, sigma: float, orders: _Orders) -> _Parts:
    """Return the parts without the factor ``mu^2 / sigma^4``; ``stay`` is M."""
    probes = law.probes(mu, sigma, orders.probes)
    ratios, inner = _shares(orders)
    nodes, _ = panel_rule([-1.0, 1.0], orders.levels)
    to_powers = np.linalg.inv(np.vander(nodes, increasing=True))
    total = np.zeros(4)
    # The heaviest first: they show what is negligible.
    for which in np.argsort(-probes.weight, kind="stable"):
        place, share = probes.position[which], float(probes.weight[which])
        if share == 0.0:
            break
        tops = law.tops(place, mu, sigma)
        last = last_level(law, stay, place, mu, sigma, float(tops[-1]))
        edges = level_edges(tops, -math.log(stay) - BEFORE, last)
        levels, measure = panel_rule(edges, orders.levels)
        cap = min(float(tops[-1]), max(last, 0.0) + LAST_DEPTH)
        seen = law.view(place, mu, sigma, depth_edges(levels, cap), orders.law)
        table, lost = _single_means(levels, seen.depth, seen.weight, seen.offset, seen.square)
        # No BLAS: its threads cost more than a sum.
        density = float(np.sum(seen.weight * np.exp(-seen.depth)))
        own, third, bounds = _over_levels(measure, table, lost, density, stay)
        curves = table[:, _NEAR:, :-1].reshape(len(edges) - 1, orders.levels, -1)
        powers = np.ascontiguousarray(to_powers @ curves)
        powers = powers.reshape(*powers.shape[:2], 2, -1)
        total[:2] += share * own, share * third
        wanted = share * bounds > _NEGLIGIBLE * (total[0] + total[1])
        cross = _crossed(levels, measure, table, lost, stay, wanted, edges, powers, ratios, inner)
        total[2:] += share * cross, share * float(bounds[~wanted].sum())
    return _Parts(*(float(part) for part in total))


def _shares(orders: _Orders) -> tuple[FloatArray, FloatArray]:
    """Return nodes ``log(s / lambda)`` and weights for ds / lambda; s' has them in reverse order.

    In ``log s / s'`` single means are smooth however far apart the depths of the law.
    """
    reach = orders.step * math.ceil(orders.reach / orders.step)
    ratio = np.arange(-reach, reach + 0.5 * orders.step, orders.step)
    # On the two ends single means vary slowly in log s, whose mean over (0, e) is log e - 1.
    end = 1.0 / (1.0 + math.exp(reach + 0.5 * orders.step))
    ratios = np.concatenate([[math.log(end) - 1.0], -np.log1p(np.exp(-ratio)), [-end / math.e]])
    inner = orders.step * np.exp(ratios + ratios[::-1])
    inner[[0, -1]] = end
    return ratios, inner


@njit(cache=True)
def _single_means(
    levels: FloatArray,
    depth: FloatArray,
    weight: FloatArray,
    offset: FloatArray,
    square: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return sums over the law, and the mean of ``1 - e^-u``, at each log lambda.

    Shapes (n, 6, k + 2) and (n,): each kind of sum times 1, offset and square.
    """
    count, parts = len(depth), offset.shape[1] + 2
    rows = np.empty((count, parts))
    rows[:, 0] = weight
    for axis in range(parts - 2):
        rows[:, axis + 1] = weight * offset[:, axis]
    rows[:, -1] = weight * square
    strength = np.exp(-depth)
    table = np.zeros((len(levels), 6, parts))
    # Sums over the nodes so shallow that e^-u vanishes: of 1, e^-depth and e^(depth - level).
    mass, strong, faint = np.zeros(parts), np.zeros(parts), np.zeros(parts)
    first, before = 0, levels[0]
    for n, level in enumerate(levels):
        faint *= math.exp(before - level)
        before = level
        while first < count and depth[first] < level - _GONE:
            reverse = math.exp(depth[first] - level)
            for part in range(parts):
                mass[part] += rows[first, part]
                strong[part] += strength[first] * rows[first, part]
                faint[part] += reverse * rows[first, part]
            first += 1
        sums = table[n]
        sums[_OWN] = strong - 2.0 * math.exp(-level) * mass
        sums[_THIRD] = mass - 2.0 * faint
        sums[_NEAR] = strong
        sums[_FREE] = mass
        last = np.searchsorted(depth, max(level, 0.0) + _FAINT)
        for i in range(first, last):
            u = math.exp(level - depth[i])
            if u < _SERIES_BELOW:
                joins, goes = _JOINS[-1], _GOES[-1]
                for power in range(len(_JOINS) - 2, -1, -1):
                    joins = joins * u + _JOINS[power]
                    goes = goes * u + _GOES[power]
                joins *= u * u
                goes *= u
                decay = 1.0 - goes
            else:
                decay = math.exp(-u)
                joins = 1.0 + decay - 2.0 * (1.0 - decay) / u
                goes = 1.0 - decay
            single = u * decay
            for part in range(parts):
                value = rows[i, part]
                strongly = value * strength[i]
                sums[_OWN, part] += strongly * joins
                sums[_THIRD, part] += value * joins
                sums[_PAIR, part] += value * (u * single)
                sums[_MEAN, part] += value * single
                sums[_NEAR, part] += strongly * goes
                sums[_FREE, part] += value * goes
    return table, table[:, _FREE, 0].copy()


@njit(cache=True)
def _chances(lost: float, stay: int) -> tuple[float, float]:
    """Return ``M phi^(M - 1)`` and ``M (M - 1) phi^(M - 2)``, ``phi = 1 - lost``."""
    if stay == 1:
        return 1.0, 0.0
    unseen = math.log(max(1.0 - lost, 1e-300))
    return stay * math.exp((stay - 1) * unseen), stay * (stay - 1) * math.exp((stay - 2) * unseen)


@njit(cache=True)
def _over_levels(
    measure: FloatArray, table: FloatArray, lost: FloatArray, density: float, stay: int
) -> tuple[float, float, FloatArray]:
    """Return own and third at one x, and bounds (n,) of the terms of cross.

    The means of the double transform increase with s, and ``s <= lambda``: Cauchy and Schwarz.
    """
    own = third = 0.0
    bounds = np.empty(len(measure))
    for n, step in enumerate(measure):
        once, twice = _chances(lost[n], stay)
        sums = table[n]
        pair, mean = sums[_PAIR], sums[_MEAN]
        own += step * (
            once * pair_spread(sums[_OWN], pair) + twice * pair_distance(sums[_OWN], mean)
        )
        theirs = once * pair_spread(sums[_THIRD], pair) + twice * pair_distance(sums[_THIRD], mean)
        third += step * density * theirs
        near = once * pair_spread(sums[_NEAR], pair) + twice * pair_distance(sums[_NEAR], mean)
        free = once * pair_spread(sums[_FREE], pair) + twice * pair_distance(sums[_FREE], mean)
        bounds[n] = step * math.sqrt(max(near, 0.0) * max(free, 0.0))
    return own, third, bounds


@njit(cache=True)
def _crossed(
    levels: FloatArray,
    measure: FloatArray,
    table: FloatArray,
    lost: FloatArray,
    stay: int,
    wanted: NDArray[np.bool_],
    edges: FloatArray,
    powers: FloatArray,
    ratios: FloatArray,
    inner: FloatArray,
) -> float:
    """Return cross at one x from its ``wanted`` levels.

    ``powers`` (P, order, 2, k + 1) are coefficients of the two tables on the panels of log s.
    """
    axes = powers.shape[3] - 1
    near, free, either = np.empty(axes + 1), np.empty(axes + 1), np.empty(axes)
    total = 0.0
    for n, level in enumerate(levels):
        if not wanted[n]:
            continue
        # Sums over s of the product of the two means: of 1, of <offset, offset> and of the two
        # offsets' sum.  Components that the view leaves out vanish in each mean.
        plain = inside = 0.0
        either[:] = 0.0
        rising = 0
        falling = len(edges) - 2
        for i in range(len(ratios)):
            rising = _read(near, level + ratios[i], rising, edges, powers, 0)
            falling = _read(free, level + ratios[-1 - i], falling, edges, powers, 1)
            plain += inner[i] * near[0] * free[0]
            for axis in range(axes):
                inside += inner[i] * near[axis + 1] * free[axis + 1]
                either[axis] += inner[i] * (near[axis + 1] * free[0] + near[0] * free[axis + 1])
        once, twice = _chances(lost[n], stay)
        pair, mean = table[n, _PAIR], table[n, _MEAN]
        spread = pair[-1] * plain + pair[0] * inside
        product = mean[0] * mean[0] * inside
        for axis in range(axes):
            spread -= pair[axis + 1] * either[axis]
            product += mean[axis + 1] * (mean[axis + 1] * plain - mean[0] * either[axis])
        total += measure[n] * (once * spread + twice * product)
    return total


@njit(cache=True)
def _read(
    row: FloatArray, place: float, panel: int, edges: FloatArray, powers: FloatArray, kind: int
) -> int:
    """Set ``row`` to one table's values at log s = ``place``; return its panel, ``panel`` if near.

    Below the table they are linear in s.
    """
    inside = max(place, edges[0])
    while panel < len(edges) - 2 and inside > edges[panel + 1]:
        panel += 1
    while inside < edges[panel]:
        panel -= 1
    at = (2.0 * inside - edges[panel] - edges[panel + 1]) / (edges[panel + 1] - edges[panel])
    scale = math.exp(place - inside) if place < inside else 1.0
    order = powers.shape[1]
    for part in range(len(row)):
        value = powers[panel, order - 1, kind, part]
        for power in range(order - 2, -1, -1):
            value = value * at + powers[panel, power, kind, part]
        row[part] = scale * value
    return panel
