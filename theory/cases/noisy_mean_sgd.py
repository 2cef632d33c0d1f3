"""Noisy SGD learning a mean, projected on the ball."""

from __future__ import annotations

from theory.cases.noisy_mean import noisy_mean

CASE = noisy_mean(
    "noisy-mean-sgd",
    "Noisy SGD learning a mean",
    "SGD from 0 on the score of one point, each point's gradient clipped, noise η s Z, projected "
    "on |θ| ≤ C/λ",
    "f_diameter",
    frozenset({"projected"}),
)
