r"""One step of each sampler on Gaussian data, and the assumed variances to average over.

Data N(m, s² I) have at noise time u the law N(μ m, v I) with μ = e^(−u) and
v = 1 + (s² − 1) μ². A score −(x − μ c) / w, with w the same for an assumed variance r², makes every
sampler's step from u to u − γ affine,

    Y⁺ = A Y + B c + √g Z,

so its output is N(M c, V I). What is tracked is not V but its excess V − v over the true variance,
and M − μ: each step multiplies the first by A², the second by A, and adds a *defect* that vanishes
with γ². The defects are written so that nothing cancels, which keeps tiny divergences accurate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

from numerics.law_quadrature import even_edges, panel_rule

Array = NDArray[np.float64]

_EPSILON = float(np.finfo(np.float64).eps)
# Mass of the χ² law left out on each side.
_TAIL = 1e-24


@dataclass(frozen=True, slots=True)
class Output:
    """The law N(M c, V I) that a sampler ends in, for each assumed variance, (Q,) each.

    ``variance`` is V, ``variance_excess`` V − v and ``mean_excess`` M − μ at the last noise time;
    the errors are absolute estimates of their rounding.
    """

    variance: Array
    variance_error: Array
    variance_excess: Array
    excess_error: Array
    mean_excess: Array
    mean_error: Array


def exponential_remainder(x: Array, terms: int) -> Array:
    """Return e^x less the first ``terms`` terms of its series, to full relative accuracy.

    Examples
    --------
    >>> exponential_remainder(np.array([1e-8, 1.0]), 2).round(12)
    array([0.        , 0.71828183])
    """
    near = np.where(np.abs(x) < 1.0, x, 0.0)
    total, power = np.zeros_like(near), near**terms / math.factorial(terms)
    for n in range(terms + 1, terms + 20):
        total += power
        power = power * near / n
    direct = np.exp(x) - sum(x**n / math.factorial(n) for n in range(terms))
    return np.where(np.abs(x) < 1.0, total, direct)


def noised_variance(noise_times: Array, variance: Array | float) -> Array:
    """Return v = σ² + μ² variance at the noise times; the shapes broadcast."""
    noise: Array = -np.expm1(-2.0 * noise_times)
    return noise + np.exp(-2.0 * noise_times) * variance


def variance_rule(degrees: int, scale: float, least: float, order: int) -> tuple[Array, Array]:
    """Return nodes and weights for the law of ``scale`` times a χ² variable.

    Panels are even in the logarithm, where a function of ``σ² + variance`` is smooth however small
    σ² is. Values below 1e-17 ``least`` count as zero, as do all with no degrees of freedom.

    Parameters
    ----------
    degrees : int
        Degrees of freedom, ≥ 0.
    scale : float
        Factor of the χ² variable, > 0.
    least : float
        Smallest σ² that the variable is added to, > 0.
    order : int
        Nodes per panel.

    Returns
    -------
    nodes, weights : ndarray, shape (Q,)
        The weights add up to one.

    Examples
    --------
    >>> nodes, weights = variance_rule(3, 0.5, 0.01, 14)
    >>> round(float(weights @ nodes**2), 12)  # a quarter of 15
    3.75
    """
    if degrees == 0:
        return np.zeros(1), np.ones(1)
    half = 0.5 * degrees
    floor = 1e-17 * least / scale
    low = max(floor, 2.0 * float(gammaincinv(half, _TAIL)))
    high = 2.0 * float(gammainccinv(half, _TAIL))
    if high <= floor:
        return np.zeros(1), np.ones(1)
    width = min(1.0, 2.0 / math.sqrt(half))
    # About the mode of the density of log χ² the exponent is a remainder: nothing cancels.
    place, weight = panel_rule(
        even_edges(math.log(low / degrees), math.log(high / degrees), width), order
    )
    weight = weight * np.exp(-half * exponential_remainder(place, 2))
    at_zero = float(gammainc(half, 0.5 * low)) if low == floor else 0.0
    rest = float(gammaincc(half, 0.5 * low)) if low == floor else 1.0
    weight *= rest / weight.sum()
    return (
        np.append(0.0, scale * degrees * np.exp(place)),
        np.append(at_zero, weight),
    )


def sampler_output(
    method: str, noise_times: Array, variance: float, assumed: Array, horizon_excess: float
) -> Output:
    """Run a sampler from N(0, I) with each assumed variance.

    Parameters
    ----------
    method : str
        A name in ``STEPS``.
    noise_times : ndarray, shape (K + 1,)
        Decreasing, > 0.
    variance : float
        s², > 0.
    assumed : ndarray, shape (Q,)
        Values of r², ≥ 0.
    horizon_excess : float
        1 − v at the first noise time.

    Returns
    -------
    Output

    Examples
    --------
    >>> times = np.array([2.0, 1.0, 0.5])
    >>> sampler_output("exponential", times, 1.0, np.ones(1), 0.0).variance.round(3)
    array([2.57])
    """
    u, after = noise_times[:-1, None], noise_times[1:, None]
    step = u - after
    mu = np.exp(-u)
    w, w_after = noised_variance(u, assumed), noised_variance(after, assumed)
    # w − 1, which cancels nowhere near a variance of one.
    z = mu**2 * (assumed - 1.0)
    now = STEPS[method](step, mu, w, w_after, z)
    # A wrong variance: v⁺ w − w⁺ v is a multiple of v − w, as both satisfy one affine equation.
    wrong = mu**2 * (variance - assumed) / w
    ratio = noised_variance(u, variance) / w
    moved = (np.expm1(2.0 * step) + now.added) * wrong
    shape = now.slope.shape
    return Output(
        *_run(
            now.slope,
            np.broadcast_to(now.added, shape),
            ratio * now.own - moved,
            np.broadcast_to(now.mean, shape),
            4.0 * _EPSILON * now.slope_size,
            8.0 * _EPSILON * (ratio * now.own_size + np.abs(moved)),
            8.0 * _EPSILON * np.broadcast_to(now.mean_size, shape),
            horizon_excess,
            -float(mu[0, 0]),
        )
    )


def crosses_zero(method: str, noise_times: Array, assumed: Array) -> bool:
    """Return whether some step's A changes sign, or vanishes, between the assumed variances."""
    u, after = noise_times[:-1, None], noise_times[1:, None]
    w, w_after = noised_variance(u, assumed), noised_variance(after, assumed)
    z = np.exp(-2.0 * u) * (assumed - 1.0)
    slope = STEPS[method](u - after, np.exp(-u), w, w_after, z).slope
    return bool(np.any((slope.min(axis=1) <= 0.0) & (slope.max(axis=1) >= 0.0)))


