"""Tensor-product features against formulas written out one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from numerics.features import (
    FourierAxis,
    GaussianAxis,
    TensorFeatures,
    fourier_features,
    gaussian_features,
)
from numerics.reference_features import dense_features


def places(count, dimension, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-2.0, 2.0, (count, dimension)), rng.uniform(0.01, 1.0, count)


def test_gaussians_are_normal_densities():
    axis = GaussianAxis([-1.0, 0.3, 2.0], 0.4)
    x = np.linspace(-3.0, 3.0, 41)
    wanted = stats.norm.pdf(x[:, None], [-1.0, 0.3, 2.0], 0.4)
    np.testing.assert_allclose(axis.values(x), wanted, rtol=1e-13)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11])
def test_fourier_functions_are_cosines_then_sines(count):
    x, period = np.linspace(-2.0, 2.0, 17), 1.7
    sines = (count - 1) // 2
    angle = 2.0 * np.pi * x / period
    wanted = [np.ones(len(x))]
    wanted += [np.cos(n * angle) for n in range(1, count - sines)]
    wanted += [np.sin(n * angle) for n in range(1, sines + 1)]
    found = FourierAxis(count, period).values(x)
    np.testing.assert_allclose(found, np.transpose(wanted), atol=1e-14)


@pytest.mark.parametrize("counts", [(16, 16), (10, 10, 10), (3, 2, 4, 5)])
@pytest.mark.parametrize("build", [gaussian_features, fourier_features])
def test_products_agree_with_the_reference(build, counts):
    features = build(counts, early_stopping_time=0.01)
    points, times = places(20, len(counts) - 1)
    found = features.evaluate(points, times)
    assert found.shape == (20, features.count) == (20, int(np.prod(counts)))
    wanted = dense_features(features, points, times)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13 * np.abs(wanted).max())


def test_time_runs_fastest_then_y():
    features = gaussian_features((2, 3, 4), early_stopping_time=0.01)
    points, times = places(5, 2)
    x, y, t = features.axis_values(points, times)
    found = features.evaluate(points, times)
    np.testing.assert_array_equal(found[:, 1 * 12 + 2 * 4 + 3], x[:, 1] * y[:, 2] * t[:, 3])
    assert features.label(23) == "x centre 1.5, y centre 1.5, t centre 1"


def test_gaussian_builder_spaces_centres_equally():
    features = gaussian_features((16, 10), early_stopping_time=1e-3)
    (space,), time = features.space, features.time
    np.testing.assert_allclose(space.centres, -1.5 + 0.2 * np.arange(16), atol=1e-15)
    assert space.width == pytest.approx(0.1)
    assert (time.centres[0], time.centres[-1]) == (1e-3, 1.0)
    assert time.width == pytest.approx(0.999 / 18)


@pytest.mark.parametrize("distinct", [False, True])
def test_ends_are_one_point_of_a_circle_unless_made_distinct(distinct):
    features = fourier_features((4, 4), early_stopping_time=0.1, distinct_ends=distinct)
    low, high = features.space[0].values([-1.5, 1.5])
    first, last = features.time.values([0.1, 1.0])
    assert np.allclose(low, high) is not distinct
    assert np.allclose(first, last) is not distinct


def test_one_time_serves_all_points():
    features = gaussian_features((3, 3), early_stopping_time=0.1)
    points, _ = places(4, 1)
    np.testing.assert_array_equal(
        features.evaluate(points, 0.5), features.evaluate(points, np.full(4, 0.5))
    )


FEATURES = gaussian_features((3, 3), early_stopping_time=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_features((1, 4), early_stopping_time=0.1), "at least 2 Gaussian centres"),
        (lambda: gaussian_features((4, 1), early_stopping_time=0.1), "at least 2 Gaussian centres"),
        (lambda: gaussian_features((4,), early_stopping_time=0.1), "one of time are needed"),
        (lambda: gaussian_features((4, 4), early_stopping_time=0.0), "early_stopping_time = 0.0"),
        (lambda: gaussian_features((4, 4), early_stopping_time=2.0), "early_stopping_time = 2.0"),
        (lambda: gaussian_features((4.5, 4), early_stopping_time=0.1), "counts = 4.5"),
        (lambda: fourier_features((0, 4), early_stopping_time=0.1), "count = 0"),
        (
            lambda: fourier_features((4, 4), low=1.0, high=1.0, early_stopping_time=0.1),
            "low < high",
        ),
        (lambda: GaussianAxis([0.0, 0.0], 1.0), "strictly increasing"),
        (lambda: GaussianAxis([0.0], 1.0), "at least 2 Gaussian centres"),
        (lambda: GaussianAxis([0.0, 1.0], 0.0), "width = 0.0"),
        (lambda: FourierAxis(3, -1.0), "period = -1.0"),
        (lambda: TensorFeatures((), FourierAxis(3, 1.0)), "space is empty"),
        (lambda: TensorFeatures((None,), FourierAxis(3, 1.0)), "axis = None"),
        (lambda: FEATURES.evaluate([[0.0, 0.0]], 0.5), "one column per axis"),
        (lambda: FEATURES.evaluate([[0.0]], [0.5, 0.6]), "pass one per point"),
        (lambda: FEATURES.label(9), "index = 9"),
        (lambda: FEATURES.time.values(0.5), "pass one coordinate"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
