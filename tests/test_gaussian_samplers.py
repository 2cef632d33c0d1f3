"""Samplers on Gaussian data against 40-digit recursions, simulated data and refined paths."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import mpmath as mp
import numpy as np
import pytest

from numerics.gaussian_plug_in_sampler import exponential_remainder, variance_rule
from numerics.gaussian_samplers import METHODS, SCORES, gaussian_sampler_losses
from numerics.sampler_times import sampler_times, two_phase_times

REFERENCE = two_phase_times(0.1, 40, 40)


@pytest.fixture(autouse=True)
def _forty_digits():
    with mp.workdps(40):
        yield


def step_by_definition(method, y, u, after, score, noise=0):
    """One step of the sampler as in its definition; also the variance of its noise."""
    gamma = u - after
    if method == "exponential":
        return mp.exp(gamma) * y + 2 * mp.expm1(gamma) * score(y, u), mp.expm1(2 * gamma)
    if method == "euler-maruyama":
        return y + gamma * (y + 2 * score(y, u)), 2 * gamma
    if method == "flow-euler":
        return y + gamma * (y + score(y, u)), mp.mpf(0)
    if method == "flow-exponential":
        return mp.exp(gamma) * y + mp.expm1(gamma) * score(y, u), mp.mpf(0)
    slope = y + score(y, u)
    guess = y + gamma * slope
    return y + gamma / 2 * (slope + guess + score(guess, after)), mp.mpf(0)


@functools.cache
def output_by_definition(method, noise_times, assumed):
    """V and M, as the samplers' steps send 0 and 1 somewhere, with mean vectors c = 0 and 1."""

    def score(centre):
        def at(y, u):
            return -(y - mp.exp(-u) * centre) / (1 + (assumed - 1) * mp.exp(-2 * u))

        return at

    variance, mean = mp.mpf(1), mp.mpf(0)
    times = [mp.mpf(float(u)) for u in noise_times]
    for u, after in itertools.pairwise(times):
        slope, added = step_by_definition(method, mp.mpf(1), u, after, score(0))
        mean = step_by_definition(method, mean, u, after, score(1))[0]
        variance = slope**2 * variance + added
    return variance, mean


def divergences_by_definition(method, noise_times, s2, d, b, assumed, spread):
    """KL(p_ε ‖ output) and KL(ν ‖ output), averaged over the mean but not over ŝ²."""
    variance, mean = output_by_definition(method, tuple(noise_times), assumed)
    results = []
    for stop in (mp.mpf(float(noise_times[-1])), mp.mpf(0)):
        v, mu = 1 + (s2 - 1) * mp.exp(-2 * stop), mp.exp(-stop)
        moved = (mean - mu) ** 2 * b**2 + mean**2 * spread
        ratio = v / variance
        results.append(mp.mpf(d) / 2 * (ratio - 1 - mp.log(ratio)) + moved / (2 * variance))
    return (*results, variance)


def agrees(estimate, exact, relative):
    """Within the stated error, which itself is small."""
    assert abs(mp.mpf(estimate.value) - exact) <= estimate.error
    assert estimate.error <= relative * abs(exact)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("times", "s2"),
    [
        (REFERENCE, 4.0),
        (REFERENCE, 0.25),
        (two_phase_times(1.5, 3, 8), 0.25),
        (two_phase_times(0.02, 200, 350), 2.0),
        (two_phase_times(0.1, 40, 145), 1e-6),
        (two_phase_times(0.1, 40, 145), 1e6),
        (two_phase_times(0.5, 30, 5), 1.0 + 1e-3),
        (sampler_times([8.0, 3.0, 0.5, 0.1]), 0.1),
    ],
)
def test_output_against_forty_digits(method, times, s2):
    for score, spread in (("true", 0), ("mean", mp.mpf(2) * mp.mpf(s2) / 7)):
        ours = gaussian_sampler_losses(
            times, variance=s2, dimension=2, mean_norm=0.7, size=7, score=score, method=method
        )
        exact = divergences_by_definition(
            method, times.noise_times, mp.mpf(s2), 2, mp.mpf(0.7), mp.mpf(s2), spread
        )
        agrees(ours.divergence, exact[0], 1e-11)
        agrees(ours.target_divergence, exact[1], 1e-11)
        agrees(ours.output_variance, exact[2], 1e-11)


