"""Refitted models, ensembles, gaps and wide networks in numbers, each by a plain loop as well.

False alarm: Student intervals of sampled means fail with probability at most 2e-11 each, as the
sample grows; there are fewer than 400 (one per place of a grid). Seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.stats import norm, wasserstein_distance

from numerics.denoiser_flow import flow, normal_quantiles, normal_starts
from numerics.features import fourier_features, gaussian_features
from numerics.naive_chain import naive_chain
from numerics.neural_tangent import ReluTangentKernel
from numerics.random_fields import gaussian_weights
from numerics.schedules import schedule_named
from numerics.v_kernel_quadrature import Resolution, flat_rule
from proofs_check import feature_quantities as own
from proofs_check.feature_quantities import feature_quantities, models_drawn
from proofs_check.measurement import measure
from proofs_check.number import Method, Number
from proofs_check.point import Point, timeless
from proofs_check.sampling import FALSE_ALARM, mean_interval

Array = NDArray[np.float64]
VP = schedule_named("vp-linear")
GRID = own._GRID
QUICK = {"effort": "quick", "seed": 0, "more": 1}


def floats(point: Point) -> dict[str, float]:
    return {name: float(value) for name, value in point.values}


# --- refitted models ------------------------------------------------------------------------------


def bumps(x: Array, t: Array, early: float) -> Array:
    """4 normal densities in x times 3 in t, of width half the spacing; time runs fastest."""
    in_space = norm.pdf(x[:, None], np.linspace(-1.5, 1.5, 4), 0.5)
    width = 0.25 * (1.0 - early)
    in_time = norm.pdf(t[:, None], np.linspace(early, 1.0, 3), width)
    return np.asarray((in_space[:, :, None] * in_time[:, None, :]).reshape(len(x), 12))


def noised(clean: Array, t: Array, rng: np.random.Generator) -> Array:
    decay = 0.1 * t + 9.95 * t**2
    return np.asarray(
        np.exp(-decay) * clean + np.sqrt(-np.expm1(-2 * decay)) * rng.standard_normal(len(t))
    )


def weight_of(t: Array) -> Array:
    decay = 0.1 * t + 9.95 * t**2
    return np.asarray(np.exp(-2 * decay) / -np.expm1(-2 * decay))


def second_moments(data: Array, early: float) -> Array:
    """E λφφ', by Gauss–Legendre in log t and Gauss–Hermite around each data point."""
    nodes, in_time = np.polynomial.legendre.leggauss(80)
    times = early ** ((1 - nodes) / 2)
    in_time = in_time * times * -math.log(early) / 2 / (1 - early)
    normals, in_space = np.polynomial.hermite_e.hermegauss(80)
    in_space = in_space / math.sqrt(2 * math.pi) / len(data)
    moments = np.zeros((12, 12))
    for t, mass in zip(times, in_time, strict=True):
        mu, sigma = float(VP.mu(t)), math.sqrt(float(VP.sigma2(t)))
        for point in data:
            phi = bumps(mu * point + sigma * normals, np.full(80, t), early)
            moments += mass * float(weight_of(t)) * (phi.T * in_space) @ phi
    return moments


@pytest.mark.parametrize(
    ("case", "ridge"), [("features-two-points", 0), ("features-three-points", "1/10")]
)
def test_fitted_variance_by_a_plain_loop(case: str, ridge: object) -> None:
    """3000 models each way, from different draws: their difference holds zero."""
    point = timeless(case, N=300, a="4/5", eps="1/10", ridge=ridge)
    values, models, size = floats(point), 3000, 300
    data = values["a"] * np.array([-1.0, 1.0] if "two" in case else [-1.0, 0.0, 1.0])
    rng = np.random.default_rng(np.random.SeedSequence(41))
    moments = second_moments(data, 0.1)
    weights = np.empty((models, 12))
    for model in range(models):
        clean, t = rng.choice(data, size=size), rng.uniform(0.1, 1.0, size)
        phi, stress = bumps(noised(clean, t, rng), t, 0.1), weight_of(t)
        gram = (phi.T * stress) @ phi / size + values["ridge"] * np.eye(12)
        weights[model] = np.linalg.solve(gram, phi.T @ (stress * clean) / size)
    apart = weights[0::2] - weights[1::2]
    mean, width = mean_interval(np.einsum("nf,fg,ng->n", apart, moments, apart) / 2, None)
    found = own._fitted(point, models, 7)
    assert found.method is Method.SAMPLING
    assert abs(found.value - mean) < found.error + width
    assert found.error + width < 0.6 * mean


