"""Empirical score kernels against 50-digit arithmetic: every radius contains the exact value.

Inputs count as the exact numbers their float64 bits stand for.  The reference works with 50 digits
more than the largest exponent has, so it decides the weights even at E = 1e80.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from mpmath import mpf

from numerics.empirical import (
    empirical_score,
    log_density,
    posterior_covariance,
    posterior_moments,
)
from numerics.vector_exp import DECAY_ERROR, LARGEST_DECAY, decay

Numbers = list[mpf]

#: Covariance entries compared along each axis (all of them up to this dimension).
COVARIANCE_BLOCK = 5


class Case(NamedTuple):
    """One problem; ``weights`` None is uniform."""

    x: np.ndarray
    data: np.ndarray
    mu: float
    sigma: float
    weights: np.ndarray | None = None


class Worst(NamedTuple):
    """Largest errors and radii over the queries of a case, relative to their scale."""

    score_error: float
    score_radius: float
    density_error: float
    density_radius: float


def exact(case: Case, query: np.ndarray) -> tuple[Numbers, mpf, Numbers, mpf, list[Numbers]]:
    """Return score, log density, posterior mean, trace and a block of the covariance."""
    number, dimension = case.data.shape
    shares = [1.0] * number if case.weights is None else case.weights.tolist()
    kept = [i for i in range(number) if shares[i] > 0.0]
    mu, sigma = mpf(case.mu), mpf(case.sigma)
    x = [mpf(v) for v in query.tolist()]
    points = [[mpf(v) for v in case.data[i].tolist()] for i in kept]
    logs = []
    for i, point in zip(kept, points, strict=True):
        square = mpmath.fsum((mu * a - b) ** 2 for a, b in zip(point, x, strict=True))
        logs.append(mpmath.log(mpf(shares[i])) - square / (2 * sigma**2))
    largest = max(logs)
    terms = [mpmath.exp(term - largest) for term in logs]
    total = mpmath.fsum(terms)
    terms = [term / total for term in terms]
    mean = [
        mpmath.fsum(w * p[k] for w, p in zip(terms, points, strict=True)) for k in range(dimension)
    ]
    score = [
        mpmath.fsum(w * (mu * p[k] - x[k]) for w, p in zip(terms, points, strict=True)) / sigma**2
        for k in range(dimension)
    ]
    about = [[a - b for a, b in zip(point, mean, strict=True)] for point in points]
    block = range(min(dimension, COVARIANCE_BLOCK))
    covariance = [
        [mpmath.fsum(w * a[j] * a[k] for w, a in zip(terms, about, strict=True)) for k in block]
        for j in block
    ]
    trace = mpmath.fsum(w * v * v for w, a in zip(terms, about, strict=True) for v in a)
    log_share = mpmath.log(mpmath.fsum(mpf(s) for s in shares))
    density = (
        largest
        + mpmath.log(total)
        - log_share
        - dimension * mpmath.log(2 * mpmath.pi * sigma**2) / 2
    )
    return score, density, mean, trace, covariance


def check(case: Case) -> Worst:
    """Assert that every radius contains the exact value; return the worst relative errors."""
    options: dict[str, Any] = {"mu": case.mu, "sigma": case.sigma, "weights": case.weights}
    options["return_radius"] = True
    score, score_radius = empirical_score(case.x, case.data, **options)
    density, density_radius = log_density(case.x, case.data, **options)
    mean, trace, mean_radius, trace_radius = posterior_moments(case.x, case.data, **options)
    covariance, covariance_radius = posterior_covariance(case.x, case.data, **options)
    for result in (score, density, mean, trace, covariance):
        assert np.all(np.isfinite(result))
    farthest = np.max(np.abs(case.x)) + case.mu * np.max(np.abs(case.data))
    digits = 55 + max(0, math.ceil(2 * math.log10(farthest / case.sigma + 1.0)) + 2)
    worst = [0.0, 0.0, 0.0, 0.0]
    dimension = case.data.shape[1]
    with mpmath.workdps(digits):
        for q, query in enumerate(case.x):
            true_score, true_density, true_mean, true_trace, true_covariance = exact(case, query)
            norm = mpmath.sqrt(mpmath.fsum(v * v for v in true_score))
            for k in range(dimension):
                error = abs(mpf(float(score[q, k])) - true_score[k])
                assert error <= score_radius[q, k], (case, q, k)
                if norm > 0:
                    worst[0] = max(worst[0], float(error / norm))
                    worst[1] = max(worst[1], float(mpf(float(score_radius[q, k])) / norm))
                error = abs(mpf(float(mean[q, k])) - true_mean[k])
                assert error <= mean_radius[q, k], (case, q, k)
            for j, row in enumerate(true_covariance):
                for k, true in enumerate(row):
                    error = abs(mpf(float(covariance[q, j, k])) - true)
                    assert error <= covariance_radius[q, j, k], (case, q, j, k)
            assert abs(mpf(float(trace[q])) - true_trace) <= trace_radius[q], (case, q)
            error = abs(mpf(float(density[q])) - true_density)
            assert error <= density_radius[q], (case, q)
            worst[2] = max(worst[2], float(error / abs(true_density)))
            worst[3] = max(worst[3], float(density_radius[q] / abs(true_density)))
    return Worst(*worst)


def cloud(dimension: int, number: int, many: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, dimension, number])
    return rng.normal(size=(many, dimension)), rng.normal(size=(number, dimension))


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_exact_midpoints(dimension: int) -> None:
    _, data = cloud(dimension, 2, 1, 1)
    grid = np.round(data * 8.0) / 8.0
    both = np.concatenate([grid, -grid])
    queries = np.stack([np.zeros(dimension), (grid[0] + grid[1]) / 2.0, grid[0]])
    for sigma in (1e-12, 1e-6, 1e-2, 1.0, 1e6, 1e12):
        check(Case(queries, both, 1.0, sigma))
        score, radius = empirical_score(queries[:1], both, mu=1.0, sigma=sigma, return_radius=True)
        # The residuals cancel: the error is that of the roundoff in a sum of size |data|.
        assert np.all(np.abs(score) <= 1e-14 * np.max(np.abs(both)) / sigma**2)
        # At sigma = 1e-12 exponents of 1e24 leave 8 digits of the weights in double-double.
        allowed = 1e-11 if sigma >= 1e-6 else 1e-3
        assert np.all(radius <= allowed * np.linalg.norm(both, axis=1).max() / sigma**2)


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_duplicates_and_zero(dimension: int) -> None:
    x, data = cloud(dimension, 4, 3, 2)
    for sigma in (1e-6, 0.3, 1e3):
        check(Case(np.concatenate([x, data[:1]]), np.repeat(data, 3, axis=0), 1.0, sigma))
    zero = np.zeros((3, dimension))
    check(Case(zero[:1], zero, 1.0, 1.0))
    check(Case(x, zero, 1.0, 1.0))
    check(Case(np.concatenate([zero[:1], x]), data, 0.0, 0.5))


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_points_as_close_as_sigma(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    data = 1e-6 * rng.integers(0, 4, size=(12, dimension)).astype(float)
    x = np.concatenate([data[:3] + 3e-7, data[:2], data[:2] + rng.normal(size=(2, dimension))])
    for offset in (0.0, 1.0):
        worst = check(Case(x + offset, data + offset, 1.0, 1e-6))
        assert worst.score_error <= 1e-11
        assert worst.density_error <= 1e-12


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
@pytest.mark.parametrize("offset", [1e2, 1e4, 1e6, 1e8])
def test_offsets(dimension: int, offset: float) -> None:
    x, data = cloud(dimension, 8, 3, 3)
    for sigma in (1e-6, 1e-2, 0.5):
        for mu in (1.0, 0.37):
            queries = np.concatenate([x + mu * offset, mu * (data[:3] + offset) + sigma * x])
            worst = check(Case(queries, data + offset, mu, sigma))
            assert worst.score_error <= 1e-11
            assert worst.density_error <= 1e-12


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_far_queries_and_undecidable_exponents(dimension: int) -> None:
    x, data = cloud(dimension, 6, 3, 4)
    for size in (1e3, 1e8, 1e20, 1e40):
        check(Case(x * size, data, 1.0, 1.0))
        check(Case(x * size, data * 1e-3, 0.9, 0.1))
    for sigma in (1e-12, 1e-17, 1e-20, 1e-40):
        check(Case(x, data, 0.9, sigma))
    # Equal distances that rounding cannot see: the same coordinates in another order.
    rng = np.random.default_rng(dimension)
    turned = np.stack([rng.permutation(data[0]) for _ in range(4)])
    for sigma in (1e-6, 1e-12, 1e-20, 1e-35):
        value, radius = empirical_score(
            np.full((1, dimension), 1.0 / 3.0), turned, mu=0.7, sigma=sigma, return_radius=True
        )
        check(Case(np.full((1, dimension), 1.0 / 3.0), turned, 0.7, sigma))
        width = 0.7 * (turned.max(axis=0) - turned.min(axis=0)) / sigma**2
        assert np.all(radius <= 1.001 * width + 1e-13 * np.linalg.norm(value))


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_ends_of_the_domain(dimension: int) -> None:
    x, data = cloud(dimension, 6, 2, 5)
    check(Case(x * 1e69, data * 1e69, 1.0, 1e-70))
    check(Case(x * 1e69, data * 1e69, 1.0, 1e69))
    check(Case(x * 1e-70, data * 1e-70, 1.0, 1e-70))
    check(Case(x * 1e-70, data * 1e-70, 1.0, 1e70))
    check(Case(x * 1e-300, data * 1e-310, 1.0, 1e-70))
    check(Case(x * 1e-300, data * 1e-310, 1e-10, 1e3))
    check(Case(x * 1e30, data, 1e30, 1e29))
    check(Case(x, data, 1e-20, 0.5))
    for sigma in (1e-12, 1e12):
        check(Case(x, data, 1.0, sigma))


@pytest.mark.parametrize("dimension", [1, 2, 3, 64])
def test_skewed_weights(dimension: int) -> None:
    x, data = cloud(dimension, 10, 2, 6)
    rng = np.random.default_rng(dimension)
    queries = np.concatenate([x, data[:3]])
    spread = 10.0 ** rng.uniform(-300.0, 0.0, size=10)
    sparse = rng.uniform(size=10) * (rng.uniform(size=10) < 0.5)
    sparse[:3] = [1e-308, 5e-324, 0.0]
    single = np.full(10, 1e-300)
    single[3] = 1e300
    for weights in (spread, sparse, single):
        for sigma in (1e-6, 0.03, 0.3, 1.0, 1e3):
            worst = check(Case(queries, data, 0.9, sigma, weights))
            assert worst.density_error <= 1e-12
            assert worst.score_error <= 1e-11


def test_tie_of_a_light_near_and_a_heavy_far_point() -> None:
    """Offsets of 690 nats must keep their digits where exponents are 5e7 and double-double."""
    for light in (1e-300, 3e-250, 7e-199, 2e-120):
        for share in (1e-3, 1.0, 50.0):
            gap = -math.log(light) + math.log(share)
            data = np.array([[1.0], [-math.sqrt(1.0 + 2e-8 * gap)]])
            worst = check(Case(np.zeros((1, 1)), data, 1.0, 1e-4, np.array([light, 1.0])))
            assert worst.density_radius <= 1e-12


def ordinary_cases() -> Iterator[tuple[int, float, Case]]:
    """Random problems with sigma between 1e-6 and 1e2 of the data's scale, N from 1 to 100."""
    rng = np.random.default_rng(7)
    for trial in range(140):
        dimension = int(rng.choice([1, 1, 2, 3, 5, 12]))
        number = int(rng.choice([1, 2, 3, 7, 20, 65, 100])) if dimension < 5 else trial % 9 + 1
        sigma = float(10.0 ** rng.uniform(-6.0, 2.0))
        mu = float(rng.uniform(0.2, 1.2))
        data = rng.normal(size=(number, dimension))
        x = mu * data[rng.integers(number, size=5)] + sigma * rng.normal(size=(5, dimension))
        x[:1] = rng.normal(size=(1, dimension))
        weights = rng.uniform(size=number) + 1e-3 if trial % 3 == 0 else None
        yield dimension, sigma, Case(x, data, mu, sigma, weights)


