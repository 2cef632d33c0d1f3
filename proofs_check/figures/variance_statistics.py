"""Intervals over independent fits, and what they say of a trend.

Fits are independent, and number k of every condition is paired with the others' by the numbers it
learns from, so that differences over k are independent too.  Intervals are Student's: asymptotic in
the number of fits, and no better than that where a few fits have nearly all of a mass.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from proofs_check.verdict import Status

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its standard error and the ends of an interval."""

    value: float
    error: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.5f} ({self.low:.5f} … {self.high:.5f})"


def mean_of(values: Array | Sequence[float], miss: float) -> Mean:
    """Return the mean of independent numbers with Student's interval, missed at rate ``miss``.

    A single number is taken as known without error.

    Examples
    --------
    >>> print(mean_of([0.0, 1.0, 0.0, 1.0], 0.05))
    0.50000 (-0.41869 … 1.41869)
    """
    row = np.asarray(values, dtype=np.float64)
    middle = float(row.mean())
    if len(row) < 2:
        return Mean(middle, 0.0, middle, middle)
    error = float(row.std(ddof=1)) / math.sqrt(len(row))
    reach = float(stats.t.isf(0.5 * miss, len(row) - 1)) * error
    return Mean(middle, error, middle - reach, middle + reach)


def ratio_of(first: Array, second: Array) -> tuple[float, float]:
    """Return the quotient of two means of pairs, and its standard error by the jackknife.

    Examples
    --------
    >>> ratio_of(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    (2.0, 0.0)
    """
    number, up, down = len(first), float(first.sum()), float(second.sum())
    if down == 0.0:
        return math.nan, math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (up - first) / (down - second)
    spread = float(np.sum((without - without.mean()) ** 2))
    return up / down, math.sqrt(max(number - 1, 0) / max(number, 1) * spread)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether every number of a list is positive: differences of masses, or masses."""

    series: str
    says: str
    numbers: tuple[Mean, ...]

    @property
    def status(self) -> Status:
        """Say so; refuted if any is certainly negative."""
        return judged(self.numbers)

    @property
    def tally(self) -> tuple[int, int, int]:
        """Return how many are certainly positive, certainly negative, and neither."""
        up = sum(one.low > 0.0 for one in self.numbers)
        down = sum(one.high < 0.0 for one in self.numbers)
        return up, down, len(self.numbers) - up - down

    def __str__(self) -> str:
        up, down, left = self.tally
        return f"{self.series} {self.says}: {self.status} (+{up} −{down} ?{left})"


def judged(numbers: Sequence[Mean]) -> Status:
    """Say whether all numbers are positive: refuted if any is certainly negative.

    Examples
    --------
    >>> print(judged([Mean(2.0, 0.1, 1.0, 3.0), Mean(0.5, 1.0, -1.0, 2.0)]))
    inconclusive
    """
    if all(one.low > 0.0 for one in numbers):
        return Status.SUPPORTED
    if any(one.high < 0.0 for one in numbers):
        return Status.REFUTED
    return Status.INCONCLUSIVE


def growth(
    series: str, variable: str, curves: Sequence[Sequence[Array]], miss: float
) -> tuple[Finding, Finding]:
    """Say whether curves of vectors over fits grow: from each place to the next, and end to end.

    Parameters
    ----------
    series, variable
        What the vectors are, and what increases.
    curves
        One for each value of what else varies; their vectors paired by fit.
    miss
        Probability with which a single interval misses.

    Examples
    --------
    >>> one = np.array([0.1, 0.2, 0.3])
    >>> every, ends = growth("gap", "ε", [[one, one + 1, one + 2]], 0.01)
    >>> print(every)
    gap grows with ε at every step: supported (+2 −0 ?0)
    """
    steps, ends = [], []
    for curve in curves:
        steps += [mean_of(b - a, miss) for a, b in itertools.pairwise(curve)]
        ends.append(mean_of(curve[-1] - curve[0], miss))
    return (
        Finding(series, f"grows with {variable} at every step", tuple(steps)),
        Finding(series, f"is larger at the largest {variable} than at the least", tuple(ends)),
    )


def positive(series: str, vectors: Sequence[Array], miss: float) -> Finding:
    """Say whether the means of vectors over fits are positive.

    Examples
    --------
    >>> print(positive("noise", [np.array([1.0, 1.1, 0.9])], 0.01))
    noise is positive everywhere: supported (+1 −0 ?0)
    """
    return Finding(series, "is positive everywhere", tuple(mean_of(v, miss) for v in vectors))
