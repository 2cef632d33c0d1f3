"""Gaussian data, the mean estimated: the sampler's output is Gaussian, given the training set.

The error of the score is independent of x and has mean zero, so it does not correlate with the true
score: the error along the path is the score error plus the discretisation error.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases import gaussian_mean, gaussian_sampler
from theory.cases.case import Case
from theory.sampler_steps import measure_of_times

_OF_STABILITY = ("E_l_sm", "C_sm", "eps_stab_squared")


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    if not (values["L"].is_Integer and values["m"].is_Integer):
        return {}
    shape = int(values["L"]), int(values["m"])
    law = gaussian_sampler.quantities_of_law(*shape)
    error = gaussian_sampler.score_error_of_mean(*shape)
    stability = gaussian_mean.CASE.closed_forms({**values, "s": sp.sqrt(values["s2"])})
    return {
        **law,
        "KL": gaussian_sampler.divergence(*shape, estimated=True),
        "score_error": error,
        "path_error": error + law["D_kappa"],
        **{name: stability[name] for name in _OF_STABILITY},
    }


CASE = Case(
    name="gaussian-sampler-mean",
    title="Sampler with the estimated mean, Gaussian data",
    law="N(m, s² I_d) with |m| = b",
    algorithm="plug in the sample mean, variance known",
    parameters=gaussian_sampler.WITH_DATA,
    closed_forms=_closed_forms,
    measured=("least_KL", "least_bound"),
    properties=frozenset({"sampler"}),
    objection=gaussian_sampler.objection,
    time_measure=measure_of_times,
)
