"""Compiled ridge systems of many models, one thread per model, without BLAS.

Gram matrices and Cholesky's factor are both sums of products of eight rows at a time. Nothing is
shared by two threads, so that the bits depend on neither their number nor the batch.

The matrices are scaled to a unit diagonal first: features and draws of very different size, as
λ = μ²/σ² makes them, then cost no digits. The smallest pivot is returned as a sign of redundancy:
a pivot is what a feature keeps, of one, beside those before it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.vector_exp import fused

Array = NDArray[np.float64]

_EIGHT = 8


@njit(cache=True)
def _add_products(matrix: Array, rows: Array, sign: float, begin: int) -> None:
    """Add sign Σ_q rows[q, i] rows[q, j] to the upper half from ``begin`` on; rows are (8, n)."""
    n = len(matrix)
    for i in range(begin, n):
        r0, r1, r2, r3 = rows[0, i], rows[1, i], rows[2, i], rows[3, i]
        r4, r5, r6, r7 = rows[4, i], rows[5, i], rows[6, i], rows[7, i]
        for j in range(i, n):
            near = fused(r1, rows[1, j], r0 * rows[0, j])
            near = fused(r3, rows[3, j], fused(r2, rows[2, j], near))
            far = fused(r5, rows[5, j], r4 * rows[4, j])
            far = fused(r7, rows[7, j], fused(r6, rows[6, j], far))
            matrix[i, j] = fused(sign, near + far, matrix[i, j])


@njit(cache=True, error_model="numpy")
def _factor(matrix: Array, rows: Array) -> float:
    """Overwrite the upper half by U with UᵀU = matrix; return the least pivot, <= 0 on failure."""
    n, least = len(matrix), np.inf
    for k in range(0, n, _EIGHT):
        last = min(k + _EIGHT, n)
        for i in range(k, last):
            for before in range(k, i):
                c = matrix[before, i]
                for j in range(i, n):
                    matrix[i, j] = fused(-c, matrix[before, j], matrix[i, j])
            pivot = matrix[i, i]
            least = min(least, pivot)
            if not pivot > 0.0:
                return 0.0
            scale = 1.0 / math.sqrt(pivot)
            for j in range(i, n):
                matrix[i, j] *= scale
        if last < n:
            for q in range(_EIGHT):
                for j in range(last, n):
                    rows[q, j] = matrix[k + q, j]
            _add_products(matrix, rows, -1.0, last)
    return least


@njit(cache=True, error_model="numpy")
def _solve(factor: Array, right: Array) -> None:
    """Overwrite right (d, n) by the solutions of UᵀU x = right."""
    n = len(factor)
    for e in range(len(right)):
        for i in range(n):
            right[e, i] /= factor[i, i]
            c = right[e, i]
            for j in range(i + 1, n):
                right[e, j] = fused(-c, factor[i, j], right[e, j])
        for i in range(n - 1, -1, -1):
            total = right[e, i]
            for j in range(i + 1, n):
                total = fused(-factor[i, j], right[e, j], total)
            right[e, i] = total / factor[i, i]


@njit(cache=True, error_model="numpy")
def _solve_scaled(matrix: Array, ridge: float, right: Array, rows: Array) -> float:
    """Solve (matrix + ridge I) x = right through a unit diagonal; return the least pivot."""
    n = len(matrix)
    scale = np.empty(n)
    for i in range(n):
        matrix[i, i] += ridge
        if not matrix[i, i] > 0.0:
            return 0.0
        scale[i] = 1.0 / math.sqrt(matrix[i, i])
    for i in range(n):
        for j in range(i, n):
            matrix[i, j] *= scale[i] * scale[j]
        for e in range(len(right)):
            right[e, i] *= scale[i]
    least = _factor(matrix, rows)
    if least > 0.0:
        _solve(matrix, right)
        for e in range(len(right)):
            for i in range(n):
                right[e, i] *= scale[i]
    return least


@njit(cache=True)
def _gram(values: Array) -> Array:
    """Return the upper half of values valuesᵀ, values being (P, K)."""
    size, count = values.shape
    matrix, rows = np.zeros((size, size)), np.zeros((_EIGHT, size))
    for k in range(0, count, _EIGHT):
        for q in range(_EIGHT):
            for p in range(size):
                rows[q, p] = values[p, k + q] if k + q < count else 0.0
        _add_products(matrix, rows, 1.0, 0)
    return matrix


@njit(cache=True, parallel=True)
def primal_weights(
    space: Array, time: Array, wanted: Array, weighing: Array, ridge: float, out: Array
) -> Array:
    """Write W (n, d, F) by the F × F systems; return the least pivot of each model.

    ``space`` is (n, P, F_space), ``time`` (n, P, K), ``wanted`` (n, P, d), ``weighing`` (n, P).
    """
    models, size, outer = space.shape
    inner, dimension = time.shape[2], wanted.shape[2]
    count = outer * inner
    least = np.empty(models)
    for index in prange(models):
        m = int(np.int64(index))  # prange counts in uint64
        matrix, rows = np.zeros((count, count)), np.zeros((_EIGHT, count))
        right = np.zeros((dimension, count))
        for begin in range(0, size, _EIGHT):
            rows[:] = 0.0
            for p in range(begin, min(begin + _EIGHT, size)):
                root = math.sqrt(weighing[m, p] / size)
                for a in range(outer):
                    for c in range(inner):
                        rows[p - begin, a * inner + c] = root * space[m, p, a] * time[m, p, c]
                for e in range(dimension):
                    scaled = root * wanted[m, p, e]
                    for j in range(count):
                        right[e, j] = fused(scaled, rows[p - begin, j], right[e, j])
            _add_products(matrix, rows, 1.0, 0)
        least[m] = _solve_scaled(matrix, ridge, right, rows)
        out[m] = right
    return least


@njit(cache=True, parallel=True)
def dual_weights(
    space: Array, time: Array, wanted: Array, weighing: Array, ridge: float, out: Array
) -> Array:
    """Write W (n, d, F) by the P × P systems; arguments and result as in ``primal_weights``."""
    models, size, outer = space.shape
    inner, dimension = time.shape[2], wanted.shape[2]
    least = np.empty(models)
    for index in prange(models):
        m = int(np.int64(index))  # prange counts in uint64
        matrix, other = _gram(space[m]), _gram(time[m])
        root, right = np.sqrt(weighing[m]), np.empty((dimension, size))
        for p in range(size):
            for q in range(p, size):
                matrix[p, q] *= other[p, q] * root[p] * root[q]
            for e in range(dimension):
                right[e, p] = root[p] * wanted[m, p, e]
        rows = np.zeros((_EIGHT, size))
        least[m] = _solve_scaled(matrix, size * ridge, right, rows)
        out[m] = 0.0
        for p in range(size):
            for e in range(dimension):
                scaled = right[e, p] * root[p]
                for a in range(outer):
                    part = scaled * space[m, p, a]
                    for c in range(inner):
                        j = a * inner + c
                        out[m, e, j] = fused(part, time[m, p, c], out[m, e, j])
    return least
