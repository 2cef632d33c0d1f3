"""Gaussian data of known variance; the algorithm estimates the mean.

With v = mu^2 s^2 + sigma^2 the noised law is N(mu m, v I) and the trained score is
-(x - mu x̄)/v. Everything but the constant of the training set is exact, through two integrals:

    A = ∫ d mu^2 s^2 / v^2 dτ,    C = ∫ d mu^2 s^2 / (sigma^2 v) dτ,    A <= C since sigma^2 <= v.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case
from theory.cases.parameters import DIMENSION, SAMPLE_SIZE, STANDARD_DEVIATION
from theory.operators import TimeIntegral
from theory.symbols import mu, sigma2


def _integrands(values: Mapping[str, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    s, d = values["s"], values["d"]
    v = mu**2 * s**2 + sigma2
    return d * mu**2 * s**2 / v**2, d * mu**2 * s**2 / (sigma2 * v)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    n = values["N"]
    a, c = map(TimeIntegral, _integrands(values))
    return {
        "E_l_dsm": c + a / n,
        "E_l_dsm_hat": c - a / n,
        "E_l_sm": a / n,
        "C_sm": c,
        "eps_stab_squared": 2 * a / n**2,
        # The score moves by the same vector everywhere: x̄ − x̄ⁱ = (x_i − x̃)/N, and (x̃ − x̄)/(N + 1)
        # where x̃ joins the others.
        "E_change_on_sample": 2 * a / n**2,
        "E_own_change": a / (n * (n + 1)),
        "E_other_change": a / (n * (n + 1)),
        # x̃ − x̄ⁱ = (1 − 1/N) x̃ − (the other N − 1 points)/N
        "E_l_dsm_replaced": c - a + a * ((1 - 1 / n) ** 2 + (n - 1) / n**2),
    }


_PARAMETERS = (SAMPLE_SIZE, DIMENSION, STANDARD_DEVIATION)

CASE = Case(
    name="gaussian-mean",
    title="Gaussian data, mean estimated",
    law="N(m, s² I_d), any m",
    algorithm="plug in the sample mean, variance known",
    parameters=_PARAMETERS,
    closed_forms=_closed_forms,
    measured=("E_l_sm_hat", "E_C_sm_hat", "E_C_sm_hat_next"),
    facts=(_integrands({p.name: p.symbol for p in _PARAMETERS}),),
    properties=frozenset({"resolved-rate"}),
)
