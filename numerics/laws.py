"""Laws of the data that can be drawn from and whose posterior mean is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics.posterior_means import CIRCLES, CUBE, MIXTURE, SPHERE, law_mean

Array = NDArray[np.float64]


class Kernel(NamedTuple):
    """A law as compiled code takes it.

    ``scale`` is the variance of a mixture's parts and the size of any other law, ``parts`` the
    number of circles or of the cube's coordinates; ``centres`` is empty but for a mixture.
    """

    kind: int
    centres: Array
    scale: float
    parts: int


_NO_CENTRES = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class Mixture:
    """An equal mixture of N(centre, standard_deviation^2 I_d)."""

    centres: Array
    standard_deviation: float

    @property
    def dimension(self) -> int:
        """The dimension of the space."""
        return int(self.centres.shape[1])

    @property
    def kernel(self) -> Kernel:
        """The law for compiled code."""
        return Kernel(MIXTURE, self.centres, self.standard_deviation**2, 0)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""
        count, dimension = self.centres.shape
        points = self.centres[rng.integers(count, size=shape)]
        if self.standard_deviation > 0:
            points = points + self.standard_deviation * rng.standard_normal((*shape, dimension))
        return points


@dataclass(frozen=True, slots=True)
class Circles:
    """The uniform law on a product of circles of one radius, in the first 2 · count coordinates."""

    radius: float
    count: int
    dimension: int

    def __post_init__(self) -> None:
        _check_room(2 * self.count, self.dimension)

    @property
    def kernel(self) -> Kernel:
        """The law for compiled code."""
        return Kernel(CIRCLES, _NO_CENTRES, self.radius, self.count)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""
        angle = 2 * np.pi * rng.random((*shape, self.count))
        points = np.zeros((*shape, self.dimension))
        points[..., 0 : 2 * self.count : 2] = self.radius * np.cos(angle)
        points[..., 1 : 2 * self.count : 2] = self.radius * np.sin(angle)
        return points


@dataclass(frozen=True, slots=True)
class Sphere:
    """The uniform law on the sphere S² in the first three coordinates."""

    radius: float
    dimension: int

    def __post_init__(self) -> None:
        _check_room(3, self.dimension)

    @property
    def kernel(self) -> Kernel:
        """The law for compiled code."""
        return Kernel(SPHERE, _NO_CENTRES, self.radius, 1)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""
        direction = rng.standard_normal((*shape, 3))
        points = np.zeros((*shape, self.dimension))
        norm = np.linalg.norm(direction, axis=-1, keepdims=True)
        points[..., :3] = self.radius * (direction / norm)
        return points


@dataclass(frozen=True, slots=True)
class Cube:
    """The uniform law on [-half_side, half_side]^count in the first ``count`` coordinates."""

    half_side: float
    count: int
    dimension: int

    def __post_init__(self) -> None:
        _check_room(self.count, self.dimension)

    @property
    def kernel(self) -> Kernel:
        """The law for compiled code."""
        return Kernel(CUBE, _NO_CENTRES, self.half_side, self.count)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""
        points = np.zeros((*shape, self.dimension))
        points[..., : self.count] = self.half_side * (2 * rng.random((*shape, self.count)) - 1)
        return points


Law = Mixture | Circles | Sphere | Cube


def posterior_mean(law: Law, x: Array, *, mu: float, sigma: float) -> Array:
    """Return E[X_0 | mu X_0 + sigma Z = x] for X_0 drawn from the law and Z standard normal.

    Parameters
    ----------
    law
        The law of X_0.
    x
        Shape (d,).
    mu, sigma
        Signal, mu >= 0, and noise level, sigma > 0.

    Examples
    --------
    >>> mean = posterior_mean(Circles(1.0, 1, 2), np.array([0.0, 2.0]), mu=1.0, sigma=1.0)
    >>> mean.round(6).tolist()
    [0.0, 0.697775]
    """
    out = np.empty(law.dimension)
    law_mean(law.kernel.kind, np.asarray(x, dtype=float), *law.kernel[1:], mu, sigma, out)
    return out


def _check_room(needed: int, dimension: int) -> None:
    if needed < 1 or dimension < needed:
        raise ValueError(f"dimension = {dimension}: the law needs {needed} coordinates, at least 1")
