r"""Fisher information, entropy and discretisation error along the noising of a Gaussian mixture.

The forward process is Ornstein–Uhlenbeck on the line: with ``Z`` standard normal,

    X_u = e^(−u) X_0 + σ_u Z,    σ_u² = 1 − e^(−2u),

and ``X_0`` has the law ``Σ_j w_j N(y_j, b²)``; blur ``b = 0`` gives point masses.  With ``p_u`` the
law of ``X_u``, ``s_u`` its score and ``J(u) = E|s_u(X_u)|²``, the entropy grows at the rate
``J(u) − 1``, so an integral of J over noise times is a difference of two entropies.  In reverse
time ``e^t s_{T−t}`` is a martingale, so the score's change over a step has mean square

    E|s_l(X_l) − s_e(X_e)|² = J(l) + J(e)(1 − 2e^(−h)),    h = e − l ≥ 0,

and the discretisation error of a sampler is its integral over the steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from numerics.law_quadrature import Estimate, even_edges, panel_rule
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

# Standard deviations of a component beyond which its mass, 1e-23, is left out.
_REACH = 10.0
# Panels of half a standard deviation resolve the switch between components as far apart as still
# matter; the two orders are the resolutions compared.
_PANEL, _COARSE, _FINE = 0.5, 10, 14
_EPSILON = float(np.finfo(np.float64).eps)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
# Below exp(-45) of the largest component another changes no digit.
_NEGLIGIBLE = -45.0


@dataclass(frozen=True, slots=True)
class _Mixture:
    """``Σ_j w_j N(c_j, width²)``: centres (n,), sorted, and log w_j (n,)."""

    centres: Array
    log_weights: Array
    width: float

    def reach(self) -> tuple[Array, Array]:
        """Return the ends, (n,) each, of the intervals that hold the components' mass."""
        return self.centres - _REACH * self.width, self.centres + _REACH * self.width

    def nodes(self, order: int) -> tuple[Array, Array]:
        """Return a quadrature over the line wherever the mixture has mass."""
        return _cover(*self.reach(), _PANEL * self.width, order)

    def look(self, places: Array) -> tuple[Array, Array]:
        """Return log density and score at places (m,)."""
        log_density, score = _look(places, self.centres, self.log_weights, self.width)
        return log_density, score

    @property
    def rounding(self) -> float:
        """Relative rounding of a mean: places lose digits where centres are many widths away."""
        return _EPSILON * (16.0 + 4.0 * float(np.max(np.abs(self.centres))) / self.width)


def fisher_information(
    points: ArrayLike, weights: ArrayLike | None, blur: float, noise_time: float
) -> Estimate:
    """Compute J(u), the mean square of the score of the noised law.

    Parameters
    ----------
    points : array_like, shape (n,)
        Centres of the components on the line, data units.
    weights : array_like, shape (n,), or None
        Their weights, which are scaled to add up to one; None weighs them equally.
    blur : float
        Standard deviation of every component, ≥ 0.
    noise_time : float
        u, > 0, or ≥ 0 if ``blur`` is positive.

    Returns
    -------
    Estimate
        The error compares two resolutions and adds the rounding: an estimate, not a bound.

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Notes
    -----
    Source: J of farghly2026, arXiv 2507.03756, Proposition 7 (as in benton2024).

    Examples
    --------
    >>> round(fisher_information([0.0], None, 2.0, 0.5).value, 12)  # 1 / variance
    0.475366886419
    """
    return _fisher_information(_noised(points, weights, blur, noise_time))


def entropy(
    points: ArrayLike, weights: ArrayLike | None, blur: float, noise_time: float
) -> Estimate:
    """Compute the differential entropy of the noised law, in nats.

    Parameters, errors raised and the error returned are those of `fisher_information`.

    Notes
    -----
    Source: H of the de Bruijn identity dH/du = J − 1, farghly2026, arXiv 2507.03756.

    Examples
    --------
    >>> round(entropy([0.0], None, 1.0, 0.5).value, 12)  # of the standard normal law
    1.418938533205
    """
    mixture = _noised(points, weights, blur, noise_time)
    coarse, fine = _entropy_sums(mixture, _COARSE), _entropy_sums(mixture, _FINE)
    error = abs(fine[0] - coarse[0]) + mixture.rounding * (1.0 + fine[1])
    return Estimate(fine[0], error)


