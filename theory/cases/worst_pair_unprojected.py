"""The worst pair with Gaussian noise under reflection–maximal coupling, free to leave the ball."""

from __future__ import annotations

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.worst_pair import LAW, PARAMETERS, closed_forms
from theory.sgd_steps import NOISE

CASE = Case(
    name="worst-pair-unprojected",
    title="Worst pair of noisy chains, not projected",
    law=LAW,
    algorithm="SGD from 0 on the score s_θ = θ with noise η s Z",
    parameters=(*PARAMETERS, NOISE),
    closed_forms=closed_forms,
    measured=(
        "reflection_distance",
        "reflection_square",
        "reflection_stability",
        "reflection_cost",
        "contraction_rate",
        "step_slope",
        "tail_slope",
        "f_now",
        "f_next",
    ),
    properties=frozenset(
        {"sgd", "reflection", "unprojected", "worst-pair", "resolved-distance", "timeless"}
    ),
    objection=sgd_steps.objection,
)
