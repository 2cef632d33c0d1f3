"""Independent replicates of the experiment behind every expectation of score stability.

One replicate draws a training set S and a fresh point x̃, noises each of them once per time, and
evaluates every loss. All differences of scores are differences of posterior means of X_0 given
X_t, times mu/sigma^2, which is how they are computed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The columns of `evaluate_replicates`.
QUANTITIES = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_l_sm_hat",
    "C_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
    "E_C_sm_hat_next",
    "E_l_dsm_replaced",
)


class Algorithm(IntEnum):
    """What is trained: the posterior mean that it implies is that of the named law."""

    EMPIRICAL_SCORE = 0
    GAUSSIAN_MEAN = 1
    GAUSSIAN_MEAN_VARIANCE = 2
    FIXED_STANDARD = 3  # the law's own variance, centred at the origin, whatever the data


@dataclass(frozen=True, slots=True)
class Mixture:
    """The law of the data: an equal mixture of N(centre, standard_deviation^2 I_d)."""

    centres: Array
    standard_deviation: float

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""
        count, dimension = self.centres.shape
        points = self.centres[rng.integers(count, size=shape)]
        if self.standard_deviation > 0:
            points = points + self.standard_deviation * rng.standard_normal((*shape, dimension))
        return points


def evaluate_replicates(
    law: Mixture,
    training_sets: Array,
    fresh: Array,
    noise: Array,
    *,
    mu: Array,
    sigma: Array,
    weights: Array,
    algorithm: Algorithm,
) -> Array:
    """Evaluate every quantity of score stability once per replicate.

    Parameters
    ----------
    law
        The law that the points were drawn from; it gives the true score.
    training_sets, fresh
        Shapes (R, N, d) and (R, d).
    noise
        Standard normal, shape (R, N + 1, d): one draw for each training point, the last for the
        fresh point. The times share it.
    mu, sigma
        Shape (R, T): signal and noise level at each time of each replicate.
    weights
        Shape (T,): the masses that τ gives to the times.

    Returns
    -------
    Array of shape (R, 9), columns as in `QUANTITIES`: unbiased for the expectations of the same
    names. Rounding is not tracked; it is far below the sampling error for sigma above 1e-6 times
    the scale of the data.

    Notes
    -----
    Source: farghly2026, Section 2 and Theorem 3. Cost O(R T N^2 d).

    Examples
    --------
    >>> law = Mixture(np.array([[-1.0], [1.0]]), 0.0)
    >>> one = np.ones((1, 1))
    >>> row = evaluate_replicates(
    ...     law, np.array([[[1.0]]]), np.array([[-1.0]]), np.zeros((1, 2, 1)),
    ...     mu=one, sigma=one, weights=np.ones(1), algorithm=Algorithm.EMPIRICAL_SCORE)[0]
    >>> float(row[QUANTITIES.index("E_l_dsm")])
    4.0
    """
    out = np.empty((len(training_sets), len(QUANTITIES)))
    _evaluate(
        training_sets,
        fresh,
        noise,
        mu,
        sigma,
        weights,
        law.centres,
        law.standard_deviation**2,
        int(algorithm),
        out,
    )
    return out


@njit(cache=True)
def _empirical_mean(x, points, count, index, replacement, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Posterior mean given x under the points, the one at ``index`` replaced (-1: none)."""
    dimension = x.shape[0]
    scale = 1.0 / (2.0 * sigma * sigma)
    best = math.inf
    for j in range(count):
        point = replacement if j == index else points[j]
        energy = 0.0
        for a in range(dimension):
            step = mu * point[a] - x[a]
            energy += step * step
        best = min(best, energy)
    total = 0.0
    out[:] = 0.0
    for j in range(count):
        point = replacement if j == index else points[j]
        energy = 0.0
        for a in range(dimension):
            step = mu * point[a] - x[a]
            energy += step * step
        weight = math.exp((best - energy) * scale)
        total += weight
        for a in range(dimension):
            out[a] += weight * point[a]
    for a in range(dimension):
        out[a] /= total


@njit(cache=True)
def _mixture_mean(x, centres, variance, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Posterior mean given x under an equal mixture of Gaussians of one variance."""
    dimension = x.shape[0]
    total_variance = mu * mu * variance + sigma * sigma
    _empirical_mean(x, centres, centres.shape[0], -1, x, mu, math.sqrt(total_variance), out)
    gain = mu * variance / total_variance
    for a in range(dimension):
        out[a] += gain * (x[a] - mu * out[a])


@njit(cache=True)
def _trained_mean(  # type: ignore[no-untyped-def]
    x, points, count, index, replacement, mu, sigma, algorithm, variance, centre, out
):
    """Posterior mean given x that the trained score implies."""
    if algorithm == 0:
        _empirical_mean(x, points, count, index, replacement, mu, sigma, out)
        return
    dimension = x.shape[0]
    centre[:] = 0.0
    for j in range(count if algorithm != 3 else 0):
        point = replacement if j == index else points[j]
        for a in range(dimension):
            centre[a] += point[a] / count
    spread = variance
    if algorithm == 2:
        spread = 0.0
        for j in range(count):
            point = replacement if j == index else points[j]
            for a in range(dimension):
                spread += (point[a] - centre[a]) ** 2 / (count * dimension)
    gain = mu * spread / (mu * mu * spread + sigma * sigma)
    for a in range(dimension):
        out[a] = centre[a] + gain * (x[a] - mu * centre[a])


@njit(cache=True)
def _squared_distance(first, second):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(first.shape[0]):
        total += (first[a] - second[a]) ** 2
    return total


@njit(cache=True, parallel=True)
def _evaluate(  # type: ignore[no-untyped-def]
    training_sets, fresh, noise, mu, sigma, weights, centres, variance, algorithm, out
):
    replicates, count, dimension = training_sets.shape
    for r in prange(replicates):
        out[r, :] = 0.0
        x, trained, other, centre = (
            np.empty(dimension),
            np.empty(dimension),
            np.empty(dimension),
            np.empty(dimension),
        )
        points, new = training_sets[r], fresh[r]
        extended = np.empty((count + 1, dimension))
        extended[:count] = points
        extended[count] = new
        for k in range(weights.shape[0]):
            m, s = mu[r, k], sigma[r, k]
            unit = weights[k] * m * m / s**4
            for i in range(count + 1):  # each training point, then the fresh one, is noised
                for a in range(dimension):
                    x[a] = m * extended[i, a] + s * noise[r, i, a]
                _empirical_mean(x, extended, count + 1, -1, x, m, s, other)
                out[r, 7] += unit * _squared_distance(other, extended[i]) / (count + 1)
                if i == count:
                    break
                _trained_mean(x, points, count, -1, x, m, s, algorithm, variance, centre, trained)
                _empirical_mean(x, points, count, -1, x, m, s, other)
                out[r, 1] += unit * _squared_distance(trained, points[i]) / count
                out[r, 3] += unit * _squared_distance(trained, other) / count
                out[r, 5] += unit * _squared_distance(other, points[i]) / count
            _trained_mean(x, points, count, -1, x, m, s, algorithm, variance, centre, trained)
            _mixture_mean(x, centres, variance, m, s, other)
            out[r, 0] += unit * _squared_distance(trained, new)
            out[r, 2] += unit * _squared_distance(trained, other)
            out[r, 4] += unit * _squared_distance(other, new)
            for i in range(count):
                _trained_mean(x, points, count, i, new, m, s, algorithm, variance, centre, other)
                out[r, 6] += unit * _squared_distance(trained, other) / count
                out[r, 8] += unit * _squared_distance(other, new) / count
