"""Empirical score kernels: identities, invariances, wrong input, threads and memory.

The comparison with 50-digit arithmetic is in test_empirical_score_accuracy.py.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.empirical import (
    empirical_score,
    log_density,
    posterior_covariance,
    posterior_moments,
)
from numerics.reference import reference_log_density, reference_posterior, reference_score

FUNCTIONS: list[Callable[..., Any]] = [
    empirical_score,
    log_density,
    posterior_moments,
    posterior_covariance,
]


def problem(
    seed: int, many: int, number: int, dimension: int, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy copies of Gaussian data, the queries a diffusion model meets."""
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(number, dimension))
    x = data[rng.integers(number, size=many)] + sigma * rng.normal(size=(many, dimension))
    return x, data


@pytest.mark.parametrize("dimension", [1, 2, 3, 7, 8, 9, 63, 64, 65, 130])
@pytest.mark.parametrize("number", [1, 63, 64, 65, 500])
def test_agrees_with_definition(dimension: int, number: int) -> None:
    x, data = problem(dimension * 1000 + number, 19, number, dimension, 0.8)
    weights = np.random.default_rng(3).uniform(0.1, 1.0, size=number)
    for given_weights in (None, weights):
        options: dict[str, Any] = {"mu": 0.9, "sigma": 0.8, "weights": given_weights}
        score = reference_score(x, data, **options)
        scale = np.linalg.norm(score, axis=1, keepdims=True) + 1.0
        assert np.all(np.abs(empirical_score(x, data, **options) - score) <= 1e-12 * scale)
        np.testing.assert_allclose(
            log_density(x, data, **options), reference_log_density(x, data, **options), rtol=1e-12
        )
        mean, covariance = reference_posterior(x, data, **options)
        found_mean, found_trace = posterior_moments(x, data, **options)
        np.testing.assert_allclose(found_mean, mean, atol=1e-12)
        np.testing.assert_allclose(
            found_trace, np.trace(covariance, axis1=1, axis2=2), rtol=1e-11, atol=1e-13
        )
        found = posterior_covariance(x, data, **options)
        np.testing.assert_allclose(found, covariance, atol=1e-12)
        assert np.array_equal(found, np.swapaxes(found, 1, 2))


def test_one_point_is_gaussian() -> None:
    x, data = problem(1, 50, 1, 5, 2.0)
    expected = (0.5 * data - x) / 4.0
    np.testing.assert_allclose(empirical_score(x, data, mu=0.5, sigma=2.0), expected, rtol=4e-16)
    density = -0.5 * np.sum((0.5 * data - x) ** 2, axis=1) / 4.0 - 2.5 * np.log(8.0 * np.pi)
    np.testing.assert_allclose(log_density(x, data, mu=0.5, sigma=2.0), density, rtol=1e-15)
    mean, trace = posterior_moments(x, data, mu=0.5, sigma=2.0)
    assert np.array_equal(mean, np.broadcast_to(data, mean.shape))
    assert not np.any(trace)


def test_two_points_are_a_hyperbolic_tangent() -> None:
    x = np.linspace(-6.0, 6.0, 101).reshape(-1, 1)
    data = np.array([[-1.0], [1.0]])
    expected = (np.tanh(x / 0.25) - x) / 0.25
    np.testing.assert_allclose(
        empirical_score(x, data, mu=1.0, sigma=0.5), expected, rtol=1e-14, atol=1e-15
    )


def test_one_surviving_point_is_exact_to_rounding() -> None:
    rng = np.random.default_rng(5)
    data = 1.0 + 1e-6 * np.arange(200.0).reshape(-1, 1)
    x = data[rng.integers(200, size=300)] + 1e-6 * rng.uniform(-0.4, 0.4, size=(300, 1))
    # At sigma = 1e-8 the nearest point is at least 0.2e-6 = 20 sigma closer than the next.
    nearest = data[np.argmin(np.abs(x - data.T), axis=1)]
    expected = (nearest - x) / 1e-16
    found = empirical_score(x, data, mu=1.0, sigma=1e-8)
    assert np.all(np.abs(found - expected) <= 4e-16 * np.abs(expected))


