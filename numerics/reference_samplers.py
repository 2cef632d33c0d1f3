"""Direct reference for the samplers: one path and one step at a time, from the formulas.

Use it on small problems to check ``numerics.samplers``, whose random numbers it shares.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from numerics.counter_streams import Key, stream_key
from numerics.sampler_normals import keyed_normals
from numerics.sampler_score import Score
from numerics.sampler_steps import Method
from numerics.sampler_times import SamplerTimes
from numerics.streams import Rng

Array = NDArray[np.float64]


def reference_reverse(
    score: Score,
    times: SamplerTimes,
    *,
    paths: int,
    dimension: int,
    rng: Rng,
    method: Method = "exponential",
    first_path: int = 0,
) -> Array:
    """Return the states (M, K + 1, d) of all paths at all times.

    Parameters are those of ``numerics.samplers.sample_reverse``, unchecked.

    Examples
    --------
    >>> from numerics.sampler_times import sampler_times
    >>> times = sampler_times([1.0, 0.5])
    >>> reference_reverse(lambda x, u: -x, times, paths=2, dimension=3, rng=0).shape
    (2, 2, 3)
    """
    key = stream_key(rng)
    out = np.empty((paths, len(times.steps) + 1, dimension))
    for m in range(paths):
        y = _normals(key, first_path + m, 0, dimension)
        out[m, 0] = y
        for k in range(len(times.steps)):
            u, after = float(times.noise_times[k]), float(times.noise_times[k + 1])
            z = _normals(key, first_path + m, k + 1, dimension)
            y = _step(score, y, z, u, after, float(times.steps[k]), method)
            out[m, k + 1] = y
    return out


def _normals(key: Key, path: int, draw: int, dimension: int) -> Array:
    return keyed_normals(key, first_path=path, paths=1, draw=draw, dimension=dimension).ravel()


def _step(
    score: Score, y: Array, z: Array, u: float, after: float, length: float, method: Method
) -> Array:
    s = score(y[None], u)[0]
    growth = math.exp(length)
    if method == "exponential":
        return np.asarray(growth * y + 2 * (growth - 1) * s + math.sqrt(growth**2 - 1) * z)
    if method == "euler-maruyama":
        return np.asarray(y + length * (y + 2 * s) + math.sqrt(2 * length) * z)
    if method == "flow-exponential":
        return np.asarray(growth * y + (growth - 1) * s)
    ahead = y + length * (y + s)
    if method == "flow-euler":
        return np.asarray(ahead)
    slope = ahead + score(ahead[None], after)[0]
    return np.asarray(y + length / 2 * (y + s + slope))
