"""The heat kernel of R^d, N(x, 2t I): Harnack's inequality is an equality."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case
from theory.cases.heat import DISTANCE, PROPERTIES, flat_cost
from theory.claim_parameters import alpha


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    cost = flat_cost(values["rho"] ** 2)
    return {
        "log_harnack_constant": alpha / (alpha - 1) * cost,
        "log_harnack_divergence": cost,
        "transport_cost": cost,
    }


CASE = Case(
    name="heat-line",
    title="Heat kernel of R^d",
    law="k_t(x, ·) = N(x, 2t I_d), |x − y| = ρ",
    algorithm="none: a statement about a semigroup",
    parameters=(DISTANCE,),
    closed_forms=_closed_forms,
    takes=frozenset({"alpha"}),
    properties=PROPERTIES,
)
