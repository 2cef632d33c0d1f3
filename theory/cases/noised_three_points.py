"""Three data points −a, 0, a as in the second figure of the paper."""

from __future__ import annotations

import sympy as sp

from theory.cases.noised_point import coordinate, noised_point_case, noised_point_forms
from theory.cases.parameters import HALF_DISTANCE

X = coordinate("x", sp.S.Half, "the noised point")

CASE = noised_point_case(
    "noised-three-points",
    "A noised point, three data points",
    "⅓ δ_a + ⅓ δ_0 + ⅓ δ_{−a} on the line",
    (HALF_DISTANCE, X),
    noised_point_forms(
        [(HALF_DISTANCE.symbol,), (sp.S.Zero,), (-HALF_DISTANCE.symbol,)],
        [sp.Rational(1, 3)] * 3,
        (X.symbol,),
        HALF_DISTANCE.symbol,
    ),
)
