"""Measured orders of convergence: each theoretical order lies in a narrow band."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numerics.counter_streams import stream_key
from numerics.milstein import diagonal_step, geometric_brownian_motion
from numerics.orders import halved_times, measured_diagonal_order, measured_order
from numerics.sampler_normals import keyed_normals
from numerics.sampler_order_fit import fitted_order, order_weights
from numerics.sampler_steps import step_factors
from numerics.sampler_times import sampler_times
from numerics.samplers import EmpiricalScore, sample_reverse

# Each check of a random order errs with probability 1e-8.
CONFIDENCE = 1.0 - 1e-8
SPREAD = 0.5
TIMES = sampler_times(np.linspace(2.0, 0.2, 17))


def gaussian(x, u):
    """Score of N(4, 1/4), noised."""
    return (4.0 * np.exp(-u) - x) / (1.0 + (SPREAD**2 - 1.0) * np.exp(-2.0 * u))


def wide(x, u):
    """Score of N(4, 4), noised: its weak errors stand out from the paths' spread."""
    return (4.0 * np.exp(-u) - x) / (1.0 + 3.0 * np.exp(-2.0 * u))


def mixture(x, u):
    """Score of (N(-1.5, 1/4) + N(1.5, 1/4)) / 2, noised: a tanh."""
    centre = 1.5 * np.exp(-u)
    v = 1.0 + (SPREAD**2 - 1.0) * np.exp(-2.0 * u)
    return (centre * np.tanh(centre * x / v) - x) / v


EMPIRICAL = EmpiricalScore(np.random.default_rng(0).standard_normal((5, 1)))


def first_coordinate(x):
    return x[:, 0]


def check(fit, order):
    assert abs(fit.order - order) < fit.half_width < 0.2
    assert fit.statistical + fit.sensitivity == fit.half_width
    assert np.all(fit.differences[1:] < fit.differences[:-1])
    assert np.all(fit.standard_errors < 0.1 * fit.differences)


@pytest.mark.parametrize("score", [gaussian, mixture, EMPIRICAL])
@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("exponential", 1.0),
        ("euler-maruyama", 1.0),
        ("flow-euler", 1.0),
        ("flow-exponential", 1.0),
        ("flow-heun", 2.0),
    ],
)
def test_strong_orders(score, method, order):
    fit = measured_order(
        score,
        TIMES,
        levels=5,
        paths=16_384,
        dimension=1,
        rng=1,
        method=method,
        confidence=CONFIDENCE,
    )
    check(fit, order)


@pytest.mark.parametrize(("score", "start", "stop"), [(wide, 1.0, 0.05), (EMPIRICAL, 2.0, 0.2)])
@pytest.mark.parametrize("method", ["exponential", "euler-maruyama"])
def test_weak_orders(score, start, stop, method):
    fit = measured_order(
        score,
        sampler_times(np.linspace(start, stop, 17)),
        levels=5,
        paths=65_536,
        dimension=1,
        rng=1,
        method=method,
        kind="weak",
        confidence=CONFIDENCE,
    )
    check(fit, 1.0)


@pytest.mark.parametrize(("method", "order"), [("euler-maruyama", 0.5), ("milstein", 1.0)])
def test_strong_orders_for_geometric_brownian_motion(method, order):
    fit = measured_diagonal_order(
        geometric_brownian_motion(0.5, 0.5),
        [1.0],
        np.linspace(0.0, 1.0, 9),
        levels=6,
        paths=32_768,
        rng=1,
        method=method,
        confidence=CONFIDENCE,
    )
    check(fit, order)


def test_weak_order_of_milstein():
    fit = measured_diagonal_order(
        geometric_brownian_motion(0.5, 0.5),
        [1.0],
        np.linspace(0.0, 1.0, 9),
        levels=5,
        paths=32_768,
        rng=1,
        method="milstein",
        kind="weak",
        test_function=first_coordinate,
        confidence=CONFIDENCE,
    )
    check(fit, 1.0)


