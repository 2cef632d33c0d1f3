"""Score stability of data: known laws, simultaneous intervals, and what the record may say."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from proofs_check import data_stability as module
from proofs_check.data_stability import Estimate, Interval, compare, data_stability, parse_times

# Probability that a sampling test below fails although the code is right (per interval; the
# Student intervals are asymptotic, and the numbers of blocks are in the thousands).
ALMOST_SURE = 1.0 - 1e-7


@pytest.fixture(autouse=True)
def _one_thread():
    """Thousands of tiny jobs: waking threads for each would dominate on a busy machine."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def holds(estimate, exact):
    return estimate.lower <= exact <= estimate.upper


def posterior_mean(x, points, mu, sigma):
    """Softmax means for queries (R, M, d) and one set of points (R, N, d) each."""
    exponents = -((x[:, :, None, :] - mu * points[:, None]) ** 2).sum(-1) / (2 * sigma**2)
    weights = np.exp(exponents - exponents.max(axis=2, keepdims=True))
    return np.einsum("rmn,rnd->rmd", weights / weights.sum(axis=2, keepdims=True), points)


def test_one_training_point_is_exact_and_sharp():
    # N = 1: eps_stab^2 = E l_dsm = E (mu/sigma^2)^2 |x - x'|^2, so the mean over K blocks is
    # (mu/sigma^2)^2 (2 s^2 / K) chi^2_{dK} whatever the noise. False alarm 1e-7.
    blocks, dimension, s = 600, 3, 1.7
    data = s * np.random.default_rng(1).standard_normal((2 * blocks, dimension))
    mu, sigma, weights = np.array([0.9, 0.5]), np.array([0.3, 0.8]), np.array([0.25, 2.0])
    found = data_stability(
        data, times=[0.1, 0.7], mu=mu, sigma=sigma, weights=weights, blocks=blocks, rng=2
    )
    assert (found.training_points, found.held_out_points, found.unused_rows) == (1, 1, 0)
    ends = stats.chi2.ppf([5e-8, 1 - 5e-8], dimension * blocks) * 2 * s**2 / blocks
    factors = (mu / sigma**2) ** 2
    assert 0.8 < ends[0] / (2 * s**2 * dimension) < ends[1] / (2 * s**2 * dimension) < 1.3
    for row, factor in zip(found.times, factors, strict=True):
        assert factor * ends[0] < row.eps_stab_squared.value < factor * ends[1]
        assert row.l_dsm.value == pytest.approx(row.eps_stab_squared.value, rel=1e-12)
        assert row.l_dsm_hat == Estimate(0.0, 0.0, 0.0)
    assert holds(found.eps_stab_squared, 6 * s**2 * (weights @ factors))
    # Equality in Theorem 3a: no sample can decide it.
    assert found.comparisons[0].outcome == "undecided"
    assert found.comparisons[0].margin.lower < 0 < found.comparisons[0].margin.upper


def two_point_values(a, number, mu, sigma):
    """Exact (eps_stab^2, E l_dsm, E l_dsm_hat) for +-a, equally likely, by quadrature."""
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(180)
    node_weights = node_weights / node_weights.sum()

    def mean(x, k):
        if k in (0, number):
            return np.full_like(x, a if k else -a)
        return a * np.tanh(mu * a * x / sigma**2 + 0.5 * math.log(k / (number - k)))

    eps = loss = train = 0.0
    for k in range(number + 1):
        chance = math.comb(number, k) / 2.0**number
        for sign in (1, -1):
            x = mu * sign * a + sigma * nodes
            here = mean(x, k)
            loss += chance / 2 * node_weights @ (here - sign * a) ** 2
            train += (
                chance
                * (k if sign > 0 else number - k)
                / number
                * (node_weights @ (here - sign * a) ** 2)
            )
            # Replacing a point of the same sign changes nothing.
            other = k / number if sign < 0 else (number - k) / number
            if other > 0:
                eps += chance / 2 * other * (node_weights @ (here - mean(x, k + sign)) ** 2)
    return (mu / sigma**2) ** 2 * np.array([eps, loss, train])


