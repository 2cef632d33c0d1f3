"""Taylor forms: they contain the truth, stay narrow, and are not finite where it is undefined."""

from __future__ import annotations

from itertools import product

import mpmath as mp
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs_check.enclosure import NotEnclosable, enclose, exact_ball
from proofs_check.provers.taylor_boxes import certify_by_taylor_forms
from proofs_check.taylor_form import taylor_form
from theory.cases import gaussian_sampler
from theory.operators import Kept

X, Y = sp.symbols("x y")
Q = sp.Rational
NUMBERS = st.builds(sp.Rational, st.integers(-9, 9), st.integers(1, 5))
EXPONENTS = st.sampled_from([-2, -1, 2, 3, Q(1, 2), Q(-1, 2), Q(3, 2), Q(1, 3)])
EXPRESSIONS = st.recursive(
    st.sampled_from([X, Y]) | NUMBERS,
    lambda part: st.one_of(
        st.builds(lambda a, b: a + b, part, part),
        st.builds(lambda a, b: a * b, part, part),
        st.builds(lambda a, n: a**n, part, EXPONENTS),
        st.builds(lambda a: sp.exp(a / 4), part),
        st.builds(sp.log, part),
        st.builds(Kept, part),
    ),
    max_leaves=7,
)
WIDTHS = st.sampled_from([Q(0), Q(1, 50), Q(1, 4), Q(2)])
PLACES = st.builds(lambda p: Q(p, 12), st.integers(0, 12))


class Undefined(Exception):
    """The expression has no real value."""


class TooLarge(Exception):
    """The value is beyond what is worth computing."""


def value_at(node, values):
    """The value by mpmath, node by node."""
    if node in values:
        return values[node]
    if isinstance(node, sp.Rational):
        return mp.mpf(int(node.p)) / int(node.q)
    parts = [value_at(part, values) for part in node.args]
    if isinstance(node, Kept):
        return parts[0]
    if isinstance(node, sp.Add):
        return mp.fsum(parts)
    if isinstance(node, sp.Mul):
        return mp.fprod(parts)
    if isinstance(node, sp.exp):
        if abs(parts[0]) > 1000:
            raise TooLarge
        return mp.exp(parts[0])
    if isinstance(node, sp.log):
        if parts[0] <= 0:
            raise Undefined
        return mp.log(parts[0])
    base, exponent = parts[0], node.exp
    if (base == 0 and exponent < 0) or (base < 0 and not exponent.is_Integer):
        raise Undefined
    return base ** (int(exponent) if exponent.is_Integer else parts[1])


def to_arb(value):
    """A ball around a number known to eighty digits, much narrower than any ball at 64 bits."""
    with ctx.workprec(300):
        return arb(mp.nstr(value, 75)) + arb(0, 1e-40) * (1 + abs(arb(mp.nstr(value, 20))))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(EXPRESSIONS, NUMBERS, WIDTHS, NUMBERS, WIDTHS, st.lists(PLACES, min_size=4, max_size=4))
def test_the_truth_is_inside(expression, x, wide, y, tall, places):
    box = {X: (x, x + wide), Y: (y, y + tall)}
    try:
        (ball,) = taylor_form((expression,), box)
    except NotEnclosable:  # a constant part that is e, or is not real
        assume(False)
    with mp.workdps(80):
        for s, t in zip(places[:2], places[2:], strict=True):
            point = {X: x + s * wide, Y: y + t * tall}
            values = {v: mp.mpf(int(p.p)) / int(p.q) for v, p in point.items()}
            try:
                truth = value_at(expression, values)
            except Undefined:
                assert not ball.is_finite()
                continue
            except TooLarge:
                continue
            if ball.is_finite():
                with ctx.workprec(300):
                    assert ball.overlaps(to_arb(truth))


SMOOTH = [
    X**3 - X * Y + Y**2,
    sp.exp(X * Y) * sp.log(X + Y),
    (X + Y) ** Q(1, 2) / X,
    X ** Q(-3, 2) + Y**-2,
    Kept(sp.exp(-X) + Y) ** 2,
]


@pytest.mark.parametrize("expression", SMOOTH, ids=str)
def test_smooth_expressions_have_finite_balls_that_hold_a_whole_grid(expression):
    box = {X: (Q(1), Q(3, 2)), Y: (Q(2), Q(9, 4))}
    (ball,) = taylor_form((expression,), box)
    assert ball.is_finite()
    with mp.workdps(80):
        for i in range(9):
            for j in range(9):
                values = {X: 1 + mp.mpf(i) / 16, Y: 2 + mp.mpf(j) / 32}
                with ctx.workprec(300):
                    assert ball.overlaps(to_arb(value_at(expression, values)))


def test_what_is_linear_cancels():
    box = {X: (Q(0), Q(8)), Y: (Q(-3), Q(5))}
    (ball,) = taylor_form([2 * Kept(X + Y) - Kept(X - Y) - Kept(X + 3 * Y)], box)
    assert ball == 0


def test_the_excess_falls_with_the_square_of_the_box():
    expression = sp.exp(X) - X * sp.exp(Q(1, 2))
    radii = []
    for width in (Q(1, 8), Q(1, 16), Q(1, 32)):
        (ball,) = taylor_form(
            [Kept(expression) - sp.exp(Q(1, 2)) / 2], {X: (Q(1, 2) - width, Q(1, 2) + width)}
        )
        radii.append(float(ball.rad()))
    # at the point where the slope vanishes only the second order is left
    assert radii[1] < radii[0] / 3.5
    assert radii[2] < radii[1] / 3.5