def test_ordinary_accuracy() -> None:
    for dimension, sigma, case in ordinary_cases():
        worst = check(case)
        # Relative to |score|, and to 1/sigma where the residuals cancel (|score| << 1/sigma).
        score, radius = empirical_score(
            case.x, case.data, mu=case.mu, sigma=sigma, weights=case.weights, return_radius=True
        )
        norm = np.linalg.norm(score, axis=1, keepdims=True)
        scale = np.maximum(norm, math.sqrt(dimension) / sigma)
        assert np.all(radius <= 1e-11 * scale)
        assert worst.score_error * norm.min() <= 1e-11 * scale.max()
        # The log density crosses zero: relative to at least one nat.
        density, radius = log_density(
            case.x, case.data, mu=case.mu, sigma=sigma, weights=case.weights, return_radius=True
        )
        assert np.all(radius <= 1e-12 * np.maximum(np.abs(density), 1.0))


def test_high_dimension() -> None:
    rng = np.random.default_rng(8)
    data = rng.normal(size=(3, 3072))
    x = np.concatenate([0.9 * data[:2] + 0.1 * rng.normal(size=(2, 3072)), data[:1] * 0.5])
    for sigma in (0.1, 5.0, 40.0):
        score, score_radius = empirical_score(x, data, mu=0.9, sigma=sigma, return_radius=True)
        density, density_radius = log_density(x, data, mu=0.9, sigma=sigma, return_radius=True)
        with mpmath.workdps(60):
            for q, query in enumerate(x):
                logs = [
                    -mpmath.fsum(
                        (mpf(0.9) * mpf(a) - mpf(b)) ** 2
                        for a, b in zip(point.tolist(), query.tolist(), strict=True)
                    )
                    / (2 * mpf(sigma) ** 2)
                    for point in data
                ]
                terms = [mpmath.exp(term - max(logs)) for term in logs]
                total = mpmath.fsum(terms)
                true = (
                    max(logs)
                    + mpmath.log(total / 3)
                    - 1536 * mpmath.log(2 * mpmath.pi * mpf(sigma) ** 2)
                )
                error = abs(mpf(float(density[q])) - true)
                assert error <= density_radius[q]
                assert error <= 1e-12 * abs(true)
                for k in range(0, 3072, 37):
                    residuals = [mpf(0.9) * mpf(float(p[k])) - mpf(float(query[k])) for p in data]
                    truth = (
                        mpmath.fsum(w * r for w, r in zip(terms, residuals, strict=True))
                        / total
                        / mpf(sigma) ** 2
                    )
                    error = abs(mpf(float(score[q, k])) - truth)
                    assert error <= score_radius[q, k]
                    assert score_radius[q, k] <= 1e-11 * np.linalg.norm(score[q])


