"""The worst pair under synchronous coupling: what Proposition 11 has to allow for."""

from __future__ import annotations

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.distance_recursion import PARAMETERS, closed_forms

CASE = Case(
    name="worst-pair-synchronous",
    title="Worst pair of chains, synchronous coupling",
    law="θ and −θ, gradients −Clip_C(Lθ) on common points and ±C on the replaced one",
    algorithm="SGD from 0 on some loss, with the score s_θ = θ",
    parameters=PARAMETERS,
    closed_forms=closed_forms,
    measured=(
        "synchronous_distance",
        "synchronous_square",
        "synchronous_stability",
        "saturated_distance",
    ),
    properties=frozenset({"sgd", "synchronous", "recursion", "resolved-distance", "timeless"}),
    objection=sgd_steps.objection,
)
