r"""The V-kernel of linear denoisers: how the learnt score varies from training set to training set.

The ridge fit W minimises (1/P) Σ λ |x_0 - W φ|² + ρ |W|² over P draws. With S = Σ + ρI, its
population value is W_ρ = A S⁻¹ and its residual r = x_0 - W_ρ φ has E[λ r φᵀ] = ρ W_ρ. One Newton
step gives Ŵ - W_ρ = ((1/P) Σ λ r φᵀ - ρ W_ρ) S⁻¹ up to terms of order 1/P, hence

    P Cov(w_a, w_b) → S⁻¹ B_ab S⁻¹,    B_ab = E[λ² φφᵀ (Γ_ab + δ_a δ_b)] - ρ² w_a w_bᵀ,

with Γ the covariance of x_0 given (x, t) and δ = E[x_0 | x, t] - W_ρ φ: the sandwich of a model
that need not represent the score. If it does and ρ = 0, δ = 0: vastola2025, Proposition 5.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_choice, checked_count
from numerics.schedules import Schedule
from numerics.v_kernel_population import (
    PopulationMatrices,
    RelativeErrors,
    population_matrices,
    ridge_solved,
)

__all__ = [
    "FORMS",
    "PopulationMatrices",
    "RelativeErrors",
    "checked_training_size",
    "denoiser_variance",
    "population_matrices",
    "score_variance",
    "v_kernel",
    "weight_covariance",
]

Array = NDArray[np.float64]

FORMS = ("sandwich", "representable")


def _directions(
    matrices: PopulationMatrices, points: ArrayLike, times: ArrayLike, training_size: int
) -> Array:
    """Return S⁻¹ φ at points (n, d) and times, shape (n, F), once P is known to suffice."""
    checked_training_size(matrices.features.count, matrices.ridge, training_size)
    values = matrices.features.evaluate(points, times)
    return ridge_solved(matrices.features, matrices.second_moment, matrices.ridge, values.T).T


def checked_training_size(feature_count: int, ridge: float, training_size: int) -> int:
    """Return P, or raise ValueError where a fit without a ridge is not unique.

    Examples
    --------
    >>> checked_training_size(12, 0.0, 12)
    12
    """
    size = checked_count("training_size", training_size, 1)
    if ridge == 0.0 and feature_count > size:
        raise ValueError(
            f"ridge = 0 with F = {feature_count} features and P = {size} draws: F > P has no "
            "unique fit and no leading order; pass a ridge > 0 or a larger P"
        )
    return size


def _noise(matrices: PopulationMatrices, form: str) -> Array:
    """Return B in one of its two forms."""
    return (matrices.sandwich, matrices.representable)[checked_choice("form", form, FORMS)]


def weight_covariance(
    matrices: PopulationMatrices, training_size: int, form: str = "sandwich"
) -> Array:
    """Return Cov(w_a, w_b) = S⁻¹ B_ab S⁻¹ / P, the leading order in 1/P.

    Parameters
    ----------
    matrices : PopulationMatrices
    training_size : int
        P >= 1; at least F without a ridge.
    form : str
        "sandwich", or "representable" for vastola2025, Proposition 5.1, where δ = 0.

    Returns
    -------
    ndarray, shape (d, d, F, F)

    Raises
    ------
    ValueError
        One line: F > P without a ridge, or an unknown form.

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> weight_covariance(found, 4).round(9).tolist()  # of a mean of four signs
    [[[[0.25]]]]
    """
    size = checked_training_size(matrices.features.count, matrices.ridge, training_size)
    noise = _noise(matrices, form)
    inverse = ridge_solved(
        matrices.features,
        matrices.second_moment,
        matrices.ridge,
        np.eye(matrices.features.count),
    )
    found = inverse @ noise @ inverse / size
    return np.asarray((found + found.transpose(1, 0, 3, 2)) / 2.0)


def v_kernel(
    matrices: PopulationMatrices,
    points: ArrayLike,
    times: ArrayLike,
    other_points: ArrayLike,
    other_times: ArrayLike,
    training_size: int,
    form: str = "sandwich",
) -> Array:
    """Return V(x, t; x', t') = D_t Cov(ŝ(x, t), ŝ(x', t')) D_t', to leading order in 1/P.

    Parameters
    ----------
    matrices : PopulationMatrices
    points, times : array_like, shapes (n, d) and (n,) or one time
    other_points, other_times : array_like, shapes (n', d) and (n',) or one time
    training_size, form
        As in ``weight_covariance``.

    Returns
    -------
    ndarray, shape (n, n', d, d)

    Raises
    ------
    ValueError
        One line, as in ``weight_covariance``.

    Notes
    -----
    vastola2025, Proposition 5.1, with the V-kernel as defined in its Section 3.

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> v_kernel(found, [[0.0]], 0.5, [[1.0], [2.0]], 0.5, 4).shape
    (1, 2, 1, 1)
    """
    noise = _noise(matrices, form)
    left, right = (
        _directions(matrices, x, t, training_size) * _drift_factor(matrices.schedule, x, t)
        for x, t in ((points, times), (other_points, other_times))
    )
    return np.asarray(
        np.einsum("if,abfg,jg->ijab", left, noise, right, optimize=True) / training_size
    )


def denoiser_variance(
    matrices: PopulationMatrices,
    points: ArrayLike,
    times: ArrayLike,
    training_size: int,
    form: str = "sandwich",
) -> Array:
    """Return Cov(m̂(x, t)) at points (n, d) and times (n,) or one time, shape (n, d, d).

    The other arguments, and what is raised, are those of ``weight_covariance``.

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> denoiser_variance(found, [[0.0]], 0.5, 4).round(9).tolist()
    [[[0.25]]]
    """
    noise = _noise(matrices, form)
    directions = _directions(matrices, points, times, training_size)
    dimension = matrices.features.dimension
    found = np.empty((len(directions), dimension, dimension))
    for a in range(dimension):
        for b in range(dimension):
            found[:, a, b] = np.sum((directions @ noise[a, b]) * directions, axis=1)
    return found / training_size


def score_variance(
    matrices: PopulationMatrices,
    points: ArrayLike,
    times: ArrayLike,
    training_size: int,
    form: str = "sandwich",
) -> Array:
    """Return Cov(ŝ(x, t)) = (μ/σ²)² Cov(m̂(x, t)), shape (n, d, d).

    Arguments, and what is raised, are those of ``denoiser_variance``.

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> score_variance(found, [[0.0]], 0.5, 4).shape
    (1, 1, 1)
    """
    schedule = matrices.schedule
    factor = (schedule.mu(times) / schedule.sigma2(times)) ** 2
    variance = denoiser_variance(matrices, points, times, training_size, form)
    return np.asarray(np.broadcast_to(factor, variance.shape[:1])[:, None, None] * variance)


def _drift_factor(schedule: Schedule, points: ArrayLike, times: ArrayLike) -> Array:
    """Return D μ / σ² at each point, shape (n, 1)."""
    factor = schedule.diffusion(times) * schedule.mu(times) / schedule.sigma2(times)
    return np.broadcast_to(factor, np.shape(points)[:1])[:, None]
