"""The Wasserstein distance between two samples on the line, from their quantiles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def optimal_distance_1d(first: ArrayLike, second: ArrayLike) -> float:
    """Return W_2 between the empirical measures of two samples of numbers.

    On the line the coupling by quantiles is optimal: sorted samples of equal size are matched in
    order. Of samples of two laws it overestimates, by the samples' own distances to their laws.

    Parameters
    ----------
    first, second : array_like
        Finite numbers, flattened; the sizes n and m may differ, with n m below 2**62.

    Raises
    ------
    ValueError
        One line, for an empty sample or one with an entry that is not finite.

    Examples
    --------
    >>> optimal_distance_1d([0.0, 3.0], [4.0, 1.0])
    1.0
    >>> optimal_distance_1d([0.0], [1.0, -1.0, 1.0])
    1.0
    """
    a, b = (np.sort(np.asarray(sample, dtype=np.float64).ravel()) for sample in (first, second))
    for name, sample in (("first", a), ("second", b)):
        if len(sample) == 0 or not np.all(np.isfinite(sample)):
            raise ValueError(f"{name} is empty or not finite: finite numbers are needed; pass some")
    n, m = len(a), len(b)
    # Both quantile functions are constant between these multiples of 1 / (n m).
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    widths = np.diff(ends, prepend=0)
    gaps = a[(ends - 1) // m] - b[(ends - 1) // n]
    return math.sqrt(float(widths @ gaps**2) / (n * m))
