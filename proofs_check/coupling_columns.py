"""More columns for tables of Proposition 14: how it compares with Proposition 11 and with Eberle.

``rate_ceiling``: no f contracts faster than this. ``eberle_times_eta``: η times Eberle's rate c of
the diffusion with the same drift and noise s√η, the rate of the limit η → 0 by his own f.
``proposition_11`` and ``saturated``: the bounds by synchronous coupling at the same K.
``crossing``: the first K at which the bound of Proposition 11 is at least that of Proposition 14.
"""

from __future__ import annotations

import math
from functools import lru_cache

import sympy as sp
from flint import arb, ctx

from proofs_check.contraction import Contraction, contraction_at
from proofs_check.enclosure import enclose, exact_ball
from proofs_check.measurement import measure, sides
from proofs_check.number import Method, Number, to_number
from proofs_check.point import Point
from theory import claims
from theory.operators import GeometricSum
from theory.reflection_drifts import clipped_gradient
from theory.sgd_steps import MOST_STEPS

CLAIM = "farghly2026.proposition-14"

_PRECISION = 96
#: Far more than a float's rounding.
_GRAIN = sp.Rational(1, 2**30)
_SYNCHRONOUS = {
    "proposition_11": "farghly2026.proposition-11",
    "saturated": "farghly2026.proposition-11-saturated",
}
_MEASURED = ("synchronous_stability", "synchronous_distance", "synchronous_square")


def coupling_columns(point: Point) -> list[tuple[str, Number | None]]:
    """Return the columns at a point.

    Examples
    --------
    >>> from proofs_check.point import timeless
    >>> columns = dict(coupling_columns(timeless("reflection-recursion")))
    >>> columns["crossing"].value
    15.0
    """
    contraction = contraction_at(point)
    columns: list[tuple[str, Number | None]] = [
        ("rate_ceiling", to_number(contraction.certificate.rate_high)),
        ("eberle_times_eta", _eberle(contraction)),
    ]
    columns += [(name, _bound(claim_id, point)) for name, claim_id in _SYNCHRONOUS.items()]
    return [*columns, ("crossing", crossing(contraction))]


def _bound(claim_id: str, point: Point) -> Number | None:
    """Return the right side of a claim about synchronous coupling at a point of another case."""
    claim = claims.get(claim_id)
    names = [name for name in claim.quantity_names if name not in _MEASURED]
    numbers = measure(point, names)
    if "saturated_distance" in names:
        from proofs_check.sgd_quantities import saturated_distance

        numbers["saturated_distance"] = saturated_distance(point)
    return sides(claim, point, numbers)[1]


@lru_cache(maxsize=256)
def _eberle(contraction: Contraction) -> Number | None:
    """Return η c for σ = s√η, which may be no rational: c is enclosed at two rationals around it.

    More noise in the same drift contracts faster, so the rate lies between the two.
    """
    from proofs_check.drift_quantities import constants_of

    step = contraction.step
    near = sp.Rational(math.sqrt(step.step_size) * float(step.noise))
    ends = (near * (1 - _GRAIN), near * (1 + _GRAIN))
    rates = [
        constants_of(clipped_gradient(step.weight_decay, step.lipschitz, step.clip, end)).rate
        for end in ends
    ]
    return to_number(exact_ball(step.step_size) * rates[0].union(rates[1]))


def crossing(contraction: Contraction) -> Number | None:
    """Return the first K with Σ_{j<K} (1 + η(L − λ))^j ≥ 2R/(f(2R) ρ); None if there is none."""
    step = contraction.step
    if contraction.diameter is None:
        return None
    ratio = 1 + step.step_size * (step.lipschitz - step.weight_decay)

    def reached(k: int) -> bool:
        total = enclose(GeometricSum(ratio, sp.Integer(k)), precision=_PRECISION)
        return bool(total >= level)

    with ctx.workprec(_PRECISION):
        diameter = exact_ball(contraction.diameter)
        level: arb = diameter / contraction.value(diameter) / contraction.certificate.rate_low
        if not reached(MOST_STEPS):
            return None
        low, high = 0, MOST_STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(middle) else (middle, high)
    return Number(float(high), 0.0, Method.ENCLOSURE)
