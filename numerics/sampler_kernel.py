"""Compiled reverse-time sampling from the score of a noised empirical measure.

Paths run in blocks, coordinates outside and paths inside, so that every loop is vector code over
paths. No sum runs over paths: a path's bits depend on neither its block nor the thread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.counter_streams import Key
from numerics.point_arguments import LARGEST
from numerics.sampler_normals import fill_normals
from numerics.sampler_steps import StepFactors
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Doubles of one block's state (64 KiB), and the most paths it holds.
_STATE = 8192
_MOST_LANES = 128

# Query-point-coordinate triples below which scores stay on one thread (about a millisecond).
_SMALL = 500_000


class EmpiricalProblem(NamedTuple):
    """Data (N, d), the exponents' offsets max log a - log a_i >= 0 (N,), and the times."""

    points: Array
    offset: Array
    mean_scale: Array  # (K + 1,): exp(-u)
    variance: Array  # (K + 1,): 1 - exp(-2u)


class Scratch(NamedTuple):
    """Arrays of one block: (d or more, lanes) and (lanes,)."""

    state: Array
    score: Array
    second: Array
    drawn: Array
    partial: Array
    weight: Array
    smallest: Array
    total: Array


def lanes_for(dimension: int) -> int:
    """Return how many paths share a block: a multiple of 8 that fits the cache."""
    return max(16, min(_MOST_LANES, _STATE // dimension // 8 * 8))


@njit(cache=True)
def _scratch(dimension: int, lanes: int) -> Scratch:
    return Scratch(
        np.empty((dimension, lanes)),
        np.empty((dimension, lanes)),
        np.empty((dimension, lanes)),
        np.zeros((dimension + dimension % 2, lanes)),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes),
    )


@njit(cache=True)
def _partial_squares(x: Array, points: Array, i: int, mu: float, out: Array) -> None:
    """Write |mu y_i - x|^2 over all coordinates but the last, for all paths of a block."""
    lanes = x.shape[1]
    for c in range(points.shape[1] - 1):
        y = points[i, c]
        for p in range(lanes):
            t = fused(mu, y, -x[c, p])
            out[p] = fused(t, t, out[p]) if c > 0 else t * t


# Dividing by a total that is not a number is meant to give one that is not.
@njit(cache=True, error_model="numpy")
def _block_score(
    x: Array,
    points: Array,
    offset: Array,
    mu: float,
    variance: float,
    scratch: Scratch,
    out: Array,
) -> None:
    """Write the scores of all paths of a block: sum_i w_i (mu y_i - x) / variance.

    The first pass finds each path's smallest exponent, the second one sums. It repeats the
    exponents bit by bit, so none is below the smallest. The last coordinate, which may be the
    only one, shares its loop with what needs the whole exponent.
    """
    last = points.shape[1] - 1
    lanes = x.shape[1]
    scale = 0.5 / variance
    partial = scratch.partial
    weight = scratch.weight
    smallest = scratch.smallest
    total = scratch.total
    for p in range(lanes):
        partial[p] = 0.0
        smallest[p] = np.inf
        total[p] = 0.0
    for c in range(last + 1):
        for p in range(lanes):
            out[c, p] = 0.0
    for i in range(len(points)):
        _partial_squares(x, points, i, mu, partial)
        y = points[i, last]
        shift = offset[i]
        for p in range(lanes):
            t = fused(mu, y, -x[last, p])
            exponent = fused(fused(t, t, partial[p]), scale, shift)
            smallest[p] = exponent if exponent < smallest[p] else smallest[p]
    for i in range(len(points)):
        _partial_squares(x, points, i, mu, partial)
        y = points[i, last]
        shift = offset[i]
        for p in range(lanes):
            t = fused(mu, y, -x[last, p])
            share = decay(fused(fused(t, t, partial[p]), scale, shift) - smallest[p])
            weight[p] = share
            total[p] += share
            out[last, p] += share * t
        for c in range(last):
            y = points[i, c]
            for p in range(lanes):
                out[c, p] += weight[p] * fused(mu, y, -x[c, p])
    for p in range(lanes):
        total[p] *= variance
    for c in range(last + 1):
        for p in range(lanes):
            out[c, p] /= total[p]


@njit(cache=True)
def _heun_step(
    problem: EmpiricalProblem, k: int, length: float, scratch: Scratch, first: Array
) -> None:
    """Take one step of Heun's method for dY = (Y + score) dt; ``first`` is the score at Y."""
    state = scratch.state
    ahead = scratch.drawn  # unused otherwise; it may have one row more
    dimension, lanes = state.shape
    for c in range(dimension):
        for p in range(lanes):
            ahead[c, p] = state[c, p] + length * (state[c, p] + first[c, p])
    _block_score(
        ahead,
        problem.points,
        problem.offset,
        problem.mean_scale[k + 1],
        problem.variance[k + 1],
        scratch,
        scratch.second,
    )
    for c in range(dimension):
        for p in range(lanes):
            drift = (state[c, p] + first[c, p]) + (ahead[c, p] + scratch.second[c, p])
            state[c, p] += (0.5 * length) * drift


@njit(cache=True)
def _outside(state: Array) -> bool:
    """Tell whether an entry is too large for the score, or not a number."""
    count = 0
    for c in range(state.shape[0]):
        for p in range(state.shape[1]):
            count += 0 if abs(state[c, p]) <= LARGEST else 1
    return count > 0


@njit(cache=True)
def _run_block(
    problem: EmpiricalProblem,
    factors: StepFactors,
    key: Key,
    noisy: bool,
    path: int,
    start: Array,
    row: int,
    lanes: int,
    end: Array,
    record: Array,
) -> int:
    """Run rows ``row`` to ``row + lanes``; return the step that left the domain, or -1.

    ``path`` is the index of the first row's path; ``record`` (M, K + 1, d) is empty if unwanted.
    """
    dimension = start.shape[1]
    steps = len(factors.keep)
    scratch = _scratch(dimension, lanes)
    state = scratch.state
    drawn = scratch.drawn
    score = scratch.score
    for c in range(dimension):
        for p in range(lanes):
            state[c, p] = start[row + p, c]
    if len(record) > 0:
        for p in range(lanes):
            for c in range(dimension):
                record[row + p, 0, c] = state[c, p]
    failed = -1
    for k in range(steps):
        _block_score(
            state,
            problem.points,
            problem.offset,
            problem.mean_scale[k],
            problem.variance[k],
            scratch,
            score,
        )
        if factors.heun:
            _heun_step(problem, k, factors.length[k], scratch, score)
        else:
            if noisy:
                fill_normals(key, path, lanes, k + 1, drawn)
            keep = factors.keep[k]
            push = factors.push[k]
            noise = factors.noise[k]
            for c in range(dimension):
                for p in range(lanes):
                    state[c, p] = keep * state[c, p] + push * score[c, p] + noise * drawn[c, p]
        if len(record) > 0:
            for p in range(lanes):
                for c in range(dimension):
                    record[row + p, k + 1, c] = state[c, p]
        if _outside(state):
            failed = k
            break
    for p in range(lanes):
        for c in range(dimension):
            end[row + p, c] = state[c, p]
    return failed


@njit(cache=True, parallel=True)
def _run_blocks(
    problem: EmpiricalProblem,
    factors: StepFactors,
    key: Key,
    noisy: bool,
    first_path: int,
    start: Array,
    lanes: int,
    end: Array,
    record: Array,
    failed: Integers,
) -> None:
    for index in prange(len(failed)):
        block = int(np.int64(index))  # prange counts in uint64
        row = block * lanes
        many = min(lanes, len(start) - row)
        failed[block] = _run_block(
            problem, factors, key, noisy, first_path + row, start, row, many, end, record
        )


@njit(cache=True)
def _score_rows(problem: EmpiricalProblem, x: Array, row: int, lanes: int, out: Array) -> None:
    """Write the scores of one block of rows."""
    dimension = x.shape[1]
    scratch = _scratch(dimension, lanes)
    state = scratch.state
    score = scratch.score
    for p in range(lanes):
        for c in range(dimension):
            state[c, p] = x[row + p, c]
    _block_score(
        state,
        problem.points,
        problem.offset,
        problem.mean_scale[0],
        problem.variance[0],
        scratch,
        score,
    )
    for p in range(lanes):
        for c in range(dimension):
            out[row + p, c] = score[c, p]


@njit(cache=True, parallel=True)
def _score_blocks(problem: EmpiricalProblem, x: Array, lanes: int, out: Array) -> None:
    for index in prange((len(x) + lanes - 1) // lanes):
        row = int(np.int64(index)) * lanes
        _score_rows(problem, x, row, min(lanes, len(x) - row), out)


def kernel_scores(problem: EmpiricalProblem, x: Array) -> Array:
    """Return the scores (M, d) at ``x`` (M, d), for a problem of one time."""
    out = np.empty_like(x)
    lanes = lanes_for(x.shape[1])
    if x.size * len(problem.points) <= _SMALL:
        for row in range(0, len(x), lanes):
            _score_rows(problem, x, row, min(lanes, len(x) - row), out)
    else:
        _score_blocks(problem, x, lanes, out)
    return out


def kernel_paths(
    problem: EmpiricalProblem,
    factors: StepFactors,
    key: Key,
    first_path: int,
    start: Array,
    record: Array,
    *,
    lanes: int | None = None,
) -> tuple[Array, tuple[int, int] | None]:
    """Run the paths that begin at the rows of ``start`` (M, d).

    Parameters
    ----------
    record : ndarray, shape (M, K + 1, d) or (0, K + 1, d)
        Receives the paths, unless it is empty.
    lanes : int, optional
        Paths per block; it changes the time only.

    Returns
    -------
    end : ndarray, shape (M, d)
    left : (step, row) or None
        The first step after which a row lies outside [-1e70, 1e70], and the first such row; all
        else is then unfinished.
    """
    together = lanes_for(start.shape[1]) if lanes is None else lanes
    end = np.empty_like(start)
    failed = np.empty(-(-len(start) // together), dtype=np.int64)
    noisy = bool(np.any(factors.noise))
    _run_blocks(problem, factors, key, noisy, first_path, start, together, end, record, failed)
    return end, _first_failure(failed, end, together)


def _first_failure(failed: Integers, end: Array, lanes: int) -> tuple[int, int] | None:
    """Return the earliest failing step and its first row, whatever the blocks."""
    if not np.any(failed >= 0):
        return None
    step = int(failed[failed >= 0].min())
    rows = np.flatnonzero(~np.all(np.abs(end) <= LARGEST, axis=1))
    return step, next(int(row) for row in rows if failed[row // lanes] == step)
