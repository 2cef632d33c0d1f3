"""The uniform law on a circle; the algorithm is the empirical score.

The circle has radius a, lies in the first two coordinates of R^d and is centred at the origin.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case, Domain, Geometry, Parameter
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import SAMPLE_SIZE

DIMENSION = Parameter("d", Domain.FROM_TWO, sp.Integer(2), "dimension of the space", symbols.d)
RADIUS = Parameter(
    "a", Domain.POSITIVE, sp.S.One, "radius of the circle", sp.Symbol("a", positive=True)
)


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """A ball of radius r has mass (2/π) arcsin(r/2a), at least (2/π)(r/2a)."""
    a = values["a"]
    return Geometry(2 * a, 1 / (sp.pi * a), 2 * a, 1, a)


CASE = Case(
    name="circle",
    title="Circle",
    law="uniform on the circle of radius a in the first two coordinates of R^d",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, RADIUS),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score", "resolved-stability", "local-mass", "packing"}),
    geometry=_geometry,
)
