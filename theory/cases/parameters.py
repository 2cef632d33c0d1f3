"""Parameters that several cases share."""

from __future__ import annotations

import sympy as sp

from theory import symbols
from theory.cases.case import Domain, Parameter

SAMPLE_SIZE = Parameter(
    "N", Domain.POSITIVE_INTEGER, sp.Integer(4), "number of training points", symbols.N
)
DIMENSION = Parameter("d", Domain.POSITIVE_INTEGER, sp.Integer(1), "dimension", symbols.d)
STANDARD_DEVIATION = Parameter(
    "s",
    Domain.POSITIVE,
    sp.Integer(1),
    "standard deviation of each coordinate of the data",
    sp.Symbol("s", positive=True),
)
HALF_DISTANCE = Parameter(
    "a",
    Domain.POSITIVE,
    sp.Integer(1),
    "scale of the points (or centres): their distance from the origin on a line or circle",
    sp.Symbol("a", positive=True),
)
ATOMS = Parameter(
    "K",
    Domain.POSITIVE_INTEGER,
    sp.Integer(3),
    "number of points (or centres) of the law",
    sp.Symbol("K", integer=True, positive=True),
)
