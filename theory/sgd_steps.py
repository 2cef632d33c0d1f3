"""Parameters of stochastic gradient descent with clipping and weight decay.

One step is θ⁺ = (1 − ηλ)θ − η Clip_C(G) (+ η s Z with Gaussian noise), G the gradient of the
denoising loss on a batch of B of the N training points; there are K steps, all of them with the
same step size, and θ_0 = 0. Without noise |θ| stays below R = C/λ.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.symbols import N

STEP_SIZE = Parameter(
    "eta", Domain.POSITIVE, sp.Rational(1, 10), "step size", sp.Symbol("eta", positive=True)
)
WEIGHT_DECAY = Parameter(
    "lambda", Domain.POSITIVE, sp.S.One, "weight decay", sp.Symbol("lambda", positive=True)
)
CLIP = Parameter(
    "C",
    Domain.POSITIVE,
    sp.S.One,
    "norm at which gradients are clipped",
    sp.Symbol("C", positive=True),
)
LIPSCHITZ = Parameter(
    "L",
    Domain.NONNEGATIVE,
    sp.Integer(2),
    "mean Lipschitz constant of the gradient",
    sp.Symbol("L", nonnegative=True),
)
NOISE = Parameter(
    "noise",
    Domain.POSITIVE,
    sp.Integer(3),
    "standard deviation s of the Gaussian gradient noise, per coordinate",
    sp.Symbol("noise", positive=True),
)
BATCH = Parameter(
    "B",
    Domain.POSITIVE_INTEGER,
    sp.S.One,
    "batch size",
    sp.Symbol("B", integer=True, positive=True),
)
STEP_COUNT = Parameter(
    "K",
    Domain.POSITIVE_INTEGER,
    sp.Integer(100),
    "number of steps",
    sp.Symbol("K", integer=True, positive=True),
)
_LARGEST = sp.Integer(10) ** 12

#: More steps than this take minutes.
MOST_STEPS = 10**6


def swap_share() -> sp.Expr:
    """Return B/N, the probability that the replaced point is in a batch, in symbols."""
    return BATCH.symbol / N


def objection(values: Mapping[str, sp.Expr]) -> str:
    """Return what is wrong with values that are each in their domain; empty if nothing is.

    Examples
    --------
    >>> objection({"eta": sp.Integer(2), "lambda": sp.Integer(1)})
    'eta=2, lambda=1: eta · lambda is at most 1, or weight decay overshoots; take eta = 1'
    """
    for name in ("eta", "lambda", "L", "C", "noise"):
        value = values.get(name, sp.S.One)
        if value.is_Rational and value != 0 and not 1 / _LARGEST <= value <= _LARGEST:
            return f"{name}={float(value):.3g}: {name} lies in [1e-12, 1e12] here; take 1, say"
    eta, decay = values.get("eta"), values.get("lambda")
    if eta is not None and decay is not None and _exceeds(eta * decay, sp.S.One):
        return (
            f"eta={eta}, lambda={decay}: eta · lambda is at most 1, or weight decay overshoots; "
            f"take eta = {1 / decay}"
        )
    size, batch = values.get("N"), values.get("B")
    if size is not None and batch is not None and _exceeds(batch, size):
        return f"B={batch}, N={size}: a batch has at most the N training points; take B = {size}"
    steps = values.get("K")
    if steps is not None and _exceeds(steps, sp.Integer(MOST_STEPS)):
        return f"K={steps}: at most {MOST_STEPS} steps are followed; take K = {MOST_STEPS}"
    return ""


def _exceeds(value: sp.Expr, limit: sp.Expr) -> bool:
    return bool(value.is_Rational and limit.is_Rational and value > limit)
