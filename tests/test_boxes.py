"""Branch and bound: a pass means every point of the box, and nothing else is a pass."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.enclosure import NotEnclosable
from proofs_check.provers.boxes import certify_nonnegative
from theory.operators import GaussianExpectation

X, Y, Z = sp.symbols("x y z", real=True)
P = sp.Symbol("p", nonnegative=True)


def _box(*pairs):
    return [(sp.Rational(low), sp.Rational(high)) for low, high in pairs]


SMALL = st.builds(sp.Rational, st.integers(-8, 8), st.integers(1, 4))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(SMALL, min_size=4, max_size=4), SMALL, st.builds(sp.Rational, st.integers(1, 8)))
def test_the_answer_on_a_cubic_agrees_with_its_exact_minimum(coefficients, low, width):
    cubic = sp.Add(*(c * X**k for k, c in enumerate(coefficients)))
    high = low + width
    result = certify_nonnegative(cubic, [X], [(low, high)], most_boxes=400)
    slope = sp.diff(cubic, X)
    turns = sp.Poly(slope, X).real_roots() if slope.has(X) else []
    inside = [turn for turn in turns if low <= turn <= high]
    least = sp.Min(*(cubic.subs(X, point) for point in (low, high, *inside)))
    if result.certified:
        assert least >= 0
    if result.negative:
        ((left, right),) = result.negative[0]
        assert low <= left <= right <= high
        assert cubic.subs(X, (left + right) / 2) < 0
    # exactly one of: certified, negative somewhere, undecided somewhere
    assert result.certified + bool(result.negative) + bool(result.undecided) == 1
    if least > sp.Rational(1, 100):
        assert result.certified


@pytest.mark.parametrize(
    "dip", [sp.Rational(1, 2**20), sp.Rational(1, 2**45), sp.Rational(1, 2**80)]
)
def test_a_dip_far_below_the_working_precision_is_not_passed(dip):
    # the minimum -dip sits at a third, which no bisection point hits
    result = certify_nonnegative((X - sp.Rational(1, 3)) ** 2 - dip, [X], _box((0, 1)))
    assert not result.certified


def test_a_zero_inside_is_passed_only_where_the_form_shows_it():
    assert certify_nonnegative(X**2, [X], _box((-1, 1))).boxes > 0
    touching = certify_nonnegative(X**2 - 2 * X + 1, [X], _box((0, sp.Rational(7, 3))))
    assert not touching.negative


def test_two_variables():
    saddle = X**2 - X * Y + Y**2 + sp.Rational(1, 10)
    assert certify_nonnegative(saddle, [X, Y], _box((-1, 1), (-1, 1))).certified
    lower = saddle - sp.Rational(2, 10)
    assert not certify_nonnegative(lower, [X, Y], _box((-1, 1), (-1, 1))).certified
    ((a, b), (c, d)) = certify_nonnegative(lower, [X, Y], _box((0, 1), (0, 1))).negative[0]
    assert lower.subs({X: (a + b) / 2, Y: (c + d) / 2}) < 0


@pytest.mark.parametrize("box", [[], _box((1, 0)), _box((0, 1), (1, 0))])
def test_an_empty_box_is_refused(box):
    variables = [X, Y][: len(box)]
    with pytest.raises(ValueError, match="empty"):
        certify_nonnegative(sp.S.One, variables, box)


def test_boxes_and_variables_must_match():
    with pytest.raises(ValueError, match="zip"):
        certify_nonnegative(X + Y, [X, Y], _box((0, 1)))
    with pytest.raises(NotEnclosable):
        certify_nonnegative(X + Y, [X], _box((0, 1)))


def test_no_budget_is_no_pass():
    none = certify_nonnegative(sp.S.One, [X], _box((0, 1)), most_boxes=0)
    assert not none.certified
    assert none.undecided
    few = certify_nonnegative(X**2 - X + sp.Rational(26, 100), [X], _box((0, 1)), most_boxes=2)
    assert not few.certified
    assert few.undecided


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        (sp.log(X) + 10, -3, -1),  # the derivative 1/x is fine there, the logarithm is not
        (sp.log(X) + 100, 0, 1),
        (sp.sqrt(X), -1, 1),
        (X ** sp.Rational(3, 2) + 1, -1, 1),
        (1 / X**2, -1, 1),
        (sp.sqrt(X - 2) + 5, 0, 1),
    ],
)
def test_where_the_expression_is_undefined_nothing_is_certified(expression, low, high):
    result = certify_nonnegative(expression, [X], _box((low, high)), most_boxes=60)
    assert not result.certified
    assert not result.negative


def test_where_only_the_derivative_is_undefined_the_plain_enclosure_serves():
    assert certify_nonnegative(sp.sqrt(P), [P], _box((0, 1))).certified
    assert certify_nonnegative(1 - sp.sqrt(P) / 2, [P], _box((0, 1))).certified
    assert not certify_nonnegative(sp.sqrt(P) - P - sp.Rational(1, 9), [P], _box((0, 1))).certified


def test_a_box_outside_the_symbols_domain_is_not_certified():
    assert not certify_nonnegative(sp.sqrt(P) + 1, [P], _box((-2, -1)), most_boxes=20).certified


def test_a_degenerate_box_is_a_point():
    assert certify_nonnegative(X - 1, [X], _box((1, 1))).certified
    assert certify_nonnegative(X - 2, [X], _box((1, 1))).negative


def test_gaussian_expectations_on_a_box():
    # E (X - tanh Z)² = x² + E tanh², and E tanh(Z)² = 0.3943…
    mean = GaussianExpectation((X - sp.tanh(Z)) ** 2, Z)
    assert certify_nonnegative(mean - sp.Rational(394, 1000), [X], _box((-1, 1))).certified
    below = certify_nonnegative(mean - sp.Rational(395, 1000), [X], _box((0, 1)))
    ((low, high),) = below.negative[0]
    assert max(abs(low), abs(high)) < sp.Rational(1, 10)
