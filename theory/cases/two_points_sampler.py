"""Two points and the empirical score: a sum over training sets, each transported exactly."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import two_points
from theory.cases.case import Case
from theory.sampler_steps import SAMPLER, measure_of_times, too_many_steps
from theory.symbols import d

_MOST_POINTS = 64
_OF_STABILITY = ("E_l_sm", "E_l_sm_hat", "C_sm", "eps_stab_squared")


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    forms = two_points.CASE.closed_forms(values)
    known = {name: forms[name] for name in _OF_STABILITY if name in forms}
    if "E_l_sm" in known:
        known["score_error"] = known["E_l_sm"]
    return {**known, "second_moment": values["a"] ** 2}


def _objection(values: Mapping[str, sp.Expr]) -> str:
    size = values["N"]
    if size.is_Integer and size > _MOST_POINTS:
        return (
            f"N={size}: the sampler is transported for each of the N + 1 training sets; take N at "
            f"most {_MOST_POINTS}"
        )
    return too_many_steps(values)


CASE = Case(
    name="two-points-sampler",
    title="Sampler with the empirical score, two points",
    law="p δ_a + (1 − p) δ_{−a} on the line",
    algorithm="empirical score",
    parameters=(*two_points.CASE.parameters, *SAMPLER),
    closed_forms=_closed_forms,
    measured=(
        "KL",
        "D_kappa",
        "KL_prior",
        "step_fisher",
        "fisher_integral",
        "fisher_steps",
        "fisher_drift",
    ),
    properties=frozenset({"sampler"}),
    fixed=((d, sp.S.One),),
    geometry=two_points.CASE.geometry,
    objection=_objection,
    time_measure=measure_of_times,
)
