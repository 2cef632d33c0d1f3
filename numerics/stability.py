"""Score stability: how far the empirical score moves when one data point is replaced.

Write ``s`` for the empirical score of ``x_1..x_N`` and ``s^i`` for that of the same points with
``x_i`` replaced by ``r``.  Everything rests on the leave-one-out mean ``m`` of the other points
(softmax weights at the query ``q``) and two shares of the total weight, ``p`` of ``x_i`` in the
data and ``rho`` of ``r`` in the replaced data::

    s(q) - s^i(q) = (mu / sigma^2) * (p * (x_i - m) - rho * (r - m))
                  = (mu / sigma^2) * (p * (x_i - r) + (p - rho) * (r - m))

The second line is the accurate one when ``r`` is close to ``x_i``; the better one is chosen
coordinate by coordinate.  ``m`` is never found by subtracting a dominating weight: the sums
without the nearest point are kept apart, scaled by their own largest weight.  Squared distances
are double-double, so that weights keep their digits when ``|q - mu x|^2 / sigma^2`` is huge.
"""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from numerics.vector_exp import DECAY_ERROR, LARGEST_DECAY, decay, fused

FloatArray = NDArray[np.float64]

_UNIT = 2.0**-53
# Largest scaled coordinate: its square, summed over coordinates and queries, cannot overflow.
_LARGEST = 1e140
# Weights below exp(-700) are flushed to zero; this bounds what a flush can hide, with room.
_FLUSHED = 1e-300
# Queries are cut into at most this many blocks, whatever the thread count.
_BLOCKS = 32
# Plain distances serve where they move no large exponent by more than this.
_PLAIN = 2.0**-37
# Point-query-coordinate triples below which a job stays on one thread (some milliseconds).
_SMALL = 500_000
# Points handled together, so that the running sums stay in the first-level cache.
_TILE = 512


@njit(cache=True)
def _squared_distances(
    query: FloatArray, high: FloatArray, low: FloatArray, near: FloatArray, far: FloatArray
) -> None:
    """Write ``|query - (high + low)[:, j]|^2`` as ``near[j] + far[j]``, relative error O(u^2).

    Shapes: query (d,), high and low (d, N), near and far (N,).  Error-free transformations
    (Dekker, Knuth); with ``d`` coordinates the relative error is at most (d^2 + 24 d + 32) u^2.
    """
    dimension, count = high.shape
    for start in range(0, count, _TILE):
        stop = min(start + _TILE, count)
        for j in range(start, stop):
            near[j] = 0.0
            far[j] = 0.0
        for k in range(dimension):
            q = query[k]
            for j in range(start, stop):
                y = high[k, j]
                total = q - y
                back = total - q
                rest = ((q - (total - back)) + (-y - back)) - low[k, j]
                lead = total + rest
                tail = rest - (lead - total)
                square = lead * lead
                error = fused(2.0 * lead, tail, fused(lead, lead, -square))
                old = near[j]
                new = old + square
                grown = new - old
                near[j] = new
                far[j] += ((old - (new - grown)) + (square - grown)) + error
        for j in range(start, stop):
            total = near[j] + far[j]
            far[j] -= total - near[j]
            near[j] = total


@njit(cache=True)
def _plain_distances(query: FloatArray, high: FloatArray, near: FloatArray) -> None:
    """Write ``|query - high[:, j]|^2`` in plain float64 into ``near`` (N,)."""
    dimension, count = high.shape
    for start in range(0, count, _TILE):
        stop = min(start + _TILE, count)
        for j in range(start, stop):
            near[j] = 0.0
        # Four coordinates at a time: one load and store of the sum instead of four.
        whole = dimension - dimension % 4
        for k in range(0, whole, 4):
            q0, q1, q2, q3 = query[k], query[k + 1], query[k + 2], query[k + 3]
            for j in range(start, stop):
                s0 = q0 - high[k, j]
                s1 = q1 - high[k + 1, j]
                s2 = q2 - high[k + 2, j]
                s3 = q3 - high[k + 3, j]
                near[j] += fused(s0, s0, s1 * s1) + fused(s2, s2, s3 * s3)
        for k in range(whole, dimension):
            q = query[k]
            for j in range(start, stop):
                step = q - high[k, j]
                near[j] = fused(step, step, near[j])


