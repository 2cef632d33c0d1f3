"""How much the score that a linear denoiser learns from a data set would vary, learnt anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.feature_fits import fit_denoisers
from numerics.moments_of_posterior import posterior_moments
from numerics.schedules import Schedule, checked_times
from numerics.v_kernel import (
    FORMS,
    PopulationMatrices,
    RelativeErrors,
    checked_training_size,
    population_matrices,
    score_variance,
)
from numerics.v_kernel_deviation import Ratio, measured_ratio, score_metric
from proofs_check.data_variance_features import box_of, built_features
from proofs_check.errors import UsageError

FloatArray = NDArray[np.float64]

# Places along each axis of a map.
_PLACES = {1: 121, 2: 41}
#: Squares of squares of entries, and of 1/ε, must be floats.
_LARGEST = 1e50
_MOST_ROWS = 5000


@dataclass(frozen=True, slots=True)
class VarianceAt:
    """Summary of the maps at one time; the ratio is None without refitted models.

    Attributes
    ----------
    mean_variance, largest_variance
        Of tr Cov(ŝ) over the box, to leading order, in inverse squared units of the data.
    mean_proxy, largest_proxy
        Of tr C / (tr C + |s|²) over the box, the share of noise in the targets of training.
    """

    time: float
    mean_variance: float
    largest_variance: float
    mean_proxy: float
    largest_proxy: float
    ratio: Ratio | None


@dataclass(frozen=True, slots=True)
class DataVariance:
    """What ``scorecert vkernel`` prints.

    Attributes
    ----------
    effective_size
        P E[λ]² / E[λ²].
    sandwich, representable
        Empirical over predicted E[λ tr Cov m̂] with its interval; None without refitted models.
    """

    rows: int
    dimension: int
    feature_count: int
    training_size: int
    features_per_draw: float
    effective_size: float
    low: float
    high: float
    quadrature_errors: RelativeErrors
    models: int
    confidence: float
    sandwich: Ratio | None
    representable: Ratio | None
    times: tuple[VarianceAt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VarianceMaps:
    """Maps over the box.

    Attributes
    ----------
    points : ndarray, shape (n, d)
    times : ndarray, shape (k,)
    score_variance, relative_proxy_variance : ndarray, shape (k, n)
    weights : ndarray, shape (d, F)
        Of the population's fit.
    """

    points: FloatArray
    times: FloatArray
    score_variance: FloatArray
    relative_proxy_variance: FloatArray
    weights: FloatArray


def data_variance(
    points: FloatArray,
    *,
    features: str,
    training_size: int,
    ridge: float,
    schedule: Schedule,
    eps: float,
    horizon: float,
    times: FloatArray,
    models: int = 0,
    low: float | None = None,
    high: float | None = None,
    confidence: float = 0.99,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[DataVariance, VarianceMaps]:
    """Predict the spread of learnt scores, map it, and compare it with refitted models.

    Parameters
    ----------
    points : ndarray, shape (M, d), d = 1 or 2
        The data law: equal masses.
    features : str
        As ``gaussian:16x16``, see ``parse_features``.
    training_size : int
        P, draws (x_0, t, noise) per model.
    ridge : float
        ρ >= 0.
    schedule : Schedule
    eps, horizon : float
        Range of the training times.
    times : ndarray, shape (k,)
        At which maps are made, > 0.
    models : int
        Refitted models, 0 or at least 3.
    low, high : float, optional
        The box of the features and of the maps; from the data if None.
    confidence : float
        Of each interval of a ratio.
    seed : int
        Of the refitted models.
    progress : callable, optional
        Called with (done, total) while integrating, then while refitting.

    Returns
    -------
    DataVariance, VarianceMaps

    Raises
    ------
    UsageError
        One line, for anything that cannot be used.

    Notes
    -----
    vastola2025, Proposition 5.1 and Section 5; in the sandwich form, for a model that need not
    represent the score.
    """
    rows, dimension = points.shape
    if dimension > 2:
        raise UsageError(
            f"data: dimension above 2 ({dimension} columns): maps and quadrature are for 1 or 2; "
            "project the rows first"
        )
    if rows > _MOST_ROWS:
        raise UsageError(f"data: {rows} rows, at most {_MOST_ROWS} are used; sample some of them")
    largest = float(np.max(np.abs(points)))
    if largest > _LARGEST:
        raise UsageError(
            f"data: an entry of size {largest:.3g}, at most {_LARGEST:g} is used; divide the data, "
            "low and high by a common factor"
        )
    if 0 < eps < 1 / _LARGEST:
        raise UsageError(f"eps={eps:g}: at least {1 / _LARGEST:g} is used; take a larger eps")
    if models < 0 or models in (1, 2):
        raise UsageError(f"models={models}: 0, or at least 3 refitted models; pass --models 100")
    ends = box_of(points, low, high)
    basis = built_features(features, dimension, low=ends[0], high=ends[1], eps=eps, horizon=horizon)
    try:
        checked_times(schedule, eps, horizon)
        size = checked_training_size(basis.count, ridge, training_size)
        matrices = population_matrices(
            basis,
            points,
            schedule,
            early_stopping_time=eps,
            horizon=horizon,
            ridge=ridge,
            progress=progress,
        )
        fitted = (
            fit_denoisers(
                basis,
                points,
                schedule,
                size=size,
                models=models,
                early_stopping_time=eps,
                horizon=horizon,
                ridge=ridge,
                seed=seed,
                progress=progress,
            ).weights
            if models
            else None
        )
        maps = _maps(matrices, points, times, ends, size)
    except ValueError as error:
        raise UsageError(str(error)) from error
    grid = maps.points
    summaries = []
    for index, time in enumerate(times):
        variance, proxy = maps.score_variance[index], maps.relative_proxy_variance[index]
        ratio = None
        if fitted is not None:
            metric = score_metric(matrices, grid, time)
            ratio = measured_ratio(fitted, matrices, size, metric=metric, confidence=confidence)
        summaries.append(
            VarianceAt(
                float(time),
                float(np.mean(variance)),
                float(np.max(variance)),
                float(np.mean(proxy)),
                float(np.max(proxy)),
                ratio,
            )
        )
    sandwich, representable = (
        None
        if fitted is None
        else measured_ratio(fitted, matrices, size, form=form, confidence=confidence)
        for form in FORMS
    )
    found = DataVariance(
        rows=rows,
        dimension=dimension,
        feature_count=basis.count,
        training_size=size,
        features_per_draw=basis.count / size,
        effective_size=size * matrices.effective_share,
        low=ends[0],
        high=ends[1],
        quadrature_errors=matrices.errors,
        models=models,
        confidence=confidence,
        sandwich=sandwich,
        representable=representable,
        times=tuple(summaries),
    )
    return found, maps


def _maps(
    matrices: PopulationMatrices,
    data: FloatArray,
    times: FloatArray,
    ends: tuple[float, float],
    size: int,
) -> VarianceMaps:
    dimension = data.shape[1]
    line = np.linspace(*ends, _PLACES[dimension])
    grid = np.stack(np.meshgrid(*[line] * dimension, indexing="ij"), axis=-1)
    places = grid.reshape(-1, dimension)
    variances, proxies = [], []
    for time in times:
        covariance = score_variance(matrices, places, time, size)
        variances.append(np.trace(covariance, axis1=1, axis2=2))
        proxies.append(relative_proxy_variance(places, data, matrices.schedule, float(time)))
    return VarianceMaps(places, times, np.array(variances), np.array(proxies), matrices.weights)


def relative_proxy_variance(
    places: FloatArray, data: FloatArray, schedule: Schedule, time: float
) -> FloatArray:
    """Return tr C / (tr C + |s|²), the share of noise in the targets of score matching.

    Parameters
    ----------
    places : ndarray, shape (n, d)
    data : ndarray, shape (M, d)
        Equal masses.
    schedule : Schedule
    time : float
        > 0.

    Returns
    -------
    ndarray, shape (n,)
        In [0, 1]; 0 where both are 0. C = Cov(∇ log p(x | X_0) | X_t = x) = μ²Γ/σ⁴.

    Notes
    -----
    vastola2025, Figure 1.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> middle, data = np.zeros((1, 1)), np.array([[-1.0], [1.0]])
    >>> relative_proxy_variance(middle, data, schedule_named("ou"), 0.5).tolist()
    [1.0]
    """
    mu, variance = float(schedule.mu(time)), float(schedule.sigma2(time))
    mean, trace = posterior_moments(places, data, mu=mu, sigma=float(np.sqrt(variance)))
    noise = mu**2 * trace  # both without the factor 1/σ⁴
    signal = np.sum((mu * mean - places) ** 2, axis=1)
    total = noise + signal
    return np.asarray(np.divide(noise, total, out=np.zeros_like(total), where=total > 0.0))
