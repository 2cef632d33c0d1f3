"""First-order Taylor forms: enclosures on boxes that remember how results move together.

On a box with centre c and half-widths h an expression is written as f(c) + Σ slope_i ξ_i + rest,
where ξ_i in [−1, 1] is the place within the box. Long recursions stay narrow: what is linear
cancels exactly, and only the rest, of second order, is an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, ctx, fmpq

from proofs_check.ball_program import NotEnclosable, parts_first
from proofs_check.enclosure import exact_ball
from theory.operators import Kept

_UNIT = arb(0, 1)
Box = Mapping[sp.Symbol, tuple[sp.Rational, sp.Rational]]


@dataclass(frozen=True, slots=True)
class TaylorForm:
    """A set of functions on a box: centre + Σ slope_i ξ_i + anything within rest."""

    centre: arb
    slopes: tuple[arb, ...]
    rest: arb

    @property
    def linear(self) -> arb:
        """The range of the linear part."""
        return sum((abs(slope).upper() for slope in self.slopes), arb(0)) * _UNIT

    @property
    def range(self) -> arb:
        """A ball that contains every value on the box."""
        return self.centre + self.linear + self.rest


def taylor_form(
    expressions: Sequence[sp.Expr], box: Box, *, precision: int = 64
) -> tuple[arb, ...]:
    """Enclose expressions on a box; an expression undefined somewhere gives a ball not finite.

    Raises
    ------
    NotEnclosable
        If some node has no rule, or a symbol no interval.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> (ball,) = taylor_form([x**2 - x], {x: (sp.Integer(1), sp.Integer(2))})
    >>> bool(ball > -1) and bool(ball < 3)
    True
    """
    program = _compiled(tuple(expressions), tuple(box))
    with ctx.workprec(precision):
        forms: list[TaylorForm] = []
        for position, (low, high) in enumerate(box.values()):
            half = exact_ball((high - low) / 2)
            slopes = tuple(half if k == position else arb(0) for k in range(len(box)))
            forms.append(TaylorForm(exact_ball((low + high) / 2), slopes, arb(0)))
        for rule, arguments in program.instructions:
            forms.append(rule(len(box), [forms[k] for k in arguments]))
        return tuple(forms[k].range for k in program.outputs)


Rule = Callable[[int, list[TaylorForm]], TaylorForm]


@dataclass(frozen=True, slots=True)
class _Program:
    instructions: tuple[tuple[Rule, tuple[int, ...]], ...]
    outputs: tuple[int, ...]


@lru_cache(maxsize=32)
def _compiled(expressions: tuple[sp.Expr, ...], inputs: tuple[sp.Symbol, ...]) -> _Program:
    """Write expressions as a straight line of rules; shared nodes are computed once."""
    slots: dict[sp.Basic, int] = {symbol: k for k, symbol in enumerate(inputs)}
    instructions: list[tuple[Rule, tuple[int, ...]]] = []

    for node in parts_first(expressions, slots):
        rule, parts = _rule(node)
        instructions.append((rule, tuple(slots[part] for part in parts)))
        slots[node] = len(inputs) + len(instructions) - 1
    return _Program(tuple(instructions), tuple(slots[e] for e in expressions))


def _rule(node: sp.Basic) -> tuple[Rule, tuple[sp.Basic, ...]]:
    if isinstance(node, sp.Rational):
        exact = fmpq(int(node.p), int(node.q))
        return (lambda count, _: TaylorForm(arb(exact), (arb(0),) * count, arb(0))), ()
    if isinstance(node, Kept):
        return (lambda _, parts: parts[0]), node.args
    if isinstance(node, sp.Add):
        return _add, node.args
    if isinstance(node, sp.Mul):
        return _multiply, node.args
    if isinstance(node, sp.exp):
        return _smooth(arb.exp, arb.exp, arb.exp), node.args
    if isinstance(node, sp.log):
        return _smooth(arb.log, lambda x: 1 / x, lambda x: -1 / x**2), node.args
    if isinstance(node, sp.Pow) and node.exp.is_Rational:
        return _power(node.exp), (node.base,)
    raise NotEnclosable(f"no Taylor form for {node}")


def _add(_: int, parts: list[TaylorForm]) -> TaylorForm:
    return TaylorForm(
        sum((part.centre for part in parts), arb(0)),
        tuple(sum(slopes, arb(0)) for slopes in zip(*(part.slopes for part in parts), strict=True)),
        sum((part.rest for part in parts), arb(0)),
    )


def _multiply(_: int, parts: list[TaylorForm]) -> TaylorForm:
    product = parts[0]
    for factor in parts[1:]:
        a, b = product.centre, factor.centre
        mine, others = product.linear, factor.linear
        slopes = zip(product.slopes, factor.slopes, strict=True)
        product = TaylorForm(
            a * b,
            tuple(a * y + b * x for x, y in slopes),
            mine * others + product.rest * (b + others + factor.rest) + factor.rest * (a + mine),
        )
    return product


def _power(exponent: sp.Rational) -> Rule:
    if exponent.is_Integer:
        n = int(exponent)
        return _smooth(
            lambda x: _whole_power(x, n),
            lambda x: n * _whole_power(x, n - 1),
            lambda x: n * (n - 1) * _whole_power(x, n - 2),
        )
    p = fmpq(int(exponent.p), int(exponent.q))

    def power(x: arb, q: fmpq) -> arb:
        return x ** arb(q) if x > 0 else arb("nan")

    return _smooth(
        lambda x: power(x, p),
        lambda x: arb(p) * power(x, p - 1),
        lambda x: arb(p) * arb(p - 1) * power(x, p - 2),
    )


def _smooth(
    value: Callable[[arb], arb], slope: Callable[[arb], arb], curvature: Callable[[arb], arb]
) -> Rule:
    """Return the rule of a smooth function: Taylor's formula with the remainder on the range."""

    def rule(_: int, parts: list[TaylorForm]) -> TaylorForm:
        (inner,) = parts
        change = inner.linear + inner.rest
        first = slope(inner.centre)
        second = curvature(inner.centre + change) / 2
        return TaylorForm(
            value(inner.centre),
            tuple(first * part for part in inner.slopes),
            first * inner.rest + second * _square(change),
        )

    return rule


def _square(x: arb) -> arb:
    largest = abs(x).upper()
    return arb(0).union(largest * largest)


def _whole_power(x: arb, n: int) -> arb:
    """Return x^n; the library's power is undefined on balls around zero."""
    result = arb(1)
    for _ in range(abs(n)):
        result *= x
    return result if n >= 0 else 1 / result
