"""The covariance of the proxy score: against 700 digits, derivatives of log p, and known means."""

from __future__ import annotations

import math

import mpmath
import numba
import numpy as np
import pytest

from numerics.proxy_score import proxy_score_covariance, relative_variance

HEXAGON = np.array([[math.cos(math.pi * k / 3), math.sin(math.pi * k / 3)] for k in range(6)])
THREE = np.array([[-1.0, 0.3, 0.0], [0.5, 0.2, 0.9], [0.5, 0.2001, 0.9], [2.0, -1.0, 0.4]])


def slow(x: np.ndarray, data: np.ndarray, mu: float, sigma: float) -> tuple[np.ndarray, float]:
    """Return the covariance and the share at one x, in 700 digits, from the definition."""
    with mpmath.workdps(700):
        point = [mpmath.mpf(float(one)) for one in x]
        rows = [[mpmath.mpf(float(one)) for one in row] for row in data]
        m, s = mpmath.mpf(mu), mpmath.mpf(sigma)
        proxies = [[(m * y - u) / s**2 for y, u in zip(row, point, strict=True)] for row in rows]
        weights = [mpmath.exp(-(s**2) * sum(p * p for p in proxy) / 2) for proxy in proxies]
        total = sum(weights)
        d = len(point)
        pairs = list(zip(weights, proxies, strict=True))
        mean = [sum(w * p[a] for w, p in pairs) / total for a in range(d)]
        entries = [
            [sum(w * (p[a] - mean[a]) * (p[b] - mean[b]) for w, p in pairs) / total
             for b in range(d)]
            for a in range(d)
        ]  # fmt: skip
        trace = sum(entries[a][a] for a in range(d))
        share = trace / (trace + sum(one**2 for one in mean))
        return np.array([[float(one) for one in row] for row in entries]), float(share)


@pytest.mark.parametrize(
    ("reach", "sigma"), [(2.0, 1.0), (2.0, 0.2), (1e6, 0.7), (1.0, 0.02), (1e-3, 3.0)]
)
def test_agrees_with_many_digits_also_far_away_and_for_little_noise(
    reach: float, sigma: float
) -> None:
    x = reach * np.random.default_rng(3).standard_normal((9, 3))
    x[0] = 0.8 * (THREE[1] + THREE[3]) / 2  # between two points, where the covariance is large
    covariance = proxy_score_covariance(x, THREE, mu=0.8, sigma=sigma)
    share = relative_variance(x, THREE, mu=0.8, sigma=sigma)
    for row, matrix, number in zip(x, covariance, share, strict=True):
        expected, fraction = slow(row, THREE, 0.8, sigma)
        # Rounding x, and the products with it, changes an exponent by this, and weights by as much.
        error = 60 * 2.0**-53 * (1 + np.abs(row).max() * 3 * 0.8 / sigma**2)
        assert error < 1e-6
        scale = max(np.trace(expected), 1e-300)
        np.testing.assert_allclose(matrix, expected, rtol=0, atol=error * scale)
        assert number == pytest.approx(fraction, rel=8 * error + 1e-12, abs=1e-290)
        np.testing.assert_array_equal(matrix, matrix.T)


def test_it_is_the_curvature_of_the_log_density_and_that_of_the_noise() -> None:
    mu, sigma, step = 0.7, 0.6, 1e-3

    def log_density(x: np.ndarray) -> float:
        return math.log(sum(math.exp(-((x - mu * y) @ (x - mu * y)) / (2 * sigma**2))
                            for y in HEXAGON))  # fmt: skip

    at = np.array([0.31, -0.4])
    shifts = step * np.eye(2)
    curvature = np.array(
        [[sum(i * j * log_density(at + i * a + j * b) for i in (-1, 1) for j in (-1, 1))
          / (4 * step**2) for a in shifts] for b in shifts]
    )  # fmt: skip
    found = proxy_score_covariance(at[None], HEXAGON, mu=mu, sigma=sigma)[0]
    np.testing.assert_allclose(found, np.eye(2) / sigma**2 + curvature, atol=2e-5)


