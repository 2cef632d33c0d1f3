"""One piece of the figures on linear denoisers: many fits, the flow of each, and where it ends.

A task is a denoiser, from the exact one to a fit on P draws, and numbers of Euler steps; it finds
the mass that the output law of each fit has in some regions.  Fits number k of all tasks with the
same P and seed learn from the same uniform numbers, so that differences are paired by fit.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.denoiser_flow import (
    flow,
    histogram_1d,
    histogram_2d,
    normal_quantiles,
    normal_starts,
    true_flow,
)
from numerics.feature_fits import fit_denoisers
from numerics.features import TensorFeatures, fourier_features, gaussian_features
from numerics.schedules import schedule_named
from proofs_check.figures.variance_limit import limit_weights
from proofs_check.figures.variance_regions import REACH, region_masses

Array = NDArray[np.float64]

SCHEDULE = schedule_named("vp-linear")
HORIZON = 1.0
#: Cells of a map along a side.
CELLS = {1: 200, 2: 200}
EXACT, LIMIT, CLEAN, NOISY = "exact", "limit", "posterior-mean", "data"
"""Denoisers: E[X_0 | X_t]; the ridge regression of all draws; fits to E[X_0 | X_t], and to X_0."""
# What the streams of starts are known by.
_STARTS = 0x73746172
# Fits whose samples are held at once.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """What is learnt from: points of the line or plane, features, ε, P, ridge and loss weight.

    ``atoms`` is ``line`` for {−1, 0, 1}, or ``circle`` for four points of the unit circle, of which
    the first is at the angle ``turn``, in units of π.  ``size`` is P, and 0 for no fit.
    """

    atoms: str = "line"
    turn: float = 0.0
    features: str = "gaussian"
    counts: tuple[int, ...] = (16, 16)
    stop: float = 1e-3
    size: int = 256
    ridge: float = 0.1
    weight: str = "signal-to-noise"

    @property
    def data(self) -> Array:
        """Return the points, (M, d)."""
        if self.atoms == "line":
            return np.array([[-1.0], [0.0], [1.0]])
        angles = math.pi * (self.turn + 0.5 * np.arange(4))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    @property
    def basis(self) -> TensorFeatures:
        """Return the features."""
        ends = {"low": -REACH, "high": REACH, "early_stopping_time": self.stop}
        if self.features == "gaussian":
            return gaussian_features(self.counts, horizon=HORIZON, **ends)
        distinct = self.features == "fourier-distinct"
        return fourier_features(self.counts, horizon=HORIZON, distinct_ends=distinct, **ends)

    @property
    def feature_count(self) -> int:
        """Return F."""
        return math.prod(self.counts)


@dataclass(frozen=True, slots=True)
class Task:
    """Laws of the output of one kind of denoiser after several numbers of steps.

    ``denoiser`` is `EXACT`, `LIMIT`, `CLEAN` or `NOISY`.  On the line every fit has the same
    ``starts``, quantiles of the normal law; in the plane the k-th has random ones of its own, which
    the exact and the limiting denoiser, run ``fits`` times, share with it.
    """

    setting: Setting
    denoiser: str
    steps: tuple[int, ...]
    fits: int
    starts: int
    seed: int
    maps: bool = False

    @property
    def key(self) -> str:
        """Return what the cache knows the task by."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        one = self.setting
        what = f"P={one.size} " if self.denoiser in (CLEAN, NOISY) else ""
        turn = f" turned {one.turn:g}π" if one.atoms == "circle" else ""
        return f"{one.atoms}{turn} {one.features} {what}ε={one.stop:g}: {self.denoiser}"


def evaluate(task: Task) -> dict[str, Any]:
    """Return masses of regions by number of steps, region and fit; maps; effective sizes.

    Keys of the first level: ``effective`` (fits,), (Σλ)²/Σλ² of the draws, and the numbers of
    steps.  With maps, ``mean`` is the mean over fits of the mass of each cell, ``low`` and ``high``
    are quartiles over fits, on the line.
    """
    setting = task.setting
    weights, effective = _weights(task)
    # On the line all starts of a denoiser that is not fitted are the same.
    number = 1 if setting.atoms == "line" and len(weights) <= 1 else task.fits
    found: dict[str, Any] = {"effective": effective.tolist()}
    for steps in task.steps:
        masses: dict[str, list[float]] = {}
        cells: list[Array] = []
        for first in range(0, number, _BATCH):
            batch = range(first, min(first + _BATCH, number))
            samples = _samples(task, weights, batch, steps)
            for name, values in region_masses(samples, setting.data).items():
                masses.setdefault(name, []).extend(values.tolist())
            if task.maps:
                cells.append(cell_masses(samples))
        found[str(steps)] = {"masses": masses}
        if task.maps:
            found[str(steps)] |= _map_summary(np.concatenate(cells), setting.data.shape[1])
    return found


