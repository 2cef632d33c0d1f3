"""Propositions 11 and 14: verdicts, what they rest on, false variants, and a counterexample.

False alarm: the two verdicts on two wells are sampled, and state theirs, at most 2e-9 each; seeds
are fixed.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
import sympy as sp

from proofs_check.checking import check, check_claim
from proofs_check.point import timeless
from proofs_check.provers.algebra import check_statement
from proofs_check.provers.every_distance import certified_at_every_distance
from proofs_check.verdict import Status
from theory import claims, eberle, optimisation, reflection
from theory import quantities as q
from theory.claim import Claim, Relation

Q = sp.Rational
OURS = (*optimisation.CLAIMS, *reflection.CLAIMS, *eberle.CLAIMS)
ELEVEN, FOURTEEN = "farghly2026.proposition-11", "farghly2026.proposition-14"
CONTRACTION = claims.get("farghly2026.reflection-contraction")


def variant(claim: Claim, rhs: sp.Expr) -> Claim:
    """The claim with another right side."""
    changed = replace(claim.statement, conclusion=replace(claim.statement.conclusion, rhs=rhs))
    return replace(claim, build=lambda: changed)


# --- proofs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [c.id for c in OURS if c.is_algebraic])
def test_every_step_is_proved(claim: str) -> None:
    assert check(claim, "algebra", effort="quick").status is Status.PROVED


#: What the hypotheses of each derivation come from, in order; "taken" says that nothing gives them.
ORIGINS = {
    ELEVEN: ("synchronous-score", "synchronous-square", "synchronous-distance", "taken"),
    f"{ELEVEN}-per-sample": (
        "synchronous-score", "synchronous-square", "synchronous-distance-per-sample", "taken",
    ),
    f"{ELEVEN}-saturated": (
        "synchronous-score", "synchronous-square", "synchronous-distance-saturated",
    ),
    FOURTEEN: ("taken", "reflection-square", "reflection-cost", "taken", "taken"),
    f"{FOURTEEN}-sharper": (
        "taken", "reflection-square", "reflection-cost-sharper", "taken", "taken",
    ),
    f"{FOURTEEN}-per-sample": (
        "taken", "reflection-square", "reflection-cost-per-sample", "taken", "taken",
    ),
}  # fmt: skip


def test_the_chains_are_those() -> None:
    assert {c.id for c in OURS if c.derivation is not None} == {*ORIGINS}


@pytest.mark.parametrize("claim", ORIGINS)
def test_a_chain_rests_on_what_it_says(claim: str) -> None:
    verdict = check(claim, "chain", effort="quick")
    assert verdict.status is Status.PROVED
    origins = [line.partition(":")[0].removeprefix("farghly2026.") for line in verdict.rests_on]
    known = len(ORIGINS[claim])
    assert tuple(origins[:known]) == ORIGINS[claim]
    # then what the claim declares as taken, word by word
    assert verdict.rests_on[known:] == tuple(f"taken: {t}" for t in claims.get(claim).taken)
    # of the hypotheses only these are taken
    definition = Relation(q.reflection_stability, "<=", q.score_sensitivity * q.reflection_square)
    derivation = claims.get(claim).derivation
    assert derivation is not None
    for origin, hypothesis in zip(ORIGINS[claim], derivation().hypotheses, strict=True):
        if origin == "taken" and hypothesis != definition:
            assert hypothesis.lhs == 0
            assert hypothesis.rhs in (optimisation.growth(), q.f_diameter, q.contraction_rate)


@pytest.mark.parametrize("claim", [f"{ELEVEN}-saturated", FOURTEEN])
def test_a_derivation_needs_each_of_its_bounds(claim: str) -> None:
    derivation = claims.get(claim).derivation
    assert derivation is not None
    statement = derivation()
    for dropped in statement.hypotheses:
        if dropped.lhs == 0:  # signs that follow from the vocabulary's may go
            continue
        kept = tuple(h for h in statement.hypotheses if h is not dropped)
        verdict = check_statement(replace(statement, hypotheses=kept), claim=claim, case="chain")
        assert verdict.status is Status.REFUTED


@pytest.mark.parametrize(
    ("claim", "factor"),
    [
        ("farghly2026.invariant-ball", Q(9, 10)),
        ("farghly2026.synchronous-distance.same-point", Q(9, 10)),
        ("farghly2026.synchronous-distance.over-batches", Q(9, 10)),
        ("farghly2026.synchronous-square.diameter", Q(9, 10)),
        ("farghly2026.reflection-square.chord", Q(9, 10)),
        ("farghly2026.reflection-cost.geometric", Q(9, 10)),
        ("eberle2016.differential-inequality.rate-bound", Q(9, 10)),
        ("eberle2016.differential-inequality.outside", Q(9, 10)),
    ],
)
def test_another_constant_in_a_step_is_refuted(claim: str, factor: sp.Rational) -> None:
    step = claims.get(claim)
    false = variant(step, factor * step.statement.conclusion.rhs)
    assert check_claim(false, "algebra", effort="quick", seed=0).status is Status.REFUTED


# --- verdicts on cases ----------------------------------------------------------------------------

VERDICTS = {
    (ELEVEN, "mean-sgd"): Status.CERTIFIED,
    (f"{ELEVEN}-per-sample", "mean-sgd"): Status.CERTIFIED,
    (f"{ELEVEN}-saturated", "mean-sgd"): Status.CERTIFIED,
    ("farghly2026.synchronous-distance-saturated", "mean-sgd"): Status.CERTIFIED,
    ("farghly2026.synchronous-score", "mean-sgd"): Status.PROVED,
    (f"{ELEVEN}-rate", "mean-sgd"): Status.SUPPORTED,
    (ELEVEN, "worst-pair-synchronous"): Status.SUPPORTED,
    (f"{ELEVEN}-saturated", "worst-pair-synchronous"): Status.SUPPORTED,
    (f"{ELEVEN}-rate", "worst-pair-synchronous"): Status.SUPPORTED,
    (FOURTEEN, "reflection-recursion"): Status.SUPPORTED,
    (f"{FOURTEEN}-sharper", "reflection-recursion"): Status.SUPPORTED,
    (f"{FOURTEEN}-rate", "reflection-recursion"): Status.SUPPORTED,
    (f"{FOURTEEN}-flat", "reflection-recursion"): Status.SUPPORTED,
    (f"{FOURTEEN}-rate", "reflection-recursion-unprojected"): Status.SUPPORTED,
    (f"{FOURTEEN}-flat", "reflection-recursion-unprojected"): Status.SUPPORTED,
    (FOURTEEN, "two-wells-sgd"): Status.SUPPORTED,
    (f"{ELEVEN}-per-sample", "two-wells-sgd-per-sample"): Status.SUPPORTED,
    ("eberle2016.rate", "eberle-ou"): Status.PROVED,
}


@pytest.mark.parametrize(("claim", "case"), VERDICTS)
def test_claims_hold_as_strongly_as_they_should(claim: str, case: str) -> None:
    verdict = check(claim, case, effort="quick")
    assert verdict.status is VERDICTS[claim, case], verdict.summary
    assert verdict.false_alarm <= 2e-9


@pytest.mark.parametrize(
    ("claim", "case"),
    [
        ("farghly2026.reflection-contraction", "reflection-recursion"),
        *product(
            ("eberle2016.differential-inequality", "eberle2016.upper", "eberle2016.lower"),
            ("eberle-ou", "eberle-double-well", "eberle-clipped"),
        ),
    ],
)
def test_what_holds_at_every_distance_is_certified(claim: str, case: str) -> None:
    verdict = check(claim, case, effort="quick")
    assert verdict.status is Status.CERTIFIED
    assert verdict.summary.startswith("at every distance, by enclosure")
    assert verdict.evidence[0].count("every r") == 1


@pytest.mark.parametrize(
    ("claim", "case", "factor"),
    [
        (ELEVEN, "worst-pair-synchronous", Q(9, 10)),
        (f"{ELEVEN}-saturated", "worst-pair-synchronous", Q(9, 10)),
        ("farghly2026.synchronous-distance", "worst-pair-synchronous", Q(9, 10)),
        ("farghly2026.synchronous-score", "mean-sgd", Q(9, 10)),
        ("eberle2016.upper", "eberle-ou", Q(9, 10)),
    ],
)
def test_another_constant_is_refuted(claim: str, case: str, factor: sp.Rational) -> None:
    stated = claims.get(claim)
    false = variant(stated, factor * stated.statement.conclusion.rhs)
    assert check_claim(false, case, effort="quick", seed=0).status is Status.REFUTED


# --- no certificate for another claim -------------------------------------------------------------


def test_only_the_claim_itself_is_certified_at_every_distance() -> None:
    point = timeless("reflection-recursion", share="1/2")
    assert certified_at_every_distance(CONTRACTION, point).startswith("every r in (0, 2]")
    for factor in (Q(11, 10), Q(9, 10)):
        faster = variant(CONTRACTION, (1 - factor * q.contraction_rate) * q.f_now)
        assert certified_at_every_distance(faster, point) == ""
    for name in ("farghly2026.reflection-cost", FOURTEEN, "eberle2016.upper", "somebody.else"):
        assert certified_at_every_distance(replace(CONTRACTION, id=name), point) == ""


def test_another_rate_is_not_certified_by_a_check() -> None:
    slower = variant(CONTRACTION, (1 - Q(9, 10) * q.contraction_rate) * q.f_now)
    verdict = check_claim(slower, "reflection-recursion", effort="quick", seed=0)
    assert verdict.status is Status.SUPPORTED
    assert "not at every distance" in verdict.summary
    # near r = 0 the best f contracts exactly at its rate, so that no faster one passes there
    faster = variant(CONTRACTION, (1 - Q(11, 10) * q.contraction_rate) * q.f_now)
    verdict = check_claim(faster, "reflection-recursion", effort="quick", seed=0)
    assert verdict.status is Status.REFUTED


@pytest.mark.parametrize("name", ["differential-inequality", "upper", "lower"])
def test_false_variants_of_eberles_claims_have_no_certificate(name: str) -> None:
    claim = claims.get(f"eberle2016.{name}")
    point = timeless("eberle-clipped", share="1/2")
    assert certified_at_every_distance(claim, point)
    other = variant(claim, 2 * claim.statement.conclusion.rhs)
    assert certified_at_every_distance(other, point) == ""


# --- the bounds against each other ----------------------------------------------------------------


def test_proposition_11_is_attained() -> None:
    """K = 1, ηλ = 1: the worst pair ends at 0 or 2C/λ, and |Δ|² = 2R|Δ|."""
    verdict = check(ELEVEN, "worst-pair-synchronous", effort="quick")
    assert verdict.slack is not None
    assert verdict.slack.ratio == pytest.approx(1, rel=1e-12)
    assert "K=1" in verdict.slack.at


# --- why Λ has to bound the change of the score where the replaced point is -----------------------


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 3), Fraction(1, 2), Fraction(9, 10)])
def test_a_mean_over_fresh_points_is_no_sensitivity(p: Fraction) -> None:
    """Data in {0, 1}, no noise, s_θ(x) = θx and θ the mean of N = 1 points: θ' is x̃ itself."""
    law = {0: 1 - p, 1: p}
    stability = square = Fraction(0)
    for x, x_new in product(law, law):
        mass = law[x] * law[x_new]
        theta, other = Fraction(x), Fraction(x_new)
        stability += mass * (theta * x_new - other * x_new) ** 2
        square += mass * (theta - other) ** 2
    assert stability == p * (1 - p)
    assert square == 2 * p * (1 - p)
    # |s_θ(x) − s_θ'(x)|² = x²|θ − θ'|²: its mean over a fresh x, and its largest value
    fresh = sum(mass * x**2 for x, mass in law.items())
    worst = max(x**2 for x in law)
    assert (stability <= fresh * square) == (p >= Fraction(1, 2))
    assert stability <= worst * square
    assert fresh * square == 2 * p**2 * (1 - p)


