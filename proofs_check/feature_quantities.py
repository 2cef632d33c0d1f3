"""What fitted features, ensembles of models and wide networks do at a point, in numbers.

Leading orders are integrals over the training law; what models do is sampled, by refitting
thousands of them. The law of an ensemble's samples is rounded up to a grid, where its distribution
function is a mean over models, and W1 a sum over the grid; in the plane it is the mean of that over
directions, sliced W1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from numerics.denoiser_flow import flow, normal_quantiles, normal_starts
from numerics.denoiser_histograms import histogram_1d
from numerics.feature_fits import fit_denoisers
from numerics.features import TensorFeatures, fourier_features, gaussian_features
from numerics.naive_chain import naive_chain
from numerics.neural_tangent import ReluTangentKernel, noise_of_modes, tangent_eigensystem
from numerics.random_fields import gaussian_weights
from numerics.schedules import schedule_named
from numerics.v_kernel import population_matrices, weight_covariance
from numerics.v_kernel_population import COARSE, FINE
from numerics.v_kernel_quadrature import Resolution, flat_rule
from proofs_check.number import Method, Number
from proofs_check.point import Point
from proofs_check.sampling import FALSE_ALARM, mean_interval
from theory.cases.trained_features import TRAINED

Array = NDArray[np.float64]

_SCHEDULE = schedule_named("vp-linear")
#: Models that are refitted for a variance, and for each of two halves of an ensemble.
_REFITS = {"quick": 4_000, "standard": 16_000, "deep": 64_000}
_ENSEMBLE = {"quick": 40_000, "standard": 40_000, "deep": 120_000}
#: Chains of the naive estimator.
_PATHS = {"quick": 100_000, "standard": 100_000, "deep": 1_000_000}
#: The flow of a model starts from the centres of so many equal parts of the normal law.
_STARTS, _STEPS = 64, 30
#: Sliced W1 looks along so many directions of a half turn.
_DIRECTIONS = 8
#: The grid to which samples are rounded up, in units of a or of one, whichever is larger.
_GRID = np.linspace(-2.0, 2.0, 101)
_BATCH = 5_000
#: A rule finer than the usual two, for leading orders that are solved from it.
_FINER = Resolution(spacing=0.1, time_order=16)
_RULE, _NEGLIGIBLE = Resolution(spacing=1.0, time_order=4), 1e-6


def feature_quantities(
    point: Point, names: Sequence[str], *, effort: str, seed: int, more: int
) -> dict[str, Number]:
    """Return those of the named quantities that a case of trained features computes."""
    wanted = [name for name in names if name in point.law.measured]
    if not wanted:
        return {}
    if "naive-gap" in point.law.properties:
        found = {
            "gap_mass": _gap_mass(point, _PATHS[effort] * more, seed, fresh=True),
            "gap_mass_of_flow": _gap_mass(point, _PATHS[effort] * more, seed, fresh=False),
        }
    elif point.case == "training-time-relu":
        found = _wide_network(point)
    elif "ensemble" in point.law.properties:
        found = _distances(point, _ENSEMBLE[effort] * more, seed)
    elif "trained-features" in point.law.properties:
        found = {"leading_variance": _leading(point)}
        if "fitted_variance" in wanted:
            found["fitted_variance"] = _fitted(point, _REFITS[effort] * more, seed)
    else:
        return {}
    return {name: found[name] for name in wanted}


def models_drawn(point: Point, effort: str, more: int = 1) -> str:
    """Say how many models or chains there are and what their intervals rest on."""
    if "naive-gap" in point.law.properties:
        kind = "empirical Bernstein"
        return f"{_PATHS[effort] * more} chains, {kind}, false alarm {FALSE_ALARM:g} per interval"
    count = (_ENSEMBLE if "ensemble" in point.law.properties else _REFITS)[effort] * more
    return f"{count} models, Student intervals (asymptotic), false alarm {FALSE_ALARM:g} each"


def _setting(point: Point) -> tuple[TensorFeatures, Array, dict[str, float]]:
    trained = TRAINED[point.case]
    values = {name: float(value) for name, value in point.values}
    build = {"Gaussian": gaussian_features, "Fourier": fourier_features}[trained.kind]
    features = build(trained.counts, early_stopping_time=values["eps"])
    return features, values["a"] * np.array(trained.points, dtype=float), values


@lru_cache(maxsize=16)
def _leading(point: Point) -> Number:
    """Return tr Σ Cov(w) to leading order in 1/N, the models' misfit included."""
    features, data, values = _setting(point)
    coarse, fine = (
        population_matrices(
            features,
            data,
            _SCHEDULE,
            early_stopping_time=values["eps"],
            ridge=values["ridge"],
            resolutions=pair,
        )
        for pair in ((FINE, COARSE), (_FINER, FINE))
    )
    rough, value = (
        float(np.sum(m.second_moment * weight_covariance(m, int(values["N"]))[0, 0]))
        for m in (coarse, fine)
    )
    condition = float(np.linalg.cond(fine.second_moment + values["ridge"] * np.eye(features.count)))
    error = 2 * abs(value - rough) + 1e-14 * condition * value
    return Number(value, error, Method.QUADRATURE)


