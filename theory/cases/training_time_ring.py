"""A complete kernel on F inputs on a ring: at long training times it fits every input by itself.

The kernel of a lazy walk, (1 − c) δ + (c/2)(neighbours), has the eigenvalues 1 − c + c cos(2πk/F).
Its limit is the Kronecker delta over λp, and the linear model of all its modes the naive estimator.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.cases.training_time import spectrum_case

COUPLING = Parameter(
    "coupling",
    Domain.OPEN_UNIT,
    sp.Rational(1, 4),
    "weight of the neighbours; below 1/2 every eigenvalue is positive",
    sp.Symbol("coupling", positive=True),
)


def _objection(values: Mapping[str, sp.Expr]) -> str:
    coupling = values["coupling"]
    if coupling.is_Rational and coupling > sp.S.Half:
        return (
            f"coupling={coupling}: above 1/2 an eigenvalue is negative and there is no such "
            "kernel; take coupling <= 1/2"
        )
    return ""


CASE = spectrum_case(
    "training-time-ring",
    "Training time, a complete kernel",
    "F inputs on a ring, equally likely",
    COUPLING,
    lambda k, values: (
        1 - values["coupling"] + values["coupling"] * sp.cos(2 * sp.pi * k / values["F"])
    ),
)
