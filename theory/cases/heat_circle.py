"""The heat kernel of a circle: a wrapped Gaussian, curvature zero."""

from __future__ import annotations

from theory.cases.case import Case
from theory.cases.heat import DISTANCE, MEASURED, PROPERTIES, RADIUS, beyond_half_turn, flat_cost

CASE = Case(
    name="heat-circle",
    title="Heat kernel of a circle",
    law="Brownian motion on the circle of radius a, x and y at geodesic distance ρ ≤ πa",
    algorithm="none: a statement about a semigroup",
    parameters=(DISTANCE, RADIUS),
    closed_forms=lambda values: {"transport_cost": flat_cost(values["rho"] ** 2)},
    measured=MEASURED,
    properties=PROPERTIES,
    objection=beyond_half_turn("rho"),
)
