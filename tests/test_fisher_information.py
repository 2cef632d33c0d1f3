"""Fisher information of noised mixtures against mpmath, closed forms and the identities."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest

from numerics.fisher_information import (
    discretisation_error,
    entropy,
    fisher_information,
    fisher_integral,
    prior_divergence,
    score_increment,
)
from numerics.gaussian_samplers import gaussian_sampler_losses
from numerics.law_quadrature import panel_rule
from numerics.sampler_times import sampler_times, two_phase_times

THREE = ([-1.3, 0.4, 1.0], [0.2, 0.5, 0.3], 0.3)
POINTS = ([-1.0, 0.2, 0.7], None, 0.0)
UNEVEN = ([3.0, -2.0], [1e-6, 1.0], 0.1)


def density_by_definition(law, noise_time):
    """The noised density and its derivative, and where to cut the line."""
    points, weights, blur = law
    weights = [1.0] * len(points) if weights is None else weights
    whole = mp.fsum(weights)
    mu = mp.exp(-mp.mpf(noise_time))
    variance = (mu * mp.mpf(blur)) ** 2 - mp.expm1(-2 * mp.mpf(noise_time))
    parts = [(mp.mpf(w) / whole, mu * mp.mpf(y)) for w, y in zip(weights, points, strict=True)]

    def at(x):
        terms = [
            (w * mp.exp(-((x - c) ** 2) / (2 * variance)) / mp.sqrt(2 * mp.pi * variance), c)
            for w, c in parts
        ]
        return mp.fsum(p for p, _ in terms), mp.fsum(p * (c - x) / variance for p, c in terms)

    spread = mp.sqrt(variance)
    cuts = sorted({c + k * spread for _, c in parts for k in (-11, -3, -1, 0, 1, 3, 11)})
    return at, cuts


def information_by_definition(law, noise_time):
    at, cuts = density_by_definition(law, noise_time)

    def integrand(x):
        density, slope = at(x)
        return slope**2 / density

    return mp.quad(integrand, cuts)


def entropy_by_definition(law, noise_time):
    at, cuts = density_by_definition(law, noise_time)
    return mp.quad(lambda x: -at(x)[0] * mp.log(at(x)[0]), cuts)


def agrees(estimate, exact, relative):
    """Within the stated error, which itself is small."""
    assert abs(mp.mpf(estimate.value) - exact) <= estimate.error
    assert estimate.error <= relative * abs(exact)


@pytest.mark.parametrize(
    ("law", "noise_time"),
    [(THREE, 0.0), (THREE, 0.3), (POINTS, 1e-3), (POINTS, 0.05), (POINTS, 2.0), (UNEVEN, 0.1)],
)
def test_information_and_entropy_against_mpmath(law, noise_time):
    with mp.workdps(20):
        agrees(
            fisher_information(*law, noise_time), information_by_definition(law, noise_time), 1e-12
        )
        agrees(entropy(*law, noise_time), entropy_by_definition(law, noise_time), 1e-12)


def test_separated_points_are_separate_normals():
    # At u = 1e-4 the noise is 0.014: the components are more than ten of it apart.
    for noise_time in (1e-6, 1e-4):
        variance = -math.expm1(-2 * noise_time)
        agrees(fisher_information(*POINTS, noise_time), 1 / variance, 1e-12)
        exact = 0.5 * math.log(2 * math.pi * math.e * variance) + math.log(3)
        agrees(entropy(*POINTS, noise_time), exact, 1e-12)
    # A repeated point, one of weight zero and a shift change nothing.
    repeated = fisher_information([8.7, 7.0, 8.2, 8.7, 40.0], [0.5, 1.0, 1.0, 0.5, 0.0], 0.0, 0.05)
    assert repeated.value == pytest.approx(fisher_information(*POINTS, 0.05).value, rel=1e-12)


@pytest.mark.parametrize("law", [THREE, POINTS, UNEVEN])
def test_integral_of_the_information_is_the_entropy_gained(law):
    first, last = 0.05, 1.5
    logs, weights = panel_rule(np.linspace(math.log(first), math.log(last), 9), 12)
    by_quadrature = sum(
        weight * u * fisher_information(*law, u).value
        for u, weight in zip(np.exp(logs), weights, strict=True)
    )
    ours = fisher_integral(*law, first, last)
    assert ours.value == pytest.approx(by_quadrature, rel=1e-11)
    assert ours.error < 1e-12
    back = fisher_integral(*law, last, first)
    assert back.value == pytest.approx(-ours.value, rel=1e-13)


@pytest.mark.parametrize(
    ("early", "late", "value"), [(1.0, 0.5, 0.896819752738701), (0.3, 0.2, 0.4389539238347362)]
)
def test_score_increment_by_definition_and_by_identity(early, late, value):
    ours = score_increment(*THREE, early, late)
    assert ours.value == pytest.approx(value, rel=1e-14)
    with mp.workdps(20):
        exact = information_by_definition(THREE, late) + information_by_definition(THREE, early) * (
            1 - 2 * mp.exp(mp.mpf(late) - mp.mpf(early))
        )
        agrees(ours, exact, 1e-12)


@pytest.mark.parametrize("law", [THREE, POINTS, UNEVEN])
@pytest.mark.parametrize(("early", "late"), [(2e-4, 1e-4), (0.02, 0.0199), (3.0, 0.01), (9.0, 6.0)])
def test_martingale_identity(law, early, late):
    ours = score_increment(*law, early, late)
    first, second = fisher_information(*law, late), fisher_information(*law, early)
    factor = 1 - 2 * math.exp(late - early)
    by_identity = first.value + second.value * factor
    assert abs(ours.value - by_identity) <= ours.error + first.error + second.error
    assert ours.error < 1e-11 * ours.value


def test_score_increment_by_mpmath_without_the_identity():
    law, early, late = ([-1.0, 0.5], [0.4, 0.6], 0.5), 0.7, 0.4
    with mp.workdps(15):
        start, _ = density_by_definition(law, early)
        end, cuts = density_by_definition(law, late)
        shrink, spread = mp.exp(late - early), mp.sqrt(-mp.expm1(2 * (late - early)))
        # The trapezoidal rule: on the line it converges geometrically.
        places = [cuts[0] + (cuts[-1] - cuts[0]) * i / 60 for i in range(61)]
        noise = [mp.mpf(i) / 2 for i in range(-14, 15)]
        total = mp.mpf(0)
        for x in places:
            density, slope = end(x)
            for z in noise:
                other, change = start(shrink * x + spread * z)
                total += density * mp.npdf(z) * (slope / density - change / other) ** 2
        total *= (cuts[-1] - cuts[0]) / 60 / 2
    assert score_increment(*law, early, late).value == pytest.approx(float(total), rel=1e-9)


@pytest.mark.parametrize("law", [THREE, POINTS])
def test_discretisation_error_is_the_increments_integrated(law):
    times = sampler_times([1.2, 0.8, 0.5, 0.45])
    total = 0.0
    for start, end in itertools.pairwise(times.noise_times):
        gaps, weights = panel_rule([0.0, start - end], 8)
        total += sum(
            weight * score_increment(*law, start, start - gap).value
            for gap, weight in zip(gaps, weights, strict=True)
        )
    ours = discretisation_error(*law, times)
    assert ours.value == pytest.approx(total, rel=1e-9)
    assert ours.error < 1e-12 * ours.value


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0])
def test_one_component_is_gaussian(deviation):
    law = ([0.7], [3.0], deviation)
    for u in (0.01, 0.4, 3.0):
        v = 1 + (deviation**2 - 1) * math.exp(-2 * u)
        agrees(fisher_information(*law, u), 1 / v, 1e-13)
        agrees(entropy(*law, u), 0.5 * math.log(2 * math.pi * math.e * v), 1e-12)
    for kappa in (0.05, 0.5):
        times = two_phase_times(kappa, round(4 / kappa), round(4 / kappa))
        closed = gaussian_sampler_losses(times, variance=deviation**2, dimension=1, mean_norm=0.7)
        change, prior = discretisation_error(*law, times), prior_divergence(*law, times.horizon)
        exact = closed.discretisation_error
        assert abs(change.value - exact.value) <= change.error + exact.error
        assert change.error < 1e-11 * change.value
        agrees(prior, mp.mpf(closed.prior_divergence.value), 1e-12)


@pytest.mark.parametrize("horizon", [0.05, 5.0, 15.0])
@pytest.mark.parametrize(
    "law", [THREE, POINTS, UNEVEN, ([-2.0, 2.0], None, 1.5), ([-1.0, 1.0], None, 0.0)]
)
def test_prior_divergence_against_mpmath(law, horizon):
    with mp.workdps(40):
        at, cuts = density_by_definition(law, horizon)

        def integrand(x):
            density, _ = at(x)
            return density * (mp.log(density) + x**2 / 2 + mp.log(2 * mp.pi) / 2)

        ends = [cuts[0] - 8, *cuts, cuts[-1] + 8] if horizon >= 1.0 else cuts
        exact = mp.quad(integrand, ends)
        ours = prior_divergence(*law, horizon)
        # The quadrature of p log(p / φ) cancels: forty digits leave this many of it.
        floor = mp.mpf("1e-33" if horizon >= 1.0 else "1e-24")
        assert abs(ours.value - exact) <= ours.error + floor
    # Laws without a mean, or with the prior's moments, are nearer: rounding shows sooner.
    if law[0] != [-1.0, 1.0]:
        lost = math.exp(horizon) if law[0] == [-2.0, 2.0] else 1.0
        assert ours.error <= (1e-12 + 1e-14 * lost) * ours.value
    elif horizon < 10.0:
        assert ours.error <= 1e-11 * math.exp(2 * horizon) * ours.value
    else:
        assert ours.error < 1e-40


def test_prior_divergence_is_minus_entropy_and_energy():
    for horizon in (0.1, 0.7):
        points, weights, blur = (np.asarray(part) for part in THREE)
        second = math.exp(-2 * horizon) * float(weights @ points**2 + blur**2)
        second -= math.expm1(-2 * horizon)
        exact = -entropy(*THREE, horizon).value + 0.5 * second + 0.5 * math.log(2 * math.pi)
        assert prior_divergence(*THREE, horizon).value == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], None, 0.1, 0.1), "points has shape"),
        (([[1.0]], None, 0.1, 0.1), "points has shape"),
        (([math.nan], None, 0.1, 0.1), "points has shape"),
        (([0.0], [1.0, 2.0], 0.1, 0.1), "weights = "),
        (([0.0, 1.0], [1.0, -1.0], 0.1, 0.1), "weights = "),
        (([0.0], [0.0], 0.1, 0.1), "weights = "),
        (([0.0], None, -0.1, 0.1), r"blur = -0\.1"),
        (([0.0], None, 0.0, 0.0), r"noise_time = 0\.0"),
        (([0.0], None, 0.1, math.inf), "noise_time = inf"),
    ],
)
def test_arguments_are_refused_in_one_line(arguments, message):
    for function in (fisher_information, entropy, prior_divergence):
        with pytest.raises(ValueError, match=message) as error:
            function(*arguments)
        assert "\n" not in str(error.value)


def test_increment_needs_a_later_time():
    with pytest.raises(ValueError, match=r"late = 0\.5: it must be below early = 0\.5"):
        score_increment(*THREE, 0.5, 0.5)
