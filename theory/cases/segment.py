"""The uniform law on a segment; the algorithm is the empirical score.

The segment is [-a, a] on the first axis of R^d.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import symbols
from theory.cases.case import Case, Domain, Geometry, Parameter
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import SAMPLE_SIZE

DIMENSION = Parameter(
    "d", Domain.POSITIVE_INTEGER, sp.Integer(1), "dimension of the space", symbols.d
)
HALF_LENGTH = Parameter(
    "a", Domain.POSITIVE, sp.S.One, "half the length of the segment", sp.Symbol("a", positive=True)
)


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """A ball of radius r at an end point has mass r/2a, and none has less."""
    a = values["a"]
    return Geometry(2 * a, 1 / (2 * a), 2 * a, 1, sp.oo)


CASE = Case(
    name="segment",
    title="Segment",
    law="uniform on [−a, a], on the first axis of R^d",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, HALF_LENGTH),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score", "resolved-stability", "local-mass", "packing"}),
    geometry=_geometry,
)