def test_milstein_is_euler_maruyama_for_additive_noise():
    equation = geometric_brownian_motion(0.5, 0.5)
    additive = type(equation)(equation.drift, lambda x, t: np.ones_like(x), lambda x, t: 0.0 * x)
    x, dw = (
        np.ones((5, 2)),
        keyed_normals(stream_key(0), first_path=0, paths=5, draw=1, dimension=2),
    )
    one, other = (
        diagonal_step(additive, x, 0.0, 0.1, dw, method)
        for method in ("milstein", "euler-maruyama")
    )
    assert np.array_equal(one, other)


def test_milstein_moments_are_exact():
    # E[(1 + a h + b W + b² (W² - h) / 2)²] = (1 + a h)² + b² h + b⁴ h² / 2 per step, W ~ N(0, h);
    # a sample mean that is 6.5 sd off has probability 1e-10.
    a, b, h, steps, paths = 0.3, 0.4, 0.25, 4, 100_000
    motion, key, x = geometric_brownian_motion(a, b), stream_key(3), np.ones((paths, 1))
    for k in range(steps):
        z = keyed_normals(key, first_path=0, paths=paths, draw=k + 1, dimension=1)
        x = diagonal_step(motion, x, k * h, h, math.sqrt(h) * z, "milstein")
    exact = ((1.0 + a * h) ** 2 + b**2 * h + 0.5 * b**4 * h**2) ** steps
    square = x[:, 0] ** 2
    assert abs(square.mean() - exact) < 6.5 * square.std() / math.sqrt(paths)
    assert abs(x.mean() - (1.0 + a * h) ** steps) < 6.5 * x.std() / math.sqrt(paths)


@pytest.mark.parametrize("method", ["exponential", "euler-maruyama"])
def test_a_zero_score_makes_all_grids_agree_where_the_step_is_exact(method):
    # With ŝ = 0 the exponential step is exact, whatever the grid, if the noise is combined rightly.
    def zero(x, u):
        return 0.0 * x

    arguments = {"levels": 4, "paths": 64, "dimension": 1, "rng": 0, "method": method}
    if method == "exponential":
        with pytest.raises(
            ValueError, match=r"^levels = 4: the difference at level \d is .*e-1[5-7]"
        ):
            measured_order(zero, TIMES, **arguments)
    else:
        assert abs(measured_order(zero, TIMES, **arguments).order - 1.0) < 0.3


def test_the_finest_grid_is_the_sampler_itself():
    # The difference of the last two grids, from two runs of the sampler on the same Brownian path.
    coarse = sampler_times([1.0, 0.75, 0.5])
    arguments = {"paths": 64, "dimension": 2, "rng": 9}
    fit = measured_order(gaussian, coarse, levels=4, **arguments)
    fine, half = halved_times(coarse, 4), halved_times(coarse, 3)
    y = keyed_normals(stream_key(9), first_path=0, paths=64, draw=0, dimension=2)
    noise, big = step_factors(fine, "exponential").noise, step_factors(half, "exponential")
    for k, u in enumerate(half.noise_times[:-1]):
        first, second = (
            noise[j] * keyed_normals(stream_key(9), first_path=0, paths=64, draw=j + 1, dimension=2)
            for j in (2 * k, 2 * k + 1)
        )
        drawn = math.exp(fine.steps[2 * k + 1]) * first + second
        y = big.keep[k] * y + big.push[k] * gaussian(y, u) + drawn
        assert noise[2 * k] ** 2 * math.exp(2.0 * fine.steps[2 * k + 1]) + noise[
            2 * k + 1
        ] ** 2 == pytest.approx(big.noise[k] ** 2, rel=1e-13)
    gap = sample_reverse(gaussian, fine, **arguments).end - y
    assert math.sqrt(np.mean(np.sum(gap**2, axis=1))) == pytest.approx(fit.differences[-1], 1e-10)


