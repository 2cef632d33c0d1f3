"""Ridge fits of linear denoisers against dense normal equations; their draws; refusals.

Seeds are fixed. Where one could fail a correct program, the test says with what probability.
"""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy import stats

from numerics.feature_fits import draw_training_sets, fit_denoisers, loss_weight
from numerics.feature_solve import dual_weights, primal_weights
from numerics.feature_training import posterior_means
from numerics.features import (
    FourierAxis,
    GaussianAxis,
    TensorFeatures,
    fourier_features,
    gaussian_features,
)
from numerics.reference_features import dense_features, dense_fit
from numerics.schedules import schedule_named

LINEAR = schedule_named("vp-linear")
LINE = np.array([[-1.0], [0.0], [1.0]])
PLANE = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
EARLY = 0.01


def fit(features, data=LINE, **changed):
    arguments = {"size": 40, "models": 3, "early_stopping_time": EARLY, "seed": 5}
    return fit_denoisers(features, data, LINEAR, **(arguments | changed))


def draws(data=LINE, **changed):
    arguments = {"size": 40, "models": 3, "early_stopping_time": EARLY, "seed": 5}
    return draw_training_sets(data, LINEAR, **(arguments | changed))


# The first of each pair has F <= P = 40, and the F × F system; the second the P × P one.
CASES = {
    "gaussians on a line, primal": (gaussian_features((6, 5), early_stopping_time=EARLY), LINE),
    "gaussians on a line, dual": (gaussian_features((16, 16), early_stopping_time=EARLY), LINE),
    "gaussians in the plane, primal": (
        gaussian_features((3, 3, 4), early_stopping_time=EARLY),
        PLANE,
    ),
    "fourier in the plane, dual": (fourier_features((4, 4, 5), early_stopping_time=EARLY), PLANE),
}


@pytest.mark.parametrize("weight", ["signal-to-noise", "one", "signal"])
@pytest.mark.parametrize("targets", ["data", "posterior-mean"])
@pytest.mark.parametrize("case", CASES)
def test_fits_solve_the_normal_equations(case, targets, weight):
    features, data = CASES[case]
    found = fit(features, data, weight=weight, targets=targets)
    sets = draws(data)
    for model in range(3):
        times, points = sets.times[model], sets.points[model]
        squared = LINEAR.mu(times) ** 2
        weighing = {
            "signal-to-noise": squared / LINEAR.sigma2(times),
            "one": np.ones(40),
            "signal": squared,
        }[weight]
        wanted = sets.clean[model]
        if targets == "posterior-mean":
            gaps = points[:, None, :] - LINEAR.mu(times)[:, None, None] * data[None]
            density = np.exp(-0.5 * (gaps**2).sum(axis=2) / LINEAR.sigma2(times)[:, None])
            wanted = density @ data / density.sum(axis=1, keepdims=True)
        solved = dense_fit(dense_features(features, points, times), wanted, weighing, 0.1)
        np.testing.assert_allclose(
            found.weights[model], solved, rtol=0.0, atol=1e-9 * np.abs(solved).max()
        )
        size = weighing.sum() ** 2 / (weighing**2).sum()
        assert found.effective_sizes[model] == pytest.approx(size, rel=1e-12)


@pytest.mark.parametrize("size", [7, 40])
@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_the_two_systems_have_one_answer(size, ridge):
    features = gaussian_features((3, 3, 4), early_stopping_time=EARLY)
    sets = draws(PLANE, size=size)
    axes = [features.axis_values(*pair) for pair in zip(sets.points, sets.times, strict=True)]
    x, y, time = (np.stack([each[k] for each in axes]) for k in range(3))
    space = (x[:, :, :, None] * y[:, :, None, :]).reshape(3, size, 9)
    weighing = loss_weight("signal-to-noise", LINEAR, sets.times)
    first, second = np.empty((3, 2, 36)), np.empty((3, 2, 36))
    for solve, out in ((primal_weights, first), (dual_weights, second)):
        assert np.all(solve(space, time, sets.clean, weighing, ridge, out) > 0.0)
    np.testing.assert_allclose(first, second, rtol=0.0, atol=1e-9 * np.abs(second).max())


def test_without_a_ridge_a_model_that_can_be_right_is_found():
    # One point y: the denoiser is y everywhere, and a constant is among the features.
    features = fourier_features((3, 3), early_stopping_time=EARLY)
    found = fit(features, [[0.7]], ridge=0.0)
    wanted = np.zeros((3, 1, 9))
    wanted[:, 0, 0] = 0.7
    np.testing.assert_allclose(found.weights, wanted, atol=1e-11)
    np.testing.assert_allclose(found.denoise([[0.3], [-2.0]], 0.5), 0.7, atol=1e-11)


