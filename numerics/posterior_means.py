"""Posterior means of X_0 given X_t = x: of the laws in `numerics.laws`, and of the points of a set.

Every formula adds up positive terms, so that small means keep their digits:

- circle of radius a: a · I1/I0(κ) in the direction of x, with κ = mu a |x|/sigma^2; sphere S²:
  a · (coth κ - 1/κ). Both are ratios of Bessel functions of neighbouring orders, by the continued
  fraction of such ratios, and by asymptotic series where κ is large.
- [-a, a]: a normal density cut to the segment; its mean is a ratio of two integrals over [0, 1],
  of u sinh(κ u) exp(-h u²) and of cosh(κ u) exp(-h u²) with h = mu^2 a^2/(2 sigma^2), by Gauss's
  rule on the part of [0, 1] that matters.
- points: softmax sums taken about the nearest point, whose weight 1 is kept apart.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.vector_exp import decay

Array = NDArray[np.float64]

#: What `law_mean` takes for the law: see `numerics.laws`.
MIXTURE, CIRCLES, SPHERE, CUBE = range(4)

#: Beyond this the asymptotic series of I0 and I1 reach full precision.
_LARGE = 50.0
#: exp(-_DEEP) is nothing beside 1.
_DEEP = 40.0
#: Where exponents stay within this the short rule is exact to rounding.
_MILD = 8.0


def _gauss_rule(order: int) -> tuple[Array, Array]:
    """Gauss's rule on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    return 0.5 * (nodes + 1.0), 0.5 * weights


_SHORT_NODES, _SHORT_WEIGHTS = _gauss_rule(20)
_LONG_NODES, _LONG_WEIGHTS = _gauss_rule(56)


@njit(cache=True)
def _neighbour_ratio(kappa: float, first: float) -> float:
    """Return I_{ν+1}/I_ν at κ for first = 2(ν + 1), by the continued fraction, backwards."""
    terms = 30 + int(2.0 * kappa)
    tail = first + 2.0 * terms
    for k in range(terms - 1, -1, -1):
        tail = first + 2.0 * k + kappa * kappa / tail
    return kappa / tail


@njit(cache=True)
def circle_length(kappa: float) -> float:
    """Return I1(κ)/I0(κ): the length of the mean direction of a von Mises law on the circle.

    Parameters
    ----------
    kappa
        κ >= 0. The relative error is below 1e-14.

    Examples
    --------
    >>> round(circle_length(2.0), 12)
    0.697774657964
    """
    if kappa <= _LARGE:
        return _neighbour_ratio(kappa, 2.0)
    zero = one = 1.0
    term_zero = term_one = 1.0
    for k in range(1, 20):  # I_ν ~ e^κ/√(2πκ) Σ_k (-1)^k Π_{m<=k} (4ν² - (2m-1)²)/(8 m κ)
        odd = (2.0 * k - 1.0) ** 2
        term_zero *= odd / (8.0 * k * kappa)
        term_one *= (odd - 4.0) / (8.0 * k * kappa)
        zero += term_zero
        one += term_one
    return one / zero


@njit(cache=True)
def sphere_length(kappa: float) -> float:
    """Return coth κ - 1/κ: the length of the mean direction of a von Mises law on S².

    Parameters
    ----------
    kappa
        κ >= 0. The relative error is below 1e-14.

    Examples
    --------
    >>> round(sphere_length(2.0), 12)
    0.537314720728
    """
    if kappa <= _LARGE:
        return _neighbour_ratio(kappa, 3.0)
    return 1.0 - 1.0 / kappa


