"""Six data points on a regular hexagon in the plane, as in the first figure of the paper."""

from __future__ import annotations

import sympy as sp

from theory.cases.noised_point import coordinate, noised_point_case, noised_point_forms
from theory.cases.parameters import HALF_DISTANCE

X = coordinate("x", sp.S.Half, "first coordinate of the noised point")
Y = coordinate("y", sp.Rational(1, 4), "second coordinate of the noised point")

CASE = noised_point_case(
    "noised-hexagon",
    "A noised point, a hexagon of data points",
    "six points at distance a from the origin, at multiples of 60°",
    (HALF_DISTANCE, X, Y),
    noised_point_forms(
        [
            (
                HALF_DISTANCE.symbol * sp.cos(k * sp.pi / 3),
                HALF_DISTANCE.symbol * sp.sin(k * sp.pi / 3),
            )
            for k in range(6)
        ],
        [sp.Rational(1, 6)] * 6,
        (X.symbol, Y.symbol),
        HALF_DISTANCE.symbol,
    ),
)
