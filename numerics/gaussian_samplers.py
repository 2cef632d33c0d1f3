r"""What five samplers make of Gaussian data, in closed form: divergences, path bound and all parts.

For N(m, s² I_d) and a score that is true, or has an estimated mean, or the estimated mean and
variance of N points, the sampler's output is Gaussian given the points. Their mean and variance are
independent and the mean enters in squares only, so expectations over the points are sums, or for
the plug-in score a quadrature over one χ² variable.

For the exponential sampler the path-space divergence is known too. With s_k and ŝ_k the true and
the used score at the start of step k, and because ``e^t s`` is a martingale in reverse time, it is

    prior + Σ_k γ_k E|ŝ_k − s_k|² + D_κ + 2 Σ_k (1 − e^(−γ_k) − γ_k) E⟨s_k, s_k − ŝ_k⟩,

with D_κ the mean square change of the true score within the steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.gaussian_plug_in_sampler import (
    STEPS,
    crosses_zero,
    exponential_remainder,
    noised_variance,
    sampler_output,
    variance_rule,
)
from numerics.law_quadrature import Estimate
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

#: The samplers by name: two of the reverse equation, three of its probability flow.
METHODS = tuple(STEPS)
#: What the score knows: the data's law, its variance, or nothing but the points.
SCORES = ("true", "mean", "plug-in")

_ROUNDING = 16.0 * float(np.finfo(np.float64).eps)
_COARSE, _FINE = 10, 14
_BLOCK = 40_000


@dataclass(frozen=True, slots=True)
class GaussianSamplerLosses:
    """Expectations over the training set, each with an estimate of its error.

    ``divergence`` is KL(p_ε ‖ output), from the data at the last noise time, ``target_divergence``
    KL(ν ‖ output), from the data themselves, and ``output_variance`` the output's in each
    coordinate, given the points. The others are of the exponential sampler's path: the score's
    error Σ γ_k E|ŝ_k − s_k|², D_κ, KL(p_T ‖ N(0, I)), the path-space divergence and the bound
    prior + (√score_error + √D_κ)² on it. They are None for other methods.
    """

    divergence: Estimate
    target_divergence: Estimate
    output_variance: Estimate
    score_error: Estimate | None
    discretisation_error: Estimate | None
    prior_divergence: Estimate | None
    path_divergence: Estimate | None
    bound: Estimate | None


@dataclass(frozen=True, slots=True)
class _Problem:
    """Times (K + 1,), s², d, |m|, and the mean's variance d s² / N, or 0 if the mean is known."""

    noise_times: Array
    variance: float
    dimension: int
    mean_norm: float
    mean_spread: float


def gaussian_sampler_losses(
    times: SamplerTimes,
    *,
    variance: float,
    dimension: int,
    mean_norm: float = 0.0,
    size: int | None = None,
    score: str = "true",
    method: str = "exponential",
) -> GaussianSamplerLosses:
    """Compute the expected divergences of a sampler's output for the data law N(m, s² I).

    Parameters
    ----------
    times : SamplerTimes
        Where the score is evaluated.
    variance : float
        s², > 0, in each coordinate.
    dimension : int
        d, ≥ 1.
    mean_norm : float, optional
        |m|, ≥ 0.
    size : int, optional
        The number N ≥ 1 of training points; needed unless the score is true.
    score : {"true", "mean", "plug-in"}, optional
        The score of N(m, s² I), of N(x̄, s² I), or of N(x̄, ŝ² I) with x̄ the points' mean and ŝ²
        their mean square deviation from it, over d coordinates and N points.
    method : str, optional
        One of ``METHODS``. "exponential" freezes the score over a step of the reverse equation and
        solves what remains exactly; "euler-maruyama" freezes the drift; the "flow" methods do the
        same, or Heun's, for the probability flow.

    Returns
    -------
    GaussianSamplerLosses
        Errors are estimates: rounding, and for the plug-in two resolutions of the quadrature. For a
        flow that some variance estimate maps to a point both divergences are infinite.

    Raises
    ------
    ValueError
        One line, for an argument outside its domain, and for steps so long that numbers overflow.

    Notes
    -----
    Source: farghly2026, arXiv 2507.03756, Proposition 7, for Gaussian data. The sampler starts from
    N(0, I) at the first noise time.

    Examples
    --------
    >>> from numerics.sampler_times import two_phase_times
    >>> losses = gaussian_sampler_losses(two_phase_times(0.1, 40, 40), variance=4.0, dimension=1)
    >>> round(losses.divergence.value, 8), round(losses.bound.value, 8)
    (0.00026367, 0.37326808)
    """
    problem = _checked(times, variance, dimension, mean_norm, size, score, method)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        nodes = np.array([variance])
        if score == "plug-in" and size is not None:
            degrees, scale = dimension * (size - 1), variance / (size * dimension)
            least = float(-np.expm1(-2.0 * problem.noise_times[-1]))
            nodes, weights = variance_rule(degrees, scale, least, _FINE)
            terms = _terms(problem, nodes, weights, method)
            rough = _terms(problem, *variance_rule(degrees, scale, least, _COARSE), method)
            terms = {
                name: Estimate(fine.value, fine.error + abs(fine.value - rough[name].value))
                for name, fine in terms.items()
            }
        else:
            terms = _terms(problem, nodes, np.ones(1), method)
        if method.startswith("flow") and crosses_zero(method, problem.noise_times, nodes[::4]):
            terms["divergence"] = terms["target_divergence"] = Estimate(math.inf, 0.0)
    if any(math.isnan(term.value + term.error) for term in terms.values()):
        raise ValueError(
            f"times has a longest step of {float(np.max(times.steps))!r}: with variance = "
            f"{variance!r} the output overflows; take more and shorter steps"
        )
    output = (terms["divergence"], terms["target_divergence"], terms["output_variance"])
    if method != "exponential":
        return GaussianSamplerLosses(*output, None, None, None, None, None)
    prior, change = _prior_divergence(problem), _discretisation_error(problem)
    return GaussianSamplerLosses(
        *output,
        terms["score_error"],
        change,
        prior,
        _sum(prior, terms["score_error"], change, terms["cross"]),
        _sum(prior, terms["score_error"], change, _twice_root(terms["score_error"], change)),
    )


