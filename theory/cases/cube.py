"""The uniform law on a cube; the algorithm is the empirical score.

The cube is [-a, a]^d.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case, Domain, Geometry, Parameter
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import SAMPLE_SIZE

DIMENSION = Parameter(
    "d", Domain.POSITIVE_INTEGER, sp.Integer(2), "dimension of the space", symbols.d
)
HALF_SIDE = Parameter(
    "a", Domain.POSITIVE, sp.S.One, "half the side of the cube", sp.Symbol("a", positive=True)
)


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """Balls at a corner have least mass: the part of a ball in one orthant, for r <= 2a.

    For any x in the cube each |Y_i − x_i| is stochastically at most its value at a corner, and the
    coordinates are independent.
    """
    a, d = values["a"], values["d"]
    unit_ball = sp.pi ** (d / 2) / sp.gamma(d / 2 + 1)
    return Geometry(2 * a * sp.sqrt(d), unit_ball / (4 * a) ** d, 2 * a, int(d), sp.oo)


CASE = Case(
    name="cube",
    title="Cube",
    law="uniform on [−a, a]^d",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, HALF_SIDE),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score"}),
    geometry=_geometry,
)