def fisher_integral(
    points: ArrayLike, weights: ArrayLike | None, blur: float, first: float, last: float
) -> Estimate:
    """Compute the integral of J over the noise times from ``first`` to ``last``.

    There is no quadrature over time: it is H(last) − H(first) + last − first. The other parameters
    and errors are those of `fisher_information`.

    Notes
    -----
    Source: de Bruijn's identity for the Ornstein–Uhlenbeck process, dH/du = J − 1.

    Examples
    --------
    >>> round(fisher_integral([0.0], None, 1.0, 0.1, 2.1).value, 12)  # J = 1 throughout
    2.0
    """
    before = entropy(points, weights, blur, first)
    after = entropy(points, weights, blur, last)
    error = before.error + after.error + _EPSILON * (abs(first) + abs(last))
    return Estimate(after.value - before.value + (last - first), error)


def score_increment(
    points: ArrayLike, weights: ArrayLike | None, blur: float, early: float, late: float
) -> Estimate:
    """Compute E|s_late(X_late) − s_early(X_early)|² from its definition, by a double quadrature.

    The sampler meets ``early`` first, so ``late`` is the smaller noise time, and given X_late,
    X_early is N(e^(−h) X_late, 1 − e^(−2h)) with h = early − late. The other parameters and errors
    are those of `fisher_information`.

    Notes
    -----
    Source: the one-step error of farghly2026, arXiv 2507.03756, Proposition 7. That it equals
    J(late) + J(early)(1 − 2e^(−h)) is not used.

    Examples
    --------
    >>> increment = score_increment([-1.3, 0.4, 1.0], [0.2, 0.5, 0.3], 0.3, 1.0, 0.5)
    >>> round(increment.value, 12)
    0.896819752739
    """
    if not late < early:
        raise ValueError(
            f"late = {late!r}: it must be below early = {early!r}, as samplers go down in noise "
            "time; exchange the two"
        )
    start, end = _noised(points, weights, blur, early), _noised(points, weights, blur, late)
    coarse, fine = (_increment(start, end, early - late, order) for order in (_COARSE, _FINE))
    # The difference of two scores has the absolute rounding of each.
    scores = math.sqrt(_fisher_information(end).value * fine)
    return Estimate(fine, abs(fine - coarse) + end.rounding * (fine + scores))


def discretisation_error(
    points: ArrayLike, weights: ArrayLike | None, blur: float, times: SamplerTimes
) -> Estimate:
    """Compute D_κ, the mean square change of the score within the steps, summed over them.

    It is the sum over steps of the integral of J plus J(u_k)(γ_k − 2(1 − e^(−γ_k))). The integrals
    telescope to two entropies; the error is that of the terms, which nearly cancel for small steps.
    The other parameters and errors are those of `fisher_information`.

    Notes
    -----
    Source: D_κ of farghly2026, arXiv 2507.03756, Proposition 7, by the martingale identity.

    Examples
    --------
    >>> from numerics.sampler_times import sampler_times
    >>> one_step = sampler_times([1.0, 0.5])
    >>> round(discretisation_error([0.0], None, 1.0, one_step).value, 12)  # J = 1
    0.213061319425
    """
    last, first = times.early_stopping_time, times.horizon
    whole = fisher_integral(points, weights, blur, last, first)
    total, error = [whole.value], whole.error
    for start, end in zip(times.noise_times[:-1], times.noise_times[1:], strict=True):
        step = float(start - end)
        factor = step + 2.0 * math.expm1(-step)
        information = fisher_information(points, weights, blur, float(start))
        total.append(information.value * factor)
        error += information.error * abs(factor) + 4.0 * _EPSILON * abs(total[-1])
    return Estimate(math.fsum(total), error)


def prior_divergence(
    points: ArrayLike, weights: ArrayLike | None, blur: float, horizon: float
) -> Estimate:
    """Compute KL(p_T ‖ N(0, 1)), to relative accuracy however small it is.

    Parameters and errors are those of `fisher_information`, with ``horizon`` as the noise time.

    Notes
    -----
    With ``r = p_T / φ`` it is ∫ φ (r log r − r + 1), and ``r − 1`` is summed without cancellation
    from the components' log ratios. Source: the prior term of farghly2026, arXiv 2507.03756,
    Proposition 7.

    Examples
    --------
    >>> far = prior_divergence([0.0, 2.0], None, 0.0, 15.0)  # half the squared mean, e^(-30)
    >>> round(far.value * math.exp(30.0), 12)
    0.5
    """
    mixture = _noised(points, weights, blur, horizon, centred=False)
    excess = -math.exp(-2.0 * horizon) * (1.0 - blur) * (1.0 + blur)
    coarse, fine = (_prior_sums(mixture, excess, order) for order in (_COARSE, _FINE))
    error = abs(fine[0] - coarse[0]) + 16.0 * _EPSILON * (fine[0] + fine[1])
    return Estimate(fine[0], error)


