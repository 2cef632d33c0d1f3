"""Reverse-time sampling: closed forms, the reference, and independence of the layout."""

from __future__ import annotations

from typing import get_args

import numba
import numpy as np
import pytest
from scipy import stats

from numerics import samplers
from numerics.counter_streams import stream_key
from numerics.empirical import empirical_score
from numerics.reference import reference_score
from numerics.reference_samplers import reference_reverse
from numerics.sampler_kernel import kernel_paths
from numerics.sampler_moments import group_size
from numerics.sampler_normals import keyed_normals
from numerics.sampler_steps import Method, step_factors
from numerics.sampler_times import sampler_times, two_phase_times
from numerics.samplers import EmpiricalScore, sample_reverse

METHODS = get_args(Method)
TIMES = two_phase_times(0.25, 8, 10)
CENTRE, SPREAD = np.array([1.5, -0.5]), 0.4


def affine(x, u):
    """Score of N(mu m, v), the noised N(m, s^2)."""
    return -(x - np.exp(-u) * CENTRE[: x.shape[1]]) / variance(u)


def variance(u):
    return 1.0 + (SPREAD**2 - 1.0) * np.exp(-2.0 * u)


def plain(data, weights=None):
    def score(x, u):
        sigma = np.sqrt(-np.expm1(-2.0 * u))
        return reference_score(x, data, mu=np.exp(-u), sigma=sigma, weights=weights)

    return score


def recursion(times, method):
    """Mean and variance of the affine score's samples, step by step."""
    mean, square = np.zeros(2), np.ones(2)
    for u, after in zip(times.noise_times[:-1], times.noise_times[1:], strict=True):
        h, v = u - after, variance(u)
        a, b = 1.0 / v, np.exp(-u) * CENTRE / v
        if method == "exponential":
            gain = np.exp(h) - 2.0 * np.expm1(h) * a
            push, noise = 2.0 * np.expm1(h) * b, np.expm1(2.0 * h)
        elif method == "euler-maruyama":
            gain, push, noise = 1.0 + h - 2.0 * h * a, 2.0 * h * b, 2.0 * h
        elif method == "flow-exponential":
            gain, push, noise = np.exp(h) - np.expm1(h) * a, np.expm1(h) * b, 0.0
        elif method == "flow-euler":
            gain, push, noise = 1.0 + h - h * a, h * b, 0.0
        else:
            w = variance(after)
            c, e = 1.0 - 1.0 / w, np.exp(-after) * CENTRE / w
            slope, lift = 1.0 - a, b
            gain = 1.0 + 0.5 * h * (slope + c * (1.0 + h * slope))
            push, noise = 0.5 * h * (lift + c * h * lift + e), 0.0
        mean, square = gain * mean + push, gain**2 * square + noise
    return mean, square


@pytest.mark.parametrize("method", METHODS)
def test_an_affine_score_gives_the_gaussian_of_the_recursion(method):
    # Exactly Gaussian samples: 6 comparisons, each erring with probability 1e-10.
    paths = 200_000
    run = sample_reverse(affine, TIMES, paths=paths, dimension=2, rng=7, method=method)
    mean, square = recursion(TIMES, method)
    bound = stats.norm.isf(0.5e-10)
    assert np.all(np.abs(run.end.mean(axis=0) - mean) < bound * np.sqrt(square / paths))
    low, high = stats.chi2.isf([1.0 - 0.5e-10, 0.5e-10], paths - 1) / (paths - 1)
    ratio = run.end.var(axis=0, ddof=1) / square
    assert np.all((low < ratio) & (ratio < high))
    assert np.all(stats.kstest((run.end - mean) / np.sqrt(square), "norm").pvalue > 1e-10)


