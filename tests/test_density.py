"""The density of a sampler on the line against closed forms, brute force and mpmath."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numba
import numpy as np
import pytest
from scipy.special import logsumexp

from numerics import density_kernel, density_score
from numerics.density import (
    LineDensity,
    empirical_score_line,
    kl_divergence,
    moments,
    transport_density,
)
from numerics.density_kernel import log_sum_of_normals
from numerics.density_steps import FLOWS, NOISY, affine_parts
from numerics.sampler_times import sampler_times, two_phase_times

VARIANCE = 0.3
MEAN = 0.4
LOG_2PI = math.log(2.0 * math.pi)


def log_normal(x, mean=0.0, variance=1.0):
    return -0.5 * (x - mean) ** 2 / variance - 0.5 * (LOG_2PI + math.log(variance))


def gaussian_score(x, u):
    mu = math.exp(-u)
    return -(x - mu * MEAN) / (mu**2 * VARIANCE - math.expm1(-2.0 * u))


def gaussian_slope(x, u):
    return np.full_like(x, -1.0 / (math.exp(-2.0 * u) * VARIANCE - math.expm1(-2.0 * u)))


def step_parts(method, times, k):
    """Slope, intercept and variance of step k for the score of a Gaussian."""
    u, step = float(times.noise_times[k]), float(times.steps[k])
    slope, at_zero = float(gaussian_slope(np.zeros(1), u)[0]), float(gaussian_score(0.0, u))
    if method in NOISY:
        scale, share, variance = affine_parts(method, step)
    elif method == "flow-exponential":
        scale, share, variance = math.exp(step), math.expm1(step), 0.0
    else:
        scale, share, variance = 1.0 + step, step, 0.0
    a, b = scale + share * slope, share * at_zero
    if method == "flow-heun":
        after = float(times.noise_times[k + 1])
        bend = float(gaussian_slope(np.zeros(1), after)[0])
        more = float(gaussian_score(0.0, after))
        first = 1.0 + slope
        a_, b_ = 1.0 + step * first, step * at_zero
        a = 1.0 + 0.5 * step * (first + (1.0 + bend) * a_)
        b = 0.5 * step * (at_zero + (1.0 + bend) * b_ + more)
    return a, b, variance


def recursion(method, times):
    """Means and variances of the sampler of a Gaussian from a standard normal."""
    mean, variance = 0.0, 1.0
    found = [(mean, variance)]
    for k in range(len(times.steps)):
        a, b, noise = step_parts(method, times, k)
        mean, variance = a * mean + b, a * a * variance + noise
        found.append((mean, variance))
    return found


def gaussian_kl(mean, variance):
    """KL of the standard normal from N(mean, variance)."""
    return 0.5 * ((1.0 + mean**2) / variance - 1.0 + math.log(variance))


def empirical(seed, number):
    return empirical_score_line(np.random.default_rng(seed).standard_normal(number))


@pytest.mark.parametrize("method", [*NOISY, *FLOWS])
def test_gaussian_target_is_gaussian_at_every_step(method):
    times = two_phase_times(0.1, 30, 30)
    run = transport_density(
        gaussian_score, times, method=method, record="all", score_derivative=gaussian_slope
    )
    assert sorted(run.snapshots) == list(range(61))
    for k, (mean, variance) in enumerate(recursion(method, times)):
        at = run.snapshots[k]
        near = np.abs(at.nodes - mean) <= 6.0 * math.sqrt(variance)
        truth = log_normal(at.nodes, mean, variance)
        assert np.abs(at.log_density - truth)[near].max() < 1e-10
        assert at.mass_defect < 1e-12
        found = kl_divergence(log_normal, at)
        assert abs(found.value - gaussian_kl(mean, variance)) < 1e-12
        assert found.error < 1e-10
    final = moments(run.final)
    assert final.mean == pytest.approx(mean, abs=1e-11)
    assert final.variance == pytest.approx(variance, abs=1e-11)


@pytest.mark.parametrize("method", NOISY)
def test_gaussian_target_on_a_fixed_grid(method):
    times = two_phase_times(0.1, 30, 20)
    grid = np.linspace(-8.5, 8.5, 500)
    final = transport_density(gaussian_score, times, method=method, grid=grid).final
    mean, variance = recursion(method, times)[-1]
    near = np.abs(grid - mean) <= 6.0 * math.sqrt(variance)
    assert np.abs(final.log_density - log_normal(grid, mean, variance))[near].max() < 1e-10
    found = kl_divergence(log_normal, final)
    assert abs(found.value - gaussian_kl(mean, variance)) < 1e-11
    assert found.error < 1e-9


def test_large_steps_expand_and_flip():
    """κ = 3: the map's slope is negative and the domain has to grow."""
    times = two_phase_times(3.0, 2, 3)
    run = transport_density(gaussian_score, times, method="euler-maruyama", record="all")
    for k, (mean, variance) in enumerate(recursion("euler-maruyama", times)):
        at = run.snapshots[k]
        assert at.mass_defect < 1e-12
        assert abs(kl_divergence(log_normal, at).value - gaussian_kl(mean, variance)) < 1e-11
    assert run.final.nodes[-1] > 8.5