@njit(cache=True)
def _plain_error(dimension: int, square: float, length: float) -> float:
    """Bound the error of a plain squared distance ``square`` from a query of norm ``length``.

    Each difference is off by u of itself and u of the coordinate of ``mu x`` (whose norm is at
    most the query's plus the distance); the sum adds d u.
    """
    return 2.0 * _UNIT * ((dimension + 8.0) * square + 2.0 * math.sqrt(square) * length)


@njit(cache=True)
def _gap(near: float, far: float, base_near: float, base_far: float, inverse: float) -> float:
    """Return ``(near + far - base_near - base_far) * inverse``, subtracting without error."""
    total = near - base_near
    back = total - near
    rest = (near - (total - back)) + (-base_near - back)
    return (total + (rest + (far - base_far))) * inverse


@njit(cache=True)
def _nearest(near: FloatArray, far: FloatArray, skip: int) -> int:
    """Return the index of the smallest ``near + far``, leaving out ``skip`` (-1 if none)."""
    best = -1
    best_near = np.inf
    best_far = np.inf
    for j in range(near.size):
        if near[j] <= best_near and j != skip and (near[j] < best_near or far[j] < best_far):
            best = j
            best_near = near[j]
            best_far = far[j]
    return best


@njit(cache=True)
def _leave_one_out(
    points: FloatArray,
    near: FloatArray,
    far: FloatArray,
    skip: int,
    base: int,
    centre: int,
    inverse: float,
    weight: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
    want_radius: bool,
) -> tuple[float, float]:
    """Softmax sums over every point but ``skip``, scaled by the weight of point ``base``.

    Writes the weights (0 at ``skip``), the sums ``sum_j w_j (x_j - x_centre)`` into ``mean``
    and of absolute values into ``spread``; returns the total weight and the largest exponent
    kept.  With no other point the total is 0.
    """
    dimension, count = points.shape
    deepest = 0.0
    if base < 0:
        weight[:] = 0.0
        mean[:] = 0.0
        spread[:] = 0.0
        return 0.0, deepest
    base_near = near[base]
    base_far = far[base]
    for j in range(count):
        weight[j] = decay(_gap(near[j], far[j], base_near, base_far, inverse))
    weight[skip] = 0.0
    total = _lane_sum(weight)
    for k in range(dimension):
        mean[k] = _lane_moment(weight, points[k], points[k, centre])
    if want_radius:
        for j in range(count):
            depth = _gap(near[j], far[j], base_near, base_far, inverse)
            if j != skip and depth <= LARGEST_DECAY:
                deepest = max(deepest, depth)
        for k in range(dimension):
            middle = points[k, centre]
            size = 0.0
            for j in range(count):
                size += weight[j] * abs(points[k, j] - middle)
            spread[k] = size
    return total, deepest


@njit(cache=True)
def _lane_sum(values: FloatArray) -> float:
    """Sum in eight interleaved lanes: a fixed order that still keeps the pipeline full."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = values.size - values.size % 8
    for j in range(0, whole, 8):
        a0 += values[j]
        a1 += values[j + 1]
        a2 += values[j + 2]
        a3 += values[j + 3]
        a4 += values[j + 4]
        a5 += values[j + 5]
        a6 += values[j + 6]
        a7 += values[j + 7]
    for j in range(whole, values.size):
        a0 += values[j]
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@njit(cache=True)
def _lane_moment(weight: FloatArray, values: FloatArray, middle: float) -> float:
    """Return ``sum_j weight_j (values_j - middle)`` in eight interleaved lanes."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = values.size - values.size % 8
    for j in range(0, whole, 8):
        a0 += weight[j] * (values[j] - middle)
        a1 += weight[j + 1] * (values[j + 1] - middle)
        a2 += weight[j + 2] * (values[j + 2] - middle)
        a3 += weight[j + 3] * (values[j + 3] - middle)
        a4 += weight[j + 4] * (values[j + 4] - middle)
        a5 += weight[j + 5] * (values[j + 5] - middle)
        a6 += weight[j + 6] * (values[j + 6] - middle)
        a7 += weight[j + 7] * (values[j + 7] - middle)
    for j in range(whole, values.size):
        a0 += weight[j] * (values[j] - middle)
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@njit(cache=True)
def _share(total: float, gap: float) -> tuple[float, float]:
    """Return ``w / (total + w)`` and ``total / (total + w)`` for ``w = exp(-gap)``, any sign."""
    if gap >= 0.0:
        own = decay(gap)
        return own / (total + own), total / (total + own)
    rest = total * decay(-gap)
    return 1.0 / (1.0 + rest), rest / (1.0 + rest)


