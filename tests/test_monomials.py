"""Monomials with symbolic exponents: chains that are sound at zero and at the parameters' edges."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from proofs_check.provers.algebra import check_statement
from proofs_check.provers.monomials import MonomialCertificate, find_monomial_proof
from proofs_check.verdict import Status
from theory.claim import Relation, Statement

A, B, E, G, H, P, Q, T, X, Y = sp.symbols("A B E G H P Q T X Y", nonnegative=True)
D = sp.Symbol("D", nonnegative=True)
B1, B2 = sp.symbols("b1 b2", nonnegative=True)
F, K, M, U, V = sp.symbols("F K M u v", positive=True)
MASS = sp.Symbol("m", positive=True)
S = sp.Symbol("q", positive=True)
ALPHA = sp.Symbol("alpha", real=True)
C = sp.Symbol("c", real=True)
R = sp.Symbol("r", real=True)
INSIDE = ((0, "<", C), (C, "<", 1))
NINE_TENTHS = sp.Rational(9, 10)


def _statement(conclusion, *hypotheses):
    def relation(lhs, op, rhs):
        return Relation(sp.sympify(lhs), op, sp.sympify(rhs))

    return Statement(relation(*conclusion), tuple(relation(*h) for h in hypotheses))


def _verdict(conclusion, *hypotheses):
    return check_statement(_statement(conclusion, *hypotheses), claim="toy", case="algebra")


ODDS = C / (1 - C)
POWER_MEAN = (
    (P, "<=", A ** (1 / ALPHA) * M ** (1 - 1 / ALPHA)),
    (M, "=", sp.exp(ALPHA / (ALPHA - 1) ** 2 * D)),
    (1, "<", ALPHA),
)
TRANSFER = ((H ** (1 / C), "<=", Q * sp.exp(D / (1 - C))), (P, "<=", G ** (1 - C) * H), *INSIDE)
AVERAGE = ((P ** (1 / C) * K, "<=", G ** ((1 - C) / C) * Q), *INSIDE)
LOCAL = (
    (E, "<=", (T * G) ** (1 - C) * B**C * K ** (1 - C)),
    (K, "<=", sp.exp(ODDS / (2 * (1 - C))) * F ** (ODDS / MASS) * S**-ODDS),
    (B, "<=", B1 + B2),
    *INSIDE,
)


def _local(factor, power):
    growth = sp.exp(C / (2 * (1 - C))) * F ** (C / MASS) * S**-C
    return factor * (T * G) ** (1 - C) * growth * (B1 + B2) ** power


CHAINS = {
    "power mean": (
        (P**ALPHA, "<=", A * sp.exp(ALPHA / (ALPHA - 1) * D)),
        POWER_MEAN,
        (P**ALPHA, "<=", A**2 * sp.exp(ALPHA / (ALPHA - 1) * D)),
    ),
    "transfer": (
        (P ** (1 / C) * sp.exp(-D / (1 - C)), "<=", G ** ((1 - C) / C) * Q),
        TRANSFER,
        (P ** (1 / C) * sp.exp(-D / (1 - C)), "<=", G ** (1 / C) * Q),
    ),
    "average": (
        (P, "<=", G ** (1 - C) * Q**C * K**-C),
        AVERAGE,
        (P, "<=", G * Q**C * K**-C),
    ),
    "local": ((E, "<=", _local(1, C)), LOCAL, (E, "<=", _local(1, 2 * C))),
    "below one": ((U, "<=", U**C), ((U, "<=", 1), *INSIDE), (U, "<=", U ** (2 + C))),
}


@pytest.mark.parametrize("name", CHAINS)
def test_true_chains_are_proved_and_their_certificates_check(name):
    conclusion, hypotheses, _ = CHAINS[name]
    verdict = _verdict(conclusion, *hypotheses)
    assert verdict.status is Status.PROVED
    assert any("hypotheses met" in line for line in verdict.evidence)
    certificate = find_monomial_proof(_statement(conclusion, *hypotheses))
    assert certificate.checks()
    assert "\n" not in str(certificate)
    assert "to the power" in str(certificate)


@pytest.mark.parametrize("name", CHAINS)
def test_a_shrunk_constant_and_a_changed_exponent_are_refuted(name):
    (lhs, op, rhs), hypotheses, changed = CHAINS[name]
    for conclusion in ((lhs, op, NINE_TENTHS * rhs), changed):
        verdict = _verdict(conclusion, *hypotheses)
        assert verdict.status is Status.REFUTED
        assert "lhs" in verdict.witness
        assert find_monomial_proof(_statement(conclusion, *hypotheses)) is None


@pytest.mark.parametrize("name", CHAINS)
def test_each_hypothesis_is_needed_by_the_chain(name):
    conclusion, hypotheses, _ = CHAINS[name]
    for dropped in hypotheses:
        if name == "below one" and dropped[0] == 0:
            continue  # true for every c < 1 where u > 0
        kept = [h for h in hypotheses if h is not dropped]
        assert find_monomial_proof(_statement(conclusion, *kept)) is None


def test_bounds_may_come_from_assumptions():
    p = sp.Symbol("p", positive=True)  # c = p/(1 + p)
    given = (P ** ((1 + p) / p), "<=", Q)
    assert _verdict((P, "<=", Q ** (p / (1 + p))), given).status is Status.PROVED


def test_constants_above_one_leave_room():
    assert _verdict((X**C, "<=", (2 * Y) ** C), (X, "<=", Y), *INSIDE).status is Status.PROVED
    assert _verdict((X, "<=", sp.exp(D) * Y), (X, "<=", Y)).status is Status.PROVED
    # ... on the right side only, and with the right sign
    assert find_monomial_proof(_statement((2 * X, "<=", Y), (X, "<=", Y))) is None
    assert find_monomial_proof(_statement((X, "<=", sp.exp(-D) * Y), (X, "<=", Y))) is None
    assert find_monomial_proof(_statement((X, "<=", sp.exp(R) * Y), (X, "<=", Y))) is None
    assert find_monomial_proof(_statement((X, "<=", 2**R * Y), (X, "<=", Y))) is None
    half = sp.Rational(1, 2)
    assert find_monomial_proof(_statement((X, "<=", half**C * Y), (X, "<=", Y), *INSIDE)) is None


def test_equations_are_used_in_both_directions():
    given = ((U, "=", V**C * sp.exp(D)), *INSIDE)
    assert _verdict((U ** (1 / C) * sp.exp(-D / C), "=", V), *given).status is Status.PROVED
    assert _verdict((V, "=", U ** (1 / C) * sp.exp(-D / C)), *given).status is Status.PROVED
    # an inequality proves no equation, whatever its direction
    weaker = ((U, "<=", V**C * sp.exp(D)), *INSIDE)
    assert find_monomial_proof(_statement((U, "=", V**C * sp.exp(D)), *weaker)) is None


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        # x may be zero: it cannot be cancelled
        ((Y, "<=", G), ((X * Y, "<=", X * G),)),
        ((Y**C, "<=", G**C), ((X * Y, "<=", X * G), *INSIDE)),
        ((1, "<=", X), ((X, "<=", X**2),)),
        # the inequality is used upside down
        ((Y, "<=", X), ((X, "<=", Y),)),
        ((X**-C, "<=", Y**-C), ((X, "<=", Y), *INSIDE)),
        ((U**-C, "<=", V**-C), ((U, "<=", V), *INSIDE)),
        # the multiplier has a sign only inside a range, or none
        ((U**R, "<=", V**R), ((U, "<=", V),)),
        ((U ** (1 - ALPHA), "<=", V ** (1 - ALPHA)), ((U, "<=", V), (1, "<", ALPHA))),
        ((U, "<=", U**ALPHA), ((U, "<=", 1), (1, "<", ALPHA))),
        # a letter that may be negative has no power and no logarithm
        ((R**2, "<=", U**2), ((R, "<=", U),)),
        # a sum is no product
        (((U + V) ** C, "<=", U**C * V**C), INSIDE),
    ],
)
def test_false_statements_are_not_proved(conclusion, hypotheses):
    statement = _statement(conclusion, *hypotheses)
    assert find_monomial_proof(statement) is None
    assert check_statement(statement, claim="toy", case="algebra").status is Status.REFUTED


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        # the edges of a range: 0**0, 1/0 and x**(-c) at zero
        ((X**C, "<=", Y**C), ((X, "<=", Y), (0, "<=", C))),
        ((U ** (1 / C), "<=", V ** (1 / C)), ((U, "<=", V), (0, "<=", C))),
        ((U**ODDS, "<=", V**ODDS), ((U, "<=", V), (0, "<", C), (C, "<=", 1))),
        ((X * X**-C, "<=", Y), ((X ** (1 - C), "<=", Y), (0, "<=", C))),
    ],
)
def test_what_is_not_defined_everywhere_is_not_proved(conclusion, hypotheses):
    statement = _statement(conclusion, *hypotheses)
    assert find_monomial_proof(statement) is None
    assert not check_statement(statement, claim="toy", case="algebra").status.holds


def test_hypotheses_that_no_point_is_known_to_meet_prove_nothing():
    conclusion = (U**C, "<=", V**C)
    far = ((U, "<=", V), *INSIDE, (sp.exp(sp.exp(U)) + 10**9, "<=", sp.log(V)))
    assert find_monomial_proof(_statement(conclusion, *far)) is not None
    assert _verdict(conclusion, *far).status is Status.INCONCLUSIVE


def test_a_broken_certificate_does_not_check():
    conclusion, hypotheses, _ = CHAINS["transfer"]
    good = find_monomial_proof(_statement(conclusion, *hypotheses))
    assert good.checks()
    (first, power), (second, other) = good.steps
    for steps in (
        (),
        good.steps[:1],
        good.steps[::-1],
        ((first, 2 * power), (second, other)),
        ((first, -power), (second, other)),
        ((first, power), (second, C - 2)),
    ):
        assert not replace(good, steps=steps).checks()
    upside_down = _statement((V, "<=", U), (U, "<=", V))
    assert not MonomialCertificate(upside_down, ((0, sp.Integer(-1)),)).checks()
    strict = _statement((U, "<", V), (U, "<=", V))
    assert not MonomialCertificate(strict, ((0, sp.S.One),)).checks()
