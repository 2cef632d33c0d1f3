"""The heat kernel of the sphere S² of radius a: Ricci curvature 1/a²."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case
from theory.cases.heat import DISTANCE, MEASURED, PROPERTIES, RADIUS, beyond_half_turn


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    rho, a = values["rho"], values["a"]
    return {"transport_cost": rho**2 / (2 * a**2 * (sp.exp(2 * symbols.t / a**2) - 1))}


CASE = Case(
    name="heat-sphere",
    title="Heat kernel of the sphere S²",
    law="Brownian motion on the sphere of radius a, x and y at geodesic distance ρ ≤ πa",
    algorithm="none: a statement about a semigroup",
    parameters=(DISTANCE, RADIUS),
    closed_forms=_closed_forms,
    measured=MEASURED,
    properties=PROPERTIES,
    objection=beyond_half_turn("rho"),
)
