"""Gaussian data; the algorithm plugs in the sample mean and the sample variance.

The trained score is -(x - mu x̄)/(mu^2 ŝ^2 + sigma^2) with ŝ^2 the mean squared deviation per
coordinate, N d ŝ^2 / s^2 ~ χ²(d(N-1)). Only C_sm is a closed form; the losses are one-dimensional
expectations over that χ², score stability is a four-dimensional one.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_mean
from theory.cases.case import Case


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    return {"C_sm": gaussian_mean.CASE.closed_forms(values)["C_sm"]}


CASE = Case(
    name="gaussian-mean-variance",
    title="Gaussian data, mean and variance estimated",
    law="N(m, s² I_d), any m",
    algorithm="plug in the sample mean and the sample variance",
    parameters=gaussian_mean.CASE.parameters,
    closed_forms=_closed_forms,
    measured=(
        "E_l_dsm",
        "E_l_dsm_hat",
        "E_l_sm",
        "eps_stab_squared",
        "E_l_dsm_replaced",
        "E_l_sm_hat",
        "E_C_sm_hat",
        "E_C_sm_hat_next",
    ),
    properties=frozenset({"resolved-rate"}),
)
