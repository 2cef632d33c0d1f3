"""Enclosures contain the truth, are narrow, and are undefined where the expression is."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.ball_program import integer_power
from proofs_check.enclosure import (
    NoiseAtom,
    NotEnclosable,
    UniformNoise,
    enclose,
    enclose_all,
    exact_ball,
    is_negative,
    is_nonnegative,
)
from theory import symbols
from theory.operators import GaussianExpectation, TimeIntegral, merge_expectations

X, Y, Z = sp.symbols("x y z", real=True)
P = sp.Symbol("p", nonnegative=True)
DIGITS = 120

# Each operation twice: for sympy, whose tree is enclosed, and for mpmath, which evaluates directly.
UNARY = (
    (lambda u: u**2, lambda u: u**2),
    (lambda u: u**3, lambda u: u**3),
    (lambda u: -u, lambda u: -u),
    (sp.tanh, mp.tanh),
    (lambda u: sp.exp(sp.tanh(u)), lambda u: mp.exp(mp.tanh(u))),
    (lambda u: sp.sqrt(1 + u**2), lambda u: mp.sqrt(1 + u**2)),
    (lambda u: sp.log(2 + u**2), lambda u: mp.log(2 + u**2)),
    (lambda u: 1 / (1 + u**2), lambda u: 1 / (1 + u**2)),
    (lambda u: (1 + u**2) ** sp.Rational(-3, 4), lambda u: (1 + u**2) ** mp.mpf("-0.75")),
)
BINARY = (
    (lambda u, v: u + v, lambda u, v: u + v),
    (lambda u, v: u * v, lambda u, v: u * v),
    (lambda u, v: u - v, lambda u, v: u - v),
)
RATIONALS = st.builds(sp.Rational, st.integers(-9, 9), st.integers(1, 7))


def _leaves():
    constants = RATIONALS.map(lambda q: (q, lambda x, y: mp.mpf(int(q.p)) / int(q.q)))
    return st.sampled_from(((X, lambda x, y: x), (Y, lambda x, y: y))) | constants


def _grow(trees):
    def unary(operation, tree):
        (symbolic, direct), (expression, function) = operation, tree
        return symbolic(expression), lambda x, y: direct(function(x, y))

    def binary(operation, left, right):
        (symbolic, direct), (e1, f1), (e2, f2) = operation, left, right
        return symbolic(e1, e2), lambda x, y: direct(f1(x, y), f2(x, y))

    return st.builds(unary, st.sampled_from(UNARY), trees) | st.builds(
        binary, st.sampled_from(BINARY), trees, trees
    )


TREES = st.recursive(_leaves(), _grow, max_leaves=6)


def _number(q):
    return mp.mpf(int(q.p)) / int(q.q)


def _truth(value):
    """A ball around an mpmath number, wide enough for mpmath's own rounding."""
    return arb(mp.nstr(value, 90), 0) + arb(0, 1) * arb("1e-60") * (1 + abs(arb(mp.nstr(value, 9))))


def _around(centre, radius):
    return exact_ball(centre - radius).union(exact_ball(centre + radius))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TREES, RATIONALS, RATIONALS)
def test_random_trees_at_exact_points_are_narrow_and_right(tree, x, y):
    expression, function = tree
    with ctx.workprec(420):
        ball = enclose(expression, {X: exact_ball(x), Y: exact_ball(y)}, precision=420)
        with mp.workdps(DIGITS):
            truth = _truth(function(_number(x), _number(y)))
        assert ball.overlaps(truth)
        assert ball.rad() < arb("1e-30")
    coarse = enclose(expression, {X: exact_ball(x), Y: exact_ball(y)}, precision=30)
    assert coarse.contains(ball.mid()) or coarse.overlaps(ball)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TREES, RATIONALS, RATIONALS, st.integers(0, 3), st.tuples(*[st.integers(-4, 4)] * 2))
def test_random_trees_on_wide_balls_contain_every_point(tree, x, y, size, where):
    expression, function = tree
    radius = sp.Rational(size, 4)
    ball = enclose(expression, {X: _around(x, radius), Y: _around(y, radius)}, precision=64)
    inside = [c + radius * sp.Rational(w, 4) for c, w in zip((x, y), where, strict=True)]
    with mp.workdps(DIGITS):
        value = function(*map(_number, inside))
        with ctx.workprec(420):
            assert not ball.is_finite() or ball.overlaps(_truth(value))


