"""The best constants of Harnack's inequality at a point of a heat-kernel case.

Enclosures where there are any (circle, torus); quadrature with an error elsewhere. A space of
radius a at time t is one of radius one at time t/a².
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy as sp

from numerics.harnack_constants import Space, log_harnack_constant, log_harnack_kl
from proofs_check.heat_kernels import enclose_kl, enclose_log_harnack
from proofs_check.number import Method, Number, to_number
from proofs_check.point import Point

_SPACES: dict[str, Space] = {
    "heat-circle": "circle",
    "heat-torus": "torus",
    "heat-sphere": "sphere",
}

#: On the sphere of radius one, enclosures take seconds below this time.
_QUICK_ON_SPHERE = sp.Rational(1, 10)


def kernel_constants(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Return those of the named quantities that are constants of a heat kernel."""
    wanted = [name for name in names if name in ("log_harnack_constant", "log_harnack_divergence")]
    if not wanted or point.case not in _SPACES or point.one_time is None:
        return {}
    found = {name: _constant(point, name) for name in wanted}
    return {name: number for name, number in found.items() if number is not None}


@lru_cache(maxsize=256)
def _constant(point: Point, name: str) -> Number | None:
    space, values = _SPACES[point.case], dict(point.values)
    radius = values["a"]
    assert point.one_time is not None
    time = sp.Rational(point.one_time / radius**2)
    parts = tuple(sp.Rational(v / radius) for n, v in values.items() if n.startswith("rho"))
    distance = parts if space == "torus" else parts[0]
    alpha = dict(point.claim_values).get("alpha")
    if name == "log_harnack_constant" and alpha is None:
        return None
    if space == "sphere" and time < _QUICK_ON_SPHERE:
        return _by_quadrature(space, float(time), float(parts[0]), alpha, name)
    if name == "log_harnack_constant":
        ball = enclose_log_harnack(space, time=time, distance=distance, alpha=alpha)
    else:
        ball = enclose_kl(space, time=time, distance=distance)
    return to_number(ball)


def _by_quadrature(
    space: Space, time: float, distance: float, alpha: sp.Expr | None, name: str
) -> Number | None:
    try:
        if name == "log_harnack_constant":
            assert alpha is not None
            found = log_harnack_constant(space, time, distance, float(alpha))
        else:
            found = log_harnack_kl(space, time, distance)
    except ValueError:  # a time below what the kernel is computed for: not known, not an error
        return None
    return Number(found.value, found.error, Method.QUADRATURE)
