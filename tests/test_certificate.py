"""Statements about real numbers: certificates are exact, and nothing false or void is proved."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, combinations_with_replacement

import pytest
import sympy as sp

from proofs_check.provers.algebra import check_statement
from proofs_check.provers.certificate import Certificate, find_certificate, is_contradictory
from proofs_check.provers.polynomial import (
    NotPolynomial,
    Signs,
    System,
    abstract,
    system_of,
)
from proofs_check.provers.witnesses import find_witness
from proofs_check.verdict import Status
from theory.claim import Relation, Statement

A, B, C = (sp.Symbol(name, real=True) for name in "abc")
ZERO = sp.S.Zero
NINE_TENTHS = sp.Rational(9, 10)


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
        # true, and no prover here sees why
        ((1 + A, "<=", sp.exp(A)), ((1, "<=", A),)),
        ((0, "<=", sp.erf(A)), ((0, "<=", A),)),
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


# --- beyond polynomials ---------------------------------------------------------------------------

INSIDE = ((0, "<", C), (C, "<", 1))
E, X, Y2, Y3, YV, WV, L, S = sp.symbols("e X Y2 Y3 y w L s", nonnegative=True)
I0, J, N = (sp.Symbol(name, integer=True, nonnegative=True) for name in "ijn")
I1, K1 = (sp.Symbol(name, integer=True, positive=True) for name in "ik")
SHIFT = sp.binomial(N, J) * sp.factorial(J) / sp.factorial(J + K1)
SHIFTED = sp.factorial(N) / sp.factorial(N + K1) * sp.binomial(N + K1, J + K1)


def _absorbed(x, y2, changed=1):
    """An inequality solved for e, which stands on both sides."""
    hypotheses = (
        (E, "<=", x + YV + WV),
        (YV, "<=", C / 2 * E + (1 - C / 2) * y2),
        (WV, "<=", C / 2 * E + (1 - C) * Y3),
        *INSIDE,
    )
    return ((1 - C) * E, "<=", changed * (x + (1 - C / 2) * y2 + (1 - C) * Y3)), hypotheses


POWERS = Y2 * (4 * L) ** C, (Y2 * (4 * S) ** C) ** (2 / (2 - C))
U, Z = (sp.Symbol(name, real=True) for name in "uz")


def _completed_square(factor=1, power=2):
    """Two squares with weights a - 1 and -a, as one square and a remainder."""
    square = (Z - A * U + (A - 1) * B) ** power
    remainder = A * (A - 1) * (U - B) ** 2
    return (-A * (Z - U) ** 2 + (A - 1) * (Z - B) ** 2, "=", factor * (-square + remainder))


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        (_completed_square(), ()),
        ((J + I1, "<=", I1 * (J + 1)), ()),
        ((J + I0, "<=", I0 * (J + 1)), ((1, "<=", I0),)),
        _absorbed(X, Y2),
        _absorbed(*POWERS),
        ((SHIFT, "=", SHIFTED), ((J, "<=", N),)),
        ((sp.factorial(N + 2), "=", (N + 2) * (N + 1) * sp.factorial(N)), ()),
        ((sp.gamma(S + 1), "=", S * sp.gamma(S)), ((0, "<", S),)),
        ((0, "<=", sp.exp(A)), ()),
        ((1, "<=", sp.exp(X)), ()),
        ((0, "<=", A ** sp.Rational(1, 3)), ((0, "<=", A),)),
        ((A * sp.exp(C), "<=", B * sp.exp(C)), ((A, "<=", B),)),
        ((sp.log(C) + A, "<=", sp.log(C) + B), ((A, "<=", B), (0, "<", C))),
        ((A / C, "<=", B / C), ((A, "<=", B), (0, "<", C))),
        ((A, "=", C), ((A, "=", sp.exp(B) + 1), (C, "=", sp.exp(B) + 1))),
    ],
)
def test_powers_factorials_and_exponentials_are_letters(conclusion, hypotheses):
    assert _status(conclusion, *hypotheses) is Status.PROVED


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        (_completed_square(NINE_TENTHS), ()),
        (_completed_square(power=1), ()),
        ((J + I1, "<=", NINE_TENTHS * I1 * (J + 1)), ()),
        ((J + I0, "<=", I0 * (J + 1)), ()),
        _absorbed(X, Y2, NINE_TENTHS),
        _absorbed(*POWERS, NINE_TENTHS),
        ((SHIFT, "=", NINE_TENTHS * SHIFTED), ((J, "<=", N),)),
        ((SHIFT, "=", SHIFTED * (N + K1)), ((J, "<=", N),)),
        ((sp.exp(A), "<=", NINE_TENTHS * sp.exp(A)), ()),
        ((sp.exp(A), "<=", sp.exp(B)), ((B, "<=", A),)),
        ((A**2, "<=", sp.exp(A)), ()),
        # no real number somewhere
        ((sp.log(A), "=", sp.log(A)), ((0, "<=", A),)),
        ((S**-C, "<=", S**-C + 1), INSIDE),
        ((A**C, "<=", A**C + 1), INSIDE),
    ],
)
def test_the_same_made_false_is_refuted(conclusion, hypotheses):
    statement = _statement(conclusion, *hypotheses)
    verdict = check_statement(statement, claim="toy", case="algebra")
    assert verdict.status is Status.REFUTED
    assert "lhs" in verdict.witness


@pytest.mark.parametrize(
    ("conclusion", "hypotheses"),
    [
        # defined where the witness search looks, and not everywhere
        ((sp.log(10**6 - A), "<=", sp.log(10**6 - A) + 1), ((A, "<=", 2 * 10**6),)),
        ((sp.log(10**6 - A), "=", sp.log(10**6 - A)), ()),
        ((1 / (10**6 - A), "<=", 1 / (10**6 - A) + 1), ()),
        (((10**6 - A) ** C, "<=", (10**6 - A) ** C + 1), INSIDE),
        ((sp.gamma(A + 20), "=", (A + 19) * sp.gamma(A + 19)), ()),
        # gammas too far apart
        ((sp.factorial(N + 100), "=", sp.rf(N + 1, 100).expand(func=True) * sp.factorial(N)), ()),
    ],
)
def test_what_may_be_undefined_or_is_too_far_is_not_proved(conclusion, hypotheses):
    assert not _status(conclusion, *hypotheses).holds


def test_letters_keep_the_sign_and_nothing_else():
    statement = _statement((sp.exp(A) * L**C, "<=", sp.sin(L) / C), *INSIDE)
    abstracted = abstract(statement)
    assert not abstracted.free_symbols & {L}
    signs = {(s.is_positive, s.is_nonnegative) for s in abstracted.conclusion.free_symbols}
    assert signs == {(True, True), (None, True), (None, None)}
    # the letter for 1/c brings c · letter = 1 along
    assert any(h.op == "=" and h.rhs == 1 and C in h.free_symbols for h in abstracted.hypotheses)
    taken = _statement((sp.Symbol("atom0", real=True), "<=", sp.exp(A)))
    assert len(abstract(taken).conclusion.free_symbols) == 2
    assert abstract(taken).conclusion.slack.free_symbols > taken.conclusion.lhs.free_symbols


@pytest.mark.parametrize(
    ("expression", "positive", "nonnegative"),
    [
        (C, True, True),
        (1 - C, True, True),
        (C / (1 - C) ** 2, True, True),
        (C - sp.Rational(1, 2), False, False),
        (C**2 - C, False, False),
        (1 - C * (1 - C), True, True),
        (L**C, False, True),
        (sp.exp(A) + L, True, True),
        (B - A + C, True, True),
        (B - A, False, True),
        (A**2, False, True),
        (A**2 + 1, True, True),
        ((A - B) ** 2, False, True),
        (A, False, False),
        (1 / L, False, False),
        (-(C**2), False, False),
        (sp.S.Zero, False, True),
    ],
)
def test_signs_follow_from_ranges(expression, positive, nonnegative):
    signs = Signs(_statement((0, "<=", 0), *INSIDE, (A, "<=", B)).hypotheses)
    assert signs.is_positive(expression) is positive
    assert signs.is_nonnegative(expression) is nonnegative


@pytest.mark.parametrize(
    ("bounds", "inside"),
    [
        (((0, "<=", C), (C, "<=", 1)), False),
        (((0, "<=", C), (C, "<", 1)), False),
        (((0, "<", C), (C, "<=", 1)), False),
        (((0, "<", C), (C, "<", 1)), True),
        (((sp.Rational(1, 4), "<=", C), (C, "<", sp.Rational(3, 4))), True),
        (((0, "<", C), (C, "<", 2)), False),
        (((0, "<", C),), False),
        (((2 * C, "<", 2), (-3 * C, "<", 0)), True),
    ],
)
def test_closed_ends_of_a_range_count(bounds, inside):
    signs = Signs(_statement((0, "<=", 0), *bounds).hypotheses)
    assert (signs.is_positive(C) and signs.is_positive(1 - C)) is inside


def test_a_witness_may_be_irrational_where_a_hypothesis_is_an_equation():
    given = ((B, "=", sp.exp(A)), (1, "<=", A))
    witness = find_witness(_statement((B, "<=", 3), *given))
    assert witness is not None
    assert "b=exp(a)" in witness


def test_witnesses_lie_inside_a_narrow_range():
    half = sp.Rational(1, 2)
    for low, high in ((half, 1), (0, sp.Rational(1, 50)), (1, 2)):
        given = ((low, "<", C), (C, "<", high))
        assert find_witness(_statement((2 ** (C - high), "<=", 0), *given)) is not None


def test_huge_powers_end():
    tower = L ** (L ** (S + 9))
    assert find_witness(_statement((tower, "<=", tower * 2), (9, "<=", L))) is None


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


# --- what cancels must be defined all the same ----------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "hypothesis"),
    [
        ("1/(1 + 1/(x - 3))", "(x - 3)/(x - 2)", "x - 2"),
        ("x/(1 + x/(x - 3))", "x*(x - 3)/(2*x - 3)", "2*x - 3"),
        ("x/(x - 3) - 3/(x - 3)", "1", "x"),
        ("x**2/(x**2 - 2) - 2/(x**2 - 2)", "1", "x"),
        ("1/(x - 3) - 1/(x - 5) + 2/((x - 5)*(x - 3))", "0", "x"),
    ],
)
def test_an_identity_with_a_hole_is_not_proved(left, right, hypothesis):
    names = {"x": sp.Symbol("x", real=True)}
    sides = (sp.sympify(text, locals=names, evaluate=False) for text in (left, right))
    statement = Statement(
        Relation(next(sides), "=", next(sides)),
        (Relation(sp.S.Zero, "<", sp.sympify(hypothesis, locals=names)),),
    )
    assert check_statement(statement, claim="toy", case="algebra").status is not Status.PROVED


def test_a_statement_that_can_not_be_factored_is_left_open():
    b = sp.Symbol("b", positive=True)
    statement = Statement(Relation(sp.exp(-b), "<=", 2 - sp.exp(-b)))
    verdict = check_statement(statement, claim="toy", case="algebra")
    assert verdict.status in (Status.INCONCLUSIVE, Status.PROVED)
