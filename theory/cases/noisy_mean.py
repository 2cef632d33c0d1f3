"""What the cases of noisy SGD that learns a mean share; see `theory.cases.mean_sgd` for the model.

The gradient of a point is L(θ − x_0), clipped, so L is a Lipschitz constant for every point by
itself, and Λ² = L/2. With noise θ wanders, and gradients are clipped on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.mean_sgd import SLOPE
from theory.cases.parameters import HALF_DISTANCE, SAMPLE_SIZE
from theory.cases.sampled_chains import too_much_work
from theory.sgd_steps import BATCH, CLIP, NOISE, STEP_COUNT, STEP_SIZE, WEIGHT_DECAY

_MEASURED = (
    "reflection_distance",
    "reflection_square",
    "reflection_stability",
    "reflection_cost",
    "contraction_rate",
    "step_slope",
)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    return {
        "gradient_lipschitz": values["L"],
        "score_sensitivity": values["L"] / 2,
        "parameter_radius": values["C"] / values["lambda"],
    }


def _objection(values: Mapping[str, sp.Expr]) -> str:
    return sgd_steps.objection(values) or too_much_work(values)


def noisy_mean(
    name: str, title: str, algorithm: str, measured: str, properties: frozenset[str]
) -> Case:
    """Return the case with this way to treat chains that leave the ball."""
    return Case(
        name=name,
        title=title,
        law="±a with equal probability, on the line",
        algorithm=algorithm,
        parameters=(
            replace(SAMPLE_SIZE, default=sp.Integer(2)),
            HALF_DISTANCE,
            BATCH,
            replace(STEP_COUNT, default=sp.Integer(40)),
            STEP_SIZE,
            WEIGHT_DECAY,
            SLOPE,
            CLIP,
            NOISE,
        ),
        closed_forms=_closed_forms,
        measured=(*_MEASURED, measured),
        properties=frozenset({"sgd", "reflection", "per-sample", "timeless"}) | properties,
        objection=_objection,
    )