def _noised(
    points: ArrayLike,
    weights: ArrayLike | None,
    blur: float,
    noise_time: float,
    *,
    centred: bool = True,
) -> _Mixture:
    """Check the arguments and return the noised law, about its mean if ``centred``."""
    places = np.array(points, dtype=np.float64)
    if places.ndim != 1 or places.size == 0 or not np.all(np.isfinite(places)):
        raise ValueError(
            f"points has shape {places.shape}: finite numbers in one row, (n,) with n ≥ 1, are "
            "needed; pass [-1.0, 1.0], say"
        )
    shares = np.ones_like(places) if weights is None else np.array(weights, dtype=np.float64)
    if shares.shape != places.shape or not (np.all(shares >= 0.0) and 0.0 < shares.sum() < np.inf):
        raise ValueError(
            f"weights = {weights!r}: one finite number ≥ 0 per point, not all 0, is needed; pass "
            "None for equal weights"
        )
    if not (math.isfinite(blur) and blur >= 0.0):
        raise ValueError(f"blur = {blur!r}: a finite number ≥ 0 is needed; pass 0.0 for points")
    if not (math.isfinite(noise_time) and noise_time >= 0.0 and noise_time + blur > 0.0):
        raise ValueError(
            f"noise_time = {noise_time!r}: a finite number > 0 is needed, or ≥ 0 with blur > 0; "
            "pass 0.1, say"
        )
    kept = np.flatnonzero(shares > 0.0)
    rank = kept[np.argsort(places[kept], kind="stable")]
    places, shares = places[rank], shares[rank] / math.fsum(shares)
    if centred:
        places = places - math.fsum(shares * places)
    mu = math.exp(-noise_time)
    width = math.sqrt((mu * blur) ** 2 - math.expm1(-2.0 * noise_time))
    return _Mixture(mu * places, np.log(shares), width)


@njit(cache=True)
def _look_at(place: float, centres: Array, log_weights: Array, width: float) -> tuple[float, float]:
    largest = -np.inf
    for j in range(len(centres)):
        distance = (place - centres[j]) / width
        largest = max(largest, log_weights[j] - 0.5 * distance * distance)
    mass = first = 0.0
    for j in range(len(centres)):
        distance = (place - centres[j]) / width
        depth = log_weights[j] - 0.5 * distance * distance - largest
        if depth > _NEGLIGIBLE:
            share = math.exp(depth)
            mass += share
            first -= share * distance
    return largest + math.log(mass / width) - _LOG_ROOT_TWO_PI, first / mass / width


@njit(cache=True)
def _look(places: Array, centres: Array, log_weights: Array, width: float) -> tuple[Array, Array]:
    log_density, score = np.empty_like(places), np.empty_like(places)
    for i in range(len(places)):
        log_density[i], score[i] = _look_at(places[i], centres, log_weights, width)
    return log_density, score


def _cover(low: Array, high: Array, panel: float, order: int) -> tuple[Array, Array]:
    """Return a quadrature over the union of intervals, on panels no wider than ``panel``."""
    rank = np.argsort(low, kind="stable")
    low, high = low[rank], np.maximum.accumulate(high[rank])
    gaps = np.flatnonzero(low[1:] > high[:-1])
    first, last = low[np.append(0, gaps + 1)], high[np.append(gaps, len(low) - 1)]
    pieces = [
        panel_rule(even_edges(start, end, panel), order)
        for start, end in zip(first, last, strict=True)
    ]
    return np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces])


def _fisher_information(mixture: _Mixture) -> Estimate:
    values = []
    for order in (_COARSE, _FINE):
        places, weight = mixture.nodes(order)
        log_density, score = mixture.look(places)
        values.append(float((weight * np.exp(log_density)) @ score**2))
    coarse, fine = values
    return Estimate(fine, abs(fine - coarse) + mixture.rounding * fine)


def _entropy_sums(mixture: _Mixture, order: int) -> tuple[float, float]:
    """Return −∫ p log p and the integral of its absolute value."""
    places, weight = mixture.nodes(order)
    log_density, _ = mixture.look(places)
    mass = weight * np.exp(log_density)
    return float(-(mass @ log_density)), float(mass @ np.abs(log_density))


