"""Rows for linear denoisers: fit many models, run the flow of each, count where its points end.

The straightforward NumPy pipeline has dense features, inverts the F × F matrices of many models at
once, tabulates each denoiser on a grid of 200 points per axis and looks its values up. It is given
the same training sets and starts. The error is that of one model's end points, in data units,
against dense features at every point: what the table's interpolation by the nearest cell costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Row, Target

if TYPE_CHECKING:
    from numerics.features import TensorFeatures

Array = NDArray[np.float64]
# Mean histogram over the models, and some end points of the first.
Result = tuple[Array, Array]

_RIDGE, _STEPS, _SEED = 0.1, 30, 0
_GRID, _REACH, _BINS = 200, 3.0, 200
_CHECKED = 200
# Models whose matrices NumPy inverts at once.
_TOGETHER = 10


@dataclass(frozen=True, slots=True)
class _Problem:
    fourier: bool
    counts: tuple[int, ...]
    data: tuple[tuple[float, ...], ...]
    early: float
    size: int
    models: int
    starts: int

    @property
    def dimension(self) -> int:
        return len(self.counts) - 1

    @property
    def edges(self) -> Array:
        return np.linspace(-1.5, 1.5, _BINS + 1)

    def features(self) -> TensorFeatures:
        from numerics.features import fourier_features, gaussian_features

        build = fourier_features if self.fourier else gaussian_features
        return build(self.counts, early_stopping_time=self.early)

    def points(self) -> Array:
        from numerics.denoiser_flow import normal_quantiles, normal_starts
        from numerics.schedules import schedule_named

        scale = math.sqrt(float(schedule_named("vp-linear").sigma2(1.0)))
        if self.dimension == 1:
            return normal_quantiles(self.starts, scale=scale)
        return normal_starts(self.starts, self.dimension, seed=_SEED, scale=scale)


def _ours(problem: _Problem) -> Callable[[], Result]:
    from numerics.denoiser_flow import flow, histogram_1d, histogram_2d
    from numerics.feature_fits import fit_denoisers
    from numerics.schedules import schedule_named

    schedule = schedule_named("vp-linear")
    features, starts, data = problem.features(), problem.points(), np.array(problem.data)

    def run() -> Result:
        fits = fit_denoisers(
            features,
            data,
            schedule,
            size=problem.size,
            models=problem.models,
            early_stopping_time=problem.early,
            ridge=_RIDGE,
            seed=_SEED,
        )
        ends = flow(
            features,
            fits.weights,
            starts,
            schedule,
            steps=_STEPS,
            early_stopping_time=problem.early,
        )
        if problem.dimension == 1:
            counted = histogram_1d(ends, problem.edges)
        else:
            counted = histogram_2d(ends, problem.edges, problem.edges)
        return counted.probabilities.mean(axis=0), ends[0, :: len(starts) // _CHECKED]

    return run


def _numpy(problem: _Problem) -> Callable[[], Result]:
    from numerics.feature_fits import draw_training_sets
    from numerics.schedules import schedule_named

    schedule = schedule_named("vp-linear")
    features, starts, data = problem.features(), problem.points(), np.array(problem.data)
    dimension, early = problem.dimension, problem.early
    line = np.linspace(-_REACH, _REACH, _GRID)
    grid = np.stack(np.meshgrid(*[line] * dimension, indexing="ij"), axis=-1)
    nodes = grid.reshape(-1, dimension)
    middles = 0.5 * (line[1:] + line[:-1])
    times = np.linspace(1.0, early, _STEPS + 1)[:-1]

    def weights(low: int, count: int) -> Array:
        sets = draw_training_sets(
            data,
            schedule,
            size=problem.size,
            models=count,
            early_stopping_time=early,
            seed=_SEED,
            first_model=low,
        )
        phi = np.stack(
            [features.evaluate(x, t) for x, t in zip(sets.points, sets.times, strict=True)]
        )
        weighing = schedule.mu(sets.times) ** 2 / schedule.sigma2(sets.times)
        scaled = np.swapaxes(phi * weighing[:, :, None], 1, 2)
        second = scaled @ phi / problem.size + _RIDGE * np.eye(features.count)
        first = scaled @ sets.clean / problem.size
        return np.swapaxes(np.linalg.inv(second) @ first, 1, 2)

    def ends(matrices: Array) -> Array:
        x = np.repeat(starts[None], len(matrices), axis=0)
        h = (1.0 - early) / _STEPS
        model = np.arange(len(matrices))[:, None]
        for t in times:
            table = features.evaluate(nodes, np.full(len(nodes), t)) @ np.swapaxes(matrices, 1, 2)
            cell = np.searchsorted(middles, x[:, :, 0])
            if dimension == 2:
                cell = cell * _GRID + np.searchsorted(middles, x[:, :, 1])
            score = (schedule.mu(t) * table[model, cell] - x) / schedule.sigma2(t)
            x = x + h * (schedule.beta(t) * x + schedule.diffusion(t) * score)
        return x

    def run() -> Result:
        counted = np.zeros((_BINS,) * dimension)
        lows = range(0, problem.models, _TOGETHER)
        found = ends(
            np.concatenate([weights(low, min(_TOGETHER, problem.models - low)) for low in lows])
        )
        for own in found:
            counted += np.histogramdd(own, bins=[problem.edges] * dimension)[0] / len(own)
        return counted / problem.models, found[0, :: len(starts) // _CHECKED]

    return run


def _error(problem: _Problem) -> Callable[[Result], float]:
    from numerics.feature_fits import draw_training_sets
    from numerics.reference_features import dense_features, dense_fit, euler_flow
    from numerics.schedules import schedule_named

    schedule, features = schedule_named("vp-linear"), problem.features()
    known: list[Array] = []

    def reference() -> Array:
        sets = draw_training_sets(
            np.array(problem.data),
            schedule,
            size=problem.size,
            models=1,
            early_stopping_time=problem.early,
            seed=_SEED,
        )
        times, starts = sets.times[0], problem.points()
        weighing = schedule.mu(times) ** 2 / schedule.sigma2(times)
        phi = dense_features(features, sets.points[0], times)
        matrix = dense_fit(phi, sets.clean[0], weighing, _RIDGE)
        return euler_flow(
            lambda x, t: dense_features(features, x, np.full(len(x), t)) @ matrix.T,
            starts[:: len(starts) // _CHECKED],
            schedule,
            steps=_STEPS,
            early_stopping_time=problem.early,
            horizon=1.0,
        )

    def error(result: Result) -> float:
        if not known:
            known.append(reference())
        return float(np.abs(result[1] - known[0]).max())

    return error


def _contest(problem: _Problem) -> Contest:
    return Contest(
        (
            Contestant("ours", None, lambda: _ours(problem)),
            Contestant(
                "NumPy pipeline",
                None,
                lambda: _numpy(problem),
                note="dense features, batched inverses, a table of the denoiser looked up",
            ),
        ),
        error=_error(problem),
    )


def _line(quick: bool) -> Contest:
    models, starts = (5, 2_000) if quick else (20, 100_000)
    data = ((-1.0,), (0.0,), (1.0,))
    return _contest(_Problem(False, (16, 16), data, 1e-3, 256, models, starts))


def _plane(fourier: bool, quick: bool) -> Contest:
    counts, models, starts = ((4, 4, 4), 5, 2_000) if quick else ((10, 10, 10), 20, 20_000)
    data = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
    return _contest(_Problem(fourier, counts, data, 1e-2, 500, models, starts))


ROWS = (
    Row(
        "denoisers-line",
        "linear denoisers fitted and run, 20 × 100,000 points × 30 steps, F=256 P=256 d=1",
        Target("≥ 10×", 10.0),
        _line,
    ),
    Row(
        "denoisers-plane",
        "the same in the plane, Gaussians, 20 × 20,000 points × 30 steps, F=1000 P=500 d=2",
        Target("≥ 5×", 5.0),
        lambda quick: _plane(False, quick),
    ),
    Row(
        "denoisers-plane-fourier",
        "the same with Fourier features",
        Target("≥ 5×", 5.0),
        lambda quick: _plane(True, quick),
    ),
)
