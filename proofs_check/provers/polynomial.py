"""A statement about real numbers as polynomial relations, square roots turned into variables.

``√X`` becomes a variable r >= 0 with r² = X; where X is a symbol, X is replaced by r². Equations
that give a symbol are solved for it. What comes out holds exactly when the statement does, as long
as every X under a root is nonnegative, which callers have to show: `System.radicands`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from theory.claim import Relation, Statement


@dataclass(frozen=True, slots=True)
class System:
    """Polynomials: ``equations`` = 0, ``nonnegative`` >= 0, ``positive`` > 0, and the goal.

    ``goal`` is to be shown nonnegative, or zero when ``goal_is_equation``. ``roots`` are the
    variables that stand for the square roots of ``radicands``, in the same order.
    """

    equations: tuple[sp.Expr, ...]
    nonnegative: tuple[sp.Expr, ...]
    positive: tuple[sp.Expr, ...]
    goal: sp.Expr
    goal_is_equation: bool
    radicands: tuple[sp.Expr, ...]
    roots: tuple[sp.Symbol, ...] = ()

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """Every variable, in a fixed order."""
        parts = (*self.equations, *self.nonnegative, *self.positive, self.goal)
        found = set().union(*(part.free_symbols for part in parts))
        return tuple(sorted(found, key=lambda symbol: (symbol.name, sp.srepr(symbol))))


class NotPolynomial(Exception):
    """The statement is not made of polynomials and square roots."""


def system_of(statement: Statement) -> System:
    """Translate a statement.

    Raises
    ------
    NotPolynomial
        If it holds anything but polynomials and square roots of polynomials.
    """
    for relation in (*statement.hypotheses, statement.conclusion):
        _refuse_division(relation)
    hypotheses, conclusion = _solve_equations(list(statement.hypotheses), statement.conclusion)
    roots = _square_roots([*hypotheses, conclusion])
    prefix = "root"
    while any(symbol.name.startswith(prefix) for symbol in statement.free_symbols):
        prefix += "_"
    names = {root: sp.Symbol(f"{prefix}{k}", real=True) for k, root in enumerate(roots)}
    squares = {
        root.base: name**2 for root, name in names.items() if isinstance(root.base, sp.Symbol)
    }

    def translate(expression: sp.Expr) -> sp.Expr:
        result = sp.expand(expression.xreplace(names).xreplace(squares))
        if not result.is_polynomial(*result.free_symbols) or not _has_rational_coefficients(result):
            raise NotPolynomial(str(expression))
        return result

    equations = [translate(h.slack) for h in hypotheses if h.op == "="]
    equations += [
        translate(name**2 - root.base) for root, name in names.items() if root.base not in squares
    ]
    symbols = {s for h in (*hypotheses, conclusion) for s in h.free_symbols}
    signed = [s for s in sorted(symbols, key=str) if s.is_nonnegative and s not in squares]
    nonnegative = [translate(h.slack) for h in hypotheses if h.op == "<="] + [*names.values()]
    return System(
        equations=tuple(equations),
        nonnegative=tuple(dict.fromkeys(g for g in (*nonnegative, *signed) if g != 0)),
        positive=tuple(translate(h.slack) for h in hypotheses if h.op == "<"),
        goal=translate(conclusion.slack),
        goal_is_equation=conclusion.op == "=",
        radicands=tuple(root.base for root in roots),
        roots=tuple(names.values()),
    )


def _refuse_division(relation: Relation) -> None:
    """Refuse what may be undefined: expanding (x² + x)/x would forget that x is not zero."""
    for side in (relation.lhs, relation.rhs):
        for power in side.atoms(sp.Pow):
            if not power.exp.is_positive:
                raise NotPolynomial(str(side))


def _has_rational_coefficients(polynomial: sp.Expr) -> bool:
    symbols = polynomial.free_symbols
    if not symbols:
        return bool(polynomial.is_Rational)
    return all(c.is_Rational for c in sp.Poly(polynomial, *symbols).coeffs())


def _square_roots(relations: list[Relation]) -> tuple[sp.Pow, ...]:
    found = set()
    for relation in relations:
        for power in relation.lhs.atoms(sp.Pow) | relation.rhs.atoms(sp.Pow):
            if power.exp.is_Rational and not power.exp.is_Integer:
                if power.exp != sp.Rational(1, 2):
                    raise NotPolynomial(str(power))
                found.add(power)
    return tuple(sorted(found, key=str))


def radicands(relation: Relation) -> tuple[sp.Expr, ...]:
    """Return what stands under the roots of a relation, of whatever order."""
    powers = relation.lhs.atoms(sp.Pow) | relation.rhs.atoms(sp.Pow)
    return tuple(sorted((p.base for p in powers if not p.exp.is_Integer), key=str))


def _solve_equations(
    hypotheses: list[Relation], conclusion: Relation
) -> tuple[list[Relation], Relation]:
    """Use each hypothesis "symbol = expression" to remove the symbol, keeping its sign."""
    for index, equation in enumerate(hypotheses):
        if equation.op != "=":
            continue
        for symbol, value in ((equation.lhs, equation.rhs), (equation.rhs, equation.lhs)):
            if isinstance(symbol, sp.Symbol) and symbol not in value.free_symbols:
                keep_sign = [Relation(sp.S.Zero, "<=", value)] if symbol.is_nonnegative else []
                rest = hypotheses[:index] + hypotheses[index + 1 :]
                replaced = [
                    Relation(h.lhs.subs(symbol, value), h.op, h.rhs.subs(symbol, value))
                    for h in rest
                ]
                left, right = conclusion.lhs.subs(symbol, value), conclusion.rhs.subs(symbol, value)
                return _solve_equations(
                    [*replaced, *keep_sign], Relation(left, conclusion.op, right)
                )
    return hypotheses, conclusion
