"""The density of a noisy sampler on panels that every step chooses anew.

The panels of step k + 1 resolve both factors of the next integrand: the density, which step k has
smoothed to the scale ``sqrt(g_k)``, and the next transition, of scale ``sqrt(g_{k+1}) / |m'|`` in
the source. On a panel of half-width h let ``H^2 = h^2 / g_k + (half the range of m)^2 / g_{k+1}``.
Both factors are Gaussian at worst, so in the complex plane the integrand grows at most by
``exp(height^2 (1 / g_k + m'^2 / g_{k+1}) / 2)``, and the n-node Gauss rule errs by about
``(e H^2 / (8 n))^n`` of the integrand's peak; H is set from that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.density_kernel import log_sum_of_normals
from numerics.density_panels import ORDER, Panels, even_panels, resolve, unit_rule, unresolved
from numerics.density_result import LineDensity
from numerics.density_score import Score
from numerics.density_steps import NoisyMethod, affine_parts, noisy_mean
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

# Mass beyond the panels, and how many standard deviations of a transition that is.
_TAIL, _TAIL_REACH = 1e-19, 9.2
_MOST_PANELS = 40_000
# Targets of unit scale are resolved on recorded panels as wide as this.
_WIDEST = 3.0
# The second run, whose difference is the error estimate, is allowed this much more error.
_COARSER = 100.0


@dataclass(frozen=True, slots=True)
class Rule:
    """How finely to work: H (see above), Legendre tails allowed, and reach beyond the interval."""

    half_width: float
    tail: float
    reach: float


def rule_for(accuracy: float, steps: int) -> Rule:
    """Return the rule for a total relative accuracy of the density over so many steps."""
    each = max(accuracy / steps, 1e-15)
    half_width = math.sqrt(8.0 * ORDER / math.e * each ** (1.0 / ORDER))
    return Rule(half_width, math.sqrt(each), 1.1 * math.sqrt(-2.0 * math.log(accuracy)))


@dataclass(frozen=True, slots=True)
class Mixture:
    """A density as a mixture of Gaussians: log masses and means, (S,), and one variance."""

    logarithm: Array
    mean: Array
    variance: float

    def log_density(self, x: Array) -> Array:
        """Return the logarithm of the density at x, any shape."""
        nothing = np.zeros_like(self.mean)
        values, _, _ = log_sum_of_normals(
            x.ravel(), self.logarithm, self.mean, self.variance, nothing
        )
        return values.reshape(x.shape)


@dataclass(frozen=True, slots=True)
class State:
    """The density at one step on its panels, (P, ORDER), and as a function."""

    panels: Panels
    log_density: Array
    everywhere: Callable[[Array], Array]


def adaptive_densities(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    interval: tuple[float, float],
    accuracy: float,
    recorded: Collection[int],
    estimate_error: bool,
) -> Iterator[LineDensity]:
    """Yield the density at every recorded step.

    The error of the log density is its difference from a second run with a hundred times the
    tolerance, wider panels and less reach, which over-estimates it by far when both are resolved.
    """

    def states(allowed: float) -> Iterator[State]:
        rule = rule_for(allowed, len(times.steps))
        return _states(score, times, method, initial, interval, rule, recorded)

    coarse = states(min(_COARSER * accuracy, 0.1)) if estimate_error else None
    for k, state in enumerate(states(accuracy)):
        other = next(coarse) if coarse is not None else None
        if k in recorded:
            error = None
            if other is not None:
                error = np.abs(other.everywhere(state.panels.nodes) - state.log_density).ravel()
            yield LineDensity(
                k,
                float(times.noise_times[k]),
                state.panels.nodes.ravel(),
                state.panels.weights.ravel(),
                state.log_density.ravel(),
                error,
            )


def _states(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    interval: tuple[float, float],
    rule: Rule,
    recorded: Collection[int],
) -> Iterator[State]:
    count = len(times.steps)
    variances = [affine_parts(method, float(step))[2] for step in times.steps]
    # Before the first step the only scale known is that of a standard normal.
    smooth, everywhere = 1.0, initial
    low, high = _needed(interval, times, 0, rule)
    for k in range(count + 1):
        last = k == count
        following = smooth if last else variances[k]
        width = 2.0 * rule.half_width / math.sqrt(1.0 / smooth + 1.0 / following)
        if last or k in recorded:
            width = min(width, _WIDEST)
        _check_count((high - low) / width, interval, times, k)
        panels = even_panels(low, high, width)

        def mean(x: Array, k: int = k) -> Array:
            return noisy_mean(method, score, float(times.noise_times[k]), float(times.steps[k]), x)

        means = np.empty(0)
        if not last:
            panels, means = _resolve_step(panels, mean, smooth, following, rule)
            _check_count(len(panels.low), interval, times, k)
        found = len(panels.low)
        panels, logs = _resolve_density(panels, everywhere, k == 0, k in recorded or last, rule)
        yield State(panels, logs, everywhere)
        if last:
            return
        if len(panels.low) > found:
            means = mean(panels.nodes)
        masses = np.log(panels.weights) + logs
        mixture = Mixture(masses.ravel(), means.ravel(), variances[k])
        everywhere, smooth = mixture.log_density, variances[k]
        below, above = _needed(interval, times, k + 1, rule)
        low, high = _mass_range(mixture)
        low, high = min(low, below), max(high, above)


def _needed(
    interval: tuple[float, float], times: SamplerTimes, k: int, rule: Rule
) -> tuple[float, float]:
    """Return where the density at step k matters to the interval at the end.

    Seen from a place at the end the earlier ones spread like the forward process, inwards apart
    from noise; a step that is long for its noise time spreads more, like (1 + κ)^2.
    """
    after, steps = times.noise_times[k + 1 :], times.steps[k:]
    pad = rule.reach * math.sqrt(float(np.sum(2.0 * steps * (1.0 + steps / after) ** 2)))
    return interval[0] - pad, interval[1] + pad


def _mass_range(mixture: Mixture) -> tuple[float, float]:
    """Return an interval that holds all of the mixture but a negligible part."""
    rank = np.argsort(mixture.mean, kind="stable")
    mass = np.exp(mixture.logarithm[rank])
    first = int(np.searchsorted(np.cumsum(mass), _TAIL))
    last = len(mass) - 1 - int(np.searchsorted(np.cumsum(mass[::-1]), _TAIL))
    reach = _TAIL_REACH * math.sqrt(mixture.variance)
    return float(mixture.mean[rank[first]]) - reach, float(mixture.mean[rank[last]]) + reach


def _resolve_step(
    panels: Panels, mean: Callable[[Array], Array], smooth: float, following: float, rule: Rule
) -> tuple[Panels, Array]:
    scale = math.sqrt(following)

    def accept(tried: Panels, values: Array) -> NDArray[np.bool_]:
        half = 0.5 * (tried.high - tried.low)
        # The nodes fall a little short of the panel's ends.
        rise = 0.51 * (values.max(axis=1) - values.min(axis=1))
        tail, _ = unresolved(values)
        within = half**2 / smooth + rise**2 / following <= 1.05 * rule.half_width**2
        return np.asarray(within & (tail <= 0.1 * rule.tail * scale))

    return resolve(panels, mean, accept, _MOST_PANELS)


def _resolve_density(
    panels: Panels, log_density: Callable[[Array], Array], first: bool, recorded: bool, rule: Rule
) -> tuple[Panels, Array]:
    def accept(tried: Panels, values: Array) -> NDArray[np.bool_]:
        good = np.ones(len(values), dtype=np.bool_)
        if recorded or first:
            # Sums of exponents as large as these are rounded.
            tail, size = unresolved(values)
            good &= tail <= rule.tail + 1e-13 * (size + np.abs(values[:, 0]))
        if first:
            # A tilt only moves a Gaussian, whose scale is what has to be resolved.
            nodes = unit_rule()[0]
            slope = (values[:, -1:] - values[:, :1]) / (nodes[-1] - nodes[0])
            bent = values - slope * nodes
            good &= unresolved(np.exp(bent - bent.max(axis=1, keepdims=True)))[0] <= rule.tail
        return good

    return resolve(panels, log_density, accept, 2 * _MOST_PANELS)


def _check_count(count: float, interval: tuple[float, float], times: SamplerTimes, k: int) -> None:
    if count >= _MOST_PANELS - 1:
        raise ValueError(
            f"interval = {interval!r}: step {k} at noise time {float(times.noise_times[k]):.3g} "
            f"needs {count:.0f} panels or more, at most {_MOST_PANELS} are taken; shorten the "
            "interval, take larger steps, or stop earlier"
        )
