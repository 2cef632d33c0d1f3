"""The heat kernel of a flat torus, the product of two circles: the constants add."""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Case
from theory.cases.heat import MEASURED, PROPERTIES, RADIUS, beyond_half_turn, distance, flat_cost

CASE = Case(
    name="heat-torus",
    title="Heat kernel of a flat torus",
    law="Brownian motion on the product of two circles of radius a; x and y differ by ρ₁ and ρ₂",
    algorithm="none: a statement about a semigroup",
    parameters=(distance("rho1"), distance("rho2"), RADIUS),
    closed_forms=lambda values: {
        "transport_cost": flat_cost(sp.Add(values["rho1"] ** 2, values["rho2"] ** 2))
    },
    measured=MEASURED,
    properties=PROPERTIES,
    objection=beyond_half_turn("rho1", "rho2"),
)
