"""Proposition 7 and what it rests on: proofs, numbers found in other ways, and false variants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from numerics import fisher_information
from numerics.gaussian_samplers import gaussian_sampler_losses
from numerics.sampler_times import two_phase_times
from proofs_check.best_step import best_steps
from proofs_check.checking import check, check_claim
from proofs_check.measurement import measure, sides
from proofs_check.number import Method
from proofs_check.point import of_sampler
from proofs_check.provers.algebra import check_statement
from proofs_check.provers.sampler_boxes import SamplerBox, certify_sampler
from proofs_check.verdict import Status
from theory import cases, claims, reverse_process, sampling
from theory import quantities as q
from theory.sampler_steps import KAPPA

Q = sp.Rational
OURS = (*reverse_process.CLAIMS, *sampling.CLAIMS)
MAIN = claims.get("farghly2026.proposition-7")
RATE = claims.get("farghly2026.proposition-7-rate")
SCORES = {
    "true": "gaussian-sampler-true",
    "mean": "gaussian-sampler-mean",
    "plug-in": "gaussian-sampler-plug-in",
}


def variant(claim, rhs):
    """The claim with another right side."""
    changed = replace(claim.statement, conclusion=replace(claim.statement.conclusion, rhs=rhs))
    return replace(claim, build=lambda: changed)


# --- proofs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [c.id for c in OURS if c.is_algebraic])
def test_every_step_is_proved(claim):
    assert check(claim, "algebra", effort="quick").status is Status.PROVED


@pytest.mark.parametrize("claim", [c.id for c in OURS if c.derivation is not None])
def test_every_derivation_is_proved(claim):
    assert check(claim, "chain", effort="quick").status is Status.PROVED


@pytest.mark.parametrize(
    "claim",
    [
        "benton2024.score-martingale",
        "farghly2026.discretisation-bound",
        "farghly2026.prior-divergence",
        "farghly2026.prior-divergence-rate",
        "farghly2026.proposition-7",
        "farghly2026.proposition-7-sharper",
    ],
)
def test_a_derivation_needs_each_of_its_hypotheses(claim):
    statement = claims.get(claim).derivation()
    for dropped in statement.hypotheses:
        kept = tuple(h for h in statement.hypotheses if h is not dropped)
        verdict = check_statement(replace(statement, hypotheses=kept), claim=claim, case="chain")
        assert verdict.status is Status.REFUTED


@pytest.mark.parametrize(
    ("claim", "factor"),
    [
        ("farghly2026.discretisation-bound.growth", Q(9, 10)),
        ("farghly2026.discretisation-bound.one-step", Q(9, 10)),
        ("farghly2026.discretisation-bound.weight", Q(9, 10)),
        ("farghly2026.proposition-7-sharper.small-drift", Q(9, 10)),
        ("farghly2026.proposition-7-sharper.one-step", Q(9, 10)),
        ("farghly2026.proposition-7-path.minkowski", Q(9, 10)),
        ("farghly2026.prior-divergence-rate.logarithm", Q(9, 10)),
        ("farghly2026.sampler-times.last-time", Q(11, 10)),
    ],
)
def test_another_constant_in_a_step_is_refuted(claim, factor):
    step = claims.get(claim)
    false = variant(step, factor * step.statement.conclusion.rhs)
    assert check_claim(false, "algebra", effort="quick", seed=0).status is Status.REFUTED


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("kappa", "uniform", "geometric", "s2", "size", "d", "b"),
    [
        ("1/10", 40, 40, "4", 40, 1, "0"),
        ("1/2", 8, 8, "1/4", 2, 3, "1"),
        ("3/2", 3, 6, "10", 25, 2, "5/2"),
        ("1", 1, 1, "1", 1, 1, "0"),
        ("1/20", 30, 50, "1/100", 7, 8, "2"),
    ],
)
def test_gaussian_closed_forms_agree_with_the_numerical_ones(
    score, kappa, uniform, geometric, s2, size, d, b
):
    values = {"kappa": kappa, "L": uniform, "m": geometric, "s2": s2, "d": d, "b": b}
    if score != "true":
        values["N"] = size
    names = ("KL", "score_error", "D_kappa", "KL_prior", "path_error")
    found = measure(of_sampler(SCORES[score], **values), names)
    other = gaussian_sampler_losses(
        two_phase_times(float(Q(kappa)), uniform, geometric),
        variance=float(Q(s2)),
        dimension=d,
        mean_norm=float(Q(b)),
        size=None if score == "true" else size,
        score=score,
    )
    expected = {
        "KL": other.divergence.value,
        "score_error": other.score_error.value,
        "D_kappa": other.discretisation_error.value,
        "KL_prior": other.prior_divergence.value,
        "path_error": other.path_divergence.value - other.prior_divergence.value,
    }
    assert {*found} == {*names}
    for name, number in found.items():
        # floats carry about sixteen digits, of the divergences' largest terms, which are near one
        assert number.value == pytest.approx(expected[name], rel=1e-9, abs=1e-14)
        by_floats = score == "plug-in" and name in ("KL", "score_error", "path_error")
        assert number.method is (Method.QUADRATURE if by_floats else Method.ENCLOSURE)


def test_eight_hundred_steps_are_no_burden():
    for score in ("true", "mean"):
        point = of_sampler(SCORES[score], kappa="1/100", L=400, m=400)
        numbers = measure(point, MAIN.quantity_names)
        lhs, rhs, slack = sides(MAIN, point, numbers)
        assert 0 < lhs.value < rhs.value
        assert slack.value - slack.error > 1
        assert numbers["KL"].error < 1e-9 * numbers["KL"].value


def test_a_mixtures_discretisation_error_is_the_one_of_the_identity():
    point = of_sampler("mixture-sampler", K=3, s="3/10", kappa="1/2", L=3, m=4)
    by_definition = measure(point, ["D_kappa"])["D_kappa"]
    centres = np.cos(2 * np.pi * (np.arange(3) + 1 / 3) / 3)
    other = fisher_information.discretisation_error(centres, None, 0.3, two_phase_times(0.5, 3, 4))
    assert abs(by_definition.value - other.value) <= by_definition.error + other.error
    assert by_definition.error < 1e-4 * by_definition.value


def _crude_divergence(p, a, size, times, spacing):
    """E KL(p_ε‖q̂) for two points, on one grid, by the trapezoidal rule in log space."""
    x = np.arange(-24.0, 24.0 + spacing / 2, spacing)

    def log_normal(mean, variance):
        return -0.5 * (x[:, None] - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)

    def log_sum(logs):
        largest = logs.max(axis=1, keepdims=True)
        return largest[:, 0] + np.log(np.exp(logs - largest).sum(axis=1))

    last = times.noise_times[-1]
    ends = np.array([-a, a]) * np.exp(-last)
    shares = np.log([1 - p, p])
    target = log_sum(log_normal(ends, -np.expm1(-2 * last)) + shares)
    total = 0.0
    for count in range(size + 1):
        weights = np.array([size - count, count]) / size
        density = log_normal(np.zeros(1), 1.0)[:, 0]
        for u, gamma in zip(times.noise_times, times.steps, strict=False):
            variance, places = -np.expm1(-2 * u), np.array([-a, a]) * np.exp(-u)
            depth = -0.5 * (x[:, None] - places) ** 2 / variance
            depth = np.where(weights > 0, depth, -np.inf)
            parts = weights * np.exp(depth - depth.max(axis=1, keepdims=True))
            score = (parts @ places / parts.sum(axis=1) - x) / variance
            mean = np.exp(gamma) * x + 2 * np.expm1(gamma) * score
            density = np.log(spacing) + log_sum(log_normal(mean, np.expm1(2 * gamma)) + density)
        mass = float(sp.binomial(size, count)) * p**count * (1 - p) ** (size - count)
        total += mass * spacing * float(np.exp(target) @ (target - density))
    return total


def test_two_points_agree_with_a_crude_transport():
    point = of_sampler("two-points-sampler", N=2, p="1/3", a=1, kappa="1/2", L=4, m=4)
    found = measure(point, ["KL"])["KL"]
    times = two_phase_times(0.5, 4, 4)
    rough, fine = (_crude_divergence(1 / 3, 1.0, 2, times, h) for h in (0.06, 0.05))
    assert abs(fine - rough) < 1e-10
    assert abs(found.value - fine) <= found.error + 1e-10
    assert found.error < 1e-7 * found.value


def test_the_martingale_identity_holds_for_mixtures():
    verdict = check("benton2024.score-martingale", "reverse-mixture", effort="quick")
    assert verdict.status is Status.SUPPORTED
    wrong = claims.get("benton2024.score-martingale")
    wrong = variant(wrong, q.fisher_late + q.fisher_early)
    verdict = check_claim(wrong, "reverse-mixture", effort="quick", seed=0)
    assert verdict.status is Status.REFUTED


# --- boxes ----------------------------------------------------------------------------------------

TINY = SamplerBox(2, (Q(1, 4), Q(1, 3)), (sp.Integer(1), Q(5, 4)))
FALSE = {
    "the prior alone": q.KL_prior,
    "a hundredth": (q.KL_prior + q.score_error + q.D_kappa) / 100,
    "nothing": sp.S.Zero,
}


@pytest.mark.parametrize("score", ["true", "mean"])
def test_proposition_7_is_certified_on_a_box(score):
    for claim in (MAIN, claims.get("farghly2026.proposition-7-sharper")):
        assert certify_sampler(claim, cases.get(SCORES[score]), TINY).certified


@pytest.mark.parametrize("score", ["true", "mean"])
@pytest.mark.parametrize("name", FALSE)
def test_false_variants_are_refuted_on_the_box(name, score):
    false = variant(MAIN, FALSE[name])
    result = certify_sampler(false, cases.get(SCORES[score]), TINY)
    assert not result.certified
    (kappa, s2, *_) = result.negative[0]
    # N = ∞ where the score is estimated: the box of x = 1/√N is the last
    values = {"kappa": sum(kappa) / 2, "s2": sum(s2) / 2, "L": 2, "m": 2}
    if score == "mean":
        values["N"] = 10**6
    point = of_sampler(SCORES[score], **values)
    lhs, rhs, _ = sides(false, point, measure(point, MAIN.quantity_names))
    assert lhs.value - lhs.error > rhs.value + rhs.error


def test_a_claim_that_does_not_scale_is_refused_on_boxes():
    for rhs in (q.D_kappa**2, q.D_kappa + 1):
        with pytest.raises(ValueError, match="not linear in d"):
            certify_sampler(variant(MAIN, rhs), cases.get(SCORES["true"]), TINY)


def test_what_is_not_linear_is_refused_on_boxes():
    # true at |m|² = 0 and |m|² = d, false in between: two ends decide linear claims only
    spread = 50 * (q.KL_prior - 2 * q.D_kappa) ** 2 / q.D_kappa
    root = 50 * (q.KL_prior + q.D_kappa - 2 * (q.KL_prior * q.D_kappa) ** Q(1, 2))
    for more in (spread, root):
        with pytest.raises(ValueError, match="not linear in d"):
            certify_sampler(variant(MAIN, more), cases.get(SCORES["true"]), TINY)


def test_a_root_left_out_refutes_nothing():
    large = variant(MAIN, 1000 * (q.D_kappa * q.KL_prior) ** Q(1, 2))
    result = certify_sampler(large, cases.get(SCORES["true"]), TINY)
    assert not result.certified
    assert not result.negative


def test_no_pass_without_the_cross_term_where_it_is_needed():
    # at N = 1 nothing but the root is large: leaving it out must not certify the claim
    only_root = variant(MAIN, 2 * (q.score_error * q.D_kappa) ** Q(1, 2))
    assert not certify_sampler(only_root, cases.get(SCORES["mean"]), TINY).certified


# --- rates and the best step ----------------------------------------------------------------------


def test_the_rate_is_supported_and_a_faster_one_refuted():
    assert check(RATE.id, SCORES["true"], effort="quick").status is Status.SUPPORTED
    faster = variant(RATE, RATE.statement.conclusion.rhs * KAPPA.symbol**2)
    verdict = check_claim(faster, SCORES["true"], effort="quick", seed=0)
    assert verdict.status is Status.REFUTED
    assert "grows like 1/κ to the power +" in verdict.witness


def test_the_bound_wants_a_smaller_step_than_the_divergence():
    point = of_sampler(SCORES["plug-in"], N=40)
    exact, bound = best_steps(point)
    assert bound.kappa < exact.below <= exact.kappa <= exact.above
    assert exact.value.value < bound.value.value
    # the best step is better than its neighbours, at the same early stopping time
    log_stop = 20 * np.log(1.2)
    counts = [round(log_stop / np.log1p(k)) for k in (exact.above, exact.kappa, exact.below)]
    assert counts[0] < counts[1] < counts[2]
    losses = [
        gaussian_sampler_losses(
            two_phase_times(float(np.expm1(log_stop / m)), round(4 / np.expm1(log_stop / m)), m),
            variance=4.0,
            dimension=1,
            size=40,
            score="plug-in",
        ).divergence.value
        for m in counts
    ]
    assert losses[1] == min(losses) == pytest.approx(exact.value.value, rel=1e-12)


def test_the_best_step_of_another_case_is_not_known():
    assert best_steps(of_sampler("mixture-sampler")) is None