@lru_cache(maxsize=16)
def _fitted(point: Point, models: int, seed: int) -> Number:
    """Return tr Σ Cov(w), from independent pairs of refitted models."""
    features, data, values = _setting(point)
    moments = population_matrices(
        features, data, _SCHEDULE, early_stopping_time=values["eps"], ridge=values["ridge"]
    ).second_moment
    squares = []
    for first in range(0, models, _BATCH):
        weights = _weights(point, first, min(_BATCH, models - first), seed)[:, 0]
        apart = weights[0::2] - weights[1::2]
        squares.append(np.einsum("nf,fg,ng->n", apart, moments, apart) / 2)
    mean, width = mean_interval(np.concatenate(squares), None)
    return Number(mean, width, Method.SAMPLING)


def _weights(point: Point, first: int, count: int, seed: int) -> Array:
    features, data, values = _setting(point)
    return fit_denoisers(
        features,
        data,
        _SCHEDULE,
        size=int(values["N"]),
        models=count,
        early_stopping_time=values["eps"],
        ridge=values["ridge"],
        seed=seed,
        first_model=first,
    ).weights


@lru_cache(maxsize=8)
def _distances(point: Point, models: int, seed: int) -> dict[str, Number]:
    """Return the W1 of an ensemble from its effective SDE, and from the flow without noise.

    Half of the models give the mean and the covariance of the weights, the other half the law.
    """
    half = models // 2
    known = np.concatenate(
        [_weights(point, k, min(_BATCH, half - k), seed) for k in range(0, half, _BATCH)]
    )
    mean = known.mean(axis=0)
    apart = known - mean
    covariance = np.einsum("naf,nbg->abfg", apart, apart) / (half - 1)
    ensemble, effective = [], []
    for k in range(0, half, _BATCH):
        count = min(_BATCH, half - k)
        ensemble.append(_distribution(point, _weights(point, half + k, count, seed)))
        drawn = gaussian_weights(mean, covariance, count, np.random.SeedSequence((seed, 1, k)))
        effective.append(_distribution(point, drawn))
    learned, width = _mean(np.concatenate(ensemble))
    predicted, spread = _mean(np.concatenate(effective))
    alone = _distribution(point, mean[None])[0]
    unit = _unit(point)
    return {
        "ensemble_distance": _area(learned - predicted, width + spread, unit),
        "flow_distance": _area(learned - alone, width, unit),
    }


def _unit(point: Point) -> float:
    return max(float(dict(point.values)["a"]), 1.0)


def _mean(rows: Array) -> tuple[Array, Array]:
    """Return a mean over models, and widths that hold on all of the grid at `FALSE_ALARM`.

    Where every model agrees, a share log(1/δ)/n of models might still differ.
    """
    level = FALSE_ALARM / (2 * rows.shape[1])
    quantile = float(stats.t.isf(level, len(rows) - 1))
    width = quantile * rows.std(axis=0, ddof=1) / math.sqrt(len(rows))
    return rows.mean(axis=0), np.maximum(width, -math.log(level) / len(rows))