def test_wide_balls_stay_finite_where_the_tree_is_defined():
    wide = {X: arb(0, 1), Y: arb(0, 1)}
    for symbolic, _ in UNARY:
        # 1 + u² is cut at 1 from below only because even powers are cut at zero.
        assert enclose(symbolic(X * Y), wide).is_finite()


def test_a_third_is_contained_and_no_float_enters():
    third = enclose(sp.Rational(1, 3), precision=20)
    with ctx.workprec(200):
        assert third.contains(arb(1) / 3) or third.overlaps(arb(fmpq(1, 3)))
        assert third.rad() < arb("1e-6")
        assert not arb(1 / 3).overlaps(arb(fmpq(1, 3)))  # what a lambdified third would be
    for float_inside in (sp.Float("0.1") * X, X ** sp.Float("0.5"), X + sp.Float("0.1")):
        with pytest.raises(NotEnclosable):
            enclose(float_inside, {X: arb(2)})


@pytest.mark.parametrize("exponent", [2, 4, 6])
def test_even_powers_of_a_ball_around_zero(exponent):
    power = enclose(X**exponent, {X: arb(0, 2)})
    assert is_nonnegative(power)
    assert power.contains(arb(2) ** exponent) or power.upper() >= 2**exponent
    assert power.upper() <= 1.1 * 2**exponent
    assert not is_nonnegative(enclose(X ** (exponent + 1), {X: arb(0, 2)}))
    assert not integer_power(arb(0, 1), -exponent).is_finite()


@pytest.mark.parametrize(
    "expression",
    [
        sp.sqrt(X),
        X ** sp.Rational(1, 4),
        X ** sp.Rational(-1, 2),
        sp.log(X),
        X ** sp.Rational(3, 2),
    ],
)
@pytest.mark.parametrize("ball", [arb(-2), arb(0, 1), arb("nan")])
def test_off_domain_is_undefined_and_undefined_is_no_answer(expression, ball):
    value = enclose(expression, {X: ball})
    assert not value.is_finite()
    assert not is_nonnegative(value)
    assert not is_negative(value)


def test_division_by_a_ball_that_meets_zero_is_undefined():
    for ball in (arb(0), arb(0, 1)):
        assert not enclose(1 / X, {X: ball}).is_finite()


def test_roots_trust_the_symbols_domain_but_not_against_the_ball():
    straddling = enclose(sp.sqrt(P), {P: arb(0, 1)})
    assert is_nonnegative(straddling)
    assert straddling.upper() <= 1.01
    assert not enclose(sp.sqrt(P), {P: arb(-2)}).is_finite()
    assert not enclose(sp.sqrt(P), {P: arb("nan")}).is_finite()
    # no sign is known here, so nothing may be cut
    assert not enclose(sp.sqrt(P - 1), {P: arb(1, 0.5)}).is_finite()
    assert not enclose(sp.sqrt(X + P), {P: arb(0, 1), X: arb(0)}).is_finite()


@pytest.mark.parametrize(
    "integrand",
    [sp.sqrt(Z - 2), sp.log(Z - 2), sp.sqrt(Z - sp.Rational(1, 2)), (Z - 2) ** sp.Rational(3, 4)],
)
@pytest.mark.parametrize("tolerance", [None, 1e-2])
def test_an_integrand_off_its_domain_is_undefined_not_complex(integrand, tolerance):
    # The real part of such an integral is a finite ball around nothing.
    integral = sp.Integral(integrand, (Z, 0, 1))
    assert not enclose(integral, integral_tolerance=tolerance).is_finite()


@pytest.mark.parametrize(
    ("integrand", "low", "high", "truth"),
    [
        (sp.sqrt(Z), 1, 4, sp.Rational(14, 3)),
        ((2 - Z) ** sp.Rational(1, 4), 0, 1, sp.Rational(4, 5) * (2 ** sp.Rational(5, 4) - 1)),
        (sp.log(Z), 1, 2, 2 * sp.log(2) - 1),
        (1 / Z, 1, 3, sp.log(3)),
        (sp.exp(-Z), 0, 2, 1 - sp.exp(-2)),
        (Z**3, 2, 1, -sp.Rational(15, 4)),
    ],
)
def test_integrals_contain_the_antiderivative(integrand, low, high, truth):
    for tolerance in (None, 1e-1):
        ball = enclose(sp.Integral(integrand, (Z, low, high)), integral_tolerance=tolerance)
        assert ball.overlaps(enclose(truth, precision=120))
    fine = enclose(sp.Integral(integrand, (Z, low, high)))
    assert fine.rad() < 1e-12


