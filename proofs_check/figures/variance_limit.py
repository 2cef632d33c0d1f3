r"""The linear denoiser that ridge regression tends to with ever more draws.

W_ρ = E[λ x_0 φᵀ](E[λ φφᵀ] + ρ I)⁻¹ for tensor features of data with M points: given t and x_0 the
coordinates of x are independent normals, so that both matrices are sums over the points of products
of one-dimensional moments, which are closed forms for Gaussian and for Fourier functions.  What is
left is an integral over t, by Gauss–Legendre panels in log t.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from numerics.feature_fits import Weight, loss_weight
from numerics.features import Axis, GaussianAxis, TensorFeatures
from numerics.schedules import Schedule

Array = NDArray[np.float64]

_NODES = 12
#: Panels over [log ε, log T]; twice as many change no weight by 1e-7 of the largest.
PANELS = 24


def limit_weights(
    features: TensorFeatures,
    data: Array,
    schedule: Schedule,
    *,
    early_stopping_time: float,
    horizon: float = 1.0,
    ridge: float = 0.1,
    weight: Weight = "signal-to-noise",
    panels: int = PANELS,
) -> Array:
    """Return W_ρ, (d, F).

    Parameters
    ----------
    features
        The F features.
    data
        The M points of equal probability, (M, d).
    schedule
        The forward process.
    early_stopping_time, horizon
        Times are uniform on [ε, T].
    ridge
        ρ > 0.
    weight
        Which λ multiplies the denoiser's squared error: μ²/σ², 1 or μ².
    panels
        Of the integral over t.

    Notes
    -----
    vastola2025, Section 5.1.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> features = gaussian_features((4, 3), early_stopping_time=0.01)
    >>> data = np.array([[-1.0], [1.0]])
    >>> found = limit_weights(
    ...     features, data, schedule_named("vp-linear"), early_stopping_time=0.01
    ... )
    >>> bool(np.allclose(found.reshape(4, 3), -found.reshape(4, 3)[::-1]))
    True
    """
    times, shares = _time_rule(early_stopping_time, horizon, panels)
    shares = shares * loss_weight(weight, schedule, times)
    across = math.prod(axis.count for axis in features.space)
    means = np.empty((len(times), across, features.dimension))
    grams = np.empty((len(times), across, across))
    levels = zip(schedule.mu(times), schedule.sigma2(times), strict=True)
    for row, (mu, noise) in enumerate(levels):
        means[row], grams[row] = _space_moments(features.space, data, float(mu), float(noise))
    instants = features.time.values(times)
    cross = np.einsum("n,nia,nk->ika", shares, means, instants).reshape(-1, features.dimension)
    products = (shares[:, None, None] * instants[:, :, None] * instants[:, None, :]).reshape(
        len(times), -1
    )
    # (space, space, time, time), to be numbered by (space, time) on each side.
    by_pair = (grams.reshape(len(times), -1).T @ products).reshape(
        across, across, features.time.count, features.time.count
    )
    square = by_pair.swapaxes(1, 2).reshape(features.count, features.count)
    square += ridge * np.eye(len(square))
    return np.asarray(cho_solve(cho_factor(square), cross).T)


def _space_moments(
    axes: tuple[Axis, ...], data: Array, mu: float, noise: float
) -> tuple[Array, Array]:
    """Return E[x_0 f(x)] (K, d) and E[f(x) f(x)ᵀ] (K, K) of the functions of space at a time."""
    means, grams = [], []
    for point in data:
        mean: Array = np.ones(1)
        gram: Array = np.ones((1, 1))
        for axis, place in zip(axes, point, strict=True):
            one, two = moments_of(axis, mu * place, noise)
            mean = np.asarray(np.kron(mean, one), dtype=np.float64)
            gram = np.asarray(np.kron(gram, two), dtype=np.float64)
        means.append(np.outer(mean, point))
        grams.append(gram)
    return np.mean(means, axis=0), np.mean(grams, axis=0)


def moments_of(axis: Axis, mean: float, variance: float) -> tuple[Array, Array]:
    """Return E f (K,) and E f fᵀ (K, K) of the functions of an axis at a normal variable.

    Examples
    --------
    >>> moments_of(GaussianAxis([0.0, 1.0], 0.6), 0.0, 0.64)[0].round(6).tolist()
    [0.398942, 0.241971]
    """
    if isinstance(axis, GaussianAxis):
        c, w2 = axis.centres, axis.width**2
        apart = _normal(c[:, None] - c[None, :], 2 * w2)
        middle = 0.5 * (c[:, None] + c[None, :])
        return _normal(c - mean, w2 + variance), apart * _normal(middle - mean, variance + w2 / 2)
    # Each function is the real part of a_j exp(i k_j x), and products have sums and differences.
    order = [0, *range(1, axis.cosines + 1), *range(1, axis.sines + 1)]
    k = (2 * math.pi / axis.period) * np.array(order, dtype=np.float64)
    a = np.array([1.0] * (1 + axis.cosines) + [-1j] * axis.sines)

    def characteristic(frequency: Array) -> NDArray[np.complex128]:
        return np.asarray(np.exp(1j * mean * frequency - 0.5 * variance * frequency**2))

    total = np.outer(a, a) * characteristic(k[:, None] + k[None, :])
    difference = np.outer(a, a.conj()) * characteristic(k[:, None] - k[None, :])
    return (a * characteristic(k)).real, 0.5 * (total + difference).real


def _normal(x: Array, variance: float) -> Array:
    return np.asarray(np.exp(-0.5 * x**2 / variance) / math.sqrt(2 * math.pi * variance))


def _time_rule(low: float, high: float, panels: int) -> tuple[Array, Array]:
    """Return times and weights, of sum 1, for the uniform law on [low, high]."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = np.linspace(math.log(low), math.log(high), panels + 1)
    half = 0.5 * np.diff(edges)[:, None]
    times = np.exp(0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes)
    return times.ravel(), (half * weights * times / (high - low)).ravel()
