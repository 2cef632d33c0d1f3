"""The symbolic rules prove what is true, and refuse every statement that only looks like it."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.enclosure import NoiseAtom, enclose
from proofs_check.provers.symbolic import is_identically_zero, is_nonnegative_rational, prove
from theory import cases
from theory import quantities as q
from theory.cases.case import Case
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.claims import CLAIMS
from theory.operators import TimeIntegral
from theory.symbols import N, d, mu, sigma2

A, B, X = (sp.Symbol(name, nonnegative=True) for name in "abx")
W = sp.Symbol("w", real=True)
FREE = sp.Symbol("u")
SMALL_N = sp.Symbol("n", nonnegative=True)


def _toy(forms=None, facts=(), fixed=()):
    return Case(
        name="toy",
        title="",
        law="",
        algorithm="",
        parameters=(),
        closed_forms=lambda _: forms or {},
        facts=facts,
        fixed=fixed,
    )


def _claim(lhs, op, rhs, *hypotheses):
    statement = Statement(Relation(sp.sympify(lhs), op, sp.sympify(rhs)), hypotheses)
    source = Source("farghly2026", "nowhere")
    return Claim("toy", "", source, Kind.DERIVED, Strength.UPPER, lambda: statement)


def _proved(lhs, op, rhs, case, *hypotheses):
    return prove(_claim(lhs, op, rhs, *hypotheses), case) is not None


# --- rational expressions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        sp.S.Zero,
        A + B * X,
        N - 1,
        (N - 1) / N,
        1 - 1 / N**2,
        d * mu**2 / (mu**2 + sigma2),
        (-A - B) / (-1 - X),
        sp.sqrt(2) * A,
        1 - 1 / (1 + A),
    ],
)
def test_nonnegative_rational_expressions(expression):
    assert is_nonnegative_rational(expression)


@pytest.mark.parametrize(
    "expression",
    [
        A - B,
        N - 2,
        -A,
        # undefined somewhere on the domain
        1 / A,
        1 / (N - 1),
        A / (B + X),
        # no sign is known, even where the square would do
        FREE,
        W,
        W**2 + FREE,
        # not rational: refused, not an error
        sp.sqrt(A),
        sp.exp(A),
        sp.cos(3) * A,
        sp.log(2) * A - A,
        sp.nan,
        sp.zoo,
        # n here is the case's own, not the one in N = 1 + n
        N - SMALL_N,
        N - 1 - SMALL_N,
    ],
)
def test_what_is_not_shown_to_be_nonnegative(expression):
    assert not is_nonnegative_rational(expression)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-2, 4), *[st.integers(0, 2)] * 3), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), *[st.integers(0, 1)] * 3), min_size=1, max_size=3),
    st.tuples(st.integers(1, 5), *[st.builds(sp.Rational, st.integers(0, 9), st.just(4))] * 2),
)
def test_a_yes_is_true_at_every_point(numerator, denominator, at):
    def polynomial(terms):
        return sp.Add(*(c * (N - 1) ** i * A**j * B**k for c, i, j, k in terms))

    quotient = polynomial(numerator) / (1 + polynomial(denominator))
    if is_nonnegative_rational(quotient):
        assert quotient.subs(dict(zip((N, A, B), at, strict=True))) >= 0


# --- integrals over time --------------------------------------------------------------------------


def test_integrals_are_linear_and_nothing_more():
    f, g = mu**2 * A, sigma2
    assert is_identically_zero(TimeIntegral(f) + TimeIntegral(g) - TimeIntegral(f + g))
    assert is_identically_zero(A * TimeIntegral(mu) - TimeIntegral(A * mu))
    assert is_identically_zero(
        TimeIntegral(mu / (mu + sigma2)) + TimeIntegral(sigma2 / (mu + sigma2)) - TimeIntegral(1)
    )
    # true at one time, false for a list of times
    assert not is_identically_zero(TimeIntegral(f) * TimeIntegral(g) - TimeIntegral(f * g))
    assert not is_identically_zero(TimeIntegral(f) ** 2 - TimeIntegral(f**2))
    assert not is_identically_zero(sp.sqrt(TimeIntegral(f**2)) - TimeIntegral(f))
    # τ need not have mass one
    assert not is_identically_zero(TimeIntegral(1) - 1)
    assert not is_identically_zero(TimeIntegral(1 + mu) - TimeIntegral(mu) - 1)


def test_an_equality_at_one_time_is_not_proved_for_every_tau():
    case = _toy({"C_sm": TimeIntegral(mu) ** 2, "E_l_sm": TimeIntegral(mu**2)})
    assert not _proved(q.C_sm, "=", q.E_l_sm, case)
    assert not _proved(q.C_sm, "<=", q.E_l_sm, case)


def test_a_signed_integrand_is_not_a_nonnegative_integral():
    signed = TimeIntegral(mu - sigma2)
    assert not _proved(0, "<=", q.C_sm, _toy({"C_sm": signed}))
    assert not _proved(0, "<=", q.C_sm, _toy({"C_sm": TimeIntegral(mu * W)}))
    assert _proved(0, "<=", q.C_sm, _toy({"C_sm": TimeIntegral(mu + sigma2)}))


ORDERED = (mu, mu + sigma2)


def test_facts_order_their_integrals():
    forms = {"C_sm": TimeIntegral(ORDERED[0]), "E_l_sm": TimeIntegral(ORDERED[1])}
    assert _proved(q.C_sm, "<=", q.E_l_sm, _toy(forms, (ORDERED,)))
    assert not _proved(q.E_l_sm, "<=", q.C_sm, _toy(forms, (ORDERED,)))


def test_a_false_fact_proves_nothing():
    forms = {"C_sm": TimeIntegral(mu), "E_l_sm": TimeIntegral(sigma2)}
    assert not _proved(q.C_sm, "<=", q.E_l_sm, _toy(forms, ((mu, sigma2),)))
    # true as an order, but the smaller integral is negative: its name must not be a number >= 0
    negative = _toy({"C_sm": TimeIntegral(-5 * mu)}, ((-5 * mu, mu),))
    assert not _proved(0, "<=", q.C_sm, negative)


def test_two_facts_do_not_share_their_names():
    forms = {"C_sm": TimeIntegral(mu), "E_l_sm": TimeIntegral(mu**2)}
    both = (ORDERED, (mu**2, mu**2 + sigma2))
    assert not _proved(q.C_sm, "<=", q.E_l_sm, _toy(forms, both))


@pytest.mark.parametrize("name", ["A", "D", "I0", "I1", "n"])
def test_a_cases_own_symbol_is_never_taken_for_an_integral(name):
    own = sp.Symbol(name, nonnegative=True)
    plain = _toy({"C_sm": TimeIntegral(mu), "E_l_sm": own})
    ordered = _toy({"C_sm": TimeIntegral(mu), "E_l_sm": own}, (ORDERED,))
    larger = _toy({"C_sm": own, "E_l_sm": TimeIntegral(ORDERED[1])}, (ORDERED,))
    for case in (plain, ordered, larger):
        assert not _proved(q.C_sm, "<=", q.E_l_sm, case)
        assert not _proved(q.C_sm, "=", q.E_l_sm, case)
    assert not _proved(own, "<=", N - 1, _toy())


# --- the rules for roots --------------------------------------------------------------------------


def test_true_statements_with_roots():
    case = _toy()
    assert _proved(sp.sqrt(A + B), "<=", sp.sqrt(A) + sp.sqrt(B), case)
    assert _proved(A, "<=", sp.sqrt(A**2 + B), case)
    assert _proved(A, "<=", A + sp.sqrt(B), case)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (sp.sqrt(A) + sp.sqrt(B), sp.sqrt(A + B)),
        (sp.sqrt(A**2 + B), A),
        (A + 1, sp.sqrt(A**2 + 1)),
        (sp.sqrt(2 * A + B), sp.sqrt(A) + sp.sqrt(B)),
        # the sign of what multiplies the root is not its coefficient's
        (0, sp.cos(3) * sp.sqrt(A)),
        (0, W * sp.sqrt(A)),
        (0, sp.log(sp.Rational(1, 2)) * sp.sqrt(A)),
        (0, (1 - sp.sqrt(2)) * sp.sqrt(A)),
        # a product of two roots of negative numbers is negative, though its square is not
        (0, sp.sqrt(-A - 1) * sp.sqrt(-B - 1)),
        (0, A ** sp.Rational(1, 4) - B),
        (0, 1 / (sp.sqrt(A) - 1)),
    ],
)
def test_false_statements_with_roots(lhs, rhs):
    assert not _proved(lhs, "<=", rhs, _toy())


def test_a_strict_inequality_needs_more_than_an_inequality():
    assert not _proved(q.C_sm, "<", q.C_sm, _toy())
    assert not _proved(q.C_sm, "<", q.C_sm + q.E_l_sm, _toy())


def test_division_by_something_that_may_vanish_proves_nothing():
    case = _toy()
    assert not _proved(0, "<=", 1 / (N - 1), case)
    assert not _proved(N / (N - 1) - 1 / (N - 1), "=", 1, case)
    assert not _proved(q.C_sm / q.E_l_sm, "=", q.C_sm / q.E_l_sm, case)
    assert _proved(q.C_sm / N, "<=", q.C_sm, case)


def test_unknowns_are_removed_only_where_the_slack_grows_with_them():
    grows = _toy({"E_l_sm": TimeIntegral(mu)})
    assert _proved(0, "<=", q.E_l_sm + q.C_sm * sp.sqrt(q.E_l_sm), grows)
    for falling in (
        1 - q.C_sm,
        (1 - q.C_sm) ** 2 - 1,
        sp.Rational(1, 2) ** (q.C_sm + 1) - sp.Rational(1, 4),
        1 / (1 + q.C_sm) - sp.Rational(1, 2),
        sp.sqrt(1 + q.C_sm) - q.C_sm,
        -q.C_sm * sp.sqrt(1 + q.C_sm),
    ):
        assert not _proved(0, "<=", falling, grows)


def test_hypotheses_other_than_equations_are_not_used():
    case = _toy()
    assert not _proved(q.C_sm, "<=", q.E_l_sm, case, Relation(q.C_sm, "<=", q.E_l_sm))
    assert _proved(q.C_sm, "=", q.C_sm / N, case, Relation(N, "=", sp.S.One))
    assert not _proved(q.C_sm, "=", q.C_sm / N, case)
    # N = 0 is no sample size; what follows from it is undefined
    assert not _proved(q.C_sm, "<=", q.C_sm / N, case, Relation(N, "=", sp.S.Zero))


# --- everything that is proved, in numbers --------------------------------------------------------

PAIRS = [
    (claim, name)
    for name in cases.NAMES
    for claim in CLAIMS.values()
    if not claim.is_algebraic and claim.needs <= cases.get(name).properties
]
TAUS = (
    (NoiseAtom(arb(0.5), arb(0.125), arb(1)),),
    (NoiseAtom(arb(1), arb(0.25), arb(2)), NoiseAtom(arb(0.25), arb(3), arb(0.5))),
)


def test_every_proof_survives_numbers():
    proved = 0
    for claim, name in PAIRS:
        case = cases.get(name)
        if prove(claim, case) is None:
            continue
        proved += 1
        relation = claim.statement.conclusion
        fixed = {
            **dict(case.fixed),
            **{h.lhs: h.rhs for h in claim.statement.hypotheses if h.op == "="},
        }
        forms = {q.symbol(n): f for n, f in case.quantities(case.symbols).items()}
        slack = relation.slack.subs(forms).subs(fixed)
        values = {s: arb(k + 1) for k, s in enumerate(sorted(slack.free_symbols, key=str))}
        if q.C_sm in values:
            values[q.C_sm] = arb(0.001)
        for tau in TAUS:
            ball = enclose(slack, values, time=tau, precision=128)
            if relation.op == "=":
                assert ball.contains(0)
                assert ball.rad() < 1e-20
            else:
                assert ball.is_finite()
                assert not ball < 0
    assert proved >= 15


# --- exponentials, each exponent a letter ---------------------------------------------------------

U, V = sp.symbols("p q", real=True)


@pytest.mark.parametrize(
    "expression",
    [
        # a hyperbolic tangent, and the posterior weight that it stands for
        (sp.exp(U) - sp.exp(V)) / (sp.exp(U) + sp.exp(V))
        + 1
        - 2 * sp.exp(U) / (sp.exp(U) + sp.exp(V)),
        # one exponent however it is spelt
        sp.exp((U - V) ** 2 / (2 * A + 1)) / (1 + sp.exp(U))
        - sp.exp((U**2 - 2 * U * V + V**2) / (2 * A + 1)) / (1 + sp.exp(U)),
        sp.exp(U * (V + 1)) / (1 + X) - sp.exp(U * V + U) / (1 + X),
        # exp(p) exp(q) is one exponential from the start
        sp.exp(U) * sp.exp(V) / (1 + X) - sp.exp(U + V) / (1 + X),
        1 / sp.exp(U) - sp.exp(-U),
        # an exponent that is an exponential
        sp.exp(-sp.exp(U)) / (1 + X) - sp.exp(-sp.exp(U)) / (X + 1),
        A * sp.exp(U) / (A * sp.exp(U) + B * sp.exp(V))
        + B * sp.exp(V) / (A * sp.exp(U) + B * sp.exp(V))
        - 1,
    ],
)
def test_identities_with_exponentials(expression):
    assert is_identically_zero(expression)


@pytest.mark.parametrize(
    "expression",
    [
        # equal at p = 0 only, or at p = q only
        (sp.exp(U) - 1) / (1 + X),
        sp.exp(U) / (1 + sp.exp(U)) - sp.S.Half,
        sp.exp(U) / (1 + X) - sp.exp(V) / (1 + X),
        sp.exp(U**2) / (1 + X) - sp.exp(U) / (1 + X),
        # equal for small p only to some order
        sp.exp(U) - 1 - U - U**2 / 2,
        (2 + U) / (2 - U) - sp.exp(U),
        # exponents that differ by a sign, a square or a constant
        sp.exp((U - V) ** 2) / (1 + X) - sp.exp((U + V) ** 2) / (1 + X),
        sp.exp((U + V) ** 2) / (1 + X) - sp.exp(U**2 + V**2) / (1 + X),
        sp.exp(U + sp.Rational(1, 10**30)) / (1 + X) - sp.exp(U) / (1 + X),
        # true of squares of numbers, false of exponentials
        sp.exp(U + V) - sp.exp(U) - sp.exp(V),
        sp.exp(2 * U) / (1 + X) - 2 * sp.exp(U) / (1 + X),
        # a factor that is lost
        A * sp.exp(U) / (A * sp.exp(U) + B * sp.exp(V))
        + A * sp.exp(V) / (A * sp.exp(U) + B * sp.exp(V))
        - 1,
    ],
)
def test_near_misses_with_exponentials_are_not_proved(expression):
    assert not is_identically_zero(expression)
    case = _toy({"C_sm": expression + 7})
    assert not _proved(q.C_sm, "=", 7, case)


def test_other_functions_are_no_letters():
    """Sines and roots of equal arguments may be equal; they are left to other rules."""
    assert not is_identically_zero(sp.sin(U) ** 2 + sp.cos(U) ** 2 - 1 + sp.exp(V) - sp.exp(V + X))
    assert not is_identically_zero(sp.sqrt(sp.exp(U) + 1) - sp.exp(U / 2))


def test_exponentials_in_integrals_over_time_are_not_taken_out():
    growing = TimeIntegral(sp.exp(mu * U))
    assert is_identically_zero(2 * growing - growing - TimeIntegral(sp.exp(mu * U)))
    assert not is_identically_zero(growing - sp.exp(mu * U) * TimeIntegral(1))
    assert not is_identically_zero(growing - TimeIntegral(sp.exp(mu * V)))


def test_relations_between_letters_are_not_used():
    """True, and not seen: e^p and e^{−p}, or e^{2p}, are letters of their own."""
    assert not is_identically_zero(sp.exp(U) / (1 + sp.exp(U)) - 1 / (1 + sp.exp(-U)))
    assert not is_identically_zero((sp.exp(2 * U) - 1) / (sp.exp(U) - 1) - sp.exp(U) - 1)


def test_division_by_a_difference_of_exponentials_proves_nothing():
    """It vanishes at p = q, where the two sides are not defined; a sum vanishes nowhere."""
    for divisor, proved in ((sp.exp(U) - sp.exp(V), False), (sp.exp(U) + sp.exp(V), True)):
        case = _toy({"C_sm": A / divisor})
        assert _proved(q.C_sm, "=", A / divisor, case) is proved


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(-2, 2), *[st.integers(-1, 2)] * 2), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(-2, 2), *[st.integers(-1, 2)] * 2), min_size=1, max_size=4),
    st.tuples(*[st.builds(sp.Rational, st.integers(-9, 9), st.just(4))] * 2),
)
def test_a_zero_of_exponentials_is_zero_at_every_point(same, first, second, at):
    """Sums of c·exp(ip + jq) over 1 + exp(p): what is called zero is zero, spelt in any way."""

    def total(terms, spelt):
        return sp.Add(*(c * spelt(i, j) for c, i, j in terms))

    other = first[::-1] if same else second
    difference = total(first, lambda i, j: sp.exp(i * U + j * V)) / (1 + sp.exp(U)) - total(
        other, lambda i, j: sp.exp(U) ** i * sp.exp(V) ** j
    ) / (sp.exp(U) + 1)
    value = sp.N(difference.subs(dict(zip((U, V), at, strict=True))), 30)
    if same:
        assert is_identically_zero(difference)
    if is_identically_zero(difference):
        assert abs(value) < sp.Float("1e-25")
