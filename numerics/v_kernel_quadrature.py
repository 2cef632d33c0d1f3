"""Quadrature over (x, t) for data that are finitely many points, in one or two dimensions.

Time: Gauss–Legendre panels that double in length from the early stopping time on, since the
weights grow like 1/t there, and are no longer than the features vary. Space: the trapezoidal rule,
which for densities and features this smooth converges faster than any power of its spacing; either
one grid for all data points or one grid around each, whichever has fewer cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.features import Axis, GaussianAxis, TensorFeatures
from numerics.schedules import Schedule, checked_times

Array = NDArray[np.float64]

# Beyond this many standard deviations a normal law has mass 2e-17.
_REACH = 8.5
# Points at which the density underflows have no posterior, and no weight either.
_NO_MASS = 1e-280
_LARGEST_GRID = 8_000_000


@dataclass(frozen=True, slots=True)
class Resolution:
    """How fine a rule is.

    Attributes
    ----------
    spacing : float
        Of the trapezoidal rule, in units of the noise level or of the features' width, whichever
        is smaller.
    time_order : int
        Gauss–Legendre nodes per panel.
    """

    spacing: float
    time_order: int


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One tensor grid of cells at one time; a single row of y stands for no second dimension.

    Attributes
    ----------
    x, y : ndarray, shapes (n,) and (m,)
    mass : ndarray, shape (n, m)
        Probability of each cell given the time (for a grid around one data point, its share).
    mean : ndarray, shape (n, m, 2)
        E[X_0 | X_t = x].
    covariance : ndarray, shape (n, m, 3)
        xx, xy and yy entries of Γ = Cov(X_0 | X_t = x).
    """

    x: Array
    y: Array
    mass: Array
    mean: Array
    covariance: Array


@dataclass(frozen=True, slots=True, eq=False)
class FlatRule:
    """The rule as a list of nodes.

    Attributes
    ----------
    points, times, probabilities : ndarray, shapes (n, d), (n,), (n,)
    means, covariances : ndarray, shapes (n, d) and (n, d, d)
        Of X_0 given X_t = x.
    """

    points: Array
    times: Array
    probabilities: Array
    means: Array
    covariances: Array


def checked_data(data: ArrayLike, features: TensorFeatures) -> Array:
    """Return the data points (M, d) with d = 1 or 2 that of the features, or raise ValueError."""
    points = np.asarray(data, dtype=np.float64)
    if points.ndim != 2 or len(points) == 0 or not np.all(np.isfinite(points)):
        raise ValueError(
            f"data has shape {points.shape}: at least one finite point (M, d) is needed; pass that"
        )
    if points.shape[1] not in (1, 2):
        raise ValueError(
            f"data has dimension {points.shape[1]}: dimension above 2 has no quadrature rule here; "
            "project to 1 or 2 columns"
        )
    if points.shape[1] != features.dimension:
        raise ValueError(
            f"features have {features.dimension} axes of space: the data have dimension "
            f"{points.shape[1]}; pass one axis per dimension"
        )
    return points


def scale_of(axis: Axis) -> float:
    """Return the length on which an axis varies: a width, or a wavelength over 2π.

    Examples
    --------
    >>> scale_of(GaussianAxis([0.0, 1.0], 0.25))
    0.25
    """
    if isinstance(axis, GaussianAxis):
        return axis.width
    return axis.period / (2.0 * math.pi * max(axis.cosines, axis.sines, 1))


def time_rule(
    early_stopping_time: float, horizon: float, scale: float, order: int
) -> tuple[Array, Array]:
    """Return nodes and weights, of sum 1, for the uniform law on [ε, T].

    Parameters
    ----------
    early_stopping_time, horizon : float
        0 < ε < T.
    scale : float
        Panels are at most two such lengths long.
    order : int
        Nodes per panel.

    Examples
    --------
    >>> times, weights = time_rule(0.01, 1.0, 0.1, 6)
    >>> round(float(weights @ times), 12)
    0.505
    """
    ends = [early_stopping_time]
    while horizon - ends[-1] > min(ends[-1], 2.0 * scale) * (1.0 + 1e-9):
        if ends[-1] > 2.0 * scale:
            rest = math.ceil((horizon - ends[-1]) / (2.0 * scale))
            ends += list(np.linspace(ends[-1], horizon, rest + 1)[1:-1])
            break
        ends.append(2.0 * ends[-1])
    edges = np.array([*ends, horizon])
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = 0.5 * np.diff(edges)
    times = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    masses = half[:, None] * weights / (horizon - early_stopping_time)
    return times.ravel(), masses.ravel()


