"""Two data points ±a: the proxy-score covariance is largest half-way between them."""

from __future__ import annotations

import sympy as sp

from theory.cases.noised_point import coordinate, noised_point_case, noised_point_forms
from theory.cases.parameters import HALF_DISTANCE

X = coordinate("x", sp.S.Half, "the noised point")

CASE = noised_point_case(
    "noised-two-points",
    "A noised point, two data points",
    "½ δ_a + ½ δ_{−a} on the line",
    (HALF_DISTANCE, X),
    noised_point_forms(
        [(HALF_DISTANCE.symbol,), (-HALF_DISTANCE.symbol,)],
        [sp.S.Half, sp.S.Half],
        (X.symbol,),
        HALF_DISTANCE.symbol,
    ),
)
