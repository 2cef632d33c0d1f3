"""Ornstein–Uhlenbeck, dX = −λX dt + dW.

f(r) = r contracts at the best rate λ, and Eberle's f at λ/2.
"""

from __future__ import annotations

from theory.cases.reflection_drift import reflection_drift
from theory.sgd_steps import WEIGHT_DECAY

CASE = reflection_drift(
    "eberle-ou",
    "Reflection coupling, Ornstein–Uhlenbeck",
    "dX = −λX dt + dW",
    (WEIGHT_DECAY,),
    {"eberle_rate": WEIGHT_DECAY.symbol / 2, "best_rate": WEIGHT_DECAY.symbol},
)
