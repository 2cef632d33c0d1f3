"""Wide networks: the ReLU tangent kernel, its spectrum, and the V-kernel after any training time.

A network wide enough trains like the linear model of its tangent kernel K: with the loss
E[λ |x_0 - m(x, t)|²] / 2 gradient flow acts on each eigenfunction e_k of K in L²(λp) by itself,
and after training time τ the targets have been filtered by k_τ = Σ (1 - exp(-τ ν_k)) e_k e_k'.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count
from numerics.neural_tangent_kernel import (
    ReluTangentKernel,
    arc_cosine_one,
    arc_cosine_zero,
    space_time,
)
from numerics.schedules import Schedule

__all__ = [
    "ReluTangentKernel",
    "TangentEigensystem",
    "arc_cosine_one",
    "arc_cosine_zero",
    "noise_of_modes",
    "tangent_eigensystem",
    "trained_kernel",
    "trained_v_kernel",
    "trained_variance_total",
]

Array = NDArray[np.float64]
Kernel = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class TangentEigensystem:
    """Eigenvalues and eigenfunctions of a kernel in L²(λp), by quadrature.

    Attributes
    ----------
    kernel : callable
        (n, D), (n', D) -> (n, n').
    nodes : ndarray, shape (n, D)
    weights : ndarray, shape (n,)
        λ times the quadrature's probabilities, > 0.
    eigenvalues : ndarray, shape (r,)
        Decreasing, all beyond rounding.
    functions : ndarray, shape (n, r)
        Eigenfunctions at the nodes, Σ_i weights_i e_k(i) e_l(i) = δ_kl.
    eigenvalue_errors : ndarray, shape (r,)
        Distances to the eigenvalues of the finer rule; NaN if none was given.
    """

    kernel: Kernel
    nodes: Array
    weights: Array
    eigenvalues: Array
    functions: Array
    eigenvalue_errors: Array

    def filtered(self, points: ArrayLike, training_time: float) -> Array:
        """Return (1 - exp(-τ ν_k)) e_k at any points, shape (n, r); e_k itself for τ = inf.

        Off the nodes e_k is Nyström's extension Σ_i weights_i K(., z_i) e_k(z_i) / ν_k.
        """
        gains = _gains(self.eigenvalues, training_time) / self.eigenvalues
        given = np.asarray(points, dtype=np.float64)
        return np.asarray(
            self.kernel(given, self.nodes) @ (self.weights[:, None] * self.functions * gains)
        )


def tangent_eigensystem(
    kernel: Kernel,
    nodes: ArrayLike,
    weights: ArrayLike,
    *,
    finer: tuple[ArrayLike, ArrayLike] | None = None,
) -> TangentEigensystem:
    """Solve ∫ K(z, z') e(z') λp(dz') = ν e(z) by Nyström's method.

    Parameters
    ----------
    kernel : callable
        (n, D), (n', D) -> (n, n'), symmetric and positive semidefinite.
    nodes : array_like, shape (n, D)
    weights : array_like, shape (n,)
        Of a quadrature rule for λp, each > 0.
    finer : pair of arrays, optional
        Nodes and weights of a finer rule, for the errors of the eigenvalues.

    Returns
    -------
    TangentEigensystem
        From the symmetric matrix √w K √w; eigenvalues within rounding of 0 are left out.

    Raises
    ------
    ValueError
        One line: weights not > 0, shapes that do not fit, a kernel that is not positive
        semidefinite.

    Examples
    --------
    >>> product = lambda left, right: left @ right.T
    >>> system = tangent_eigensystem(product, [[-1.0], [1.0]], [0.5, 0.5])
    >>> system.eigenvalues.round(12).tolist()
    [1.0]
    """
    points, masses, values, vectors = _solved(kernel, nodes, weights)
    errors = np.full(len(values), np.nan)
    if finer is not None:
        found = _solved(kernel, *finer)[2][: len(values)]
        errors = np.abs(values - np.pad(found, (0, len(values) - len(found))))
    functions = vectors / np.sqrt(masses)[:, None]
    return TangentEigensystem(kernel, points, masses, values, functions, errors)


def _solved(
    kernel: Kernel, nodes: ArrayLike, weights: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    points = np.asarray(nodes, dtype=np.float64)
    masses = np.asarray(weights, dtype=np.float64)
    if points.ndim != 2 or masses.shape != points.shape[:1] or len(points) == 0:
        raise ValueError(
            f"weights has shape {masses.shape}: nodes has shape {points.shape}; give (n, D) nodes "
            "and n weights"
        )
    if not np.all((masses > 0.0) & np.isfinite(masses)):
        index = int(np.argmin(np.where(np.isfinite(masses), masses, -np.inf)))
        raise ValueError(
            f"weights[{index}] = {masses[index]}: weights are finite and > 0; leave that node out"
        )
    root = np.sqrt(masses)
    matrix = root[:, None] * kernel(points, points) * root
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    rounding = 4.0 * len(values) * np.finfo(np.float64).eps * float(np.max(np.abs(values)))
    if values[0] < -rounding:
        raise ValueError(
            f"kernel has the eigenvalue {values[0]:.3g} on these nodes: it must be positive "
            "semidefinite; pass a covariance kernel"
        )
    kept = np.flatnonzero(values > rounding)[::-1]
    if len(kept) == 0:
        raise ValueError("kernel is zero on these nodes: nothing can be learnt; pass another")
    return points, masses, values[kept], vectors[:, kept]


def _gains(eigenvalues: Array, training_time: float) -> Array:
    """1 - exp(-τ ν), without cancellation."""
    if math.isnan(training_time) or training_time < 0.0:
        raise ValueError(
            f"training_time = {training_time}: a number >= 0 is needed; pass inf for convergence"
        )
    if training_time == math.inf:
        return np.ones_like(eigenvalues)
    return np.asarray(-np.expm1(-training_time * eigenvalues))


def trained_kernel(
    eigensystem: TangentEigensystem, left: ArrayLike, right: ArrayLike, training_time: float
) -> Array:
    """Return k_τ(z, z') = Σ (1 - exp(-τ ν_k)) e_k(z) e_k(z').

    Parameters
    ----------
    left, right : array_like, shapes (n, D) and (n', D)
    training_time : float
        τ >= 0, infinite for convergence; in units of 1 / eigenvalue.

    Returns
    -------
    ndarray, shape (n, n')

    Examples
    --------
    >>> product = lambda left, right: left @ right.T
    >>> system = tangent_eigensystem(product, [[-1.0], [1.0]], [0.5, 0.5])
    >>> trained_kernel(system, [[2.0]], [[1.0]], np.inf).round(12).tolist()
    [[2.0]]
    """
    first = eigensystem.filtered(left, training_time)
    return np.asarray(first @ eigensystem.filtered(right, math.inf).T)


def noise_of_modes(
    eigensystem: TangentEigensystem, emphasis: ArrayLike, covariances: ArrayLike
) -> Array:
    """Return E[λ² e_k e_l Γ], the covariance that the targets' noise gives to two modes.

    Parameters
    ----------
    emphasis : array_like, shape (n,)
        λ at the nodes; the eigensystem's weights are λ times probabilities.
    covariances : array_like, shape (n, d, d)
        Γ = Cov(X_0 | X_t = x) at the nodes, in squared units of the data.

    Returns
    -------
    ndarray, shape (d, d, r, r)

    Examples
    --------
    >>> product = lambda left, right: left @ right.T
    >>> system = tangent_eigensystem(product, [[-1.0], [1.0]], [0.5, 0.5])
    >>> noise_of_modes(system, [1.0, 1.0], np.ones((2, 1, 1))).round(12).tolist()
    [[[[1.0]]]]
    """
    gamma = np.asarray(covariances, dtype=np.float64)
    count = len(eigensystem.nodes)
    if gamma.ndim != 3 or gamma.shape != (count, *gamma.shape[1:2] * 2):
        raise ValueError(f"covariances has shape {gamma.shape}: ({count}, d, d) is needed")
    factor = eigensystem.weights * np.asarray(emphasis, dtype=np.float64)
    functions = eigensystem.functions
    dimension = gamma.shape[1]
    found = np.empty((dimension, dimension, functions.shape[1], functions.shape[1]))
    for a in range(dimension):
        for b in range(dimension):
            found[a, b] = functions.T @ ((factor * gamma[:, a, b])[:, None] * functions)
    return found


def trained_variance_total(
    eigensystem: TangentEigensystem, noise: Array, training_time: float, training_size: int
) -> float:
    """Return ∫ λp tr Cov(m̂) = Σ_k (1 - exp(-τ ν_k))² tr E[λ² e_k² Γ] / P; it grows with τ.

    Given the inputs (x, t): redrawn inputs add a term of the same order at finite τ.

    Parameters
    ----------
    noise : ndarray, shape (d, d, r, r)
        From ``noise_of_modes``.
    training_time : float
        τ >= 0, or infinite.
    training_size : int
        P >= 1.

    Returns
    -------
    float
        In squared units of the data.

    Examples
    --------
    >>> product = lambda left, right: left @ right.T
    >>> system = tangent_eigensystem(product, [[-1.0], [1.0]], [0.5, 0.5])
    >>> noise = noise_of_modes(system, [1.0, 1.0], np.ones((2, 1, 1)))
    >>> round(trained_variance_total(system, noise, np.inf, 4), 12)
    0.25
    """
    size = checked_count("training_size", training_size, 1)
    gains = _gains(eigensystem.eigenvalues, training_time)
    return float(np.einsum("k,aakk->", gains**2, noise)) / size


def trained_v_kernel(
    eigensystem: TangentEigensystem,
    noise: Array,
    left: ArrayLike,
    right: ArrayLike,
    schedule: Schedule,
    *,
    training_time: float,
    training_size: int,
) -> Array:
    """Return the V-kernel of a wide network trained for a time τ, to leading order in 1/P.

    D D' (μ/σ²)(μ'/σ'²) E[λ² k_τ(z, .) Γ k_τ(., z')] / P, of vastola2025, Proposition 5.2; with
    τ = inf and a kernel of finite rank it is that of the linear model, Proposition 5.1. Given the
    inputs: redrawn ones add a term of the same order at finite τ.

    Parameters
    ----------
    noise : ndarray, shape (d, d, r, r)
        From ``noise_of_modes``.
    left, right : array_like, shapes (n, d + 1) and (n', d + 1)
        Space-time points, time last.
    schedule : Schedule
    training_time : float
        τ >= 0, or infinite.
    training_size : int
        P >= 1.

    Returns
    -------
    ndarray, shape (n, n', d, d)

    Raises
    ------
    ValueError
        One line, for a value outside its domain.

    Examples
    --------
    >>> from numerics.schedules import schedule_named
    >>> nodes = np.array([[0.0, 0.5], [1.0, 0.5]])
    >>> system = tangent_eigensystem(ReluTangentKernel(1), nodes, [0.5, 0.5])
    >>> noise = noise_of_modes(system, [1.0, 1.0], np.ones((2, 1, 1)))
    >>> kernel = trained_v_kernel(
    ...     system, noise, nodes, nodes, schedule_named("ve"), training_time=np.inf, training_size=8
    ... )
    >>> kernel[..., 0, 0].round(9).tolist()  # D μ/σ² = 2, Γ = 1, p = 1/2: 4 / (8/2)
    [[1.0, 0.0], [0.0, 1.0]]
    """
    size = checked_count("training_size", training_size, 1)
    sides = [space_time(name, z) for name, z in (("left", left), ("right", right))]
    first, second = (
        eigensystem.filtered(z, training_time) * _score_factor(z[:, -1], schedule)[:, None]
        for z in sides
    )
    return np.asarray(np.einsum("ik,abkl,jl->ijab", first, noise, second, optimize=True) / size)


def _score_factor(times: Array, schedule: Schedule) -> Array:
    """D μ / σ², by which a change of the denoiser moves the flow."""
    return np.asarray(schedule.diffusion(times) * schedule.mu(times) / schedule.sigma2(times))
