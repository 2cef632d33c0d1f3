"""One step of a reverse sampler as a map of the line and, for the noisy ones, a variance.

From noise time u over the step γ, with the score ŝ: exponential integrator
``e^γ x + 2 (e^γ - 1) ŝ`` with variance ``e^{2γ} - 1``; Euler-Maruyama ``x + γ (x + 2 ŝ)`` with
variance ``2 γ``; and the probability flow ``dx = (x + ŝ) dt`` by Euler's, the exponential and
Heun's rule, without noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from numerics.density_score import Score
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

NoisyMethod = Literal["exponential", "euler-maruyama"]
FlowMethod = Literal["flow-euler", "flow-exponential", "flow-heun"]
NOISY: tuple[NoisyMethod, ...] = get_args(NoisyMethod)
FLOWS: tuple[FlowMethod, ...] = get_args(FlowMethod)


def checked_method(method: str) -> NoisyMethod | FlowMethod:
    """Return the method, or raise a ValueError of one line."""
    if method not in NOISY + FLOWS:
        names = ", ".join(repr(name) for name in NOISY + FLOWS)
        raise ValueError(f"method = {method!r}: one of {names}; pass 'exponential', say")
    return method


def affine_parts(method: NoisyMethod, step: float) -> tuple[float, float, float]:
    """Return a, b and g of the transition to ``N(a x + b ŝ, g)``.

    Examples
    --------
    >>> affine_parts("euler-maruyama", 0.5)
    (1.5, 1.0, 1.0)
    """
    if method == "exponential":
        return math.exp(step), 2.0 * math.expm1(step), math.expm1(2.0 * step)
    return 1.0 + step, 2.0 * step, 2.0 * step


def noisy_mean(method: NoisyMethod, score: Score, u: float, step: float, x: Array) -> Array:
    """Return the mean of the next place from each place of x, any shape.

    Raises
    ------
    ValueError
        One line, if the score has another shape than x or is not finite.
    """
    scale, slope, _ = affine_parts(method, step)
    return scale * x + slope * checked_values("score", score, x, u)


def checked_values(name: str, function: Score, x: Array, u: float) -> Array:
    """Return the function's values at x (any shape), called with one row, or raise ValueError."""
    values = np.asarray(function(x.ravel(), u), dtype=np.float64)
    if values.shape != (x.size,):
        raise ValueError(
            f"{name} returned shape {values.shape} for {x.size} places; it must return "
            f"({x.size},): write it for a row of places"
        )
    bad = ~np.isfinite(values)
    if np.any(bad):
        place = float(x.ravel()[int(np.argmax(bad))])
        raise ValueError(
            f"{name} = {float(values[int(np.argmax(bad))])!r} at x = {place!r}, u = {u!r}; it must "
            "be finite on the whole line: write it without overflow"
        )
    return values.reshape(x.shape)


def flow_step(
    method: FlowMethod, score: Score, derivative: Score, times: SamplerTimes, k: int, x: Array
) -> tuple[Array, Array]:
    """Return the image of x (any shape) under step k of the flow, and the map's derivative."""
    u, following = (float(value) for value in times.noise_times[k : k + 2])
    step = float(times.steps[k])
    here = checked_values("score", score, x, u)
    slope = checked_values("score_derivative", derivative, x, u)
    if method == "flow-exponential":
        scale, share = math.exp(step), math.expm1(step)
        return scale * x + share * here, scale + share * slope
    image, factor = x + step * (x + here), 1.0 + step * (1.0 + slope)
    if method == "flow-euler":
        return image, factor
    there = checked_values("score", score, image, following)
    bend = checked_values("score_derivative", derivative, image, following)
    half = 0.5 * step
    return (
        x + half * (x + here + image + there),
        1.0 + half * (1.0 + slope + (1.0 + bend) * factor),
    )


def checked_interval(interval: tuple[float, float]) -> tuple[float, float]:
    """Return the interval's ends, or raise a ValueError of one line."""
    low, high = (float(end) for end in interval)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"interval = {interval!r}: two finite numbers, the lower first; pass (-8.5, 8.5), say"
        )
    return low, high


def checked_record(record: Iterable[int] | Literal["all"] | None, count: int) -> frozenset[int]:
    """Return the steps to keep, always with the last, or raise a ValueError of one line."""
    if isinstance(record, str):
        if record != "all":
            raise ValueError(f"record = {record!r}: step indices, 'all' or None; pass 'all', say")
        return frozenset(range(count + 1))
    chosen = frozenset(() if record is None else record)
    for index in sorted(chosen):
        if not 0 <= index <= count:
            raise ValueError(
                f"record holds {index!r}: a step index lies in 0..{count}; pass record='all', say"
            )
    return chosen | {count}