@njit(cache=True)
def segment_mean(kappa: float, h: float) -> float:
    """Return the mean of the density proportional to exp(κ u - h u²) on [-1, 1].

    Parameters
    ----------
    kappa, h
        Any real number, and h >= 0. The relative error is below 1e-13.

    Examples
    --------
    >>> round(segment_mean(2.0, 0.0), 12)  # coth 2 - 1/2
    0.537314720728
    """
    size = abs(kappa)
    if size == 0.0:
        return 0.0
    # exp(size u - h u²) is largest on [0, 1] at `top`, and falls like exp(-slope δ - h δ²) from it
    top = min(1.0, size / (2.0 * h)) if h > 0.0 else 1.0
    slope = max(0.0, size - 2.0 * h)
    width = 2.0 * _DEEP / (slope + math.sqrt(slope * slope + 4.0 * _DEEP * h))
    low, high = max(-top, -width), min(1.0 - top, width)
    mild = size + h <= _MILD
    nodes = _SHORT_NODES if mild else _LONG_NODES
    weights = _SHORT_WEIGHTS if mild else _LONG_WEIGHTS
    above = below = 0.0
    for k in range(nodes.size):
        step = low + (high - low) * nodes[k]
        u = top + step
        weight = weights[k] * math.exp(slope * step - h * step * step)
        mirrored = math.expm1(-2.0 * size * u)  # the mirror image weighs 1 + this
        above -= weight * u * mirrored
        below += weight * (2.0 + mirrored)
    return math.copysign(above / below, kappa)


@njit(cache=True)
def law_mean(kind, x, centres, scale, count, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Write the posterior mean given x under a law, in the form of `numerics.laws.Kernel`."""
    if kind == MIXTURE:
        _mixture_mean(x, centres, scale, mu, sigma, out)
        return
    pull = mu * scale / (sigma * sigma)
    out[:] = 0.0
    if kind == CUBE:
        for a in range(count):
            out[a] = scale * segment_mean(pull * x[a], 0.5 * pull * mu * scale)
        return
    span = 2 if kind == CIRCLES else 3
    for first in range(0, span * (count if kind == CIRCLES else 1), span):
        norm = 0.0
        for a in range(first, first + span):
            norm += x[a] * x[a]
        norm = math.sqrt(norm)
        if norm > 0.0:
            kappa = pull * norm
            length = circle_length(kappa) if kind == CIRCLES else sphere_length(kappa)
            for a in range(first, first + span):
                out[a] = scale * length * (x[a] / norm)


@njit(cache=True)
def _mixture_mean(x, centres, variance, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Posterior mean given x under an equal mixture of Gaussians of one variance."""
    count, dimension = centres.shape
    total_variance = mu * mu * variance + sigma * sigma
    gap = np.empty(count)
    for j in range(count):
        energy = 0.0
        for a in range(dimension):
            step = mu * centres[j, a] - x[a]
            energy += step * step
        gap[j] = energy
    least = gap.min()
    total = 0.0
    out[:] = 0.0
    for j in range(count):
        weight = math.exp((least - gap[j]) * 0.5 / total_variance)
        total += weight
        for a in range(dimension):
            out[a] += weight * centres[j, a]
    gain = mu * variance / total_variance
    for a in range(dimension):
        out[a] /= total
        out[a] += gain * (x[a] - mu * out[a])


@njit(cache=True)
def half_energies(x, points, mu, sigma, energy):  # type: ignore[no-untyped-def]
    """Write |mu y - x|²/(2 sigma²) for every column y of ``points``."""
    scale = 0.5 / (sigma * sigma)
    energy[:] = 0.0
    for a in range(points.shape[0]):
        for j in range(points.shape[1]):
            step = mu * points[a, j] - x[a]
            energy[j] += step * step
    for j in range(points.shape[1]):
        energy[j] *= scale


@njit(cache=True)
def sums_about_nearest(points, energy, skip, weight, moment):  # type: ignore[no-untyped-def]
    """Softmax sums over every column of ``points`` but the last and ``skip``, about the nearest.

    Returns the index of the nearest point (-1 if there is none) and the total weight of the
    others, in units of its own. Writes their weights (0 at the nearest and at ``skip``) and
    Σ weight · (point - nearest) over the others.
    """
    dimension, count = points.shape[0], points.shape[1] - 1
    best = -1
    for j in range(count):
        if j != skip and (best < 0 or energy[j] < energy[best]):
            best = j
    weight[:] = 0.0
    moment[:] = 0.0
    rest = 0.0
    if best < 0:
        return best, rest
    least = energy[best]
    for j in range(count):
        # the one left out may be nearer: `decay` wants a number above -1
        weight[j] = decay(max(energy[j] - least, 0.0))
    weight[best] = 0.0
    if skip >= 0:
        weight[skip] = 0.0
    for j in range(count):
        rest += weight[j]
    for a in range(dimension):
        centre, total = points[a, best], 0.0
        for j in range(count):
            total += weight[j] * (points[a, j] - centre)
        moment[a] = total
    return best, rest
