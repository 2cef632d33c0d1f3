"""Certificates of nonnegativity: z3 searches, exact expansion checks.

To show that a polynomial p is nonnegative wherever all g_i >= 0 and all e_j = 0, it is enough to
write p as a combination, with nonnegative rational weights, of products g_i g_k and squares
(x - y)², plus any multiples of the e_j. Where that fails, a contradiction is sought the same way
from h = -p > 0: such a combination plus h or h² that is identically zero. The weights are an exact
linear programme, solved by z3 over the rationals. Nothing that z3 says is trusted: the weights
are checked by sign and by expanding the combination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import sympy as sp

from proofs_check.provers.polynomial import System

_SEARCH_MILLISECONDS = 20_000


@dataclass(frozen=True, slots=True)
class Certificate:
    """``target = Σ weight · term + Σ multiplier · equation`` with weights >= 0.

    ``target`` is the goal itself, or minus a power of the negated goal h.
    """

    target: sp.Expr
    weights: tuple[tuple[sp.Rational, sp.Expr], ...]
    multipliers: tuple[tuple[sp.Expr, sp.Expr], ...]
    by_contradiction: bool

    def checks(self) -> bool:
        """Expand both sides exactly and compare; check the signs of the weights."""
        if any(weight < 0 for weight, _ in self.weights):
            return False
        total = sp.Add(
            *(weight * term for weight, term in self.weights),
            *(multiplier * equation for multiplier, equation in self.multipliers),
        )
        return bool(sp.expand(self.target - total) == 0)

    def __str__(self) -> str:
        terms = [f"{weight}·[{term}]" for weight, term in self.weights]
        terms += [f"({multiplier})·[{equation}]" for multiplier, equation in self.multipliers]
        return f"{self.target} = " + " + ".join(terms)


def find_certificate(system: System) -> Certificate | None:
    """Search for a certificate that the system's goal is nonnegative; None if none was found."""
    generators = [*system.nonnegative, *system.positive]
    direct = _search(system.goal, _terms(generators, system), system)
    if direct is not None:
        return direct
    negated = -system.goal
    for power in (negated, negated**2):
        found = _search(
            -sp.expand(power), _terms([*generators, negated], system), system, contradiction=True
        )
        if found is not None:
            return found
    return None


def is_contradictory(system: System) -> Certificate | None:
    """Search for a certificate that no point meets the system's hypotheses."""
    generators = [*system.nonnegative, *system.positive]
    terms = _terms(generators, system)
    for strict in (sp.S.One, *system.positive):
        found = _search(-strict, terms, system, contradiction=True)
        if found is not None:
            return found
    return None


def _terms(generators: Sequence[sp.Expr], system: System) -> list[sp.Expr]:
    """Products of at most two generators, and squares of differences of variables."""
    products = [sp.expand(f * g) for f, g in combinations_with_replacement(generators, 2)]
    squares = [sp.expand((x - y) ** 2) for x, y in combinations(system.variables, 2)]
    own = [x**2 for x in system.variables]
    return list(dict.fromkeys([*map(sp.expand, generators), *products, *squares, *own]))


def _search(
    target: sp.Expr, terms: Sequence[sp.Expr], system: System, *, contradiction: bool = False
) -> Certificate | None:
    import z3

    variables = system.variables or (sp.Dummy(),)  # a polynomial needs some variable
    factors = [sp.S.One, *variables]
    equations = [(f, e) for e in system.equations for f in factors]
    columns = [*terms, *(sp.expand(f * e) for f, e in equations)]
    polynomials = [sp.Poly(column, *variables).as_dict() for column in columns]
    goal = sp.Poly(sp.expand(target), *variables).as_dict()
    unknowns = [z3.Real(f"w{k}") for k in range(len(columns))]
    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", _SEARCH_MILLISECONDS)
    solver.add(*(unknown >= 0 for unknown in unknowns[: len(terms)]))
    for monomial in set(goal).union(*polynomials):
        row = [
            _z3_rational(p[monomial]) * u
            for p, u in zip(polynomials, unknowns, strict=True)
            if monomial in p
        ]
        solver.add(z3.Sum(*row, z3.RealVal(0)) == _z3_rational(goal.get(monomial, sp.S.Zero)))
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    found = [_rational(model.eval(unknown, model_completion=True)) for unknown in unknowns]
    weights = tuple((w, t) for w, t in zip(found, terms, strict=False) if w != 0)
    multipliers = tuple(
        (w * f, e) for w, (f, e) in zip(found[len(terms) :], equations, strict=True) if w != 0
    )
    certificate = Certificate(sp.expand(target), weights, multipliers, contradiction)
    return certificate if certificate.checks() else None


def _z3_rational(value: sp.Expr) -> object:
    import z3

    exact = sp.Rational(value)
    return z3.Q(int(exact.p), int(exact.q))


def _rational(value: object) -> sp.Rational:
    return sp.Rational(value.numerator_as_long(), value.denominator_as_long())  # type: ignore[attr-defined]
