"""Rows for replace-one stability: the definition in plain numba, and with weights shared."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Row, Target
from benchmarks.exact import stability_error

Array = NDArray[np.float64]

_MU, _SIGMA = 0.9, 0.3


def _ours(data: Array, new: Array, queries: Array) -> Callable[[], Array]:
    from numerics import score_stability

    return lambda: score_stability(data, new, queries, mu=_MU, sigma=_SIGMA)


def _naive(data: Array, new: Array, queries: Array, *, reuse: bool) -> Callable[[], Array]:
    """The definition: for each point and query, both posterior means summed over all points.

    ``reuse`` sums both in one pass that computes each common weight once.
    """
    from numba import njit, prange

    @njit
    def mean(query, points, skip, other, out):  # type: ignore[no-untyped-def]
        least = np.inf
        for j in range(len(points)):
            square = 0.0
            for k in range(query.size):
                y = other[k] if j == skip else points[j, k]
                square += (query[k] - _MU * y) ** 2
            least = min(least, square)
        total = 0.0
        out[:] = 0.0
        for j in range(len(points)):
            square = 0.0
            for k in range(query.size):
                y = other[k] if j == skip else points[j, k]
                square += (query[k] - _MU * y) ** 2
            weight = math.exp((least - square) * (0.5 / _SIGMA**2))
            total += weight
            for k in range(query.size):
                out[k] += weight * (other[k] if j == skip else points[j, k])
        out /= total

    @njit
    def both(query, points, i, other, first, second):  # type: ignore[no-untyped-def]
        first[:] = 0.0
        total = 0.0
        least = np.inf
        for j in range(len(points)):
            square = 0.0
            for k in range(query.size):
                square += (query[k] - _MU * points[j, k]) ** 2
            if j != i:
                least = min(least, square)
        for j in range(len(points)):
            if j == i:
                continue
            square = 0.0
            for k in range(query.size):
                square += (query[k] - _MU * points[j, k]) ** 2
            weight = math.exp((least - square) * (0.5 / _SIGMA**2))
            total += weight
            for k in range(query.size):
                first[k] += weight * points[j, k]
        old = 0.0
        fresh = 0.0
        for k in range(query.size):
            old += (query[k] - _MU * points[i, k]) ** 2
            fresh += (query[k] - _MU * other[k]) ** 2
        old = math.exp((least - old) * (0.5 / _SIGMA**2))
        fresh = math.exp((least - fresh) * (0.5 / _SIGMA**2))
        for k in range(query.size):
            second[k] = (first[k] + fresh * other[k]) / (total + fresh)
            first[k] = (first[k] + old * points[i, k]) / (total + old)

    @njit(parallel=True)
    def stability(data, new, queries, shared):  # type: ignore[no-untyped-def]
        result = np.zeros(len(data))
        for i in prange(len(data)):
            first = np.empty(data.shape[1])
            second = np.empty(data.shape[1])
            probes = queries[0] if shared else queries[i]
            other = new[0] if shared else new[i]
            for m in range(len(probes)):
                if reuse:
                    both(probes[m], data, i, other, first, second)
                else:
                    mean(probes[m], data, -1, other, first)
                    mean(probes[m], data, i, other, second)
                for k in range(first.size):
                    result[i] += (first[k] - second[k]) ** 2
        return result * ((_MU / _SIGMA**2) ** 2 / queries.shape[1])

    shared = new.ndim == 1
    arguments = (new[None], queries[None]) if shared else (new, queries)
    return lambda: np.asarray(stability(data, *arguments, shared))


def _contest(data: Array, new: Array, queries: Array) -> Contest:
    arguments = (data, new, queries)
    return Contest(
        (
            Contestant("ours", None, lambda: _ours(*arguments), calls=5),
            Contestant("naive numba", "numba", lambda: _naive(*arguments, reuse=False)),
            Contestant("naive numba, one pass", "numba", lambda: _naive(*arguments, reuse=True)),
        ),
        stability_error(data, new, queries[:, :] if new.ndim == 1 else queries, _MU, _SIGMA),
    )


def _shared(quick: bool) -> Contest:
    rng = np.random.default_rng(20240502)
    number, many = (100, 20) if quick else (1000, 200)
    data, new = rng.standard_normal((number, 2)), rng.standard_normal(2)
    return _contest(data, new, _MU * new + _SIGMA * rng.standard_normal((many, 2)))


def _own(quick: bool) -> Contest:
    rng = np.random.default_rng(20240503)
    number, many = (100, 5) if quick else (1000, 50)
    data, new = rng.standard_normal((number, 2)), rng.standard_normal((number, 2))
    noise = rng.standard_normal((number, many, 2))
    return _contest(data, new, _MU * new[:, None] + _SIGMA * noise)


ROWS = (
    Row(
        "stability-shared",
        "replace-one stability, N=1,000, M=200 shared queries, d=2",
        Target("≥ 50×", 50.0),
        _shared,
    ),
    Row(
        "stability-own",
        "replace-one stability, N=1,000, 50 own queries each, d=2",
        Target("≥ 1.8×", 1.8),
        _own,
    ),
)
