"""A score model with one random slope: the flow is linear, and its averaged law a mixture.

The model ŝ = −(1 + δ) x/v_t with δ ~ N(0, noise) turns x_T ~ N(0, v_T) into √v_ε e^{−δQ} Z, so the
law averaged over training is an integral over δ. The effective SDE has the random force
ξ(x, t) = D_t (x/v_t) δ, a Gaussian field with V(x, t; x', t') = noise · D D' x x'/(v v').
"""

from __future__ import annotations

from collections.abc import Mapping
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

SLOPE_NOISE = Parameter(
    "noise",
    Domain.NONNEGATIVE,
    sp.Rational(1, 100),
    "variance of the slope over training",
    sp.Symbol("w", nonnegative=True),
)


def _closed_forms(schedule: Schedule, values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    flow = LinearFlow(schedule, values["s2"])
    early, horizon = values["eps"], values["T"]
    end = flow.variance(early)
    accumulated = values["noise"] * flow.growth(early, horizon) ** 2
    return {
        "flow_variance": end,
        "accumulated_noise": accumulated,
        "effective_variance": end * sp.exp(2 * accumulated),
    }


def random_slope(schedule: Schedule) -> Case:
    """Return the case of a schedule."""
    return Case(
        name=f"random-slope-{schedule.name.partition('-')[0]}",
        title=f"A random slope, {schedule.title}",
        law="N(0, s2) on the line",
        algorithm="ŝ = −(1 + δ) x/v with δ ~ N(0, noise), by the probability flow from T to ε",
        parameters=(DATA_VARIANCE, SLOPE_NOISE, EARLY_STOPPING_TIME, HORIZON),
        closed_forms=partial(_closed_forms, schedule),
        measured=("averaged_variance",),
        properties=frozenset({"random-slope", "timeless"}),
        objection=times_objection,
    )


OU, VP = random_slope(SCHEDULES["ou"]), random_slope(SCHEDULES["vp-linear"])