@dataclass(frozen=True, slots=True)
class _Step:
    """A, g, and the defects of the variance, when v is w, and of the mean; (K, Q) or (K, 1).

    A size is the sum of the absolute terms, to which rounding is relative.
    """

    slope: Array
    slope_size: Array
    added: Array
    own: Array
    own_size: Array
    mean: Array
    mean_size: Array


def _step(
    slope: tuple[Array, ...],
    added: Array,
    own: tuple[Array, ...],
    mean: tuple[Array, ...] | None = None,
) -> _Step:
    """Add up the terms of each number; A has one more, 1."""
    parts = (np.ones_like(added), *slope), own, mean or (np.zeros_like(added),)
    sums = [sum(part[1:], part[0]) for part in parts]
    sizes = [sum(map(np.abs, part[1:]), np.abs(part[0])) for part in parts]
    return _Step(sums[0], sizes[0], added, sums[1], sizes[1], sums[2], sizes[2])


def _exponential(step: Array, mu: Array, w: Array, w_after: Array, z: Array) -> _Step:
    grown = np.expm1(step)
    return _step(
        slope=(grown, -2.0 * grown / w),
        added=np.expm1(2.0 * step),
        own=(4.0 * grown**2 / w, -2.0 * grown**2),
    )


def _euler_maruyama(step: Array, mu: Array, w: Array, w_after: Array, z: Array) -> _Step:
    growth = exponential_remainder(2.0 * step, 3) + step**2
    return _step(
        slope=(step, -2.0 * step / w),
        added=2.0 * step,
        own=(-growth * z, 4.0 * step**2 / w, -3.0 * step**2),
        mean=(-mu * exponential_remainder(step, 2),),
    )


