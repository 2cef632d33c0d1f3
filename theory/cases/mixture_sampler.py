"""A mixture on the line and its true score: the sampler's law by deterministic transport."""

from __future__ import annotations

import sympy as sp

from theory.cases import reverse_mixture
from theory.cases.case import Case
from theory.sampler_steps import SAMPLER, measure_of_times, too_many_steps

CASE = Case(
    name="mixture-sampler",
    title="Sampler with the true score, a mixture on the line",
    law="equal mixture of N(y_j, s²), y_j = a cos(2π (j + 1/3)/K); s = 0: point masses",
    algorithm="the true score",
    parameters=(*reverse_mixture.CASE.parameters, *SAMPLER),
    closed_forms=lambda values: {
        "score_error": sp.S.Zero,
        **reverse_mixture.second_moment(values),
    },
    measured=(
        "KL",
        "D_kappa",
        "KL_prior",
        "step_fisher",
        "fisher_integral",
        "fisher_steps",
        "fisher_drift",
    ),
    properties=frozenset({"sampler", "true-score"}),
    fixed=reverse_mixture.CASE.fixed,
    objection=too_many_steps,
    time_measure=measure_of_times,
)
