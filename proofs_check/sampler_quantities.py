"""What a sampler costs, where it is no closed form: quadrature and deterministic transport.

The law of a sampler on the line is transported through its Gaussian transitions, so no number here
has sampling noise. The discretisation error is integrated from its definition, two noise times at
a time, and not from the identity that claims check it against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from numerics import fisher_information as fisher
from numerics.density import transport_density
from numerics.density_result import kl_divergence
from numerics.density_score import empirical_score_line
from numerics.gaussian_samplers import gaussian_sampler_losses
from numerics.law_quadrature import Estimate
from numerics.sampler_times import SamplerTimes, two_phase_times
from proofs_check.best_step import best_steps
from proofs_check.number import Method, Number
from proofs_check.point import Point

Array = NDArray[np.float64]

#: Orders of the Gauss rules over each step whose results are compared.
_ORDERS = (3, 5)
_ROUNDING = 2.0**-50


def sampler_quantities(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Return those of the named quantities that a sampler's or reverse process's case computes."""
    if point.case.startswith("gaussian-sampler"):
        return {**_least(point, names), **_plug_in(point, names)}
    if point.case not in ("mixture-sampler", "two-points-sampler", "reverse-mixture"):
        return {}
    wanted = [name for name in names if name in point.law.measured]
    found: dict[str, Number] = {}
    for name in wanted:
        estimate = _estimate(point, name)
        if estimate is not None:
            error = estimate.error + _ROUNDING * abs(estimate.value)
            found[name] = Number(estimate.value, error, Method.QUADRATURE)
    return found


def _least(point: Point, names: Sequence[str]) -> dict[str, Number]:
    if not {"least_KL", "least_bound"} & {*names}:
        return {}
    best = best_steps(point)
    assert best is not None
    found = zip(("least_KL", "least_bound"), best, strict=True)
    return {n: Number(b.value.value, b.value.error, Method.QUADRATURE) for n, b in found}


def _plug_in(point: Point, names: Sequence[str]) -> dict[str, Number]:
    if point.case != "gaussian-sampler-plug-in":
        return {}
    values = dict(point.values)
    losses = gaussian_sampler_losses(
        _times(point),
        variance=float(values["s2"]),
        dimension=int(values["d"]),
        mean_norm=float(values["b"]),
        size=int(values["N"]),
        score="plug-in",
    )
    assert losses.path_divergence is not None
    assert losses.prior_divergence is not None
    path, prior = losses.path_divergence, losses.prior_divergence
    known = {
        "KL": losses.divergence,
        "score_error": losses.score_error,
        "path_error": Estimate(path.value - prior.value, path.error + prior.error),
    }
    return {
        name: Number(estimate.value, estimate.error, Method.QUADRATURE)
        for name, estimate in known.items()
        if name in names and estimate is not None
    }


@lru_cache(maxsize=512)
def _estimate(point: Point, name: str) -> Estimate | None:
    law = _law(point)
    if name in ("score_increment", "fisher_late", "fisher_early"):
        gap = dict(point.claim_values).get("gap")
        if gap is None or point.one_time is None:
            return None
        late = float(point.one_time)
        early = float(point.one_time + gap)
        if name == "score_increment":
            return fisher.score_increment(*law, early, late)
        return fisher.fisher_information(*law, late if name == "fisher_late" else early)
    if name == "KL_prior":
        horizon = point.one_time if point.law.time_measure is None else _horizon(point)
        return None if horizon is None else fisher.prior_divergence(*law, float(horizon))
    if name == "D_kappa":
        return _discretisation_error(law, _times(point))
    if name == "KL":
        return _divergence(point)
    times = _times(point)
    if name == "fisher_integral":
        return fisher.fisher_integral(*law, times.early_stopping_time, times.horizon)
    weights = {
        "fisher_steps": times.steps,
        "fisher_drift": -2.0 * np.expm1(-times.steps),
        "step_fisher": times.steps**3,
    }[name]
    nodes = [fisher.fisher_information(*law, float(u)) for u in times.noise_times[:-1]]
    return _summed(weights, nodes)


def _summed(weights: Array, terms: Sequence[Estimate]) -> Estimate:
    value = float(weights @ np.array([term.value for term in terms]))
    error = float(np.abs(weights) @ np.array([term.error for term in terms]))
    return Estimate(value, error + _ROUNDING * len(terms) * abs(value))


