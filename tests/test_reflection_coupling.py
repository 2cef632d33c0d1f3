"""Reflection-maximal coupling: closed forms against mpmath, the coupling itself and its limit."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, linalg

from numerics.clipped_step import ClippedStep
from numerics.distance_chain import distance_moments
from numerics.reflection_coupling import (
    ConcaveFunction,
    best_concave_function,
    contraction_range,
    slowest_concave_function,
    truncated_mean,
)

STEP = ClippedStep(0.1, 0.2, 1.0, 1.0, 5.0)


def couple(step, displaced, rng):
    """Move pairs of means by the coupling, as it is defined."""
    sigma = step.noise_width / 2
    z = rng.normal(size=displaced.shape)
    accept = np.exp(-0.5 * ((z + displaced / sigma) ** 2 - z * z))
    return np.where(rng.random(displaced.shape) < accept, 0.0, np.abs(displaced + 2 * sigma * z))


def test_truncated_mean_to_14_digits():
    rng = np.random.default_rng(1)
    h, b = 10 ** rng.uniform(-12, 4, size=(2, 400))
    b[::3] = h[::3] * (1 + 1e-3 * rng.normal(size=b[::3].shape))
    width = 0.7
    with mp.workdps(80):

        def psi(t):
            return t / 2 * mp.erf(t / mp.sqrt(2)) + mp.npdf(t)

        exact = [
            mp.mpf(width) * (psi((mp.mpf(x) + y) / width) - psi((mp.mpf(y) - x) / width))
            for x, y in zip(h, b, strict=True)
        ]
        errors = [
            abs(mp.mpf(v) / e - 1) for v, e in zip(truncated_mean(h, b, width), exact, strict=True)
        ]
    assert max(errors) < 1e-14
    np.testing.assert_array_equal(truncated_mean(-h, b, width), -truncated_mean(h, b, width))
    np.testing.assert_allclose(truncated_mean(h, np.inf, width), h, rtol=1e-15)


@pytest.mark.parametrize("distance", [0.01, 0.7, 3.0])
def test_mean_after_the_coupling_is_that_of_the_odd_extension(distance):
    f = ConcaveFunction((0.5, 2.0), (1.0, 0.3), 0.1)
    sigma = STEP.noise_width / 2
    h = STEP.displacement(distance)

    def density(z):
        return (math.exp(-z * z / 2) - math.exp(-((z + h / sigma) ** 2) / 2)) / math.sqrt(
            2 * math.pi
        )

    start = -h / (2 * sigma)
    kinks = [(k - h) / (2 * sigma) for k in f.knots]
    mean, _ = integrate.quad(
        lambda z: f.value_at(h + 2 * sigma * z) * density(z), start, 12, points=kinks, limit=200
    )
    assert f.after(STEP, distance) == pytest.approx(mean, rel=1e-9)


def test_simulated_coupling_has_these_means():
    """Sixteen two-sided checks at 5 standard errors: a false alarm about once in 10^5 runs."""
    rng = np.random.default_rng(7)
    f = best_concave_function(STEP, 10.0, knots=40)
    for distance in (0.05, 0.5, 2.0, 8.0):
        values = f(couple(STEP, np.full(200_000, STEP.displacement(distance)), rng))
        error = np.std(values) / math.sqrt(values.size)
        assert abs(np.mean(values) - f.after(STEP, distance)) < 5 * error


@pytest.mark.parametrize(
    ("parameters", "diameter", "gap"),
    [
        ((0.1, 0.2, 1.0, 1.0, 5.0), 10.0, 0.01),
        ((0.1, 0.2, 1.0, 1.0, 1.0), 2.0, 0.05),
        ((0.1, 0.2, 100.0, 1.0, 10.0), 10.0, 0.01),
        ((0.1, 1.0, 5.0, 1.0, 1.0), 2.0, 0.1),
        ((0.1, 0.2, 0.0, 1.0, 1.0), 10.0, 0.01),
        ((0.1, 0.2, 1.0, 1.0, 200.0), 10.0, 0.01),
    ],
)
def test_both_bounds_on_the_rate_agree(parameters, diameter, gap):
    step = ClippedStep(*parameters)
    best = best_concave_function(step, diameter)
    low = 1 - contraction_range(step, best, diameter)[1]
    high = 1 - contraction_range(step, slowest_concave_function(step, diameter), diameter)[0]
    assert min(best.weights) >= 0.0
    assert best.value_at(diameter) == pytest.approx(1.0)
    assert 0.0 < (1 - gap) * high <= low <= high * (1 + 1e-9)


def test_more_knots_serve_better():
    rates = [
        1 - contraction_range(STEP, best_concave_function(STEP, 10.0, knots=n), 10.0)[1]
        for n in (15, 40, 160)
    ]
    assert rates == sorted(rates)


def test_linear_tail_serves_all_distances():
    best = best_concave_function(STEP, tail="linear")
    low = 1 - contraction_range(STEP, best)[1]
    slow = slowest_concave_function(STEP, 40.0)
    high = 1 - contraction_range(STEP, slow, 40.0)[0]
    assert best.tail_weight > 0.0
    assert 0.97 * high <= low <= high
    far = np.geomspace(best.knots[-1], 1e6, 200)
    assert np.all(best.after(STEP, far) <= (1 - low) * best(far) * (1 + 1e-12))


def test_without_a_gradient_the_rate_is_the_weight_decay():
    step = ClippedStep(0.1, 0.2, 0.0, 1.0, 1.0)
    assert 1 - contraction_range(step, best_concave_function(step, tail="linear"))[1] == (
        pytest.approx(0.02, rel=1e-12)
    )
    kept = best_concave_function(step, 50.0)
    assert 1 - contraction_range(step, kept, 50.0)[1] == pytest.approx(0.02, rel=1e-3)


def continuous_rate(decay, lipschitz, clip, noise, diameter):
    """Least eigenvalue of -(2 noise² f'' + (min(L r, 2 C) - λ r) f'), f(0) = f'(D) = 0."""
    count = 4000
    mesh = diameter / count
    r = mesh * np.arange(1, count + 1)
    drift = np.minimum(lipschitz * r, 2 * clip) - decay * r
    # In the scale measure's form, so that the matrix is symmetric.
    half = r - mesh / 2
    push = np.minimum(lipschitz * half, 2 * clip) - decay * half
    potential = np.cumsum(push) * mesh / (2 * noise**2)
    rates = np.exp(potential) * 2 * noise**2 / mesh**2
    middle = np.concatenate([(potential[1:] + potential[:-1]) / 2, potential[-1:]])
    weight = np.exp(middle)
    weight[-1] /= 2
    above = np.append(rates[1:], 0.0)
    diagonal = (rates + above) / weight
    off = -rates[1:] / np.sqrt(weight[1:] * weight[:-1])
    assert np.all(np.isfinite(drift))
    return linalg.eigh_tridiagonal(diagonal, off, select="i", select_range=(0, 0))[0][0]


def test_small_steps_approach_the_diffusion():
    """With ``eta s^2`` fixed; the error is of the order of the step's noise, sqrt(eta)."""
    exact = continuous_rate(0.2, 1.0, 1.0, 1.5, 6.0)
    errors = []
    for eta in (0.1, 0.025, 0.00625):
        step = ClippedStep(eta, 0.2, 1.0, 1.0, 1.5 / math.sqrt(eta))
        slow = slowest_concave_function(step, 6.0, knots=250)
        errors.append((1 - contraction_range(step, slow, 6.0)[0]) / eta / exact - 1)
    assert abs(errors[2]) < 0.5 * abs(errors[1]) + 0.02 < 0.1 + 0.5 * abs(errors[0])
    assert abs(errors[2]) < 0.1


def test_the_distance_chain_against_simulation():
    """Nine two-sided checks at 5 standard errors: a false alarm about once in 10^5 runs."""
    f = best_concave_function(STEP, 10.0, knots=40)
    rng = np.random.default_rng(3)
    count = 100_000
    r = np.zeros(count)
    for k in range(1, 31):
        hit = rng.random(count) < 0.05
        h = np.where(hit, STEP.displacement_with_replacement(r), STEP.displacement(r))
        r = np.minimum(couple(STEP, h, rng), 10.0)
        if k in (1, 4, 30):
            found = distance_moments(STEP, 0.05, k, 10.0, functions=(f,))
            values = (r, r * r, f(r))
            for sample, value in zip(
                values, (found.mean, found.square, *found.functions), strict=True
            ):
                assert abs(np.mean(sample) - value) < 5 * np.std(sample) / math.sqrt(count)
            assert max(found.errors) < 1e-9


def test_the_distance_chain_in_the_long_run():
    f = best_concave_function(STEP, 10.0)
    late = distance_moments(STEP, 0.01, 10**6, 10.0, functions=(f,))
    limit = distance_moments(STEP, 0.01, math.inf, 10.0, functions=(f,))
    assert late.mean == pytest.approx(limit.mean, rel=1e-8)
    assert late.square == pytest.approx(limit.square, rel=1e-8)
    rate = 1 - contraction_range(STEP, f, 10.0)[1]
    bound = 0.01 * f.slope_at_zero * 2 * STEP.step_size * STEP.clip / rate
    assert 0.3 * bound < limit.functions[0] < bound
    # Squaring and stepping agree.
    many = distance_moments(STEP, 0.01, 5000, 10.0)
    assert many.mean == pytest.approx(limit.mean, rel=1e-6)


def test_the_distance_chain_scales_with_a_small_probability():
    small, smaller = (distance_moments(STEP, p, math.inf, 10.0).mean for p in (1e-9, 1e-12))
    assert small == pytest.approx(1000 * smaller, rel=1e-5)
    assert distance_moments(STEP, 0.0, math.inf).mean == 0.0
    assert distance_moments(STEP, 0.5, 0).mean == 0.0


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: truncated_mean(1.0, -1.0, 1.0), "b="),
        (lambda: truncated_mean(1.0, 1.0, 0.0), "width="),
        (lambda: ConcaveFunction((1.0,), (-1.0,)), "weights="),
        (lambda: ConcaveFunction((2.0, 1.0), (1.0, 1.0)), "knots="),
        (lambda: best_concave_function(STEP), "diameter="),
        (lambda: best_concave_function(STEP, -1.0), "diameter="),
        (lambda: best_concave_function(STEP, 1.0, knots=3), "knots="),
        (lambda: distance_moments(STEP, 1.5, 1), "probability="),
        (lambda: distance_moments(STEP, 0.5, 1.5), "steps="),
        (lambda: distance_moments(STEP, 0.5, 1, 0.0), "diameter="),
        (lambda: distance_moments(ClippedStep(0.1, 0.2, 1, 1, 1e-4), 0.5, 1), "noise="),
    ],
)
def test_arguments_outside_their_domain_are_refused(call, name):
    with pytest.raises(ValueError, match=name):
        call()
