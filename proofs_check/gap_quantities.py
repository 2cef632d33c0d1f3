"""The mass between data points that trained denoisers leave, by refitting them thousands of times.

Fits to X_0 and fits to E[X_0|X_t] see the same noisy points. A model's law is that of normal
quantiles carried along its flow, so that only training is random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from numerics.denoiser_flow import flow, normal_quantiles
from numerics.feature_fits import Targets, fit_denoisers
from numerics.features import fourier_features, gaussian_features
from numerics.schedules import schedule_named
from proofs_check.number import Method, Number
from proofs_check.point import Point
from proofs_check.sampling import FALSE_ALARM, mean_interval

_SCHEDULE = schedule_named("vp-linear")
_MODELS = {"quick": 5_000, "standard": 5_000, "deep": 20_000}
_STARTS, _BATCH = 256, 2_000
#: A gap is so large a share of the distance of neighbours, around its middle.
_SHARE = 0.4
#: What each quantity is of: the targets, a factor of N and a factor of ε.
_MEANING: dict[str, tuple[Targets, int, int]] = {
    "gap_mass_fitted": ("data", 1, 1),
    "gap_mass_noise_free": ("posterior-mean", 1, 1),
    "gap_mass_fitted_more": ("data", 4, 1),
    "gap_mass_fitted_early": ("data", 1, 100),
}


def gap_quantities(
    point: Point, names: Sequence[str], *, effort: str, seed: int, more: int
) -> dict[str, Number]:
    """Return those of the named masses between data points that a case of them computes."""
    if "gap-filling" not in point.law.properties:
        return {}
    models = _MODELS[effort] * more
    # fits to many draws take longest, and vary least
    return {
        name: _mass(point, targets, draws, fraction, models // draws, seed)
        for name, (targets, draws, fraction) in _MEANING.items()
        if name in names
    }


def models_refitted(effort: str, more: int = 1) -> str:
    """Say how many models there are and what their intervals rest on."""
    count = _MODELS[effort] * more
    return f"{count} models, Student intervals (asymptotic), false alarm {FALSE_ALARM:g} each"


@lru_cache(maxsize=64)
def _mass(
    point: Point, targets: Targets, draws: int, fraction: int, models: int, seed: int
) -> Number:
    values = {name: float(value) for name, value in point.values}
    early, count = values["eps"] / fraction, int(values["M"])
    build = {"gaussian": gaussian_features, "fourier": fourier_features}
    features = build[point.case.rpartition("-")[2]]((16, 16), early_stopping_time=early)
    data = values["a"] * np.linspace(-1.0, 1.0, count)
    middle = (data[1:] + data[:-1]) / 2
    half_width = _SHARE * values["a"] / (count - 1)
    starts = normal_quantiles(_STARTS, scale=math.sqrt(float(_SCHEDULE.sigma2(1.0))))
    masses = []
    for first in range(0, models, _BATCH):
        weights = fit_denoisers(
            features,
            data[:, None],
            _SCHEDULE,
            size=draws * int(values["N"]),
            models=min(_BATCH, models - first),
            early_stopping_time=early,
            ridge=values["ridge"],
            targets=targets,
            seed=seed,
            first_model=first,
        ).weights
        ends = flow(
            features, weights, starts, _SCHEDULE, steps=int(values["K"]), early_stopping_time=early
        )[:, :, 0]
        inside = sum(np.abs(ends - m) < half_width for m in middle)
        masses.append(np.mean(inside, axis=1))
    mean, width = mean_interval(np.concatenate(masses), None)
    return Number(mean, width, Method.SAMPLING)
