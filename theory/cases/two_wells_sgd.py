"""SGD with two wells, the mean gradient of a batch clipped."""

from __future__ import annotations

from theory.cases.two_wells import two_wells

CASE = two_wells("two-wells-sgd", "batch gradients clipped", frozenset())