def cells_at(
    time: float, data: Array, schedule: Schedule, scales: tuple[float, ...], spacing: float
) -> Iterator[Cells]:
    """Give the grids of one time; their masses sum to 1.

    Parameters
    ----------
    time : float
    data : ndarray, shape (M, d), d = 1 or 2
    schedule : Schedule
    scales : tuple of d floats
        Lengths on which what is integrated varies along each axis.
    spacing : float
        As in ``Resolution``.

    Raises
    ------
    ValueError
        One line, if the grid would take too much memory.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> points = np.array([[-1.0], [1.0]])
    >>> (cells,) = cells_at(0.5, points, schedule_named("ou"), (1.0,), 0.5)
    >>> round(float(cells.mass.sum()), 12)
    1.0
    """
    mu, sigma = float(schedule.mu(time)), math.sqrt(float(schedule.sigma2(time)))
    centres = mu * data
    steps = [spacing * min(sigma, scale) for scale in scales]
    low, high = centres.min(axis=0) - _REACH * sigma, centres.max(axis=0) + _REACH * sigma
    whole = math.prod((high[k] - low[k]) / step for k, step in enumerate(steps))
    single = math.prod(2.0 * _REACH * sigma / step for step in steps)
    cells = min(whole, single)
    if cells > _LARGEST_GRID:
        raise ValueError(
            f"time {time:.3g} needs {cells:.3g} cells of quadrature: wide noise (σ = {sigma:.3g}) "
            "over narrow features; take fewer features per axis or a smaller horizon"
        )
    if whole <= len(data) * single:
        windows = [(low, high, 0, len(data))]
    else:
        reach = _REACH * sigma
        windows = [(c - reach, c + reach, j, j + 1) for j, c in enumerate(centres)]
    for first, last, start, stop in windows:
        lines = [
            start_at + step * np.arange(math.ceil((end - start_at) / step) + 1)
            for start_at, end, step in zip(first, last, steps, strict=True)
        ]
        densities = [
            step
            / (math.sqrt(2.0 * math.pi) * sigma)
            * np.exp(-0.5 * ((line[:, None] - centres[None, :, k]) / sigma) ** 2)
            for k, (line, step) in enumerate(zip(lines, steps, strict=True))
        ]
        if data.shape[1] == 1:
            lines.append(np.zeros(1))
            densities.append(np.ones((1, len(data))))
        padded = np.column_stack([data, np.zeros((len(data), 2 - data.shape[1]))])
        moments = _posterior(densities[0], densities[1], padded, start, stop)
        yield Cells(lines[0], lines[1], *moments)


@nb.njit(parallel=True, cache=True)
def _posterior(
    along_x: Array, along_y: Array, data: Array, start: int, stop: int
) -> tuple[Array, Array, Array]:
    """Masses counted from the data points [start, stop); moments given all of them."""
    rows, columns, count = along_x.shape[0], along_y.shape[0], data.shape[0]
    mass = np.zeros((rows, columns))
    mean = np.zeros((rows, columns, 2))
    covariance = np.zeros((rows, columns, 3))
    for i in nb.prange(rows):
        for j in range(columns):
            total, own, sum_x, sum_y = 0.0, 0.0, 0.0, 0.0
            for k in range(count):
                weight = along_x[i, k] * along_y[j, k]
                total += weight
                sum_x += weight * data[k, 0]
                sum_y += weight * data[k, 1]
                if start <= k < stop:
                    own += weight
            if total < _NO_MASS:
                continue
            mean_x, mean_y = sum_x / total, sum_y / total
            xx, xy, yy = 0.0, 0.0, 0.0
            for k in range(count):
                weight = along_x[i, k] * along_y[j, k]
                away_x, away_y = data[k, 0] - mean_x, data[k, 1] - mean_y
                xx += weight * away_x * away_x
                xy += weight * away_x * away_y
                yy += weight * away_y * away_y
            mass[i, j] = own / count
            mean[i, j, 0], mean[i, j, 1] = mean_x, mean_y
            covariance[i, j, 0] = xx / total
            covariance[i, j, 1] = xy / total
            covariance[i, j, 2] = yy / total
    return mass, mean, covariance


def flat_rule(
    data: ArrayLike,
    features: TensorFeatures,
    schedule: Schedule,
    resolution: Resolution,
    *,
    early_stopping_time: float,
    horizon: float = 1.0,
    negligible: float = 1e-14,
) -> FlatRule:
    """Return the rule for the law of (X_t, t), t uniform on [ε, T], as a list of nodes.

    Parameters
    ----------
    data : array_like, shape (M, d)
    features : TensorFeatures
        Only their scales matter here.
    schedule : Schedule
    resolution : Resolution
    early_stopping_time, horizon : float
    negligible : float
        Nodes of a smaller share of the largest probability are left out.

    Returns
    -------
    FlatRule

    Raises
    ------
    ValueError
        One line, for data or times outside their domain.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> features = gaussian_features((4, 3), early_stopping_time=0.1)
    >>> rough, schedule = Resolution(1.0, 2), schedule_named("ou")
    >>> rule = flat_rule([[-1.0], [1.0]], features, schedule, rough, early_stopping_time=0.1)
    >>> round(float(rule.probabilities.sum()), 9)
    1.0
    """
    points = checked_data(data, features)
    dimension = points.shape[1]
    epsilon, last = checked_times(schedule, early_stopping_time, horizon)
    times, weights = time_rule(epsilon, last, scale_of(features.time), resolution.time_order)
    scales = tuple(scale_of(axis) for axis in features.space)
    parts: list[tuple[Array, ...]] = []
    for time, weight in zip(times, weights, strict=True):
        for cells in cells_at(float(time), points, schedule, scales, resolution.spacing):
            places = np.stack(np.meshgrid(cells.x, cells.y, indexing="ij"), axis=-1)
            entries = cells.covariance[..., [0, 1, 1, 2]].reshape(-1, 2, 2)
            parts.append(
                (
                    places.reshape(-1, 2)[:, :dimension],
                    np.full(cells.mass.size, time),
                    weight * cells.mass.ravel(),
                    cells.mean.reshape(-1, 2)[:, :dimension],
                    entries[:, :dimension, :dimension],
                )
            )
    rule = [np.concatenate(column) for column in zip(*parts, strict=True)]
    kept = rule[2] > negligible * np.max(rule[2])
    return FlatRule(*(column[kept] for column in rule))
