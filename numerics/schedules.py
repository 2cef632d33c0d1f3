r"""Forward processes dx = -β_t x dt + G_t dW as float functions of time.

With D_t = G_t²/2 the process has X_t = μ_t X_0 + σ_t Z, and for any (μ, σ)

    β = -μ'/μ,    D = (σ²)'/2 + β σ².

Source: vastola2025, Section 2 (arXiv 2504.12532).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Function = Callable[[ArrayLike], Array]

_BETA_MIN, _BETA_SLOPE = 0.1, 19.9


@dataclass(frozen=True, slots=True)
class Schedule:
    """A forward process; every function takes times of any shape and keeps it.

    Attributes
    ----------
    name : str
        "ou", "vp-linear", "ve" or "fraction".
    mu, sigma2 : callable
        Signal μ_t and squared noise level σ_t².
    beta, diffusion : callable
        Drift rate β_t and D_t = G_t²/2, per unit of time.
    horizon : float
        Times lie in (0, horizon); at a finite horizon β is infinite.

    Examples
    --------
    >>> schedule_named("vp-linear").beta([0.0, 1.0]).tolist()
    [0.1, 20.0]
    """

    name: str
    mu: Function = field(repr=False, compare=False)
    sigma2: Function = field(repr=False, compare=False)
    beta: Function = field(repr=False, compare=False)
    diffusion: Function = field(repr=False, compare=False)
    horizon: float = math.inf


def schedule_named(name: str) -> Schedule:
    """Return a schedule by name.

    Parameters
    ----------
    name : str
        "ou": μ = exp(-t), σ² = 1 - μ²; "vp-linear": the same with β_t = 0.1 + 19.9 t;
        "ve": μ = 1, σ = t; "fraction": μ² = 1 - t, σ² = t on (0, 1).

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        One line, for an unknown name.

    Examples
    --------
    >>> float(schedule_named("fraction").sigma2(0.25))
    0.25
    """
    for schedule in SCHEDULES:
        if schedule.name == name:
            return schedule
    names = ", ".join(schedule.name for schedule in SCHEDULES)
    raise ValueError(f"schedule = {name!r}: it must be one of {names}; pass one")


def _times(t: ArrayLike) -> Array:
    return np.asarray(t, dtype=np.float64)


def _rate(t: ArrayLike) -> Array:
    return np.asarray(_BETA_MIN + _BETA_SLOPE * _times(t))


def _decay(t: ArrayLike) -> Array:
    """Return ∫_0^t β of the linear rate."""
    return np.asarray(_times(t) * (_BETA_MIN + 0.5 * _BETA_SLOPE * _times(t)))


def _one(t: ArrayLike) -> Array:
    return np.ones_like(_times(t))


def _fraction_rate(t: ArrayLike) -> Array:
    return np.asarray(0.5 / (1.0 - _times(t)))


SCHEDULES = (
    # 1 - exp(-2u) by expm1, so that small times keep their digits.
    Schedule(
        "ou",
        mu=lambda t: np.asarray(np.exp(-_times(t))),
        sigma2=lambda t: np.asarray(-np.expm1(-2.0 * _times(t))),
        beta=_one,
        diffusion=_one,
    ),
    Schedule(
        "vp-linear",
        mu=lambda t: np.asarray(np.exp(-_decay(t))),
        sigma2=lambda t: np.asarray(-np.expm1(-2.0 * _decay(t))),
        beta=_rate,
        diffusion=_rate,
    ),
    Schedule(
        "ve",
        mu=_one,
        sigma2=lambda t: np.asarray(_times(t) ** 2),
        beta=lambda t: np.zeros_like(_times(t)),
        diffusion=lambda t: _times(t).copy(),
    ),
    Schedule(
        "fraction",
        mu=lambda t: np.asarray(np.sqrt(1.0 - _times(t))),
        sigma2=lambda t: _times(t).copy(),
        beta=_fraction_rate,
        diffusion=_fraction_rate,
        horizon=1.0,
    ),
)


def checked_times(
    schedule: Schedule, early_stopping_time: float, horizon: float
) -> tuple[float, float]:
    """Return (ε, T) with 0 < ε < T, T inside the schedule, or raise ValueError.

    Examples
    --------
    >>> checked_times(schedule_named("ou"), 1e-3, 1)
    (0.001, 1.0)
    """
    epsilon, last = checked_range(early_stopping_time, horizon)
    if not last < schedule.horizon:
        raise ValueError(
            f"horizon = {last!r}: the schedule {schedule.name} needs a horizon below "
            f"{schedule.horizon:g}, where its rate is infinite; pass {0.99 * schedule.horizon:g}, "
            "say"
        )
    return epsilon, last


def checked_range(early_stopping_time: float, horizon: float) -> tuple[float, float]:
    """Return (ε, T) with 0 < ε < T finite, or raise ValueError.

    Examples
    --------
    >>> checked_range(1e-3, 1)
    (0.001, 1.0)
    """
    try:
        epsilon, last = float(early_stopping_time), float(horizon)
    except (TypeError, ValueError):
        raise ValueError(
            f"early_stopping_time = {early_stopping_time!r}, horizon = {horizon!r}: "
            "two numbers are needed; pass 0.01 and 1, say"
        ) from None
    if not (math.isfinite(last) and last > 0.0):
        raise ValueError(f"horizon = {horizon!r}: a finite number > 0 is needed; pass 1.0, say")
    if not 0.0 < epsilon < last:
        raise ValueError(
            f"early_stopping_time = {early_stopping_time!r}: it must lie in (0, horizon) = "
            f"(0, {last:g}); pass {0.01 * last:g}, say"
        )
    return epsilon, last