def test_radius_is_not_blind_to_error() -> None:
    """A perturbation of the answer by 20 radii of an ordinary query must be seen as wrong."""
    x, data = cloud(2, 50, 20, 9)
    score, radius = empirical_score(x, data, mu=1.0, sigma=0.5, return_radius=True)
    case = Case(x, data, 1.0, 0.5)
    with mpmath.workdps(60):
        for q, query in enumerate(x):
            true = exact(case, query)[0]
            for k in range(2):
                assert abs(mpf(float(score[q, k] + 20.0 * radius[q, k])) - true[k]) > radius[q, k]
    assert np.all(radius <= 1e-12 * np.linalg.norm(score, axis=1, keepdims=True) + 1e-12 / 0.5)


def test_decay_error_bound() -> None:
    rng = np.random.default_rng(10)
    arguments = np.concatenate(
        [rng.uniform(-1.0, 700.0, 6000), 10.0 ** rng.uniform(-20.0, 2.8, 6000), [-1.0, 0.0, 700.0]]
    )
    worst = 0.0
    with mpmath.workdps(40):
        for z in arguments.tolist():
            true = mpmath.exp(-mpf(z))
            worst = max(worst, float(abs(mpf(decay(z)) - true) / true))
    assert worst <= DECAY_ERROR
    assert worst >= 0.1 * DECAY_ERROR
    assert decay(np.nextafter(LARGEST_DECAY, 1e3)) == 0.0
    assert decay(1e300) == 0.0