def test_leading_order_by_sampled_sums() -> None:
    """tr Σ Cov(w) = tr Σ⁻¹B/N, B = E λ²(x_0 − m̂)²φφ' with m̂ = E λx_0φ' Σ⁻¹φ, from 4e5 draws.

    The trace is linear in B: one Student interval, Σ and the fit being known by quadrature.
    """
    point = timeless("features-two-points", N=120, eps="1/10")
    data, draws = np.array([-1.0, 1.0]), 400_000
    rng = np.random.default_rng(np.random.SeedSequence(42))
    clean, t = rng.choice(data, size=draws), rng.uniform(0.1, 1.0, draws)
    phi, stress = bumps(noised(clean, t, rng), t, 0.1), weight_of(t)
    moments = second_moments(data, 0.1)
    nodes, in_time = np.polynomial.legendre.leggauss(80)
    times = 0.1 ** ((1 - nodes) / 2)
    in_time = in_time * times * math.log(10) / 2 / 0.9
    normals, in_space = np.polynomial.hermite_e.hermegauss(80)
    cross = np.zeros(12)
    for u, mass in zip(times, in_time, strict=True):
        for c in data:
            x = float(VP.mu(u)) * c + math.sqrt(float(VP.sigma2(u))) * normals
            share = mass * float(weight_of(u)) * c / 2 / math.sqrt(2 * math.pi)
            cross += share * in_space @ bumps(x, np.full(80, u), 0.1)
    fitted = np.linalg.solve(moments, cross)
    error = stress * (clean - phi @ fitted)
    terms = error**2 * np.sum(phi * np.linalg.solve(moments, phi.T).T, axis=1) / 120
    mean, width = mean_interval(terms, None)
    found = own._leading(point)
    assert found.error < 1e-6 * found.value
    assert width < 0.1 * mean
    assert abs(found.value - mean) < width


def test_halves_of_more_models_are_new_models() -> None:
    point = timeless("features-two-points", N=60, eps="1/10", ridge="1/10")
    assert own._weights(point, 0, 6, 3)[4:].tolist() == own._weights(point, 4, 2, 3).tolist()
    assert own._weights(point, 0, 2, 3).tolist() != own._weights(point, 0, 2, 4).tolist()


# --- ensembles ------------------------------------------------------------------------------------


def rounded_up(samples: Array) -> Array:
    """To the grid; beyond its last place to one more, and below its first to the first."""
    step = GRID[1] - GRID[0]
    places = np.ceil((samples - GRID[0]) / step).clip(0, len(GRID))
    return np.asarray(GRID[0] + step * places)


def samples_of(point: Point, weights: Array) -> Array:
    """Where 64 starts end under each model, seen along each direction: (directions, samples)."""
    early, scale = floats(point)["eps"], math.sqrt(-math.expm1(-2 * 10.05))
    options = {"steps": 30, "early_stopping_time": early}
    if "four" in point.case:
        features = gaussian_features((3, 3, 2), early_stopping_time=early)
        begin = normal_starts(64, 2, seed=0, scale=scale)
        ends = flow(features, weights, begin, VP, **options).reshape(-1, 2)
        return np.array([ends @ [math.cos(u), math.sin(u)] for u in np.pi * np.arange(8) / 8])
    features = (
        gaussian_features((3, 2), early_stopping_time=early)
        if "two" in point.case
        else fourier_features((3, 3), early_stopping_time=early)
    )
    begin = normal_quantiles(64, scale=scale)
    return np.asarray(flow(features, weights, begin, VP, **options)).reshape(1, -1)


