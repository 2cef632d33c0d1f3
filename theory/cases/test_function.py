"""f(z) = exp(θ z) on a line through x and y: where Harnack's inequality for Gaussians is sharp.

With y at the origin and x at distance r, μx + σZ has mean μr along the line, so every mean is that
of a log-normal variable.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.claim_parameters import alpha
from theory.symbols import mu, sigma2

DISTANCE = Parameter(
    "r",
    Domain.NONNEGATIVE,
    sp.S.One,
    "distance of x and y",
    sp.Symbol("r", nonnegative=True),
)
SLOPE = Parameter(
    "theta", Domain.POSITIVE, sp.S.One, "slope of log f", sp.Symbol("theta", positive=True)
)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    r, theta = values["r"], values["theta"]
    return {
        "P_f_x": sp.exp(theta * mu * r + theta**2 * sigma2 / 2),
        "P_f_y": sp.exp(theta**2 * sigma2 / 2),
        "P_f_alpha_y": sp.exp(alpha**2 * theta**2 * sigma2 / 2),
        "geometric_mean_x": sp.exp(theta * mu * r),
    }


CASE = Case(
    name="test-function",
    title="Exponential test function",
    law="y = 0, |x − y| = r, f(z) = exp(θ⟨x, z⟩/r)",
    algorithm="none: a statement about the noising semigroup",
    parameters=(DISTANCE, SLOPE),
    closed_forms=_closed_forms,
    takes=frozenset({"alpha"}),
    properties=frozenset({"test-function"}),
)
