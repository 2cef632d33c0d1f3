r"""Tensor-product features φ(x, t) of space and time for linear denoisers.

A feature is a product of one function per axis, φ_{abc}(x, y, t) = f_a(x) f_b(y) g_c(t), where an
axis carries normal densities at given centres or a Fourier basis. Features are numbered in
C-order over (x, y, t): the time index runs fastest.

Source: vastola2025, Section 6 and its appendix on the experiments (arXiv 2504.12532).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.feature_axes import Axis, FourierAxis, GaussianAxis, checked_feature_count
from numerics.schedules import checked_range

__all__ = [
    "Axis",
    "FourierAxis",
    "GaussianAxis",
    "TensorFeatures",
    "fourier_features",
    "gaussian_features",
    "tensor_product",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TensorFeatures:
    """All products of one function per axis: d axes of space, and one of time.

    Examples
    --------
    >>> features = TensorFeatures((GaussianAxis([-1.0, 1.0], 0.5),), FourierAxis(3, 1.0))
    >>> features.count, features.dimension, features.evaluate([[0.0]], [0.25]).shape
    (6, 1, (1, 6))
    """

    space: tuple[Axis, ...]
    time: Axis

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", tuple(self.space))
        for axis in (*self.space, self.time):
            if not isinstance(axis, (GaussianAxis, FourierAxis)):
                raise ValueError(f"axis = {axis!r}: pass a GaussianAxis or a FourierAxis")
        if not self.space:
            raise ValueError("space is empty: at least one axis of space is needed; pass one")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of space, then that of time."""
        return (*self.space, self.time)

    @property
    def dimension(self) -> int:
        """The dimension d of space."""
        return len(self.space)

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of functions on each axis, time last."""
        return tuple(axis.count for axis in self.axes)

    @property
    def count(self) -> int:
        """The number F of features."""
        return math.prod(self.counts)

    def axis_values(self, points: ArrayLike, times: ArrayLike) -> tuple[Array, ...]:
        """Return the functions of each axis, (n, K_1), ..., (n, K_time).

        Parameters
        ----------
        points : array_like, shape (n, d)
        times : array_like, shape (n,)
            Or one time for all points.

        Returns
        -------
        tuple of arrays

        Raises
        ------
        ValueError
            One line, for a wrong shape.
        """
        places = np.asarray(points, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != self.dimension:
            raise ValueError(
                f"points has shape {places.shape}: it must be (n, {self.dimension}), one column "
                "per axis of space; pass that"
            )
        given = np.asarray(times, dtype=np.float64)
        if given.shape not in ((), (len(places),)):
            raise ValueError(
                f"times has shape {given.shape}: it must be ({len(places)},) or one number; "
                "pass one per point"
            )
        instants = np.broadcast_to(given, (len(places),))
        return (
            *(axis.values(places[:, k]) for k, axis in enumerate(self.space)),
            self.time.values(instants),
        )

    def evaluate(self, points: ArrayLike, times: ArrayLike) -> Array:
        """Return all features (n, F) at points (n, d) and times (n,) or one time.

        Raises
        ------
        ValueError
            One line, for a wrong shape.
        """
        return tensor_product(*self.axis_values(points, times))

    def label(self, index: int) -> str:
        """Say which feature this is, axis by axis."""
        if not 0 <= index < self.count:
            raise ValueError(f"index = {index}: it must lie in [0, {self.count}); pass one there")
        parts = np.unravel_index(index, self.counts)
        names = _axis_names(self.dimension)
        return ", ".join(
            f"{name} {axis.label(int(part))}"
            for name, axis, part in zip(names, self.axes, parts, strict=True)
        )


def tensor_product(*values: Array) -> Array:
    """Return all products (n, K_1 K_2 ...), in C-order, of functions (n, K_1), (n, K_2), ...

    Examples
    --------
    >>> tensor_product(np.array([[2.0, 3.0]]), np.array([[1.0, 10.0]])).tolist()
    [[2.0, 20.0, 3.0, 30.0]]
    """
    found, *others = values
    for each in others:
        found = (found[:, :, None] * each[:, None, :]).reshape(len(found), -1)
    return found


def gaussian_features(
    counts: Sequence[int],
    *,
    low: float = -1.5,
    high: float = 1.5,
    early_stopping_time: float,
    horizon: float = 1.0,
) -> TensorFeatures:
    """Return Gaussian features on equally spaced centres, of width half the spacing.

    Parameters
    ----------
    counts : sequence of int
        Numbers of centres (each >= 2) of every axis of space, then of time.
    low, high : float
        First and last centre of every axis of space.
    early_stopping_time, horizon : float
        First and last centre in time, 0 < ε < T.

    Returns
    -------
    TensorFeatures

    Raises
    ------
    ValueError
        One line: fewer than two centres, a bad range, or ε outside (0, T).

    Notes
    -----
    Source: vastola2025, Section 6, figures 2 and 3.

    Examples
    --------
    >>> gaussian_features((16, 16), early_stopping_time=1e-2).count
    256
    """
    ends = _ends(counts, low, high, early_stopping_time, horizon)

    def axis(count: int, first: float, last: float) -> GaussianAxis:
        if checked_feature_count("counts", count, 1) < 2:
            raise ValueError(
                f"counts = {tuple(counts)}: at least 2 Gaussian centres per axis are needed; "
                "pass 2 or more on each"
            )
        return GaussianAxis(np.linspace(first, last, count), 0.5 * (last - first) / (count - 1))

    axes = [axis(count, *end) for count, end in zip(counts, ends, strict=True)]
    return TensorFeatures(tuple(axes[:-1]), axes[-1])


def fourier_features(
    counts: Sequence[int],
    *,
    low: float = -1.5,
    high: float = 1.5,
    early_stopping_time: float,
    horizon: float = 1.0,
    distinct_ends: bool = False,
) -> TensorFeatures:
    """Return Fourier features whose period is the length of the range, or twice that.

    Parameters
    ----------
    counts : sequence of int
        Numbers of functions (each >= 1) of every axis of space, then of time.
    low, high : float
        The range of every axis of space.
    early_stopping_time, horizon : float
        The range of time, 0 < ε < T.
    distinct_ends : bool
        With the period of the range itself (the paper's) no function tells its two ends apart:
        in time, the clean from the noisiest. Twice the period makes them distinct.

    Returns
    -------
    TensorFeatures

    Raises
    ------
    ValueError
        One line: a count below 1, a bad range, or ε outside (0, T).

    Notes
    -----
    Source: vastola2025, Section 6, figure 3.

    Examples
    --------
    >>> fourier_features((10, 10, 10), early_stopping_time=1e-2).count
    1000
    """
    ends = _ends(counts, low, high, early_stopping_time, horizon)
    stretch = 2.0 if distinct_ends else 1.0
    axes = [
        FourierAxis(count, stretch * (last - first))
        for count, (first, last) in zip(counts, ends, strict=True)
    ]
    return TensorFeatures(tuple(axes[:-1]), axes[-1])


def _ends(
    counts: Sequence[int], low: float, high: float, early_stopping_time: float, horizon: float
) -> list[tuple[float, float]]:
    """Return the range of every axis."""
    if len(counts) < 2:
        raise ValueError(
            f"counts = {tuple(counts)}: one count per axis of space and one of time are needed; "
            "pass (16, 16), say"
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low = {low!r}, high = {high!r}: low < high, finite; pass -1.5 and 1.5")
    times = checked_range(early_stopping_time, horizon)
    return [(float(low), float(high))] * (len(counts) - 1) + [times]


def _axis_names(dimension: int) -> tuple[str, ...]:
    space = ("x", "y", "z")[:dimension] if dimension <= 3 else ()
    return (*(space or tuple(f"x{k + 1}" for k in range(dimension))), "t")