# --- per-sample clipping --------------------------------------------------------------------------

_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def _clipped(gradient: np.ndarray) -> np.ndarray:
    return gradient / max(1.0, float(np.linalg.norm(gradient)))


def _gradient(point: int, theta: np.ndarray, side: float) -> np.ndarray:
    """Point 0 is the replaced one; the other two cancel in every batch that holds both."""
    if point == 0:
        return np.array([side, 0.0])
    return _clipped((100.0 if point == 1 else -100.0) * (_TURN @ theta))


def test_clipping_point_by_point_needs_more_of_l_than_the_batch_mean() -> None:
    """The mean gradient of both common points is 0, so its L is 0: then the bound is false.

    N = 3, B = 2, η = 1/2, λ = C = 1; every sequence of batches is followed.
    """
    steps, batches = 7, list(combinations(range(3), 2))
    total = 0.0
    for sequence in product(batches, repeat=steps):
        first, second = np.zeros(2), np.zeros(2)
        for batch in sequence:
            first = first / 2 - sum(_gradient(j, first, -1.0) for j in batch) / 4
            second = second / 2 - sum(_gradient(j, second, 1.0) for j in batch) / 4
        total += float(np.linalg.norm(first - second))
    distance = total / len(batches) ** steps
    bound = (1.0 / 3.0) * sum(0.5**j for j in range(steps))
    assert bound == pytest.approx(0.661, abs=1e-3)
    assert distance == pytest.approx(0.780, abs=1e-3)
    assumed = claims.get(f"{ELEVEN}-per-sample").assumptions
    assert any("N − 1 common points" in words.replace("\n", " ") for words in assumed)