def test_the_fit_sees_through_a_coarse_grid():
    level = np.arange(6.0)
    exact = 2.0 ** (-1.5 * level) * (1.0 + 0.4 * 2.0**-level)
    assert order_weights(6) @ np.log2(exact) == pytest.approx(1.5, abs=0.02)
    values = np.tile(exact**2, (64, 1))
    fit = fitted_order(
        values, scale=1.0, step_sizes=2.0**-level, method="-", kind="strong", confidence=0.99
    )
    # Without random error the sensitivity alone covers what the fitted form leaves out.
    assert fit.statistical < 1e-12
    assert abs(fit.order - 1.5) < fit.sensitivity
    assert fit.band == (fit.order - fit.half_width, fit.order + fit.half_width)
    assert np.allclose(fit.differences, exact)


def test_bands_cover_as_often_as_they_say():
    # Statistical part alone, at 90%, over 300 repetitions: fewer than 235 or more than 296 hits
    # have probability 2e-9 and less; the jackknife of 32 batches may be a little conservative.
    rng, level, hits = np.random.default_rng(5), np.arange(5.0), 0
    for _ in range(300):
        values = 4.0**-level * rng.exponential(size=(640, 5))
        fit = fitted_order(
            values, scale=1.0, step_sizes=2.0**-level, method="-", kind="strong", confidence=0.9
        )
        hits += abs(fit.order - 1.0) < fit.statistical
    assert 235 <= hits <= 296


def test_results_do_not_depend_on_how_many_paths_run_together(monkeypatch):
    arguments = {"levels": 4, "paths": 200, "dimension": 2, "rng": 3}
    whole = measured_order(gaussian, TIMES, **arguments)
    monkeypatch.setattr("numerics.orders._TOGETHER", 33)
    assert np.array_equal(
        measured_order(gaussian, TIMES, **arguments).differences, whole.differences
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"levels": 3}, "levels = 3: an integer ≥ 4"),
        ({"levels": "5"}, "levels = '5'"),
        ({"paths": 63}, "paths = 63: an integer ≥ 64"),
        ({"dimension": 0}, "dimension = 0"),
        ({"kind": "both"}, "kind = 'both': it must be one of strong, weak"),
        ({"test_function": first_coordinate}, "test_function = a function"),
        ({"kind": "weak", "test_function": lambda x: x}, r"test_function returned shape \(64, 1\)"),
        ({"confidence": 1.0}, "confidence = 1.0"),
        ({"method": "midpoint"}, "method = 'midpoint'"),
        ({"score": lambda x, u: np.nan * x}, "score at step 0 .* returned nan for path 0"),
    ],
)
def test_bad_arguments_are_refused_on_one_line(changed, message):
    arguments = {
        "score": gaussian,
        "times_coarsest": TIMES,
        "levels": 4,
        "paths": 64,
        "dimension": 1,
        "rng": 0,
    }
    with pytest.raises(ValueError, match="^" + message) as caught:
        measured_order(**{**arguments, **changed})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial": 1.0}, "initial = 1.0"),
        ({"initial": [np.inf]}, r"initial = \[inf\]"),
        ({"times_coarsest": [0.0, 0.0]}, r"times_coarsest has shape \(2,\)"),
        ({"method": "heun"}, "method = 'heun': it must be one of euler-maruyama, milstein"),
        ({"initial": [1e308]}, "the state of row 0 is not finite after time 0"),
    ],
)
def test_bad_arguments_of_diagonal_orders_are_refused_on_one_line(changed, message):
    arguments = {
        "equation": geometric_brownian_motion(50.0, 0.5),
        "initial": [1.0],
        "times_coarsest": [0.0, 1.0],
        "levels": 4,
        "paths": 64,
        "rng": 0,
        "method": "milstein",
    }
    with pytest.raises(ValueError, match="^" + message) as caught:
        measured_diagonal_order(**{**arguments, **changed})
    assert "\n" not in str(caught.value)
