"""The uniform law on a sphere; the algorithm is the empirical score.

The sphere is two-dimensional, has radius a, lies in the first three coordinates of R^d and is
centred at the origin.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case, Domain, Geometry, Parameter
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import SAMPLE_SIZE

DIMENSION = Parameter("d", Domain.FROM_THREE, sp.Integer(3), "dimension of the space", symbols.d)
RADIUS = Parameter(
    "a", Domain.POSITIVE, sp.S.One, "radius of the sphere", sp.Symbol("a", positive=True)
)


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """A cap of chord r has height r²/2a, so it has the share r²/4a² of the area (Archimedes)."""
    a = values["a"]
    return Geometry(2 * a, 1 / (4 * a**2), 2 * a, 2, a)


CASE = Case(
    name="sphere",
    title="Sphere",
    law="uniform on the sphere S² of radius a in the first three coordinates of R^d",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, RADIUS),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score", "resolved-stability", "local-mass", "packing"}),
    geometry=_geometry,
)
