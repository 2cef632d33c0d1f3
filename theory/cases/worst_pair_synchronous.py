"""The worst pair under synchronous coupling: what Proposition 11 has to allow for."""

from __future__ import annotations

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.worst_pair import LAW, PARAMETERS, closed_forms

CASE = Case(
    name="worst-pair-synchronous",
    title="Worst pair of chains, synchronous coupling",
    law=LAW,
    algorithm="SGD from 0 on the score s_θ = θ",
    parameters=PARAMETERS,
    closed_forms=closed_forms,
    measured=(
        "synchronous_distance",
        "synchronous_square",
        "synchronous_stability",
        "saturated_distance",
    ),
    properties=frozenset({"sgd", "synchronous", "resolved-distance", "timeless"}),
    objection=sgd_steps.objection,
)
