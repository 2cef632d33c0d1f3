"""What the heat-kernel cases share: the distance of x and y, the radius of the space, Wang's cost.

Time is the point's own time t, of the generator Δ; the schedule plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Domain, Parameter

RADIUS = Parameter(
    "a", Domain.POSITIVE, sp.S.One, "radius of the space", sp.Symbol("a", positive=True)
)
MEASURED = ("log_harnack_constant", "log_harnack_divergence")
PROPERTIES = frozenset({"heat-kernel"})


def distance(name: str, default: int = 1) -> Parameter:
    """Return the parameter for a geodesic distance of x and y."""
    symbol = sp.Symbol(name, nonnegative=True)
    meaning = "geodesic distance of x and y"
    return Parameter(name, Domain.NONNEGATIVE, sp.Integer(default), meaning, symbol)


DISTANCE = distance("rho")


def flat_cost(squared_distance: sp.Expr) -> sp.Expr:
    """Return the cost for curvature zero."""
    return squared_distance / (4 * symbols.t)


def beyond_half_turn(*names: str) -> Callable[[Mapping[str, sp.Expr]], str]:
    """Return the objection to distances that no two points of a circle of radius a have."""

    def objection(values: Mapping[str, sp.Expr]) -> str:
        for name in names:
            if values[name] > sp.pi * values["a"]:
                return (
                    f"{name}={values[name]}: {name} is at most π a, the distance of opposite "
                    f"points; take {name} = 3 a, say"
                )
        return ""

    return objection
