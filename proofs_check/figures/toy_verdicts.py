"""Whether a curve over abscissae is U-shaped, and where it is least, from paired samples.

Every data set gives the whole curve, so the differences between abscissae are paired, and Student t
intervals of their means hold at once for all that are looked at (Bonferroni). They are exact for
normal differences, and approximate as the number of data sets grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: Probability that every statement about one curve is right.
CONFIDENCE = 0.999

U_SHAPE, FALLS, RISES, TURNS, UNDECIDED = (
    "U-shape",
    "no U: falls",
    "no U: rises",
    "no U: falls after it has risen",
    "inconclusive",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A verdict, and how many neighbouring differences are significantly below and above zero.

    "U-shape" is falling first and rising then, with confidence `CONFIDENCE` of every sign counted;
    "no U: falls" and "no U: rises" have every difference significant and of that sign; "no U: falls
    after it has risen" has a significant fall beyond a significant rise; anything else is
    "inconclusive".
    """

    name: str
    falls: int
    rises: int


@dataclass(frozen=True, slots=True)
class Least:
    """Which abscissa has the least mean, and between which the least expectation is.

    Those from ``low`` to ``high`` hold all abscissae that are not significantly above another; the
    one of least expectation is among them with probability `CONFIDENCE`.
    """

    index: int
    low: int
    high: int


def shape_of(values: Array) -> Shape:
    """Judge a curve from one row per data set and one column per abscissa, in order.

    Raises
    ------
    ValueError
        One line, for fewer than two data sets or fewer than three abscissae.

    Examples
    --------
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal((20, 5))
    >>> shape_of(noise + [4.0, 1.0, 0.0, 1.0, 4.0])
    Shape(name='U-shape', falls=2, rises=2)
    """
    _check(values)
    signs = _signs(np.diff(values, axis=1), (1.0 - CONFIDENCE) / (2 * (values.shape[1] - 1)))
    told = signs[signs != 0]
    falls, rises = int(np.sum(told < 0)), int(np.sum(told > 0))
    if falls and rises:
        name = U_SHAPE if np.all(np.diff(told) >= 0) else TURNS
    elif falls == len(signs):
        name = FALLS
    elif rises == len(signs):
        name = RISES
    else:
        name = UNDECIDED
    return Shape(name, falls, rises)


def least_of(values: Array) -> Least:
    """Find the minimum of a curve; parameters and errors as in `shape_of`.

    Examples
    --------
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal((20, 5))
    >>> least_of(noise + [4.0, 1.0, 0.0, 0.0, 4.0])
    Least(index=3, low=2, high=3)
    """
    _check(values)
    count = values.shape[1]
    # The true place is one of them, and is compared with the others only.
    tail = (1.0 - CONFIDENCE) / (count - 1)
    possible = [
        i for i in range(count) if not np.any(_signs(values[:, i : i + 1] - values, tail) > 0)
    ]
    best = int(np.argmin(values.mean(axis=0)))
    return Least(best, min(possible), max(possible))


def _signs(differences: Array, tail: float) -> NDArray[np.int64]:
    """Return the sign of the mean of every column, 0 where t does not tell it at this tail."""
    sets = len(differences)
    reach = float(stats.t.isf(tail, sets - 1)) / math.sqrt(sets) * differences.std(axis=0, ddof=1)
    mean = differences.mean(axis=0)
    return np.where(np.abs(mean) > reach, np.sign(mean), 0.0).astype(np.int64)


def _check(values: Array) -> None:
    if values.ndim != 2 or len(values) < 2 or values.shape[1] < 3 or np.isnan(values).any():
        raise ValueError(
            f"values has shape {values.shape}: at least two data sets and three abscissae, without "
            "NaN, are needed; pass one row for each data set"
        )
