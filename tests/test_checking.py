"""From claims to verdicts: what must come out, and what a verdict says about itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import sympy as sp

from proofs_check.checking import check, check_claim, is_homogeneous, tasks
from proofs_check.enclosure import enclose
from proofs_check.plans import RATIO_INTERVALS, TWO_POINT_BOX
from proofs_check.provers.algebra import check_statement
from proofs_check.verdict import Status
from theory import cases, claims
from theory.claim import Relation, Statement
from theory.process import SCHEDULES
from theory.symbols import N, mu, sigma2

THEOREM = "farghly2026.theorem-3a"


def test_the_ratio_intervals_touch_and_cover_the_box() -> None:
    for (_, high), (low, _) in pairwise(RATIO_INTERVALS):
        assert high == low
    (a_low, a_high), (t_low, t_high) = TWO_POINT_BOX
    # μ falls and σ grows with time, so μa/σ is extreme at two corners of the box
    for a, t in ((a_low, t_high), (a_high, t_low)):
        levels = SCHEDULES["ou"].at(t)
        ratio = enclose(a * levels[mu] / sp.sqrt(levels[sigma2]))
        assert enclose(RATIO_INTERVALS[0][0]) < ratio < enclose(RATIO_INTERVALS[-1][1])


@pytest.mark.parametrize("name", SCHEDULES)
def test_noise_grows_and_signal_falls_on_every_schedule(name: str) -> None:
    t = sp.Symbol("t", positive=True)
    levels = SCHEDULES[name].at(t)
    times = [sp.Rational(k, 20) for k in range(1, 20)]
    signal = [float(levels[mu].subs(t, x)) for x in times]
    noise = [float(levels[sigma2].subs(t, x)) for x in times]
    assert signal == sorted(signal, reverse=True)
    assert noise == sorted(noise)


def test_every_main_claim_is_checked_on_more_than_one_case() -> None:
    for claim in claims.main_claims():
        if claim.is_algebraic:
            continue
        assert len([case for identifier, case in tasks() if identifier == claim.id]) >= 2


def test_a_chain_with_a_hypothesis_missing_is_not_proved() -> None:
    for claim in claims.CLAIMS.values():
        if claim.derivation is None:
            continue
        statement = claim.derivation()
        for dropped in statement.hypotheses:
            alone = check_statement(Statement(dropped), claim=claim.id, case="chain")
            if alone.status is Status.PROVED:  # Young, say: true without being assumed
                continue
            kept = tuple(h for h in statement.hypotheses if h is not dropped)
            weaker = replace(statement, hypotheses=kept)
            verdict = check_statement(weaker, claim=claim.id, case="chain")
            assert verdict.status in (Status.REFUTED, Status.INCONCLUSIVE), (claim.id, str(dropped))


def test_a_chain_that_ends_elsewhere_is_refuted() -> None:
    claim = claims.get(THEOREM)
    other = claims.get("farghly2026.theorem-3b-sum").derivation
    assert check_claim(
        replace(claim, derivation=other), "chain", effort="quick", seed=0
    ).status is (Status.REFUTED)


def test_a_chain_says_what_it_takes_on_trust() -> None:
    verdict = check(THEOREM, "chain")
    assert verdict.status is Status.PROVED
    assert any(line.startswith("taken:") for line in verdict.rests_on)


def test_a_chain_may_not_assume_what_nothing_gives() -> None:
    claim = claims.get("farghly2026.theorem-3b-sum")
    conclusion = claim.statement.conclusion
    circular = Statement(conclusion, (conclusion,))
    verdict = check_claim(
        replace(claim, derivation=lambda: circular), "chain", effort="quick", seed=0
    )
    assert verdict.status is Status.INCONCLUSIVE


def test_a_hypothesis_that_no_point_meets_is_vacuous() -> None:
    claim = claims.get(f"{THEOREM}-sharp")
    never = Statement(claim.statement.conclusion, (Relation(N, "<", sp.S.Zero),))
    verdict = check_claim(replace(claim, build=lambda: never), "two-points", effort="quick", seed=0)
    assert verdict.status is Status.VACUOUS


def test_theorem_3a_is_homogeneous_and_a_mixed_claim_is_not() -> None:
    law = cases.get("two-points")
    assert law.reduction is not None
    forms = law.reduction.forms({"N": sp.Integer(2), "p": sp.Rational(1, 2)})
    claim = claims.get(THEOREM)
    assert is_homogeneous(claim, forms)
    sides = claim.statement.conclusion
    mixed = Statement(Relation(sides.lhs, "<=", sides.rhs**2))
    assert not is_homogeneous(replace(claim, build=lambda: mixed), forms)


def test_a_false_claim_is_refuted_on_a_whole_box() -> None:
    claim = claims.get(THEOREM)
    sides = claim.statement.conclusion
    false = Statement(Relation(sides.rhs, "<=", sides.lhs))
    verdict = check_claim(replace(claim, build=lambda: false), "two-points", effort="quick", seed=0)
    assert verdict.status is Status.REFUTED
    assert verdict.witness