def test_an_integral_that_runs_out_of_evaluations_is_wide_but_right():
    steep = sp.Integral(1 / (sp.Rational(1, 10**14) + (Z - sp.Rational(1, 3)) ** 2), (Z, 0, 1))
    ball = enclose(steep, integral_tolerance=1e-15)
    with mp.workdps(40):
        width = mp.mpf(10) ** -7
        truth = (mp.atan(mp.mpf(2) / 3 / width) + mp.atan(mp.mpf(1) / 3 / width)) / width
    assert not ball.is_finite() or ball.contains(arb(mp.nstr(truth, 30)))


def test_a_pole_on_the_path_is_undefined():
    assert not enclose(sp.Integral(1 / Z, (Z, -1, 1))).is_finite()
    assert not enclose(sp.Integral(1 / Z**2, (Z, -1, 1)), integral_tolerance=1e-2).is_finite()


@pytest.mark.parametrize("precision", [20, 53, 96])
@pytest.mark.parametrize("power", [1, 2, 3, 4, 8, 12])
def test_gaussian_moments_with_their_tails(power, precision):
    mean = enclose(GaussianExpectation(Z**power, Z), precision=precision)
    truth = 0 if power % 2 else int(sp.factorial2(power - 1))
    assert mean.contains(arb(truth))
    if precision == 96:
        assert mean.rad() < 1e-12


def test_the_tail_is_counted():
    # At 10 bits the body stops at 5; for z^12 the tails beyond hold a fortieth of the mean.
    with mp.workdps(30):
        tail = 2 * mp.quad(lambda z: z**12 * mp.npdf(z), [5, 10, 40])
    assert tail > 200
    assert enclose(GaussianExpectation(Z**12, Z), precision=10).rad() > tail


@pytest.mark.parametrize(
    ("slope", "shift"), [(1, 0.25), (0.125, 2.0), (40, 1.0), (1000, 0.5), (-3, 0.0)]
)
def test_mean_of_a_squared_tanh_with_poles_near_the_line(slope, shift):
    ball = enclose(
        GaussianExpectation((1 - sp.tanh(X + Y * Z)) ** 2, Z), {X: arb(shift), Y: arb(slope)}
    )
    with mp.workdps(30):
        bend = -mp.mpf(shift) / slope
        breaks = sorted({bend, *(bend + k / mp.mpf(abs(slope)) for k in (-20, -4, 4, 20))})
        path = [-12, *(b for b in breaks if -12 < b < 12), 12]
        truth = mp.quad(lambda z: (1 - mp.tanh(shift + slope * z)) ** 2 * mp.npdf(z), path)
    assert ball.overlaps(arb(mp.nstr(truth, 20)) + arb(0, 1e-12))
    assert ball.rad() < 1e-9


def test_mean_over_a_ball_of_parameters_contains_each():
    mean = GaussianExpectation(sp.tanh(X**2 + X * Z) * Z, Z)
    wide = enclose(mean, {X: _around(sp.Rational(1, 2), sp.Rational(1, 8))})
    assert wide.is_finite()
    for eighths in (3, 4, 5):
        assert wide.overlaps(enclose(mean, {X: exact_ball(sp.Rational(eighths, 8))}))


@pytest.mark.parametrize(
    "integrand",
    [
        sp.exp(Z),
        1 / (1 + Z**2),
        sp.sqrt(1 + Z**2),
        Z / (2 + sp.tanh(Z)),
        # complex beyond |z| = 31, where tanh is not bounded
        sp.tanh(sp.sqrt(1000 - Z**2)),
        sp.tanh(sp.sqrt(Z - 1000)),
        sp.tanh(sp.log(Z + 1000)),
    ],
)
def test_functions_without_a_tail_bound_are_refused(integrand):
    with pytest.raises(NotEnclosable):
        enclose(GaussianExpectation(integrand, Z))


def test_tanh_of_a_polynomial_has_a_tail_bound():
    assert enclose(GaussianExpectation(sp.tanh(Z**3), Z)).contains(0)
    undefined = GaussianExpectation(sp.tanh(sp.sqrt(X) * Z) ** 2, Z)
    assert not enclose(undefined, {X: arb(-1)}).is_finite()


