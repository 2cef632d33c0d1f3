"""The distances that bounds on one step of two chains allow, as a proof by steps has to.

From r to h(r) = (1 − ηλ) r + η min(Lr, 2C), or with probability B/N to (1 − ηλ) r + 2ηC. Without
noise, or until they first meet, two chains at θ and −θ have these distances, if the common points
drive them apart with Clip_C(Lθ) and the replaced one with C each, as some loss does. With noise
and reflection–maximal coupling the distance becomes R' of that; chains that have met away from 0
are driven apart less, so there the recursion is an upper model and no pair of chains.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Parameter
from theory.cases.parameters import SAMPLE_SIZE
from theory.sgd_steps import BATCH, CLIP, LIPSCHITZ, STEP_COUNT, STEP_SIZE, WEIGHT_DECAY

PARAMETERS: tuple[Parameter, ...] = (
    SAMPLE_SIZE,
    BATCH,
    STEP_COUNT,
    STEP_SIZE,
    WEIGHT_DECAY,
    LIPSCHITZ,
    CLIP,
)


def closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    """Return what is known of the model: L, Λ² = 1 and R = C/λ."""
    return {
        "gradient_lipschitz": values["L"],
        "score_sensitivity": sp.S.One,
        "parameter_radius": values["C"] / values["lambda"],
    }
