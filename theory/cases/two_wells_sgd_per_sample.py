"""SGD with two wells, the gradient of each point clipped."""

from __future__ import annotations

from theory.cases.two_wells import two_wells

CASE = two_wells(
    "two-wells-sgd-per-sample", "each point's gradient clipped", frozenset({"per-sample"})
)
