"""Points where a statement about real numbers fails, or where its hypotheses are met.

Trial points and the solver only propose; each point is checked exactly or by enclosure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from math import prod
from random import Random
from typing import Any

import sympy as sp
from flint import arb, ctx

from proofs_check.enclosure import NotEnclosable, enclose_all, exact_ball
from proofs_check.provers.polynomial import NotPolynomial, System, system_of
from theory.claim import Relation, Statement

_NASTY = tuple(
    sp.Rational(p, q) for p, q in ((0, 1), (1, 1), (-1, 1), (4, 1), (1, 4), (-9, 4), (9, 1), (2, 1))
)
_MORE = tuple(
    sp.Rational(p, q)
    for p, q in (
        *((1, 1), (0, 1), (1, 100), (2, 1), (1, 2), (3, 4), (3, 2), (4, 1), (1, 4)),
        *((9, 1), (-1, 1), (-1, 2), (1, 16), (3, 1), (99, 100)),
    )
)
_MOST_TRIALS = 4000
_PRECISION = 128


def find_witness(statement: Statement) -> str | None:
    """Look for a point that meets the hypotheses and breaks the conclusion, rigorously.

    What is no real number in the conclusion breaks it too: the root of a negative number, the
    logarithm of a number that is not positive, a negative power of zero.
    """
    for trial in _trials(statement):
        if not trial.meets_hypotheses() or not _fails(trial.statement.conclusion, trial.values):
            continue
        left, right = (_shown(e, trial.values) for e in _sides(trial.statement.conclusion))
        return f"{trial}: lhs {left}, rhs {right}"
    return None


def satisfied_somewhere(statement: Statement) -> str | None:
    """Name a checked point where the hypotheses are met and the conclusion is defined."""
    anything = Relation(sp.S.One, "<=", sp.S.Zero)
    for trial in _trials(statement, sought=anything):
        if trial.meets_hypotheses() and trial.is_defined():
            return f"hypotheses met, for one, at {trial}"
    return None


@dataclass(frozen=True, slots=True)
class _Trial:
    """A point of a statement; ``bound`` are the symbols that were replaced, and by what."""

    statement: Statement
    values: dict[sp.Symbol, sp.Rational]
    bound: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def meets_hypotheses(self) -> bool:
        return all(_holds(h, self.values) for h in self.statement.hypotheses)

    def is_defined(self) -> bool:
        return _slack(self.statement.conclusion, self.values) is not None

    def __str__(self) -> str:
        return ", ".join(f"{s}={v}" for s, v in (*self.values.items(), *self.bound))


def _trials(statement: Statement, *, sought: Relation | None = None) -> Iterator[_Trial]:
    """Yield points to try: the nasty ones, what the solver finds, and then points between.

    Last, hypotheses that bound a symbol from above are met with equality, where a statement is
    nearest to breaking: the symbol is replaced, and takes values that need not be rational.
    """
    symbols = sorted(statement.free_symbols, key=str)
    solver_asks = statement if sought is None else replace(statement, conclusion=sought)
    for values in (*_nasty_points(symbols), *_z3_points(solver_asks, symbols)):
        yield _Trial(statement, values)
    if not _needs_more(statement):
        return
    for view, bound in dict.fromkeys((_tightened(statement), (statement, ()))):
        for values in _points_between(view):
            yield _Trial(view, values, bound)


def _needs_more(statement: Statement) -> bool:
    """Whether a statement holds what is neither a polynomial nor a square root, or many equations.

    Points picked blindly hardly ever meet three equations at once.
    """
    if sum(h.op == "=" for h in statement.hypotheses) >= 3:
        return True
    half = sp.Rational(1, 2)
    return any(
        node.func not in (sp.Add, sp.Mul, sp.Pow)
        or (isinstance(node, sp.Pow) and not node.exp.is_Integer and abs(node.exp) != half)
        for relation in (*statement.hypotheses, statement.conclusion)
        for side in _sides(relation)
        for node in sp.preorder_traversal(side)
        if node.args
    ) or any(_is_fraction(s, statement.hypotheses) for s in statement.free_symbols)


def _is_fraction(symbol: sp.Symbol, hypotheses: Sequence[Relation]) -> bool:
    """Whether a hypothesis bounds the symbol by one from above."""
    return any(h.lhs == symbol and h.rhs == 1 and h.op == "<" for h in hypotheses)


def _tightened(
    statement: Statement,
) -> tuple[Statement, tuple[tuple[sp.Symbol, sp.Expr], ...]]:
    """Replace each symbol by what a hypothesis says it is, or is at most, keeping its sign."""
    bound: list[tuple[sp.Symbol, sp.Expr]] = []
    hypotheses, conclusion = list(statement.hypotheses), statement.conclusion
    index = 0
    while index < len(hypotheses):
        h = hypotheses[index]
        symbol, value = (h.rhs, h.lhs) if h.op == "=" and h.rhs.is_Symbol else (h.lhs, h.rhs)
        free = value.free_symbols
        kept = _sign_kept(symbol, value) if symbol.is_Symbol else None
        if h.op not in ("=", "<=") or kept is None or not free or symbol in free:
            index += 1
            continue
        replaced = [*hypotheses[:index], *hypotheses[index + 1 :], kept]
        hypotheses = [_replaced(other, symbol, value) for other in replaced]
        conclusion = _replaced(conclusion, symbol, value)
        bound = [(s, v.xreplace({symbol: value})) for s, v in bound] + [(symbol, value)]
        index = 0
    return Statement(conclusion, tuple(hypotheses)), tuple(bound)


def _replaced(relation: Relation, symbol: sp.Symbol, value: sp.Expr) -> Relation:
    left, right = (side.xreplace({symbol: value}) for side in _sides(relation))
    return Relation(left, relation.op, right)


def _sign_kept(symbol: sp.Symbol, value: sp.Expr) -> Relation | None:
    """Say of the value what the symbol's assumptions say; None if they say more than a sign."""
    facts = symbol.assumptions0
    if facts == sp.Symbol("s", positive=True).assumptions0:
        return Relation(sp.S.Zero, "<", value)
    if facts == sp.Symbol("s", nonnegative=True).assumptions0:
        return Relation(sp.S.Zero, "<=", value)
    if facts == sp.Symbol("s", real=True).assumptions0:
        return Relation(value, "<=", value)  # it is a real number
    return None


