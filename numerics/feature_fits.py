r"""Ridge fits of linear denoisers m̂ = W φ(x, t), many models at a time.

With ψ = √λ φ, P draws and targets y (the clean points x_0, or their posterior means),

    W = Â (Σ̂ + ρ I)^{-1},    Σ̂ = (1/P) Σ ψ ψᵀ,    Â = (1/P) Σ √λ y ψᵀ,

or, equally, W = Y (K + Pρ I)^{-1} Ψ with Y = (√λ y) and the P × P Gram matrix K = Ψ Ψᵀ, which is
the product entry by entry of one Gram matrix per axis. The smaller of the two systems is solved.

Source: vastola2025, Section 5.1 (linear models) and the appendix on the experiments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_choice, checked_count, checked_real
from numerics.feature_solve import dual_weights, primal_weights
from numerics.feature_training import (
    TrainingSets,
    checked_data,
    draw_training_sets,
    model_draws,
    posterior_means,
)
from numerics.features import TensorFeatures, tensor_product
from numerics.schedules import Schedule, checked_times
from numerics.streams import Rng, seed_sequence

__all__ = [
    "FittedDenoisers",
    "Targets",
    "TrainingSets",
    "Weight",
    "draw_training_sets",
    "fit_denoisers",
    "loss_weight",
]

Array = NDArray[np.float64]
Weight = Literal["signal-to-noise", "one", "signal"]
Targets = Literal["data", "posterior-mean"]

# Names of features in a refusal.
_NAMED = 4
# Of a unit diagonal, a pivot below this many times n units of roundoff is rounding.
_SLACK = 8.0
# Doubles of axis values that are held at a time (64 MiB).
_HELD = 2**23


@dataclass(frozen=True, slots=True, eq=False)
class FittedDenoisers:
    """Fitted models; row i is model ``first_model + i``.

    Attributes
    ----------
    features : TensorFeatures
    weights : ndarray, shape (models, d, F)
        The W.
    effective_sizes : ndarray, shape (models,)
        (Σ λ)² / Σ λ² over the draws of a model: P when all weigh the same.
    first_model : int
    """

    features: TensorFeatures
    weights: Array
    effective_sizes: Array
    first_model: int

    def denoise(self, points: ArrayLike, times: ArrayLike) -> Array:
        """Return m̂ (models, n, d) at points (n, d) and times (n,), or one time."""
        return np.asarray(np.swapaxes(self.weights @ self.features.evaluate(points, times).T, 1, 2))


def loss_weight(weight: Weight, schedule: Schedule, times: ArrayLike) -> Array:
    """Return λ_t, which multiplies the squared error of the denoiser.

    Parameters
    ----------
    weight : str
        "signal-to-noise" is μ²/σ², "one" is 1, "signal" is μ².
    schedule : Schedule
    times : array_like

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        One line, for an unknown weight.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> round(float(loss_weight("signal-to-noise", schedule_named("fraction"), 0.2)), 12)
    4.0
    """
    checked_choice("weight", weight, get_args(Weight))
    if weight == "one":
        return np.ones_like(np.asarray(times, dtype=np.float64))
    squared = schedule.mu(times) ** 2
    return np.asarray(squared if weight == "signal" else squared / schedule.sigma2(times))


def fit_denoisers(
    features: TensorFeatures,
    data: ArrayLike,
    schedule: Schedule,
    *,
    size: int,
    models: int,
    early_stopping_time: float,
    horizon: float = 1.0,
    ridge: float = 0.1,
    weight: Weight = "signal-to-noise",
    targets: Targets = "data",
    seed: Rng,
    first_model: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FittedDenoisers:
    """Fit denoisers, each on training data of its own.

    Parameters
    ----------
    features : TensorFeatures
    data : array_like, shape (M, d)
        The law of x_0: equal masses at these points.
    schedule : Schedule
    size : int
        P >= 1 draws per model, those of ``draw_training_sets``.
    models : int
        At least 1.
    early_stopping_time, horizon : float
        The range [ε, T] of the times.
    ridge : float
        ρ >= 0; with ρ = 0 there must be at most P features, none of them redundant.
    weight : str
        λ, see ``loss_weight``.
    targets : str
        "data" regresses on x_0, "posterior-mean" on E[X_0 | X_t = x], with the same draws.
    seed : int, SeedSequence or Generator
    first_model : int
        Models keep their draws, and their bits, however they are divided among calls.
    progress : callable, optional
        Called with (models done, all models).

    Returns
    -------
    FittedDenoisers

    Raises
    ------
    ValueError
        One line: an argument outside its domain, more features than draws without a ridge, or a
        singular system, with the features to blame.

    Notes
    -----
    Source: vastola2025, Section 5.1; λ = μ²/σ² and ρ = 0.1 in its figures 2 and 3.

    Examples
    --------
    >>> from numerics.features import gaussian_features
    >>> from numerics.schedules import schedule_named
    >>> fit = fit_denoisers(gaussian_features((4, 3), early_stopping_time=0.01), [[-1.0], [1.0]],
    ...     schedule_named("vp-linear"), size=50, models=2, early_stopping_time=0.01, seed=0)
    >>> fit.weights.shape
    (2, 1, 12)
    """
    atoms = checked_data(data)
    if atoms.shape[1] != features.dimension:
        raise ValueError(
            f"data has shape {atoms.shape} and features {features.dimension} axes of space: "
            "the two must be equal; pass one axis per coordinate"
        )
    ends = checked_times(schedule, early_stopping_time, horizon)
    count, number = checked_count("size", size, 1), checked_count("models", models, 1)
    first = checked_count("first_model", first_model, 0)
    penalty = checked_real("ridge", ridge, positive=False)
    checked_choice("weight", weight, get_args(Weight))
    checked_choice("targets", targets, get_args(Targets))
    if penalty == 0.0 and features.count > count:
        raise ValueError(
            f"ridge = 0 with F = {features.count} features and P = {count} draws: F <= P is "
            "needed without a ridge; pass ridge > 0, fewer features or more draws"
        )
    root = seed_sequence(seed)
    solve = primal_weights if features.count <= count else dual_weights
    weights = np.empty((number, features.dimension, features.count))
    sizes = np.empty(number)
    outer = features.count // features.time.count
    batch = max(1, min(number, _HELD // (count * (outer + features.time.count))))
    for low in range(0, number, batch):
        rows = range(low, min(low + batch, number))
        cases = [
            _case(features, atoms, schedule, count, ends, weight, targets, root, first + row)
            for row in rows
        ]
        space, time, wanted, weighing = (
            np.stack([getattr(case, part) for case in cases]) for part in _Case._fields
        )
        chosen = slice(low, low + len(rows))
        least = solve(space, time, wanted, weighing, penalty, weights[chosen])
        _check_pivots(features, least, cases, penalty, first + low)
        sizes[chosen] = weighing.sum(axis=1) ** 2 / (weighing**2).sum(axis=1)
        if progress is not None:
            progress(low + len(rows), number)
    return FittedDenoisers(features, weights, sizes, first)


class _Case(NamedTuple):
    """What the kernel needs of a model: (P, F_space), (P, K), (P, d) and (P,)."""

    space: Array
    time: Array
    wanted: Array
    weighing: Array


def _case(
    features: TensorFeatures,
    atoms: Array,
    schedule: Schedule,
    size: int,
    ends: tuple[float, float],
    weight: Weight,
    targets: Targets,
    root: Rng,
    model: int,
) -> _Case:
    clean, times, points = model_draws(atoms, schedule, size, ends, root, model)
    if targets == "posterior-mean":
        clean = posterior_means(points, times, atoms, schedule)
    *axes, last = features.axis_values(points, times)
    return _Case(tensor_product(*axes), last, clean, loss_weight(weight, schedule, times))


def _check_pivots(
    features: TensorFeatures, least: Array, cases: list[_Case], ridge: float, first: int
) -> None:
    """Raise ValueError for the first model whose system is singular to rounding."""
    order = min(features.count, len(cases[0].weighing))
    smallest = _SLACK * order * float(np.finfo(float).eps)
    if np.all(least > smallest):
        return
    row = int(np.argmin(least > smallest))
    if ridge > 0.0:
        raise ValueError(
            f"ridge = {ridge!r}: lost in rounding beside the draws of model {first + row}; raise it"
        )
    case = cases[row]
    psi = tensor_product(case.space * np.sqrt(case.weighing)[:, None], case.time)
    scale = np.sqrt((psi**2).sum(axis=0))
    blamed, what = np.flatnonzero(scale == 0.0), "no draw comes near"
    if len(blamed) == 0:
        psi /= scale
        blamed = np.argsort(-np.abs(np.linalg.eigh(psi.T @ psi)[1][:, 0]))[:_NAMED]
        what = "redundant on its draws are"
    named = "; ".join(f"[{index}] {features.label(int(index))}" for index in blamed[:_NAMED])
    more = f" and {len(blamed) - _NAMED} more" if len(blamed) > _NAMED else ""
    raise ValueError(
        f"ridge = 0: the system of model {first + row} is singular, {what} {named}{more}; "
        "pass ridge > 0, other features or more draws"
    )