def test_targets_share_their_draws():
    # One point is its own posterior mean: not even the last bit differs.
    features = gaussian_features((6, 5), early_stopping_time=EARLY)
    first, second = (
        fit(features, [[0.7]], targets=targets).weights for targets in ("data", "posterior-mean")
    )
    np.testing.assert_array_equal(first, second)


def test_all_draws_weigh_the_same_under_weight_one():
    features = gaussian_features((6, 5), early_stopping_time=EARLY)
    np.testing.assert_allclose(fit(features, weight="one").effective_sizes, 40.0, rtol=1e-14)


def test_denoise_is_the_features_times_the_weights():
    found = fit(gaussian_features((3, 3, 4), early_stopping_time=EARLY), PLANE)
    points, times = np.array([[0.1, 0.2], [0.3, -1.0]]), np.array([0.2, 0.9])
    phi = dense_features(found.features, points, times)
    wanted = np.einsum("mef,nf->mne", found.weights, phi)
    np.testing.assert_allclose(found.denoise(points, times), wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_bits_depend_on_neither_threads_nor_batches(case, monkeypatch):
    features, data = CASES[case]
    whole = fit(features, data, models=5)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = fit(features, data, models=5)
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(whole.weights, alone.weights)
    monkeypatch.setattr("numerics.feature_fits._HELD", 1)
    np.testing.assert_array_equal(fit(features, data, models=5).weights, whole.weights)
    later = fit(features, data, models=2, first_model=3)
    np.testing.assert_array_equal(whole.weights[3:], later.weights)
    np.testing.assert_array_equal(whole.effective_sizes[3:], later.effective_sizes)


def test_draws_have_their_laws():
    # Three tests at 1e-10 each, over 20 models × 1000 draws: 3e-10 for a correct program.
    sets = draws(size=1000, models=20)
    mu, sigma = LINEAR.mu(sets.times), np.sqrt(LINEAR.sigma2(sets.times))
    noise = (sets.points - mu[..., None] * sets.clean)[..., 0] / sigma
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-10
    assert stats.kstest(sets.times.ravel(), stats.uniform(EARLY, 1.0 - EARLY).cdf).pvalue > 1e-10
    counts = [int((sets.clean == point).sum()) for point in LINE[:, 0]]
    assert sum(counts) == 20_000
    assert stats.chisquare(counts).pvalue > 1e-10


def test_models_have_streams_of_their_own_and_smaller_sets_come_first():
    whole, fewer = draws(models=4), draws(models=2, first_model=2, size=11)
    np.testing.assert_array_equal(whole.points[2:, :11], fewer.points)
    assert fewer.first_model == 2
    assert len(np.unique(whole.times)) == whole.times.size
    assert not np.array_equal(draws(seed=6).times, whole.times[:3])


def test_posterior_means_at_small_noise_and_far_away():
    points, times = np.array([[0.49], [0.51], [50.0], [-50.0]]), np.full(4, 1e-6)
    found = posterior_means(points, times, LINE, LINEAR)
    np.testing.assert_array_equal(found[:, 0], [0.0, 1.0, 1.0, -1.0])


SMALL = gaussian_features((3, 3), early_stopping_time=EARLY)
IDLE = TensorFeatures((GaussianAxis([0.0, 90.0], 0.5),), FourierAxis(2, 2.0))
ALIKE = TensorFeatures((GaussianAxis(np.linspace(-0.01, 0.01, 6), 9.0),), FourierAxis(2, 2.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fit(gaussian_features((16, 16), early_stopping_time=EARLY), ridge=0.0),
            "ridge = 0 with F = 256 features and P = 40 draws",
        ),
        (
            lambda: fit(IDLE, ridge=0.0, first_model=7),
            r"model 7 is singular, no draw comes near \[2\] x centre 90, t constant; \[3\] x ",
        ),
        (lambda: fit(ALIKE, ridge=0.0), r"singular, redundant on its draws are \[\d+\] x centre"),
        (lambda: fit(SMALL, ridge=-1.0), "ridge = -1.0"),
        (lambda: fit(ALIKE, ridge=1e-300, size=10), "lost in rounding beside the draws of model 0"),
        (lambda: fit(SMALL, PLANE), "one axis per coordinate"),
        (lambda: fit(SMALL, np.zeros((0, 1))), "data is empty"),
        (lambda: fit(SMALL, size=0), "size = 0"),
        (lambda: fit(SMALL, models=0), "models = 0"),
        (lambda: fit(SMALL, weight="none"), "weight = 'none'"),
        (lambda: fit(SMALL, targets="none"), "targets = 'none'"),
        (lambda: fit(SMALL, early_stopping_time=0.0), "early_stopping_time = 0.0"),
        (lambda: fit(SMALL, seed=-1), "rng = -1"),
        (lambda: draws(models=0), "models = 0"),
        (lambda: draws(first_model=-1), "first_model = -1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
