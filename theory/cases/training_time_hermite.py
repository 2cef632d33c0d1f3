"""Mehler's kernel on Gaussian inputs: its modes are Hermite polynomials, with eigenvalues ρᵏ."""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.cases.training_time import spectrum_case

RATIO = Parameter(
    "rho",
    Domain.OPEN_UNIT,
    sp.S.Half,
    "ratio of neighbouring eigenvalues",
    sp.Symbol("rho", positive=True),
)

CASE = spectrum_case(
    "training-time-hermite",
    "Training time, Mehler's kernel",
    "Gaussian inputs",
    RATIO,
    lambda k, values: values["rho"] ** k,
)
