"""Gaussian data and the empirical score: only C_sm and the fit to the empirical score are exact."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_mean
from theory.cases.case import Case

#: What an empirical score leaves to measure when the law is not made of closed forms.
MEASURED = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
    "E_C_sm_hat_next",
    "E_l_dsm_replaced",
    "E_change_on_sample",
    "E_own_change",
    "E_other_change",
)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    return {"C_sm": gaussian_mean.CASE.closed_forms(values)["C_sm"], "E_l_sm_hat": sp.S.Zero}


CASE = Case(
    name="gaussian-data",
    title="Gaussian data, empirical score",
    law="N(m, s² I_d), any m",
    algorithm="empirical score",
    parameters=gaussian_mean.CASE.parameters,
    closed_forms=_closed_forms,
    measured=MEASURED,
    properties=frozenset({"empirical-score"}),
)
