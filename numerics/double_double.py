"""The same sums with exponents in double-double arithmetic, for the queries that need them.

A double-double is an unevaluated sum ``high + low`` with ``|low| <= u |high|``, about 32 digits.
Only points that the float64 exponent cannot rule out are evaluated this way.
Error-free transformations need strict float64: nothing here may be compiled with fastmath.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.packed_points import LANES
from numerics.streaming_sums import (
    add_to,
    block_exponents,
    block_minimum,
    box_exponent,
    worth_threads,
)
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]


def double_exponent_error(dimension: int) -> float:
    """Bound the relative error of a double-double exponent.

    With u^2 = 2**-106: residual 4 u^2 (8 squared), square 5 u^2, each addition of non-negative
    terms 3 u^2, the factor 1/(2 sigma^2) 4 u^2 and its product 5 u^2, the offset 10 u^2.
    """
    return (3 * dimension + 40) * 2.0**-106


@njit(cache=True)
def two_sum(a: float, b: float) -> tuple[float, float]:
    """Return the rounded sum and its exact error."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


@njit(cache=True)
def add(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Add two double-doubles; error at most 3 u^2 (|a| + |b|)."""
    high, low = two_sum(ah, bh)
    return two_sum(high, low + (al + bl))


@njit(cache=True)
def multiply(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Multiply two double-doubles; relative error at most 5 u^2."""
    high = ah * bh
    low = fused(ah, bh, -high) + fused(ah, bl, al * bh)
    return two_sum(high, low)


@njit(cache=True)
def point_exponent(
    block: Array,
    lane: int,
    query: Array,
    mu: float,
    scale: tuple[float, float],
    offset: float,
    offset_low: float,
) -> tuple[float, float]:
    """Return the exponent of one point of a block (d, 64) for one query."""
    high = 0.0
    low = 0.0
    for k in range(query.size):
        product = mu * block[k, lane]
        product_low = fused(mu, block[k, lane], -product)
        th, tl = two_sum(product, -query[k])
        th, tl = two_sum(th, tl + product_low)
        sh, sl = multiply(th, tl, th, tl)
        high, low = add(high, low, sh, sl)
    high, low = multiply(high, low, scale[0], scale[1])
    return add(high, low, offset, offset_low)


@njit(cache=True)
def _nearest_one(
    queries: Array,
    q: int,
    blocks: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limit: float,
    nearest: Array,
    point: Array,
) -> None:
    partial = np.empty(LANES)
    exponents = np.empty(LANES)
    best, best_low = np.inf, 0.0
    query = queries[q]
    dimension = query.size
    for b in range(blocks.shape[0]):
        bound = box_exponent(box_low, box_high, b, queries, q, mu, scale[0], box_offset)
        if bound > limit:
            continue
        if not block_exponents(
            blocks, b, dimension, queries, q, mu, scale[0], offset, limit, partial, exponents
        ):
            continue
        if block_minimum(exponents) > limit:
            continue
        for j in range(LANES):
            if exponents[j] <= limit:
                high, low = point_exponent(
                    blocks[b], j, query, mu, scale, offset[b, j], offset_low[b, j]
                )
                if high < best or (high == best and low < best_low):
                    best, best_low = high, low
                    for k in range(query.size):
                        point[k] = blocks[b, k, j]
    nearest[0] = best
    nearest[1] = best_low


@njit(cache=True, parallel=True)
def _nearest_points_parallel(
    queries: Array,
    blocks: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    points: Array,
) -> None:
    """``nearest_points`` with threads."""
    for q in prange(queries.shape[0]):
        _nearest_one(
            queries, q, blocks, offset, offset_low, box_low, box_high, box_offset, mu, scale,
            limits[q], nearest[q], points[q],
        )  # fmt: skip


@njit(cache=True)
def _nearest_points_serial(
    queries: Array,
    blocks: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    points: Array,
) -> None:
    """``nearest_points`` without threads, the same bits."""
    for q in range(queries.shape[0]):
        _nearest_one(
            queries, q, blocks, offset, offset_low, box_low, box_high, box_offset, mu, scale,
            limits[q], nearest[q], points[q],
        )  # fmt: skip


def nearest_points(
    queries: Array,
    blocks: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    points: Array,
) -> None:
    """Find the smallest exponent (M, 2) and its point (M, d) of every query.

    ``limits`` (M,) are the float64 exponents above which a point cannot matter.
    """
    threads = worth_threads(queries.shape[0], blocks.shape[0], blocks.shape[1])
    kernel = _nearest_points_parallel if threads else _nearest_points_serial
    kernel(
        queries, blocks, offset, offset_low, box_low, box_high, box_offset, mu, scale, limits,
        nearest, points,
    )  # fmt: skip


@njit(cache=True)
def _accumulate_one(
    queries: Array,
    q: int,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limit: float,
    smallest: Array,
    cut: float,
    origin: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
    hull_low: Array,
    hull_high: Array,
) -> None:
    partial = np.empty(LANES)
    exponents = np.empty(LANES)
    query = queries[q]
    dimension = query.size
    difference = np.empty(dimension)
    low_sums = np.zeros(dimension)
    low_squares = np.zeros(squares.size)
    low_total = 0.0
    low_spread = 0.0
    for b in range(blocks.shape[0]):
        bound = box_exponent(box_low, box_high, b, queries, q, mu, scale[0], box_offset)
        if bound > limit:
            continue
        if not block_exponents(
            blocks, b, dimension, queries, q, mu, scale[0], offset, limit, partial, exponents
        ):
            continue
        if block_minimum(exponents) > limit:
            continue
        for j in range(LANES):
            if exponents[j] > limit:
                continue
            high, low = point_exponent(
                blocks[b], j, query, mu, scale, offset[b, j], offset_low[b, j]
            )
            z, z_low = add(high, low, -smallest[0], -smallest[1])
            if z > cut:
                continue
            # exp(-(z + z_low)); z_low is below u z, so its square is far below roundoff.
            w = decay(max(z, 0.0))
            w = mantissa[b, j] * (w - w * z_low)
            state[0], low_total = add_to(state[0], low_total, w)
            square = 0.0
            for k in range(dimension):
                v = blocks[b, k, j] - origin[k]
                difference[k] = v
                hull_low[k] = min(hull_low[k], v)
                hull_high[k] = max(hull_high[k], v)
                sums[k], low_sums[k] = add_to(sums[k], low_sums[k], w * v)
                square = fused(v, v, square)
            state[1], low_spread = add_to(state[1], low_spread, w * square)
            if order == 3:
                for k in range(dimension):
                    for i in range(k + 1):
                        cell = k * dimension + i
                        squares[cell], low_squares[cell] = add_to(
                            squares[cell], low_squares[cell], w * difference[k] * difference[i]
                        )
    state[0] += low_total
    state[1] += low_spread
    for k in range(dimension):
        sums[k] += low_sums[k]
    for cell in range(squares.size):
        squares[cell] += low_squares[cell]


@njit(cache=True, parallel=True)
def _accumulate_double_parallel(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    cuts: Array,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
    hull_low: Array,
    hull_high: Array,
) -> None:
    """``accumulate_double`` with threads."""
    for q in prange(queries.shape[0]):
        _accumulate_one(
            queries, q, blocks, mantissa, offset, offset_low, box_low, box_high, box_offset, mu,
            scale, limits[q], nearest[q], cuts[q], origins[q], order, state[q], sums[q],
            squares[q], hull_low[q], hull_high[q],
        )  # fmt: skip


@njit(cache=True)
def _accumulate_double_serial(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    cuts: Array,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
    hull_low: Array,
    hull_high: Array,
) -> None:
    """``accumulate_double`` without threads, the same bits."""
    for q in range(queries.shape[0]):
        _accumulate_one(
            queries, q, blocks, mantissa, offset, offset_low, box_low, box_high, box_offset, mu,
            scale, limits[q], nearest[q], cuts[q], origins[q], order, state[q], sums[q],
            squares[q], hull_low[q], hull_high[q],
        )  # fmt: skip


def accumulate_double(
    queries: Array,
    blocks: Array,
    mantissa: Array,
    offset: Array,
    offset_low: Array,
    box_low: Array,
    box_high: Array,
    box_offset: Array,
    mu: float,
    scale: tuple[float, float],
    limits: Array,
    nearest: Array,
    cuts: Array,
    origins: Array,
    order: int,
    state: Array,
    sums: Array,
    squares: Array,
    hull_low: Array,
    hull_high: Array,
) -> None:
    """Accumulate, for every query, the points within ``cuts`` of the smallest exponent.

    ``state`` (M, 2) receives the sum of weights and of weight * |y - origin|^2, ``sums`` (M, d)
    the sum of weight * (y - origin), ``squares`` with ``order`` 3 the lower triangle of the
    second moments, and the hull arrays (M, d) the range of ``y - origin``.
    """
    threads = worth_threads(queries.shape[0], blocks.shape[0], blocks.shape[1])
    kernel = _accumulate_double_parallel if threads else _accumulate_double_serial
    kernel(
        queries, blocks, mantissa, offset, offset_low, box_low, box_high, box_offset, mu, scale,
        limits, nearest, cuts, origins, order, state, sums, squares, hull_low, hull_high,
    )  # fmt: skip


@njit(cache=True)
def residuals(points: Array, queries: Array, mu: float) -> Array:
    """Return ``mu * points - queries`` (M, d) with one rounding."""
    out = np.empty_like(points)
    for q in range(points.shape[0]):
        for k in range(points.shape[1]):
            out[q, k] = fused(mu, points[q, k], -queries[q, k])
    return out
