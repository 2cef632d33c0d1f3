"""The naive estimator on Gaussian data: a fresh proxy score at each Euler step.

x_{t−h} = x_t + h(βx + Ds) + √(κh) D (proxy − s) with x_T ~ N(0, v_T). The step is linear and the
proxy score has variance C_t whatever x is, so the chain's variance is a recursion,
V⁺ = (1 + hb)² V + κhD²C with b = β − D/v. The effective SDE has V' = 2bV + κD²C in reverse time,
whose solution is V_ε = v_ε (1 + κ ∫ D²C/v dt).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.cases.linear_flow import (
    DATA_VARIANCE,
    EARLY_STOPPING_TIME,
    HORIZON,
    LinearFlow,
    times_objection,
)
from theory.process import SCHEDULES, Schedule
from theory.sgd_steps import STEP_COUNT
from theory.symbols import t

MEMORY = Parameter(
    "kappa",
    Domain.NONNEGATIVE,
    sp.Rational(1, 10),
    "strength of the fresh noise, in units of time",
    sp.Symbol("kappa", nonnegative=True),
)
STEPS = replace(
    STEP_COUNT, domain=Domain.POSITIVE_INTEGER, default=sp.Integer(50), meaning="Euler steps"
)


def _closed_forms(schedule: Schedule, values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    flow = LinearFlow(schedule, values["s2"])
    early, horizon = values["eps"], values["T"]
    rate = flow.diffusion(t) ** 2 * flow.proxy_variance(t) / flow.variance(t)
    added = sp.Integral(rate, (t, early, horizon)) if rate != 0 else sp.S.Zero
    return {
        "effective_variance": flow.variance(early) * (1 + values["kappa"] * added),
        "flow_variance": flow.variance(early),
    }


def naive_estimator(schedule: Schedule) -> Case:
    """Return the case of a schedule."""
    return Case(
        name=f"naive-gaussian-{schedule.name.partition('-')[0]}",
        title=f"The naive estimator on Gaussian data, {schedule.title}",
        law="N(0, s2) on the line",
        algorithm="Euler steps along the flow, with a fresh proxy score at each",
        parameters=(DATA_VARIANCE, MEMORY, EARLY_STOPPING_TIME, HORIZON, STEPS),
        closed_forms=partial(_closed_forms, schedule),
        measured=("naive_chain_variance", "naive_variance_gap"),
        properties=frozenset({"naive-estimator", "timeless"}),
        objection=times_objection,
    )


OU, VP = naive_estimator(SCHEDULES["ou"]), naive_estimator(SCHEDULES["vp-linear"])