def test_tiny_divergences_keep_their_digits():
    heun = gaussian_sampler_losses(
        two_phase_times(0.01, 1500, 100), variance=2.0, dimension=1, method="flow-heun"
    )
    exact = divergences_by_definition(
        "flow-heun", two_phase_times(0.01, 1500, 100).noise_times, mp.mpf(2), 1, 0, mp.mpf(2), 0
    )
    assert exact[0] < 1e-11
    assert abs(heun.divergence.value - exact[0]) <= min(1e-11 * exact[0], heun.divergence.error)
    # Started from the stationary law, which is the data's, flows move nothing.
    for method in ("flow-euler", "flow-exponential", "flow-heun"):
        still = gaussian_sampler_losses(REFERENCE, variance=1.0, dimension=3, method=method)
        assert still.divergence.value == still.target_divergence.value == 0.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "dimension", "s2"), [(1, 2, 0.3), (2, 1, 4.0), (4, 2, 0.3)])
def test_plug_in_against_forty_digits(method, size, dimension, s2):
    times = two_phase_times(0.5, 4, 4)
    ours = gaussian_sampler_losses(
        times,
        variance=s2,
        dimension=dimension,
        mean_norm=0.7,
        size=size,
        score="plug-in",
        method=method,
    )
    half = mp.mpf(dimension * (size - 1)) / 2
    spread = dimension * mp.mpf(s2) / size

    @functools.cache
    def at(assumed):
        return divergences_by_definition(
            method, times.noise_times, mp.mpf(s2), dimension, mp.mpf(0.7), assumed, spread
        )

    def averaged(index):
        if size == 1:
            return at(mp.mpf(0))[index]
        with mp.workdps(20):
            return mp.quad(
                lambda root: (
                    at(mp.mpf(s2) * root**2 / (size * dimension))[index]
                    * mp.exp(-(root**2) / 2)
                    * root ** (2 * half - 1)
                    * 2 ** (1 - half)
                    / mp.gamma(half)
                ),
                [0, 0.5, 1.5, 3, 6, 12],
                maxdegree=5,
            )

    for index, name in enumerate(("divergence", "target_divergence")):
        agrees(getattr(ours, name), averaged(index), 1e-11)


# Six and a half standard errors: 1e-10 for each of six averages of 40000, which are all but
# normal; a false alarm has a probability below 1e-8.
@pytest.mark.parametrize("method", METHODS)
def test_plug_in_against_simulated_points(method):
    times, size, d, s2, replicates = two_phase_times(0.25, 12, 10), 12, 2, 0.5, 40_000
    rng = np.random.Generator(np.random.Philox(7))
    mean = np.array([0.6, -0.8])
    points = mean + math.sqrt(s2) * rng.standard_normal((replicates, size, d))
    centre = points.mean(axis=1)
    assumed = ((points - centre[:, None]) ** 2).mean(axis=(1, 2))

    def score(y, u, c):
        return -(y - math.exp(-u) * c) / (1 + (assumed[:, None] - 1) * math.exp(-2 * u))

    # Columns: where 0 goes when c = x̄, and where 1 goes when c = 0.
    shift, scale, variance = (
        np.zeros((replicates, d)),
        np.ones((replicates, 1)),
        np.ones(replicates),
    )
    for u, gamma in zip(times.noise_times[:-1], times.steps, strict=True):

        def step(y, c, u=u, gamma=gamma):
            noise = 0.0
            if method == "exponential":
                moved = math.exp(gamma) * y + 2 * math.expm1(gamma) * score(y, u, c)
                noise = math.expm1(2 * gamma)
            elif method == "euler-maruyama":
                moved, noise = y + gamma * (y + 2 * score(y, u, c)), 2 * gamma
            elif method == "flow-euler":
                moved = y + gamma * (y + score(y, u, c))
            elif method == "flow-exponential":
                moved = math.exp(gamma) * y + math.expm1(gamma) * score(y, u, c)
            else:
                slope = y + score(y, u, c)
                guess = y + gamma * slope
                moved = y + gamma / 2 * (slope + guess + score(guess, u - gamma, c))
            return moved, noise

        shift = step(shift, centre)[0]
        slope, noise = step(scale, np.zeros(d))
        variance = slope[:, 0] ** 2 * variance + noise
    last = times.early_stopping_time
    v, mu = 1 + (s2 - 1) * math.exp(-2 * last), math.exp(-last)
    moved = np.sum((shift - mu * mean) ** 2, axis=1)
    samples = d / 2 * (v / variance - 1 - np.log(v / variance)) + moved / (2 * variance)
    ours = gaussian_sampler_losses(
        times, variance=s2, dimension=d, mean_norm=1.0, size=size, score="plug-in", method=method
    )
    standard_error = samples.std() / math.sqrt(replicates)
    assert abs(samples.mean() - ours.divergence.value) < 6.5 * standard_error
    assert standard_error < 0.01 * ours.divergence.value
    if method == "exponential":
        error = 0.0
        for u, gamma in zip(times.noise_times[:-1], times.steps, strict=True):
            v, mu = 1 + (s2 - 1) * math.exp(-2 * u), math.exp(-u)
            w = 1 + (assumed - 1) * math.exp(-2 * u)
            shifted = mu**2 * np.sum((centre - mean) ** 2, axis=1)
            error = error + gamma * (d * v * (1 / v - 1 / w) ** 2 + shifted / w**2)
        deviation = abs(error.mean() - ours.score_error.value)
        assert deviation < 6.5 * error.std() / math.sqrt(replicates)


