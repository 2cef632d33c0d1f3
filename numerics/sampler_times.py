"""The times at which a sampler evaluates the score.

A sampler starts at noise time T and stops at noise time ε; step k goes from noise time u_k to
u_{k+1} < u_k. The two-phase times of Proposition 7 are uniform down to noise time one and
geometric from there on: with L and m steps in the phases,

    u_k = κ(L − k) + 1 for k <= L,    u_k = (1 + κ)^(L − k) from there on,

so T = κL + 1, ε = (1 + κ)^(−m), and every step is κ min(1, u_{k+1}).
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Given as decimals, T and ε meet the times only up to rounding.
_SAME = 1e-9
# More than any run can take; keeps a tiny step from a number of steps that is no integer.
_MOST_STEPS = 1e12


@dataclass(frozen=True, slots=True)
class SamplerTimes:
    """Noise times u_0 > … > u_K > 0, (K + 1,), and the steps between them, (K,)."""

    noise_times: Array
    steps: Array

    @property
    def horizon(self) -> float:
        """The noise time T that sampling starts from."""
        return float(self.noise_times[0])

    @property
    def early_stopping_time(self) -> float:
        """The noise time ε that sampling stops at."""
        return float(self.noise_times[-1])


def two_phase_times(kappa: float, uniform_steps: int, geometric_steps: int) -> SamplerTimes:
    """Return the times of Proposition 7 with L uniform and m geometric steps.

    Source: farghly2026, arXiv 2507.03756, Proposition 7 (times as in benton2024).

    Parameters
    ----------
    kappa : float
        The step size, > 0.
    uniform_steps, geometric_steps : int
        L and m, each at least 1.

    Raises
    ------
    ValueError
        One line, for a parameter outside its domain.

    Examples
    --------
    >>> times = two_phase_times(0.5, 2, 2)
    >>> times.noise_times.round(4), times.steps.round(4)
    (array([2.    , 1.5   , 1.    , 0.6667, 0.4444]), array([0.5   , 0.5   , 0.3333, 0.2222]))
    """
    step = _checked_kappa(kappa)
    for name, count, why in (
        ("uniform_steps", uniform_steps, "T = κL + 1 must exceed 1"),
        ("geometric_steps", geometric_steps, "ε = (1 + κ)^(−m) must be below 1"),
    ):
        if _whole(count) < 1:
            raise ValueError(f"{name} = {count!r}: an integer ≥ 1, since {why}; pass 10, say")
    uniform = 1.0 + step * np.arange(uniform_steps, 0, -1)
    geometric = np.exp(-math.log1p(step) * np.arange(geometric_steps + 1))
    noise_times = np.concatenate([uniform, geometric])
    if not (noise_times[-1] > 0.0 and np.all(np.diff(noise_times) < 0.0)):
        raise ValueError(
            f"kappa = {step!r} with {geometric_steps} geometric steps: the noise times underflow "
            "or coincide; pass a kappa in [1e-9, 1e9] and fewer steps"
        )
    return SamplerTimes(noise_times, step * np.minimum(1.0, noise_times[1:]))


def phase_lengths(kappa: float, horizon: float, early_stopping_time: float) -> tuple[int, int]:
    """Return the L and m that Proposition 7's times have for this T and this ε.

    Raises
    ------
    ValueError
        One line, for values outside their domains, and for a T that is not 1 + κL or an ε that
        is not (1 + κ)^(−m); the message names the nearest that is.

    Examples
    --------
    >>> phase_lengths(0.25, 5.0, 0.4096)
    (16, 4)
    """
    return uniform_steps(kappa, horizon), geometric_steps(kappa, early_stopping_time)


def uniform_steps(kappa: float, horizon: float) -> int:
    """Return the L with T = κL + 1; errors as in `phase_lengths`.

    Examples
    --------
    >>> uniform_steps(0.25, 5.0)
    16
    """
    step = _checked_kappa(kappa)
    if not (math.isfinite(horizon) and horizon > 1.0):
        raise ValueError(
            f"T = {horizon!r}: T > 1 is needed, as the times are uniform from T down to noise "
            "time 1; pass T = 5, say"
        )
    count = _nearest_uniform(step, horizon)
    nearest = 1.0 + step * count
    if abs(nearest - horizon) > _SAME * horizon:
        raise ValueError(
            f"T = {horizon!r}: with kappa = {step!r} T is 1 + κL for an integer L ≥ 1; "
            f"the nearest is T = {nearest!r}, L = {count}"
        )
    return count


def geometric_steps(kappa: float, early_stopping_time: float) -> int:
    """Return the m with ε = (1 + κ)^(−m); errors as in `phase_lengths`.

    Examples
    --------
    >>> geometric_steps(0.25, 0.4096)
    4
    """
    step = _checked_kappa(kappa)
    if not 0.0 < early_stopping_time < 1.0:
        raise ValueError(
            f"eps = {early_stopping_time!r}: 0 < ε < 1 is needed, as the last times are geometric "
            "from noise time 1 down to ε; pass ε = 0.01, say"
        )
    count = _nearest_geometric(step, early_stopping_time)
    nearest = math.exp(-count * math.log1p(step))
    if abs(nearest - early_stopping_time) > _SAME * early_stopping_time:
        raise ValueError(
            f"eps = {early_stopping_time!r}: with kappa = {step!r} ε is (1 + κ)^(−m) for an "
            f"integer m ≥ 1; the nearest is ε = {nearest!r}, m = {count}"
        )
    return count


def nearest_phase_lengths(
    kappa: float, horizon: float, early_stopping_time: float
) -> tuple[int, int]:
    """Return the L and m whose T and ε are nearest to these, ε on the logarithmic scale.

    Examples
    --------
    >>> nearest_phase_lengths(0.3, 5.0, 0.01)
    (13, 18)
    """
    return _nearest_uniform(kappa, horizon), _nearest_geometric(kappa, early_stopping_time)


def _nearest_uniform(kappa: float, horizon: float) -> int:
    return max(1, round(min((horizon - 1.0) / kappa, _MOST_STEPS)))


def _nearest_geometric(kappa: float, early_stopping_time: float) -> int:
    return max(1, round(min(-math.log(early_stopping_time) / math.log1p(kappa), _MOST_STEPS)))


def sampler_times(noise_times: ArrayLike) -> SamplerTimes:
    """Return any times, given as decreasing noise times u_0 > … > u_K > 0.

    Raises
    ------
    ValueError
        One line, if they are not finite, positive and strictly decreasing, or fewer than two.

    Examples
    --------
    >>> sampler_times([1.0, 0.5, 0.1]).steps
    array([0.5, 0.4])
    """
    times = np.array(noise_times, dtype=np.float64)
    if times.ndim != 1 or times.size < 2:
        raise ValueError(
            f"noise_times has shape {times.shape}: at least two times in one row are needed; "
            "pass [2.0, 1.0, 0.1], say"
        )
    bad = ~np.isfinite(times) | (times <= 0.0)
    bad[1:] |= times[1:] >= times[:-1]
    if np.any(bad):
        k = int(np.argmax(bad))
        raise ValueError(
            f"noise_times[{k}] = {float(times[k])!r}: noise times are finite, > 0 and strictly "
            "decreasing; sort them from T down to ε"
        )
    return SamplerTimes(times, -np.diff(times))


def _whole(count: SupportsIndex) -> int:
    """Return the count, or zero for what is no integer."""
    try:
        return 0 if isinstance(count, bool) else operator.index(count)
    except TypeError:
        return 0


def _checked_kappa(kappa: float) -> float:
    if not (math.isfinite(kappa) and kappa > 0.0):
        raise ValueError(f"kappa = {kappa!r}: the step size κ is a number > 0; pass 0.1, say")
    return float(kappa)