@pytest.mark.parametrize("dimension", [1, 2, 30])
def test_score_is_gradient_of_log_density(dimension: int) -> None:
    x, data = problem(6, 12, 300, dimension, 0.6)
    score = empirical_score(x, data, mu=1.1, sigma=0.6)
    step = 1e-4
    for k in range(dimension):
        shift = np.zeros(dimension)
        shift[k] = step
        difference = log_density(x + shift, data, mu=1.1, sigma=0.6) - log_density(
            x - shift, data, mu=1.1, sigma=0.6
        )
        np.testing.assert_allclose(score[:, k], difference / (2.0 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_score_jacobian_is_posterior_covariance(dimension: int) -> None:
    x, data = problem(7, 9, 200, dimension, 0.7)
    covariance = posterior_covariance(x, data, mu=0.8, sigma=0.7)
    jacobian = np.empty_like(covariance)
    for k in range(dimension):
        shift = np.zeros(dimension)
        shift[k] = 1e-4
        jacobian[:, :, k] = (
            empirical_score(x + shift, data, mu=0.8, sigma=0.7)
            - empirical_score(x - shift, data, mu=0.8, sigma=0.7)
        ) / 2e-4
    expected = 0.64 * covariance / 0.7**4 - np.eye(dimension) / 0.49
    np.testing.assert_allclose(jacobian, expected, atol=2e-6)


@pytest.mark.parametrize("dimension", [1, 3, 20])
def test_score_is_tweedie_of_posterior_mean(dimension: int) -> None:
    x, data = problem(8, 40, 500, dimension, 0.4)
    mean, trace = posterior_moments(x, data, mu=0.9, sigma=0.4)
    score = empirical_score(x, data, mu=0.9, sigma=0.4)
    np.testing.assert_allclose(score, (0.9 * mean - x) / 0.16, rtol=1e-11, atol=1e-12)
    covariance = posterior_covariance(x, data, mu=0.9, sigma=0.4)
    np.testing.assert_allclose(trace, np.trace(covariance, axis1=1, axis2=2), rtol=1e-12)


def test_zero_weight_points_never_contribute() -> None:
    x, data = problem(9, 30, 200, 2, 0.01)
    weights = np.random.default_rng(9).uniform(size=200)
    nearest = np.argmin(np.sum((x[:, None] - data[None]) ** 2, axis=2), axis=1)
    weights[nearest] = 0.0
    kept = weights > 0.0
    for function in FUNCTIONS:
        with_zeros = function(x, data, mu=1.0, sigma=0.01, weights=weights)
        without = function(x, data[kept], mu=1.0, sigma=0.01, weights=weights[kept])
        assert np.array_equal(with_zeros[0], without[0])


def test_duplicates_are_weights() -> None:
    x, data = problem(10, 30, 40, 2, 0.3)
    repeats = np.random.default_rng(10).integers(1, 5, size=40)
    value, radius = empirical_score(
        x, np.repeat(data, repeats, axis=0), mu=1.0, sigma=0.3, return_radius=True
    )
    other, other_radius = empirical_score(
        x, data, mu=1.0, sigma=0.3, weights=repeats, return_radius=True
    )
    assert np.all(np.abs(value - other) <= radius + other_radius)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    dimension=st.integers(1, 5),
    number=st.integers(1, 150),
    log_sigma=st.floats(-12.0, 12.0),
    weight_scale=st.sampled_from([1e-300, 1.0, 1e200]),
)
def test_order_and_weight_scale_do_not_matter(
    seed: int, dimension: int, number: int, log_sigma: float, weight_scale: float
) -> None:
    rng = np.random.default_rng(seed)
    sigma = 10.0**log_sigma
    x, data = problem(seed, 5, number, dimension, sigma)
    order = rng.permutation(number)
    value, radius = empirical_score(x, data, mu=1.0, sigma=sigma, return_radius=True)
    other, other_radius = empirical_score(
        x,
        data[order],
        mu=1.0,
        sigma=sigma,
        weights=np.full(number, weight_scale),
        return_radius=True,
    )
    assert np.all(np.isfinite(value))
    assert np.all(np.abs(value - other) <= radius + other_radius)
    density, density_radius = log_density(x, data, mu=1.0, sigma=sigma, return_radius=True)
    other, other_radius = log_density(
        x,
        data[order],
        mu=1.0,
        sigma=sigma,
        weights=np.full(number, weight_scale),
        return_radius=True,
    )
    assert np.all(np.abs(density - other) <= density_radius + other_radius)


def test_no_queries_give_empty_results() -> None:
    data = np.ones((4, 3))
    x = np.empty((0, 3))
    assert empirical_score(x, data, mu=1.0, sigma=1.0).shape == (0, 3)
    assert log_density(x, data, mu=1.0, sigma=1.0).shape == (0,)
    mean, trace = posterior_moments(x, data, mu=1.0, sigma=1.0)
    assert mean.shape == (0, 3)
    assert trace.shape == (0,)
    assert posterior_covariance(x, data, mu=1.0, sigma=1.0).shape == (0, 3, 3)


def test_radius_has_the_shape_of_the_value() -> None:
    x, data = problem(11, 6, 20, 3, 1.0)
    functions: list[Callable[..., Any]] = [empirical_score, log_density, posterior_covariance]
    for function in functions:
        value, radius = function(x, data, mu=1.0, sigma=1.0, return_radius=True)
        assert value.shape == radius.shape
        assert np.array_equal(value, function(x, data, mu=1.0, sigma=1.0))
    mean, trace, mean_radius, trace_radius = posterior_moments(
        x, data, mu=1.0, sigma=1.0, return_radius=True
    )
    assert mean.shape == mean_radius.shape
    assert trace.shape == trace_radius.shape


def test_inputs_are_unchanged_and_lists_accepted() -> None:
    x, data = problem(12, 6, 20, 2, 1.0)
    kept_x, kept_data = x.copy(), data.copy()
    value = empirical_score(x, data, mu=1.0, sigma=1.0)
    assert np.array_equal(x, kept_x)
    assert np.array_equal(data, kept_data)
    assert np.array_equal(value, empirical_score(x.tolist(), data.tolist(), mu=1, sigma=1))
    assert np.array_equal(value, empirical_score(x, np.asfortranarray(data), mu=1.0, sigma=1.0))


GOOD: dict[str, Any] = {
    "x": np.zeros((2, 3)),
    "data": np.ones((4, 3)),
    "mu": 1.0,
    "sigma": 0.5,
    "weights": None,
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.full((2, 3), np.nan)}, r"^x\[0, 0\] = nan; entries must be finite: remove"),
        ({"x": np.full((2, 3), -np.inf)}, r"^x\[0, 0\] = -inf; entries must be finite: remove"),
        ({"x": np.full((2, 3), 1e71)}, r"^x\[0, 0\] = 1e\+71; .*divide x, data and sigma"),
        ({"data": [[1.0, 2.0, np.inf]]}, r"^data\[0, 2\] = inf; entries must be finite: remove"),
        ({"x": np.zeros(3)}, r"^x has shape \(3,\); .*x.reshape\(-1, 1\)"),
        ({"data": np.zeros(3)}, r"^data has shape \(3,\); .*data.reshape\(-1, 1\)"),
        ({"x": np.zeros(3), "data": np.zeros(3)}, r"^x has shape \(3,\); .*reshape\(-1, 1\)"),
        ({"x": np.zeros((2, 3, 1))}, r"^x has shape \(2, 3, 1\); .*flatten each point"),
        ({"x": 0.0}, r"^x has shape \(\); .*flatten each point"),
        ({"x": np.zeros((2, 2))}, r"^x has shape \(2, 2\) and data \(4, 3\); d must be the same"),
        ({"x": np.zeros((2, 0)), "data": np.zeros((2, 0))}, r"^x has shape \(2, 0\); .*d >= 1"),
        ({"data": np.zeros((0, 3))}, r"^data has shape \(0, 3\); .*N >= 1: pass at least one"),
        ({"data": np.full((4, 3), None)}, r"^data has dtype object; .*np.asarray\(data, dtype"),
        ({"data": np.ones((4, 3), dtype=complex)}, r"^data has dtype complex128; "),
        ({"data": [["a", "b", "c"]]}, r"^data has dtype <U1; .*real numbers"),
        ({"x": [[1.0, 2.0, 3.0], [1.0]]}, r"^x is ragged; .*give every row the same length"),
        ({"sigma": 0.0}, r"^sigma = 0.0; it must lie in \[1e-70, 1e\+70\]: pass one real"),
        ({"sigma": -1.0}, r"^sigma = -1.0; it must lie in \[1e-70, 1e\+70\]: pass one real"),
        ({"sigma": np.nan}, r"^sigma = nan; it must lie in"),
        ({"sigma": np.inf}, r"^sigma = inf; it must lie in"),
        ({"sigma": 1e-71}, r"^sigma = 1e-71; .*divide x, data and sigma by a common factor"),
        ({"sigma": "1"}, r"^sigma = '1'; it must lie in"),
        ({"sigma": None}, r"^sigma = None; it must lie in"),
        ({"sigma": np.ones(2)}, r"^sigma = array\(\[1., 1.\]\); it must lie in"),
        ({"mu": -0.5}, r"^mu = -0.5; it must lie in \[0, 1e\+70\]: pass one real"),
        ({"mu": np.nan}, r"^mu = nan; it must lie in"),
        ({"mu": 1j}, r"^mu = 1j; it must lie in"),
        ({"mu": 1e60, "data": np.full((4, 3), 1e20)}, r"^mu \* max\|data\| = .*at most 1e\+70"),
        ({"weights": np.ones(3)}, r"^weights has shape \(3,\); it must be \(4,\): pass one"),
        ({"weights": np.ones((4, 1))}, r"^weights has shape \(4, 1\); it must be \(4,\)"),
        ({"weights": [1.0, 1.0, -2.0, 1.0]}, r"^weights\[2\] = -2.0; .*finite and >= 0: remove"),
        ({"weights": [1.0, np.nan, 1.0, 1.0]}, r"^weights\[1\] = nan; .*finite and >= 0"),
        ({"weights": [1.0, np.inf, 1.0, 1.0]}, r"^weights\[1\] = inf; .*finite and >= 0"),
        ({"weights": np.zeros(4)}, r"^weights = all 0; .*must be > 0: pass weights=None"),
        ({"weights": [None] * 4}, r"^weights has dtype object; .*real numbers"),
    ],
)
def test_wrong_input_is_explained_in_one_line(
    function: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    arguments = GOOD | change
    x, data = arguments.pop("x"), arguments.pop("data")
    with pytest.raises(ValueError, match=message) as caught:
        function(x, data, **arguments)
    assert "\n" not in str(caught.value)


def digest() -> str:
    """Return a hash of all results on problems that reach every code path."""
    total = hashlib.sha256()
    for seed, (number, dimension, sigma, offset) in enumerate(
        [(3000, 1, 0.05, 0.0), (700, 2, 0.05, 0.0), (300, 12, 0.5, 0.0), (300, 2, 1e-4, 1e5)]
    ):
        x, data = problem(seed, 75, number, dimension, sigma)
        for function in FUNCTIONS:
            results = function(x + offset, data, mu=0.9, sigma=sigma, return_radius=True)
            for result in results:
                total.update(result.tobytes())
    return total.hexdigest()


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = (
        "import numba\n"
        "from tests.test_empirical_score import digest\n"
        "for threads in (1, 2, 4):\n"
        "    numba.set_num_threads(threads)\n"
        "    print(digest())\n"
    ).replace("print", "__import__('sys').stdout.write")
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    environment = os.environ | {"NUMBA_NUM_THREADS": "4", "PYTHONPATH": root}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    digests = [run.stdout[i : i + 64] for i in range(0, len(run.stdout), 64)]
    assert len(digests) == 3
    assert set(digests) == {digest()}


def test_memory_does_not_grow_like_queries_times_points() -> None:
    x, data = problem(13, 2000, 20000, 2, 0.5)
    log_density(x[:2], data, mu=1.0, sigma=0.5)
    tracemalloc.start()
    empirical_score(x, data, mu=1.0, sigma=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # the M x N array of float64 would be 320 MB