def test_the_samplers_approach_the_target():
    # The law at noise time ε is N(mu m, v), up to e^-T and the steps' error of order κ.
    times = two_phase_times(0.01, 600, 300)
    for method in METHODS:
        mean, square = recursion(times, method)
        assert np.allclose(mean, np.exp(-times.early_stopping_time) * CENTRE, atol=0.02)
        assert np.allclose(square, variance(times.early_stopping_time), rtol=0.02)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_kernel_callable_and_reference_agree(method, dimension):
    rng = np.random.default_rng(3)
    data, weights = rng.standard_normal((7, dimension)), rng.random(7)
    weights[2] = 0.0
    common = {"paths": 150, "dimension": dimension, "rng": 1, "method": method}
    fast = sample_reverse(EmpiricalScore(data, weights), TIMES, record="path", **common)
    slow = sample_reverse(plain(data, weights), TIMES, record="path", **common)
    assert np.abs(fast.path - slow.path).max() < 1e-12 * np.abs(slow.path).max()
    few = reference_reverse(plain(data, weights), TIMES, **{**common, "paths": 5}, first_path=20)
    assert np.abs(few - slow.path[20:25]).max() < 1e-12 * np.abs(slow.path).max()


@pytest.mark.parametrize("method", METHODS)
def test_bits_depend_on_neither_threads_nor_blocks_nor_batches_nor_splits(method, monkeypatch):
    data = np.random.default_rng(3).standard_normal((7, 2))

    def run(score, **changed):
        arguments = {"paths": 3000, "dimension": 2, "rng": 1, "method": method, "record": "path"}
        return sample_reverse(score, TIMES, **{**arguments, **changed}).path

    kernel, callable_ = run(EmpiricalScore(data)), run(affine)
    for score, whole in ((EmpiricalScore(data), kernel), (affine, callable_)):
        pieces = [run(score, paths=m, first_path=f) for f, m in ((0, 50), (50, 1), (51, 2949))]
        assert np.array_equal(np.concatenate(pieces), whole)
        start = whole[100:200, 0]
        assert np.array_equal(run(score, initial=start, paths=100, first_path=100), whole[100:200])
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert np.array_equal(run(EmpiricalScore(data)), kernel)
        assert np.array_equal(run(affine), callable_)
    finally:
        numba.set_num_threads(threads)
    problem = EmpiricalScore(data).at_times(TIMES.noise_times)
    key = stream_key(1)
    factors = step_factors(TIMES, method)
    start = keyed_normals(key, first_path=0, paths=300, draw=0, dimension=2)
    for lanes in (1, 7, 64):
        states = np.empty((300, len(TIMES.noise_times), 2))
        kernel_paths(problem, factors, key, 0, start, states, lanes=lanes)
        assert np.array_equal(states, kernel[:300])
    monkeypatch.setattr(samplers, "_TOGETHER", 1)  # one group at a time
    assert np.array_equal(run(affine), callable_)
    assert np.array_equal(run(EmpiricalScore(data)), kernel)


@pytest.mark.parametrize("score", [affine, EmpiricalScore([[0.0, 1.0], [2.0, -1.0], [1e3, 0.0]])])
def test_record_modes_agree(score, monkeypatch):
    common = {"paths": 2500, "dimension": 2, "rng": 5}
    path = sample_reverse(score, TIMES, record="path", **common)
    end = sample_reverse(score, TIMES, **common)
    moments = sample_reverse(score, TIMES, record="moments", **common)
    assert group_size(len(TIMES.noise_times), 2) < 2500  # several groups are combined
    assert end.path is None
    assert end.moments is None
    assert path.moments is None
    assert moments.path is None
    assert np.array_equal(end.end, path.end)
    assert np.array_equal(moments.end, path.end)
    assert np.array_equal(path.path[:, -1], path.end)
    assert moments.moments.count == 2500
    mean = path.path.mean(axis=0)
    covariance = np.array([np.cov(states.T) for states in path.path.transpose(1, 0, 2)])
    assert np.allclose(moments.moments.mean, mean, rtol=1e-12, atol=1e-14)
    assert np.allclose(moments.moments.covariance, covariance, rtol=1e-12, atol=1e-14)
    monkeypatch.setattr(samplers, "_TOGETHER", 1)
    again = sample_reverse(score, TIMES, record="moments", **common).moments
    assert np.array_equal(again.mean, moments.moments.mean)
    assert np.array_equal(again.scatter, moments.moments.scatter)


