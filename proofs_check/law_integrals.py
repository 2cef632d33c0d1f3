"""Quantities that are integrals over one law: no sample is drawn, and the error is a quadrature's.

The laws are those of ``numerics.law_quadrature``; where a case has none of them, nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from numerics.add_one import AddOneChanges, add_one_changes
from numerics.law_quadrature import Circle, Law, Points, Segment, Sphere, posterior_variance
from numerics.local_mass import inverse_local_mass
from numerics.packing import packing
from numerics.replace_one import replace_one_stability
from proofs_check.number import Method, Number
from proofs_check.packing_sample import packing_by_sampling
from proofs_check.point import Point
from proofs_check.sampling import noise_level, points_on_curve
from proofs_check.time_quadrature import over_time

_ROUND: dict[str, Callable[[float], Law]] = {
    "circle": Circle,
    "sphere": Sphere,
    "segment": Segment,
    # products of several such laws, whose posterior variances add
    "flat-torus": Circle,
    "cube": Segment,
}


def law_for_quadrature(point: Point) -> Law | None:
    """Return the law of a point for quadrature; None if there is none for its case."""
    values = dict(point.values)
    if point.case in _ROUND and factors(point) == 1:
        return _ROUND[point.case](float(values["a"]))
    if point.case == "two-points":
        p, a = float(values["p"]), float(values["a"])
        return Points([a, -a], [p, 1 - p]) if 0 < p < 1 else None
    if point.case == "finite-points" and values["d"] == 1:  # in the plane it is slow
        return Points(float(values["a"]) * points_on_curve(int(values["K"]), 1))
    return None


def factors(point: Point) -> int:
    """Return of how many independent laws of `_ROUND` the point's law is the product."""
    if point.case == "cube":
        return int(dict(point.values)["d"])
    return 2 if point.case == "flat-torus" else 1


def law_integrals(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Return those of the named quantities that are integrals over the point's law."""
    wanted = [name for name in names if name in _INTEGRALS]
    found = {name: _INTEGRALS[name](point) for name in wanted}
    return {name: number for name, number in found.items() if number is not None}


@lru_cache(maxsize=256)
def add_one_numbers(point: Point) -> Mapping[str, Number] | None:
    """Return ``own``, ``other``, ``lower`` and ``upper`` of `AddOneChanges`, integrated over τ."""
    law = law_for_quadrature(point)
    if law is None:
        return None
    size = int(dict(point.values)["N"])

    def at_one_time(mu: float, sigma: float) -> dict[str, tuple[float, float]]:
        found: AddOneChanges = add_one_changes(law, size, mu=mu, sigma=sigma)
        return {
            "own": (found.own, found.own_error),
            "other": (found.other, found.other_error),
            "lower": (found.lower, found.lower_error),
            "upper": (found.upper, found.upper_error),
        }

    return over_time(point, at_one_time)


@lru_cache(maxsize=256)
def _stability(point: Point) -> Number | None:
    law = law_for_quadrature(point)
    if law is None:
        return None
    size = int(dict(point.values)["N"])

    def at_one_time(mu: float, sigma: float) -> dict[str, tuple[float, float]]:
        found = replace_one_stability(law, size, mu=mu, sigma=sigma)
        return {"eps_stab_squared": (found.value, found.error)}

    return over_time(point, at_one_time)["eps_stab_squared"]


def _change(point: Point, which: str) -> Number | None:
    changes = add_one_numbers(point)
    return None if changes is None else changes[which]


@lru_cache(maxsize=256)
def _posterior_variance(point: Point) -> Number | None:
    count, values = factors(point), dict(point.values)
    law = law_for_quadrature(point) if count == 1 else _ROUND[point.case](float(values["a"]))
    if law is None:
        return None

    def at_one_time(mu: float, sigma: float) -> dict[str, tuple[float, float]]:
        found = posterior_variance(law, mu=mu, sigma=sigma)
        return {"C_sm": (count * found.value, count * found.error)}

    return over_time(point, at_one_time)["C_sm"]


@lru_cache(maxsize=256)
def _packing(point: Point) -> dict[str, Number]:
    """D_H² times the bounds of the mean weight and squared weight of a point's own noise."""
    law = law_for_quadrature(point)
    if point.case == "finite-points" and law is None:
        return packing_by_sampling(point)
    if law is None:
        return {}
    n, diameter_squared = int(dict(point.values)["N"]), law.diameter**2

    def at_one_time(mu: float, sigma: float) -> dict[str, tuple[float, float]]:
        found = packing(law, mu=mu, sigma=sigma)
        unit = diameter_squared * mu**2 / sigma**4
        first, second = unit / (n + 1), 2 * unit / ((n + 1) * (n + 2))
        return {
            "packing_first": (first * found.first.value, first * found.first.error),
            "packing_second": (second * found.second.value, second * found.second.error),
        }

    return over_time(point, at_one_time)


def _inverse_local_mass(point: Point) -> Number | None:
    """E K^{-p} at the early stopping time, for the exponent c that the point carries."""
    law, exponent = law_for_quadrature(point), dict(point.claim_values).get("c")
    if law is None or exponent is None:
        return None
    c = float(exponent)
    mu, sigma = noise_level(point, np.array([float(point.first_time)]))
    decay = float(mu[0] / sigma[0]) ** 2 / (2 * (1 - c))
    size = int(dict(point.values)["N"])
    try:
        found = inverse_local_mass(law, size, power=c / (1 - c), decay=decay)
    except ValueError:  # the moment may be beyond the range of floats: not known
        return None
    return Number(found.value, found.error, Method.QUADRATURE)


_INTEGRALS: dict[str, Callable[[Point], Number | None]] = {
    "eps_stab_squared": lambda point: _stability(point.without_claim),
    "E_own_change": lambda point: _change(point.without_claim, "own"),
    "E_other_change": lambda point: _change(point.without_claim, "other"),
    "C_sm": lambda point: _posterior_variance(point.without_claim),
    "packing_first": lambda point: _packing(point.without_claim).get("packing_first"),
    "packing_second": lambda point: _packing(point.without_claim).get("packing_second"),
    "inverse_local_mass": _inverse_local_mass,
}
