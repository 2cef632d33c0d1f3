"""Gaussian data and a score that ignores them: that of N(0, s² I_d), for the law N(m, s² I_d).

The score never changes, so score stability is zero, training and test losses agree on average, and
with v = mu^2 s^2 + sigma^2 its error is B = ∫ mu^2 b^2 / v^2 dτ for b = |m|. Theorem 3a is an
equality, for every N.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_mean
from theory.cases.case import Case, Domain, Parameter
from theory.operators import TimeIntegral
from theory.symbols import mu, sigma2

BIAS = Parameter(
    "b",
    Domain.POSITIVE,
    sp.Integer(1),
    "distance of the law's mean from the one that the score assumes",
    sp.Symbol("b", positive=True),
)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    v = mu**2 * values["s"] ** 2 + sigma2
    bias = TimeIntegral(mu**2 * values["b"] ** 2 / v**2)
    constant = gaussian_mean.CASE.closed_forms(values)["C_sm"]
    return {
        "E_l_dsm": constant + bias,
        "E_l_dsm_hat": constant + bias,
        "E_l_sm": bias,
        "C_sm": constant,
        "eps_stab_squared": sp.S.Zero,
        "E_change_on_sample": sp.S.Zero,
        "E_own_change": sp.S.Zero,
        "E_other_change": sp.S.Zero,
        "E_l_dsm_replaced": constant + bias,
    }


CASE = Case(
    name="fixed-score",
    title="Gaussian data, a score that ignores them",
    law="N(m, s² I_d) with |m| = b",
    algorithm="the score of N(0, s² I_d), whatever the data",
    parameters=(*gaussian_mean.CASE.parameters, BIAS),
    closed_forms=_closed_forms,
    measured=("E_l_sm_hat", "E_C_sm_hat", "E_C_sm_hat_next"),
)
