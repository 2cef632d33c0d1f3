"""Moments of a linear denoiser's features under the law it is trained on, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from numerics.chain_arguments import checked_real
from numerics.feature_fits import Weight, loss_weight
from numerics.features import TensorFeatures
from numerics.schedules import Schedule, checked_times
from numerics.v_kernel_quadrature import (
    Cells,
    Resolution,
    cells_at,
    checked_data,
    scale_of,
    time_rule,
)

Array = NDArray[np.float64]

#: The rule whose values are returned, and the one whose distance from them is their error.
FINE, COARSE = Resolution(spacing=0.25, time_order=9), Resolution(spacing=0.6, time_order=6)

_EPSILON = float(np.finfo(np.float64).eps)


class RelativeErrors(NamedTuple):
    """Distances of the two rules, largest entry relative to the largest entry.

    They are the errors of the coarser rule; those of the values returned are far smaller.
    """

    second_moment: float
    cross_moment: float
    weights: float
    sandwich: float
    representable: float


@dataclass(frozen=True, slots=True, eq=False)
class PopulationMatrices:
    """Moments of a linear denoiser's features under the training law.

    Attributes
    ----------
    features : TensorFeatures
    schedule : Schedule
    ridge : float
        ρ >= 0.
    second_moment : ndarray, shape (F, F)
        Σ = E[λ φφᵀ].
    cross_moment : ndarray, shape (d, F)
        A = E[λ x_0 φᵀ].
    weights : ndarray, shape (d, F)
        W_ρ = A (Σ + ρI)⁻¹.
    sandwich, representable : ndarray, shape (d, d, F, F)
        B and B° = E[λ² φφᵀ Γ]; as (dF, dF) matrices positive semidefinite up to rounding.
    effective_share : float
        E[λ]² / E[λ²], the effective sample size per draw.
    errors : RelativeErrors
    """

    features: TensorFeatures
    schedule: Schedule
    ridge: float
    second_moment: Array
    cross_moment: Array
    weights: Array
    sandwich: Array
    representable: Array
    effective_share: float
    errors: RelativeErrors


class _Moments(NamedTuple):
    second_moment: Array
    cross_moment: Array
    weights: Array
    sandwich: Array
    representable: Array
    effective_share: float


def population_matrices(
    features: TensorFeatures,
    data: ArrayLike,
    schedule: Schedule,
    *,
    early_stopping_time: float,
    horizon: float = 1.0,
    weight: Weight = "signal-to-noise",
    ridge: float = 0.0,
    resolutions: tuple[Resolution, Resolution] = (FINE, COARSE),
    progress: Callable[[int, int], None] | None = None,
) -> PopulationMatrices:
    """Integrate the moments that the spread of fitted denoisers is made of.

    Parameters
    ----------
    features : TensorFeatures
    data : array_like, shape (M, d), d = 1 or 2
        The data law: point masses of equal weight.
    schedule : Schedule
    early_stopping_time, horizon : float
        Training times are uniform on [ε, T].
    weight : str
        λ: "signal-to-noise" μ²/σ², "one", or "signal" μ².
    ridge : float
        ρ >= 0.
    resolutions : pair of Resolution
        Of the values, and of a coarser rule that says how far off that one is.
    progress : callable, optional
        Called with (times done, all times); each is passed twice per rule.

    Returns
    -------
    PopulationMatrices

    Raises
    ------
    ValueError
        One line: data or times outside their domain, or Σ singular while ridge = 0, naming the
        redundant features.

    Notes
    -----
    vastola2025, Proposition 5.1.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> features = gaussian_features((4, 3), early_stopping_time=0.01)
    >>> found = population_matrices(
    ...     features, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.01
    ... )
    >>> found.sandwich.shape, found.errors.second_moment < 1e-6
    ((1, 1, 12, 12), True)
    """
    points = checked_data(data, features)
    times = checked_times(schedule, early_stopping_time, horizon)
    penalty = checked_real("ridge", ridge, positive=False)
    rules = [time_rule(*times, scale_of(features.time), r.time_order) for r in resolutions]
    total, done = 2 * sum(len(nodes) for nodes, _ in rules), count(1)

    def advance() -> None:
        if progress is not None:
            progress(next(done), total)

    found, rough = (
        _integrated(features, points, schedule, rule, weight, penalty, r.spacing, advance)
        for rule, r in zip(rules, resolutions, strict=True)
    )
    errors = RelativeErrors(
        *(
            float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(a))), _EPSILON))
            for a, b in zip(found[:5], rough[:5], strict=True)
        )
    )
    return PopulationMatrices(features, schedule, penalty, *found, errors)


def _integrated(
    features: TensorFeatures,
    data: Array,
    schedule: Schedule,
    rule: tuple[Array, Array],
    weight: Weight,
    ridge: float,
    spacing: float,
    advance: Callable[[], None],
) -> _Moments:
    times, masses = rule
    scales = tuple(scale_of(axis) for axis in features.space)
    stress = loss_weight(weight, schedule, times)
    temporal = features.time.values(times)
    dimension, size = features.dimension, features.count // features.time.count

    def grids(time: float) -> list[tuple[Cells, Array, Array]]:
        advance()
        cells = cells_at(time, data, schedule, scales, spacing)
        return [(c, *_spatial_values(features, c)) for c in cells]

    grams = np.zeros((len(times), size, size))
    crosses = np.zeros((len(times), dimension, size))
    for index, time in enumerate(times):
        for cells, along_x, along_y in grids(float(time)):
            grams[index] += _gram(along_x, cells.mass, along_y)
            for a in range(dimension):
                moment = along_x.T @ (cells.mass * cells.mean[..., a]) @ along_y
                crosses[index, a] += moment.ravel()
    second = _over_time(grams, masses * stress, temporal)
    cross = np.einsum("t,tas,tk->ask", masses * stress, crosses, temporal).reshape(dimension, -1)
    fitted = ridge_solved(features, second, ridge, cross.T).T
    noises = np.zeros((3, len(times), size, size))
    misfits = np.zeros((3, len(times), size, size))
    pairs = ((0, 0, 0), (0, 1, 1), (1, 1, 2))[: 3 if dimension == 2 else 1]
    for index, time in enumerate(times):
        spatial = fitted.reshape(dimension, size, -1) @ temporal[index]
        for cells, along_x, along_y in grids(float(time)):
            shape = (along_x.shape[1], along_y.shape[1])
            gap = [
                cells.mean[..., a] - along_x @ spatial[a].reshape(shape) @ along_y.T
                for a in range(dimension)
            ]
            for a, b, entry in pairs:
                noise = cells.mass * cells.covariance[..., entry]
                noises[entry, index] += _gram(along_x, noise, along_y)
                misfits[entry, index] += _gram(along_x, cells.mass * gap[a] * gap[b], along_y)
    sandwich = np.empty((dimension, dimension, features.count, features.count))
    representable = np.empty_like(sandwich)
    for a, b, entry in pairs:
        noise = _over_time(noises[entry], masses * stress**2, temporal)
        misfit = _over_time(misfits[entry], masses * stress**2, temporal)
        misfit -= ridge**2 * np.multiply.outer(fitted[a], fitted[b])
        representable[a, b], sandwich[a, b] = noise, noise + misfit
        representable[b, a], sandwich[b, a] = noise.T, (noise + misfit).T
    share = float((masses @ stress) ** 2 / (masses @ stress**2))
    return _Moments(second, cross, fitted, sandwich, representable, share)


def _spatial_values(features: TensorFeatures, cells: Cells) -> tuple[Array, Array]:
    """Return the functions of x (n, K_x) and of y (m, K_y), the constant 1 without a y."""
    along_x = features.space[0].values(cells.x)
    if features.dimension == 1:
        return along_x, np.ones((1, 1))
    return along_x, features.space[1].values(cells.y)


def _gram(along_x: Array, mass: Array, along_y: Array) -> Array:
    """Return Σ mass φφᵀ over the cells of a tensor grid, φ = f_x f_y."""
    x, y = along_x.shape[1], along_y.shape[1]
    pairs_x = (along_x[:, :, None] * along_x[:, None, :]).reshape(-1, x * x)
    pairs_y = (along_y[:, :, None] * along_y[:, None, :]).reshape(-1, y * y)
    found = (pairs_x.T @ (mass @ pairs_y)).reshape(x, x, y, y)
    return found.transpose(0, 2, 1, 3).reshape(x * y, x * y)


def _over_time(grams: Array, weights: Array, temporal: Array) -> Array:
    """Return Σ_t weights grams ⊗ (time functions' outer product), time running fastest."""
    size, functions = grams.shape[1], temporal.shape[1]
    pairs = (weights[:, None, None] * temporal[:, :, None] * temporal[:, None, :]).reshape(
        -1, functions**2
    )
    found = grams.reshape(len(grams), -1).T @ pairs
    found = found.reshape(size, size, functions, functions).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(found.reshape(size * functions, size * functions))


def ridge_solved(features: TensorFeatures, second: Array, ridge: float, right: Array) -> Array:
    """Return (Σ + ρI)⁻¹ times the columns of ``right``.

    Parameters
    ----------
    features : TensorFeatures
        For their names.
    second : ndarray, shape (F, F)
        Σ.
    ridge : float
        ρ >= 0.
    right : ndarray, shape (F, n)

    Raises
    ------
    ValueError
        If Σ is singular to rounding and ρ = 0, naming features that are redundant.
    """
    if ridge == 0.0:
        _check_invertible(features, second)
    matrix = second + ridge * np.eye(len(second))
    # Scaled to unit diagonal: features of very different sizes then cost no digits.
    scale = 1.0 / np.sqrt(np.diagonal(matrix))
    factor = cho_factor(scale[:, None] * matrix * scale, lower=True)
    return np.asarray(scale[:, None] * cho_solve(factor, scale[:, None] * right))


def _check_invertible(features: TensorFeatures, second: Array) -> None:
    diagonal = np.diagonal(second)
    fix = "drop some features or pass a ridge > 0"
    if np.any(silent := diagonal <= 0.0):
        names = "; ".join(features.label(int(i)) for i in np.flatnonzero(silent)[:4])
        raise ValueError(
            f"features: {int(np.sum(silent))} of {len(diagonal)} are never active ({names}), so "
            f"that without a ridge they are not determined; {fix}"
        )
    scale = 1.0 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(scale[:, None] * second * scale)
    if values[0] > 8.0 * len(second) * _EPSILON:
        return
    largest = np.argsort(-np.abs(vectors[:, 0]), kind="stable")[:4]
    names = "; ".join(features.label(int(i)) for i in largest)
    number = int(np.sum(values <= 8.0 * len(second) * _EPSILON))
    raise ValueError(
        f"features: {number} of {len(second)} are redundant to rounding, one combination mostly "
        f"of ({names}), so that without a ridge they are not determined; {fix}"
    )
