"""Where the effective SDE describes trained models worse than the averaged score's flow does.

Two points, 4 × 4 Gaussian features, ridge 0.001, five training points per feature: fitted weights
are far from Gaussian, and Gaussian weights of the same mean and covariance spread the samples away
from the data points, which the models do not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from numerics.denoiser_flow import flow, normal_quantiles
from numerics.feature_fits import fit_denoisers
from numerics.features import gaussian_features
from numerics.random_fields import gaussian_weights
from numerics.schedules import schedule_named

#: Models for the weights' moments, as many for the samples' law, and as many Gaussian weights.
MODELS, FALSE_ALARM = 8_000, 1e-9
FEATURES = gaussian_features((4, 4), early_stopping_time=0.01)
SCHEDULE = schedule_named("vp-linear")


def _mass_at_the_points(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each model's mass of 0.9 < |x| ≤ 1.2, the data points being ±1."""
    starts = normal_quantiles(64, scale=math.sqrt(float(SCHEDULE.sigma2(1.0))))
    ends = flow(FEATURES, weights, starts, SCHEDULE, steps=30, early_stopping_time=0.01)
    far = np.abs(ends[:, :, 0])
    return np.mean((far > 0.9) & (far <= 1.2), axis=1)


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    quantile = float(stats.t.isf(FALSE_ALARM / 4, len(values) - 1))
    return float(values.mean()), quantile * float(values.std(ddof=1)) / math.sqrt(len(values))


def test_with_little_ridge_and_few_draws_gaussian_weights_are_the_worse_description() -> None:
    fitted = fit_denoisers(
        FEATURES,
        [[-1.0], [1.0]],
        SCHEDULE,
        size=80,
        models=2 * MODELS,
        early_stopping_time=0.01,
        ridge=1e-3,
        seed=7,
    ).weights
    known, learned = fitted[:MODELS], fitted[MODELS:]
    mean, covariance = known.mean(axis=0), np.cov(known[:, 0].T)[None, None]
    models, width = _mean(_mass_at_the_points(learned))
    gaussian, spread = _mean(_mass_at_the_points(gaussian_weights(mean, covariance, MODELS, 1)))
    (averaged,) = _mass_at_the_points(mean[None])
    apart = abs(models - gaussian) - width - spread
    assert apart > abs(models - averaged) + width, (models, width, gaussian, spread, averaged)