@njit(cache=True)
def _change(
    rows: FloatArray,
    i: int,
    replacement: FloatArray,
    centre: int,
    mean: FloatArray,
    spread: FloatArray,
    ratio: float,
    lift: float,
    own: float,
    own_rest: float,
    new: float,
    new_rest: float,
    gap: float,
    gap_error: float,
    theta: float,
    floor: float,
    want_radius: bool,
) -> tuple[float, float]:
    """Return ``|posterior mean - replaced posterior mean|^2`` and its roundoff radius.

    The leave-one-out differences are, coordinate by coordinate,
    ``a = x_i - m = ratio * ((x_i - centre) - mean)`` and
    ``b = r - m = (r - centre) - mean + lift * a``.
    ``own, own_rest`` are p and 1 - p; ``new, new_rest`` are rho and 1 - rho; ``gap`` is the
    exponent of ``x_i`` less that of ``r``, within ``gap_error``.  ``theta`` bounds the relative
    error of every share, total and mean (see ``score_stability``).
    """
    square = 0.0
    radius = 0.0
    if own == 0.0 and new == 0.0:
        return square, replacement.size * floor * floor
    # p - rho without cancellation: both factors and the difference of weights are relative.
    if gap >= 0.0:
        fall = -math.expm1(-gap)
        larger = own * new_rest
        shift = larger * fall
    else:
        fall = -math.expm1(gap)
        larger = new * own_rest
        shift = -larger * fall
    shift_error = 0.0
    if want_radius:
        shift_error = 3.0 * larger * min(gap_error, 1.0) * max(1.0 - fall, _UNIT)
    for k in range(replacement.size):
        middle = rows[centre, k]
        from_centre = rows[i, k] - middle
        new_from_centre = replacement[k] - middle
        a = ratio * (from_centre - mean[k])
        b = (new_from_centre - mean[k]) + lift * a
        step = rows[i, k] - replacement[k]
        if abs(own * step) + abs(shift * b) < abs(own * a) + abs(new * b):
            change = own * step + shift * b
            direct = False
        else:
            change = own * a - new * b
            direct = True
        square += change * change
        if want_radius:
            a_size = ratio * (abs(from_centre) + spread[k])
            b_size = abs(new_from_centre) + spread[k] + lift * a_size
            if direct:
                error = 16.0 * theta * (own * a_size + new * b_size)
            else:
                error = 24.0 * theta * (own * abs(step) + abs(shift) * b_size)
                error += shift_error * b_size
            error += floor
            radius += error * (2.0 * abs(change) + error)
    if want_radius:
        radius += 2.0 * (replacement.size + 4) * _UNIT * square
    return square, radius


