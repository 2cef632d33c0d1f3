r"""The probability flow of fitted denoisers, run backwards, with the denoiser evaluated exactly.

Backwards from T to ε on a uniform grid of step h, one of Euler's steps from t to t - h is

    x ← x + h (β x + D s),    s = (μ m̂(x, t) - x)/σ²,

that is x ← a x + b m̂ with a = 1 + h (β - D/σ²), b = h D μ/σ². The process is started from
N(0, σ_T² I), the law of pure noise.

Source: vastola2025, Section 2 (the flow) and the appendix on the experiments (30 steps).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count
from numerics.denoiser_axes import axis_plan
from numerics.denoiser_histograms import Histograms, histogram_1d, histogram_2d
from numerics.denoiser_kernel import model_flows, point_mass_flows, time_contracted
from numerics.denoiser_starts import normal_quantiles, normal_starts
from numerics.feature_training import checked_data
from numerics.features import TensorFeatures
from numerics.schedules import Schedule, checked_times

__all__ = [
    "Histograms",
    "flow",
    "flow_times",
    "histogram_1d",
    "histogram_2d",
    "normal_quantiles",
    "normal_starts",
    "true_flow",
]

Array = NDArray[np.float64]

# Doubles of coefficients that are held at a time (64 MiB).
_HELD = 2**23


def flow(
    features: TensorFeatures,
    weights: ArrayLike,
    starts: ArrayLike,
    schedule: Schedule,
    *,
    steps: int = 30,
    early_stopping_time: float,
    horizon: float = 1.0,
) -> Array:
    """Return where the flow of each model ends.

    Parameters
    ----------
    features : TensorFeatures
        With one or two axes of space.
    weights : array_like, shape (models, d, F)
        The denoisers m̂ = W φ.
    starts : array_like, shape (n, d) or (models, n, d)
        Points at time T, shared by all models or not.
    schedule : Schedule
    steps : int
        At least 1. The denoiser is evaluated last at ε + h, h = (T - ε)/steps.
    early_stopping_time, horizon : float
        ε and T, 0 < ε < T.

    Returns
    -------
    ndarray, shape (models, n, d)
        The same bits for any number of threads, and however models or starts are divided.

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Notes
    -----
    No table is interpolated: see ``numerics.denoiser_axes`` for the errors of the features.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> features = gaussian_features((4, 3), early_stopping_time=0.01)
    >>> flow(features, np.zeros((5, 1, 12)), [[0.0], [1.0]], schedule_named("ou"),
    ...     early_stopping_time=0.01).shape
    (5, 2, 1)
    """
    if features.dimension > 2:
        raise ValueError(
            f"features have {features.dimension} axes of space: the flow takes 1 or 2; pass those"
        )
    times, factors = _steps(schedule, steps, early_stopping_time, horizon)
    matrix = _checked_matrices(weights, features)
    places = _checked_starts(starts, features.dimension, len(matrix))
    *_, second = plans = [axis_plan(axis) for axis in features.space]
    outer = plans[0].features if features.dimension == 2 else 1
    values = features.time.values(times)
    ends = np.empty((len(matrix), *places.shape[1:]))
    padded = len(times) * outer * features.dimension * (second.features + 3)
    batch = max(1, _HELD // padded)
    for low in range(0, len(matrix), batch):
        chosen = slice(low, low + batch)
        coefficients = time_contracted(matrix[chosen], values, outer, second.features)
        shared = places if len(places) == 1 else places[chosen]
        model_flows(shared, coefficients, factors, plans[0], second, ends[chosen])
    return ends


def true_flow(
    data: ArrayLike,
    starts: ArrayLike,
    schedule: Schedule,
    *,
    steps: int = 30,
    early_stopping_time: float,
    horizon: float = 1.0,
) -> Array:
    """Return where the same steps end under the exact posterior mean of point masses.

    Parameters
    ----------
    data : array_like, shape (M, d)
        Equal masses at these points; any d.
    starts : array_like, shape (n, d)
    schedule, steps, early_stopping_time, horizon
        As in ``flow``.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> end = true_flow([[1.0]], [[0.0]], schedule_named("ou"), early_stopping_time=0.01)
    >>> bool(0.9 < end[0, 0] < 1.0)
    True
    """
    atoms = checked_data(data)
    times, factors = _steps(schedule, steps, early_stopping_time, horizon)
    places: Array = _checked_starts(starts, atoms.shape[1], 1)[0]
    levels = np.stack((schedule.mu(times), schedule.sigma2(times)), axis=1)
    ends = np.empty_like(places)
    point_mass_flows(places, atoms, levels, factors, ends)
    return ends


def flow_times(steps: int, early_stopping_time: float, horizon: float) -> Array:
    """Return the times (steps,) at which the denoiser is evaluated: T, T - h, ..., ε + h.

    Examples
    --------
    >>> flow_times(2, 0.1, 0.5).tolist()
    [0.5, 0.3]
    """
    fractions = np.arange(steps) / steps
    return np.asarray(horizon + (early_stopping_time - horizon) * fractions)


def _steps(
    schedule: Schedule, steps: int, early_stopping_time: float, horizon: float
) -> tuple[Array, Array]:
    """Return the times (steps,) and the factors a and b (steps, 2)."""
    number = checked_count("steps", steps, 1)
    epsilon, last = checked_times(schedule, early_stopping_time, horizon)
    times, h = flow_times(number, epsilon, last), (last - epsilon) / number
    pull = schedule.diffusion(times) / schedule.sigma2(times)
    factors = (1.0 + h * (schedule.beta(times) - pull), h * pull * schedule.mu(times))
    return times, np.stack(factors, axis=1)


def _checked_matrices(weights: ArrayLike, features: TensorFeatures) -> Array:
    matrix = np.ascontiguousarray(weights, dtype=np.float64)
    wanted = (features.dimension, features.count)
    if matrix.ndim != 3 or matrix.shape[1:] != wanted or len(matrix) == 0:
        raise ValueError(
            f"weights has shape {matrix.shape}: it must be (models, {wanted[0]}, {wanted[1]}) "
            "for these features; pass that"
        )
    if not np.all(np.isfinite(matrix)):
        raise ValueError("weights has entries that are not finite; pass finite numbers")
    return matrix


def _checked_starts(starts: ArrayLike, dimension: int, models: int) -> Array:
    """Return starts (1 or models, n, d)."""
    places = np.ascontiguousarray(starts, dtype=np.float64)
    places = places[None] if places.ndim == 2 else places
    if places.ndim != 3 or len(places) not in (1, models) or places.shape[2] != dimension:
        each = f" or ({models}, n, {dimension})" if models > 1 else ""
        raise ValueError(
            f"starts has shape {np.shape(starts)}: it must be (n, {dimension}){each}; pass that"
        )
    if not np.all(np.isfinite(places)):
        raise ValueError("starts has entries that are not finite; pass finite numbers")
    return places