def _increment(start: _Mixture, end: _Mixture, gap: float, order: int) -> float:
    places, weight = end.nodes(order)
    log_density, score = end.look(places)
    shrink, spread = math.exp(-gap), math.sqrt(-math.expm1(-2.0 * gap))
    # The transition's noise, on panels no wider than those of the score it ends up in.
    edges = even_edges(-_REACH, _REACH, min(1.0, _PANEL * start.width / spread))
    noise, share = panel_rule(edges, order)
    share = share * np.exp(-0.5 * noise**2 - _LOG_ROOT_TWO_PI)
    within = _squared_change(
        shrink * places,
        score,
        spread * noise,
        share,
        start.centres,
        start.log_weights,
        start.width,
    )
    return float((weight * np.exp(log_density)) @ within)


@njit(cache=True)
def _squared_change(
    means: Array,
    score: Array,
    noise: Array,
    share: Array,
    centres: Array,
    log_weights: Array,
    width: float,
) -> Array:
    total = np.zeros_like(means)
    for i in range(len(means)):
        for j in range(len(noise)):
            _, other = _look_at(means[i] + noise[j], centres, log_weights, width)
            total[i] += share[j] * (score[i] - other) ** 2
    return total


def _prior_sums(mixture: _Mixture, excess: float, order: int) -> tuple[float, float]:
    """Return ∫ φ (r log r − r + 1), and what a relative rounding of the log ratios can change."""
    low, high = mixture.reach()
    panel = _PANEL * min(1.0, mixture.width)
    places, weight = _cover(np.append(low, -_REACH), np.append(high, _REACH), panel, order)
    value, sensitivity = _divergence_terms(
        places, mixture.centres, mixture.log_weights, mixture.width, excess
    )
    return float(weight @ value), float(weight @ sensitivity)


@njit(cache=True)
def _divergence_terms(
    places: Array, centres: Array, log_weights: Array, width: float, excess: float
) -> tuple[Array, Array]:
    """Return the integrand and its sensitivity; ``excess`` is width² − 1 to full accuracy."""
    weights = np.exp(log_weights)
    mean, square, spread = np.sum(weights * centres), 0.0, 0.0
    for j in range(len(centres)):
        square += weights[j] * centres[j] ** 2
        spread += weights[j] * abs(centres[j])
    variance, level = width * width, -0.5 * math.log1p(excess)
    value, sensitivity = np.empty_like(places), np.empty_like(places)
    for i in range(len(places)):
        x = places[i]
        density = math.exp(-0.5 * x * x - _LOG_ROOT_TWO_PI)
        # r − 1 is the mean log ratio, from two moments, and what the exponentials add to it.
        ratio = level + (excess * x * x + 2.0 * x * mean - square) / (2.0 * variance)
        size = abs(level) + (abs(excess) * x * x + 2.0 * abs(x) * spread + square) / variance
        for j in range(len(centres)):
            c = centres[j]
            log_ratio = level + (excess * x * x + (2.0 * x - c) * c) / (2.0 * variance)
            ratio += weights[j] * _exponential_remainder(min(log_ratio, 700.0))
        if abs(ratio) < 0.3:
            value[i] = density * _entropy_remainder(ratio)
            sensitivity[i] = density * abs(math.log1p(ratio)) * size
        else:
            log_density, _ = _look_at(x, centres, log_weights, width)
            there = math.exp(log_density)
            log_r = log_density + 0.5 * x * x + _LOG_ROOT_TWO_PI
            value[i] = there * (log_r - 1.0) + density
            sensitivity[i] = there * (1.0 + abs(log_r)) * (1.0 + min(size, x * x + 50.0)) + density
    return value, sensitivity


@njit(cache=True)
def _exponential_remainder(x: float) -> float:
    """Return e^x − 1 − x."""
    if abs(x) > 0.5:
        return math.expm1(x) - x
    term, total = 0.5 * x * x, 0.0
    for power in range(3, 18):
        total += term
        term *= x / power
    return total


@njit(cache=True)
def _entropy_remainder(t: float) -> float:
    """Return (1 + t) log(1 + t) − t for |t| < 0.3."""
    total, power = 0.0, t * t
    for n in range(2, 32):
        total += power / (n * (n - 1))
        power *= -t
    return total