def test_two_points_match_exact_sums():
    a, number, blocks = 1.2, 3, 3000
    data = a * np.random.default_rng(3).choice([-1.0, 1.0], size=(blocks * (number + 1), 1))
    mu, sigma = 0.9, 0.7
    found = data_stability(
        data, times=[0.1], mu=[mu], sigma=[sigma], weights=[2.0], blocks=blocks, noise_draws=2,
        rng=4, confidence=ALMOST_SURE,
    )  # fmt: skip
    assert found.training_points == number
    exact = two_point_values(a, number, mu, sigma)
    row = found.times[0]
    for single, total, value in zip(
        (row.eps_stab_squared, row.l_dsm, row.l_dsm_hat),
        (found.eps_stab_squared, found.l_dsm, found.l_dsm_hat),
        exact,
        strict=True,
    ):
        assert holds(single, value)
        assert holds(total, 2.0 * value)
        # Half the width is below 1/3: a factor of 4/3 (N + 1 in place of N) would not fit.
        assert single.upper - single.lower < 0.6 * value
        assert total.upper - total.lower < 2.0 * 0.6 * value


def test_gaussian_data_match_a_direct_simulation():
    # 60 000 direct replicates of the definition; both sides at 1e-7 (5.33 standard errors).
    number, dimension, mu, sigma = 4, 2, 0.8, 0.6
    rng = np.random.default_rng(5)
    repeats = 60_000
    sets = rng.standard_normal((repeats, number, dimension))
    fresh = rng.standard_normal((repeats, 1, dimension))
    x = mu * fresh + sigma * rng.standard_normal(fresh.shape)
    here = posterior_mean(x, sets, mu, sigma)
    changes = np.zeros(repeats)
    for i in range(number):
        moved = sets.copy()
        moved[:, i] = fresh[:, 0]
        changes += ((here - posterior_mean(x, moved, mu, sigma)) ** 2).sum((1, 2)) / number
    seen = mu * sets[:, :1] + sigma * rng.standard_normal(fresh.shape)
    back = posterior_mean(seen, sets, mu, sigma)
    direct = (mu / sigma**2) ** 2 * np.array(
        [changes, ((here - fresh) ** 2).sum((1, 2)), ((back - sets[:, :1]) ** 2).sum((1, 2))]
    )
    blocks = 2500
    data = rng.standard_normal((blocks * (number + 1), dimension))
    found = data_stability(
        data, times=[0.4], mu=[mu], sigma=[sigma], blocks=blocks, rng=6, confidence=ALMOST_SURE
    )
    assert found.training_points == number
    for estimate, values in zip(
        (found.eps_stab_squared, found.l_dsm, found.l_dsm_hat), direct, strict=True
    ):
        error = 5.33 * values.std() / math.sqrt(repeats)
        assert estimate.lower - error <= values.mean() <= estimate.upper + error
        assert estimate.upper - estimate.lower + 2 * error < 0.5 * values.mean()
    # E C_sm_hat <= C_sm = d / (mu^2 + sigma^2) mu^2 / sigma^2 <= E l_dsm, each side held.
    irreducible = dimension * mu**2 / (sigma**2 * (mu**2 + sigma**2))
    assert holds(found.C_sm, irreducible)
    assert found.comparisons[0].outcome == "lhs <= rhs at this confidence"


def test_stability_does_not_see_the_ambient_dimension():
    rng = np.random.default_rng(7)
    data = rng.standard_normal((8000, 2))
    basis = np.linalg.qr(rng.standard_normal((9, 9)))[0][:, :2]
    setting = {"times": [0.3], "mu": [0.7], "sigma": [0.7], "blocks": 800}
    flat, high = (
        data_stability(points, **setting, rng=8, confidence=ALMOST_SURE)
        for points in (data, data @ basis.T + 3.0)
    )
    assert high.scale == pytest.approx(flat.scale, rel=1e-12)
    assert high.times[0].noise_to_data == pytest.approx(flat.times[0].noise_to_data, rel=1e-12)
    for one, other in (
        (flat.eps_stab_squared, high.eps_stab_squared),
        (flat.l_dsm, high.l_dsm),
        (flat.l_dsm_hat, high.l_dsm_hat),
    ):
        assert one.lower < other.value < one.upper
        # Noise of the ambient dimension, 9 in place of 2, would not fit.
        assert one.upper - one.lower < one.value


