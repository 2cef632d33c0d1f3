"""Features, fits and flows of linear denoisers in plain NumPy: dense, slow, and for comparison."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from numerics.features import FourierAxis, TensorFeatures
from numerics.schedules import Schedule

Array = NDArray[np.float64]


def dense_features(features: TensorFeatures, points: Array, times: Array) -> Array:
    """Return φ (n, F), one feature and one formula at a time.

    Examples
    --------
    >>> from numerics.features import fourier_features
    >>> features = fourier_features((1, 1), early_stopping_time=0.1)
    >>> dense_features(features, np.zeros((1, 1)), np.ones(1)).tolist()
    [[1.0]]
    """
    columns = []
    for parts in itertools.product(*(range(count) for count in features.counts)):
        column = np.ones(len(points))
        for axis, k, x in zip(features.axes, parts, (*points.T, times), strict=True):
            if not isinstance(axis, FourierAxis):
                gap = (x - axis.centres[k]) / axis.width
                column *= np.exp(-(gap**2) / 2.0) / math.sqrt(2.0 * math.pi * axis.width**2)
            elif k <= axis.cosines:
                column *= np.cos(2.0 * math.pi * k * x / axis.period)
            else:
                column *= np.sin(2.0 * math.pi * (k - axis.cosines) * x / axis.period)
        columns.append(column)
    return np.stack(columns, axis=1)


def dense_fit(phi: Array, wanted: Array, weighing: Array, ridge: float) -> Array:
    """Return W (d, F) from the normal equations of features (P, F) and targets (P, d)."""
    count = len(phi)
    second = (phi * weighing[:, None]).T @ phi / count
    first = wanted.T @ (phi * weighing[:, None]) / count
    return np.asarray(np.linalg.solve(second + ridge * np.eye(phi.shape[1]), first.T).T)


def euler_flow(
    denoiser: Callable[[Array, float], Array],
    starts: Array,
    schedule: Schedule,
    *,
    steps: int,
    early_stopping_time: float,
    horizon: float,
) -> Array:
    """Return the points (n, d) where Euler's steps of the probability flow end."""
    x = starts.copy()
    h = (horizon - early_stopping_time) / steps
    for k in range(steps):
        t = horizon - k * h
        score = (schedule.mu(t) * denoiser(x, t) - x) / schedule.sigma2(t)
        x = x + h * (schedule.beta(t) * x + schedule.diffusion(t) * score)
    return np.asarray(x)