def _discretisation_error(law: tuple[Array, Array, float], times: SamplerTimes) -> Estimate:
    """Integrate E|s(Y_t) − s(Y_{t_k})|² over each step by two Gauss rules."""
    totals = []
    for order in _ORDERS:
        nodes, weights = np.polynomial.legendre.leggauss(order)
        terms, steps = [], []
        for early, step in zip(times.noise_times, times.steps, strict=False):
            for node, weight in zip(nodes, weights, strict=True):
                late = float(early - step * (1.0 + node) / 2.0)
                terms.append(fisher.score_increment(*law, float(early), late))
                steps.append(step * weight / 2.0)
        totals.append(_summed(np.array(steps), terms))
    coarse, fine = totals
    return Estimate(fine.value, fine.error + abs(fine.value - coarse.value))


def _divergence(point: Point) -> Estimate:
    """Return E KL(p_ε‖q̂): over the number of training points at +a, or for the true score."""
    times = _times(point)
    points, weights, blur = _law(point)
    target = partial(log_density, points, weights, blur, u=times.early_stopping_time)
    if point.case == "mixture-sampler":
        return _transported(partial(mixture_score, points, weights, blur), times, target)
    values = dict(point.values)
    size, share, a = int(values["N"]), values["p"], float(values["a"])
    terms, masses = [], []
    for count in range(size + 1):
        mass = sp.binomial(size, count) * share**count * (1 - share) ** (size - count)
        if mass == 0:
            continue
        score, _ = empirical_score_line([-a, a], [size - count, count])
        masses.append(float(mass))
        terms.append(_transported(score, times, target))
    return _summed(np.array(masses), terms)


def _transported(
    score: Callable[[Array, float], Array], times: SamplerTimes, target: Callable[[Array], Array]
) -> Estimate:
    return kl_divergence(target, transport_density(score, times).final)


def mixture_score(points: Array, weights: Array, blur: float, x: Array, u: float) -> Array:
    """Return the score at places (n,) of the noised law Σ w_j N(e^{−u} y_j, v), see below.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> mixture_score(one, one, 0.0, np.array([0.0]), 50.0).round(12) + 0.0
    array([0.])
    """
    centres, variance, logs = _noised(points, weights, blur, x, u)
    share = np.exp(logs - logs.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    return np.asarray((share * (centres - x[:, None])).sum(axis=1) / variance)


def log_density(points: Array, weights: Array, blur: float, x: Array, u: float) -> Array:
    """Return the log density at places (n,) of the same law, v = e^{−2u} blur² + 1 − e^{−2u}.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> log_density(one, one, 1.0, np.array([0.0]), 50.0).round(6)
    array([-0.918939])
    """
    _, variance, logs = _noised(points, weights, blur, x, u)
    largest = logs.max(axis=1)
    summed = largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1))
    return np.asarray(summed - 0.5 * np.log(2.0 * np.pi * variance))


def _noised(
    points: Array, weights: Array, blur: float, x: Array, u: float
) -> tuple[Array, float, Array]:
    mu, sigma2 = np.exp(-u), -np.expm1(-2.0 * u)
    variance = float(mu**2 * blur**2 + sigma2)
    centres = mu * points[None, :]
    logs = np.log(weights)[None, :] - 0.5 * (x[:, None] - centres) ** 2 / variance
    return centres, variance, logs


def _law(point: Point) -> tuple[Array, Array, float]:
    """Return centres, weights and blur of the law on the line."""
    values: Mapping[str, sp.Expr] = dict(point.values)
    a = float(values["a"])
    if point.case == "two-points-sampler":
        share = float(values["p"])
        held = [(x, w) for x, w in ((-a, 1.0 - share), (a, share)) if w > 0.0]
        return np.array([x for x, _ in held]), np.array([w for _, w in held]), 0.0
    count = int(values["K"])
    centres = a * np.cos(2.0 * np.pi * (np.arange(count) + 1.0 / 3.0) / count)
    return centres, np.full(count, 1.0 / count), float(values["s"])


def _times(point: Point) -> SamplerTimes:
    values = dict(point.values)
    return two_phase_times(float(values["kappa"]), int(values["L"]), int(values["m"]))


def _horizon(point: Point) -> sp.Expr:
    values = dict(point.values)
    return values["kappa"] * values["L"] + 1
