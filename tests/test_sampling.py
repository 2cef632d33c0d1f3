"""Intervals cover, numbers carry their errors, and claims at points are decided by both.

Every test is deterministic. Where a seed could have failed a correct program, the test says with
what probability.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numba
import numpy as np
import pytest
import sympy as sp
from flint import arb
from scipy import stats

from numerics.replicates import QUANTITIES
from proofs_check import sampling
from proofs_check.measurement import balls, measure, replicates, sides
from proofs_check.number import Method, Number, to_ball, to_number
from proofs_check.point import at_time, with_tau
from proofs_check.provers import rates
from proofs_check.provers.pointwise import answer_at, decide, meets_hypotheses
from proofs_check.sampling import FALSE_ALARM, Sample, mean_interval
from proofs_check.verdict import Status
from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.claims import CLAIMS
from theory.process import SCHEDULES, TimeAtoms, UniformTime
from theory.symbols import N

LOOSE = 0.05


def _claim(lhs, op, rhs, *hypotheses):
    statement = Statement(Relation(sp.sympify(lhs), op, sp.sympify(rhs)), hypotheses)
    source = Source("farghly2026", "nowhere")
    return Claim("toy", "", source, Kind.DERIVED, Strength.UPPER, lambda: statement)


# --- intervals ------------------------------------------------------------------------------------


def _misses(draw, mean, span, monkeypatch, *, trials=2000, count=200):
    monkeypatch.setattr(sampling, "FALSE_ALARM", LOOSE)
    rng = np.random.default_rng(20)
    missed = 0
    for _ in range(trials):
        estimate, width = mean_interval(draw(rng, count), span)
        missed += abs(estimate - mean) > width
    return missed, stats.binom.isf(1e-8, trials, LOOSE)


@pytest.mark.parametrize("probability", [0.5, 0.01, 0.002])
def test_bernstein_intervals_cover_rare_events(probability, monkeypatch):
    # False alarm of this test: below 1e-8 for a correct interval.
    missed, allowed = _misses(
        lambda rng, n: (rng.random(n) < probability).astype(float), probability, 1.0, monkeypatch
    )
    assert missed <= allowed


def test_student_intervals_cover_normal_values(monkeypatch):
    # Exact for normal values: binomial on both sides, false alarm below 2e-8.
    missed, allowed = _misses(lambda rng, n: rng.standard_normal(n), 0.0, None, monkeypatch)
    assert stats.binom.isf(1 - 1e-8, 2000, LOOSE) <= missed <= allowed


def test_the_width_is_the_published_one():
    values = np.array([0.0, 0.25, 1.0, 0.5, 0.75, 0.5])
    n, log_term = len(values), math.log(2 / (FALSE_ALARM / 2))
    variance = sum((values[i] - values[j]) ** 2 for i in range(n) for j in range(n)) / (
        2 * n * (n - 1)
    )
    expected = math.sqrt(2 * variance * log_term / n) + 7 * 3.0 * log_term / (3 * (n - 1))
    mean, width = mean_interval(values, 3.0)
    assert mean == 0.5
    assert width == pytest.approx(expected, rel=1e-14)


def test_no_spread_is_no_certainty_for_bounded_values():
    mean, width = mean_interval(np.zeros(1000), 1.0)
    assert mean == 0
    assert (
        width > math.log(1 / FALSE_ALARM) / 1000
    )  # an event of this probability could stay unseen


def test_columns_equal_but_for_rounding_are_not_told_apart():
    values = np.random.default_rng(1).random((500, len(QUANTITIES)))
    values[:, 1] = values[:, 0] * (1 + 2e-16)
    first, second = QUANTITIES[:2]
    for bound in (None, 1.0):
        mean, width = Sample(values, bound).combination({first: 1.0, second: -1.0})
        assert abs(mean) < width
    mean, width = Sample(values, None).combination({first: 1.0, second: -1.0})
    assert width < 1e-11


def test_the_span_of_a_combination_covers_its_extremes():
    size = 1000
    values = np.zeros((size, len(QUANTITIES)))
    sample = Sample(values, 2.0)
    first, second = QUANTITIES[:2]
    _, one = sample.combination({first: 1.0})
    _, two = sample.combination({first: 3.0, second: -1.0})
    assert two == pytest.approx(4 * one)  # values from -2 to 6


# --- replicates -----------------------------------------------------------------------------------

BOUNDED = (
    at_time("finite-points", "3/10", N=2, d=2, K=3),
    at_time("finite-points", 1, "ve", N=1, d=1, K=2, a=2),
    with_tau("finite-points", UniformTime(sp.Rational(1, 5), sp.Integer(1)), N=2, d=3, K=4),
    with_tau("finite-points", UniformTime(sp.Rational(1, 5), sp.S.One), "fraction", N=2, K=2),
)


@pytest.mark.parametrize("point", BOUNDED, ids=str)
def test_no_replicate_exceeds_the_bound(point, monkeypatch):
    monkeypatch.setattr(sampling, "_BATCH", 500)
    monkeypatch.setattr(sampling, "_MOST_BATCHES", 2)
    sample = sampling.draw(point, effort="quick", seed=3)
    assert sample.bound is not None
    assert sample.values.min() >= 0
    assert sample.values.max() <= sample.bound


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_bound_over_a_stratum_is_taken_where_the_factor_is_largest(schedule):
    point = with_tau("finite-points", UniformTime(sp.Rational(1, 20), sp.Rational(9, 10)), schedule)
    edges = sampling._strata(point)
    mu, sigma = sampling.noise_level(point, np.linspace(edges[0], edges[-1], 2000))
    factor = mu**2 / sigma**4
    assert (np.diff(factor) < 0).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("time", ["1/2", "1/1000", "1/100000000"])
def test_noise_levels_keep_their_digits_near_zero(schedule, time):
    exact = sp.Rational(time)
    levels = list(SCHEDULES[schedule].at(exact).values())
    mu, sigma = sampling.noise_level(
        at_time("gaussian-mean", time, schedule), np.array([float(exact)])
    )
    assert mu[0] == pytest.approx(float(levels[0].evalf(40)), rel=1e-15)
    assert sigma[0] ** 2 == pytest.approx(float(levels[1].evalf(40)), rel=1e-14)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(sampling, "_BATCH", 300)
    monkeypatch.setattr(sampling, "_MOST_BATCHES", 2)
    point = BOUNDED[2]
    threads = numba.get_num_threads()
    drawn = []
    try:
        for count in (1, threads):
            numba.set_num_threads(count)
            drawn.append(sampling.draw(point, effort="quick", seed=5).values)
    finally:
        numba.set_num_threads(threads)
    assert (drawn[0] == drawn[1]).all()
    other = sampling.draw(point, effort="quick", seed=6).values
    assert (other != drawn[0]).any()
    half = len(drawn[0]) // 2
    assert (drawn[0][:half] != drawn[0][half:]).any()  # batches have streams of their own


@pytest.mark.parametrize("schedule", ["ou", "ve"])
def test_sampled_quantities_agree_with_closed_forms(schedule):
    # finite-points with K = 2, d = 1 is the two-point law with p = 1/2 and a |cos(π/3)| = 1/2.
    # False alarm: 4 intervals at 2e-11 each.
    sampled_at = at_time("finite-points", "1/2", schedule, N=2, d=1, K=2)
    exact_at = at_time("two-points", "1/2", schedule, N=2, a="1/2")
    names = ["E_l_dsm", "C_sm", "E_C_sm_hat", "eps_stab_squared"]
    exact = measure(exact_at, names)
    found = measure(sampled_at, names, effort="quick", seed=11)
    for name in names:
        integral = name in ("C_sm", "eps_stab_squared")
        expected = Method.QUADRATURE if integral else Method.SAMPLING
        assert found[name].method is expected
        assert exact[name].method is Method.ENCLOSURE
        assert abs(found[name].value - exact[name].value) <= found[name].error


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["0.1 +/- 1e-30", "1e-400 +/- 1e-410", "-3e-320", "1e300 +/- 1", "0"]
)
def test_a_number_covers_its_ball(text):
    ball = arb(text)
    number = to_number(ball)
    assert to_ball(number).contains(ball)


def test_a_ball_that_underflows_is_not_exactly_zero():
    assert to_number(arb("1e-400")).error > 0
    assert to_number(arb(0)).error == 0


@pytest.mark.parametrize("ball", [arb("nan"), arb("inf"), arb(0, float("inf")), arb("1e400")])
def test_what_is_not_finite_is_no_number(ball):
    assert to_number(ball) is None


def test_a_negative_number_is_no_quantity():
    point = at_time("two-points", 1)
    environment = balls(point, {"C_sm": Number(-1.0, 0.5)})
    assert not environment[q.C_sm].is_finite()
    assert balls(point, {"C_sm": Number(-0.1, 0.5)})[q.C_sm] >= 0


def test_quantities_that_vanish_below_every_float_do_not_make_false_claims_true():
    point = at_time("gaussian-mean", 1000, N=2)
    numbers = measure(point, ["E_l_dsm", "C_sm", "E_l_sm"])
    assert all(number.error > 0 for number in numbers.values())
    false = _claim(q.E_l_dsm, "=", q.E_l_sm + 2 * q.C_sm)
    assert decide(false, point, numbers).holds is not True
    assert decide(_claim(q.E_l_dsm, "<=", q.C_sm), point, numbers).holds is not True


@pytest.mark.parametrize("time", ["1/1000", "1/1000000"])
def test_quadrature_that_misses_a_peak_has_no_finite_error(time):
    # χ² weight near zero against 1/(q + σ²)²: two Gauss rules agree on nothing there
    numbers = measure(at_time("gaussian-mean-variance", time, N=3), ["E_l_sm", "eps_stab_squared"])
    for number in numbers.values():
        assert number.method is Method.QUADRATURE
        assert not to_ball(number).is_finite()


# --- claims at points -----------------------------------------------------------------------------

POINT = at_time("two-points", "3/10", N=2)


def _numbers(**values):
    return {name: Number(value, error, method) for name, (value, error, method) in values.items()}


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("<=", (1, 0), (1, 0), True),
        ("<", (1, 0), (1, 0), False),
        ("<", (1, 0), (2, 0.5), True),
        ("<=", (1, 0.2), (1.1, 0), None),
        ("<", (1, 0.2), (1.1, 0), None),
        ("<=", (2, 0.1), (1, 0.1), False),
        ("=", (1, 0.01), (1, 0.01), True),
        ("=", (1, 0.1), (1, 0.1), None),
        ("=", (1, 0.001), (1.06, 0.001), False),
        ("=", (1, 0.001), (1.003, 0.001), False),
        ("=", (1e-9, 1e-3), (1e-9, 1e-3), None),
        ("<=", (float("nan"), 0), (1, 0), None),
        ("<=", (1, 0), (1, float("nan")), None),
        ("<=", (1, 0), (float("inf"), 0), None),
        ("=", (1, float("inf")), (1, float("inf")), None),
    ],
)
def test_decisions_at_a_point(op, left, right, expected):
    numbers = _numbers(E_l_sm=(*left, Method.ENCLOSURE), C_sm=(*right, Method.QUADRATURE))
    answer = decide(_claim(q.E_l_sm, op, q.C_sm), POINT, numbers)
    assert answer.holds is expected
    assert answer.method is Method.QUADRATURE


def test_a_missing_quantity_leaves_a_claim_open():
    numbers = _numbers(E_l_sm=(0, 0, Method.ENCLOSURE))
    assert decide(_claim(q.E_l_sm, "<=", q.C_sm), POINT, numbers).holds is None
    assert decide(_claim(q.E_l_sm, "=", q.C_sm), POINT, numbers).holds is None
    assert sides(_claim(q.E_l_sm, "<=", q.C_sm), POINT, numbers)[1:] == (None, None)


def test_the_weakest_method_names_the_answer():
    numbers = _numbers(
        E_l_sm=(1, 0, Method.SAMPLING),
        C_sm=(2, 0, Method.QUADRATURE),
        E_l_dsm=(3, 0, Method.ENCLOSURE),
    )
    claim = _claim(q.E_l_sm + q.C_sm, "<=", q.E_l_dsm)
    assert decide(claim, POINT, numbers).method is Method.SAMPLING


def test_a_strict_claim_between_equal_expressions_does_not_hold():
    claim = _claim(q.E_l_dsm_hat, "<", q.E_C_sm_hat)
    assert answer_at(claim, POINT, effort="quick", seed=0).holds is not True
    equal = _claim(q.E_l_dsm_hat, "=", q.E_C_sm_hat)
    assert answer_at(equal, POINT, effort="quick", seed=0).exact


def test_pairing_uses_the_closed_form_part_once(monkeypatch):
    monkeypatch.setattr(sampling, "_BATCH", 2000)
    monkeypatch.setattr(sampling, "_MOST_BATCHES", 2)
    point = at_time("gaussian-data", "1/2", N=2)
    names = ["E_l_dsm", "E_l_sm", "C_sm"]
    numbers = measure(point, names, effort="quick", seed=71)
    sample = replicates(point, effort="quick", seed=71)
    true = _claim(q.E_l_dsm, "=", q.E_l_sm + q.C_sm)
    assert decide(true, point, numbers, sample).holds is not False
    false = _claim(q.E_l_dsm, "=", q.E_l_sm + 3 * q.C_sm / 2)
    assert decide(false, point, numbers, sample).holds is False


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (Relation(N, "=", sp.Integer(2)), True),
        (Relation(N, "=", sp.S.One), False),
        (Relation(N, "<", sp.Integer(2)), False),
        (Relation(N, "<=", sp.Integer(2)), True),
        (Relation(q.C_sm, "<=", q.E_l_dsm), False),  # can't be decided from the point
        (Relation(sp.sqrt(N), "<=", sp.Integer(2)), False),
        (Relation(sp.S.Zero, "<=", sp.nan), False),
    ],
)
def test_hypotheses_at_a_point(hypothesis, expected):
    assert meets_hypotheses(_claim(0, "<=", 1, hypothesis), POINT) is expected


# --- rates ----------------------------------------------------------------------------------------


def _rate_verdict(monkeypatch, left, right, error=0.0, method=Method.ENCLOSURE):
    def fake(claim, point, effort, seed):
        n = int(dict(point.values)["N"])
        return tuple(
            None if f(n) is None else Number(f(n), error * abs(f(n)), method) for f in (left, right)
        )

    monkeypatch.setattr(rates, "_sides", fake)
    claim = CLAIMS["farghly2026.theorem-3b-rate"]
    return rates.check_rate(claim, "two-points", effort="standard", seed=0)


@pytest.mark.parametrize(
    ("left", "right", "error", "status"),
    [
        (lambda n: 1 / n, lambda n: 3 / n, 0.0, Status.SUPPORTED),
        (lambda n: 1 / n**2, lambda n: 1 / n, 0.01, Status.SUPPORTED),
        (lambda n: n**-0.5, lambda n: 1 / n, 0.0, Status.REFUTED),
        (lambda n: n**-0.75, lambda n: 1 / n, 0.0, Status.INCONCLUSIVE),
        (lambda n: 1 / n, lambda n: 1 / n, 0.3, Status.INCONCLUSIVE),
        (lambda n: 1 / n, lambda n: 1 / n, 1.5, Status.INCONCLUSIVE),
        (lambda n: 1 / n, lambda n: None, 0.0, Status.INCONCLUSIVE),
        (lambda n: 1 / n, lambda n: -1 / n, 0.0, Status.INCONCLUSIVE),
        (lambda n: 0.0, lambda n: 1 / n, 0.0, Status.INCONCLUSIVE),
        (lambda n: float("nan"), lambda n: 1 / n, 0.0, Status.INCONCLUSIVE),
        (lambda n: 1 / n, lambda n: 0.0, 0.0, Status.REFUTED),
    ],
)
def test_rates(monkeypatch, left, right, error, status):
    assert _rate_verdict(monkeypatch, left, right, error).status is status


def test_too_few_sizes_fit_no_exponent():
    assert rates._exponent([arb(1), arb(2)], arb(2)) is None
    assert rates._exponent([arb(1), arb(2), arb(0, 1)], arb(2)) is None
    exact = rates._exponent([arb(8), arb(4), arb(2)], arb(2))
    assert exact.low <= -1 <= exact.high
    assert exact.high - exact.low < 1e-12


def test_points_differ_in_more_than_their_text():
    atoms = TimeAtoms((sp.Rational(1, 2),), (sp.Integer(2),))
    doubled = with_tau("finite-points", atoms, N=2, d=2, K=3)
    single = at_time("finite-points", "1/2", N=2, d=2, K=3)
    assert str(doubled) != str(single)
    law = sampling.law_of(single)
    assert sampling.largest_change(doubled, law) == pytest.approx(
        2 * sampling.largest_change(single, law)
    )
    assert replace(single, schedule="ve") != single