def _area(difference: Array, width: Array, unit: float) -> Number:
    """Return the area between two distribution functions, the mean over directions."""
    step = unit * float(_GRID[1] - _GRID[0]) * len(_GRID) / len(difference)
    return Number(
        step * float(np.abs(difference).sum()), step * float(width.sum()), Method.SAMPLING
    )


def _distribution(point: Point, weights: Array) -> Array:
    """Return each model's distribution functions on the grid, direction after direction."""
    features, _, values = _setting(point)
    scale = math.sqrt(float(_SCHEDULE.sigma2(1.0)))
    if features.dimension == 1:
        starts, directions = normal_quantiles(_STARTS, scale=scale), np.ones((1, 1))
    else:  # the same starts for every model: the laws compared are those of these starts
        starts = normal_starts(_STARTS, 2, seed=0, scale=scale)
        angles = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    samples = flow(
        features, weights, starts, _SCHEDULE, steps=_STEPS, early_stopping_time=values["eps"]
    )
    seen = (samples @ directions.T).transpose(0, 2, 1).reshape(-1, _STARTS)
    grid = _unit(point) * _GRID
    below = np.sum(seen < grid[0], axis=1)[:, None] / _STARTS
    inside = histogram_1d(seen, grid).probabilities
    found = np.concatenate([below, below + np.cumsum(inside, axis=1)], axis=1)
    return found.reshape(len(weights), -1)


@lru_cache(maxsize=64)
def _gap_mass(point: Point, paths: int, seed: int, *, fresh: bool) -> Number:
    """Return the mass of |x| < a/2 that chains with or without fresh noise end with."""
    values = {name: float(value) for name, value in point.values}
    ends = naive_chain(
        [-values["a"], values["a"]],
        schedule_named({"ou": "ou", "vp": "vp-linear"}[point.case.rpartition("-")[2]]),
        memory=values["kappa"] if fresh else 0.0,
        paths=paths,
        steps=int(values["K"]),
        early_stopping_time=values["eps"],
        horizon=values["T"],
        seed=seed,
    )
    mean, width = mean_interval((np.abs(ends) < values["a"] / 2).astype(float), 1.0)
    return Number(mean, width, Method.SAMPLING)


@lru_cache(maxsize=16)
def _wide_network(point: Point) -> dict[str, Number]:
    """Return the modes' variances, on the nodes of one quadrature rule."""
    values = {name: float(value) for name, value in point.values}
    early, size, time = values["eps"], values["N"], values["training_time"]
    shape = gaussian_features((6, 4), early_stopping_time=early)
    data = values["a"] * np.array([[-1.0], [0.0], [1.0]])
    rule = flat_rule(
        data, shape, _SCHEDULE, _RULE, early_stopping_time=early, negligible=_NEGLIGIBLE
    )
    weight = _SCHEDULE.mu(rule.times) ** 2 / _SCHEDULE.sigma2(rule.times)
    nodes = np.column_stack([rule.points, rule.times])
    system = tangent_eigensystem(ReluTangentKernel(2), nodes, weight * rule.probabilities)
    noise = np.einsum("aakk->k", noise_of_modes(system, weight, rule.covariances)) / size
    # modes within rounding of ν = 0 are not among the system's, and never fitted
    every = float(np.sum(weight * np.trace(rule.covariances, axis1=1, axis2=2)))
    never = np.array([every / size - noise.sum()])
    unfitted = np.exp(-time * system.eigenvalues)
    sums = {
        "trained_variance": noise * np.expm1(-time * system.eigenvalues) ** 2,
        "leading_variance": np.append(noise, never),
        "unfitted_variance": np.append(noise * unfitted, never),
        "early_variance": noise * (time * system.eigenvalues) ** 2,
    }
    rounding = 1e-13 * float(noise.sum())
    return {
        name: Number(math.fsum(terms), rounding + 1e-13 * math.fsum(terms), Method.QUADRATURE)
        for name, terms in sums.items()
    }
