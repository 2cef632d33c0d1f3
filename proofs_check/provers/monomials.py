"""Inequalities between monomials with symbolic exponents: a chain of substitutions.

A monomial is a product of powers of nonnegative atoms and of exp(anything). In logarithms the
conclusion has to be a combination of the hypotheses; linear algebra over the rational functions
proposes the multipliers. What is checked is the chain that starts at the conclusion's left side
and, for one hypothesis l <= r at a time, replaces the factor l**λ by r**λ, with λ > 0. Such a step
is sound for atoms that are zero too: nothing is divided by one that is not shown to be positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import sympy as sp

from proofs_check.provers.polynomial import Signs
from theory.claim import Relation, Statement

_MOST_STEPS = 4
_LARGEST_FACTORED = 10**12

Exponents = dict[sp.Expr, sp.Expr]
Step = tuple[int, sp.Expr]


class NotMonomial(Exception):
    """An expression is not shown to be a product of powers of nonnegative atoms."""


@dataclass(frozen=True, slots=True)
class MonomialCertificate:
    """Which hypotheses, in order, lead from the left side to the right, each to which power.

    A negative power uses an equation from right to left.
    """

    statement: Statement
    steps: tuple[Step, ...]

    def checks(self) -> bool:
        """Walk the chain with exact arithmetic, the signs and the definedness of every part."""
        try:
            return _chain_arrives(self.statement, self.steps)
        except NotMonomial:
            return False

    def __str__(self) -> str:
        conclusion, hypotheses = self.statement.conclusion, self.statement.hypotheses
        by = "; then ".join(f"({hypotheses[k]}) to the power {power}" for k, power in self.steps)
        return f"{conclusion}, from its left side, by {by or 'comparing exponents'}"


def find_monomial_proof(statement: Statement) -> MonomialCertificate | None:
    """Search for a chain that proves the conclusion; None if none was found.

    Examples
    --------
    >>> x, y, c = sp.symbols("x y c", positive=True)
    >>> given = Relation(x ** (1 / c), "<=", y)
    >>> print(find_monomial_proof(Statement(Relation(x, "<=", y**c), (given,))))
    x ≤ y^c, from its left side, by (x^(1/c) ≤ y) to the power c
    """
    conclusion, signs = statement.conclusion, Signs(statement.hypotheses)
    if conclusion.op not in ("=", "<="):
        return None
    try:
        target = _logarithm(conclusion, signs)
    except NotMonomial:
        return None
    rows: dict[int, Exponents] = {}
    for index, h in enumerate(statement.hypotheses):
        if h.op == "=" or (conclusion.op == "<=" and h.op in ("<", "<=")):
            try:
                rows[index] = _logarithm(h, signs)
            except NotMonomial:
                continue
    for size in range(min(_MOST_STEPS, len(rows)) + 1):
        for chosen in combinations(rows, size):
            for powers in _multipliers([rows[k] for k in chosen], target):
                steps = tuple(zip(chosen, powers, strict=True))
                if not all(_usable(statement.hypotheses[k], power, signs) for k, power in steps):
                    continue
                for order in permutations(steps):
                    certificate = MonomialCertificate(statement, order)
                    if certificate.checks():
                        return certificate
    return None


def _usable(hypothesis: Relation, power: sp.Expr, signs: Signs) -> bool:
    return signs.is_positive(power) or (hypothesis.op == "=" and signs.is_positive(-power))


def _multipliers(rows: Sequence[Exponents], target: Exponents) -> Iterator[tuple[sp.Expr, ...]]:
    """Propose multipliers: with every exponent matched, and with room in the constants > 1."""
    unknowns = sp.symbols(f"lambda:{len(rows)}", cls=sp.Dummy)
    atoms = list(dict.fromkeys(atom for row in (target, *rows) for atom in row))
    matched = [a for a in atoms if not _is_above_one(a)]
    for kept in dict.fromkeys((tuple(atoms), tuple(matched))):
        equations = [
            sp.Add(*(u * row.get(a, 0) for u, row in zip(unknowns, rows, strict=True)))
            - target.get(a, sp.S.Zero)
            for a in kept
        ]
        if not rows:
            yield ()
            return
        solutions = sp.linsolve(equations, *unknowns) if equations else sp.S.EmptySet
        for solution in solutions:
            if not solution.free_symbols & set(unknowns):
                yield tuple(map(_tidy, solution))


def _chain_arrives(statement: Statement, steps: Sequence[Step]) -> bool:
    conclusion, signs = statement.conclusion, Signs(statement.hypotheses)
    if conclusion.op not in ("=", "<="):
        return False
    current = _side(conclusion.lhs, signs)
    for index, multiplier in steps:
        h, power = statement.hypotheses[index], multiplier
        source, target = h.lhs, h.rhs
        if h.op == "=" and signs.is_positive(-power):
            source, target, power = h.rhs, h.lhs, -power
        elif h.op != "=" and (conclusion.op == "=" or h.op not in ("<", "<=")):
            return False
        if not signs.is_positive(power):
            return False
        rest = _combined(current, _side(source, signs), -power)
        if any(not _may_remain(atom, exponent, signs) for atom, exponent in rest.items()):
            return False
        current = _combined(rest, _side(target, signs), power)
    left = _combined(_side(conclusion.rhs, signs), current, sp.Integer(-1))
    return all(
        conclusion.op == "<=" and _is_above_one(atom) and signs.is_nonnegative(exponent)
        for atom, exponent in left.items()
    )


def _may_remain(atom: sp.Expr, exponent: sp.Expr, signs: Signs) -> bool:
    """Whether the atom may stand to this power: an atom that may be zero needs a positive one."""
    return signs.is_positive(atom) or signs.is_positive(exponent)


def _is_above_one(atom: sp.Expr) -> bool:
    """Whether the atom is a constant above one: e, or an integer."""
    return atom is sp.E or bool(atom.is_Integer)


def _logarithm(relation: Relation, signs: Signs) -> Exponents:
    left, right = _side(relation.lhs, signs), _side(relation.rhs, signs)
    return _combined(right, left, sp.Integer(-1))


def _side(side: sp.Expr, signs: Signs) -> Exponents:
    if not signs.is_defined(side):
        raise NotMonomial(str(side))
    return {a: e for a, e in _exponents(side, signs).items() if e != 0}


def _combined(first: Exponents, second: Exponents, power: sp.Expr) -> Exponents:
    """Multiply ``first`` by ``second**power``; exponents that cancel leave nothing behind."""
    total = dict(first)
    for atom, exponent in second.items():
        total[atom] = _tidy(total.get(atom, sp.S.Zero) + power * exponent)
    return {atom: exponent for atom, exponent in total.items() if exponent != 0}


def _tidy(exponent: sp.Expr) -> sp.Expr:
    return sp.factor(sp.cancel(sp.together(exponent)))


def _exponents(node: sp.Expr, signs: Signs) -> Exponents:
    """Return the exponent of each atom of a monomial.

    Splitting (xy)**c into x**c y**c needs x, y >= 0, which holds for every atom.
    """
    if isinstance(node, sp.Rational):
        return _prime_exponents(node)
    if isinstance(node, sp.Mul):
        total: Exponents = {}
        for part in node.args:
            total = _combined(total, _exponents(part, signs), sp.S.One)
        return total
    if isinstance(node, sp.Pow):
        return _combined({}, _exponents(node.base, signs), node.exp)
    if isinstance(node, sp.exp):
        return {sp.E: node.args[0]}
    if isinstance(node, sp.Add):
        return _factored(node, signs)
    if node is not sp.E and not signs.is_nonnegative(node):
        raise NotMonomial(str(node))
    return {node: sp.S.One}


def _factored(node: sp.Add, signs: Signs) -> Exponents:
    """Treat a sum as a product of its factors, each an atom with the sign that makes it >= 0."""
    try:
        content, factors = sp.factor_list(node)
    except sp.PolynomialError as error:
        raise NotMonomial(str(node)) from error
    total: Exponents = {}
    for factor, power in factors:
        atom = factor
        if not signs.is_nonnegative(atom):
            if not signs.is_nonnegative(-atom):
                raise NotMonomial(str(node))
            atom, content = sp.expand(-atom), content * (-1) ** power
        total = _combined(total, {atom: sp.S.One}, power)
    return _combined(total, _exponents(content, signs), sp.S.One)


def _prime_exponents(value: sp.Rational) -> Exponents:
    if value <= 0:
        raise NotMonomial(str(value))
    if value.p * value.q > _LARGEST_FACTORED:
        parts = {value.p: 1, value.q: -1}
        return {sp.Integer(n): sp.Integer(e) for n, e in parts.items() if n != 1}
    return {sp.Integer(n): sp.Integer(e) for n, e in sp.factorrat(value).items() if n != 1}
