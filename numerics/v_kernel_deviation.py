"""How far the leading order of the V-kernel is from the spread of models really refitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from numerics.feature_fits import Weight, fit_denoisers
from numerics.features import TensorFeatures
from numerics.schedules import Schedule
from numerics.streams import Rng
from numerics.v_kernel import (
    FORMS,
    PopulationMatrices,
    population_matrices,
    weight_covariance,
)

Array = NDArray[np.float64]


class Ratio(NamedTuple):
    """Empirical over predicted variance, with the ends of its confidence interval."""

    ratio: float
    lower: float
    upper: float


def score_metric(matrices: PopulationMatrices, points: ArrayLike, times: ArrayLike) -> Array:
    """Return G = mean of (μ/σ²)² φφᵀ, so that tr(G Cov) is the score's mean variance on a grid.

    Parameters
    ----------
    matrices : PopulationMatrices
    points, times : array_like, shapes (n, d) and (n,)
        The grid.

    Returns
    -------
    ndarray, shape (F, F)

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> score_metric(found, [[0.0]], 0.5).shape
    (1, 1)
    """
    values = matrices.features.evaluate(points, times)
    schedule = matrices.schedule
    factor = np.broadcast_to(schedule.mu(times) / schedule.sigma2(times), values.shape[:1])
    scaled = factor[:, None] * values
    return np.asarray(scaled.T @ scaled / len(scaled))


def measured_ratio(
    weights: Array,
    matrices: PopulationMatrices,
    training_size: int,
    *,
    form: str = "sandwich",
    metric: Array | None = None,
    confidence: float = 0.99,
) -> Ratio:
    """Return the empirical variance of refitted models over the predicted one.

    Parameters
    ----------
    weights : ndarray, shape (N, d, F)
        Of N >= 3 models fitted to independent training sets, ``feature_fits.fit_denoisers``.
    matrices : PopulationMatrices
        Of the same features, data, times, weight and ridge.
    training_size : int
        P.
    form : str
        As in ``weight_covariance``.
    metric : ndarray, shape (F, F), optional
        G in Σ_a tr(G Cov(w_a, w_a)); Σ by default, which is E[λ tr Cov m̂(x, t)] over the training
        law. ``score_metric`` averages over a grid instead.
    confidence : float
        Of the interval, which is the jackknife's over models with Student's quantile; it is
        honest where the fourth moment of the weights is finite and N is large.

    Returns
    -------
    Ratio

    Raises
    ------
    ValueError
        One line, for shapes that do not fit or fewer than 3 models.

    Examples
    --------
    >>> from numerics.features import FourierAxis, TensorFeatures
    >>> from numerics.schedules import schedule_named
    >>> constant = TensorFeatures((FourierAxis(1, 1.0),), FourierAxis(1, 1.0))
    >>> found = population_matrices(
    ...     constant, [[-1.0], [1.0]], schedule_named("ou"), early_stopping_time=0.1, weight="one"
    ... )
    >>> weights = np.array([-0.5, 0.0, 0.5]).reshape(3, 1, 1)
    >>> round(measured_ratio(weights, found, 4).ratio, 9)
    1.0
    """
    found = np.asarray(weights, dtype=np.float64)
    if found.ndim != 3 or len(found) < 3 or found.shape[1:] != matrices.weights.shape:
        raise ValueError(
            f"weights has shape {found.shape}: at least 3 models of shape "
            f"{matrices.weights.shape} are needed; pass (N, d, F)"
        )
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence = {confidence}: it must lie in (0, 1); pass 0.99, say")
    form_metric = matrices.second_moment if metric is None else metric
    covariance = weight_covariance(matrices, training_size, form)
    predicted = float(np.einsum("aafg,fg->", covariance, form_metric))
    number = len(found)
    centred = found - found.mean(axis=0)
    squares = np.einsum("naf,fg,nag->n", centred, form_metric, centred, optimize=True)
    whole = float(np.sum(squares)) / (number - 1)
    # Leaving model i out takes N/(N - 1) of its square from the sum, about the new mean.
    without = ((number - 1) * whole - squares * number / (number - 1)) / (number - 2)
    error = math.sqrt((number - 1) * float(np.mean((without - np.mean(without)) ** 2)))
    half = float(student.ppf(0.5 + 0.5 * confidence, number - 1)) * error
    return Ratio(whole / predicted, (whole - half) / predicted, (whole + half) / predicted)


class Deviation(NamedTuple):
    """Both forms of the prediction against refitted models, at one number P of draws."""

    training_size: int
    features_per_draw: float
    effective_size: float
    sandwich: Ratio
    representable: Ratio


def measured_ratios(
    features: TensorFeatures,
    data: ArrayLike,
    schedule: Schedule,
    *,
    sizes: Sequence[int],
    models: int,
    early_stopping_time: float,
    horizon: float = 1.0,
    ridge: float = 0.0,
    weight: Weight = "signal-to-noise",
    confidence: float = 0.99,
    seed: Rng = 0,
) -> tuple[Deviation, ...]:
    """Refit models at several numbers P of draws, and compare E[λ tr Cov m̂] with its prediction.

    Parameters
    ----------
    features, data, schedule, early_stopping_time, horizon, ridge, weight
        As in ``v_kernel.population_matrices``.
    sizes : sequence of int
        The P.
    models : int
        Models per P, at least 3.
    confidence : float
        Of each interval.
    seed : int or SeedSequence

    Returns
    -------
    tuple of Deviation
        One per P.  Where ``effective_size`` = P E[λ]² / E[λ²] is not large against F, leading
        order is poor even if P is large.

    Raises
    ------
    ValueError
        One line, as in ``population_matrices`` and ``feature_fits.fit_denoisers``.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> features = gaussian_features((4, 3), early_stopping_time=0.1)
    >>> schedule = schedule_named("vp-linear")
    >>> (found,) = measured_ratios(
    ...     features, [[-1.0], [1.0]], schedule, sizes=[60], models=5, early_stopping_time=0.1
    ... )
    >>> found.training_size, found.features_per_draw
    (60, 0.2)
    """
    matrices = population_matrices(
        features,
        data,
        schedule,
        early_stopping_time=early_stopping_time,
        horizon=horizon,
        weight=weight,
        ridge=ridge,
    )
    found = []
    for size in sizes:
        fit = fit_denoisers(
            features,
            data,
            schedule,
            size=size,
            models=models,
            ridge=ridge,
            weight=weight,
            early_stopping_time=early_stopping_time,
            horizon=horizon,
            seed=seed,
        )
        sandwich, representable = (
            measured_ratio(fit.weights, matrices, size, form=form, confidence=confidence)
            for form in FORMS
        )
        share = size * matrices.effective_share
        found.append(Deviation(size, features.count / size, share, sandwich, representable))
    return tuple(found)
