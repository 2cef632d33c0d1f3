"""The uniform law on a flat torus; the algorithm is the empirical score.

The torus is the product of two circles of radius a, (a cos u, a sin u, a cos v, a sin v), in the
first four coordinates of R^d.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case, Domain, Geometry, Parameter
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import SAMPLE_SIZE

DIMENSION = Parameter("d", Domain.FROM_FOUR, sp.Integer(4), "dimension of the space", symbols.d)
RADIUS = Parameter(
    "a",
    Domain.POSITIVE,
    sp.S.One,
    "radius of each of the two circles",
    sp.Symbol("a", positive=True),
)


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """Chords are at most arcs, so a ball of radius r holds the disc of angles of radius r/a.

    Up to r = 2√2 a < π a that disc fits in the square of angles, of area 4π².
    """
    a = values["a"]
    diameter = 2 * sp.sqrt(2) * a
    return Geometry(diameter, 1 / (4 * sp.pi * a**2), diameter, 2, a)


CASE = Case(
    name="flat-torus",
    title="Flat torus",
    law="uniform on the product of two circles of radius a in the first four coordinates of R^d",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, RADIUS),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score"}),
    geometry=_geometry,
)
