"""Clipped gradients with weight decay in continuous time: the limit of Proposition 14's step."""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.cases.reflection_drift import reflection_drift
from theory.sgd_steps import CLIP, LIPSCHITZ, WEIGHT_DECAY

AMPLITUDE = Parameter(
    "sigma",
    Domain.POSITIVE,
    sp.S.One,
    "amplitude of the noise, s√η for steps of size η with noise s",
    sp.Symbol("sigma", positive=True),
)

CASE = reflection_drift(
    "eberle-clipped",
    "Reflection coupling, clipped gradients",
    "dθ = (−λθ − Clip_C g(θ)) dt + σ dW, distances in units of σ",
    (WEIGHT_DECAY, LIPSCHITZ, CLIP, AMPLITUDE),
    {},
)