@pytest.mark.parametrize("sigma", [1e-9, 1e-3, 0.01, 0.3, 5.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sorted_line(sigma: float, offset: float) -> None:
    """More points than the Taylor path needs, not a multiple of 64, clustered and spread."""
    rng = np.random.default_rng([11, round(sigma * 1e9)])
    data = np.concatenate([rng.normal(size=900), 10.0 + 1e-3 * rng.normal(size=201)])
    data = (data + offset).reshape(-1, 1)
    queries = np.array([[0.3], [8.0 + 30.0 * sigma], [-9.0], [1e8 * sigma]]) + 0.8 * offset
    # Weights within a factor 2 keep the Taylor path, others must leave it.
    lightest = 0.5 if offset else 0.05
    weights = rng.uniform(lightest, 0.99, size=len(data)) if sigma > 0.1 else None
    case = Case(queries, data, 0.8, sigma, weights)
    worst = check(case)
    assert worst.density_error <= 1e-12
    assert worst.score_error <= 1e-11
    assert worst.score_radius <= 1e-11


@pytest.mark.parametrize(
    ("dimension", "number", "sigma"),
    [(1, 1500, 0.01), (2, 1100, 0.05), (3, 1100, 0.2), (20, 700, 0.1), (40, 300, 0.5)],
)
def test_many_blocks(dimension: int, number: int, sigma: float) -> None:
    """Enough blocks for screening by boxes and by leading coordinates, weights of every size."""
    rng = np.random.default_rng([12, dimension])
    data = rng.normal(size=(number, dimension))
    queries = data[:3] + sigma * rng.normal(size=(3, dimension))
    queries[2] = 3.0
    for weights in (None, 10.0 ** rng.uniform(-40.0, 0.0, size=number)):
        worst = check(Case(queries, data, 1.0, sigma, weights))
        assert worst.density_error <= 1e-12
        assert worst.score_error <= 1e-11
