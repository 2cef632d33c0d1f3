"""Claims at points: enclosures, quadrature or sampling, each with its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp
from flint import arb

from numerics.replicates import QUANTITIES
from proofs_check.enclosure import enclose, is_negative, is_nonnegative
from proofs_check.feature_quantities import models_drawn
from proofs_check.gap_quantities import models_refitted
from proofs_check.measurement import (
    PRECISION,
    balls,
    conclusion_at,
    measure,
    radius_excess,
    replicates,
    sides,
)
from proofs_check.number import Method, Number
from proofs_check.point import Point
from proofs_check.provers.symbolic import is_identically_zero
from proofs_check.sampling import Sample
from proofs_check.sgd_quantities import pairs_drawn
from theory.claim import Claim
from theory.quantities import symbol

#: An equation counts as supported when both sides agree to this fraction, and not before: a
#: difference of a twentieth must be visible.
RESOLUTION = 0.05

#: How many times the replicates are multiplied when the first draw leaves a claim open.
_MORE = 8


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """What a claim comes to at one point: ``holds`` is None where the errors leave it open.

    ``exact`` says that both sides are the same expression, so that no number was needed.
    """

    point: Point
    holds: bool | None
    lhs: Number | None
    rhs: Number | None
    slack: Number | None
    method: Method
    how: str
    exact: bool = False

    def __str__(self) -> str:
        word = {True: "holds", False: "fails", None: "open"}[self.holds]
        return f"{word} at {self.point}: lhs {self.lhs}, rhs {self.rhs} ({self.how})"


def meets_hypotheses(claim: Claim, point: Point) -> bool:
    """Whether the claim's formal hypotheses hold at a point; what can't be decided does not.

    A point outside the case's own domain, such as N = -1, meets none.
    """
    given = dict(point.values)
    if not all(p.domain.contains(given[p.name]) for p in point.law.parameters):
        return False
    if "ball" in claim.parameters and radius_excess(point):
        return False
    values = point.substitutions()
    for hypothesis in claim.statement.hypotheses:
        slack = hypothesis.slack.subs(values)
        if not slack.is_Rational:
            return False
        holds = {"=": slack == 0, "<=": slack >= 0, "<": slack > 0}[hypothesis.op]
        if not bool(holds):
            return False
    return True


def answer_once(claim: Claim, point: Point, *, effort: str, seed: int) -> PointAnswer:
    """Evaluate a claim at a point; sampling may leave it open."""
    return _answer(claim, point, effort, seed, 1)


def answer_at(claim: Claim, point: Point, *, effort: str, seed: int) -> PointAnswer:
    """Evaluate a claim at a point; sampling that leaves it open is done once more, with more."""
    answer = _answer(claim, point, effort, seed, 1)
    if answer.holds is None and answer.method is Method.SAMPLING:
        return _answer(claim, point, effort, seed, _MORE)
    return answer


def _answer(claim: Claim, point: Point, effort: str, seed: int, more: int) -> PointAnswer:
    numbers = measure(point, claim.quantity_names, effort=effort, seed=seed, more=more)
    sampled = any(
        number.method is Method.SAMPLING and name in QUANTITIES for name, number in numbers.items()
    )
    law_alone = point.without_claim
    sample = replicates(law_alone, effort=effort, seed=seed, more=more) if sampled else None
    if claim.statement.conclusion.op != "<" and _same_expression(claim, point):
        lhs, rhs, slack = sides(claim, point, numbers)
        how = "both sides are the same expression"
        return PointAnswer(point, True, lhs, rhs, slack, Method.ENCLOSURE, how, exact=True)
    answer = decide(claim, point, numbers, sample)
    if answer.method is Method.SAMPLING and sample is None:
        return replace(answer, how=_drawn(point, effort, more))
    return answer


def _drawn(point: Point, effort: str, more: int) -> str:
    """Say how much was sampled at a point."""
    if "sgd" in point.law.properties:
        return pairs_drawn(point, effort, more)
    if "gap-filling" in point.law.properties:
        return models_refitted(effort, more)
    return models_drawn(point, effort, more)


def decide(
    claim: Claim, point: Point, numbers: Mapping[str, Number], sample: Sample | None = None
) -> PointAnswer:
    """Decide a claim at a point from numbers; ``sample`` pairs those that were sampled."""
    lhs, rhs, slack = sides(claim, point, numbers)
    methods = {number.method for number in numbers.values()}
    method = next(
        (m for m in (Method.SAMPLING, Method.QUADRATURE) if m in methods), Method.ENCLOSURE
    )
    difference = _difference(claim, point, numbers, sample)
    holds: bool | None
    if claim.statement.conclusion.op == "=":
        holds, slack = _equal(difference, lhs, rhs), None
    elif claim.statement.conclusion.op == "<":  # a difference of zero breaks it
        holds = True if is_negative(-difference) else False if is_nonnegative(-difference) else None
    else:
        holds = True if is_nonnegative(difference) else False if is_negative(difference) else None
        if holds and slack is not None and slack.value - slack.error < 1:
            slack = None  # decided by paired replicates; the unpaired ratio says less
    how = method.value if sample is None else sample.how
    return PointAnswer(point, holds, lhs, rhs, slack, method, how)


def _same_expression(claim: Claim, point: Point) -> bool:
    """Whether the closed forms make both sides equal term by term, for any schedule and τ."""
    forms = point.law.quantities(dict(point.values))
    if not set(claim.quantity_names) <= set(forms):
        return False
    # what the forms hold as symbols, such as a claim's own parameters, stays a symbol on both sides
    held = set().union(*(sp.sympify(form).free_symbols for form in forms.values()))
    exact = {s: v for s, v in point.substitutions().items() if v.is_Rational and s not in held}
    slack = claim.statement.conclusion.slack.xreplace(exact)
    # xreplace, not subs: it does not walk through the forms, which may be long
    written = slack.xreplace({symbol(n): sp.sympify(form) for n, form in forms.items()})
    return is_identically_zero(written)


def _equal(difference: arb, lhs: Number | None, rhs: Number | None) -> bool | None:
    if not difference.is_finite() or lhs is None or rhs is None:
        return None
    if difference != 0:
        return False
    # a side that is not known itself is no scale to measure a paired difference by
    scale = max((abs(s.value) for s in (lhs, rhs) if s.error <= abs(s.value) / 4), default=0.0)
    return True if float(abs(difference).upper()) <= RESOLUTION * scale else None


def _difference(
    claim: Claim, point: Point, numbers: Mapping[str, Number], sample: Sample | None
) -> arb:
    """Enclose rhs - lhs; where it is linear in sampled quantities, from paired replicates."""
    exact = {s: v for s, v in point.substitutions().items() if v.is_Rational}
    slack = conclusion_at(claim, point).slack.subs(exact)
    environment = balls(point, numbers)
    if not slack.free_symbols <= set(environment):
        return arb("nan")
    # only what the replicates hold can be paired
    sampled = {
        n: symbol(n)
        for n, number in numbers.items()
        if number.method is Method.SAMPLING and n in QUANTITIES
    }
    linear = _linear_coefficients(slack, list(sampled.values()))
    if sample is None or linear is None:
        return enclose(slack, environment, precision=PRECISION)
    rest, coefficients = linear
    named = {name: float(coefficients[s]) for name, s in sampled.items() if coefficients[s] != 0}
    mean, width = sample.combination(named) if named else (0.0, 0.0)
    return enclose(rest, environment, precision=PRECISION) + arb(mean, width)


def _linear_coefficients(
    expression: sp.Expr, unknowns: list[sp.Symbol]
) -> tuple[sp.Expr, dict[sp.Symbol, sp.Rational]] | None:
    """Write an expression as rest + Σ rational · unknown; None if it is not of that form."""
    expanded = sp.expand(expression)
    coefficients = {u: expanded.coeff(u) for u in unknowns}
    rest = sp.expand(expanded - sp.Add(*(c * u for u, c in coefficients.items())))
    if rest.has(*unknowns) or not all(c.is_Rational for c in coefficients.values()):
        return None
    return rest, coefficients
