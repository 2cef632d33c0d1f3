"""A Gaussian mixture and the empirical score; the true score is a closed form, its losses are not.

The centres are the points of the case ``finite-points``.
"""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Case
from theory.cases.gaussian_data import MEASURED
from theory.cases.parameters import (
    ATOMS,
    DIMENSION,
    HALF_DISTANCE,
    SAMPLE_SIZE,
    STANDARD_DEVIATION,
)

CASE = Case(
    name="gaussian-mixture",
    title="Gaussian mixture, empirical score",
    law="equal mixture of N(y_j, s² I_d), y_j the K points of finite-points",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, DIMENSION, ATOMS, HALF_DISTANCE, STANDARD_DEVIATION),
    closed_forms=lambda _: {"E_l_sm_hat": sp.S.Zero},
    measured=(*MEASURED, "C_sm"),
    properties=frozenset({"empirical-score"}),
)
