"""Statements about real numbers: certificates are exact, and nothing false or void is proved."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, combinations_with_replacement

import pytest
import sympy as sp

from proofs_check.provers.algebra import check_statement
from proofs_check.provers.certificate import Certificate, find_certificate, is_contradictory
from proofs_check.provers.polynomial import NotPolynomial, System, system_of
from proofs_check.provers.witnesses import find_witness
from proofs_check.verdict import Status
from theory.claim import Relation, Statement

A, B, C = (sp.Symbol(name, real=True) for name in "abc")
ZERO = sp.S.Zero


def _statement(conclusion, *hypotheses):
    def relation(lhs, op, rhs):
        return Relation(sp.sympify(lhs), op, sp.sympify(rhs))

    return Statement(relation(*conclusion), tuple(relation(*h) for h in hypotheses))


def _status(conclusion, *hypotheses):
    statement = _statement(conclusion, *hypotheses)
    return check_statement(statement, claim="toy", case="algebra").status


# --- verdicts -------------------------------------------------------------------------------------

NOT_NEGATIVE = ((0, "<=", A), (0, "<=", B))


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        ((2 * A * B, "<=", A**2 + B**2), ()),
        ((2 * sp.sqrt(A) * sp.sqrt(B), "<=", A + B), NOT_NEGATIVE),
        ((sp.sqrt(A), "<=", sp.sqrt(B)), ((A, "<=", B), (0, "<=", A))),
        ((A, "<=", C), ((A, "=", B), (B, "<=", C))),
        ((0, "<=", 1), ()),
        ((0, "<", 1 + A**2), ()),
        ((A, "<", B), ((A, "<", C), (C, "<=", B))),
        ((sp.sqrt(2) * A, "<=", 2 * A), ((0, "<=", A),)),
        ((A / B, "=", (A**2) / (A * B)), ((0, "<", A), (0, "<", B))),
    ],
)
def test_true_statements_are_proved(conclusion, hypotheses):
    assert _status(conclusion, *hypotheses) is Status.PROVED


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        ((A**2 + B**2, "<=", 2 * A * B), ()),
        ((A + B, "<=", 2 * sp.sqrt(A) * sp.sqrt(B)), NOT_NEGATIVE),
        ((A, "=", B), ()),
        # true but for the domain of a root or of a quotient
        ((sp.sqrt(A), "<=", sp.sqrt(A) + 1), ()),
        ((sp.sqrt(A) * B, "=", B * sp.sqrt(A)), ()),
        ((0, "<=", (A**2 + A) / A), ((0, "<=", A),)),
        # equality breaks a strict inequality
        ((A, "<", A), ()),
        ((0, "<", A**2), ()),
        ((A, "<", B), ((A, "<=", B),)),
    ],
)
def test_false_statements_are_refuted_with_a_witness(conclusion, hypotheses):
    statement = _statement(conclusion, *hypotheses)
    verdict = check_statement(statement, claim="toy", case="algebra")
    assert verdict.status is Status.REFUTED
    assert "lhs" in verdict.witness


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        # hypotheses that contradict each other, too deep for a certificate of degree two
        ((A, "<=", A + 1), ((A**4, "=", -1),)),
        ((A, "=", A), ((A**4, "=", -1),)),
        ((A, "<=", A + 1), ((A**3 * B, "<", A**3 * B - A**4),)),
        # defined nowhere that the witness search looks
        ((sp.sqrt(A), "<=", 5), ((A, "<=", -1000),)),
        ((0, "<=", (A**2 + A) / A), ((0, "<=", A), (1000, "<=", B))),
        ((A / B, "=", 2 * A / (2 * B)), ((1000, "<=", B), (B, "<=", C))),
        # what is no polynomial is not decided
        ((0, "<=", sp.exp(A)), ()),
        ((0, "<=", A ** sp.Rational(1, 3)), ((0, "<=", A),)),
        ((sp.pi * A, "<=", 4 * A), ((0, "<=", A), (A, "<=", 0))),
    ],
)
def test_what_is_not_shown_is_not_proved(conclusion, hypotheses):
    try:
        status = _status(conclusion, *hypotheses)
    except TypeError:  # an irrational coefficient ends the search; the caller says inconclusive
        status = Status.INCONCLUSIVE
    assert not status.holds
    assert status is not Status.VACUOUS or hypotheses[0][0] is not A


@pytest.mark.parametrize(
    "hypotheses",
    [
        ((1, "<=", A), (A, "<=", 0)),
        ((A, "<", A),),
        ((A**2, "<", 0),),
        ((0, "<", A), (A, "=", -(B**2))),
        ((sp.sqrt(A), "<=", -1),),
        ((A**2 + B**2, "<=", 2 * A * B - 1),),
    ],
)
def test_contradictory_hypotheses_are_vacuous(hypotheses):
    assert _status((A, "<=", A + 1), *hypotheses) is Status.VACUOUS


@pytest.mark.parametrize(
    "hypotheses",
    [
        (),
        ((A, "<=", 0),),
        ((0, "<", A), (A, "<=", sp.Rational(1, 10**9))),
        ((A**2, "<=", 0),),
        ((A, "=", B), (B, "=", A)),
        ((A, "=", sp.sqrt(B)),),
        ((A * B, "=", 1), (A, "<=", -5)),
    ],
)
def test_hypotheses_that_some_point_meets_are_not_contradictory(hypotheses):
    assert is_contradictory(system_of(_statement((0, "<=", 0), *hypotheses))) is None
    # a root in the conclusion is no hypothesis
    assert _status((sp.sqrt(A - 10**6), "<=", A**2), *hypotheses) is not Status.VACUOUS


# --- symbols --------------------------------------------------------------------------------------


def test_witnesses_obey_the_symbols_own_assumptions():
    count = sp.Symbol("k", integer=True, positive=True)
    assert find_witness(_statement((count, "<=", count**2))) is None  # false at 1/2
    positive = sp.Symbol("s", positive=True)
    assert find_witness(_statement((0, "<", positive))) is None  # false at 0
    assert find_witness(_statement((count, "<=", 3))) is not None


def test_a_statements_own_symbol_is_never_taken_for_a_root():
    root = sp.Symbol("root0", real=True)
    # with root0 = √a >= 0 these would be proved
    for conclusion in ((0, "<=", root + 0 * A), (0, "<=", root * sp.sqrt(A)), (root**2, "=", A)):
        status = _status(conclusion, (0, "<=", A), (0, "<=", sp.sqrt(A)))
        assert status is Status.REFUTED
    system = system_of(_statement((root, "<=", sp.sqrt(A)), (0, "<=", A)))
    assert root not in system.roots
    assert root in system.variables


def test_symbols_of_one_name_and_different_assumptions_stay_apart():
    plain, nonnegative = sp.Symbol("x", real=True), sp.Symbol("x", nonnegative=True)
    assert _status((0, "<=", nonnegative)) is Status.PROVED
    assert not _status((0, "<=", plain + 0 * nonnegative)).holds
    assert not _status((nonnegative, "<=", plain)).holds


# --- from statements to systems -------------------------------------------------------------------


def test_solving_an_equation_keeps_the_sign_of_what_it_removes():
    x = sp.Symbol("x", nonnegative=True)
    assert _status((0, "<=", A), (x, "=", A)) is Status.PROVED
    assert _status((0, "<=", A), (A, "=", x)) is Status.PROVED
    assert _status((0, "<=", A), (B, "=", A)) is Status.REFUTED
    system = system_of(_statement((0, "<=", B), (x, "=", A - B)))
    assert sp.expand(A - B) in system.nonnegative


def test_an_equation_that_holds_its_own_symbol_stays():
    system = system_of(_statement((0, "<=", A), (A, "=", A**2 - B)))
    assert len(system.equations) + len(system.nonnegative) >= 1
    assert _status((0, "<=", A), (A, "=", A**2 - B)) is Status.REFUTED


def test_roots_become_variables_with_their_square():
    system = system_of(_statement((sp.sqrt(A + B), "<=", sp.sqrt(C)), (0, "<=", C)))
    assert set(system.radicands) == {A + B, C}
    by_radicand = dict(zip(system.radicands, system.roots, strict=True))
    (equation,) = system.equations
    assert sp.expand(equation - (by_radicand[A + B] ** 2 - A - B)) == 0
    assert C not in system.variables  # C is the square of its root
    assert set(system.roots) <= set(system.nonnegative)


@pytest.mark.parametrize(
    "side", [1 / A, A ** sp.Rational(1, 3), A ** sp.Rational(3, 2), sp.exp(A), sp.Abs(A), A**B]
)
def test_what_is_not_a_polynomial_is_refused(side):
    with pytest.raises(NotPolynomial):
        system_of(_statement((0, "<=", side)))
    with pytest.raises(NotPolynomial):
        system_of(_statement((0, "<=", B), (0, "<=", side)))


# --- certificates ---------------------------------------------------------------------------------


def _allowed_terms(generators, variables):
    """Products of one or two generators, and squares: rebuilt from the definition."""
    yield from (sp.expand(g) for g in generators)
    yield from (sp.expand(f * g) for f, g in combinations_with_replacement(generators, 2))
    yield from (x**2 for x in variables)
    yield from (sp.expand((x - y) ** 2) for x, y in combinations(variables, 2))


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        ((2 * A * B, "<=", A**2 + B**2), ()),
        ((2 * sp.sqrt(A) * sp.sqrt(B), "<=", A + B), NOT_NEGATIVE),
        ((sp.sqrt(A + B), "<=", sp.sqrt(A) + sp.sqrt(B)), NOT_NEGATIVE),
        ((A, "<=", C), ((A, "<=", B), (B, "<", C))),
        ((A * B, "<=", A * C), ((B, "<=", C), (0, "<=", A))),
    ],
)
def test_a_certificate_is_made_of_what_it_may_use(conclusion, hypotheses):
    system = system_of(_statement(conclusion, *hypotheses))
    certificate = find_certificate(system)
    assert certificate.checks()
    generators = [*system.nonnegative, *system.positive]
    negated = sp.expand(-system.goal)
    if certificate.by_contradiction:
        generators.append(negated)
        assert certificate.target in (-negated, -sp.expand(negated**2))
    else:
        assert certificate.target == sp.expand(system.goal)
    allowed = set(_allowed_terms(generators, system.variables))
    assert {term for _, term in certificate.weights} <= allowed
    assert {equation for _, equation in certificate.multipliers} <= set(system.equations)
    assert all(weight.is_Rational and weight > 0 for weight, _ in certificate.weights)


def test_a_broken_certificate_does_not_check():
    good = Certificate(A**2 + B**2, ((sp.S.One, A**2), (sp.S.One, B**2)), (), False)
    assert good.checks()
    assert not replace(good, target=A**2 + B**2 - sp.Rational(1, 10**30)).checks()
    assert not replace(good, weights=((sp.S.One, A**2), (sp.Rational(1, 2), B**2))).checks()
    negative = ((sp.Integer(-1), -(A**2)), (sp.S.One, B**2))
    assert not replace(good, weights=negative).checks()
    with_equation = Certificate(
        A, ((sp.S.One, B),), ((sp.Integer(-3), B - A), (-2 * A / A, A - B)), False
    )
    assert with_equation.checks() is (sp.expand(A - B + 3 * (B - A) + 2 * (A - B)) == 0)


def test_a_false_goal_has_no_certificate():
    for goal in (A, -sp.S.One, A * B, A**2 - 1, A**2 + B**2 - 3 * A * B):
        system = System((), (), (), goal, False, ())
        assert find_certificate(system) is None
    # h² is used with h > 0 only: a goal that is zero somewhere and positive elsewhere is fine,
    # one that is negative anywhere is not
    assert find_certificate(System((), (A,), (), A - A**2, False, ())) is None


def test_nothing_is_believed_that_the_solver_says(monkeypatch):
    # a solver that "finds" weights must still pass the expansion
    monkeypatch.setattr(Certificate, "checks", lambda self: False)
    assert find_certificate(system_of(_statement((2 * A * B, "<=", A**2 + B**2)))) is None
