"""Sums and Gauss rules over τ for what is a number with an error at each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from proofs_check import sampling
from proofs_check.number import Method, Number
from proofs_check.point import Point
from theory.process import TimeAtoms, UniformTime

Array = NDArray[np.float64]

#: Value and error of each quantity at one time, given mu and sigma.
AtOneTime = Callable[[float, float], Mapping[str, tuple[float, float]]]

#: An error that is a larger fraction may be no error at all: two rules may both miss a peak.
_UNRESOLVED = 0.02


def over_time(point: Point, at_one_time: AtOneTime) -> dict[str, Number]:
    """Integrate quantities over a point's τ; uniform τ by two Gauss rules in log t."""

    def total(times: Array, weights: Array) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        mu, sigma = sampling.noise_level(point, times)
        for m, s, w in zip(mu, sigma, weights, strict=True):
            here = at_one_time(float(m), float(s))
            resolved = all(error <= _UNRESOLVED * abs(value) for value, error in here.values())
            for name, (value, error) in here.items():
                old_value, old_error = found.get(name, (0.0, 0.0))
                added = w * error if resolved else np.inf
                found[name] = (old_value + w * value, old_error + added)
        return found

    if isinstance(point.tau, TimeAtoms):
        times = np.array([float(t) for t in point.tau.times])
        final = total(times, np.array([float(w) for w in point.tau.weights]))
        return {n: Number(float(v), float(e), Method.QUADRATURE) for n, (v, e) in final.items()}
    rules = [total(*uniform_rule(point.tau, order)) for order in (12, 18)]
    return {
        name: Number(
            float(value), float(error + 2 * abs(value - rules[0][name][0])), Method.QUADRATURE
        )
        for name, (value, error) in rules[1].items()
    }


def uniform_rule(tau: UniformTime, order: int) -> tuple[Array, Array]:
    """Return a Gauss rule for uniform time, in log t: the losses vary by decades near the start."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    low, high = float(tau.early_stopping_time), float(tau.horizon)
    half = (np.log(high) - np.log(low)) / 2
    times = np.exp(np.log(low) + half * (nodes + 1))
    return times, weights * half * times / (high - low)