@pytest.mark.parametrize("number", [5, 40])
def test_empirical_score_refined(number):
    times = two_phase_times(0.1, 40, 60)
    score, _ = empirical(3, number)
    run = transport_density(score, times, record=[70, 85])
    half = transport_density(score, times, accuracy=5e-11, interval=(-9.5, 9.5), record=[70, 85])
    for k, at in run.snapshots.items():
        assert at.mass_defect < 1e-10
        found, again = (kl_divergence(log_normal, each) for each in (at, half.snapshots[k]))
        assert abs(found.value - again.value) <= found.error + again.error
        assert found.error < 1e-9 * found.value


def brute_force(score, noise_times, nodes):
    """The exponential integrator by a dense trapezoid rule on the log scale, in numpy."""
    spacing = nodes[1] - nodes[0]
    logs = log_normal(nodes)
    for u, after in itertools.pairwise(noise_times):
        step = u - after
        mean = math.exp(step) * nodes + 2.0 * math.expm1(step) * score(nodes, u)
        variance = math.expm1(2.0 * step)
        logs = np.concatenate(
            [
                logsumexp(logs + math.log(spacing) + log_normal(part[:, None], mean, variance), 1)
                for part in np.array_split(nodes, 40)
            ]
        )
    return logs


@pytest.mark.parametrize("number", [5, 40])
def test_against_brute_force(number):
    noise_times = [0.4, 0.2, 0.12, 0.08]
    score, _ = empirical(1, number)
    nodes = np.linspace(-16.0, 16.0, 5001)
    truth = brute_force(score, noise_times, nodes)
    final = transport_density(score, sampler_times(noise_times)).final
    inside = np.abs(final.nodes) < 8.5
    # Through all nodes of the dense rule: local polynomials of degree 7.
    places = final.nodes[inside]
    left = np.clip(np.searchsorted(nodes, places) - 4, 0, len(nodes) - 8)
    window = left[:, None] + np.arange(8)
    offset = (places - nodes[left]) / (nodes[1] - nodes[0])
    expected = np.zeros(len(places))
    for i in range(8):
        basis = np.ones(len(places))
        for j in range(8):
            if j != i:
                basis *= (offset - j) / (i - j)
        expected += basis * truth[window[:, i]]
    off = np.abs(final.log_density[inside] - expected)
    assert off[np.abs(places) < 7.5].max() < 1e-10
    assert np.all(off <= final.log_density_error[inside] + 1e-10)
    weights = np.full(len(nodes), nodes[1] - nodes[0])
    dense = LineDensity(3, 0.08, nodes, weights, truth, None, True)
    found = kl_divergence(log_normal, final)
    assert found.value == pytest.approx(kl_divergence(log_normal, dense).value, rel=1e-10)


def test_deep_tail_after_one_step_against_mpmath():
    data, u, after = (-0.5, 1.0, 2.5), 0.00105, 0.001
    score, _ = empirical_score_line(data)
    start = 2.4, 0.0022
    final = transport_density(
        score, sampler_times([u, after]), initial=lambda x: log_normal(x, *start)
    ).final
    nearest = int(np.argmin(np.abs(final.nodes - 6.0)))
    with mp.workdps(40):
        y, mu = mp.mpf(float(final.nodes[nearest])), mp.exp(-mp.mpf(u))
        step = mp.mpf(u) - mp.mpf(after)
        square, noise = 1 - mu**2, mp.expm1(2 * step)

        def mean(x):
            shares = [mp.exp(-((x - mu * atom) ** 2) / (2 * square)) for atom in data]
            average = sum(s * atom for s, atom in zip(shares, data, strict=True)) / sum(shares)
            return mp.exp(step) * x + 2 * mp.expm1(step) * (mu * average - x) / square

        def exponent(x):
            first = (x - mp.mpf(start[0])) ** 2 / mp.mpf(start[1])
            return -(first + (y - mean(x)) ** 2 / noise) / 2

        grid = [mp.mpf(k) / 200 for k in range(400, 1400)]
        peak = max(grid, key=exponent)
        top = exponent(peak)
        edges = [peak + mp.mpf(k) / 50 for k in range(-8, 9)]
        total = mp.quad(lambda x: mp.exp(exponent(x) - top), edges)
        constant = mp.log(2 * mp.pi) + mp.log(mp.mpf(start[1]) * noise) / 2
        truth = float(top + mp.log(total) - constant)
    assert truth < -1000.0
    assert final.log_density[nearest] == pytest.approx(truth, rel=1e-12)


