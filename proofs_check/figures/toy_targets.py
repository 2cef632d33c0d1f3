"""The laws of the figure ``toy``: how to draw from each, its noised log density, its score.

With noise time u, ``X_u = e^(−u) X_0 + √(1 − e^(−2u)) Z``. On the line the laws are mixtures of
Gaussians of one width, in the plane a circle and a mixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, logsumexp, softmax

Array = NDArray[np.float64]

_LOG_TWO_PI = math.log(2.0 * math.pi)


class Target(Protocol):
    """A law, noised."""

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Return training points: the first are the same for every size."""

    def log_density(self, u: float) -> Callable[[Array], Array]:
        """Return the logarithm of the density of X_u."""


@dataclass(frozen=True, slots=True)
class Line:
    """Gaussians of standard deviation ``width`` about the centres, equally likely, on the line.

    Examples
    --------
    >>> round(float(Line((0.0,), 2.0).log_density(0.0)(np.zeros(1))[0]), 6)
    -1.612086
    """

    centres: tuple[float, ...]
    width: float

    @property
    def interval(self) -> tuple[float, float]:
        """Where a sampler's density has to be known."""
        reach = 8.5 * max(1.0, self.width) + max(abs(centre) for centre in self.centres)
        return -reach, reach

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Return training points (size,)."""
        # Point by point, so that a larger sample begins like a smaller one.
        uniform, normal = _uniform_and_normal(rng, size, 1)
        chosen = (uniform * len(self.centres)).astype(int)
        return np.asarray(np.array(self.centres)[chosen] + self.width * normal[:, 0])

    def log_density(self, u: float) -> Callable[[Array], Array]:
        """Return the logarithm of the density of X_u: places (n,) to values (n,)."""
        centres, variance = self._noised(u)
        constant = math.log(len(centres)) + 0.5 * (_LOG_TWO_PI + math.log(variance))

        def log_density(x: Array) -> Array:
            squares = (x[:, None] - centres) ** 2
            return np.asarray(logsumexp(-0.5 * squares / variance, axis=1) - constant)

        return log_density

    def score(self, u: float) -> Callable[[Array], Array]:
        """Return the derivative of the logarithm of the density of X_u."""
        centres, variance = self._noised(u)

        def score(x: Array) -> Array:
            away = x[:, None] - centres
            shares = softmax(-0.5 * away**2 / variance, axis=1)
            return np.asarray(-(shares * away).sum(axis=1) / variance)

        return score

    def _noised(self, u: float) -> tuple[Array, float]:
        mu = math.exp(-u)
        return mu * np.array(self.centres), (mu * self.width) ** 2 - math.expm1(-2.0 * u)


@dataclass(frozen=True, slots=True)
class Circle:
    """The uniform law on the circle of radius 1, which has no density until it is noised."""

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Return training points (size, 2)."""
        angle = 2.0 * math.pi * rng.random(size)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def least_width(self, u: float) -> float:
        """Return the standard deviation of the Gaussians that X_u is a mixture of."""
        return math.sqrt(-math.expm1(-2.0 * u))

    def log_density(self, u: float) -> Callable[[Array], Array]:
        """Return the logarithm of the density of X_u, u > 0: places (n, 2) to values (n,)."""
        mu, variance = math.exp(-u), -math.expm1(-2.0 * u)

        def log_density(x: Array) -> Array:
            radius = np.hypot(x[:, 0], x[:, 1])
            inner = np.log(i0e(radius * mu / variance)) - 0.5 * (radius - mu) ** 2 / variance
            return np.asarray(inner - _LOG_TWO_PI - math.log(variance))

        return log_density


@dataclass(frozen=True, slots=True)
class Blobs:
    """Three Gaussians in the plane, equally likely, at the corners of a triangle about 0."""

    radius: float
    width: float

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Return training points (size, 2)."""
        uniform, normal = _uniform_and_normal(rng, size, 2)
        return np.asarray(self._centres[(3.0 * uniform).astype(int)] + self.width * normal)

    def least_width(self, u: float) -> float:
        """Return the standard deviation of the Gaussians that X_u is a mixture of."""
        return math.sqrt((math.exp(-u) * self.width) ** 2 - math.expm1(-2.0 * u))

    def log_density(self, u: float) -> Callable[[Array], Array]:
        """Return the logarithm of the density of X_u: places (n, 2) to values (n,)."""
        mu = math.exp(-u)
        variance = self.least_width(u) ** 2
        centres, constant = mu * self._centres, math.log(3.0 * variance) + _LOG_TWO_PI

        def log_density(x: Array) -> Array:
            squares = ((x[:, None, :] - centres) ** 2).sum(axis=2)
            return np.asarray(logsumexp(-0.5 * squares / variance, axis=1) - constant)

        return log_density

    @property
    def _centres(self) -> Array:
        angle = math.pi * (0.5 + 2.0 * np.arange(3) / 3.0)
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _uniform_and_normal(rng: np.random.Generator, size: int, dimension: int) -> tuple[Array, Array]:
    """Return (size,) and (size, dimension), from one stream each."""
    first, second = rng.spawn(2)
    return first.random(size), second.standard_normal((size, dimension))


#: N(0, 1), N(0, 4), N(0, 1/4), and half N(−2, 1/4) and half N(2, 1/4).
LINES: Mapping[str, Line] = {
    "normal": Line((0.0,), 1.0),
    "wide": Line((0.0,), 2.0),
    "narrow": Line((0.0,), 0.5),
    "pair": Line((-2.0, 2.0), 0.5),
}
PLANES: Mapping[str, Circle | Blobs] = {"circle": Circle(), "blobs": Blobs(1.5, 0.35)}
