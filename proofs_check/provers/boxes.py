"""Branch and bound: an expression is nonnegative at every point of a box, by enclosure.

On each box the expression is enclosed in its mean-value form, f(c) + f'(box)·(box - c), whose
excess width falls with the square of the box, and the box is halved until the sign is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from flint import arb

from proofs_check.enclosure import enclose, enclose_all, exact_ball, is_negative, is_nonnegative

_PRECISION = 44
_COARSE = 1e-1
_FINE = 1e-6

#: A box as narrow as this with an open sign stays open: halving on would not end at a zero.
_LEAST_WIDTH = sp.Rational(1, 2**24)

Interval = tuple[sp.Rational, sp.Rational]


@dataclass(frozen=True, slots=True)
class BoxResult:
    """What branch and bound found.

    ``undecided`` and ``negative`` are boxes on which the sign stayed open, or is negative
    throughout; the expression is nonnegative on the whole box when both are empty.
    """

    boxes: int
    undecided: tuple[tuple[Interval, ...], ...]
    negative: tuple[tuple[Interval, ...], ...]

    @property
    def certified(self) -> bool:
        """Whether every point of the box was covered."""
        return self.boxes > 0 and not self.undecided and not self.negative


def certify_nonnegative(
    expression: sp.Expr,
    variables: Sequence[sp.Symbol],
    box: Sequence[Interval],
    *,
    most_boxes: int = 2000,
) -> BoxResult:
    """Show that an expression is nonnegative on a box, or say where not.

    Stops at the first box on which it is negative throughout, or when ``most_boxes`` have been
    looked at; the rest is then undecided.

    Raises
    ------
    ValueError
        If an interval is empty: an empty domain is never a pass.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> unit = (sp.Integer(0), sp.Integer(1))
    >>> certify_nonnegative(x**2 - x + sp.Rational(3, 10), [x], [unit]).certified
    True
    """
    if not box or any(low > high for low, high in box):
        raise ValueError(f"the box {box} is empty: every interval needs low <= high")
    gradient = [sp.diff(expression, variable) for variable in variables]
    todo: list[tuple[Interval, ...]] = [tuple(box)]
    looked_at = 0
    while todo:
        if looked_at >= most_boxes:
            return BoxResult(looked_at, tuple(todo), ())
        current = todo.pop()
        looked_at += 1
        value = _enclose_on(expression, gradient, variables, current)
        if is_nonnegative(value):
            continue
        if is_negative(value):
            return BoxResult(looked_at, (), (current,))
        widest = max(range(len(current)), key=lambda k: current[k][1] - current[k][0])
        low, high = current[widest]
        if high - low <= _LEAST_WIDTH:
            return BoxResult(looked_at, (current, *todo), ())
        middle = (low + high) / 2
        for half in ((middle, high), (low, middle)):
            todo.append((*current[:widest], half, *current[widest + 1 :]))
    return BoxResult(looked_at, (), ())


def _enclose_on(
    expression: sp.Expr,
    gradient: Sequence[sp.Expr],
    variables: Sequence[sp.Symbol],
    box: Sequence[Interval],
) -> arb:
    wide = {
        v: exact_ball(low).union(exact_ball(high))
        for v, (low, high) in zip(variables, box, strict=True)
    }
    slopes = enclose_all(gradient, wide, precision=_PRECISION, integral_tolerance=_COARSE)
    if not all(slope.is_finite() for slope in slopes):
        return enclose(expression, wide, precision=_PRECISION, integral_tolerance=_COARSE)
    centre = {
        v: exact_ball((low + high) / 2) for v, (low, high) in zip(variables, box, strict=True)
    }
    value = enclose(expression, centre, precision=_PRECISION, integral_tolerance=_FINE)
    for variable, slope in zip(variables, slopes, strict=True):
        value += slope * (wide[variable] - centre[variable])
    return value
