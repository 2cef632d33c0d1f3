"""A number with its error: the truth lies within ``value ± error``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
