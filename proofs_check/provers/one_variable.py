"""Inequalities in one variable: the difference is convex and touches zero, or starts at zero.

Where f is defined and twice differentiable on u > 0, with f'' >= 0 and f(u0) = f'(u0) = 0, Taylor's
formula gives f >= 0; so it does on u >= 0 where the derivatives at zero up to order n - 1 are >= 0
and the one of order n is so everywhere. The other letters are parameters; what is used of them is
their signs.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from proofs_check.provers.polynomial import Signs
from theory.claim import Relation, Statement

_HIGHEST_ORDER = 4
_TOUCHING = tuple(sp.Rational(p, q) for p, q in ((1, 1), (2, 1), (1, 2), (4, 1), (1, 4), (3, 1)))


@dataclass(frozen=True, slots=True)
class TouchingCertificate:
    """The variable and the point where the sides of the conclusion touch."""

    statement: Statement
    variable: sp.Symbol
    point: sp.Rational

    @property
    def curvature(self) -> sp.Expr:
        """The second derivative of the difference of the sides."""
        return sp.factor(sp.diff(self.statement.conclusion.slack, self.variable, 2))

    def checks(self) -> bool:
        """Check that both sides are smooth, that they touch, and the sign of the curvature."""
        u, conclusion = self.variable, self.statement.conclusion
        signs = _signs_for_every(u, self.statement)
        if conclusion.op != "<=" or signs is None or not self.point > 0:
            return False
        difference = conclusion.slack
        return (
            all(
                signs.is_defined(side) and _is_smooth(side, u, signs)
                for side in (conclusion.lhs, conclusion.rhs)
            )
            and _vanishes(difference.subs(u, self.point))
            and _vanishes(sp.diff(difference, u).subs(u, self.point))
            and signs.is_nonnegative(self.curvature)
        )

    def __str__(self) -> str:
        u = self.variable
        return (
            f"f = rhs - lhs and f' vanish at {u} = {self.point}; f'' = {self.curvature} >= 0 on "
            f"{u} > 0"
        )


@dataclass(frozen=True, slots=True)
class StartingCertificate:
    """A variable u >= 0 and an order n: Taylor's formula at zero, with f^(n) >= 0 as remainder."""

    statement: Statement
    variable: sp.Symbol
    order: int

    @property
    def last_derivative(self) -> sp.Expr:
        """The n-th derivative of the difference of the sides."""
        return sp.factor(sp.diff(self.statement.conclusion.slack, self.variable, self.order))

    def checks(self) -> bool:
        """Check that both sides are smooth on u >= 0, the derivatives at zero, and the last one."""
        u = sp.Dummy("u", nonnegative=True)  # zero included, whatever the variable is said to be
        stated = self.statement.conclusion
        if stated.op != "<=" or self.variable.is_integer or not self.variable.is_nonnegative:
            return False
        lhs, rhs = stated.lhs.xreplace({self.variable: u}), stated.rhs.xreplace({self.variable: u})
        others = (h for h in self.statement.hypotheses if self.variable not in h.free_symbols)
        signs = Signs((*others, Relation(sp.S.Zero, "<=", u)))
        at_zero = [sp.diff(rhs - lhs, u, k).subs(u, 0) for k in range(self.order)]
        return (
            all(
                signs.is_defined(side) and _is_smooth(side, u, signs, at_zero=True)
                for side in (lhs, rhs)
            )
            and all(value.is_Rational and value >= 0 for value in at_zero)
            and signs.is_nonnegative(sp.factor(sp.diff(rhs - lhs, u, self.order)))
        )

    def __str__(self) -> str:
        u = self.variable
        return (
            f"derivatives of rhs - lhs at {u} = 0 are >= 0 below order {self.order}, where it is "
            f"{self.last_derivative} >= 0"
        )


def find_starting_proof(statement: Statement) -> StartingCertificate | None:
    """Search for a variable and an order that prove the conclusion; None if none was found.

    Examples
    --------
    >>> u = sp.Symbol("u", nonnegative=True)
    >>> print(find_starting_proof(Statement(Relation(1 + u, "<=", sp.exp(u)))))
    derivatives of rhs - lhs at u = 0 are >= 0 below order 2, where it is exp(u) >= 0
    """
    for variable in sorted(statement.conclusion.free_symbols, key=str):
        for order in range(1, _HIGHEST_ORDER + 1):
            certificate = StartingCertificate(statement, variable, order)
            if certificate.checks():
                return certificate
    return None


def find_touching_proof(statement: Statement) -> TouchingCertificate | None:
    """Search for a variable and a point that prove the conclusion; None if none was found.

    Examples
    --------
    >>> u = sp.Symbol("u", positive=True)
    >>> print(find_touching_proof(Statement(Relation(sp.log(u), "<=", u - 1))))
    f = rhs - lhs and f' vanish at u = 1; f'' = u**(-2) >= 0 on u > 0
    """
    for variable in sorted(statement.conclusion.free_symbols, key=str):
        for point in _TOUCHING:
            certificate = TouchingCertificate(statement, variable, point)
            if certificate.checks():
                return certificate
    return None


def _signs_for_every(variable: sp.Symbol, statement: Statement) -> Signs | None:
    """Return the signs that hold for every u > 0; None if the variable may be anything else.

    What is known of the variable is not used: the argument needs the whole half-line.
    """
    if variable.is_integer or not Signs(statement.hypotheses).is_positive(variable):
        return None
    others = tuple(h for h in statement.hypotheses if variable not in h.free_symbols)
    return Signs((*others, Relation(sp.S.Zero, "<", variable)))


def _is_smooth(node: sp.Expr, variable: sp.Symbol, signs: Signs, *, at_zero: bool = False) -> bool:
    """Whether a node that is defined for every u > 0 is twice differentiable there too.

    With ``at_zero`` u = 0 is included, and the node is to have every derivative.
    """
    if not node.has(variable) or node == variable:
        return True
    if isinstance(node, sp.Pow) and not (node.exp.is_Integer and node.exp.is_positive):
        # x**c has no derivative at zero, unless c is large
        if not (signs.is_positive(node.base) or (node.exp.is_Integer and not at_zero)):
            return False
    elif not isinstance(node, sp.Add | sp.Mul | sp.Pow | sp.exp | sp.log | sp.cosh | sp.sinh):
        return False
    if at_zero and isinstance(node, sp.log) and not signs.is_positive(node.args[0]):
        return False
    return all(_is_smooth(part, variable, signs, at_zero=at_zero) for part in node.args)


def _vanishes(expression: sp.Expr) -> bool:
    """Whether an expression is identically zero, by exact arithmetic of rational functions."""
    if expression.has(sp.Float, sp.nan, sp.zoo, sp.oo, -sp.oo):
        return False
    return bool(sp.cancel(sp.together(sp.powsimp(sp.expand(expression)))) == 0)
