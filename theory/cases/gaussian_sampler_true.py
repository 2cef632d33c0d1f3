"""Gaussian data, the true score: only discretisation and the prior are left."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_sampler
from theory.cases.case import Case
from theory.sampler_steps import measure_of_times


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    if not (values["L"].is_Integer and values["m"].is_Integer):
        return {}
    shape = int(values["L"]), int(values["m"])
    law = gaussian_sampler.quantities_of_law(*shape)
    return {
        **law,
        "KL": gaussian_sampler.divergence(*shape, estimated=False),
        "score_error": sp.S.Zero,
        "path_error": law["D_kappa"],
    }


CASE = Case(
    name="gaussian-sampler-true",
    title="Sampler with the true score, Gaussian data",
    law="N(m, s² I_d) with |m| = b",
    algorithm="the true score",
    parameters=gaussian_sampler.WITHOUT_DATA,
    closed_forms=_closed_forms,
    measured=("least_KL", "least_bound"),
    properties=frozenset({"sampler", "true-score"}),
    objection=gaussian_sampler.objection,
    time_measure=measure_of_times,
)