def test_deep_tail_at_small_early_stopping_time():
    times = two_phase_times(0.1, 40, 73)
    score, _ = empirical_score_line(np.linspace(-2.0, 2.5, 40))
    final = transport_density(score, times).final
    assert times.early_stopping_time < 1e-3
    assert np.all(np.isfinite(final.log_density))
    near = np.abs(final.nodes - 6.0) < 0.1
    assert final.log_density[near].max() < -1000.0
    assert final.log_density_error[near].max() < 1e-6
    slopes = np.diff(final.log_density[near]) / np.diff(final.nodes[near])
    assert np.all(slopes < -500.0)


def mp_score(x, u, data):
    """The score and its derivative with mpmath."""
    x, mu = mp.mpf(x), mp.exp(-mp.mpf(u))
    square = 1 - mu**2
    shares = [mp.exp(-((x - mu * mp.mpf(atom)) ** 2) / (2 * square)) for atom in data]
    total = sum(shares)
    mean = sum(s * mp.mpf(a) for s, a in zip(shares, data, strict=True)) / total
    spread = sum(s * (mp.mpf(a) - mean) ** 2 for s, a in zip(shares, data, strict=True)) / total
    return (mu * mean - x) / square, mu**2 * spread / square**2 - 1 / square


@pytest.mark.parametrize("u", [5e-7, 1e-3, 0.1, 5.0])
def test_empirical_score_line_against_mpmath(u):
    data = np.random.default_rng(5).standard_normal(12)
    score, derivative = empirical_score_line(data)
    mu, sigma = math.exp(-u), math.sqrt(-math.expm1(-2.0 * u))
    ordered = mu * np.sort(data)
    middle = 0.5 * (ordered[1:] + ordered[:-1])
    places = np.concatenate(
        [ordered, middle, middle + 0.3 * sigma**2, ordered + 1e-9, [-30.0, 30.0, 6.0]]
    )
    with mp.workdps(60):
        truth = [mp_score(float(x), u, data.tolist()) for x in places]
    scores, slopes = score(places, u), derivative(places, u)
    nearest = np.abs(places[:, None] - ordered).min(axis=1)
    scale = nearest / sigma**2 + 1.0 / sigma
    # Exponents are differences of squares, rounded relative to their size near a midpoint.
    wide = np.diff(ordered).max() ** 2 / sigma**2
    for x_scale, found, slope, (exact, exact_slope) in zip(
        scale, scores, slopes, truth, strict=True
    ):
        assert abs(found - float(exact)) < 1e-15 * (10.0 + wide) * (x_scale + abs(float(exact)))
        size = 1.0 / sigma**2 + abs(float(exact_slope))
        assert abs(slope - float(exact_slope)) < 1e-15 * (20.0 + 10.0 * wide) * size


def test_weights_of_the_score():
    weighted, _ = empirical_score_line([-1.0, 0.5, 2.0], weights=[2.0, 0.0, 1.0])
    repeated, _ = empirical_score_line([-1.0, -1.0, 2.0])
    x = np.linspace(-3.0, 3.0, 50)
    np.testing.assert_allclose(weighted(x, 0.2), repeated(x, 0.2), rtol=1e-13)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (np.linspace(-8.5, 8.5, 45), "between its nodes"),
        (np.linspace(-2.5, 2.5, 400), "beyond its ends"),
    ],
)
def test_grid_refused_with_one_that_does(grid, words):
    times = two_phase_times(0.1, 30, 25)
    with pytest.raises(ValueError, match=words) as caught:
        transport_density(gaussian_score, times, grid=grid)
    message = str(caught.value)
    assert "\n" not in message
    assert "at step" in message
    low, high, count = message.split("np.linspace(")[1].rstrip(")").split(", ")
    proposed = np.linspace(float(low), float(high), int(count))
    final = transport_density(gaussian_score, times, grid=proposed).final
    mean, variance = recursion("exponential", times)[-1]
    heavy = np.abs(proposed - mean) < 3.0 * math.sqrt(variance)
    truth = log_normal(proposed, mean, variance)
    assert np.abs(final.log_density - truth)[heavy].max() < 1e-8
    assert final.mass_defect < 1e-9


def test_grid_reports_what_gaps_cost():
    """A grid that keeps the mass but not the gaps between data owns up to it."""
    times = two_phase_times(0.1, 40, 55)
    score, _ = empirical(0, 40)
    truth = kl_divergence(log_normal, transport_density(score, times).final)
    for count in (1000, 2000):
        grid = np.linspace(-8.5, 8.5, count)
        found = kl_divergence(log_normal, transport_density(score, times, grid=grid).final)
        assert abs(found.value - truth.value) <= found.error + truth.error


