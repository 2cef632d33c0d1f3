"""The numbers of Eberle's function at a point, enclosed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sympy as sp
from flint import arb

from numerics.reflected_rate import distance_of_weight, reflected_rate
from proofs_check.eberle_constants import (
    EberleConstants,
    InequalityCertificate,
    certify_differential_inequality,
    eberle_constants,
)
from proofs_check.enclosure import enclose, exact_ball
from proofs_check.number import Method, Number, to_number
from proofs_check.point import Point
from theory.reflection_drifts import (
    DISTANCE,
    ReflectionDrift,
    clipped_gradient,
    double_well,
    ornstein_uhlenbeck,
)

_BUILDERS: Mapping[str, Callable[..., ReflectionDrift]] = {
    "eberle-ou": ornstein_uhlenbeck,
    "eberle-double-well": double_well,
    "eberle-clipped": clipped_gradient,
}


def drift_quantities(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Return those of the named quantities that a drift's case computes.

    Those of one distance are at ``share`` times R_1; the largest distance is R_1.
    """
    if point.case not in _BUILDERS:
        return {}
    drift = drift_of(point)
    constants = constants_of(drift)
    found: dict[str, Number] = {}
    if "best_rate" in names and "best_rate" in point.law.measured:
        found["best_rate"] = _best_rate(drift)
    balls = {"eberle_rate": constants.rate}
    share = dict(point.claim_values).get("share")
    if share is not None:
        balls |= _at_distance(drift, constants, exact_ball(share) * constants.outer_radius)
    wanted = {name: to_number(balls[name]) for name in names if name in balls}
    return found | {name: number for name, number in wanted.items() if number is not None}


def drift_of(point: Point) -> ReflectionDrift:
    """Return the drift of a point, its parameters in the case's order."""
    return _BUILDERS[point.case](*(value for _, value in point.values))


@lru_cache(maxsize=64)
def constants_of(drift: ReflectionDrift) -> EberleConstants:
    """Return Eberle's constants to thirty digits.

    Raises
    ------
    ValueError
        One line, if the drift is so weak or so steep that they are out of reach.
    """
    try:
        return eberle_constants(drift)
    except ValueError:
        given = ", ".join(f"{name}={value}" for name, value in drift.parameters)
        raise ValueError(
            f"{given}: Eberle's constants are out of reach of enclosures here; take parameters "
            "nearer to one"
        ) from None


@lru_cache(maxsize=64)
def certificate_of(drift: ReflectionDrift) -> InequalityCertificate:
    """Return what was shown of Eberle's inequality at every distance."""
    return certify_differential_inequality(drift)


#: Distances are cut off where the weight has fallen to e to the minus these; results are compared.
_CUTS = (36.0, 48.0)


def _best_rate(drift: ReflectionDrift) -> Number:
    """Return the least eigenvalue of the reflected generator."""
    ends = [float(end) for end, _ in drift.pieces]
    rows = [
        [float(c) for c in sp.Poly(sp.expand(DISTANCE * kappa), DISTANCE).all_coeffs()[::-1]]
        for _, kappa in drift.pieces
    ]
    longest = max(map(len, rows))
    padded = [[*row, *([0.0] * (longest - len(row)))] for row in rows]
    near, far = (
        reflected_rate(ends, padded, distance_of_weight(ends, padded, cut)) for cut in _CUTS
    )
    error = far.error + abs(far.value - near.value)
    return Number(far.value, error, Method.QUADRATURE)


def _at_distance(
    drift: ReflectionDrift, constants: EberleConstants, distance: arb
) -> dict[str, arb]:
    f, first, second = constants.at(distance)
    curvature = next(kappa for end, kappa in drift.pieces if _is_before(distance, end))
    pull = enclose(sp.expand(DISTANCE * curvature), {DISTANCE: distance}, precision=96)
    return {
        "distance": distance,
        "f_now": f,
        "f_decay": pull * first / 2 - 2 * second,
        "f_floor": constants.slope * distance / 2,
    }


def _is_before(distance: arb, end: sp.Expr) -> bool:
    return bool(end == sp.oo or distance <= enclose(end, precision=96))
