"""Points where a statement about real numbers fails, or where its hypotheses are met.

Trial points and the solver only propose; each point is checked exactly or by enclosure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import sympy as sp
from flint import arb

from proofs_check.enclosure import NotEnclosable, enclose, exact_ball
from proofs_check.provers.polynomial import NotPolynomial, System, radicands, system_of
from theory.claim import Relation, Statement

_NASTY = tuple(
    sp.Rational(p, q) for p, q in ((0, 1), (1, 1), (-1, 1), (4, 1), (1, 4), (-9, 4), (9, 1), (2, 1))
)
_MOST_TRIALS = 4000
_PRECISION = 128


def find_witness(statement: Statement) -> str | None:
    """Look for a point that meets the hypotheses and breaks the conclusion, rigorously.

    Square roots of negative numbers in the conclusion break it too.
    """
    symbols = sorted(statement.free_symbols, key=str)
    for values in _trial_points(statement, symbols):
        if not all(_holds(h, values) for h in statement.hypotheses):
            continue
        if _fails(statement.conclusion, values):
            where = ", ".join(f"{s}={v}" for s, v in values.items())
            left, right = (_shown(e, values) for e in _sides(statement.conclusion))
            return f"{where}: lhs {left}, rhs {right}"
    return None


def _trial_points(
    statement: Statement, symbols: Sequence[sp.Symbol]
) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """Yield points to try: the nasty ones, always the same, and then what the solver finds."""
    yield from _nasty_points(symbols)
    yield from _z3_points(statement, symbols)


def satisfied_somewhere(statement: Statement) -> str | None:
    """Name a checked point where the hypotheses are met and the conclusion is defined."""
    symbols = sorted(statement.free_symbols, key=str)
    anything = replace(statement, conclusion=Relation(sp.S.One, "<=", sp.S.Zero))
    for values in _trial_points(anything, symbols):
        if all(_holds(h, values) for h in statement.hypotheses) and _is_defined(
            statement.conclusion, values
        ):
            return "hypotheses met, for one, at " + ", ".join(f"{s}={v}" for s, v in values.items())
    return None


def _sides(relation: Relation) -> tuple[sp.Expr, sp.Expr]:
    return relation.lhs, relation.rhs


def _shown(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> str:
    ball = _evaluate(expression, values)
    if ball.is_finite():
        return f"= {ball.str(12, radius=False)}"
    return f"= {expression.subs(values)}, not a real number"


def _evaluate(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> arb:
    environment = {symbol: exact_ball(value) for symbol, value in values.items()}
    try:
        return enclose(expression, environment, precision=_PRECISION)
    except (NotEnclosable, ZeroDivisionError):
        return arb("nan")


def _is_defined(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    """Whether both sides are real numbers: no root of a negative number, no division by zero."""
    if any(radicand.subs(values).is_negative for radicand in radicands(relation)):
        return False
    return not any(side.subs(values).has(sp.zoo, sp.nan) for side in _sides(relation))


def _holds(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    if not _is_defined(relation, values):
        return False
    slack = relation.slack.subs(values)
    if relation.op == "=":
        return bool(slack == 0)
    if slack == 0:
        return relation.op == "<="
    ball = _evaluate(relation.slack, values)
    return bool(ball.is_finite() and ball > 0)


def _fails(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    if not _is_defined(relation, values):
        return True
    slack = _evaluate(relation.slack, values)
    if not slack.is_finite():
        return False
    if relation.op == "<" and relation.slack.subs(values) == 0:
        return True
    return bool(slack < 0) or (relation.op == "=" and bool(slack != 0))


def _may_be(symbol: sp.Symbol, value: sp.Rational) -> bool:
    """Whether a value contradicts none of the symbol's own assumptions."""
    facts = symbol.assumptions0.items()
    return all(getattr(value, f"is_{fact}", truth) in (truth, None) for fact, truth in facts)


def _nasty_points(symbols: Sequence[sp.Symbol]) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    choices = [[v for v in _NASTY if _may_be(s, v)] for s in symbols]
    total = 1
    for choice in choices:
        total *= len(choice)
    if total <= _MOST_TRIALS:
        for values in product(*choices):
            yield dict(zip(symbols, values, strict=True))
        return
    pick = Random(0)
    for _ in range(_MOST_TRIALS):
        yield {s: pick.choice(choice) for s, choice in zip(symbols, choices, strict=True)}


def _z3_points(
    statement: Statement, symbols: Sequence[sp.Symbol]
) -> list[dict[sp.Symbol, sp.Rational]]:
    """Ask z3 for a counterexample; rational ones come back as points, to be checked like others."""
    import z3

    try:
        system = system_of(statement)
    except NotPolynomial:
        return []
    solver, goal = _constraints(system, milliseconds=2000)
    names = _z3_names(system)
    if system.goal_is_equation:
        solver.add(goal != 0)
    else:
        solver.add(goal <= 0 if statement.conclusion.op == "<" else goal < 0)
    if solver.check() != z3.sat:
        return []
    model = solver.model()
    found = {}
    root_of = dict(zip(system.radicands, system.roots, strict=True))
    for symbol in symbols:
        source = names.get(symbol)
        root = names.get(root_of.get(symbol))
        if source is None and root is None:
            return []
        value = model.eval(source if source is not None else root, model_completion=True)
        if not z3.is_rational_value(value):
            return []
        exact = sp.Rational(value.numerator_as_long(), value.denominator_as_long())
        found[symbol] = exact if source is not None else exact**2
    return [found] if all(_may_be(s, value) for s, value in found.items()) else []


def solver_opinion(system: System) -> str:
    """Say what z3 makes of the negated goal; an opinion, never a proof."""
    solver, goal = _constraints(system, milliseconds=5000)
    solver.add(goal < 0)
    return f"z3 on the negation: {solver.check()} (not trusted)"


def _z3_names(system: System) -> dict[sp.Symbol, Any]:
    import z3

    return {v: z3.Real(f"v{k}") for k, v in enumerate(system.variables)}


def _constraints(system: System, *, milliseconds: int) -> tuple[Any, Any]:
    """Return a solver that holds the system's hypotheses, and its goal."""
    import z3

    names = _z3_names(system)
    solver = z3.Solver()
    solver.set("timeout", milliseconds)
    solver.add(*(_to_z3(g, names) >= 0 for g in system.nonnegative))
    solver.add(*(_to_z3(g, names) > 0 for g in system.positive))
    solver.add(*(_to_z3(e, names) == 0 for e in system.equations))
    return solver, _to_z3(system.goal, names)


def _to_z3(polynomial: sp.Expr, names: dict[sp.Symbol, Any]) -> Any:
    import z3

    total = z3.RealVal(0)
    variables = tuple(names)
    if not variables:
        return z3.Q(int(polynomial.p), int(polynomial.q))
    for powers, coefficient in sp.Poly(polynomial, *variables).terms():
        term = z3.Q(int(coefficient.p), int(coefficient.q))
        for variable, power in zip(variables, powers, strict=True):
            for _ in range(power):
                term = term * names[variable]
        total = total + term
    return total
