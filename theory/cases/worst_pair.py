"""The pair of chains that the proofs of Propositions 11 and 14 allow at worst.

On the line, with score s_θ = θ and two chains at θ and θ' = −θ: on common points the gradient is
−Clip_C(Lθ), which drives them apart, and the replaced point pushes them apart by C each. The
distance r = 2|θ| goes to h(r) = (1 − ηλ) r + η min(Lr, 2C), or with probability B/N to
(1 − ηλ) r + 2ηC.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Parameter
from theory.cases.parameters import SAMPLE_SIZE
from theory.sgd_steps import BATCH, CLIP, LIPSCHITZ, STEP_COUNT, STEP_SIZE, WEIGHT_DECAY

LAW = "θ and −θ, gradients −Clip_C(Lθ) on common points and ±C on the replaced one"

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
