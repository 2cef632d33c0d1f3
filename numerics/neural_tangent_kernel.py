"""The tangent kernel of a wide fully connected ReLU network, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count, checked_real

Array = NDArray[np.float64]

# sin a - a cos a = Σ (-1)^(k+1) 2k a^(2k+1) / (2k+1)!, which is the accurate one at small angles.
_SERIES = tuple((-1) ** (k + 1) * 2 * k / math.factorial(2 * k + 1) for k in range(1, 9))
_SMALL_ANGLE = 0.7


def arc_cosine_zero(angle: ArrayLike) -> Array:
    """Return κ₀ = 2 E[1(u > 0) 1(v > 0)] for standard normal u, v of correlation cos(angle).

    Parameters
    ----------
    angle : array_like
        In radians, in [0, π].

    Returns
    -------
    ndarray, of the shape of ``angle``
        (π - angle) / π; 1 at angle 0.

    Examples
    --------
    >>> float(arc_cosine_zero(np.pi / 2))
    0.5
    """
    return np.asarray((np.pi - np.asarray(angle, dtype=np.float64)) / np.pi)


def arc_cosine_one(angle: ArrayLike) -> Array:
    """Return κ₁ = 2 E[max(u, 0) max(v, 0)] for standard normal u, v of correlation cos(angle).

    Parameters
    ----------
    angle : array_like
        In radians, in [0, π].

    Returns
    -------
    ndarray, of the shape of ``angle``
        (cos(angle) (π - angle) + sin(angle)) / π; 1 at angle 0.

    Examples
    --------
    >>> float(arc_cosine_one(0.0))
    1.0
    """
    given = np.asarray(angle, dtype=np.float64)
    return np.asarray(1.0 - _one_minus_kappa_one(given))


def _one_minus_kappa_one(angle: Array) -> Array:
    """Return 1 - κ₁ to a few roundings relative, however small the angle."""
    square = angle * angle
    series = np.zeros_like(angle)
    for coefficient in reversed(_SERIES):
        series = series * square + coefficient
    small = angle < _SMALL_ANGLE
    difference = np.where(small, series * square * angle, np.sin(angle) - angle * np.cos(angle))
    return np.asarray(2.0 * np.sin(angle / 2.0) ** 2 - difference / np.pi)


@dataclass(frozen=True, slots=True)
class ReluTangentKernel:
    """Tangent kernel of a fully connected ReLU network of infinite width.

    The input of the network is z = (space_scale x, time_scale t, constant). In the tangent
    parametrisation, h_0 = z, h_l = sqrt(c / n_l) max(W_l h_{l-1}, 0) for l = 1..depth and
    f = w h_depth, all weights standard normal, with c = 2 so that |h_l|² stays |z|². With the
    angle a_0 of z and z', cos a_l = κ₁(a_{l-1}):
    Θ_0 = z·z',  Θ_l = Θ_{l-1} κ₀(a_{l-1}) + |z| |z'| κ₁(a_{l-1}), and the kernel is Θ_depth.

    Parameters
    ----------
    depth : int
        Number of hidden layers, >= 1.
    space_scale, time_scale : float
        > 0, in inverse units of x and of t.
    constant : float
        The constant input, > 0; it stands for the biases of the first layer.

    Raises
    ------
    ValueError
        One line, for a parameter outside its domain.

    Notes
    -----
    Jacot, Gabriel and Hongler, "Neural tangent kernel", 2018, Theorem 1; arc-cosine kernels κ of
    Cho and Saul, 2009. vastola2025, Proposition 5.2 takes any such kernel.

    Examples
    --------
    >>> kernel = ReluTangentKernel(depth=2)
    >>> point = np.array([[1.0, 0.5]])
    >>> kernel(point, point)  # (depth + 1) |z|²
    array([[6.75]])
    """

    depth: int
    space_scale: float = 1.0
    time_scale: float = 1.0
    constant: float = 1.0

    def __post_init__(self) -> None:
        checked_count("depth", self.depth, 1)
        for name in ("space_scale", "time_scale", "constant"):
            checked_real(name, getattr(self, name), positive=True)

    def inputs(self, points: ArrayLike) -> Array:
        """Return the network's inputs (n, d + 2) at space-time points (n, d + 1), time last."""
        given = space_time("points", points)
        scales = np.full(given.shape[1], self.space_scale)
        scales[-1] = self.time_scale
        return np.column_stack([given * scales, np.full(len(given), self.constant)])

    def __call__(self, left: ArrayLike, right: ArrayLike) -> Array:
        """Return the kernel matrix (n, n') at space-time points (n, d + 1) and (n', d + 1)."""
        first, second = self.inputs(left), self.inputs(right)
        if first.shape[1] != second.shape[1]:
            raise ValueError(
                f"right has {second.shape[1] - 1} columns: left has {first.shape[1] - 1}; "
                "give both the same"
            )
        lengths = [np.linalg.norm(z, axis=1) for z in (first, second)]
        scale = np.multiply.outer(*lengths)
        units = [z / length[:, None] for z, length in zip((first, second), lengths, strict=True)]
        angle = _angles(*units)
        theta = np.cos(angle)
        for _ in range(self.depth):
            gap = _one_minus_kappa_one(angle)
            theta = theta * arc_cosine_zero(angle) + (1.0 - gap)
            angle = 2.0 * np.arcsin(np.sqrt(gap / 2.0))
        return np.asarray(scale * theta)


def _angles(left: Array, right: Array) -> Array:
    """Angles of unit vectors, accurate near 0 and near π, where arccos is not."""
    apart = left[:, None, :] - right[None, :, :]
    together = left[:, None, :] + right[None, :, :]
    return np.asarray(
        2.0 * np.arctan2(np.linalg.norm(apart, axis=2), np.linalg.norm(together, axis=2))
    )


def space_time(name: str, points: ArrayLike) -> Array:
    """Return space-time points (n, d + 1), or raise a one-line ValueError naming them."""
    given = np.asarray(points, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] < 2 or not np.all(np.isfinite(given)):
        raise ValueError(
            f"{name} has shape {given.shape}: finite space-time points (n, d + 1), time last, are "
            "needed; stack the times as the last column"
        )
    return given
