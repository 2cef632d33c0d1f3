"""Stability with one replacement and shared queries: every point's change from one set of weights.

O(N d) per query: the sums without the nearest point are built afresh; those without any other
point follow from the sums over all points, where the nearest has weight 1, so nothing that
matters is subtracted.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.exponent_gaps import exponent_gap, nearest_point, squared_distances
from numerics.leave_one_out import leave_one_out, share
from numerics.posterior_change import Roundoff, Shares, posterior_change
from numerics.stability_problem import Problem, Scratch, scratch_for
from numerics.stability_radius import (
    BLURRED,
    FLUSHED,
    depth_error,
    exponent_error,
    gap_error,
    relative_error,
    trivial_radius,
)
from numerics.vector_exp import LARGEST_DECAY, decay

FloatArray = NDArray[np.float64]

# Queries are cut into at most this many blocks, whatever the thread count.
_BLOCKS = 32


@njit(cache=True)
def _drift(
    scratch: Scratch, top: int, base: int, inverse: float, exact: float, deepest: float
) -> float:
    """Bound the relative error of the weights, the replacement's included.

    The replacement's exponent may be as deep as any that is kept.
    """
    near, far = scratch.near, scratch.far
    depth = 0.0
    for row in (top, base):
        if row >= 0:
            new_gap = abs(
                exponent_gap(scratch.new_near[0], scratch.new_far[0], near[row], far[row], inverse)
            )
            if new_gap <= LARGEST_DECAY:
                depth = max(depth, new_gap)
    tie = 0.0
    if base >= 0:
        tie = exponent_gap(near[base], far[base], near[top], far[top], inverse)
        tie = tie if tie <= LARGEST_DECAY else 0.0
    return depth_error(exact, deepest + depth + tie)


@njit(cache=True)
def _at_query(
    row: int, problem: Problem, scratch: Scratch, squares: FloatArray, radii: FloatArray
) -> None:
    """Add one query's squared changes, and their radii, to ``squares`` and ``radii`` (N,)."""
    query, inverse, reach = problem.queries[row], problem.inverse, problem.reach
    # Arrays are taken out of the tuple once: each time costs an atomic reference count.
    rows, replacement = problem.rows, problem.new
    near, far, weight = scratch.near, scratch.far, scratch.weight
    mean, spread = scratch.mean, scratch.spread
    wanted = problem.want_radius
    dimension, count = problem.points.shape
    squared_distances(query, problem.high, problem.low, near, far)
    squared_distances(query, problem.new_high, problem.new_low, scratch.new_near, scratch.new_far)
    new_near, new_far = scratch.new_near[0], scratch.new_far[0]
    top = nearest_point(near, far, -1)
    base = nearest_point(near, far, top)
    total, deepest = leave_one_out(
        problem.points, near, far, top, base, top, inverse, weight, mean, spread, wanted
    )
    # One point alone has weight 1 whatever its exponent.
    exact = exponent_error(dimension, near[base], inverse) if base >= 0 else 0.0
    drift = _drift(scratch, top, base, inverse, exact, deepest) if wanted else 0.0
    theta = relative_error(drift, count)
    floor = FLUSHED * count * reach
    # The nearest point: the others are scaled by their own largest weight.
    gap = exponent_gap(new_near, new_far, near[top], far[top], inverse)
    if base >= 0:
        own, own_rest = share(
            total, exponent_gap(near[top], far[top], near[base], far[base], inverse)
        )
        new, new_rest = share(
            total, exponent_gap(new_near, new_far, near[base], far[base], inverse)
        )
        for k in range(dimension):
            mean[k] /= total
            spread[k] /= total
    else:
        own, own_rest, new, new_rest = 1.0, 0.0, 1.0, 0.0
    error = gap_error(gap, dimension, near[top] + new_near, inverse)
    square, radius = posterior_change(
        rows, top, replacement, top, mean, spread, 1.0, 0.0,
        Shares(own, own_rest, new, new_rest, gap), Roundoff(wanted, theta, error, floor),
    )  # fmt: skip
    squares[top] += square
    if wanted:
        radii[top] += trivial_radius(square, dimension, reach) if exact > BLURRED else radius
    if base < 0:
        return
    # Every other point.
    scale = decay(exponent_gap(near[base], far[base], near[top], far[top], inverse))
    everything = 1.0 + scale * total
    for k in range(dimension):
        mean[k] *= scale * total / everything
        spread[k] *= scale * total / everything
    new_gap = gap
    for i in range(count):
        if i == top:
            continue
        rest = 1.0 + scale * (total - weight[i])
        own = scale * weight[i] / everything
        new, new_rest = share(rest, new_gap)
        gap = exponent_gap(new_near, new_far, near[i], far[i], inverse)
        error = gap_error(gap, dimension, near[i] + new_near, inverse)
        square, radius = posterior_change(
            rows, i, replacement, top, mean, spread, everything / rest, own,
            Shares(own, rest / everything, new, new_rest, gap),
            Roundoff(wanted, theta, error, floor),
        )  # fmt: skip
        squares[i] += square
        if wanted:
            radii[i] += trivial_radius(square, dimension, reach) if exact > BLURRED else radius


@njit(cache=True)
def _add_block(
    block: int, blocks: int, problem: Problem, squares: FloatArray, radii: FloatArray
) -> None:
    """Add the changes at the queries of one block to its row of ``squares`` and ``radii``."""
    number = len(problem.queries)
    dimension, count = problem.points.shape
    scratch = scratch_for(count, dimension)
    for row in range(block * number // blocks, (block + 1) * number // blocks):
        _at_query(row, problem, scratch, squares[block], radii[block])


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
def shared_parallel(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Sums over the queries of the squared changes (N,) and of their radii (N,)."""
    blocks = min(len(problem.queries), _BLOCKS)
    squares = np.zeros((blocks, len(problem.rows)))
    radii = np.zeros((blocks, len(problem.rows)))
    for index in prange(blocks):
        block = int(np.int64(index))  # prange counts in uint64; with int64 that makes float64
        _add_block(block, blocks, problem, squares, radii)
    return _tree_sum(squares), _tree_sum(radii)


@njit(cache=True)
def shared_serial(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """``shared_parallel`` without threads, the same bits."""
    blocks = min(len(problem.queries), _BLOCKS)
    squares = np.zeros((blocks, len(problem.rows)))
    radii = np.zeros((blocks, len(problem.rows)))
    for block in range(blocks):
        _add_block(block, blocks, problem, squares, radii)
    return _tree_sum(squares), _tree_sum(radii)
