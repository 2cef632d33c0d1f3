"""The density of a sampler in the plane against closed forms, products and the line."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

from numerics import empirical_score
from numerics.density import empirical_score_line, kl_divergence, transport_density
from numerics.density_2d import (
    PlaneDensity,
    empirical_score_plane,
    kl_divergence_2d,
    transport_density_2d,
)
from numerics.density_steps import NOISY, affine_parts
from numerics.sampler_times import two_phase_times

MEAN = np.array([0.4, -0.3])
COVARIANCE = np.array([[0.5, 0.2], [0.2, 0.3]])


def log_normal(x):
    return -0.5 * x * x - 0.5 * math.log(2.0 * math.pi)


def log_normal_plane(x):
    return -0.5 * (x**2).sum(axis=1) - math.log(2.0 * math.pi)


def precision(u):
    return np.linalg.inv(math.exp(-2.0 * u) * COVARIANCE - math.expm1(-2.0 * u) * np.eye(2))


def gaussian_score(x, u):
    return -(x - math.exp(-u) * MEAN) @ precision(u)


@pytest.mark.parametrize("method", NOISY)
def test_gaussian_target_is_gaussian(method):
    times = two_phase_times(0.2, 10, 12)
    run = transport_density_2d(gaussian_score, times, method=method, record=[0, 5])
    mean, covariance = np.zeros(2), np.eye(2)
    for u, step in zip(times.noise_times[:-1], times.steps, strict=True):
        scale, share, noise = affine_parts(method, float(step))
        linear = scale * np.eye(2) - share * precision(float(u))
        mean = linear @ mean + share * precision(float(u)) @ (math.exp(-u) * MEAN)
        covariance = linear @ covariance @ linear.T + noise * np.eye(2)
    final = run.final
    assert sorted(run.snapshots) == [0, 5, 22]
    away = np.stack(np.meshgrid(final.x, final.y, indexing="ij"), axis=-1) - mean
    inverse = np.linalg.inv(covariance)
    square = np.einsum("ijk,kl,ijl->ij", away, inverse, away)
    truth = -0.5 * square - math.log(2.0 * math.pi) - 0.5 * math.log(np.linalg.det(covariance))
    near = square < 25.0
    assert np.abs(np.log(final.density[near]) - truth[near]).max() < 1e-8
    assert final.mass_defect < 1e-9
    found = kl_divergence_2d(log_normal_plane, final)
    exact = 0.5 * (np.trace(inverse) + mean @ inverse @ mean - 2.0)
    exact += 0.5 * math.log(np.linalg.det(covariance))
    assert abs(found.value - exact) <= found.error
    assert found.error < 1e-6


def test_product_of_two_lines():
    times = two_phase_times(0.2, 10, 16)
    first, _ = empirical_score_line([-1.0, 0.2, 1.3])
    second, _ = empirical_score_line([-0.5, 0.7])

    def product(x, u):
        return np.stack([first(x[:, 0], u), second(x[:, 1], u)], axis=1)

    final = transport_density_2d(product, times, interval=(-8.0, 8.0)).final
    line = [transport_density(score, times).final for score in (first, second)]
    exact = sum(kl_divergence(log_normal, each).value for each in line)
    found = kl_divergence_2d(log_normal_plane, final)
    assert abs(found.value - exact) <= found.error
    assert found.error < 1e-8
    assert final.mass_defect < 1e-9
    # The marginals have the moments of the lines.
    marginal = final.density.sum(axis=1) * final.cell
    assert marginal @ final.x**2 == pytest.approx(line[0].masses @ line[0].nodes ** 2, abs=1e-9)


def test_empirical_score_in_the_plane():
    times = two_phase_times(0.25, 12, 12)
    data = np.random.default_rng(4).standard_normal((60, 2))
    values = []
    for accuracy in (1e-9, 1e-11):
        final = transport_density_2d(empirical_score_plane(data), times, accuracy=accuracy).final
        assert final.mass_defect < 1e-9
        values.append(kl_divergence_2d(log_normal_plane, final))
    assert abs(values[0].value - values[1].value) <= values[0].error
    assert values[0].error < 1e-6


@pytest.mark.parametrize("u", [2.0, 0.1, 1e-3])
def test_score_kernel_against_the_bounded_one(u):
    rng = np.random.default_rng(6)
    data, weights = rng.standard_normal((130, 2)), rng.random(130)
    weights[3] = 0.0
    x = 2.0 * rng.standard_normal((1003, 2))
    mu, sigma = math.exp(-u), math.sqrt(-math.expm1(-2.0 * u))
    truth, radius = empirical_score(
        x, data, mu=mu, sigma=sigma, weights=weights, return_radius=True
    )
    found = empirical_score_plane(data, weights)(x, u)
    assert np.all(np.abs(found - truth) <= 10.0 * radius + 1e-12 / sigma**2)


def test_bits_do_not_depend_on_threads():
    data = np.random.default_rng(4).standard_normal((30, 2))
    times = two_phase_times(0.5, 4, 4)
    before, found = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            final = transport_density_2d(
                empirical_score_plane(data), times, estimate_error=False
            ).final
            found.append(final.density.tobytes())
    finally:
        numba.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "flow-euler"}, "method = 'flow-euler'"),
        ({"interval": (2.0, 2.0)}, "interval = "),
        ({"accuracy": 0.5}, "accuracy = 0.5"),
        ({"record": [-1]}, "record holds -1"),
        ({"most_nodes": 1000}, "needs .* nodes .*GB.*most_nodes="),
    ],
)
def test_refusals_are_one_line(arguments, words):
    with pytest.raises(ValueError, match=words) as caught:
        transport_density_2d(gaussian_score, two_phase_times(0.5, 2, 2), **arguments)
    assert "\n" not in str(caught.value)


def test_bad_scores_targets_and_data_are_refused():
    times = two_phase_times(0.5, 2, 2)
    with pytest.raises(ValueError, match="score returned shape"):
        transport_density_2d(lambda x, u: x[:, 0], times)
    with pytest.raises(ValueError, match="must be finite"):
        transport_density_2d(lambda x, u: np.full_like(x, np.nan), times)
    with pytest.raises(ValueError, match="data has shape"):
        empirical_score_plane(np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"u = -1\.0"):
        empirical_score_plane(np.zeros((3, 2)))(np.zeros((1, 2)), -1.0)
    axis = np.linspace(-2.0, 2.0, 21)
    with pytest.raises(ValueError, match="log_target: its mass"):
        kl_divergence_2d(log_normal_plane, PlaneDensity(0, 1.0, axis, axis, np.ones((21, 21)), 0.0))