def test_record_says_what_was_done():
    data = np.random.default_rng(9).standard_normal((47, 2)) * [3.0, 1.0]
    calls = []
    times = np.array([0.1, 0.2, 0.9])
    weights = np.array([0.5, 0.0, 2.0])
    found = data_stability(
        data, times=times, mu=np.exp(-times), sigma=np.sqrt(times), weights=weights, blocks=5,
        noise_draws=3, rng=10, progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert (found.rows, found.dimension, found.unused_rows, found.blocks) == (47, 2, 2, 5)
    assert (found.training_points, found.held_out_points, found.noise_draws) == (8, 1, 3)
    assert calls == [(k, 15) for k in range(1, 16)]
    assert found.scale == pytest.approx(math.sqrt(data.var(axis=0).sum()), rel=1e-12)
    for name in ("eps_stab_squared", "l_dsm", "l_dsm_hat"):
        total = sum(row.weight * getattr(row, name).value for row in found.times)
        assert getattr(found, name).value == pytest.approx(total, rel=1e-12)
        assert total > 0
    for row, time in zip(found.times, times, strict=True):
        ratio = math.sqrt(time) / (math.exp(-time) * found.scale)
        assert row.noise_to_data == pytest.approx(ratio, rel=1e-12)
    assert found.eps_stab.value == math.sqrt(found.eps_stab_squared.value)
    assert found.C_sm == Interval(found.l_dsm_hat.lower, found.l_dsm.upper)
    assert [c.statement.count("<=") for c in found.comparisons] == [1, 1, 1]
    assert "asymptotic" in found.caveat
    assert "simultaneous" in found.caveat
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.rows = 3


def test_weights_default_to_equal_shares_and_confidence_widens():
    data = np.random.default_rng(11).standard_normal((60, 1))
    setting = {"times": [0.1, 0.5], "mu": [0.9, 0.6], "sigma": [0.4, 0.8]}
    plain = data_stability(data, **setting)
    assert plain == data_stability(data, **setting, weights=[0.5, 0.5])
    assert plain != data_stability(data, **setting, rng=1)
    wide = data_stability(data, **setting, confidence=0.9999)
    assert wide.l_dsm.value == plain.l_dsm.value
    assert wide.l_dsm.upper > plain.l_dsm.upper
    # Bonferroni by hand: half the error for three totals, two-sided, nine degrees of freedom.
    by_t = stats.t.isf([0.0001 / 12, 0.01 / 12], 9)
    grown = (wide.l_dsm.upper - wide.l_dsm.value) / (plain.l_dsm.upper - plain.l_dsm.value)
    assert grown == pytest.approx(by_t[0] / by_t[1], rel=1e-6)


def test_a_later_time_does_not_change_an_earlier_one():
    # Streams are named by block and time, not drawn in turn.
    data = np.random.default_rng(12).standard_normal((40, 2))
    one = data_stability(data, times=[0.1], mu=[0.9], sigma=[0.4])
    two = data_stability(data, times=[0.1, 0.5], mu=[0.9, 0.6], sigma=[0.4, 0.8])
    assert two.times[0].l_dsm.value == one.times[0].l_dsm.value
    assert two.times[0].eps_stab_squared.value == one.times[0].eps_stab_squared.value


def test_a_quantity_that_does_not_vary_has_no_upper_end():
    found = data_stability(np.full((40, 2), 3.0), times=[0.5], mu=[0.6], sigma=[0.8])
    assert found.scale == 0.0
    assert found.times[0].noise_to_data == math.inf
    assert found.eps_stab_squared == Estimate(0.0, 0.0, math.inf)
    assert {c.outcome for c in found.comparisons} == {"undecided"}


def test_data_of_any_scale_give_the_same_answer():
    data = np.random.default_rng(13).standard_normal((80, 2))
    one = data_stability(data, times=[0.5], mu=[0.6], sigma=[0.5])
    big = data_stability(data * 2.0**60, times=[0.5], mu=[0.6], sigma=[0.5 * 2.0**60])
    assert big.eps_stab.value * 2.0**60 == pytest.approx(one.eps_stab.value, rel=1e-12)
    assert big.l_dsm_hat.value * 2.0**120 == pytest.approx(one.l_dsm_hat.value, rel=1e-12)
    assert big.times[0].noise_to_data == pytest.approx(one.times[0].noise_to_data, rel=1e-12)


THREADS = """
import numba, numpy as np
from numerics import stability
from proofs_check.data_stability import data_stability
data = np.random.default_rng(0).standard_normal((240, 20))
assert 150 * 20 * 108 * 2 > stability._SMALL
stability._SMALL //= 2
for threads in (1, 2, 4):
    numba.set_num_threads(threads)
    print(hash(data_stability(data, times=[.2, .6], mu=[.8, .6], sigma=[.6, .8], blocks=2,
                              noise_draws=150)))
"""


def test_same_bits_for_any_number_of_threads():
    root = Path(module.__file__).parent.parent
    environment = {
        **os.environ, "NUMBA_NUM_THREADS": "4", "PYTHONPATH": str(root), "PYTHONHASHSEED": "0",
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True,
        env=environment, cwd=root, timeout=120,
    )  # fmt: skip
    printed = run.stdout.split()
    assert len(printed) == 3
    assert len(set(printed)) == 1


def test_digits_have_a_stable_score_when_the_noise_is_large():
    pytest.importorskip("sklearn")
    from proofs_check.datasets import load_dataset

    data = load_dataset("digits")
    data = data / math.sqrt(data.var(axis=0).sum())
    times = np.array([0.05, 0.5])
    found = data_stability(
        data, times=times, mu=np.exp(-times), sigma=np.sqrt(-np.expm1(-2 * times)), noise_draws=2
    )
    assert (found.training_points, found.held_out_points) == (161, 18)
    early, late = found.times
    assert early.eps_stab_squared.lower > 1000 * late.eps_stab_squared.upper
    assert late.l_dsm.lower > 0.5
    assert found.comparisons[2].outcome != "violated"


positive = st.floats(0.0, 1e3)
pair = st.tuples(positive, positive, st.floats(0.0, 1.0)).map(
    lambda t: (min(t[:2]) + t[2] * (max(t[:2]) - min(t[:2])), min(t[:2]), max(t[:2]))
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(pair, pair, pair, st.floats(0.0, 1.0))
def test_sides_contain_every_point_that_the_intervals_allow(eps, loss, train, where):
    bracket = Interval(min(train[1], loss[2]), loss[2])
    excess = Interval(max(0.0, loss[1] - bracket.upper), loss[2] - bracket.lower)
    found = compare(Estimate(*eps), Estimate(*loss), Estimate(*train), bracket, excess)
    e, big, small = min(max(eps[0], eps[1]), eps[2]), loss[0], train[0]
    irreducible = min(bracket.lower + where * (bracket.upper - bracket.lower), big)
    if not bracket.lower <= irreducible:
        return
    sides = [
        (math.sqrt(big) - math.sqrt(small), e),
        (big - irreducible, 2 * e * math.sqrt(irreducible) + e**2),
        (big - irreducible, 2 * e * math.sqrt(irreducible) + 2 * e**2),
    ]
    for comparison, (lhs, rhs) in zip(found, sides, strict=True):
        slack = 1e-9 * (1.0 + abs(lhs) + abs(rhs) + eps[2] ** 2 + loss[2])
        for interval, value in (
            (comparison.lhs, lhs), (comparison.rhs, rhs), (comparison.margin, rhs - lhs),
        ):  # fmt: skip
            assert interval.lower - slack <= value <= interval.upper + slack
        if comparison.outcome == "violated":
            assert rhs < lhs
        if comparison.outcome.startswith("lhs"):
            assert lhs <= rhs + slack


def outcomes(eps, loss, train):
    bracket = Interval(train[0], loss[1])
    excess = Interval(0.0, loss[1] - train[0])
    estimates = (Estimate(sum(p) / 2, *p) for p in (eps, loss, train))
    return [c.outcome for c in compare(*estimates, bracket, excess)]


def test_outcomes_follow_the_margins():
    holds_ = "lhs <= rhs at this confidence"
    assert outcomes((2.0, 2.1), (4.0, 4.2), (0.5, 0.6)) == [holds_] * 3
    assert outcomes((0.9, 1.1), (4.0, 4.2), (1.0, 1.1))[0] == "undecided"
    assert outcomes((0.5, 0.6), (4.0, 4.2), (1.0, 1.1))[0] == "violated"
    # With C_sm free up to E l_dsm the forms of 3b cannot be violated, only left open.
    assert outcomes((0.1, 0.2), (4.0, 4.2), (1.0, 1.1))[1:] == ["undecided"] * 2
    # An equality within rounding decides nothing.
    assert outcomes((2.0, 2.0), (4.0, 4.0), (0.0, 0.0))[0] == "undecided"
    assert outcomes((3.0, 4.0), (4.0, 5.0), (0.0, math.inf))[0] == holds_


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("log:3", [0.01, 0.1, 1.0]),
        ("lin:3", [0.01, 0.505, 1.0]),
        ("log:1", [0.01]),
        (" lin : 1 ", [0.01]),
        ("0.1,0.3", [0.1, 0.3]),
        ("1", [1.0]),
    ],
)
def test_times(spec, expected):
    found = parse_times(spec, eps=0.01)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.min() >= 0.01
    assert found.max() <= 1.0


