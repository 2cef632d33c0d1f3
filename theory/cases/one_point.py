"""One training point and the empirical score, for any law.

Only the total variance V of the law enters, and the unknown C_sm, which is at most that of no
information: C_sm <= V ∫ mu^2/sigma^4 dτ. Numbers (not proofs) take the law to be Gaussian.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import quantities as q
from theory.cases.case import Case, Domain, Parameter
from theory.cases.parameters import DIMENSION
from theory.claim import Relation
from theory.operators import TimeIntegral
from theory.symbols import N, mu, sigma2

VARIANCE = Parameter(
    "V",
    Domain.POSITIVE,
    sp.Integer(1),
    "total variance of the law, the trace of its covariance",
    sp.Symbol("V", positive=True),
)
_NO_INFORMATION = TimeIntegral(mu**2 / sigma2**2)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    spread = 2 * values["V"] * _NO_INFORMATION
    return {
        "E_l_dsm": spread,
        "E_l_dsm_hat": sp.S.Zero,
        "E_l_sm": spread - q.C_sm,
        "E_l_sm_hat": sp.S.Zero,
        "E_C_sm_hat": sp.S.Zero,
        "eps_stab_squared": spread,
        "E_l_dsm_replaced": sp.S.Zero,
        "E_change_on_sample": spread,
    }


def _gaussian(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    d, variance = values["d"], values["V"]
    v = mu**2 * variance / d + sigma2
    c = TimeIntegral(mu**2 * variance / (sigma2 * v))
    return {"C_sm": c, "E_l_sm": 2 * variance * _NO_INFORMATION - c}


CASE = Case(
    name="one-point",
    title="One training point, any law",
    law="any law of total variance V (in tables: Gaussian)",
    algorithm="empirical score",
    parameters=(VARIANCE, DIMENSION),
    closed_forms=_closed_forms,
    example=_gaussian,
    measured=("E_C_sm_hat_next", "E_own_change", "E_other_change"),
    bounds=(Relation(q.C_sm, "<=", VARIANCE.symbol * _NO_INFORMATION),),
    properties=frozenset({"empirical-score"}),
    fixed=((N, sp.S.One),),
)
