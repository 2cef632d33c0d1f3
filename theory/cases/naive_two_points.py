"""The naive estimator on two data points ±a: how much mass ends up half-way between them.

The gap is the middle half, |x| < a/2. To first order in κ fresh noise carries mass out of every
interval around the midpoint: noise of variance κD²C dt changes the mass of |x| < c at the rate
κD² (C p)'(c), and C p = (μa/σ²)² sech(u) e^{−x²/(2σ²)} up to a constant, u = μax/σ²,
falls with |x|.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.cases.case import Case
from theory.cases.linear_flow import EARLY_STOPPING_TIME, HORIZON, times_objection
from theory.cases.naive_estimator import MEMORY, STEPS
from theory.cases.parameters import HALF_DISTANCE
from theory.process import SCHEDULES, Schedule


def naive_two_points(schedule: Schedule, horizon: sp.Expr) -> Case:
    """Return the case of a schedule."""
    return Case(
        name=f"naive-two-points-{schedule.name.partition('-')[0]}",
        title=f"The naive estimator on two points, {schedule.title}",
        law="½ δ_a + ½ δ_{−a} on the line",
        algorithm="Euler steps along the flow, with a fresh proxy score at each",
        parameters=(
            HALF_DISTANCE,
            MEMORY,
            replace(EARLY_STOPPING_TIME, default=sp.Rational(1, 10)),
            replace(HORIZON, default=horizon),
            replace(STEPS, default=sp.Integer(100)),
        ),
        closed_forms=lambda values: {},
        measured=("gap_mass", "gap_mass_of_flow"),
        properties=frozenset({"naive-gap", "timeless"}),
        objection=times_objection,
    )


OU = naive_two_points(SCHEDULES["ou"], sp.Integer(4))
VP = naive_two_points(SCHEDULES["vp-linear"], sp.Integer(1))
