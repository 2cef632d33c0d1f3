"""How loose Proposition 6 is: its largest solution for each c, and the sharper bounds beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from flint import arb

from proofs_check.enclosure import enclose
from proofs_check.law_integrals import add_one_numbers
from proofs_check.measurement import (
    balls,
    bounds_of_support,
    conclusion_at,
    noise_radius,
    radius_excess,
)
from proofs_check.number import Method, Number, to_ball, to_number
from proofs_check.point import Point
from theory import claims
from theory.cases.case import Geometry
from theory.quantities import symbol

CLAIM = "farghly2026.proposition-6"

#: The exponents among which the best is looked for.
EXPONENTS = tuple(sp.Rational(k, 20) for k in range(1, 20))
#: What the columns are computed from, besides the quantities of the claim itself.
INGREDIENTS = ("packing_first", "packing_second", "E_own_change", "E_other_change")

#: The exponents that tables show.
SHOWN_EXPONENTS = (sp.Rational(1, 4), sp.Rational(1, 2), sp.Rational(3, 4))

_PRECISION = 64
#: Bisections of the logarithm: the largest solution is known to a millionth.
_BISECTIONS = 40
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class BestBound:
    """The least bound over c, with the radius of the balls that is best for it."""

    c: sp.Rational
    ball: sp.Rational
    bound: Number


def largest_solution(point: Point, numbers: Mapping[str, Number]) -> Number | None:
    """Return the largest ε_stab² that Proposition 6 allows, for the point's own c and ball.

    The right side is concave in ε_stab² and nonnegative at zero, so above the largest solution it
    stays below the diagonal; the upper end of the number returned is rigorous for the numbers
    given, as far as these are.

    Parameters
    ----------
    point
        With values of ``c`` and ``ball``.
    numbers
        C_sm and E ℓ̂_sm, each with its error.
    """
    if radius_excess(point):
        return None
    unknown = symbol("eps_stab_squared")
    known = {**numbers, **bounds_of_support(point)}
    environment = balls(point, {n: k for n, k in known.items() if n != unknown.name})
    bound = conclusion_at(claims.get(CLAIM), point).rhs
    if not bound.free_symbols <= set(environment) | {unknown}:
        return None

    def allows(candidate: float) -> bool:
        """Whether a solution as large as the candidate can't be excluded."""
        value = enclose(bound, {**environment, unknown: arb(candidate)}, precision=_PRECISION)
        return not value < candidate

    low, high = 1e-300, 1.0
    while allows(high):
        low, high = high, high * 1e3
        if high > _LARGEST:
            return None
    while low < high / 2 and not allows(high / 2):
        high /= 2
    low = max(low, high / 2)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if allows(middle):
            low = middle
        else:
            high = middle
    return Number(high, high - low, Method.QUADRATURE)


def best_bound(point: Point, numbers: Mapping[str, Number]) -> BestBound | None:
    """Return the least bound over `EXPONENTS`, each with the best radius of the balls."""
    found = []
    for c in EXPONENTS:
        ball = best_ball(point, c)
        bound = largest_solution(point.with_claim_values(c=c, ball=ball), numbers)
        if bound is not None:
            found.append(BestBound(c, ball, bound))
    return min(found, key=lambda best: best.bound.value, default=None)


def best_ball(point: Point, c: sp.Rational) -> sp.Rational:
    """Return the radius of the balls, in units of σ_ε/μ_ε, that makes the constant M least.

    M holds exp(c ball²/(2(1 − c))) ball^(−c d*), least at ball² = (1 − c) d*; balls larger than
    the lower mass is known for are cut. Where d* = 0 the least is at zero: a thousandth is taken.
    """
    geometry = geometry_of(point)
    best = sp.Rational(round(1000 * float(sp.sqrt((1 - c) * geometry.intrinsic_dimension))), 1000)
    best = max(best, sp.Rational(1, 1000))
    if geometry.radius_limit != sp.oo:
        limit = float(geometry.radius_limit) / noise_radius(point)
        best = min(best, sp.Rational(0.999999 * limit))  # exact, however small
    return best


def geometry_of(point: Point) -> Geometry:
    """Return the geometry of the point's law, which has to have a bounded support."""
    assert point.law.geometry is not None
    return point.law.geometry(dict(point.values))


def bound_columns(point: Point, numbers: Mapping[str, Number]) -> tuple[tuple[str, Number], ...]:
    """Return what a table of Proposition 6 shows beside both sides.

    For each of `SHOWN_EXPONENTS` the largest solution with balls of the best radius; the best c and
    its bound; for the empirical score the bounds by add-one changes and by packing; and the ratio
    of the best and of the sharper bound to ε_stab².
    """
    columns: list[tuple[str, Number | None]] = []
    for c in SHOWN_EXPONENTS:
        here = point.with_claim_values(c=c, ball=best_ball(point, c))
        columns.append((f"bound c={c}", largest_solution(here, numbers)))
    best = best_bound(point, numbers)
    if best is not None:
        columns += [("best c", Number(float(best.c), 0.0)), ("best bound", best.bound)]
    columns += list(sharper_columns(point, numbers))
    exact = numbers.get("eps_stab_squared")
    if exact is not None:
        for name, title in (("best bound", "best/ε²"), ("sharper", "sharper/ε²")):
            number = dict(columns).get(name)
            if number is not None:
                columns.append((title, ratio(number, exact)))
    return tuple((name, number) for name, number in columns if number is not None)


def sharper_columns(
    point: Point, numbers: Mapping[str, Number]
) -> Sequence[tuple[str, Number | None]]:
    """Return the bounds that hold for the empirical score only."""
    if "empirical-score" not in point.law.offers:
        return ()
    return (
        ("sharper", add_one_bound(point, numbers)),
        ("packing", packing_bound(point, numbers)),
    )


def add_one_bound(point: Point, numbers: Mapping[str, Number]) -> Number | None:
    """Return what farghly2026.empirical-stability-upper says, by quadrature where there is one."""
    changes = add_one_numbers(point.without_claim)
    if changes is not None:
        return changes["upper"]
    own, other = numbers.get("E_own_change"), numbers.get("E_other_change")
    if own is None or other is None:
        return None
    more = 1 + 2 / int(dict(point.values)["N"])
    error = more * own.error + other.error
    return Number(more * own.value + other.value, error, own.method)


def packing_bound(point: Point, numbers: Mapping[str, Number]) -> Number | None:
    """Return what farghly2026.empirical-stability-packing says of ε_stab²."""
    first, second = numbers.get("packing_first"), numbers.get("packing_second")
    if first is None or second is None:
        return None
    n = int(dict(point.values)["N"])
    value = ((n + 1) * second.value + first.value) / n
    return Number(value, ((n + 1) * second.error + first.error) / n, Method.QUADRATURE)


def ratio(over: Number, under: Number) -> Number | None:
    """Return a quotient of two positive numbers with its error."""
    return to_number(to_ball(over) / to_ball(under), under.method) if under.value > 0 else None
