"""One data point: the proxy score is the score, and nothing is left to vary."""

from __future__ import annotations

import sympy as sp

from theory.cases.noised_point import coordinate, noised_point_case, noised_point_forms
from theory.cases.parameters import HALF_DISTANCE

X = coordinate("x", sp.S.Half, "the noised point")

CASE = noised_point_case(
    "noised-one-point",
    "A noised point, one data point",
    "δ_a on the line",
    (HALF_DISTANCE, X),
    noised_point_forms([(HALF_DISTANCE.symbol,)], [sp.S.One], (X.symbol,), sp.S.Zero),
)
