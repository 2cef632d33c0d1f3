"""Exponents of power laws: weighted least squares on logarithms, and between two points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Probability that an interval of a fitted exponent covers, if the power law is one.
CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class Exponent:
    """An exponent, with the half width of its interval at `CONFIDENCE`, over [low, high]."""

    value: float
    half_width: float
    low: float
    high: float


def fitted_exponent(
    x: Sequence[float], y: Sequence[float], relative_errors: Sequence[float]
) -> Exponent | None:
    """Fit ``y ∝ x^value``; None for fewer than three points.

    Parameters
    ----------
    x, y
        Positive.
    relative_errors
        Standard errors of y over y. Where the points scatter about the line by more than these
        say, as exact numbers of what is no exact power law do, the scatter counts.

    Examples
    --------
    >>> fitted_exponent([1, 2, 4, 8], [1, 1 / 4, 1 / 16, 1 / 64], [0.01] * 4).value.__round__(9)
    -2.0
    """
    if len(x) < 3:
        return None
    across, up = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    weights = 1.0 / np.maximum(np.asarray(relative_errors, dtype=float), 1e-12) ** 2
    across -= np.average(across, weights=weights)
    up -= np.average(up, weights=weights)
    information = float(weights @ across**2)
    value = float(weights @ (across * up)) / information
    freedom = len(x) - 2
    scatter = float(weights @ (up - value * across) ** 2) / freedom
    # A known spread has a normal interval, a spread found from the scatter a Student one.
    tail = (1 - CONFIDENCE) / 2
    quantile = stats.t.isf(tail, freedom) * math.sqrt(scatter) if scatter > 1 else 0.0
    quantile = max(float(stats.norm.isf(tail)), float(quantile))
    return Exponent(value, quantile / math.sqrt(information), float(min(x)), float(max(x)))


def local_exponents(
    x: Sequence[float], y: Sequence[float], relative_errors: Sequence[float]
) -> tuple[Exponent, ...]:
    """Return the exponents between neighbouring points, in the order of the points.

    Examples
    --------
    >>> [e.value for e in local_exponents([1, 2, 4], [1, 0.5, 0.125], [0, 0, 0])]
    [-1.0, -2.0]
    """
    normal = float(stats.norm.isf((1 - CONFIDENCE) / 2))
    found = []
    for i in range(len(x) - 1):
        step = math.log(x[i + 1] / x[i])
        spread = math.hypot(relative_errors[i], relative_errors[i + 1])
        value = math.log(y[i + 1] / y[i]) / step
        ends = sorted((float(x[i]), float(x[i + 1])))
        found.append(Exponent(value, normal * spread / abs(step), *ends))
    return tuple(found)
