"""Flows of denoisers against a dense loop, closed forms, histograms and refusals."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy import stats

from numerics.denoiser_axes import (
    axis_plan,
    fill_fourier,
    fill_gaussians,
    new_scratch,
    sum_gaussians,
    turn,
)
from numerics.denoiser_flow import (
    flow,
    histogram_1d,
    histogram_2d,
    normal_quantiles,
    normal_starts,
    true_flow,
)
from numerics.feature_fits import fit_denoisers
from numerics.feature_training import posterior_means
from numerics.features import (
    FourierAxis,
    GaussianAxis,
    TensorFeatures,
    fourier_features,
    gaussian_features,
)
from numerics.reference_features import dense_features, euler_flow
from numerics.schedules import schedule_named

LINEAR = schedule_named("vp-linear")
LINE = np.array([[-1.0], [0.0], [1.0]])
PLANE = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
EARLY = 0.01
UNEQUAL = GaussianAxis([-1.4, -0.3, 0.1, 1.2], 0.5)
KINDS = {
    "gaussians on a line": gaussian_features((16, 16), early_stopping_time=EARLY),
    "fourier on a line": fourier_features((7, 6), early_stopping_time=EARLY),
    "gaussians in the plane": gaussian_features((10, 9, 4), early_stopping_time=EARLY),
    "fourier in the plane": fourier_features((5, 6, 4), early_stopping_time=EARLY),
    "unequal centres": TensorFeatures((UNEQUAL, FourierAxis(3, 3.0)), UNEQUAL),
}


def fitted(features, models=3):
    data = LINE if features.dimension == 1 else PLANE
    return fit_denoisers(
        features, data, LINEAR, size=100, models=models, early_stopping_time=EARLY, seed=2
    ).weights


@pytest.mark.parametrize("steps", [1, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_flow_agrees_with_a_dense_loop(kind, steps):
    features = KINDS[kind]
    weights = fitted(features)
    starts = normal_starts(70, features.dimension, seed=1, scale=1.5)
    found = flow(features, weights, starts, LINEAR, steps=steps, early_stopping_time=EARLY)
    for model, own in enumerate(weights):
        wanted = euler_flow(
            lambda x, t, own=own: dense_features(features, x, np.full(len(x), t)) @ own.T,
            starts,
            LINEAR,
            steps=steps,
            early_stopping_time=EARLY,
            horizon=1.0,
        )
        np.testing.assert_allclose(found[model], wanted, rtol=0.0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_bits_depend_on_neither_threads_nor_division(kind, monkeypatch):
    features = KINDS[kind]
    weights, starts = fitted(features), normal_starts(1100, features.dimension, seed=1)

    def run(weights=weights, starts=starts):
        return flow(features, weights, starts, LINEAR, early_stopping_time=EARLY)

    whole, threads = run(), numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        np.testing.assert_array_equal(run(), whole)
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(run(weights=weights[1:]), whole[1:])
    np.testing.assert_array_equal(run(starts=starts[5:77]), whole[:, 5:77])
    each = np.stack([starts, starts[::-1], 0.5 * starts])
    own = run(starts=each)
    np.testing.assert_array_equal(own[1], whole[1, ::-1])
    monkeypatch.setattr("numerics.denoiser_flow._HELD", 1)
    np.testing.assert_array_equal(run(), whole)
    np.testing.assert_array_equal(run(starts=each), own)


@pytest.mark.parametrize("count", [2, 10, 11, 16, 40])
@pytest.mark.parametrize("ratio", [0.3, 2.0, 30.0])
def test_groups_of_centres_have_the_error_that_is_stated(count, ratio):
    axis = GaussianAxis(np.linspace(-1.5, 1.5, count), 3.0 / (count - 1) / ratio)
    x = np.concatenate((np.linspace(-9.0, 9.0, 997), axis.centres, [-1e6, 1e6, 1e100]))
    found = np.empty((count, len(x)))
    scratch = new_scratch(len(x))
    fill_gaussians(x, axis_plan(axis), scratch, found)
    wanted = stats.norm.pdf(x[None, :], axis.centres[:, None], axis.width)
    # Relative rounding of exponents up to some hundreds, and 1e-16 of the peak from the cut.
    peak = 1.0 / (axis.width * np.sqrt(2.0 * np.pi))
    np.testing.assert_allclose(found, wanted, rtol=3e-13, atol=1e-16 * peak)
    row, total = np.random.default_rng(0).uniform(0.5, 1.0, count), np.empty(len(x))
    sum_gaussians(x, axis_plan(axis), row, scratch, np.empty((2, count + 8)), total)
    np.testing.assert_allclose(total, row @ wanted, rtol=3e-13, atol=count * 1e-16 * peak)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 17])
def test_fourier_functions_by_adding_angles(count):
    axis = FourierAxis(count, 1.7)
    x = np.linspace(-9.0, 9.0, 997)
    found = np.empty((count, len(x)))
    fill_fourier(x, axis_plan(axis), new_scratch(len(x)), found)
    np.testing.assert_allclose(found.T, axis.values(x), atol=3e-14)


def test_cosine_and_sine_of_turns():
    turns = np.concatenate((np.linspace(-3.0, 3.0, 2401), np.arange(-8, 9) / 8.0))
    found = np.array([turn(s) for s in turns])
    wanted = np.stack((np.cos(2.0 * np.pi * turns), np.sin(2.0 * np.pi * turns)), axis=1)
    # NumPy's angles have rounded 2π·s, up to 19, to 2e-15.
    np.testing.assert_allclose(found, wanted, atol=4e-15)
    assert turn(0.25) == (0.0, 1.0)
    assert turn(-0.5) == (-1.0, 0.0)


def affine_errors(schedule, counts):
    """The largest errors of the flow to one point, which is affine, for counts of steps."""
    point, early = np.array([[0.6, -0.2]]), 0.02
    starts = normal_starts(9, 2, seed=4)
    mu, sigma = schedule.mu([early, 1.0]), np.sqrt(schedule.sigma2([early, 1.0]))
    wanted = mu[0] * point + (sigma[0] / sigma[1]) * (starts - mu[1] * point)
    ends = (
        true_flow(point, starts, schedule, steps=steps, early_stopping_time=early)
        for steps in counts
    )
    return [np.abs(end - wanted).max() for end in ends]


@pytest.mark.parametrize("name", ["ou", "vp-linear"])
def test_one_point_pulls_affinely_with_errors_of_first_order(name):
    errors = affine_errors(schedule_named(name), (1500, 3000, 6000))
    assert errors[1] < 5e-3
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.03)


def test_exploding_variance_to_one_point_is_exact_at_any_step():
    # x - y shrinks in proportion to t, and Euler's steps follow a straight line.
    assert max(affine_errors(schedule_named("ve"), (1, 30, 3000))) < 1e-13


@pytest.mark.parametrize("data", [LINE, PLANE, np.eye(3)])
def test_true_flow_agrees_with_a_dense_loop(data):
    starts = normal_starts(130, data.shape[1], seed=3)
    found = true_flow(data, starts, LINEAR, steps=40, early_stopping_time=1e-4)
    wanted = euler_flow(
        lambda x, t: posterior_means(x, np.full(len(x), t), data, LINEAR),
        starts,
        LINEAR,
        steps=40,
        early_stopping_time=1e-4,
        horizon=1.0,
    )
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-12)


def test_true_flow_ends_near_its_points():
    starts = normal_quantiles(999)
    ends = true_flow(LINE, starts, LINEAR, steps=3000, early_stopping_time=1e-4)[:, 0]
    nearest = np.round(np.clip(ends, -1.0, 1.0))
    # σ at 1e-4 is 0.0046: all but a few ends are within six of them.
    assert np.mean(np.abs(ends - nearest) < 6.0 * 0.0046) > 0.99
    assert [np.mean(nearest == y) for y in (-1.0, 0.0, 1.0)] == pytest.approx([1 / 3] * 3, abs=0.01)


def test_quantiles_are_stratified():
    found = normal_quantiles(1001, scale=3.0)
    assert found.shape == (1001, 1)
    wanted = 3.0 * stats.norm.ppf((np.arange(1001) + 0.5) / 1001)
    np.testing.assert_allclose(found[:, 0], wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(found, -found[::-1])


def test_starts_are_normal():
    # Draws 20,000; false alarm 1e-10.
    found = normal_starts(10_000, 2, seed=0, scale=2.0)
    assert stats.kstest(found.ravel() / 2.0, "norm").pvalue > 1e-10


@pytest.mark.parametrize("edges", [np.linspace(-1.5, 1.5, 31), np.array([-1.0, -0.9, 0.5, 2.0])])
def test_histograms_on_a_line_count_as_numpy_does(edges):
    rng = np.random.default_rng(0)
    samples = np.concatenate((rng.normal(size=(3, 5000)), np.tile(edges, (3, 1))), axis=1)
    samples[0, 0] = np.nan
    found = histogram_1d(samples, edges)
    for row, own in zip(samples, found.probabilities, strict=True):
        wanted = np.histogram(row[np.isfinite(row)], edges)[0] / samples.shape[1]
        np.testing.assert_array_equal(own, wanted)
    np.testing.assert_allclose(found.probabilities.sum(axis=1) + found.outside, 1.0, rtol=1e-14)
    assert np.all(found.outside > 0.0)
    np.testing.assert_array_equal(
        histogram_1d(samples[:, :, None], edges).probabilities, found.probabilities
    )


def test_a_map_sums_to_one_over_both_axes():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2, 5000, 2))
    x, y = np.linspace(-1.5, 1.5, 11), np.linspace(-1.0, 2.0, 7)
    found = histogram_2d(samples, x, y)
    assert found.probabilities.shape == (2, 10, 6)
    for own, row in zip(found.probabilities, samples, strict=True):
        np.testing.assert_array_equal(own, np.histogram2d(row[:, 0], row[:, 1], (x, y))[0] / 5000)
    total = found.probabilities.sum(axis=(1, 2)) + found.outside
    np.testing.assert_allclose(total, 1.0, rtol=1e-14)
    assert np.all(found.outside > 0.1)


SMALL = gaussian_features((3, 3), early_stopping_time=EARLY)
THREE = gaussian_features((2, 2, 2, 2), early_stopping_time=EARLY)


def run(features=SMALL, weights=None, starts=((0.0,),), schedule=LINEAR, **changed):
    given = np.zeros((2, features.dimension, features.count)) if weights is None else weights
    return flow(features, given, starts, schedule, **({"early_stopping_time": EARLY} | changed))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run(THREE), "the flow takes 1 or 2"),
        (lambda: run(weights=np.zeros((2, 9))), r"it must be \(models, 1, 9\)"),
        (lambda: run(weights=np.full((1, 1, 9), np.nan)), "weights has entries"),
        (lambda: run(starts=np.zeros((3, 2))), r"\(n, 1\) or \(2, n, 1\)"),
        (lambda: run(starts=np.zeros((3, 5, 1))), r"\(n, 1\) or \(2, n, 1\)"),
        (lambda: run(starts=[[np.inf]]), "starts has entries"),
        (lambda: run(steps=0), "steps = 0"),
        (lambda: run(early_stopping_time=-1.0), "early_stopping_time = -1.0"),
        (lambda: run(schedule=schedule_named("fraction")), "needs a horizon below 1"),
        (lambda: true_flow(LINE, [[0.0, 0.0]], LINEAR, early_stopping_time=EARLY), "starts has"),
        (lambda: true_flow(LINE[:0], [[0.0]], LINEAR, early_stopping_time=EARLY), "data is empty"),
        (lambda: normal_quantiles(0), "n = 0"),
        (lambda: normal_starts(3, 0, seed=0), "d = 0"),
        (lambda: normal_starts(3, 1, seed=0, scale=0.0), "scale = 0.0"),
        (lambda: histogram_1d([0.0], [0.0, 1.0]), "samples has shape"),
        (lambda: histogram_1d([[0.0]], [0.0]), "at least 2 edges"),
        (lambda: histogram_1d([[0.0]], [0.0, 0.0]), "strictly increasing"),
        (lambda: histogram_2d([[0.0]], [0.0, 1.0], [0.0, 1.0]), "samples has shape"),
        (lambda: histogram_2d([[[0.0, 0.0]]], [0.0, 1.0], [1.0, 0.0]), "edges_y"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
