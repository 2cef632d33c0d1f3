"""One pass over packed points: weighted sums with the weights of a Gaussian posterior.

For a query ``x`` the exponent of point ``y`` is ``E = |mu y - x|^2 / (2 sigma^2) + offset`` and
its unnormalised weight ``m exp(-(E - smallest))``.  The running smallest exponent and the sums are
merged block by block, so memory is O(M d) whatever the number of points.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.packed_points import BOX_DIMENSION, LANES
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]

UNIT = 2.0**-53

#: Queries that share one sweep over the blocks, and the unit of work of a thread.
QUERIES_TOGETHER = 16

#: Coordinates summed before their partial sum is added to the running exponent.
_GROUP = 64

#: Coordinates that choose the first block to visit in high dimension.
_LEADING = 8

# Query-point-coordinate triples below which a pass stays on one thread (two milliseconds).
_SMALL = 2_000_000


def exponent_error(dimension: int) -> float:
    """Bound the relative error of a float64 exponent.

    Each squared residual carries 2 roundings (its fma, squared), the summation tree at most
    ``depth`` (runs of 8 coordinates, at most 8 runs and 7 single coordinates in a group of 64,
    then the groups), the factor ``1 / (2 sigma^2)`` two with its product, the offset two and the
    last addition one.  All terms are non-negative, so the errors are relative to the whole.
    """
    runs = min(dimension // 8, 8)
    depth = (8 if runs else 0) + runs + dimension % 8 + -(-dimension // _GROUP)
    return (depth + 8) * UNIT * (1.0 + 1e-10)


# No NaN can occur (inputs are validated, nothing overflows), and a minimum has no rounding.
@njit(cache=True, fastmath={"nnan", "nsz"})
def block_minimum(values: Array) -> float:
    """Return the smallest of 64 numbers."""
    smallest = values[0]
    for j in range(LANES):
        smallest = values[j] if values[j] < smallest else smallest
    return float(smallest)


@njit(cache=True, fastmath={"nnan", "nsz"})
def _smallest_sum(left: Array, right: Array) -> float:
    """Return the smallest of 64 sums."""
    smallest = left[0] + right[0]
    for j in range(LANES):
        total = left[j] + right[j]
        smallest = total if total < smallest else smallest
    return float(smallest)


@njit(cache=True)
def block_exponents(
    blocks: Array,
    b: int,
    dimension: int,
    queries: Array,
    q: int,
    mu: float,
    scale: float,
    offset: Array,
    limit: float,
    partial: Array,
    out: Array,
) -> bool:
    """Write the exponents of block ``b`` for query ``q`` into ``out`` (64,).

    Only the first ``dimension`` coordinates count.  Return False, leaving ``out`` unfinished,
    once all exponents are known to exceed ``limit``: the sums over the first coordinates only
    grow, and offsets are not negative.
    """
    for j in range(LANES):
        out[j] = 0.0
    for group in range(0, dimension, _GROUP):
        stop = min(group + _GROUP, dimension)
        for j in range(LANES):
            partial[j] = 0.0
        k = group
        while k + 8 <= stop:
            for j in range(LANES):
                t = fused(mu, blocks[b, k, j], -queries[q, k])
                s = t * t
                t = fused(mu, blocks[b, k + 1, j], -queries[q, k + 1])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 2, j], -queries[q, k + 2])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 3, j], -queries[q, k + 3])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 4, j], -queries[q, k + 4])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 5, j], -queries[q, k + 5])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 6, j], -queries[q, k + 6])
                s = fused(t, t, s)
                t = fused(mu, blocks[b, k + 7, j], -queries[q, k + 7])
                partial[j] += fused(t, t, s)
            k += 8
            # Look at 16, 32, 64, ... coordinates: often enough, and cheap.
            if (
                k >= 16
                and k & (k - 1) == 0
                and k < dimension
                and scale * _smallest_sum(out, partial) > limit
            ):
                return False
        while k < stop:
            for j in range(LANES):
                t = fused(mu, blocks[b, k, j], -queries[q, k])
                partial[j] = fused(t, t, partial[j])
            k += 1
        for j in range(LANES):
            out[j] += partial[j]
    for j in range(LANES):
        out[j] = fused(out[j], scale, offset[b, j])
    return True


# The sums may be taken in any order: the bound used for them is gamma_64, valid for every order.
@njit(cache=True, fastmath={"reassoc"})
def block_weights(
    exponents: Array, smallest: float, mantissa: Array, offset: Array, b: int, weights: Array
) -> tuple[float, float, float]:
    """Write weights; return their sum and the sums of weight * (E - smallest), weight * offset."""
    total = 0.0
    excess = 0.0
    shift = 0.0
    for j in range(LANES):
        z = max(exponents[j] - smallest, 0.0)
        w = mantissa[b, j] * decay(z)
        weights[j] = w
        total += w
        excess += w * z
        shift += w * offset[b, j]
    return total, excess, shift


@njit(cache=True, fastmath={"reassoc"})
def weighted_sum(
    blocks: Array, b: int, k: int, factor: float, origin: float, weights: Array
) -> float:
    """Return the sum of weight * (factor * y_k - origin) over the 64 points of block ``b``."""
    total = 0.0
    for j in range(LANES):
        total += weights[j] * fused(factor, blocks[b, k, j], -origin)
    return total


@njit(cache=True, fastmath={"reassoc"})
def weighted_product(
    blocks: Array, b: int, k: int, i: int, origins: Array, q: int, weights: Array
) -> float:
    """Return the sum of weight * (y_k - origin_k) * (y_i - origin_i) over block ``b``."""
    total = 0.0
    for j in range(LANES):
        total += weights[j] * (blocks[b, k, j] - origins[q, k]) * (blocks[b, i, j] - origins[q, i])
    return total


@njit(cache=True)
def add_to(high: float, low: float, term: float) -> tuple[float, float]:
    """Add ``term`` to the unevaluated sum ``high + low`` (Knuth's two-sum, compensated)."""
    total = high + term
    back = total - high
    return total, low + ((high - (total - back)) + (term - back))


@njit(cache=True)
def box_exponent(
    box_low: Array,
    box_high: Array,
    b: int,
    queries: Array,
    q: int,
    mu: float,
    scale: float,
    box_offset: Array,
) -> float:
    """Return the smallest exponent a point of box ``b`` can have, before rounding."""
    square = 0.0
    for k in range(queries.shape[1]):
        x = queries[q, k]
        gap = max(fused(mu, box_low[b, k], -x), fused(-mu, box_high[b, k], x), 0.0)
        square = fused(gap, gap, square)
    return fused(square, scale, box_offset[b])


@njit(cache=True)
def _first_exponent(
    queries: Array,
    q: int,
    blocks: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: float,
    partial: Array,
    exponents: Array,
) -> float:
    """Return the smallest exponent in the most promising block.

    Boxes promise by their distance, blocks of high dimension by their first coordinates.
    """
    nearest = 0
    best = np.inf
    dimension = blocks.shape[1]
    for b in range(blocks.shape[0]):
        if dimension <= BOX_DIMENSION:
            bound = box_exponent(box_low, box_high, b, queries, q, mu, scale, box_offset)
        else:
            block_exponents(
                blocks, b, _LEADING, queries, q, mu, scale, offset, np.inf, partial, exponents
            )
            bound = block_minimum(exponents)
        if bound < best:
            best = bound
            nearest = b
    block_exponents(
        blocks, nearest, dimension, queries, q, mu, scale, offset, np.inf, partial, exponents
    )
    return block_minimum(exponents)


@njit(cache=True)
def _accumulate_chunk(
    first: int,
    last: int,
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: float,
    cut: float,
    factor: float,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
) -> None:
    partial = np.empty(LANES)
    exponents = np.empty(LANES)
    weights = np.empty(LANES)
    dimension = queries.shape[1]
    many = last - first
    low_total = np.zeros(many)
    low_sums = np.zeros((many, sums.shape[1]))
    low_squares = np.zeros((many, squares.shape[1]))
    boxed = dimension <= BOX_DIMENSION
    for q in range(first, last):
        state[q, 0] = np.inf
        if boxed or dimension >= 2 * _LEADING:
            state[q, 0] = _first_exponent(
                queries, q, blocks, offset, box_low, box_high, box_offset, mu, scale,
                partial, exponents,
            )  # fmt: skip
    for b in range(blocks.shape[0]):
        for q in range(first, last):
            if boxed:
                bound = box_exponent(box_low, box_high, b, queries, q, mu, scale, box_offset)
                if bound > state[q, 0] + cut:
                    continue
            limit = state[q, 0] + cut
            if not block_exponents(
                blocks, b, dimension, queries, q, mu, scale, offset, limit, partial, exponents
            ):
                continue
            smallest = block_minimum(exponents)
            if smallest > state[q, 0] + cut:
                continue
            row = q - first
            if smallest < state[q, 0]:
                if state[q, 1] > 0.0:
                    gap = state[q, 0] - smallest
                    shrink = decay(gap)
                    state[q, 2] = shrink * (state[q, 2] + state[q, 1] * gap)
                    state[q, 1] *= shrink
                    state[q, 3] *= shrink
                    state[q, 4] += 1.0
                    low_total[row] *= shrink
                    for k in range(sums.shape[1]):
                        sums[q, k] *= shrink
                        low_sums[row, k] *= shrink
                    for k in range(squares.shape[1]):
                        squares[q, k] *= shrink
                        low_squares[row, k] *= shrink
                state[q, 0] = smallest
            total, excess, shift = block_weights(
                exponents, state[q, 0], mantissa, offset, b, weights
            )
            state[q, 1], low_total[row] = add_to(state[q, 1], low_total[row], total)
            state[q, 2] += excess
            state[q, 3] += shift
            if order >= 1:
                for k in range(dimension):
                    term = weighted_sum(blocks, b, k, factor, origins[q, k], weights)
                    sums[q, k], low_sums[row, k] = add_to(sums[q, k], low_sums[row, k], term)
            if order == 2:
                for k in range(dimension):
                    term = weighted_product(blocks, b, k, k, origins, q, weights)
                    squares[q, 0], low_squares[row, 0] = add_to(
                        squares[q, 0], low_squares[row, 0], term
                    )
            if order == 3:
                for k in range(dimension):
                    for i in range(k + 1):
                        cell = k * dimension + i
                        term = weighted_product(blocks, b, k, i, origins, q, weights)
                        squares[q, cell], low_squares[row, cell] = add_to(
                            squares[q, cell], low_squares[row, cell], term
                        )
    for q in range(first, last):
        state[q, 1] += low_total[q - first]
        for k in range(sums.shape[1]):
            sums[q, k] += low_sums[q - first, k]
        for k in range(squares.shape[1]):
            squares[q, k] += low_squares[q - first, k]


@njit(cache=True, parallel=True)
def _accumulate_parallel(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: float,
    cut: float,
    factor: float,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
) -> None:
    """``accumulate`` with threads."""
    chunks = (queries.shape[0] + QUERIES_TOGETHER - 1) // QUERIES_TOGETHER
    for chunk in prange(chunks):
        first = chunk * QUERIES_TOGETHER
        last = min(first + QUERIES_TOGETHER, queries.shape[0])
        _accumulate_chunk(
            first, last, queries, blocks, mantissa, offset, box_low, box_high, box_offset,
            mu, scale, cut, factor, origins, order, state, sums, squares,
        )  # fmt: skip


@njit(cache=True)
def _accumulate_serial(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: float,
    cut: float,
    factor: float,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
) -> None:
    """``accumulate`` without threads, the same bits."""
    chunks = (queries.shape[0] + QUERIES_TOGETHER - 1) // QUERIES_TOGETHER
    for chunk in range(chunks):
        first = chunk * QUERIES_TOGETHER
        last = min(first + QUERIES_TOGETHER, queries.shape[0])
        _accumulate_chunk(
            first, last, queries, blocks, mantissa, offset, box_low, box_high, box_offset,
            mu, scale, cut, factor, origins, order, state, sums, squares,
        )  # fmt: skip


def accumulate(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: float,
    cut: float,
    factor: float,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
) -> None:
    """Accumulate the sums of every query; threads take fixed chunks, so bits do not change.

    ``state`` (M, 5), zero on entry, receives the smallest exponent, the sum of the weights, the
    sums of weight * (E - smallest) and weight * offset, and the number of rescalings.  ``order``
    0 stops there; from 1 on ``sums`` (M, d) receives the sum of weight * (factor * y - origin);
    with 2 (``factor`` = 1) ``squares`` (M, 1) the sum of weight * |y - origin|^2; with 3
    ``squares`` (M, d * d) the lower triangle of the sum of weight * (y - origin)(y - origin)^T.
    """
    threads = worth_threads(queries.shape[0], blocks.shape[0], blocks.shape[1])
    kernel = _accumulate_parallel if threads else _accumulate_serial
    kernel(
        queries, blocks, mantissa, offset, box_low, box_high, box_offset, mu, scale, cut, factor,
        origins, order, state, sums, squares,
    )  # fmt: skip


def worth_threads(queries: int, blocks: int, dimension: int) -> bool:
    """Tell whether a pass is worth waking threads: that costs more than a small job.

    Examples
    --------
    >>> worth_threads(50, 1, 2), worth_threads(1000, 16, 2)
    (False, True)
    """
    return queries * blocks * LANES * dimension > _SMALL


def exponent_cut(count: int) -> float:
    """Return how far above the smallest exponent a point may be dropped.

    The ``count`` dropped points then carry less than ``exp(-42) = 6e-19`` of the largest weight.
    """
    return 42.0 + math.log(count)
