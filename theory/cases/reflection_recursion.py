"""The distances that Proposition 14's one-step bounds allow, in the ball."""

from __future__ import annotations

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.distance_recursion import PARAMETERS, closed_forms
from theory.sgd_steps import NOISE

CASE = Case(
    name="reflection-recursion",
    title="Distances that one-step bounds allow, reflection",
    law="from r to R' with h(r), or with probability B/N with (1 − ηλ)r + 2ηC; at most 2R",
    algorithm="none: an upper model of noisy SGD, with the score s_θ = θ",
    parameters=(*PARAMETERS, NOISE),
    closed_forms=closed_forms,
    measured=(
        "reflection_distance",
        "reflection_square",
        "reflection_stability",
        "reflection_cost",
        "contraction_rate",
        "step_slope",
        "f_diameter",
        "f_now",
        "f_next",
    ),
    properties=frozenset(
        {"sgd", "reflection", "projected", "recursion", "resolved-distance", "timeless"}
    ),
    objection=sgd_steps.objection,
)
