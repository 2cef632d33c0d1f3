"""Gaussian data, mean and variance estimated: expectations over the χ² law of the variance."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_sampler
from theory.cases.case import Case
from theory.sampler_steps import measure_of_times


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    if not (values["L"].is_Integer and values["m"].is_Integer):
        return {}
    return gaussian_sampler.quantities_of_law(int(values["L"]), int(values["m"]))


CASE = Case(
    name="gaussian-sampler-plug-in",
    title="Sampler with estimated mean and variance, Gaussian data",
    law="N(m, s² I_d) with |m| = b",
    algorithm="plug in the sample mean and the sample variance",
    parameters=gaussian_sampler.WITH_DATA,
    closed_forms=_closed_forms,
    measured=("KL", "score_error", "path_error", "least_KL", "least_bound"),
    properties=frozenset({"sampler"}),
    objection=gaussian_sampler.objection,
    time_measure=measure_of_times,
)