def test_merged_expectations_are_the_same_number():
    first = GaussianExpectation(sp.tanh(X + Z) ** 2, Z)
    second = GaussianExpectation((1 - sp.tanh(X - Z)) ** 2, Z)
    total = 3 * first - second / 2 + 1
    merged = merge_expectations(total)
    assert len(merged.atoms(GaussianExpectation)) == 1
    difference = enclose(total - merged, {X: arb(0.75)})
    assert difference.contains(0)
    assert difference.rad() < 1e-12
    product = first * second
    assert merge_expectations(product) == product


def test_time_integrals_over_atoms_and_uniform_time():
    integral = TimeIntegral(symbols.mu**2 / symbols.sigma2)
    atoms = (NoiseAtom(arb(1), arb(2), arb(3)), NoiseAtom(arb(2), arb(4), arb(5)))
    assert enclose(integral, time=atoms).contains(arb(fmpq(13, 2)))
    t = symbols.t
    noise = UniformNoise(sp.S.One, t, sp.Integer(1), sp.Integer(3))
    assert enclose(integral, time=noise).contains(enclose(sp.log(3) / 2, precision=120).mid())
    with pytest.raises(NotEnclosable, match="no measure"):
        enclose(integral)
    # time itself is bound by the integral: it is not a free input of a discrete measure
    with pytest.raises(NotEnclosable):
        enclose(TimeIntegral(t * symbols.mu), time=atoms)


RATIONAL_POWERS = (sp.Rational(1, 3), sp.Rational(-2, 7), sp.Rational(5, 3))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.builds(sp.Rational, st.integers(1, 40), st.integers(1, 9)),
    st.builds(sp.Rational, st.integers(-30, 30), st.integers(1, 9)),
    st.integers(0, 3),
)
def test_powers_contain_the_truth_at_each_point_of_the_ball(base, exponent, size):
    radius = base * sp.Rational(size, 4)
    wide = {X: _around(base, radius), Y: _around(exponent, sp.Rational(size, 8))}
    for power in (X**Y, *(X**q for q in RATIONAL_POWERS)):
        ball = enclose(power, wide)
        assert ball.is_finite()
        for where in (-1, 0, 1):
            with mp.workdps(DIGITS):
                e = power.exp if power.exp.is_Rational else exponent + where * sp.Rational(size, 8)
                truth = _number(base + where * radius) ** _number(sp.Rational(e))
            assert ball.overlaps(_truth(truth))
            assert is_nonnegative(ball)


def test_powers_of_a_base_that_may_be_zero():
    q, e = sp.Symbol("q", nonnegative=True), sp.Symbol("e", positive=True)
    around_zero = {q: arb(0, 1), e: _around(sp.Integer(2), sp.Rational(1, 2))}
    for power in (q ** sp.Rational(1, 3), q**e):
        ball = enclose(power, around_zero)
        assert is_nonnegative(ball)
        assert ball.contains(0)
        assert ball.upper() > 0.999
        assert ball.upper() < 1.1
        assert enclose(power, {q: arb(0), e: arb(1)}) == 0
        # the symbol's domain is not believed against the ball
        assert not enclose(power, {q: arb(-2), e: arb(1)}).is_finite()
    undefined = (
        (q**e, {q: arb(0), e: arb(0, 1)}),
        (q**-e, {q: arb(0), e: arb(1)}),
        (q ** sp.Rational(-1, 3), {q: arb(0, 1)}),
        (X**e, {X: arb(0, 1), e: arb(1)}),
        (X ** sp.Rational(1, 3), {X: arb(-8)}),
        (q**e, {q: arb(1), e: arb("nan")}),
        (q**e, {q: arb("nan"), e: arb(1)}),
    )
    for power, values in undefined:
        assert not enclose(power, values).is_finite()


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        (sp.factorial(X), 720),
        (sp.gamma(X), 120),
        (sp.exp(sp.loggamma(X)), 120),
        (sp.binomial(X, Y), 15),
        (sp.binomial(Y, X), 0),
        (sp.Abs(-X), 6),
        (sp.Max(X, Y, 1), 6),
        (sp.Min(X, Y, 3), 2),
        (sp.cosh(X) ** 2 - sp.sinh(X) ** 2, 1),
        (sp.cos(X) ** 2 + sp.sin(X) ** 2, 1),
    ],
)
def test_functions_at_an_exact_point_and_on_a_ball(expression, truth):
    for radius in (0, sp.Rational(1, 16)):
        ball = enclose(expression, {X: _around(sp.Integer(6), radius), Y: arb(2)})
        assert ball.is_finite()
        assert ball.contains(truth)
    assert enclose(expression, {X: arb(6), Y: arb(2)}).rad() < 1e-9
    assert not enclose(expression, {X: arb("nan"), Y: arb(2)}).is_finite()


