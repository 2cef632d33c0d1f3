"""The stability of the empirical score by the exchange identity: N + 1 points, one noised.

With U, w_i, m and d_i as in ``theory.empirical_stability``,

    N ε_stab² = (μ²/σ⁴) E[Σ|d_i|² + (N + 1) Σ w_i|d_i|² − 2|Σ w_i d_i|²],

which costs O(N d) a draw where the definition costs O(N² d), and has less spread: which point was
noised and which replaced is averaged out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.laws import Law

Array = NDArray[np.float64]

#: Coordinates of points held at once.
_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class ExchangeSample:
    """Independent draws, each of mean ε_stab², and of the own and other change of adding a point.

    Shapes (R,).
    """

    stability: Array
    own: Array
    other: Array


def exchange_sample(
    law: Law, size: int, draws: int, *, mu: float, sigma: float, rng: np.random.Generator
) -> ExchangeSample:
    """Draw unbiased estimates of ε_stab² of the empirical score of ``size`` points.

    Parameters
    ----------
    law
        The law of the points.
    size
        The number N ≥ 1 of training points.
    draws
        The number R of independent draws.
    mu, sigma
        The noising ``X = mu X_0 + sigma Z``.
    rng
        The only source of chance.

    Notes
    -----
    Derived for the claims ``farghly2026.empirical-stability-upper`` and ``-lower``.

    Examples
    --------
    Of two coinciding points nothing depends; of two far ones the mean jumps from one to the other.

    >>> from numerics.laws import Mixture
    >>> rng = np.random.default_rng(0)
    >>> same = Mixture(np.zeros((1, 2)), 0.0)
    >>> float(exchange_sample(same, 3, 5, mu=1.0, sigma=1.0, rng=rng).stability.max())
    0.0
    """
    batch = max(1, _AT_ONCE // ((size + 1) * law.dimension))
    parts = []
    for start in range(0, draws, batch):
        count = min(batch, draws - start)
        points = law.sample(rng, (count, size + 1))
        noise = rng.standard_normal((count, law.dimension))
        part = np.empty((count, 3))
        _changes(points, mu * points[:, 0] + sigma * noise, mu, sigma, part)
        parts.append(part)
    stability, own, other = (mu**2 / sigma**4) * np.concatenate(parts).T
    return ExchangeSample(stability, own, other)


@njit(cache=True)
def _changes(points, x, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Write the three estimates, shape (R, 3), without the factor of the scores."""
    draws, count, dimension = points.shape
    energy, weight = np.empty(count), np.empty(count)
    moment, others, common = np.empty(dimension), np.empty(dimension), np.empty(dimension)
    for r in range(draws):
        best = second = -1
        for i in range(count):
            energy[i] = 0.0
            for a in range(dimension):
                energy[i] += (x[r, a] - mu * points[r, i, a]) ** 2
            energy[i] /= 2 * sigma * sigma
            if best < 0 or energy[i] < energy[best]:
                best, second = i, best
            elif second < 0 or energy[i] < energy[second]:
                second = i
        # The others' mean by weights of their own: beside the nearest's they may underflow.
        moment[:], others[:], common[:] = 0.0, 0.0, 0.0
        total, rest = 1.0, 0.0
        for i in range(count):
            weight[i] = np.exp(energy[best] - energy[i])
            if i != best:
                left = np.exp(energy[second] - energy[i])
                total += weight[i]
                rest += left
                for a in range(dimension):
                    offset = points[r, i, a] - points[r, best, a]
                    moment[a] += weight[i] * offset
                    others[a] += left * offset
        every = own = 0.0
        for i in range(count):
            w, square = weight[i] / total, 0.0
            for a in range(dimension):
                # d_i: the mean of the others less the point, times its weight
                if i == best:
                    change = w * others[a] / rest
                else:
                    offset = points[r, i, a] - points[r, best, a]
                    change = w * ((moment[a] - weight[i] * offset) / (total - weight[i]) - offset)
                square += change * change
                common[a] += w * change
            every += square
            own += w * square
        size, shared = count - 1, 0.0
        for a in range(dimension):
            shared += common[a] * common[a]
        out[r, 0] = (every + (size + 1) * own - 2 * shared) / size
        out[r, 1] = own
        out[r, 2] = (every - own) / size