def _sides(relation: Relation) -> tuple[sp.Expr, sp.Expr]:
    return relation.lhs, relation.rhs


def _shown(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> str:
    ball = _evaluate(expression, values)
    if ball.is_finite():
        return f"= {ball.str(12, radius=False)}"
    return f"= {expression.subs(values)}, not a real number"


def _evaluate(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> arb:
    (ball,) = _evaluate_all((expression,), values)
    return ball


def _evaluate_all(
    expressions: Sequence[sp.Expr], values: dict[sp.Symbol, sp.Rational]
) -> tuple[arb, ...]:
    environment = {symbol: _ball(value) for symbol, value in values.items()}
    # A jump has no rule on balls; at an exact point it is a number, and an input like another.
    for node in dict.fromkeys(node for e in expressions for node in _jumps(e)):
        value = _exactly(node, tuple((s, values[s]) for s in node.free_symbols))
        environment[node] = exact_ball(value) if value.is_Rational else arb("nan")
    try:
        return enclose_all(expressions, environment, precision=_PRECISION)
    except (NotEnclosable, ZeroDivisionError):
        return (arb("nan"),) * len(expressions)


@cache
def _ball(value: sp.Rational) -> arb:
    with ctx.workprec(_PRECISION):
        return exact_ball(value)


@cache
def _jumps(expression: sp.Expr) -> tuple[sp.Expr, ...]:
    return tuple(sorted(expression.atoms(sp.ceiling), key=sp.srepr))


@lru_cache(maxsize=4096)
def _exactly(node: sp.Expr, values: tuple[tuple[sp.Symbol, sp.Rational], ...]) -> sp.Expr:
    return node.subs(values)


def _slack(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> arb | None:
    """Enclose ``rhs - lhs``; None unless both sides are certainly real numbers."""
    left, right, slack = _evaluate_all((*_sides(relation), relation.slack), values)
    return slack if left.is_finite() and right.is_finite() and slack.is_finite() else None


def _is_zero(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational], ball: arb) -> bool:
    """Whether an expression is exactly zero; not asked where its ball says that it is not.

    A ball that is wide is the difference of large numbers, which exact arithmetic may never finish.
    """
    if not ball.is_finite() or not ball.contains(0) or ball.rad() > 1:
        return False
    return bool(expression.subs(values) == 0)


def _is_undefined(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> bool:
    """Whether some part is certainly no real number.

    The root of a negative number, a negative power of zero, the logarithm of a number <= 0.
    """
    for node in sp.preorder_traversal(expression):
        if not isinstance(node, sp.Pow | sp.log):
            continue
        inner = _evaluate(node.args[0], values)
        if not inner.is_finite() or inner > 0:
            continue
        is_zero = _is_zero(node.args[0], values, inner)
        if isinstance(node, sp.log):
            if is_zero or inner < 0:
                return True
            continue
        exponent = node.exp.subs(values)
        if is_zero and _evaluate(node.exp, values) < 0:
            return True
        if inner < 0 and exponent.is_Rational and not exponent.is_Integer:
            return True
    return False


def _holds(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    """Whether a relation certainly holds."""
    slack = _slack(relation, values)
    if slack is None:
        return False
    if _is_zero(relation.slack, values, slack):
        return relation.op != "<"
    return bool(relation.op != "=" and slack > 0)


def _fails(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    """Whether a relation certainly fails, or a side of it is certainly no real number."""
    slack = _slack(relation, values)
    if slack is None:
        return any(_is_undefined(side, values) for side in _sides(relation))
    if relation.op == "<" and _is_zero(relation.slack, values, slack):
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


def _points_between(statement: Statement) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """Yield points for symbols in a range, such as (0, 1), each meeting what is said of it alone.

    Where they are too many to try them all, small sets of values come first.
    """
    symbols = sorted(statement.free_symbols, key=str)
    alone = {s: [h for h in statement.hypotheses if h.free_symbols == {s}] for s in symbols}
    choices = [
        [v for v in _MORE if _may_be(s, v) and all(_holds(h, {s: v}) for h in alone[s])]
        for s in symbols
    ]
    pick = Random(0)
    for some in (2, 3, len(_MORE)):
        few = [choice[:some] for choice in choices]
        total = prod(map(len, few))
        if total <= _MOST_TRIALS:
            points: Iterator[tuple[sp.Rational, ...]] = product(*few)
        else:
            points = (tuple(map(pick.choice, few)) for _ in range(_MOST_TRIALS // 2))
        for values in points:
            yield dict(zip(symbols, values, strict=True))


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