def test_a_sampler_stays_narrower_than_plain_intervals():
    output = gaussian_sampler.divergence(15, 15, estimated=False)
    fixed = {
        gaussian_sampler.DIMENSION.symbol: sp.S.One,
        gaussian_sampler.MEAN_NORM.symbol: sp.S.One,
    }
    output = output.xreplace(fixed)
    kappa, s2 = gaussian_sampler.KAPPA.symbol, gaussian_sampler.VARIANCE.symbol
    box = {kappa: (Q(1, 5), Q(801, 4000)), s2: (Q(2), Q(8001, 4000))}
    wide = {v: exact_ball(low).union(exact_ball(high)) for v, (low, high) in box.items()}
    (ours,) = taylor_form([output], box)
    plain = enclose(output, wide)
    corners = [
        enclose(output, {kappa: exact_ball(k), s2: exact_ball(s)})
        for k in box[kappa]
        for s in box[s2]
    ]
    assert all(ours.overlaps(corner) for corner in corners)
    spread = max(float(c.mid()) for c in corners) - min(float(c.mid()) for c in corners)
    # the true range is at least this wide
    assert spread / 2 <= float(ours.rad()) < 2 * spread
    assert float(plain.rad()) > 100 * float(ours.rad())


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        (sp.log(X) + 10, Q(-3), Q(-1)),
        (sp.log(X) + 10, Q(0), Q(1)),
        (sp.log(X) + 10, Q(-1), Q(3)),
        (1 / X, Q(-1), Q(2)),
        (1 / X, Q(0), Q(1)),
        (1 / X**2, Q(-1), Q(1)),
        (sp.sqrt(X), Q(-1), Q(5)),
        (X ** Q(3, 2) + 1, Q(-2), Q(-1)),
        (X ** Q(1, 3), Q(-2), Q(-1)),
        (sp.exp(1 / X), Q(-1), Q(1)),
    ],
)
def test_undefined_on_a_part_of_the_box_is_not_finite(expression, low, high):
    (ball,) = taylor_form([expression], {X: (low, high)})
    assert not ball.is_finite()


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        (sp.log(X) + 20, Q(0), Q(1)),
        (sp.log(X) + 10, Q(-3), Q(-2)),
        (1 / X, Q(0), Q(1)),
        (1 / X**2, Q(-1), Q(1)),
        (sp.sqrt(X - 2) + 5, Q(0), Q(1)),
        (sp.sqrt(X - 2) + 5, Q(1), Q(3)),
    ],
)
def test_nothing_is_certified_where_the_expression_is_undefined(expression, low, high):
    result = certify_by_taylor_forms(expression, {X: (low, high)}, most_boxes=60)
    assert result.undecided
    assert not result.certified


def test_what_has_no_rule_is_said():
    for expression in (sp.Abs(X), sp.pi * X, sp.Max(X, 1), X**Y, Y):
        with pytest.raises(NotEnclosable, match="no Taylor form for"):
            taylor_form([expression], {X: (Q(1), Q(2))})


# --- branch and bound -----------------------------------------------------------------------------

LINE = {X: (Q(0), Q(1))}
SQUARE = {**LINE, Y: (Q(0), Q(1))}
BOWL = X**2 - X * Y + Y**2 - X / 2 - Y / 2  # least at (1/2, 1/2): −1/4
VALLEY = X**4 - X**2  # least at 1/√2: −1/4


def test_a_true_polynomial_is_certified():
    for expression, box in ((BOWL + Q(3, 10), SQUARE), (VALLEY + Q(2501, 10000), LINE)):
        result = certify_by_taylor_forms(expression, box)
        assert result.certified
        assert result.boxes > 1


@pytest.mark.parametrize(
    ("expression", "box"),
    [
        (X - Y - 2 + X * Y, SQUARE),
        (X - Q(1, 2), LINE),
        (X**2 + X * Y + sp.exp(Y) - Q(10, 9), SQUARE),
    ],
)
def test_a_false_one_has_a_negative_box(expression, box):
    result = certify_by_taylor_forms(expression, box)
    assert not result.certified
    (found,) = result.negative
    for corner in product(*found):
        assert all(0 <= x <= 1 for x in corner)
        assert expression.subs(dict(zip(box, corner, strict=True))) < 0


@pytest.mark.parametrize("dip", [Q(0), Q(1, 2**45), Q(1, 2**80)])
def test_touching_zero_stays_undecided(dip):
    touching = X**2 - 2 * X / 3 + Q(1, 9) - dip
    result = certify_by_taylor_forms(touching, {X: (Q(0), Q(1))})
    assert result.undecided
    assert not result.certified
    ((low, high),) = result.undecided[0]
    near = Q(1, 2**14)
    assert high - low <= near
    assert low - near <= Q(1, 3) <= high + near


def test_no_budget_is_no_pass():
    none = certify_by_taylor_forms(sp.S.One, {X: (Q(0), Q(1))}, most_boxes=0)
    assert none.undecided
    assert not none.certified
    few = certify_by_taylor_forms(BOWL + Q(3, 10), SQUARE, most_boxes=2)
    assert few.undecided
    assert not few.certified


@pytest.mark.parametrize("box", [{}, {X: (Q(1), Q(0))}, {X: (Q(0), Q(1)), Y: (Q(2), Q(1))}])
def test_an_empty_box_is_refused(box):
    with pytest.raises(ValueError, match="is empty: every interval needs low <= high"):
        certify_by_taylor_forms(sp.S.One, box)


def test_a_degenerate_box_is_a_point():
    one = {X: (Q(1), Q(1))}
    assert certify_by_taylor_forms(X - 1, one).certified
    assert certify_by_taylor_forms(X - 2, one).negative == (((Q(1), Q(1)),),)