@njit(cache=True)
def _shared_query(
    query: FloatArray,
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
    near: FloatArray,
    far: FloatArray,
    new_near: FloatArray,
    new_far: FloatArray,
    weight: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
    squares: FloatArray,
    radii: FloatArray,
) -> None:
    """Add one query's squared changes, and their radii, to ``squares`` and ``radii`` (N,)."""
    dimension, count = points.shape
    _squared_distances(query, high, low, near, far)
    _squared_distances(query, new_high, new_low, new_near, new_far)
    top = _nearest(near, far, -1)
    base = _nearest(near, far, top)
    total, deepest = _leave_one_out(
        points, near, far, top, base, top, inverse, weight, mean, spread, want_radius
    )
    double = (dimension * dimension + 40.0 * dimension + 64.0) * _UNIT * _UNIT
    # One point alone has weight 1 whatever its exponent.
    exact = double * (2.0 * near[base] * inverse + LARGEST_DECAY) if base >= 0 else 0.0
    blurred = exact > 2.0**-10
    drift = 2.0 * (exact + 4.0 * _UNIT * LARGEST_DECAY)
    if want_radius:
        # The replacement's exponent may be as deep as any that is kept.
        depth = 0.0
        for row in (top, base):
            if row >= 0:
                new_gap = abs(_gap(new_near[0], new_far[0], near[row], far[row], inverse))
                if new_gap <= LARGEST_DECAY:
                    depth = max(depth, new_gap)
        tie = 0.0
        if base >= 0:
            tie = _gap(near[base], far[base], near[top], far[top], inverse)
            tie = tie if tie <= LARGEST_DECAY else 0.0
        drift = 2.0 * (exact + 4.0 * _UNIT * (deepest + depth + tie))
    theta = 4.0 * (drift + 2.0 * DECAY_ERROR) + 4.0 * (count + 16.0) * _UNIT
    floor = _FLUSHED * count * reach
    # The nearest point: the others are scaled by their own largest weight.
    gap = _gap(new_near[0], new_far[0], near[top], far[top], inverse)
    if base >= 0:
        own, own_rest = _share(total, _gap(near[top], far[top], near[base], far[base], inverse))
        new, new_rest = _share(total, _gap(new_near[0], new_far[0], near[base], far[base], inverse))
        for k in range(dimension):
            mean[k] /= total
            spread[k] /= total
    else:
        own, own_rest, new, new_rest = 1.0, 0.0, 1.0, 0.0
    gap_error = 4.0 * _UNIT * abs(gap) + double * (near[top] + new_near[0]) * inverse
    square, radius = _change(
        rows, top, replacement, top, mean, spread, 1.0, 0.0,
        own, own_rest, new, new_rest, gap, gap_error, theta, floor, want_radius,
    )  # fmt: skip
    squares[top] += square
    if want_radius:
        radii[top] += max(square, dimension * reach * reach) if blurred else radius
    if base < 0:
        return
    # Every other point: the nearest one has weight 1, so nothing that matters is subtracted.
    scale = decay(_gap(near[base], far[base], near[top], far[top], inverse))
    everything = 1.0 + scale * total
    for k in range(dimension):
        mean[k] *= scale * total / everything
        spread[k] *= scale * total / everything
    for i in range(count):
        if i == top:
            continue
        rest = 1.0 + scale * (total - weight[i])
        own = scale * weight[i] / everything
        gap = _gap(new_near[0], new_far[0], near[top], far[top], inverse)
        new, new_rest = _share(rest, gap)
        gap = _gap(new_near[0], new_far[0], near[i], far[i], inverse)
        gap_error = 4.0 * _UNIT * abs(gap) + double * (near[i] + new_near[0]) * inverse
        square, radius = _change(
            rows, i, replacement, top, mean, spread, everything / rest, own,
            own, rest / everything, new, new_rest, gap, gap_error, theta, floor, want_radius,
        )  # fmt: skip
        squares[i] += square
        if want_radius:
            radii[i] += max(square, dimension * reach * reach) if blurred else radius


@njit(cache=True)
def _shared_block(
    start: int,
    stop: int,
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
    squares: FloatArray,
    radii: FloatArray,
) -> None:
    """Add the changes at the queries ``start`` to ``stop - 1`` to ``squares`` and ``radii``."""
    dimension, count = points.shape
    near = np.empty(count)
    far = np.empty(count)
    new_near = np.empty(1)
    new_far = np.empty(1)
    weight = np.empty(count)
    mean = np.empty(dimension)
    spread = np.zeros(dimension)
    for row in range(start, stop):
        _shared_query(
            queries[row], rows, points, high, low, replacement, new_high, new_low, inverse,
            reach, want_radius, near, far, new_near, new_far, weight, mean, spread,
            squares, radii,
        )  # fmt: skip


