"""A double well on the line, dX = (aX − X³) dt + dW: κ(r) = r²/2 − 2a."""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.cases.reflection_drift import reflection_drift

DEPTH = Parameter(
    "a",
    Domain.POSITIVE,
    sp.S.One,
    "slope of the drift at the top between the wells, which lie at ±√a",
    sp.Symbol("a", positive=True),
)

CASE = reflection_drift(
    "eberle-double-well",
    "Reflection coupling, double well",
    "dX = (aX − X³) dt + dW on the line",
    (DEPTH,),
    {},
)
