"""Training sets of a denoiser: clean points, times and noised points, one stream per model.

The draws of a smaller set are the first draws of a larger one with the same seed and model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count
from numerics.point_arguments import checked_points
from numerics.schedules import Schedule, checked_times
from numerics.streams import Rng, keyed, seed_sequence

Array = NDArray[np.float64]

# First words of the names of the three streams of a model.
_CLEAN, _TIME, _NOISE = 0x636C656E, 0x74696D65, 0x6E6F6973


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSets:
    """What n models are trained on: row i belongs to model ``first_model + i``.

    Attributes
    ----------
    clean : ndarray, shape (n, P, d)
        The x_0.
    times : ndarray, shape (n, P)
    points : ndarray, shape (n, P, d)
        The x = μ_t x_0 + σ_t z.
    first_model : int
    """

    clean: Array
    times: Array
    points: Array
    first_model: int


def draw_training_sets(
    data: ArrayLike,
    schedule: Schedule,
    *,
    size: int,
    models: int,
    early_stopping_time: float,
    horizon: float = 1.0,
    seed: Rng,
    first_model: int = 0,
) -> TrainingSets:
    """Draw P independent triples (x_0, t, x) for each model.

    Parameters
    ----------
    data : array_like, shape (M, d)
        x_0 is one of these points, each with probability 1/M.
    schedule : Schedule
    size : int
        P >= 1.
    models : int
        At least 1.
    early_stopping_time, horizon : float
        t is uniform on [ε, T], 0 < ε < T.
    seed : int, SeedSequence or Generator
        Times with other ends, and other data of the same size, come from the same random numbers.
    first_model : int
        Models keep their streams however they are divided among calls.

    Returns
    -------
    TrainingSets

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Notes
    -----
    Source: vastola2025, Section 3 (the training procedure).

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> sets = draw_training_sets([[-1.0], [1.0]], schedule_named("ou"), size=5, models=2,
    ...     early_stopping_time=0.01, seed=0)
    >>> sets.points.shape
    (2, 5, 1)
    """
    atoms = checked_data(data)
    ends = checked_times(schedule, early_stopping_time, horizon)
    count = checked_count("size", size, 1)
    number = checked_count("models", models, 1)
    first = checked_count("first_model", first_model, 0)
    root = seed_sequence(seed)
    clean = np.empty((number, count, atoms.shape[1]))
    points, times = np.empty_like(clean), np.empty((number, count))
    for row in range(number):
        clean[row], times[row], points[row] = model_draws(
            atoms, schedule, count, ends, root, first + row
        )
    return TrainingSets(clean, times, points, first)


def model_draws(
    atoms: Array,
    schedule: Schedule,
    size: int,
    ends: tuple[float, float],
    root: Rng,
    model: int,
) -> tuple[Array, Array, Array]:
    """Return x_0 (P, d), t (P,) and x (P, d) of one model."""
    clean = atoms[keyed(root, _CLEAN, model).integers(len(atoms), size=size)]
    times = ends[0] + (ends[1] - ends[0]) * keyed(root, _TIME, model).random(size)
    noise = keyed(root, _NOISE, model).standard_normal(clean.shape)
    mu, sigma = schedule.mu(times), np.sqrt(schedule.sigma2(times))
    return clean, times, mu[:, None] * clean + sigma[:, None] * noise


def posterior_means(points: Array, times: Array, atoms: Array, schedule: Schedule) -> Array:
    """Return E[X_0 | X_t = x] (n, d) for equal masses at the atoms (M, d).

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> at = np.zeros((1, 1)), np.ones(1), np.array([[-1.0], [1.0]])
    >>> posterior_means(*at, schedule_named("ou")).tolist()
    [[0.0]]
    """
    mu, sigma2 = schedule.mu(times), schedule.sigma2(times)
    squares = np.zeros((len(points), len(atoms)))
    for column in range(atoms.shape[1]):
        squares += (points[:, column, None] - mu[:, None] * atoms[None, :, column]) ** 2
    squares -= squares.min(axis=1, keepdims=True)
    weights = np.exp(-0.5 * squares / sigma2[:, None])
    return np.asarray((weights @ atoms) / weights.sum(axis=1, keepdims=True))


def checked_data(data: ArrayLike) -> Array:
    """Return data (M, d) with M >= 1, or raise ValueError."""
    atoms = checked_points("data", data, "M")
    if len(atoms) == 0:
        raise ValueError("data is empty: at least one point is needed; pass one")
    return atoms
