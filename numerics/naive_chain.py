"""The naive estimator on point masses: Euler steps with a fresh proxy score at each.

x_{t−h} = x_t + h(βx + Ds) + √(κh) D (proxy − s), where the proxy score (μX_0 − x)/σ² is that of a
data point drawn from its posterior given x_t.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count
from numerics.schedules import Schedule, checked_times
from numerics.streams import Rng, keyed, seed_sequence

Array = NDArray[np.float64]

#: First words of the keys of the streams: the starts, and the fresh data points of a step.
_STARTS, _FRESH = 1, 2


def naive_chain(
    data: ArrayLike,
    schedule: Schedule,
    *,
    memory: float,
    paths: int,
    steps: int,
    early_stopping_time: float,
    horizon: float = 1.0,
    seed: Rng,
) -> Array:
    """Sample the last state of the naive estimator's chain on the line.

    Parameters
    ----------
    data : array_like, shape (M,)
        Data points of equal mass.
    schedule : Schedule
    memory : float
        κ >= 0, in units of time; with 0 the chain is Euler's scheme of the probability flow.
    paths, steps : int
        At least 1 each; the steps are equal.
    early_stopping_time, horizon : float
        0 < ε < T. Chains start from the noised data at T, exactly.
    seed : int or SeedSequence
        Bits do not depend on threads; the starts are the same whatever ``memory``.

    Returns
    -------
    ndarray, shape (paths,)

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Notes
    -----
    Source: vastola2025, Proposition 4.1; there κ multiplies the variance of the fresh noise.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> one = naive_chain([0.0], schedule_named("ou"), memory=0.5, paths=2, steps=10,
    ...     early_stopping_time=0.1, seed=0)
    >>> bool((one == naive_chain([0.0], schedule_named("ou"), memory=0.0, paths=2, steps=10,
    ...     early_stopping_time=0.1, seed=0)).all())  # one data point: nothing fresh to draw
    True
    """
    points = np.asarray(data, dtype=np.float64)
    if points.ndim != 1 or len(points) == 0 or not np.all(np.isfinite(points)):
        raise ValueError(
            f"data has shape {points.shape}: at least one finite point on the line is needed; "
            "pass them as (M,)"
        )
    if not (math.isfinite(memory) and memory >= 0.0):
        raise ValueError(f"memory = {memory}: a finite number >= 0 is needed; pass κ >= 0")
    count, number = checked_count("steps", steps, 1), checked_count("paths", paths, 1)
    early, last = checked_times(schedule, early_stopping_time, horizon)
    times = last - (last - early) * np.arange(count + 1) / count
    levels = np.stack(
        [
            schedule.mu(times),
            schedule.sigma2(times),
            schedule.beta(times),
            schedule.diffusion(times),
        ]
    )
    root = seed_sequence(seed)
    starting = keyed(root, _STARTS)
    chosen = points[starting.integers(len(points), size=number)]
    states = levels[0, 0] * chosen + math.sqrt(levels[1, 0]) * starting.standard_normal(number)
    length = (last - early) / count
    for k in range(count):
        uniforms = keyed(root, _FRESH, k).random(number)
        _step(states, uniforms, points, levels[:, k], length, math.sqrt(memory * length))
    return np.asarray(states)


@njit(parallel=True, cache=True)
def _step(
    states: Array, uniforms: Array, points: Array, level: Array, length: float, fresh: float
) -> None:
    mu, sigma2, beta, diffusion = level
    for i in prange(len(states)):
        x = states[i]
        mean, drawn = _posterior(x, points, mu, sigma2, uniforms[i])
        flow = beta * x + diffusion * (mu * mean - x) / sigma2
        states[i] = x + length * flow + fresh * diffusion * mu * (drawn - mean) / sigma2


@njit(cache=True)
def _posterior(
    x: float, points: Array, mu: float, sigma2: float, uniform: float
) -> tuple[float, float]:
    """Return the posterior mean of the data point, and the one that a uniform number draws."""
    nearest = math.inf
    for point in points:
        nearest = min(nearest, (x - mu * point) ** 2)
    total, mean = 0.0, 0.0
    for point in points:
        weight = math.exp((nearest - (x - mu * point) ** 2) / (2.0 * sigma2))
        total += weight
        mean += weight * point
    left, drawn = uniform * total, points[-1]
    for point in points:
        left -= math.exp((nearest - (x - mu * point) ** 2) / (2.0 * sigma2))
        if left < 0.0:
            drawn = point
            break
    return mean / total, drawn