@njit(cache=True)
def _tree_sum(parts: FloatArray) -> FloatArray:
    """Sum the rows by a binary tree, in an order that their number alone decides."""
    stride = 1
    while stride < len(parts):
        for block in range(0, len(parts) - stride, 2 * stride):
            parts[block] += parts[block + stride]
        stride *= 2
    total: FloatArray = parts[0]
    return total


@njit(cache=True, parallel=True)
def _shared_parallel(
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
) -> tuple[FloatArray, FloatArray]:
    """Sums over the queries (M, d) of the squared changes (N,) and of their radii (N,)."""
    number = len(queries)
    blocks = min(number, _BLOCKS)
    squares = np.zeros((blocks, len(rows)))
    radii = np.zeros((blocks, len(rows)))
    for block in prange(blocks):
        _shared_block(
            block * number // blocks, (block + 1) * number // blocks,
            rows, points, high, low, replacement, new_high, new_low, queries, inverse, reach,
            want_radius,
            squares[block], radii[block],
        )  # fmt: skip
    return _tree_sum(squares), _tree_sum(radii)


@njit(cache=True)
def _shared_serial(
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
) -> tuple[FloatArray, FloatArray]:
    """``_shared_parallel`` without threads, the same bits."""
    number = len(queries)
    blocks = min(number, _BLOCKS)
    squares = np.zeros((blocks, len(rows)))
    radii = np.zeros((blocks, len(rows)))
    for block in range(blocks):
        _shared_block(
            block * number // blocks, (block + 1) * number // blocks,
            rows, points, high, low, replacement, new_high, new_low, queries, inverse, reach,
            want_radius,
            squares[block], radii[block],
        )  # fmt: skip
    return _tree_sum(squares), _tree_sum(radii)


@njit(cache=True)
def _own_query(
    i: int,
    query: FloatArray,
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
    near: FloatArray,
    far: FloatArray,
    new_near: FloatArray,
    new_far: FloatArray,
    weight: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
) -> tuple[float, float]:
    """Return the squared change at one query when ``x_i`` is replaced, and its radius."""
    dimension, count = points.shape
    _squared_distances(query, new_high, new_low, new_near, new_far)
    length = 0.0
    for k in range(dimension):
        length = fused(query[k], query[k], length)
    length = math.sqrt(length)
    _plain_distances(query, high, near)
    far[:] = 0.0
    base = _nearest(near, far, i)
    plain = base >= 0 and _plain_error(dimension, near[base], length) * inverse < _PLAIN
    if not plain:
        _squared_distances(query, high, low, near, far)
        base = _nearest(near, far, i)
    # x_i and its replacement are compared with each other: always in double-double.
    one = slice(i, i + 1)
    _squared_distances(query, high[:, one], low[:, one], near[one], far[one])
    centre = base if base >= 0 else i
    total, deepest = _leave_one_out(
        points, near, far, i, base, centre, inverse, weight, mean, spread, want_radius
    )
    double = (dimension * dimension + 40.0 * dimension + 64.0) * _UNIT * _UNIT
    exact = double * (2.0 * near[base] * inverse + LARGEST_DECAY) if base >= 0 else 0.0
    depth = deepest
    if base >= 0:
        own_gap = _gap(near[i], far[i], near[base], far[base], inverse)
        new_gap = _gap(new_near[0], new_far[0], near[base], far[base], inverse)
        own, own_rest = _share(total, own_gap)
        new, new_rest = _share(total, new_gap)
        for k in range(dimension):
            mean[k] /= total
            spread[k] /= total
        depth += min(abs(own_gap), LARGEST_DECAY) + min(abs(new_gap), LARGEST_DECAY)
    else:
        own, own_rest, new, new_rest = 1.0, 0.0, 1.0, 0.0
    if plain:
        exact += 2.0 * inverse * _plain_error(dimension, near[base] + deepest / inverse, length)
    gap = _gap(new_near[0], new_far[0], near[i], far[i], inverse)
    gap_error = 4.0 * _UNIT * abs(gap) + double * (near[i] + new_near[0]) * inverse
    drift = 2.0 * (exact + 4.0 * _UNIT * depth)
    theta = 4.0 * (drift + 2.0 * DECAY_ERROR) + 4.0 * (count + 16.0) * _UNIT
    square, radius = _change(
        rows, i, replacement, centre, mean, spread, 1.0, 0.0,
        own, own_rest, new, new_rest, gap, gap_error, theta, _FLUSHED * count * reach,
        want_radius,
    )  # fmt: skip
    if exact > 2.0**-10:
        radius = max(square, dimension * reach * reach)
    return square, radius


