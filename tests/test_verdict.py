"""Only a yes is a yes: no truth value, and nothing undefined, empty, open or spoilt holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sympy as sp

from proofs_check import checking
from proofs_check.enclosure import NotEnclosable
from proofs_check.plans import points
from proofs_check.provers.pointwise import answer_at
from proofs_check.tainting import tainted
from proofs_check.verdict import Slack, Status, Verdict
from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.claims import CLAIMS
from theory.symbols import N


def _claim(lhs, op, rhs, *hypotheses, **more):
    statement = Statement(Relation(sp.sympify(lhs), op, sp.sympify(rhs)), hypotheses)
    source = Source("farghly2026", "nowhere")
    return Claim("toy", "", source, Kind.DERIVED, Strength.UPPER, lambda: statement, **more)


def _check(claim, case):
    return checking.check_claim(claim, case, effort="quick", seed=0)


@pytest.mark.parametrize("status", list(Status))
def test_no_verdict_has_a_truth_value(status):
    verdict = Verdict("toy", "algebra", status, "")
    with pytest.raises(TypeError, match="no truth value"):
        bool(verdict)
    with pytest.raises(TypeError, match="no truth value"):
        _ = not verdict


def test_three_answers_of_six_hold():
    assert {status for status in Status if status.holds} == {
        Status.PROVED,
        Status.CERTIFIED,
        Status.SUPPORTED,
    }
    for status in Status:
        for other in Status:
            assert not status.at_least(other) or status.holds
    assert Status.PROVED.at_least(Status.SUPPORTED)
    assert not Status.SUPPORTED.at_least(Status.CERTIFIED)
    assert not Status.INCONCLUSIVE.at_least(Status.REFUTED)
    assert not Status.VACUOUS.at_least(Status.VACUOUS)


def test_plain_data_gives_the_same_verdict_back():
    verdict = Verdict(
        "toy", "algebra", Status.REFUTED, "no", Slack(0.5, "here"), ("a",), ("b",), 1e-10, "w", 2.0
    )
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


# --- whole checks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["one-point", "two-points", "gaussian-mean"])
def test_false_claims_are_refuted(case):
    for claim in (
        _claim(q.E_l_dsm, "<=", q.E_l_dsm_hat / 2),
        _claim(2 * q.C_sm + 1000, "<=", q.E_l_dsm),
        _claim(q.E_l_dsm, "=", q.E_l_sm + 2 * q.C_sm),
    ):
        assert _check(claim, case).status is Status.REFUTED


@pytest.mark.parametrize("case", ["two-points", "gaussian-mean"])
def test_strict_claims_between_equal_sides_do_not_hold(case):
    for claim in (
        _claim(q.E_l_dsm, "<", q.E_l_dsm),
        _claim(q.E_l_dsm, "<", q.E_l_sm + q.C_sm),
        _claim(q.E_l_dsm_replaced, "<", q.E_l_dsm_hat),
    ):
        assert not _check(claim, case).status.holds


@pytest.mark.parametrize("case", ["two-points", "gaussian-mean"])
def test_undefined_sides_do_not_hold(case):
    for side in (
        sp.sqrt(q.C_sm - q.E_l_dsm - 1),
        1 / (q.E_l_sm - q.E_l_sm * N / N + q.E_l_dsm - q.E_l_sm - q.C_sm),
        q.C_sm * sp.nan,
    ):
        claim = _claim(-1000, "<=", side)
        try:
            status = _check(claim, case).status
        except NotEnclosable:
            continue  # the caller reports a check that fails as inconclusive
        assert not status.holds


@pytest.mark.parametrize(
    "hypothesis",
    [
        Relation(N, "<=", sp.Integer(-1)),
        Relation(N, "<", N),
        Relation(q.C_sm, "<", sp.S.Zero),
        Relation(sp.Rational(1, 2), "=", sp.S.One),
    ],
)
@pytest.mark.parametrize("case", ["two-points", "gaussian-mean"])
def test_an_empty_domain_is_vacuous_not_a_pass(case, hypothesis):
    assert _check(_claim(q.C_sm, "<=", q.C_sm, hypothesis), case).status is Status.VACUOUS


def test_a_quantity_that_a_case_does_not_know_leaves_the_claim_open():
    # nothing measures C_sm for an arbitrary law of one point, and the claim is false for some
    claim = _claim(q.C_sm, "=", q.E_l_dsm / 2)
    assert not _check(claim, "one-point").status.holds


def test_the_overlap_of_two_enclosures_is_not_an_answer():
    tiny = sp.Rational(1, 10**60)  # far below the working precision
    point = points("two-points", "quick")[0]
    close = _claim(q.E_l_dsm, "<=", q.E_l_sm + q.C_sm - tiny)
    assert answer_at(close, point, effort="quick", seed=0).holds is None
    assert not _check(close, "two-points").status.holds


# --- chains ---------------------------------------------------------------------------------------


def _chain(conclusion, *hypotheses):
    def build():
        return Statement(conclusion, hypotheses)

    return _claim(
        conclusion.lhs, conclusion.op, conclusion.rhs, derivation=build, taken=("the hypotheses",)
    )


def test_a_chain_must_conclude_the_claim():
    good = _chain(Relation(q.C_sm, "<=", q.E_l_dsm), Relation(q.C_sm, "<=", q.E_l_dsm))
    assert checking._check_chain(good).status is Status.PROVED
    other = replace(good, derivation=lambda: Statement(Relation(q.C_sm, "<=", 2 * q.E_l_dsm)))
    assert checking._check_chain(other).status is Status.REFUTED
    gap = _chain(Relation(q.C_sm, "<=", q.E_l_dsm), Relation(q.C_sm, "<=", 2 * q.E_l_dsm))
    assert not checking._check_chain(gap).status.holds


def test_a_chain_from_contradictory_steps_is_vacuous():
    void = _chain(
        Relation(q.C_sm, "<=", q.E_l_dsm),
        Relation(q.C_sm, "<", q.E_l_sm),
        Relation(q.E_l_sm, "<=", q.C_sm),
    )
    assert checking._check_chain(void).status is Status.VACUOUS


@pytest.mark.parametrize("fallen", ["farghly2026.theorem-3a", "farghly2026.theorem-3a.minkowski"])
def test_what_rests_on_a_refuted_claim_says_so(fallen):
    sound = Verdict("farghly2026.theorem-3b-sum", "chain", Status.PROVED, "by algebra")
    checked = Verdict("farghly2026.theorem-3b-sum", "two-points", Status.CERTIFIED, "on boxes")
    apart = Verdict("farghly2026.lemma-1", "chain", Status.PROVED, "by algebra")
    refuted = Verdict(fallen, "algebra", Status.REFUTED, "no")
    chain, case, other, _ = tainted([sound, checked, apart, refuted], CLAIMS)
    assert chain.status is Status.INCONCLUSIVE
    assert fallen in chain.summary
    assert case.status is Status.CERTIFIED
    assert any(fallen in line for line in case.rests_on)
    assert other == apart


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.REFUTED])
def test_only_a_refutation_taints(status):
    chain = Verdict("farghly2026.theorem-3b-sum", "chain", Status.PROVED, "by algebra")
    below = Verdict("farghly2026.theorem-3a", "two-points", status, "")
    assert tainted([chain, below], CLAIMS) == (chain, below)