def _map_summary(cells: Array, dimension: int) -> dict[str, Any]:
    summary = {"mean": cells.mean(axis=0).tolist()}
    if dimension == 1:
        low, high = np.quantile(cells, (0.25, 0.75), axis=0)
        summary |= {"low": low.tolist(), "high": high.tolist()}
    return summary


def _weights(task: Task) -> tuple[Array, Array]:
    """Return the weights (k, d, F), of no fit, one, or all; and effective sample sizes."""
    setting = task.setting
    shared: dict[str, Any] = {
        "early_stopping_time": setting.stop, "horizon": HORIZON, "ridge": setting.ridge,
        "weight": setting.weight,
    }  # fmt: skip
    basis, data = setting.basis, setting.data
    if task.denoiser == EXACT:
        return np.empty((0, data.shape[1], basis.count)), np.empty(0)
    if task.denoiser == LIMIT:
        return limit_weights(basis, data, SCHEDULE, **shared)[None], np.empty(0)
    fitted = fit_denoisers(
        basis, data, SCHEDULE, size=setting.size, models=task.fits, seed=task.seed,
        targets="data" if task.denoiser == NOISY else "posterior-mean", **shared,
    )  # fmt: skip
    return fitted.weights, fitted.effective_sizes


def _samples(task: Task, weights: Array, batch: range, steps: int) -> Array:
    """Return where the flow ends, (fits of the batch, starts, d)."""
    setting = task.setting
    run: dict[str, Any] = {
        "steps": steps, "early_stopping_time": setting.stop, "horizon": HORIZON,
    }  # fmt: skip
    scale = math.sqrt(float(SCHEDULE.sigma2(HORIZON)))
    if setting.atoms == "line":
        starts: Array = normal_quantiles(task.starts, scale=scale)
        if len(weights) > 1:
            return flow(setting.basis, weights[batch.start : batch.stop], starts, SCHEDULE, **run)
    else:
        # One stream for each fit, whatever the batches.
        streams = [np.random.SeedSequence([task.seed, _STARTS], spawn_key=(k,)) for k in batch]
        each = [normal_starts(task.starts, 2, seed=one, scale=scale) for one in streams]
        starts = np.stack(each)
    if task.denoiser == EXACT:
        flat = starts.reshape(-1, starts.shape[-1])
        ends = true_flow(setting.data, flat, SCHEDULE, **run)
        return ends.reshape(-1, task.starts, starts.shape[-1])
    if task.denoiser == LIMIT:
        flat = starts.reshape(-1, starts.shape[-1])
        return flow(setting.basis, weights, flat, SCHEDULE, **run).reshape(
            -1, task.starts, starts.shape[-1]
        )
    return flow(setting.basis, weights[batch.start : batch.stop], starts, SCHEDULE, **run)


def level(stop: float) -> tuple[float, float]:
    """Return μ and σ at ε.

    Examples
    --------
    >>> round(level(0.01)[0] ** 2 + level(0.01)[1] ** 2, 12)
    1.0
    """
    return float(SCHEDULE.mu(stop)), math.sqrt(float(SCHEDULE.sigma2(stop)))


def cell_masses(samples: Array) -> Array:
    """Return the mass of each cell of a map, (fits, cells) or (fits, cells, cells): x, then y.

    What is outside [−REACH, REACH]^d is in no cell: the masses sum to one with that of the region
    ``outside``.

    Examples
    --------
    >>> float(cell_masses(np.array([[[0.0], [0.01], [9.0], [0.0]]])).sum())
    0.75
    """
    edges = np.linspace(-REACH, REACH, CELLS[samples.shape[2]] + 1)
    if samples.shape[2] == 1:
        return histogram_1d(samples, edges).probabilities
    return histogram_2d(samples, edges, edges).probabilities
