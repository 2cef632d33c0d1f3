"""SGD that learns a mean: its parameter is an AR(1) process, so distances are exact for every K.

Data at ±a with equal probability, and the score model of a single point θ,
s_θ(x, t) = −(x − μ_t θ)/σ_t². The residual of the denoising loss is (μ/σ²)(θ − x_0): the noise
cancels, the gradient integrated over τ is L(θ − x_0) with L = 2 ∫ μ²/σ⁴ dτ, and the score changes
by Λ² |θ − θ'|² with Λ² = L/2. Started at 0 with η(λ + L) ≤ 1, θ stays in [−a, a], so gradients
are at most 2La, and with C ≥ 2La no gradient is ever clipped. With q = 1 − η(λ + L) and synchronous
coupling

    Δ_K = (ηL/B)(x_i − x̃) Σ_k q^(K−1−k) 1{i in batch k}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from theory import sgd_steps
from theory.cases.case import Case
from theory.cases.parameters import HALF_DISTANCE, SAMPLE_SIZE
from theory.operators import GeometricSum
from theory.sgd_steps import BATCH, CLIP, LIPSCHITZ, STEP_COUNT, STEP_SIZE, WEIGHT_DECAY

SLOPE = replace(LIPSCHITZ, default=sp.S.Half, meaning="2 ∫ μ²/σ⁴ dτ, the slope of the gradient")


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    size, batch, steps = values["N"], values["B"], values["K"]
    eta, decay, lipschitz, a = values["eta"], values["lambda"], values["L"], values["a"]
    ratio, share = 1 - eta * (decay + lipschitz), batch / size
    once, twice = GeometricSum(ratio, steps), GeometricSum(ratio**2, steps)
    scale = eta * lipschitz * a / batch  # |x_i − x̃| is 0 or 2a, each with probability 1/2
    square = 2 * scale**2 * (share * (1 - share) * twice + share**2 * once**2)
    return {
        "gradient_lipschitz": lipschitz,
        "score_sensitivity": lipschitz / 2,
        "parameter_radius": values["C"] / decay,
        "synchronous_distance": scale * share * once,
        "synchronous_square": square,
        "synchronous_stability": lipschitz / 2 * square,
    }


def _objection(values: Mapping[str, sp.Expr]) -> str:
    if objection := sgd_steps.objection(values):
        return objection
    eta, decay, lipschitz = values["eta"], values["lambda"], values["L"]
    if not all(value.is_Rational for value in values.values()):
        return ""
    if eta * (decay + lipschitz) > 1:
        return (
            f"eta={eta}, lambda={decay}, L={lipschitz}: eta (lambda + L) is at most 1 here, or θ "
            f"overshoots; take eta = {1 / (decay + lipschitz)}"
        )
    largest = 2 * lipschitz * values["a"]
    if values["C"] < largest:
        return (
            f"C={values['C']}: gradients of this case are as large as 2 L a, and its closed form "
            f"has none of them clipped; take C = {largest}"
        )
    return ""


CASE = Case(
    name="mean-sgd",
    title="SGD learning a mean",
    law="±a with equal probability, on the line",
    algorithm="SGD from 0 on the score of one point, −(x − μθ)/σ²",
    parameters=(
        SAMPLE_SIZE,
        HALF_DISTANCE,
        BATCH,
        STEP_COUNT,
        STEP_SIZE,
        WEIGHT_DECAY,
        SLOPE,
        CLIP,
    ),
    closed_forms=_closed_forms,
    measured=("saturated_distance",),
    properties=frozenset(
        {"sgd", "synchronous", "per-sample", "score-model", "resolved-distance", "timeless"}
    ),
    objection=_objection,
)
