"""What the figure ``optimisation`` finds: exponents with intervals, and sentences.

Means over n independent pairs are asymptotically normal, and so are smooth functions of them: all
intervals here are Student's with the delta method, at `CONFIDENCE` each. They are asymptotic, and
no better than that where few pairs are apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: Probability that an interval covers, in the limit of many pairs.
CONFIDENCE = 0.999
#: An exponent of K within is flat, above it grows.
FLAT = 0.1
#: An exponent of N below is the −1/2 of the paper or steeper, within a tenth.
ROOT = -0.4
#: Windows whose exponent of K is told: the last factor of 8.
LAST = 4

IS_FLAT, GROWS, YES, NO, UNDECIDED = "flat", "grows", "yes", "no", "undecided"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} … {self.high:.3g})"


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The mean (W,) of n independent vectors, and the covariance (W, W) of that mean."""

    count: int
    mean: Array
    covariance: Array

    @classmethod
    def of_sums(cls, parts: Sequence[Mapping[str, Any]]) -> Moments:
        """Put parts together that each have ``pairs``, ``sums`` and ``products``.

        Examples
        --------
        >>> one = {"pairs": 2, "sums": [3.0], "products": [[5.0]]}
        >>> two = Moments.of_sums([one, one])
        >>> two.count, two.mean.tolist(), two.covariance.round(6).tolist()
        (4, [1.5], [[0.083333]])
        """
        count = sum(part["pairs"] for part in parts)
        mean = np.sum([part["sums"] for part in parts], axis=0) / count
        square = np.sum([part["products"] for part in parts], axis=0) / count
        spread = (square - np.outer(mean, mean)) / max(count - 1, 1)
        return cls(count, np.asarray(mean), np.asarray(spread))

    @classmethod
    def of_values(cls, values: Sequence[float]) -> Moments:
        """Return the moments of numbers."""
        row = np.asarray(values, dtype=np.float64)
        products = [[float(row @ row)]]
        part = {"pairs": len(row), "sums": [float(row.sum())], "products": products}
        return cls.of_sums([part])

    def interval(self, column: int) -> Interval | None:
        """Return a mean with its interval, symmetric in the logarithm; None for a mean of 0."""
        mean = float(self.mean[column])
        if mean <= 0.0:
            return None
        spread = math.sqrt(max(float(self.covariance[column, column]), 0.0)) / mean
        factor = math.exp(min(_quantile(self.count) * spread, 700.0))
        return Interval(mean, mean / factor, mean * factor)


def _quantile(count: int) -> float:
    return float(stats.t.isf((1.0 - CONFIDENCE) / 2, max(count - 1, 1)))


@dataclass(frozen=True, slots=True)
class Slope:
    """An exponent, of ε² in ``K`` or of ε in ``N``; ``size`` is 0 for all N.

    ``pairs`` is how many pairs there are, at each N where there are several.
    """

    variable: str
    coupling: str
    size: int
    value: float
    low: float
    high: float
    pairs: int
    verdict: str


def slope_in_steps(coupling: str, size: int, windows: Sequence[int], moments: Moments) -> Slope:
    """Fit log ε² to log K by least squares over the last `LAST` windows of the same chains.

    Examples
    --------
    >>> steady = Moments(100, np.full(4, 2.0), 1e-6 * np.eye(4))
    >>> slope_in_steps("synchronous", 20, (1, 2, 4, 8), steady).verdict
    'flat'
    """
    mean = moments.mean[-LAST:]
    name = ("K", coupling, size)
    if len(mean) < 2 or np.any(mean <= 0.0):
        return Slope(*name, math.nan, -math.inf, math.inf, moments.count, UNDECIDED)
    weights = _least_squares(windows[-LAST:])
    value = float(weights @ np.log(mean))
    gradient = weights / mean
    variance = float(gradient @ moments.covariance[-LAST:, -LAST:] @ gradient)
    reach = _quantile(moments.count) * math.sqrt(max(variance, 0.0))
    low, high = value - reach, value + reach
    return Slope(*name, value, low, high, moments.count, judged_steps(low, high))


def slope_in_size(coupling: str, moments: Mapping[int, Moments]) -> Slope:
    """Fit log ε to log N by least squares, the last windows of independent chains at each N.

    Examples
    --------
    >>> known = {n: Moments(100, np.array([1.0 / n]), np.array([[1e-8]])) for n in (10, 40)}
    >>> round(slope_in_size("synchronous", known).value, 9)
    -0.5
    """
    means = np.array([one.mean[-1] for one in moments.values()])
    count = min((one.count for one in moments.values()), default=0)
    name = ("N", coupling, 0)
    if len(means) < 2 or np.any(means <= 0.0):
        return Slope(*name, math.nan, -math.inf, math.inf, count, UNDECIDED)
    weights = 0.5 * _least_squares(list(moments))
    value = float(weights @ np.log(means))
    variances = np.array([one.covariance[-1, -1] for one in moments.values()])
    reach = _quantile(count) * math.sqrt(float(np.sum((weights / means) ** 2 * variances)))
    low, high = value - reach, value + reach
    return Slope(*name, value, low, high, count, judged_size(low, high))


def judged_steps(low: float, high: float) -> str:
    """Say what an exponent of K is.

    Examples
    --------
    >>> judged_steps(-0.05, 0.05), judged_steps(0.2, 0.3), judged_steps(0.0, 0.2)
    ('flat', 'grows', 'undecided')
    """
    if low >= -FLAT and high <= FLAT:
        return IS_FLAT
    return GROWS if low > FLAT else UNDECIDED


def judged_size(low: float, high: float) -> str:
    """Say whether an exponent of N is −1/2 or steeper.

    Examples
    --------
    >>> judged_size(-0.6, -0.45), judged_size(-0.3, -0.1), judged_size(-0.5, -0.3)
    ('yes', 'no', 'undecided')
    """
    if high < ROOT:
        return YES
    return NO if low > ROOT else UNDECIDED


def ratio(first: Interval, second: Interval) -> Interval:
    """Return the quotient of independent numbers with intervals symmetric in the logarithm.

    Examples
    --------
    >>> print(ratio(Interval(4.0, 2.0, 8.0), Interval(2.0, 2.0, 2.0)))
    2 (1 … 4)
    """
    value = first.value / second.value
    reach = math.hypot(math.log(first.high / first.value), math.log(second.high / second.value))
    return Interval(value, value * math.exp(-reach), value * math.exp(reach))


def _least_squares(places: Sequence[int]) -> Array:
    """Return the weights of the slope against the logarithm."""
    across = np.log(np.asarray(places, dtype=np.float64))
    across -= across.mean()
    return np.asarray(across / (across @ across))


def sentence_of(slope: Slope) -> str:
    """Return a verdict in words.

    Examples
    --------
    >>> sentence_of(Slope("N", "synchronous", 0, -0.5, -0.6, -0.41, 9, YES)).split(", ")[2]
    '−1/2 or steeper within 0.1: yes (9 pairs each)'
    """
    told = f"{slope.value:.3f}: {slope.low:.3f} … {slope.high:.3f}"
    if slope.variable == "N":
        what = f"all N: ε ∝ N^({told}), −1/2 or steeper within 0.1: {slope.verdict}"
        return f"{slope.coupling}, {what} ({slope.pairs} pairs each)"
    what = f"N = {slope.size}: ε² ∝ K^({told}) over the last factor of 8: {slope.verdict}"
    return f"{slope.coupling}, {what} ({slope.pairs} pairs)"
