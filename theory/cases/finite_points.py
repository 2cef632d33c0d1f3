"""Finitely many points in R^d with equal weights; the algorithm is the empirical score.

The points are y_j = a (cos θ_j, sin θ_j, cos 2θ_j, sin 2θ_j, …), cut to d coordinates, with
θ_j = 2π (j + 1/3)/K: distinct in every dimension, and a regular polygon for d = 2.
"""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Case
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import ATOMS, DIMENSION, HALF_DISTANCE, SAMPLE_SIZE

CASE = Case(
    name="finite-points",
    title="Finitely many points in R^d",
    law="uniform on K points a (cos θ, sin θ, cos 2θ, …) of R^d (d = 2: a regular polygon)",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, ATOMS, HALF_DISTANCE),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score"}),
)
