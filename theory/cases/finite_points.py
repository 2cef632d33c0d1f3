"""Finitely many points in R^d with equal weights; the algorithm is the empirical score.

The points are y_j = a (cos θ_j, sin θ_j, cos 2θ_j, sin 2θ_j, …), cut to d coordinates, with
θ_j = 2π (j + 1/3)/K: distinct in every dimension, and a regular polygon for d = 2.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Geometry
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import ATOMS, DIMENSION, HALF_DISTANCE, SAMPLE_SIZE


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    """Each pair (cos, sin) is a chord of the unit circle; a cosine left over differs by 2 or less.

    The reach is half the least distance: at least that of neighbours on the first circle.
    """
    a, count, pairs = values["a"], values["K"], values["d"] // 2
    chords = [
        sp.Add(*(4 * sp.sin(sp.pi * k * j / count) ** 2 for k in range(1, int(pairs) + 1)))
        for j in range(1, int(count) // 2 + 1)
    ]
    squared = sp.Max(*chords, 0) + 4 * (values["d"] % 2)
    apart = a * sp.sin(sp.pi / count) if pairs else sp.S.Zero
    return Geometry(a * sp.sqrt(squared), 1 / count, sp.oo, 0, apart)


CASE = Case(
    name="finite-points",
    title="Finitely many points in R^d",
    law="uniform on K points a (cos θ, sin θ, cos 2θ, …) of R^d (d = 2: a regular polygon)",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, ATOMS, HALF_DISTANCE),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score", "packing"}),
    geometry=_geometry,
)
