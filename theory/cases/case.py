"""What a case is: a law and an algorithm for which some quantities are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import sympy as sp

from theory.claim import Relation
from theory.process import TimeAtoms


class Domain(StrEnum):
    """The values that a parameter may take."""

    NATURAL = "an integer ≥ 0"
    POSITIVE_INTEGER = "an integer ≥ 1"
    FROM_TWO = "an integer ≥ 2"
    FROM_THREE = "an integer ≥ 3"
    FROM_FOUR = "an integer ≥ 4"
    POSITIVE = "a real number > 0"
    NONNEGATIVE = "a real number ≥ 0"
    ABOVE_ONE = "a real number > 1"
    PROBABILITY = "a number in [0, 1]"
    OPEN_UNIT = "a number strictly between 0 and 1"

    @property
    def least_integer(self) -> int | None:
        """The least value of a domain of integers; None for the others."""
        return _LEAST.get(self)

    def contains(self, value: sp.Expr) -> bool:
        """Return whether an exact value lies in the domain."""
        if not value.is_real or not value.is_finite:
            return False
        if self.least_integer is not None:
            return bool(value.is_Integer and value >= self.least_integer)
        match self:
            case Domain.POSITIVE:
                return bool(value > 0)
            case Domain.NONNEGATIVE:
                return bool(value >= 0)
            case Domain.ABOVE_ONE:
                return bool(value > 1)
            case Domain.PROBABILITY:
                return bool((value >= 0) and (value <= 1))
            case Domain.OPEN_UNIT:
                return bool((value > 0) and (value < 1))
        raise AssertionError(self)


_LEAST = {
    Domain.NATURAL: 0,
    Domain.POSITIVE_INTEGER: 1,
    Domain.FROM_TWO: 2,
    Domain.FROM_THREE: 3,
    Domain.FROM_FOUR: 4,
}


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
class Geometry:
    """How the support of a law lies in space, and how much mass its balls have; all exact.

    Attributes
    ----------
    diameter
        At least the distance of any two points of the support.
    lower_mass, radius_limit, intrinsic_dimension
        ν(ball(x, r)) >= lower_mass · r^intrinsic_dimension for every x in the support and every
        r <= radius_limit (``oo`` for no limit).
    reach
        At most the distance up to which nearest points of the support are unique; ``oo`` for a
        convex support.
    """

    diameter: sp.Expr
    lower_mass: sp.Expr
    radius_limit: sp.Expr
    intrinsic_dimension: int
    reach: sp.Expr


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
        empirical score; ``resolved-rate``, the numbers are exact enough to fit an exponent of N;
        ``resolved-stability``, those of ε_stab² and C_sm are;
        ``local-mass`` and ``packing``, the integrals over the law of those names are computed;
        ``heat-kernel``, ``reverse-process`` and ``sampler``, what the case is about;
        ``true-score``, the sampler uses the true score;
        ``timeless``, no noise level enters, so that points have no time;
        ``sgd`` with ``synchronous``, ``reflection``, ``projected``, ``unprojected``, ``per-sample``
        ``recursion`` and ``score-model``, what chains of SGD are coupled and clipped how, and
        ``resolved-distance``, whether their distances are known better than by sampling;
        ``reflection-drift``, for diffusions;
        ``noised-point``, ``random-slope``, ``naive-estimator``, ``naive-gap``,
        ``fitted-features`` (with ``homoscedastic``), ``ensemble``, ``gap-filling`` and
        ``training-time``, what claims on the V-kernel are about, and ``trained-features``, that
        models are refitted there.
    fixed
        Symbols that the case fixes and that are not parameters.
    reduction
        The one ratio that matters, if there is one.
    takes
        Names of the claims' own parameters that ``closed_forms`` hold, as symbols.
    objection
        What is wrong with parameter values that are each in their domain; empty if nothing is.
    geometry
        The geometry of the support at given parameter values, if it is bounded.
    time_measure
        For a sampler: the measure τ̂_κ of the times at which it evaluates the score. Claims that
        speak of no sampler are not checked on such a case, but on the law itself.
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
    takes: frozenset[str] = frozenset()
    objection: Callable[[Mapping[str, sp.Expr]], str] = field(default=lambda _: "", repr=False)
    geometry: Callable[[Mapping[str, sp.Expr]], Geometry] | None = field(default=None, repr=False)
    time_measure: Callable[[Mapping[str, sp.Expr]], TimeAtoms] | None = field(
        default=None, repr=False
    )

    @property
    def symbols(self) -> dict[str, sp.Expr]:
        """The parameters as symbols, for the general statement."""
        return {parameter.name: parameter.symbol for parameter in self.parameters}

    @property
    def offers(self) -> frozenset[str]:
        """The properties, with those that follow from what else is known."""
        if self.geometry is None:
            return self.properties
        spread_out = self.geometry(self.defaults).intrinsic_dimension > 0
        follow = {"bounded-support", "positive-dimension"} if spread_out else {"bounded-support"}
        return self.properties | follow

    def meets(self, needs: frozenset[str]) -> bool:
        """Whether claims with these needs are checked here; on a sampler, only those about one."""
        return needs <= self.offers and (self.time_measure is None or "sampler" in needs)

    @property
    def knows(self) -> frozenset[str]:
        """The quantities that can be given at the default parameter values."""
        known = {*self.example_quantities(self.defaults), *self.measured, "tau_mass"}
        if self.geometry is not None:
            known |= {"largest_change", "ball_mass"}
        if "local-mass" in self.properties:
            known |= {"inverse_local_mass"}
        if "packing" in self.properties:
            known |= {"packing_first", "packing_second"}
        return frozenset(known)

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