def test_moments_do_not_cancel():
    # The origin is 3e6 standard deviations away: sums of squares would lose 13 digits, rounded
    # means of groups lose six.
    initial = 1e8 + np.linspace(0.0, 100.0, 3000)[:, None]
    run = sample_reverse(
        lambda x, u: -x,
        sampler_times([1.0, 0.5]),
        paths=3000,
        dimension=1,
        rng=0,
        method="flow-euler",
        record="moments",
        initial=initial,
    )
    assert run.moments.covariance[:, 0, 0] == pytest.approx(np.var(initial, ddof=1), rel=1e-9)


def test_the_empirical_score_is_the_empirical_score():
    rng = np.random.default_rng(0)
    for dimension in (1, 3, 40):
        data, x = rng.standard_normal((30, dimension)), 2.0 * rng.standard_normal((500, dimension))
        for u in (3.0, 0.3, 1e-2, 1e-4):
            mu, sigma = np.exp(-u), np.sqrt(-np.expm1(-2.0 * u))
            weights = rng.random(30)
            exact = empirical_score(x, data, mu=mu, sigma=sigma, weights=weights)
            found = EmpiricalScore(data, weights)(x, u)
            # Exponents of size |x - y|^2 / (2 sigma^2), each with a relative error of some 1e-16.
            scale = np.abs(exact).max() * max(1.0, 40.0 * dimension / sigma**2)
            assert np.abs(found - exact).max() < 4e-16 * scale


def test_numba_functions_and_single_precision_scores_run():
    @numba.njit
    def compiled(x, u):
        return -x / (1.0 + u)

    common = {"paths": 40, "dimension": 3, "rng": 2}
    times = sampler_times([1.0, 0.6, 0.1])
    one = sample_reverse(compiled, times, **common).end
    other = sample_reverse(lambda x, u: -x / (1.0 + u), times, **common).end
    assert np.allclose(one, other, rtol=1e-14)
    single = sample_reverse(lambda x, u: (-x / (1.0 + u)).astype(np.float32), times, **common).end
    assert np.allclose(single, other, rtol=1e-5, atol=1e-5)
    # A score may overwrite what it is given.
    assert np.array_equal(sample_reverse(overwriting, times, **common).end, other)


def overwriting(x, u):
    x /= -(1.0 + u)
    return x


def spoilt(at_step, value):
    """A score that goes wrong for the third row at one step."""

    def score(x, u):
        result = -x
        if u == TIMES.noise_times[at_step]:
            result[2, 1] = value
        return result

    return score


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (
            spoilt(3, np.nan),
            r"^score at step 3 \(u = 2.25\) returned nan for path 12 at x = \[.*\]",
        ),
        (spoilt(0, -np.inf), r"^score at step 0 \(u = 3\) returned -inf for path 12 at x = \["),
        (lambda x, u: -x[:, :1], r"^score at step 0 \(u = 3\) returned shape \(10, 1\)"),
        (lambda x, u: -x[:-1], r"^score at step 0 .* shape \(9, 2\); it must be \(10, 2\)"),
        (lambda x, u: None, r"^score at step 0 .* dtype object"),
        (lambda x, u: x.astype(int), r"^score at step 0 .* dtype int64"),
        (lambda x, u: 1j * x, r"^score at step 0 .* dtype complex128"),
        (lambda x, u: [[1.0], [1.0, 2.0]], r"^score at step 0 .* ragged"),
        (lambda x, u: -1e80 * x, r"^path 10 left \[-1e\+70, 1e\+70\] in step 0 \(u = 3\) from x ="),
        (lambda x, u: -1e308 * np.sign(x), r"^path 10 left"),
    ],
)
@pytest.mark.parametrize("method", ["exponential", "flow-euler"])
def test_bad_scores_are_named_on_one_line(score, message, method):
    with pytest.raises(ValueError, match=message) as caught:
        sample_reverse(score, TIMES, paths=10, dimension=2, rng=0, first_path=10, method=method)
    assert "\n" not in str(caught.value)


