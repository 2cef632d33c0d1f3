"""Answers in extended precision (64-bit mantissas where the machine has them), a few rows each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Long = NDArray[np.longdouble]


def _exponents(query: Array, data: Array, mu: float, sigma: float) -> Long:
    wide = np.longdouble
    residual = wide(mu) * data.astype(wide) - query.astype(wide)
    return np.asarray(np.sum(residual**2, axis=1) / (2 * wide(sigma) ** 2))


def exact_score(query: Array, data: Array, mu: float, sigma: float) -> Long:
    """Return the empirical score (d,) at one query."""
    wide = np.longdouble
    exponents = _exponents(query, data, mu, sigma)
    weights = np.exp(exponents.min() - exponents)
    kept = weights > 0
    residual = wide(mu) * data[kept].astype(wide) - query.astype(wide)
    return np.asarray(weights[kept] @ residual / weights.sum() / wide(sigma) ** 2)


def exact_log_density(query: Array, data: Array, mu: float, sigma: float) -> np.longdouble:
    """Return the log density at one query."""
    wide = np.longdouble
    exponents = _exponents(query, data, mu, sigma)
    least = exponents.min()
    two_pi = 8 * np.arctan(wide(1))
    constant = data.shape[1] * np.log(two_pi * wide(sigma) ** 2) / 2 + np.log(wide(len(data)))
    return np.longdouble(np.log(np.exp(least - exponents).sum()) - least - constant)


def score_error(
    queries: Array, data: Array, mu: float, sigma: float, rows: int = 5
) -> Callable[[Any], float]:
    """Return a function from scores (M, d) to their worst relative error on the first rows."""
    truth = np.array([exact_score(q, data, mu, sigma) for q in queries[:rows]])

    def error(scores: Any) -> float:
        gap = np.linalg.norm((np.asarray(scores)[:rows] - truth).astype(np.float64), axis=1)
        return float(np.max(gap / np.linalg.norm(truth.astype(np.float64), axis=1)))

    return error


def log_density_error(
    queries: Array, data: Array, mu: float, sigma: float, rows: int = 5
) -> Callable[[Any], float]:
    """As ``score_error`` for log densities (M,)."""
    truth = np.array([exact_log_density(q, data, mu, sigma) for q in queries[:rows]])

    def error(values: Any) -> float:
        return float(np.max(np.abs((np.asarray(values)[:rows] - truth) / truth)))

    return error


def stability_error(
    data: Array, new: Array, queries: Array, mu: float, sigma: float, rows: int = 3
) -> Callable[[Any], float]:
    """As ``score_error`` for replace-one stability (N,), shared or own queries."""
    truth = []
    for i in range(rows):
        replaced = data.copy()
        replaced[i] = new if new.ndim == 1 else new[i]
        probes = queries if new.ndim == 1 else queries[i]
        changes = [
            exact_score(q, data, mu, sigma) - exact_score(q, replaced, mu, sigma) for q in probes
        ]
        truth.append(np.mean(np.sum(np.square(changes), axis=1)))
    wanted = np.array(truth)

    def error(values: Any) -> float:
        return float(np.max(np.abs((np.asarray(values)[:rows] - wanted) / wanted)))

    return error
