"""Corollary 8: the step κ that minimises Proposition 7's bound, beside the one that minimises KL.

The early stopping time is held exactly, through κ = ε^(−1/m) − 1 for integers m; T stays within a
step of what it is at the point. A minimiser is known up to its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from numerics.gaussian_samplers import GaussianSamplerLosses, gaussian_sampler_losses
from numerics.law_quadrature import Estimate
from numerics.sampler_times import two_phase_times
from proofs_check.number import Method, Number
from proofs_check.point import Point

CLAIM = "farghly2026.corollary-8"

_SMALLEST, _LARGEST = 0.01, 2.0
_SCORES = {
    "gaussian-sampler-true": "true",
    "gaussian-sampler-mean": "mean",
    "gaussian-sampler-plug-in": "plug-in",
}


@dataclass(frozen=True, slots=True)
class Best:
    """A least value over the steps tried, with the κ where it is and the neighbours of that."""

    kappa: float
    below: float
    above: float
    value: Estimate

    @property
    def place(self) -> Number:
        """κ, with the distance to the farther neighbour as its error."""
        return Number(
            self.kappa, max(self.kappa - self.below, self.above - self.kappa), Method.QUADRATURE
        )


@lru_cache(maxsize=64)
def best_steps(point: Point) -> tuple[Best, Best] | None:
    """Return where E KL is least and where the bound is; None for a case that has no sampler here.

    Examples
    --------
    >>> from proofs_check.point import of_sampler
    >>> exact, bound = best_steps(of_sampler("gaussian-sampler-plug-in", N=40, L=20, m=20))
    >>> bound.kappa < exact.kappa
    True
    """
    if point.case not in _SCORES:
        return None
    values = dict(point.values)
    horizon = float(values["kappa"] * values["L"] + 1)
    log_stop = float(values["m"]) * math.log1p(float(values["kappa"]))
    first = max(1, math.ceil(log_stop / math.log1p(_LARGEST)))
    last = max(first, math.floor(log_stop / math.log1p(_SMALLEST)))
    counts = _spread(first, last)
    kappas = [math.expm1(log_stop / count) for count in counts]
    losses = [_losses(point, k, horizon, m) for k, m in zip(kappas, counts, strict=True)]
    return (
        _least(kappas, [loss.divergence for loss in losses]),
        _least(kappas, [loss.bound for loss in losses if loss.bound is not None]),
    )


def _spread(first: int, last: int) -> list[int]:
    """Return the integers from first to last, those beyond 40 about 5 % apart."""
    counts = [first]
    while counts[-1] < last:
        counts.append(min(last, max(counts[-1] + 1, round(1.05 * counts[-1]))))
    return counts


def _losses(point: Point, kappa: float, horizon: float, geometric: int) -> GaussianSamplerLosses:
    values = dict(point.values)
    uniform = max(1, round((horizon - 1.0) / kappa))
    return gaussian_sampler_losses(
        two_phase_times(kappa, uniform, geometric),
        variance=float(values["s2"]),
        dimension=int(values["d"]),
        mean_norm=float(values["b"]),
        size=int(values["N"]) if "N" in values else None,
        score=_SCORES[point.case],
    )


def _least(kappas: list[float], values: list[Estimate]) -> Best:
    """The counts grow, so the steps fall; beyond an end the least value may be anywhere."""
    k = min(range(len(values)), key=lambda i: values[i].value)
    below = kappas[k + 1] if k + 1 < len(kappas) else 0.0
    above = kappas[k - 1] if k > 0 else math.inf
    return Best(kappas[k], below, above, values[k])
