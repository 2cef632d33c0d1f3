"""Functions of one coordinate: normal densities at given centres, or a Fourier basis."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True, eq=False)
class GaussianAxis:
    """Normal densities of standard deviation ``width`` at K increasing centres.

    They are normalised: the scale of the features decides what a ridge means.

    Raises
    ------
    ValueError
        One line: fewer than two centres, centres not increasing, or width <= 0.

    Examples
    --------
    >>> axis = GaussianAxis([-1.0, 1.0], 0.5)
    >>> axis.values([1.0]).round(6).tolist()
    [[0.000268, 0.797885]]
    """

    centres: Array
    width: float

    def __init__(self, centres: ArrayLike, width: float) -> None:
        places = np.array(centres, dtype=np.float64)
        if places.ndim != 1 or len(places) < 2:
            raise ValueError(
                f"centres has shape {places.shape}: at least 2 Gaussian centres per axis are "
                "needed; pass [-1, 1], say"
            )
        if not (np.all(np.isfinite(places)) and np.all(np.diff(places) > 0.0)):
            raise ValueError("centres: finite, strictly increasing numbers are needed; sort them")
        object.__setattr__(self, "centres", _frozen(places))
        object.__setattr__(self, "width", _positive("width", width))

    @property
    def count(self) -> int:
        """The number of features."""
        return len(self.centres)

    def values(self, x: ArrayLike) -> Array:
        """Return the features (n, K) at places (n,)."""
        gap = (_line(x)[:, None] - self.centres[None, :]) / self.width
        return np.asarray(np.exp(-0.5 * gap**2) / (self.width * _ROOT_TWO_PI))

    def label(self, index: int) -> str:
        """Say which feature this is."""
        return f"centre {self.centres[index]:.4g}"


@dataclass(frozen=True, slots=True, eq=False)
class FourierAxis:
    """1, then cos(2πnx/L) for n = 1..C, then sin(2πnx/L) for n = 1..S; count = 1 + C + S.

    S = (count - 1)//2 and C = count - 1 - S; the period is L, and there is no phase offset.

    Raises
    ------
    ValueError
        One line: count < 1 or period <= 0.

    Examples
    --------
    >>> FourierAxis(4, 1.0).values([0.25]).round(12).tolist()
    [[1.0, 0.0, -1.0, 1.0]]
    """

    count: int
    period: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", checked_feature_count("count", self.count, 1))
        object.__setattr__(self, "period", _positive("period", self.period))

    @property
    def sines(self) -> int:
        """The number S of sines."""
        return (self.count - 1) // 2

    @property
    def cosines(self) -> int:
        """The number C of cosines, the constant left out."""
        return self.count - 1 - self.sines

    def values(self, x: ArrayLike) -> Array:
        """Return the features (n, count) at places (n,)."""
        angle = (2.0 * math.pi / self.period) * _line(x)[:, None]
        return np.concatenate(
            (
                np.ones((len(angle), 1)),
                np.cos(angle * np.arange(1, self.cosines + 1)),
                np.sin(angle * np.arange(1, self.sines + 1)),
            ),
            axis=1,
        )

    def label(self, index: int) -> str:
        """Say which feature this is."""
        if index == 0:
            return "constant"
        order = index if index <= self.cosines else index - self.cosines
        return f"{'cos' if index <= self.cosines else 'sin'} {order}"


Axis = GaussianAxis | FourierAxis


def checked_feature_count(name: str, value: Any, least: int) -> int:
    """Return an integer >= least, or raise ValueError.

    Examples
    --------
    >>> checked_feature_count("count", 4, 1)
    4
    """
    try:
        number = least - 1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} = {value!r}: an integer >= {least} is needed; pass {least}, say")
    return number


def _line(x: ArrayLike) -> Array:
    places = np.asarray(x, dtype=np.float64)
    if places.ndim != 1:
        raise ValueError(f"x has shape {places.shape}: it must be (n,); pass one coordinate")
    return places


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0.0):
        raise ValueError(f"{name} = {value!r}: a finite number > 0 is needed; pass 1.0, say")
    return number


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