def _flow_euler(step: Array, mu: Array, w: Array, w_after: Array, z: Array) -> _Step:
    growth = exponential_remainder(2.0 * step, 3) + step**2
    return _step(
        slope=(step * z / w,),
        added=np.zeros_like(mu),
        own=(-growth * z, -(step**2) * z / w),
        mean=(-mu * exponential_remainder(step, 2),),
    )


def _flow_exponential(step: Array, mu: Array, w: Array, w_after: Array, z: Array) -> _Step:
    grown = np.expm1(step)
    return _step(slope=(grown * z / w,), added=np.zeros_like(mu), own=(-(grown**2) * z / w,))


def _flow_heun(step: Array, mu: Array, w: Array, w_after: Array, z: Array) -> _Step:
    growth = np.expm1(2.0 * step)
    here, there = z / w, (1.0 + growth) * z / w_after
    second, third = exponential_remainder(step, 2), exponential_remainder(step, 3)
    # With growth = 2γ + 2γ² + rest, the powers of γ up to the second cancel by hand.
    rest = exponential_remainder(2.0 * step, 3)
    first = growth + step + 0.5 * step * growth
    other = 0.5 * step * (growth + step + step * growth)
    more = rest * (1.0 + 0.5 * step)
    square = (
        step**3 * (-2.0 + step * (5.0 + step * (6.0 + step)))
        + 2.0 * step * (3.0 + step * (3.0 + step)) * more
        + more**2
        - step * (1.0 + step) * 11.0 * rest
        - 3.0 * rest**2
    )
    squared = (z / w_after) ** 2
    return _step(
        slope=(0.5 * step * here, 0.5 * step * there, 0.5 * step**2 * here * there),
        added=np.zeros_like(mu),
        own=(
            (2.0 * step**3 + (step - 1.0) * rest) * (w / w_after) ** 2 * z,
            square * squared * w,
            (2.0 * first * other - growth**3) * squared * z,
            other**2 * squared * z * here,
        ),
        mean=(0.5 * mu * step * second, -mu * third, -0.5 * mu * step * there * second),
    )


#: The samplers by name.
STEPS = {
    "exponential": _exponential,
    "euler-maruyama": _euler_maruyama,
    "flow-euler": _flow_euler,
    "flow-exponential": _flow_exponential,
    "flow-heun": _flow_heun,
}


@njit(cache=True, error_model="numpy")
def _run(
    slope: Array,
    added: Array,
    defect: Array,
    mean: Array,
    slope_error: Array,
    defect_error: Array,
    mean_error: Array,
    horizon_excess: float,
    horizon_drift: float,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    steps, nodes = slope.shape
    variance, excess = np.ones(nodes), np.full(nodes, horizon_excess)
    drift = np.full(nodes, horizon_drift)
    variance_error = np.zeros(nodes)
    excess_error, drift_error = 1e-15 * np.abs(excess), 1e-15 * np.abs(drift)
    for k in range(steps):
        for q in range(nodes):
            a, error = slope[k, q], slope_error[k, q]
            doubled = 2.0 * abs(a) * error
            variance_error[q] = a * a * variance_error[q] + doubled * variance[q]
            excess_error[q] = a * a * excess_error[q] + doubled * abs(excess[q])
            excess_error[q] += defect_error[k, q]
            drift_error[q] = abs(a) * drift_error[q] + abs(drift[q]) * error + mean_error[k, q]
            variance[q] = a * a * variance[q] + added[k, q]
            variance_error[q] += 1e-15 * variance[q]
            excess[q] = a * a * excess[q] + defect[k, q]
            drift[q] = a * drift[q] + mean[k, q]
    return variance, variance_error, excess, excess_error, drift, drift_error
