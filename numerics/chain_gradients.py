"""Compiled gradients of the per-draw loss |s_θ(X) + z/σ|², X = μ x_0 + σ z, for built-in models.

``numerics.chain_models`` has the formulas. The residual s_θ(X) + z/σ of a Gaussian score is written
without the terms z/σ that cancel: v/σ - σ = μ² variance / σ for v = μ² variance + σ².
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.vector_exp import decay

Array = NDArray[np.float64]

#: Kinds of scores with one number.
GAUSSIAN_MEAN, TWO_WELLS = range(2)


class Variance(NamedTuple):
    """A Gaussian mean or two wells as compiled code takes them, with the variance of their parts.

    No array is in it, as counting its references would take longer than the gradient.
    """

    kind: int
    variance: float


class Features(NamedTuple):
    """Linear features as compiled code takes them: w_k (F, d), b_k (F,) and the scale."""

    frequencies: Array
    phases: Array
    scale: float


Constants = Variance | Features


@njit(cache=True, error_model="numpy", forceinline=True)
def hyperbolic_tangent(u: float) -> float:
    """Return tanh(u) of a number within some units of roundoff; a loop over it is vector code.

    Below 1/4 it is the convergent u (135135 + ...)/(135135 + ...) of Lambert's continued fraction,
    above it (1 - e)/(1 + e) for e = exp(-2 |u|).

    Examples
    --------
    >>> hyperbolic_tangent(0.0), round(hyperbolic_tangent(-1.0), 12), hyperbolic_tangent(1e300)
    (0.0, -0.761594155956, 1.0)
    """
    size = abs(u)
    q = u * u
    above = size * (135135.0 + q * (17325.0 + q * (378.0 + q)))
    below = 135135.0 + q * (62370.0 + q * (3150.0 + q * 28.0))
    e = decay(2.0 * size)
    near = size < 0.25
    # One division, of whichever it is.
    return math.copysign((above if near else 1.0 - e) / (below if near else 1.0 + e), u)


@njit(cache=True, error_model="numpy", forceinline=True)
def variance_gradients(
    model: Variance, theta: Array, x0: Array, z: Array, mu: Array, sigma: Array, out: Array
) -> None:
    """Write the gradients in θ at n draws to ``out`` (n p,), for ``mu`` and ``sigma`` (n,).

    ``x0`` and ``z`` are flat as well, (n d,).

    Examples
    --------
    >>> out, one = np.empty(1), np.ones(1)
    >>> variance_gradients(Variance(GAUSSIAN_MEAN, 0.0), 1.5 * one, one, one, one, 2.0 * one, out)
    >>> out.tolist()
    [0.0625]
    """
    if model.kind == TWO_WELLS:
        well = theta[0]
        for r in range(len(mu)):
            spread = mu[r] * mu[r] * model.variance
            inverse = 1.0 / (spread + sigma[r] * sigma[r])
            u = mu[r] * well * (mu[r] * x0[r] + sigma[r] * z[r]) * inverse
            bend = hyperbolic_tangent(u)
            residual = (mu[r] * (well * bend - x0[r]) + z[r] * (spread / sigma[r])) * inverse
            slope = (mu[r] * inverse) * (bend + u * (1.0 - bend) * (1.0 + bend))
            out[r] = 2.0 * residual * slope
        return
    dimension = len(theta)
    for r in range(len(mu)):
        spread = mu[r] * mu[r] * model.variance
        v = spread + sigma[r] * sigma[r]
        kept = spread / sigma[r]
        for c in range(dimension):
            n = r * dimension + c
            out[n] = 2.0 * (mu[r] / v) * ((mu[r] * (theta[c] - x0[n]) + z[n] * kept) / v)


@njit(cache=True, error_model="numpy")
def feature_gradient(
    model: Features, theta: Array, x0: Array, z: Array, mu: float, sigma: float, out: Array
) -> None:
    """Write the gradient in θ at one draw to ``out`` (p,).

    Examples
    --------
    >>> out, one = np.empty(1), np.ones(1)
    >>> model = Features(np.zeros((1, 1)), np.zeros(1), 1.0)
    >>> feature_gradient(model, 2.0 * one, one, one, 1.0, 0.5, out)
    >>> float(out[0])
    8.0
    """
    features, dimension = model.frequencies.shape
    for k in range(features):
        angle = model.phases[k]
        for c in range(dimension):
            angle += model.frequencies[k, c] * (mu * x0[c] + sigma * z[c])
        out[k * dimension] = model.scale * math.cos(angle)
    # The features are kept in ``out``, and overwritten last.
    for c in range(dimension - 1, -1, -1):
        residual = z[c] / sigma
        for k in range(features):
            residual += theta[k * dimension + c] * out[k * dimension]
        for k in range(features):
            out[k * dimension + c] = 2.0 * out[k * dimension] * residual