def test_means_over_the_square_of_figure_1() -> None:
    line = np.linspace(-2, 2, 100)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    found = [
        float(relative_variance(grid, HEXAGON, mu=math.sqrt(1 - t), sigma=math.sqrt(t)).mean())
        for t in (0.05, 0.1, 0.2, 0.5, 0.75)
    ]
    np.testing.assert_allclose(found, [0.10009, 0.23208, 0.32578, 0.27239, 0.16365], atol=6e-6)


def test_symmetric_data_turned_turns_the_covariance() -> None:
    c, s = math.cos(math.pi / 3), math.sin(math.pi / 3)
    turn = np.array([[c, -s], [s, c]])
    x = np.random.default_rng(1).standard_normal((50, 2))
    found = proxy_score_covariance(x, HEXAGON, mu=0.9, sigma=0.4)
    turned = proxy_score_covariance(x @ turn.T, HEXAGON, mu=0.9, sigma=0.4)
    np.testing.assert_allclose(turned, turn @ found @ turn.T, rtol=0, atol=1e-11 * found.max())


def test_one_point_leaves_nothing_to_vary() -> None:
    x = np.array([[0.45, 0.0], [5.0, 1.0]])
    data = np.array([[0.5, 0.0]])
    assert not proxy_score_covariance(x, data, mu=0.9, sigma=1e-60).any()
    np.testing.assert_array_equal(relative_variance(x, data, mu=0.9, sigma=1e-60), [0.0, 0.0])
    twice = np.repeat(data, 3, axis=0)
    assert not relative_variance(x, twice, mu=0.9, sigma=0.1).any()
    # Between two points the mean is between them, and the proxies never are.
    both = np.array([[-1.0], [1.0]])
    assert relative_variance(np.array([[0.0]]), both, mu=0.9, sigma=1e-9)[0] == 1.0


def test_bits_do_not_depend_on_threads_or_company() -> None:
    x = np.random.default_rng(5).standard_normal((1000, 2))
    threads = numba.get_num_threads()
    found = relative_variance(x, HEXAGON, mu=0.9, sigma=0.3)
    matrices = proxy_score_covariance(x, HEXAGON, mu=0.9, sigma=0.3)
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(found, relative_variance(x, HEXAGON, mu=0.9, sigma=0.3))
        again = proxy_score_covariance(x, HEXAGON, mu=0.9, sigma=0.3)
        np.testing.assert_array_equal(matrices, again)
    finally:
        numba.set_num_threads(threads)
    half = relative_variance(x[137:611], HEXAGON, mu=0.9, sigma=0.3)
    np.testing.assert_allclose(found[137:611], half, rtol=1e-13)
    assert relative_variance(x[:0], HEXAGON, mu=0.9, sigma=0.3).shape == (0,)
    assert proxy_score_covariance(x[:0], HEXAGON, mu=0.9, sigma=0.3).shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"points": [1.0, 2.0]}, r"points has shape \(2,\)"),
        ({"points": [[math.nan, 0.0]]}, r"points\[0, 0\] = nan"),
        ({"data": np.empty((0, 2))}, "data has shape"),
        ({"data": [[1.0]]}, "d must be the same"),
        ({"mu": -1.0}, "mu = -1.0"),
        ({"sigma": 0.0}, "sigma = 0.0"),
        ({"sigma": math.inf}, "sigma = inf"),
        ({"data": [[1e70, 0.0]], "mu": 1e70, "sigma": 1e-60}, "sigma = 1e-60; exponents"),
    ],
)
def test_what_is_refused(change: dict[str, object], says: str) -> None:
    given = {"points": [[0.0, 1.0]], "data": HEXAGON, "mu": 0.9, "sigma": 0.3} | change
    for function in (proxy_score_covariance, relative_variance):
        with pytest.raises(ValueError, match=says):
            function(**given)  # type: ignore[operator]


def test_a_covariance_beyond_float64_is_refused() -> None:
    both = np.array([[-1e60], [1e60]])
    with pytest.raises(ValueError, match="sigma = 1e-50; the covariance"):
        proxy_score_covariance([[0.0]], both, mu=1.0, sigma=1e-50)
    assert relative_variance([[0.0]], both, mu=1.0, sigma=1e-50)[0] == 1.0
