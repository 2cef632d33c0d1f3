"""Noisy SGD learning a mean, free to leave the ball."""

from __future__ import annotations

from theory.cases.noisy_mean import noisy_mean

CASE = noisy_mean(
    "noisy-mean-sgd-unprojected",
    "Noisy SGD learning a mean, not projected",
    "SGD from 0 on the score of one point, each point's gradient clipped, noise η s Z",
    "tail_slope",
    frozenset({"unprojected"}),
)
