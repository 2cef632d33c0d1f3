"""What a case is: a law and an algorithm for which some quantities are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import sympy as sp

from theory.claim import Relation


class Domain(StrEnum):
    """The values that a parameter may take."""

    POSITIVE_INTEGER = "an integer ≥ 1"
    POSITIVE = "a real number > 0"
    PROBABILITY = "a number in [0, 1]"

    def contains(self, value: sp.Expr) -> bool:
        """Return whether an exact value lies in the domain."""
        if not value.is_real or not value.is_finite:
            return False
        match self:
            case Domain.POSITIVE_INTEGER:
                return bool(value.is_Integer and value >= 1)
            case Domain.POSITIVE:
                return bool(value > 0)
            case Domain.PROBABILITY:
                return bool((value >= 0) and (value <= 1))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a case, with the value that it takes when the user names none."""

    name: str
    domain: Domain
    default: sp.Expr
    meaning: str
    symbol: sp.Symbol = field(repr=False)


Forms = Callable[[Mapping[str, sp.Expr]], dict[str, sp.Expr]]


@dataclass(frozen=True, slots=True)
class Reduction:
    """One ratio through which the quantities depend on everything but integers and probabilities.

    With τ a point mass, every quantity is a common positive scale times ``forms`` (a function of
    ``ratio``); a claim that is homogeneous in that scale is a claim about ``ratio`` alone.
    """

    ratio: sp.Symbol
    forms: Forms = field(repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """A law, an algorithm, and what is known about them.

    Attributes
    ----------
    closed_forms
        Given exact parameter values (symbols in the general statement), the quantities known
        exactly. They may hold a quantity's own symbol where it stays free.
    example
        Further quantities, known only for the law that tables use; proofs ignore them.
    measured
        The quantities that can be computed numerically and are not closed forms.
    facts
        Pairs (f, g) of integrands with f <= g at every time. Provers prove them before use.
    bounds
        Relations that a free quantity of ``closed_forms`` obeys.
    properties
        What claims may ask for in ``Claim.needs``: ``empirical-score``, the algorithm is the
        empirical score; ``resolved-rate``, the numbers are exact enough to fit an exponent of N.
    fixed
        Symbols that the case fixes and that are not parameters.
    reduction
        The one ratio that matters, if there is one.
    """

    name: str
    title: str
    law: str
    algorithm: str
    parameters: tuple[Parameter, ...]
    closed_forms: Forms = field(repr=False)
    example: Forms | None = field(default=None, repr=False)
    measured: tuple[str, ...] = ()
    facts: tuple[tuple[sp.Expr, sp.Expr], ...] = field(default=(), repr=False)
    bounds: tuple[Relation, ...] = field(default=(), repr=False)
    properties: frozenset[str] = frozenset()
    fixed: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    reduction: Reduction | None = None

    @property
    def symbols(self) -> dict[str, sp.Expr]:
        """The parameters as symbols, for the general statement."""
        return {parameter.name: parameter.symbol for parameter in self.parameters}

    @property
    def defaults(self) -> dict[str, sp.Expr]:
        """The parameters' default values."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def quantities(self, values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        """Return the exact expressions at these parameter values."""
        return _built(self.closed_forms, tuple(sorted(values.items())))

    def example_quantities(self, values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        """Return the exact expressions for the law that tables use."""
        forms = self.quantities(values)
        return forms if self.example is None else {**forms, **self.example(values)}


@cache
def _built(build: Forms, values: tuple[tuple[str, sp.Expr], ...]) -> dict[str, sp.Expr]:
    return build(dict(values))