@pytest.mark.parametrize(
    "case", ["ensemble-two-points", "ensemble-three-points", "ensemble-four-points"]
)
def test_distances_are_those_of_rounded_samples(case: str) -> None:
    """400 models in two halves: scipy's W₁ of all rounded samples, pooled over models."""
    point, models, seed = timeless(case), 400, 5
    found = own._distances(point, models, seed)
    known, others = (own._weights(point, first, 200, seed) for first in (0, 200))
    mean, (_, outputs, features) = known.mean(axis=0), known.shape
    joint = np.cov(known.reshape(200, -1).T).reshape(outputs, features, outputs, features)
    drawn = gaussian_weights(
        mean, joint.transpose(0, 2, 1, 3), 200, np.random.SeedSequence((seed, 1, 0))
    )
    ensemble, effective, alone = (
        rounded_up(samples_of(point, weights)) for weights in (others, drawn, mean[None])
    )
    for name, other in {"ensemble_distance": effective, "flow_distance": alone}.items():
        along = [wasserstein_distance(u, v) for u, v in zip(ensemble, other, strict=True)]
        assert found[name].value == pytest.approx(np.mean(along), rel=1e-9, abs=1e-9)
        assert found[name].method is Method.SAMPLING
        assert 0 < found[name].error < GRID[-1] - GRID[0]


def test_samples_off_the_grid_count_at_its_ends() -> None:
    """Large weights send a share of the samples below the grid, and another above it."""
    point = timeless("ensemble-two-points")
    rng = np.random.default_rng(np.random.SeedSequence(44))
    weights = 60 * rng.standard_normal((50, 1, 6))
    samples = samples_of(point, weights)[0].reshape(50, 64)
    found = own._distribution(point, weights)
    shares = np.mean(samples[:, :, None] < GRID, axis=1)
    assert found == pytest.approx(shares, abs=1e-12)
    assert 0.05 < found[:, 0].mean() < found[:, -1].mean() < 0.95


def test_intervals_of_a_distribution_function_cover_the_whole_grid() -> None:
    """20 000 models of one uniform sample each: the mean's law is known at every place."""
    rng = np.random.default_rng(np.random.SeedSequence(43))
    truth = np.clip((GRID + 2) / 4, 0, 1)
    mean, width = own._mean((rng.random((20_000, 1)) <= truth).astype(float))
    assert np.all(np.abs(mean - truth) <= width)
    deviation = np.sqrt(truth * (1 - truth) / 20_000)
    agreed = -np.log(own.FALSE_ALARM / (2 * len(GRID))) / 20_000
    assert np.all(width <= np.maximum(9 * deviation, agreed * (1 + 1e-12)))
    middle = np.abs(GRID) < 1
    assert np.all(width[middle] >= 6 * deviation[middle])


def test_area_is_a_mean_over_directions_of_sums_over_the_grid() -> None:
    step = float(GRID[1] - GRID[0])
    first, second = float(GRID[60]), float(GRID[85])
    lower, upper = (np.where(first <= GRID, 1.0, 0.0), np.where(second <= GRID, 1.0, 0.0))
    widths = np.full(len(GRID), 1e-3)
    one = own._area(upper - lower, widths, 1.0)
    assert one.value == pytest.approx(second - first)
    assert one.error == pytest.approx(1e-3 * len(GRID) * step)
    both = np.concatenate([upper - lower, 0 * lower]), np.concatenate([widths, widths])
    two = own._area(*both, 1.0)
    assert two.value == pytest.approx((second - first) / 2)
    assert two.error == pytest.approx(one.error)
    assert own._area(*both, 3.0).value == pytest.approx(3 * two.value)


# --- gaps -----------------------------------------------------------------------------------------


def test_gap_masses_are_shares_of_the_chains() -> None:
    point = timeless("naive-two-points-vp", K=20, kappa="1/20", a="3/2")
    for fresh in (True, False):
        found = own._gap_mass(point, 3000, 2, fresh=fresh)
        ends = naive_chain(
            [1.5, -1.5][::-1],
            VP,
            memory=0.05 if fresh else 0.0,
            paths=3000,
            steps=20,
            early_stopping_time=0.1,
            horizon=1.0,
            seed=2,
        )
        count = sum(-0.75 < x < 0.75 for x in ends.tolist())
        assert found.value == pytest.approx(count / 3000)
        logarithm = math.log(4 / FALSE_ALARM)
        assert 7 * logarithm / 3 / 2999 < found.error < 1


def test_gap_mass_without_noise_tends_to_that_of_the_law() -> None:
    """P_0 of the noised law at ε, to O(1/K): the gap of Euler's steps halves with the step."""
    mu, sigma = float(VP.mu(0.1)), math.sqrt(float(VP.sigma2(0.1)))
    law = norm(scale=sigma)
    exact = law.cdf(0.5 - mu) - law.cdf(-0.5 - mu)
    errors = []
    for steps in (50, 200):
        found = own._gap_mass(timeless("naive-two-points-vp", K=steps), 100_000, 1, fresh=False)
        errors.append(found.value - exact)
    assert abs(errors[1]) < found.error + abs(errors[0]) / 2


