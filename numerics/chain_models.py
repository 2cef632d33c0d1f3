"""Score models s_θ(x; μ, σ) with few parameters, and the gradients of their per-draw losses.

The loss of a draw (x_0, z) at a noise level is |s_θ(X) + z/σ|² at X = μ x_0 + σ z, where -z/σ is
the score of X given x_0. ``score`` and ``gradient`` take rows: θ (n, p), x, x_0 and z (n, d), μ and
σ (n,). ``numerics.chain_user_model`` has models of your own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_gradients import (
    GAUSSIAN_MEAN,
    TWO_WELLS,
    Features,
    Variance,
)
from numerics.point_arguments import LARGEST, checked_number, checked_points

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GaussianMean:
    """The score of N(θ, variance I) noised: s_θ(x) = -(x - μθ)/v with v = μ² variance + σ².

    Parameters
    ----------
    variance : float
        Variance of the data's law per coordinate, at least 0; 0 is a point mass at θ.

    Examples
    --------
    >>> one = np.ones(1)
    >>> GaussianMean(1.0).score(np.array([[3.0]]), np.array([[1.0]]), one, one).tolist()
    [[1.0]]
    """

    variance: float

    def __post_init__(self) -> None:
        checked_number("variance", self.variance, 0.0)

    @property
    def dimension(self) -> int | None:
        """The dimension of the data; None, as any will do."""
        return None

    @property
    def constants(self) -> Variance:
        """The model for compiled code."""
        return Variance(GAUSSIAN_MEAN, float(self.variance))

    def parameter_count(self, dimension: int) -> int:
        """Return p."""
        return dimension

    def score(self, theta: Array, x: Array, mu: Array, sigma: Array) -> Array:
        """Return the scores (n, d)."""
        v = _variance(self.variance, mu, sigma)
        return np.asarray((mu[:, None] * theta - x) / v[:, None])

    def gradient(self, theta: Array, x0: Array, z: Array, mu: Array, sigma: Array) -> Array:
        """Return the gradients (n, p): 2 (μ/v) (s + z/σ), the z-terms not cancelling."""
        v = _variance(self.variance, mu, sigma)
        kept = mu**2 * self.variance / sigma
        residual = (mu[:, None] * (theta - x0) + kept[:, None] * z) / v[:, None]
        return np.asarray(2.0 * (mu / v)[:, None] * residual)


@dataclass(frozen=True, slots=True)
class TwoWells:
    """The score of N(θ, variance)/2 + N(-θ, variance)/2 noised, on the line.

    s_θ(x) = (μθ tanh(μθx/v) - x)/v with v = μ² variance + σ².

    Parameters
    ----------
    variance : float
        Variance of either part, at least 0.

    Examples
    --------
    >>> one = np.ones(1)
    >>> TwoWells(1.0).score(np.array([[0.0]]), np.array([[1.0]]), one, one).tolist()
    [[-0.5]]
    """

    variance: float

    def __post_init__(self) -> None:
        checked_number("variance", self.variance, 0.0)

    @property
    def dimension(self) -> int | None:
        """The dimension of the data."""
        return 1

    @property
    def constants(self) -> Variance:
        """The model for compiled code."""
        return Variance(TWO_WELLS, float(self.variance))

    def parameter_count(self, dimension: int) -> int:
        """Return p."""
        return 1

    def score(self, theta: Array, x: Array, mu: Array, sigma: Array) -> Array:
        """Return the scores (n, 1)."""
        v = _variance(self.variance, mu, sigma)
        centre = mu * theta[:, 0]
        return np.asarray(((centre * np.tanh(centre * x[:, 0] / v) - x[:, 0]) / v)[:, None])

    def gradient(self, theta: Array, x0: Array, z: Array, mu: Array, sigma: Array) -> Array:
        """Return the gradients (n, 1): 2 (s + z/σ) (μ/v) (tanh u + u sech² u), u = μθX/v."""
        v = _variance(self.variance, mu, sigma)
        u = mu * theta[:, 0] * (mu * x0[:, 0] + sigma * z[:, 0]) / v
        bend = np.tanh(u)
        kept = mu**2 * self.variance / sigma
        residual = (mu * (theta[:, 0] * bend - x0[:, 0]) + kept * z[:, 0]) / v
        slope = (mu / v) * (bend + u * (1.0 - bend) * (1.0 + bend))
        return np.asarray((2.0 * residual * slope)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class LinearFeatures:
    """Random Fourier features: s_θ(x) = scale · Σ_k θ_k cos(w_k·x + b_k), θ_k in R^d.

    Parameters
    ----------
    frequencies : array_like, shape (F, d)
        The w_k.
    phases : array_like, shape (F,)
        The b_k.
    scale : float
        Often 1/√F. θ has F d coordinates, feature by feature.

    Examples
    --------
    >>> model = LinearFeatures([[0.0, 0.0]], [0.0], 2.0)
    >>> one = np.ones(1)
    >>> model.score(np.array([[3.0, 4.0]]), np.array([[5.0, 6.0]]), one, one).tolist()
    [[6.0, 8.0]]
    """

    frequencies: Array
    phases: Array
    scale: float

    def __init__(self, frequencies: ArrayLike, phases: ArrayLike, scale: float = 1.0) -> None:
        waves = checked_points("frequencies", frequencies, "F")
        shifts = np.array(phases, dtype=np.float64)
        if shifts.shape != (len(waves),) or not np.all(np.abs(shifts) <= LARGEST):
            raise ValueError(
                f"phases has shape {shifts.shape}: it must be ({len(waves)},), finite; pass one "
                "real number per frequency"
            )
        if len(waves) == 0:
            raise ValueError(f"frequencies has shape {waves.shape}: F >= 1; pass at least one row")
        object.__setattr__(self, "frequencies", np.array(waves))
        object.__setattr__(self, "phases", shifts)
        object.__setattr__(self, "scale", checked_number("scale", scale, -LARGEST))

    @property
    def dimension(self) -> int | None:
        """The dimension of the data."""
        return int(self.frequencies.shape[1])

    @property
    def constants(self) -> Features:
        """The model for compiled code."""
        return Features(self.frequencies, self.phases, self.scale)

    def parameter_count(self, dimension: int) -> int:
        """Return p."""
        return self.frequencies.size

    def score(self, theta: Array, x: Array, mu: Array, sigma: Array) -> Array:
        """Return the scores (n, d)."""
        return np.asarray(np.einsum("nkc,nk->nc", self._table(theta), self._features(x)))

    def gradient(self, theta: Array, x0: Array, z: Array, mu: Array, sigma: Array) -> Array:
        """Return the gradients (n, p): in θ_k, 2 scale cos(w_k·X + b_k) (s + z/σ)."""
        features = self._features(mu[:, None] * x0 + sigma[:, None] * z)
        residual = np.einsum("nkc,nk->nc", self._table(theta), features) + z / sigma[:, None]
        product = 2.0 * features[:, :, None] * residual[:, None, :]
        return np.asarray(product.reshape(theta.shape))

    def _features(self, x: Array) -> Array:
        return np.asarray(self.scale * np.cos(x @ self.frequencies.T + self.phases))

    def _table(self, theta: Array) -> Array:
        return theta.reshape(len(theta), *self.frequencies.shape)


BuiltIn = GaussianMean | TwoWells | LinearFeatures


def _variance(variance: float, mu: Array, sigma: Array) -> Array:
    return np.asarray(mu**2 * variance + sigma**2)