@njit(cache=True)
def _own_point(
    i: int,
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
) -> tuple[float, float]:
    """Sums over the queries of point ``i`` of its squared changes and of their radii."""
    dimension, count = points.shape
    near = np.empty(count)
    far = np.empty(count)
    new_near = np.empty(1)
    new_far = np.empty(1)
    weight = np.empty(count)
    mean = np.empty(dimension)
    spread = np.zeros(dimension)
    square_sum = 0.0
    radius_sum = 0.0
    for row in range(queries.shape[1]):
        square, radius = _own_query(
            i, queries[i, row], rows, points, high, low, replacement[i],
            new_high[:, i : i + 1], new_low[:, i : i + 1], inverse, reach, want_radius,
            near, far, new_near, new_far, weight, mean, spread,
        )  # fmt: skip
        square_sum += square
        radius_sum += radius
    return square_sum, radius_sum


@njit(cache=True, parallel=True)
def _own_parallel(
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
) -> tuple[FloatArray, FloatArray]:
    """As ``_shared_parallel`` with replacement rows (N, d) and queries (N, M, d)."""
    squares = np.zeros(len(rows))
    radii = np.zeros(len(rows))
    for index in prange(len(rows)):
        i = int(np.int64(index))  # prange counts in uint64; with int64 that would make float64
        squares[i], radii[i] = _own_point(
            i, rows, points, high, low, replacement, new_high, new_low, queries, inverse, reach,
            want_radius,
        )  # fmt: skip
    return squares, radii


@njit(cache=True)
def _own_serial(
    rows: FloatArray,
    points: FloatArray,
    high: FloatArray,
    low: FloatArray,
    replacement: FloatArray,
    new_high: FloatArray,
    new_low: FloatArray,
    queries: FloatArray,
    inverse: float,
    reach: float,
    want_radius: bool,
) -> tuple[FloatArray, FloatArray]:
    """``_own_parallel`` without threads, the same bits."""
    squares = np.zeros(len(rows))
    radii = np.zeros(len(rows))
    for i in range(len(rows)):
        squares[i], radii[i] = _own_point(
            i, rows, points, high, low, replacement, new_high, new_low, queries, inverse, reach,
            want_radius,
        )  # fmt: skip
    return squares, radii