def test_functions_off_their_domain_are_undefined():
    for expression, point in (
        (sp.factorial(X), -1),
        (sp.gamma(X), 0),
        (sp.loggamma(X), -1),
        (sp.loggamma(X), 0),
        (sp.binomial(X, 2), -1),
        (sp.cos(sp.log(X)), -1),
        (sp.Max(sp.log(X), 1), -1),
        (sp.Min(1, sp.sqrt(X)), -1),
    ):
        assert not enclose(expression, {X: arb(point)}).is_finite()
        assert not enclose(expression, {X: arb(point, 0.5)}).is_finite()


@pytest.mark.parametrize(
    ("integrand", "low", "high", "truth"),
    [
        (Z ** sp.Rational(1, 3), 1, 8, sp.Rational(45, 4)),
        (2**Z, 0, 3, 7 / sp.log(2)),
        (Z**X, 1, 2, (2 ** sp.Rational(7, 3) - 1) * sp.Rational(3, 7)),
        (sp.Abs(Z), -1, 2, sp.Rational(5, 2)),
        (sp.Max(Z, 1 - Z), 0, 2, sp.Rational(9, 4)),
        (sp.Min(Z, 1 - Z), 0, 2, sp.Rational(-1, 4)),
        (sp.cosh(Z) + sp.cos(Z), 0, 1, sp.sinh(1) + sp.sin(1)),
        (sp.gamma(Z + 1) / sp.gamma(Z), 1, 2, sp.Rational(3, 2)),
        (sp.loggamma(Z + 1) - sp.loggamma(Z), 1, 2, 2 * sp.log(2) - 1),
    ],
)
def test_integrals_of_powers_and_functions(integrand, low, high, truth):
    ball = enclose(
        sp.Integral(integrand, (Z, low, high)),
        {X: exact_ball(sp.Rational(4, 3))},
        integral_tolerance=1e-5,
    )
    assert ball.is_finite()
    assert ball.overlaps(enclose(truth, precision=120))


@pytest.mark.parametrize(
    "integrand", [(Z - 2) ** sp.Rational(1, 3), (Z - 2) ** X, sp.loggamma(Z - 2), sp.gamma(Z)]
)
def test_no_integral_over_a_path_that_leaves_the_domain(integrand):
    integral = sp.Integral(integrand, (Z, -1, 1))
    ball = enclose(integral, {X: exact_ball(sp.Rational(4, 3))}, integral_tolerance=1e-2)
    assert not ball.is_finite()


def test_what_has_no_rule_is_refused():
    for expression in (sp.erfi(X), sp.ceiling(X), sp.oo * P, sp.I * X, sp.asin(X)):
        with pytest.raises(NotEnclosable):
            enclose(expression, {X: arb(1), Y: arb(1), P: arb(1)})
    with pytest.raises(NotEnclosable):
        enclose(X + Y, {X: arb(1)})
    parametric = sp.Integral(GaussianExpectation(sp.tanh(X * Z), Z), (X, 0, 1))
    with pytest.raises(NotEnclosable):
        enclose(parametric)


def test_the_working_precision_does_not_leak():
    before = ctx.prec
    enclose(sp.Rational(1, 3), precision=300)
    assert ctx.prec == before
    with pytest.raises(NotEnclosable):
        enclose(TimeIntegral(symbols.mu), precision=300)  # raised while the program runs
    assert ctx.prec == before
    with ctx.workprec(20):
        inner = enclose(sp.Rational(1, 3), precision=200)
        assert ctx.prec == 20
    with ctx.workprec(220):
        assert inner.rad() < arb("1e-55")


def test_shared_nodes_are_one_value():
    both = enclose_all((sp.tanh(X), sp.tanh(X) ** 2), {X: arb(1)})
    assert both[1].overlaps(both[0] ** 2)
    assert enclose(X - X, {X: arb(0, 1)}) == 0


def test_the_error_function_contains_its_values() -> None:
    ball = enclose(sp.erf(X), {X: arb(1, 0.5)})
    assert all(ball.contains(arb(x).erf()) for x in (0.5, 1, 1.5))
    assert float(ball.rad()) < 0.5
