"""A wide ReLU network of two hidden layers on noisy copies of three points −a, 0, a.

Its tangent kernel is known in closed form. The training law is taken to be that of the nodes of one
quadrature rule (variance-preserving process, β = 0.1 + 19.9 t, loss weight μ²/σ²): finitely many
inputs, on which the kernel is complete, so that its limit is the naive estimator on those nodes.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.cases.case import Case
from theory.cases.linear_flow import EARLY_STOPPING_TIME
from theory.cases.parameters import HALF_DISTANCE
from theory.cases.regression import TRAINING_SIZE
from theory.cases.training_time import TRAINING_TIME

CASE = Case(
    name="training-time-relu",
    title="Training time, a wide ReLU network",
    law="equal masses at −a, 0, a",
    algorithm="gradient flow of a lazy ReLU network of two hidden layers for the training time",
    parameters=(
        TRAINING_SIZE,
        TRAINING_TIME,
        HALF_DISTANCE,
        replace(EARLY_STOPPING_TIME, default=sp.Rational(1, 10)),
    ),
    closed_forms=lambda values: {},
    measured=("trained_variance", "leading_variance", "unfitted_variance", "early_variance"),
    properties=frozenset({"training-time", "timeless"}),
)