@njit(cache=True)
def _product(mu: float, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``mu * points`` as an unevaluated sum of two arrays."""
    high = np.empty_like(points)
    low = np.empty_like(points)
    for k in range(points.shape[0]):
        for j in range(points.shape[1]):
            high[k, j] = mu * points[k, j]
            low[k, j] = fused(mu, points[k, j], -high[k, j])
    return high, low


def _array(name: str, value: ArrayLike, axes: tuple[str, ...]) -> FloatArray:
    """Return ``value`` as a finite, non-empty float64 array with the named axes."""
    shape = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    try:
        raw = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} is ragged: it must have shape {shape}; give every row the same length"
        ) from None
    if raw.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {raw.dtype}: it must hold real numbers; convert it to float64"
        )
    with np.errstate(over="ignore"):
        array = raw.astype(np.float64, copy=False)
    if array.ndim != len(axes):
        raise ValueError(f"{name} has shape {array.shape}: it must have shape {shape}; reshape it")
    if array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: every axis of {shape} must be at least 1; "
            f"pass at least one entry"
        )
    if not np.isfinite(array).all():
        where = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name}{list(where)} = {array[where]}: entries must be finite; remove or mend it"
        )
    return array


def _number(name: str, value: float, lowest: str) -> float:
    """Return ``value`` as a finite float that is positive, or at least zero."""
    fix = f"pass one finite number {lowest}"
    if isinstance(value, (bool, str, bytes, complex)) or np.ndim(value) != 0:
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}") from None
    if not math.isfinite(number) or number < 0.0 or (lowest == "> 0" and number == 0.0):
        raise ValueError(f"{name} = {number}: it must be finite and {lowest}; {fix}")
    return number


def checked_arguments(
    data: ArrayLike, replacement: ArrayLike, queries: ArrayLike, mu: float, sigma: float
) -> tuple[FloatArray, FloatArray, FloatArray, float, float]:
    """Return the arguments of ``score_stability`` as float64, or raise a one-line error.

    Parameters
    ----------
    data, replacement, queries, mu, sigma
        As in ``score_stability``.

    Returns
    -------
    tuple
        data (N, d), replacement (d,) or (N, d), queries (M, d) or (N, M, d), mu, sigma.

    Raises
    ------
    ValueError
        As in ``score_stability``.

    Examples
    --------
    >>> checked_arguments([[0.0]], [1.0], [[0.5]], 1, 2)[2].shape
    (1, 1)
    """
    points = _array("data", data, ("N", "d"))
    count, dimension = points.shape
    if np.ndim(replacement) == 1:
        new = _array("replacement", replacement, ("d",))
        probes = _array("queries", queries, ("M", "d"))
    elif np.ndim(replacement) == 2:
        new = _array("replacement", replacement, ("N", "d"))
        probes = _array("queries", queries, ("N", "M", "d"))
    else:
        raise ValueError(
            f"replacement has shape {np.shape(replacement)}: it must have shape (d,) for shared "
            "queries or (N, d) for one set of queries per point; reshape it"
        )
    for name, array in (("replacement", new), ("queries", probes)):
        if array.shape[-1] != dimension:
            raise ValueError(
                f"{name} has dimension {array.shape[-1]}: it must be that of data, {dimension}; "
                "pass points of one space"
            )
        if new.ndim == 2 and array.shape[0] != count:
            raise ValueError(
                f"{name} has {array.shape[0]} rows: it must have one for each of the {count} "
                "data points; pass N of them"
            )
    return points, new, probes, _number("mu", mu, ">= 0"), _number("sigma", sigma, "> 0")


@overload
def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: Literal[False] = ...,
) -> FloatArray: ...


@overload
def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: Literal[True],
) -> tuple[FloatArray, FloatArray]: ...


def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    r"""Mean squared change of the empirical score when each data point is replaced in turn.

    Entry i is the mean over the queries q of :math:`|s(q) - s^i(q)|^2`, with
    :math:`s(x) = (\mu \sum_j w_j(x) x_j - x) / \sigma^2`,
    :math:`w = \mathrm{softmax}_j(-|x - \mu x_j|^2 / 2 \sigma^2)` and :math:`s^i` the same with
    ``x_i`` replaced.  Averaged over data sets, replacements and queries drawn from
    ``N(mu * replacement, sigma**2 I)``, the mean over i is one time's contribution to the
    squared stability constant of the empirical score.

    Parameters
    ----------
    data : array_like, shape (N, d)
        The points ``x_1 .. x_N``; N = 1 is allowed (then ``s^i`` is the replacement's score).
    replacement : array_like, shape (d,) or (N, d)
        One point for all i (shared mode), or point i in row i (own mode).
    queries : array_like, shape (M, d) or (N, M, d)
        Where the scores are compared: shared by all i, or ``queries[i]`` for each i.
    mu, sigma : float
        Scaling ``mu >= 0`` and noise standard deviation ``sigma > 0`` of the noising kernel
        ``N(mu x, sigma^2 I)``, in the units of the data.
    return_radius : bool
        Also return a bound on the absolute roundoff error of each entry.

    Returns
    -------
    ndarray, shape (N,)
        Squared score, in units of 1 / (units of the data)^2.
    ndarray, shape (N,), only with ``return_radius``
        The exact real number for the given floats lies within this distance.

    Raises
    ------
    ValueError
        One line naming the argument: wrong number of axes, empty, NaN or infinite, dimensions
        that differ, ``sigma <= 0``, ``mu < 0``, points beyond 1e140 sigma, or a result beyond
        the float64 range.

    Notes
    -----
    Cost O(N M d) in shared mode, O(N^2 M d) in own mode; memory O((32 + d) N) beside the
    arguments.
    Equal bits for any number of threads, and with or without the radius.

    Radius: with u = 2^-53, double-double squared distances carry d^2 + 40 d + 64 units of u^2
    (own mode uses plain ones, 2 (d + 10) u, where they move no large exponent by 2^-37),
    exponents 4 u per unit of depth below the largest, the exponential 3 u, sums of N terms N u.
    All of it enters one relative bound theta on the shares and leave-one-out means, of which
    each coordinate of the change collects at most 16 or 24 multiples (times sums of absolute
    values, so cancellation is paid for); the mean over M queries adds (M + 64) u.  Where
    double-double itself is too short (``|q - mu x| / sigma`` beyond about 1e13), the radius is
    the trivial bound, d times the squared extent of the points times (mu / sigma^2)^2.

    References
    ----------
    farghly2026, arXiv 2507.03756, definition of score stability: S^i replaces x_i by an
    independent copy, and the scores are compared at noised copies of the replacement.

    Examples
    --------
    Replacing the left one of two points by a copy of the right one:

    >>> score_stability([[-1.0], [1.0]], [1.0], [[0.0]], mu=1.0, sigma=1.0).tolist()
    [1.0, 0.0]
    """
    points, new, probes, mu, sigma = checked_arguments(data, replacement, queries, mu, sigma)
    # Powers of two are exact: work in units where sigma lies in [1, 2).
    exponent = math.frexp(sigma)[1] - 1
    unit_sigma = math.ldexp(sigma, -exponent)
    with np.errstate(over="ignore", under="ignore"):
        points = np.ldexp(points, -exponent)
        new = np.ldexp(new, -exponent)
        probes = np.ldexp(probes, -exponent)
        reach = 2.0 * max(float(np.abs(points).max()), float(np.abs(new).max()))
        farthest = max(reach, mu * reach, float(np.abs(probes).max()))
    if not farthest <= _LARGEST:
        raise ValueError(
            f"sigma = {sigma}: data, replacement, queries and mu must stay within {_LARGEST:g} "
            "sigma; rescale them or enlarge sigma"
        )
    columns = np.ascontiguousarray(points.T)
    new_columns = np.ascontiguousarray(np.atleast_2d(new).T)
    high, low = _product(mu, columns)
    new_high, new_low = _product(mu, new_columns)
    # Waking threads costs more than a small job, and far more on a busy machine.
    work = probes.size * len(points)
    if new.ndim == 1:
        kernel = _shared_parallel if work > _SMALL else _shared_serial
    else:
        kernel = _own_parallel if work > 8 * _SMALL else _own_serial
    inverse = 0.5 / (unit_sigma * unit_sigma)
    squares, radii = kernel(
        np.ascontiguousarray(points), columns, high, low, np.ascontiguousarray(new), new_high,
        new_low, np.ascontiguousarray(probes), inverse, reach, bool(return_radius),
    )  # fmt: skip
    number = probes.shape[-2]
    factor = mu / (unit_sigma * unit_sigma)
    with np.errstate(over="ignore", under="ignore"):
        mean: FloatArray = np.ldexp(factor * (factor * (squares / number)), -2 * exponent)
        if not np.isfinite(mean).all():
            raise ValueError(
                f"sigma = {sigma}: the squared score exceeds the float64 range; rescale data"
            )
        if not return_radius:
            return mean
        # Rounding of this page's last lines, of the sums over queries, and of the radius itself.
        radius = (1.0 + 2.0**-8) * radii / number + 2.0 * (number + 64) * _UNIT * squares / number
        radius = np.ldexp(factor * (factor * (radius + _FLUSHED)), -2 * exponent)
        # Where nothing can move (mu = 0) the result 0 is exact.
        smallest = np.finfo(np.float64).tiny if mu > 0.0 else 0.0
        return mean, radius + smallest