def test_bits_do_not_depend_on_threads(monkeypatch):
    times = two_phase_times(0.2, 10, 10)
    score, derivative = empirical(2, 40)
    x = np.linspace(-4.0, 4.0, 5000)
    one = np.linspace(-8.5, 8.5, 700)

    def bits():
        final = transport_density(score, times).final
        fixed = transport_density(score, times, grid=one).final
        logs = final.nodes, final.log_density, fixed.log_density
        return b"".join(part.tobytes() for part in (*logs, score(x, 0.1), derivative(x, 0.1)))

    serial = bits()
    for module in (density_kernel, density_score):
        monkeypatch.setattr(module, "_FEW", 0)
    before = numba.get_num_threads()
    try:
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            assert bits() == serial
    finally:
        numba.set_num_threads(before)


def test_kernel_against_logsumexp():
    rng = np.random.default_rng(8)
    mean, mass = rng.normal(size=1001), -300.0 * rng.random(1001)
    targets = np.concatenate([rng.normal(size=100), [40.0, -1000.0]])
    value, alternating, carried = log_sum_of_normals(targets, mass, mean, 0.01, np.ones(1001))
    terms = mass + log_normal(targets[:, None], mean, 0.01)
    np.testing.assert_allclose(value, logsumexp(terms, axis=1), rtol=1e-13)
    signs = (-1.0) ** np.arange(1001)
    expected = (signs * np.exp(terms - terms.max(axis=1, keepdims=True))).sum(axis=1)
    expected /= np.exp(terms - terms.max(axis=1, keepdims=True)).sum(axis=1)
    np.testing.assert_allclose(alternating, expected, atol=1e-12)
    np.testing.assert_allclose(carried, 1.0, rtol=1e-13)


def test_flow_is_resolved_or_says_that_it_is_not():
    score, derivative = empirical(7, 40)
    values = []
    for accuracy in (1e-10, 1e-7):
        found = transport_density(
            score,
            two_phase_times(0.1, 40, 30),
            method="flow-heun",
            score_derivative=derivative,
            accuracy=accuracy,
        ).final
        values.append(kl_divergence(log_normal, found))
    assert abs(values[0].value - values[1].value) <= values[1].error
    assert values[0].error < 1e-10
    torn = transport_density(
        score,
        two_phase_times(0.1, 40, 80),
        method="flow-heun",
        score_derivative=derivative,
    ).final
    with pytest.raises(ValueError, match="tears the gaps"):
        kl_divergence(log_normal, torn)


def uneven(count):
    return np.linspace(-3.0, 3.0, count) ** 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "heun"}, "method = 'heun'"),
        ({"interval": (1.0, -1.0)}, "interval = "),
        ({"accuracy": 1.0}, "accuracy = 1.0"),
        ({"record": [99]}, "record holds 99"),
        ({"record": "some"}, "record = 'some'"),
        ({"method": "flow-euler"}, "score_derivative = None"),
        (
            {
                "method": "flow-euler",
                "score_derivative": gaussian_slope,
                "grid": np.linspace(-1.0, 1.0, 50),
            },
            "moves its own nodes",
        ),
        ({"grid": uneven(50)}, "grid: its spacing"),
        ({"grid": np.zeros((4, 4))}, "grid has shape"),
        ({"initial": lambda x: np.full_like(x, -np.inf)}, "initial = -inf"),
        ({"interval": (-1e6, 1e6)}, "panels or more"),
    ],
)
def test_refusals_are_one_line(arguments, words):
    with pytest.raises(ValueError, match=words) as caught:
        transport_density(gaussian_score, two_phase_times(0.5, 2, 2), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("score", "words"),
    [(lambda x, u: np.zeros(3), "score returned shape"), (lambda x, u: x / 0.0, "score = ")],
)
def test_bad_scores_are_refused(score, words):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=words):
        transport_density(score, two_phase_times(0.5, 2, 2))


def test_folding_flow_is_refused():
    with pytest.raises(ValueError, match="folds the line"):
        transport_density(
            lambda x, u: -5.0 * x,
            two_phase_times(0.5, 2, 2),
            method="flow-euler",
            score_derivative=lambda x, u: np.full_like(x, -5.0),
        )


def test_bad_targets_and_data_are_refused():
    final = transport_density(gaussian_score, two_phase_times(0.5, 2, 2)).final
    with pytest.raises(ValueError, match="log_target: its mass"):
        kl_divergence(lambda x: log_normal(x) + 1.0, final)
    with pytest.raises(ValueError, match="data has shape"):
        empirical_score_line([[1.0]])
    with pytest.raises(ValueError, match=r"u = 0\.0"):
        empirical_score_line([1.0])[0](np.zeros(1), 0.0)