def path_divergence_by_refinement(times, s2, assumed, shift, parts):
    """Sum of the divergences between the exact and the sampler's transitions on a finer grid."""
    total = 0.0
    for u, after in itertools.pairwise(times.noise_times):
        w, mu = 1 + (assumed - 1) * math.exp(-2 * u), math.exp(-u)
        edges = np.linspace(u, after, parts + 1)
        here, gap = edges[:-1], edges[0] - edges[:-1]
        delta = edges[:-1] - edges[1:]
        v, v_next = (1 + (s2 - 1) * np.exp(-2 * t) for t in (here, edges[1:]))
        v_start = 1 + (s2 - 1) * math.exp(-2 * u)
        exact = v_next * -np.expm1(-2 * delta) / v
        added = np.expm1(2 * delta)
        # Difference of the means: a multiple of X there, and one of the score at the start.
        along, frozen = np.exp(-delta) * v_next / v - np.exp(delta), 2 * np.expm1(delta) / w
        square = (
            along**2 * v
            + 2 * along * frozen * np.exp(-gap) * v
            + frozen**2 * (v_start + mu**2 * shift)
        )
        ratio = exact / added
        total += np.sum(0.5 * (ratio - 1 - np.log(ratio)) + square / (2 * added))
    return total


@pytest.mark.parametrize("times", [two_phase_times(0.4, 5, 6), sampler_times([3.0, 1.4, 0.2])])
@pytest.mark.parametrize("s2", [0.25, 4.0])
def test_path_divergence_against_refined_paths(times, s2):
    size = 6
    nodes, weights = variance_rule(size - 1, s2 / size, 0.05, 14)
    every = {
        "true": ([s2], [1.0], 0.0),
        "mean": ([s2], [1.0], s2 / size),
        "plug-in": (nodes[weights > 1e-14], weights[weights > 1e-14], s2 / size),
    }
    for score, (assumed, share, shift) in every.items():
        ours = gaussian_sampler_losses(times, variance=s2, dimension=1, size=size, score=score)
        coarse, middle, fine = (
            sum(
                weight * path_divergence_by_refinement(times, s2, value, shift, parts)
                for value, weight in zip(assumed, share, strict=True)
            )
            for parts in (40, 80, 160)
        )
        path = ours.path_divergence.value - ours.prior_divergence.value
        assert coarse < middle < fine < path
        first, second = 2 * middle - coarse, 2 * fine - middle
        assert (4 * second - first) / 3 == pytest.approx(path, rel=1e-6)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("kappa", [0.05, 0.4, 1.5])
def test_divergence_path_and_bound_are_ordered(score, kappa):
    times = two_phase_times(kappa, round(3 / kappa), 8)
    for s2, d, b, size in itertools.product((1e-2, 0.5, 1, 9), (1, 3), (0, 2), (1, 2, 30)):
        losses = gaussian_sampler_losses(
            times, variance=s2, dimension=d, mean_norm=b, size=size, score=score
        )
        path, bound = losses.path_divergence, losses.bound
        assert losses.divergence.value <= path.value + path.error + losses.divergence.error
        # The middle terms are compared by Cauchy–Schwarz: equal at a score without error.
        assert path.value <= bound.value + path.error + bound.error


def test_discretisation_error_by_its_definition():
    times = two_phase_times(0.3, 6, 30)
    for s2 in (mp.mpf("1e-6"), mp.mpf(4)):
        exact = mp.mpf(0)
        for u, after in itertools.pairwise([mp.mpf(float(u)) for u in times.noise_times]):
            top, bottom = mp.exp(2 * u) + s2 - 1, mp.exp(2 * after) + s2 - 1
            gamma = u - after
            exact += mp.log(top / bottom) / 2
            exact += (gamma - 2 * (1 - mp.exp(-gamma))) / (1 + (s2 - 1) * mp.exp(-2 * u))
        ours = gaussian_sampler_losses(times, variance=float(s2), dimension=1)
        # The variance itself is rounded, and counts where the noise is of its size.
        assert abs(ours.discretisation_error.value - exact) <= 1e-13 * exact


@pytest.mark.parametrize("method", METHODS)
def test_many_points_know_the_law(method):
    law = {"variance": 2.0, "dimension": 3, "mean_norm": 1.0, "method": method}
    known = gaussian_sampler_losses(REFERENCE, **law).divergence.value
    for score in ("mean", "plug-in"):
        many, more = (
            gaussian_sampler_losses(REFERENCE, **law, size=size, score=score).divergence.value
            - known
            for size in (10**6, 10**7)
        )
        assert abs(more) < 1e-5
        assert many / more == pytest.approx(10, rel=1e-3)


