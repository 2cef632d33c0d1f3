"""Direct reference for pairs of training chains: one pair, one step and one sample at a time.

Use it on small problems to check ``numerics.chains``, whose random numbers it shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_streams import ACCEPT, BATCH, LEVEL, NOISE, PURPOSE_BITS, REDRAW, chain_key
from numerics.chain_user_model import Model, gradient_rows
from numerics.counter_streams import Key, philox
from numerics.noise_levels import NoiseLevels
from numerics.sampler_normals import keyed_normals
from numerics.streams import Rng

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Lists:
    """The endless lists of one pair."""

    key: Key
    pair: int

    def normals(self, purpose: int, first: int, count: int) -> Array:
        block = (purpose << PURPOSE_BITS) + first // 2
        drawn = keyed_normals(
            self.key, first_path=block, paths=count // 2 + 1, draw=self.pair, dimension=2
        )
        return drawn.ravel()[first % 2 : first % 2 + count]

    def uniform(self, purpose: int, number: int) -> float:
        block = (purpose << PURPOSE_BITS) + number // 2
        counter = (block % 2**32, block // 2**32, self.pair, 0)
        words = philox(*(np.uint64(word) for word in counter), *self.key)
        low, high = (int(word) for word in words[2 * (number % 2) : 2 * (number % 2) + 2])
        return (high * 2**32 + low >> 11) / 2**53


def reference_pair(
    model: Model,
    data: ArrayLike,
    swapped_in: ArrayLike,
    levels: NoiseLevels,
    *,
    batch: int,
    redraws: int,
    step_sizes: ArrayLike,
    weight_decay: float,
    clip: float | None,
    clipping: str,
    noise: float,
    coupling: str,
    projection_radius: float | None,
    start: ArrayLike,
    pair: int,
    rng: Rng,
) -> Array:
    """Return the parameters (K + 1, 2, p) of both chains of one pair at all steps.

    Parameters are those of ``numerics.chains.run_pairs``, unchecked, but that ``data`` (N, d) and
    ``swapped_in`` (d,), which replaces the first of them, are given.

    Examples
    --------
    >>> from numerics.chain_models import GaussianMean
    >>> reference_pair(
    ...     GaussianMean(0.0), [[1.0]], [2.0], NoiseLevels([1.0], [1.0], [1.0]), batch=1,
    ...     redraws=1, step_sizes=[0.25], weight_decay=0.0, clip=None, clipping="whole", noise=0.0,
    ...     coupling="synchronous", projection_radius=None, start=[0.0], pair=0, rng=0,
    ... ).tolist()
    [[[0.0], [0.0]], [[0.5], [1.0]]]
    """
    samples = np.asarray(data, dtype=float)
    others = np.array(samples)
    others[0] = swapped_in
    size, dimension = samples.shape
    lists = _Lists(chain_key(rng), pair)
    first = second = np.asarray(start, dtype=float)
    path = [np.array([first, second])]
    order = list(range(size))
    for k, length in enumerate(np.asarray(step_sizes, dtype=float)):
        for b in range(batch if batch < size else 0):
            place = b + int(lists.uniform(BATCH, k * batch + b) * (size - b))
            order[b], order[place] = order[place], order[b]
        draws = []
        for r in range(batch * redraws):
            number = k * batch * redraws + r
            level = int(np.searchsorted(levels.cumulative, lists.uniform(LEVEL, number), "right"))
            z = lists.normals(REDRAW, number * dimension, dimension)
            draws.append((z, levels.mu[level], levels.sigma[level]))
        means = []
        for theta, points in ((first, samples), (second, others)):
            by_sample = []
            for b in range(batch):
                own = draws[b * redraws : (b + 1) * redraws]
                found = [_gradient(model, theta, points[order[b]], *draw) for draw in own]
                by_sample.append(levels.mass * np.mean(found, axis=0))
            if clipping == "per-sample":
                step = np.mean([_projected(g, clip) for g in by_sample], axis=0)
            else:
                step = _projected(np.mean(by_sample, axis=0), clip)
            means.append((1 - length * weight_decay) * theta - length * step)
        normals = lists.normals(NOISE, k * len(first), len(first))
        u = lists.uniform(ACCEPT, k)
        first, second = _noised(means[0], means[1], length * noise, normals, u, coupling)
        first, second = _projected(first, projection_radius), _projected(second, projection_radius)
        path.append(np.array([first, second]))
    return np.array(path)


def _gradient(model: Model, theta: Array, x0: Array, z: Array, mu: float, sigma: float) -> Array:
    rows = gradient_rows(model)
    return np.asarray(rows(theta[None], x0[None], z[None], np.array([mu]), np.array([sigma]))[0])


def _projected(vector: Array, radius: float | None) -> Array:
    length = float(np.linalg.norm(vector))
    if radius is None or length <= radius:
        return vector
    return np.asarray(vector * (radius / length))


def _noised(
    first: Array, second: Array, deviation: float, normals: Array, u: float, coupling: str
) -> tuple[Array, Array]:
    moved = first + deviation * normals
    h = float(np.linalg.norm(first - second))
    if coupling == "synchronous" or h == 0.0 or deviation == 0.0:
        return moved, second + deviation * normals
    e = (first - second) / h
    z = float(e @ normals)
    ratio = h / deviation
    if coupling == "reflection-maximal" and u < min(1.0, math.exp(-z * ratio - ratio**2 / 2)):
        return moved, moved
    return moved, second + deviation * (normals - 2 * z * e)
