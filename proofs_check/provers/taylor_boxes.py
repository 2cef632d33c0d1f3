"""Branch and bound with Taylor forms: for long recursions, such as a sampler's law.

What is undecided is halved along the variable that narrows the enclosure most.
"""

from __future__ import annotations

import math

import sympy as sp

from proofs_check.enclosure import is_negative, is_nonnegative
from proofs_check.provers.boxes import BoxResult, Interval
from proofs_check.taylor_form import Box, taylor_form

#: A box as narrow as this in every variable stays open: halving on would not end at a zero.
_LEAST_WIDTH = sp.Rational(1, 2**16)


def certify_by_taylor_forms(expression: sp.Expr, box: Box, *, most_boxes: int = 4000) -> BoxResult:
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
    >>> unit = {x: (sp.Integer(0), sp.Integer(1))}
    >>> certify_by_taylor_forms(x**2 - x + sp.Rational(3, 10), unit).certified
    True
    """
    if not box or any(low > high for low, high in box.values()):
        raise ValueError(f"the box {dict(box)} is empty: every interval needs low <= high")
    todo, stuck, looked_at = [dict(box)], list[tuple[Interval, ...]](), 0
    while todo:
        if looked_at >= most_boxes:
            left = [tuple(b.values()) for b in todo]
            return BoxResult(looked_at, (*stuck, *left), ())
        current = todo.pop()
        looked_at += 1
        (value,) = taylor_form((expression,), current)
        if is_nonnegative(value):
            continue
        if is_negative(value):
            return BoxResult(looked_at, (), (tuple(current.values()),))
        splittable = [v for v, (low, high) in current.items() if high - low > _LEAST_WIDTH]
        if not splittable:
            stuck.append(tuple(current.values()))
            continue
        halves = {variable: _halves(current, variable) for variable in splittable}
        if len(splittable) > 1:
            looked_at += len(splittable)
        best = min(splittable, key=lambda v: _width(expression, halves[v][0], current[v]))
        todo += reversed(halves[best])
    return BoxResult(looked_at, tuple(stuck), ())


def _halves(box: Box, variable: sp.Symbol) -> tuple[dict[sp.Symbol, Interval], ...]:
    low, high = box[variable]
    middle = (low + high) / 2
    return {**box, variable: (low, middle)}, {**box, variable: (middle, high)}


def _width(expression: sp.Expr, half: Box, interval: Interval) -> tuple[float, float]:
    """Return the width on a half; where it is undefined, wide intervals are halved first."""
    (value,) = taylor_form((expression,), half)
    low, high = map(float, interval)
    relative = (high - low) / (abs(high) + abs(low) + 0.5)
    return (float(value.rad()) if value.is_finite() else math.inf), -relative