def test_one_point_with_few_steps_is_closed_form():
    # ŝ² = 0: the score is the empirical score of one point, and v_u = 1 throughout.
    times = sampler_times([1.0, 0.5])
    one = gaussian_sampler_losses(times, variance=1.0, dimension=1, size=1, score="plug-in")
    w = -math.expm1(-2.0)
    growth = math.expm1(0.5)
    slope = 1 + growth - 2 * growth / w
    variance = slope**2 + math.expm1(1.0)
    mean = 2 * growth * math.exp(-1.0) / w
    moved = mean**2 / (2 * variance)
    assert one.output_variance.value == pytest.approx(variance, rel=1e-14)
    assert one.divergence.value == pytest.approx(
        0.5 * (1 / variance - 1 + math.log(variance)) + moved, rel=1e-13
    )
    # The mean square of −(x − μ x_1) / w + x, with x and x_1 standard normal and independent.
    exact = 0.5 * ((1 - 1 / w) ** 2 + math.exp(-2.0) / w**2)
    assert one.score_error.value == pytest.approx(exact, rel=1e-13)


def test_other_methods_have_no_path():
    losses = gaussian_sampler_losses(REFERENCE, variance=2.0, dimension=1, method="flow-heun")
    absent = [f.name for f in dataclasses.fields(losses) if getattr(losses, f.name) is None]
    assert absent == [
        "score_error",
        "discretisation_error",
        "prior_divergence",
        "path_divergence",
        "bound",
    ]


def test_flow_that_collapses_for_some_estimate():
    # A step of Heun's may send every point to one place; the others' slopes stay positive.
    times = sampler_times([3.0, 1.0, 0.05])
    for method in METHODS:
        losses = gaussian_sampler_losses(
            times, variance=2.0, dimension=1, size=5, score="plug-in", method=method
        )
        infinite = method == "flow-heun"
        assert math.isinf(losses.divergence.value) == infinite
        assert math.isinf(losses.target_divergence.value) == infinite
    known = gaussian_sampler_losses(times, variance=2.0, dimension=1, method="flow-heun")
    assert known.divergence.value < math.inf


def test_variance_rule_moments():
    for degrees in (1, 2, 7, 100, 10**6):
        nodes, weights = variance_rule(degrees, 0.5, 1e-3, 14)
        assert weights.sum() == pytest.approx(1.0, abs=1e-13)
        assert weights @ nodes == pytest.approx(degrees / 2, rel=1e-12)
        assert weights @ nodes**2 == pytest.approx(degrees * (degrees + 2) / 4, rel=1e-12)
    # Smooth in the logarithm: also a function that is all but singular at zero.
    nodes, weights = variance_rule(1, 1.0, 1e-6, 14)
    exact = mp.quad(
        lambda x: mp.log(1e-6 + x**2) * mp.npdf(x) * 2, [0, 1e-4, 1e-3, 1e-2, 0.1, 1, 4, 10]
    )
    assert weights @ np.log(1e-6 + nodes) == pytest.approx(float(exact), rel=1e-12)
    assert variance_rule(0, 1.0, 1e-3, 14)[0].tolist() == [0.0]


def test_exponential_remainder_against_mpmath():
    for terms, x in itertools.product((2, 3), (-5.0, -0.999, -1e-3, 1e-9, 0.5, 1.0, 4.0)):
        exact = mp.exp(x) - sum(mp.mpf(x) ** n / mp.factorial(n) for n in range(terms))
        ours = exponential_remainder(np.array([x]), terms)[0]
        assert abs(ours - exact) <= 2e-14 * abs(exact)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variance": 0.0}, r"variance = 0\.0: .* > 0"),
        ({"dimension": 0}, "dimension = 0: an integer ≥ 1"),
        ({"dimension": 1.5}, r"dimension = 1\.5: an integer ≥ 1"),
        ({"mean_norm": -1.0}, r"mean_norm = -1\.0"),
        ({"score": "mean"}, "size = None: the score 'mean' needs"),
        ({"score": "mean", "size": 0}, "size = 0: an integer"),
        ({"score": "best"}, "score = 'best'"),
        ({"method": "euler"}, "method = 'euler'"),
    ],
)
def test_arguments_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as error:
        gaussian_sampler_losses(REFERENCE, **{"variance": 1.0, "dimension": 1, **change})
    assert "\n" not in str(error.value)


def test_steps_that_overflow_are_refused():
    with pytest.raises(ValueError, match="take more and shorter steps"):
        gaussian_sampler_losses(sampler_times([800.0, 0.1]), variance=2.0, dimension=1)