def test_a_bad_second_stage_names_its_own_noise_time():
    with pytest.raises(ValueError, match=r"^score at step 2 \(u = 2.25\) returned nan for path 2 "):
        sample_reverse(spoilt(3, np.nan), TIMES, paths=10, dimension=2, rng=0, method="flow-heun")


@pytest.mark.parametrize(
    ("method", "times", "far"),
    [
        ("exponential", [60.0, 40.0, 20.0, 1.0], 1e58),
        ("euler-maruyama", [60.0, 40.0, 20.0, 1.0], 1e68),
        ("flow-heun", [2.0, 1.0, 1e-75], 1.0),
    ],
)
def test_paths_that_leave_are_named_alike_by_both_routes(method, times, far):
    # Absurd steps multiply a path by a large factor; all others begin at the only data point.
    score = EmpiricalScore([[0.0]])
    initial = np.zeros((300, 1))
    initial[217] = far
    messages = []
    for route in (score, lambda x, u: score(x, u)):
        with pytest.raises(ValueError, match=r"^path 717 left .* in step 1 \(u = ") as caught:
            sample_reverse(
                route,
                sampler_times(times),
                paths=300,
                dimension=1,
                rng=0,
                initial=initial,
                method=method,
                first_path=500,
            )
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"paths": 0}, "paths = 0"),
        ({"paths": True}, "paths = True"),
        ({"paths": 1.5}, "paths = 1.5"),
        ({"paths": 1, "record": "moments"}, "paths = 1: an integer ≥ 2"),
        ({"dimension": 0}, "dimension = 0"),
        ({"dimension": 3}, "dimension = 3: it must be 2"),
        ({"first_path": -1}, "first_path = -1"),
        ({"first_path": 2**63}, "first_path = 9223372036854775808"),
        ({"method": "milstein"}, "method = 'milstein': it must be one of exponential, euler"),
        ({"record": "all"}, "record = 'all': it must be one of end, path, moments"),
        ({"initial": np.zeros((3, 2))}, r"initial has shape \(3, 2\); it must be \(4, 2\)"),
        ({"initial": [0.0, 0.0]}, r"initial has shape \(2,\)"),
        ({"initial": np.full((4, 2), np.nan)}, r"initial\[0, 0\] = nan"),
        ({"rng": -1}, "rng = -1"),
        ({"score": 3}, "score = 3: it must be callable"),
        ({"times": sampler_times([1.0, 1e-150])}, "u = 1e-150: noise times lie in"),
    ],
)
def test_bad_arguments_are_refused_on_one_line(changed, message):
    arguments = {
        "score": EmpiricalScore(np.zeros((3, 2))),
        "times": TIMES,
        "paths": 4,
        "dimension": 2,
        "rng": 0,
    }
    with pytest.raises(ValueError, match="^" + message) as caught:
        sample_reverse(**{**arguments, **changed})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EmpiricalScore([1.0, 2.0]), r"^data has shape \(2,\)"),
        (lambda: EmpiricalScore(np.empty((0, 2))), r"^data has shape \(0, 2\)"),
        (lambda: EmpiricalScore([[1.0]], [1.0, 2.0]), r"^weights has shape \(2,\)"),
        (lambda: EmpiricalScore([[1.0]])([[1.0, 2.0]], 0.5), r"^x has shape \(1, 2\)"),
        (lambda: EmpiricalScore([[1.0]])([[1.0]], 0.0), r"^u = 0.0"),
        (lambda: EmpiricalScore([[1.0]])([[1.0]], np.nan), r"^u = nan"),
    ],
)
def test_bad_empirical_scores_are_refused_on_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_the_data_of_a_score_are_its_own():
    data = np.zeros((2, 1))
    score = EmpiricalScore(data)
    data[0] = 9.0
    assert np.array_equal(score([[1.0]], 0.5), EmpiricalScore(np.zeros((2, 1)))([[1.0]], 0.5))
