"""One step of a reverse-time sampler for a score given as a callable, with its checks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.sampler_score import Score, check_state, checked_scores
from numerics.sampler_steps import StepFactors
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]


def advanced(
    score: Score,
    factors: StepFactors,
    times: SamplerTimes,
    step: int,
    y: Array,
    noise: Array | None,
    first_path: int,
) -> Array:
    """Return the states after one step.

    Parameters
    ----------
    score : callable
        ``score(x, u)`` of shape (M, d).
    factors : StepFactors
    times : SamplerTimes
    step : int
        Which step k, from noise time u_k to u_{k+1}.
    y : ndarray, shape (M, d)
        States at noise time u_k.
    noise : ndarray, shape (M, d), or None
        The whole noise of the step, scaled; None for the probability flow.
    first_path : int
        Index of the path in row 0, for messages.

    Raises
    ------
    ValueError
        One line, for a score of wrong shape, dtype or value and for a state beyond 1e70.

    Examples
    --------
    >>> from numerics.sampler_steps import step_factors
    >>> from numerics.sampler_times import sampler_times
    >>> times = sampler_times([1.0, 0.5])
    >>> heun = step_factors(times, "flow-heun")
    >>> advanced(lambda x, u: -2.0 * x, heun, times, 0, np.ones((1, 1)), None, 0)
    array([[0.625]])
    """
    u = float(times.noise_times[step])
    slope = checked_scores(score, y, u, step, first_path)
    # A huge score may overflow here, which the checks report.
    with np.errstate(over="ignore", invalid="ignore"):
        if factors.heun:
            length = factors.length[step]
            ahead = y + length * (y + slope)
            check_state(ahead, y, u, step, first_path)
            after = float(times.noise_times[step + 1])
            second = checked_scores(score, ahead, after, step, first_path)
            new = y + (0.5 * length) * ((y + slope) + (ahead + second))
        else:
            new = factors.keep[step] * y + factors.push[step] * slope
        if noise is not None:
            new += noise
    check_state(new, y, u, step, first_path)
    return np.asarray(new)
