"""Replace-one score stability by the definition: the slow, plain reference of ``stability``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.stability import checked_arguments

FloatArray = NDArray[np.float64]


def _posterior_mean(query: FloatArray, points: FloatArray, mu: float, sigma: float) -> FloatArray:
    """Softmax-weighted mean of ``points`` (N, d) at one query (d,)."""
    exponents = -0.5 * np.sum(((query - mu * points) / sigma) ** 2, axis=1)
    weights = np.exp(exponents - exponents.max())
    mean: FloatArray = weights @ points / weights.sum()
    return mean


def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: bool = False,
) -> FloatArray:
    """Mean squared change of the empirical score, every score recomputed from all the points.

    Parameters
    ----------
    data : array_like, shape (N, d)
    replacement : array_like, shape (d,) or (N, d)
    queries : array_like, shape (M, d) or (N, M, d)
    mu, sigma : float
        As in ``numerics.stability.score_stability``, in the units of the data.
    return_radius : bool
        Must be False: this page makes no claim about its own rounding.

    Returns
    -------
    ndarray, shape (N,)
        Entry i is the mean over queries of ``|s(q) - s^i(q)|^2``, at cost O(N^2 M d).

    Raises
    ------
    ValueError
        As in ``numerics.stability.score_stability``, and when a radius is asked for.

    References
    ----------
    farghly2026, arXiv 2507.03756, definition of score stability.

    Examples
    --------
    >>> score_stability([[-1.0], [1.0]], [1.0], [[0.0]], mu=1.0, sigma=1.0).tolist()
    [1.0, 0.0]
    """
    if return_radius:
        raise ValueError(
            "return_radius = True: the reference has no roundoff bound; "
            "use numerics.stability.score_stability"
        )
    points, new, probes, mu, sigma = checked_arguments(data, replacement, queries, mu, sigma)
    result = np.empty(len(points))
    for i in range(len(points)):
        replaced = points.copy()
        replaced[i] = new if new.ndim == 1 else new[i]
        total = 0.0
        for query in probes if new.ndim == 1 else probes[i]:
            score = (mu * _posterior_mean(query, points, mu, sigma) - query) / sigma**2
            moved = (mu * _posterior_mean(query, replaced, mu, sigma) - query) / sigma**2
            total += float(np.sum((score - moved) ** 2))
        result[i] = total / probes.shape[-2]
    return result