@pytest.mark.parametrize(
    ("spec", "setting", "message"),
    [
        ("log:0", {}, "COUNT >= 1"),
        ("log:2.5", {}, "log:COUNT"),
        ("cosine:4", {}, "log:COUNT"),
        ("", {}, "numbers separated by commas"),
        ("0.1,,0.2", {}, "numbers separated by commas"),
        ("0.1,nan", {}, "nan lies outside"),
        ("0.001", {}, "0.001 lies outside"),
        ("0.5,2", {}, "2.0 lies outside"),
        ("log:3", {"eps": 0.0}, "eps = 0.0"),
        ("log:3", {"eps": 2.0}, "eps = 2.0, horizon = 1.0"),
        ("log:3", {"horizon": math.inf}, "horizon = inf"),
    ],
)
def test_bad_times_are_refused_on_one_line(spec, setting, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_times(spec, **setting)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.zeros((19, 2))}, "data has 19 rows: 10 blocks need at least 20; use blocks=9"),
        ({"data": np.zeros((3, 2)), "blocks": 2}, "two blocks need at least 4"),
        ({"data": np.zeros(9)}, "reshape"),
        ({"data": np.full((40, 1), np.nan)}, "row 0, column 0 is nan"),
        ({"times": []}, "times = "),
        ({"mu": [0.5, 0.5]}, "mu has 2 entries: there are 1 times"),
        ({"mu": [-0.5]}, r"mu\[0\] = -0.5"),
        ({"sigma": [0.0]}, "sigma = 0.0: must be positive"),
        ({"sigma": [np.inf]}, r"sigma\[0\] = inf"),
        ({"sigma": ["a"]}, "sigma = "),
        ({"weights": [0.0]}, "weights = all 0"),
        ({"weights": [np.nan]}, r"weights\[0\] = nan"),
        ({"blocks": 1}, "blocks = 1"),
        ({"blocks": 2.0}, "blocks = 2.0"),
        ({"noise_draws": 0}, "noise_draws = 0"),
        ({"confidence": 1.0}, "confidence = 1.0"),
        ({"confidence": math.nan}, "confidence = nan"),
        ({"rng": -3}, "rng = -3"),
    ],
)
def test_bad_arguments_are_refused_on_one_line(change, message):
    good = {"data": np.ones((40, 2)), "times": [0.5], "mu": [0.6], "sigma": [0.8]}
    with pytest.raises(ValueError, match=message) as caught:
        data_stability(**{**good, **change})
    assert "\n" not in str(caught.value)
