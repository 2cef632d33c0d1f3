"""A number with its error: the truth lies within ``value ± error``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from flint import arb


class Method(StrEnum):
    """Where the error of a number comes from."""

    ENCLOSURE = "enclosure"
    QUADRATURE = "quadrature"
    SAMPLING = "sampling"


@dataclass(frozen=True, slots=True)
class Number:
    """A real number known up to ``error``.

    An enclosure's error is rigorous, a quadrature's is an estimate from two orders, a sampling
    error is the half width of an interval of the confidence that the evidence states.
    """

    value: float
    error: float
    method: Method = Method.ENCLOSURE

    def __str__(self) -> str:
        return f"{self.value:.10g} ± {self.error:.1e}"


def to_number(ball: arb, method: Method = Method.ENCLOSURE) -> Number | None:
    """Return a ball as a float and an error that covers it; None if it is not finite."""
    if not ball.is_finite():
        return None
    value = float(ball.mid())
    distance = abs(ball - arb(value)).upper()
    # Exact only if the ball says so: a distance that underflows is not zero.
    error = 0.0 if distance == 0 else float(np.nextafter(float(distance), np.inf))
    return Number(value, error, method) if np.isfinite(value) and np.isfinite(error) else None


def to_ball(number: Number) -> arb:
    """Return the ball ``value ± error``."""
    return arb(number.value, number.error)