# --- wide networks --------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [1, 1000])
def test_wide_network_by_exponentials_of_matrices(time: int) -> None:
    """No eigenfunctions: with S = √w K √w the filter is F = I − e^{−τS}, and V = tr F D F/N.

    Modes whose eigenvalues are rounding are never fitted, and count all the same.
    """
    point = timeless("training-time-relu", training_time=time, N=50)
    values = floats(point)
    shape = gaussian_features((6, 4), early_stopping_time=values["eps"])
    data = values["a"] * np.array([[-1.0], [0.0], [1.0]])
    rule = flat_rule(
        data, shape, VP, Resolution(1.0, 4), early_stopping_time=values["eps"], negligible=1e-6
    )
    stress = weight_of(rule.times)
    roots = np.sqrt(stress * rule.probabilities)
    nodes = np.column_stack([rule.points, rule.times])
    system = roots[:, None] * ReluTangentKernel(2)(nodes, nodes) * roots[None, :]
    left = expm(-time * system)
    fitted = np.eye(len(left)) - left
    noise = stress * rule.covariances[:, 0, 0] / 50
    wanted = {
        "trained_variance": np.sum(noise * np.sum(fitted**2, axis=1)),
        "leading_variance": np.sum(noise),
        "unfitted_variance": np.sum(noise * np.diagonal(left)),
        "early_variance": np.sum(noise * np.diagonal(time**2 * system @ system)),
    }
    found = feature_quantities(point, [*wanted], **QUICK)  # type: ignore[arg-type]
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, rel=1e-8), name
        assert found[name].method is Method.QUADRATURE


# --- what is offered, and refused -----------------------------------------------------------------


def test_only_what_a_case_measures_is_given() -> None:
    point = timeless("features-two-points")
    assert feature_quantities(point, ["gap_mass", "C_sm"], **QUICK) == {}  # type: ignore[arg-type]
    assert [*feature_quantities(point, ["leading_variance"], **QUICK)] == ["leading_variance"]  # type: ignore[arg-type]
    both = measure(point, ["feature_count", "leading_variance"], effort="quick")
    assert both["feature_count"] == Number(12.0, 0.0, Method.ENCLOSURE)
    counts = {
        "ensemble-two-points": 6,
        "ensemble-three-points": 9,
        "ensemble-four-points": 18,
        "features-three-points": 12,
    }
    for case, count in counts.items():
        assert timeless(case).law.quantities({})["feature_count"] == count


def test_evidence_says_how_many() -> None:
    models = own._ENSEMBLE["quick"], 2 * own._REFITS["quick"]
    assert models_drawn(timeless("ensemble-two-points"), "quick").startswith(f"{models[0]} models")
    twice = models_drawn(timeless("features-two-points"), "quick", 2)
    assert twice.startswith(f"{models[1]} models")
    chains = models_drawn(timeless("naive-two-points-ou"), "quick")
    assert chains.startswith(f"{own._PATHS['quick']} chains")
    assert "Bernstein" in chains


@pytest.mark.parametrize(
    ("case", "values", "words"),
    [
        ("features-two-points", {"N": 13}, "take ridge > 0 or a larger N"),
        ("features-three-points", {"N": 13, "eps": 1}, "take a smaller eps"),
        ("ensemble-two-points", {"N": 7, "ridge": 0}, "N >= F . 2 = 8"),
        ("ensemble-three-points", {"eps": sp.Rational(3, 2)}, "eps is below the horizon 1"),
        ("features-two-points", {"ridge": -1}, "ridge is a real number"),
        ("features-two-points", {"N": 0}, "N is an integer"),
    ],
)
def test_refusals_are_one_line(case: str, values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        timeless(case, **values)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)


def test_the_least_training_sizes_are_accepted() -> None:
    assert dict(timeless("features-two-points", N=14).values)["N"] == 14
    assert dict(timeless("features-two-points", N=1, ridge="1/100").values)["N"] == 1
    assert dict(timeless("ensemble-two-points", N=8, ridge=0).values)["N"] == 8
