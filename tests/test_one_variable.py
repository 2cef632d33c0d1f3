"""Convex differences that touch zero: tangents, Young's inequality, and look-alikes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from proofs_check.provers.algebra import check_statement
from proofs_check.provers.one_variable import TouchingCertificate, find_touching_proof
from proofs_check.verdict import Status
from theory.claim import Relation, Statement

A, B, U, V = sp.symbols("a b u v", positive=True)
R = sp.Symbol("r", real=True)
C = sp.Symbol("c", real=True)
ZERO, ONE = sp.S.Zero, sp.S.One
WEIGHT = A / (A + B)
INSIDE = (Relation(ZERO, "<", C), Relation(C, "<", ONE))

TRUE = {
    "young": (U**WEIGHT, (A * U + B) / (A + B), ()),
    "tangent of log": (sp.log(U), U - 1, ()),
    "bernoulli": (1 + (1 + A) * (U - 1), U ** (1 + A), ()),
    "weight in a range": (U**C, C * U + 1 - C, INSIDE),
    "touching at two": (4 * sp.log(U), 2 * U - 4 + 4 * sp.log(2), ()),
}


def _verdict(lhs, rhs, hypotheses=()):
    statement = Statement(Relation(lhs, "<=", rhs), tuple(hypotheses))
    return check_statement(statement, claim="toy", case="algebra")


@pytest.mark.parametrize("name", TRUE)
def test_true_statements_are_proved(name):
    lhs, rhs, hypotheses = TRUE[name]
    verdict = _verdict(lhs, rhs, hypotheses)
    assert verdict.status is Status.PROVED
    assert any("vanish at u" in line for line in verdict.evidence)


@pytest.mark.parametrize("name", TRUE)
def test_one_tenth_less_is_refuted(name):
    lhs, rhs, hypotheses = TRUE[name]
    shrunk = lhs, rhs - sp.Rational(1, 10)
    assert find_touching_proof(Statement(Relation(shrunk[0], "<=", shrunk[1]), hypotheses)) is None
    verdict = _verdict(*shrunk, hypotheses)
    assert verdict.status is Status.REFUTED
    assert "lhs" in verdict.witness


def test_a_shrunk_constant_is_refuted():
    for lhs, rhs in (
        (U**WEIGHT, sp.Rational(9, 10) * (A * U + B) / (A + B)),
        (sp.log(U), sp.Rational(9, 10) * U - 1),
        (U ** (2 * WEIGHT), (A * U + B) / (A + B)),
    ):
        assert _verdict(lhs, rhs).status is Status.REFUTED


@pytest.mark.parametrize(
    ("lhs", "rhs", "hypotheses"),
    [
        # concave, or of no sign known
        ((A * U + B) / (A + B), U**WEIGHT, ()),
        (U - 1, sp.log(U), ()),
        (U**R, R * U + 1 - R, ()),
        (U**C, C * U + 1 - C, (Relation(ZERO, "<", C), Relation(C, "<", sp.Integer(2)))),
        # the sides meet at one without touching
        (U, U**2, ()),
        # defined or smooth on a part of the half-line only
        (sp.log(U - sp.Rational(1, 2)), 2 * U, ()),
        (sp.sqrt(U - 1) * 0 + sp.Abs(U - 1), (U - 1) ** 2, ()),
    ],
)
def test_false_statements_are_not_proved(lhs, rhs, hypotheses):
    assert find_touching_proof(Statement(Relation(lhs, "<=", rhs), hypotheses)) is None
    assert not _verdict(lhs, rhs, hypotheses).status.holds


def test_the_variable_has_to_be_positive_and_real():
    for u in (sp.Symbol("u", real=True), sp.Symbol("u", nonnegative=True)):
        assert find_touching_proof(Statement(Relation(2 * u, "<=", u**2 + 1 + u**3 * 0))) is None
    count = sp.Symbol("n", integer=True, positive=True)
    assert find_touching_proof(Statement(Relation(sp.log(count), "<=", count - 1))) is None
    real = sp.Symbol("u", real=True)
    given = (Relation(ZERO, "<", real),)
    assert find_touching_proof(Statement(Relation(sp.log(real), "<=", real - 1), given)) is not None


def test_what_is_said_of_the_variable_is_not_used_for_its_curvature():
    # convex beyond one half only: what holds on a part says nothing of the touching point
    lhs, rhs = 3 * U**2 - 2 * U**3, sp.S.One + 0 * U
    beyond = (Relation(sp.Integer(2), "<=", U),)
    assert find_touching_proof(Statement(Relation(lhs, "<=", rhs), beyond)) is None
    # (u - 1)² (u - 5) has its tangent at one, is convex for u > 7/3, and is negative between
    cubic = sp.expand((U - 1) ** 2 * (U - 5))
    far = (Relation(sp.Integer(3), "<=", U),)
    assert find_touching_proof(Statement(Relation(ZERO, "<=", cubic), far)) is None
    assert _verdict(ZERO, cubic, far).status is Status.REFUTED


def test_other_letters_keep_their_hypotheses():
    rhs = C * U + 1 - C
    assert find_touching_proof(Statement(Relation(U**C, "<=", rhs))) is None
    # a hypothesis that ties the letter to the variable is not used
    tied = (Relation(ZERO, "<", C), Relation(C, "<", U), Relation(U, "<", ONE))
    assert find_touching_proof(Statement(Relation(U**C, "<=", rhs), tied)) is None


def test_a_broken_certificate_does_not_check():
    good = find_touching_proof(Statement(Relation(sp.log(U), "<=", U - 1)))
    assert good.checks()
    assert not replace(good, point=sp.Integer(2)).checks()
    assert not replace(good, point=sp.Integer(-1)).checks()
    assert not replace(good, variable=V).checks()
    for op in ("<", "="):
        statement = Statement(Relation(sp.log(U), op, U - 1))
        assert not TouchingCertificate(statement, U, ONE).checks()