def _checked(
    times: SamplerTimes,
    variance: float,
    dimension: int,
    mean_norm: float,
    size: int | None,
    score: str,
    method: str,
) -> _Problem:
    if not (math.isfinite(variance) and variance > 0.0):
        raise ValueError(f"variance = {variance!r}: a finite number > 0 is needed; pass 1.0, say")
    if not (math.isfinite(mean_norm) and mean_norm >= 0.0):
        raise ValueError(f"mean_norm = {mean_norm!r}: a finite number ≥ 0 is needed; pass |m|")
    if score not in SCORES:
        raise ValueError(f"score = {score!r}: it must be one of {SCORES}; pass 'mean', say")
    if method not in METHODS:
        raise ValueError(f"method = {method!r}: it must be one of {METHODS}; pass {METHODS[0]!r}")
    if score != "true" and size is None:
        raise ValueError(f"size = None: the score {score!r} needs the number of points; pass 40")
    counts: dict[str, object] = {"dimension": dimension, "size": 1 if size is None else size}
    for name, count in counts.items():
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name} = {count!r}: an integer ≥ 1 is needed; pass 1, say")
    spread = 0.0 if score == "true" or size is None else dimension * variance / size
    return _Problem(times.noise_times, variance, dimension, mean_norm, spread)


def _terms(problem: _Problem, assumed: Array, weights: Array, method: str) -> dict[str, Estimate]:
    """Return what depends on the assumed variances (Q,), averaged with their weights (Q,)."""
    # In blocks that stay in the processor's cache.
    blocks = -(-len(assumed) * len(problem.noise_times) // _BLOCK)
    parts = [
        _block_terms(problem, some, share, method)
        for some, share in zip(
            np.array_split(assumed, blocks), np.array_split(weights, blocks), strict=True
        )
        if len(some) > 0
    ]
    return {
        name: Estimate(
            math.fsum(part[name].value for part in parts),
            math.fsum(part[name].error for part in parts),
        )
        for name in parts[0]
    }


def _block_terms(
    problem: _Problem, assumed: Array, weights: Array, method: str
) -> dict[str, Estimate]:
    noise_times, s2 = problem.noise_times, problem.variance
    last = float(noise_times[-1])
    first_excess = float((1.0 - s2) * np.exp(-2.0 * noise_times[0]))
    output = sampler_output(method, noise_times, s2, assumed, first_excess)
    total = output.variance
    results = {"output_variance": (total, output.variance_error)}
    # The data themselves differ from the data at the last noise time by these.
    variance_shift, mean_shift = (1.0 - s2) * -math.expm1(-2.0 * last), math.expm1(-last)
    for name, variance_more, mean_more, target in (
        ("divergence", 0.0, 0.0, float(noised_variance(noise_times[-1:], s2)[0])),
        ("target_divergence", variance_shift, mean_shift, s2),
    ):
        excess = output.variance_excess + variance_more
        excess_error = output.excess_error + _ROUNDING * abs(variance_more)
        # Far from the target the plain difference is the more accurate one.
        direct_error = output.variance_error + _ROUNDING * target
        far = (np.abs(excess) > 0.3 * total) | (direct_error < excess_error)
        share = np.where(far, total - target, excess) / total
        spread = problem.dimension * 0.5 * _log_remainder(share, target / total)
        # From 0.3 on the logarithm is direct, and the rounding of its terms relative to them.
        share_error = np.where(
            np.abs(share) > 0.3,
            output.variance_error + _ROUNDING * total,
            np.where(far, direct_error, excess_error),
        )
        drift = output.mean_excess + mean_more
        drift_error = output.mean_error + _ROUNDING * abs(mean_more)
        slope = output.mean_excess + math.exp(-last)
        moved = (drift * problem.mean_norm) ** 2 + slope**2 * problem.mean_spread
        change = np.abs(drift) * problem.mean_norm**2 + np.abs(slope) * problem.mean_spread
        error = (
            _ROUNDING * (spread + moved / total)
            + 0.5 * problem.dimension * np.abs(share) * share_error / total
            + (moved * output.variance_error / total + change * drift_error) / total
        )
        results[name] = (spread + 0.5 * moved / total, error)
    if method == "exponential":
        results |= _path_terms(problem, assumed)
    return {
        name: Estimate(float(weights @ value), float(weights @ error))
        for name, (value, error) in results.items()
    }


def _path_terms(problem: _Problem, assumed: Array) -> dict[str, tuple[Array, Array]]:
    """Return the score's error and the cross term of the path-space divergence, (Q,) each."""
    u = problem.noise_times[:-1, None]
    step = u - problem.noise_times[1:, None]
    v, w = noised_variance(u, problem.variance), noised_variance(u, assumed)
    squared = np.exp(-2.0 * u)
    wrong = squared * (assumed - problem.variance)
    spread = problem.dimension * wrong**2 / v + squared * problem.mean_spread
    score_error = np.sum(step * spread / w**2, axis=0)
    cross = -2.0 * exponential_remainder(-step, 2) * problem.dimension * wrong / (v * w)
    return {
        "score_error": (score_error, _ROUNDING * score_error),
        "cross": (np.sum(cross, axis=0), _ROUNDING * np.sum(np.abs(cross), axis=0)),
    }


def _discretisation_error(problem: _Problem) -> Estimate:
    """Return D_κ as a sum of terms ≥ 0, each of the second order in the step."""
    step = -np.diff(problem.noise_times)
    v = noised_variance(problem.noise_times, problem.variance)
    share = -np.expm1(-2.0 * step) / v[:-1]
    left = v[1:] * np.exp(-2.0 * step) / v[:-1]
    # ∫ (1 − e^(−h))² dh over the step.
    frozen = 2.0 * exponential_remainder(-step, 3) - 0.5 * exponential_remainder(-2.0 * step, 3)
    terms = 0.5 * _log_remainder(share, left) + frozen / v[:-1]
    value = problem.dimension * float(np.sum(terms))
    return Estimate(value, _ROUNDING * value)


def _prior_divergence(problem: _Problem) -> Estimate:
    squared = math.exp(-2.0 * float(problem.noise_times[0]))
    excess = np.array([(problem.variance - 1.0) * squared])
    spread = float(_log_remainder(-excess, 1.0 + excess)[0])
    value = 0.5 * (problem.dimension * spread + problem.mean_norm**2 * squared)
    return Estimate(value, _ROUNDING * value)


def _log_remainder(share: Array, left: Array) -> Array:
    """Return −log(1 − share) − share, ≥ 0; ``left`` is 1 − share to full relative accuracy."""
    near = np.where(np.abs(share) < 0.3, share, 0.0)
    total, power = np.zeros_like(near), near * near
    for n in range(2, 34):
        total += power / n
        power = power * near
    return np.where(np.abs(share) < 0.3, total, -np.log(left) - share)


def _sum(*terms: Estimate) -> Estimate:
    values, errors = [term.value for term in terms], [term.error for term in terms]
    rounding = _ROUNDING * max(abs(value) for value in values)
    return Estimate(math.fsum(values), math.fsum(errors) + rounding)


def _twice_root(first: Estimate, second: Estimate) -> Estimate:
    """Return twice the geometric mean."""
    value = 2.0 * math.sqrt(first.value * second.value)
    if value == 0.0:
        return Estimate(0.0, 0.0)
    return Estimate(value, 0.5 * value * (first.error / first.value + second.error / second.value))
