"""Compiled Euler steps x ← a x + b m̂(x, t) of many models from many starts.

Starts run in blocks, coordinates outside and starts inside, so that every loop is vector code. No
sum runs over starts or models: the bits of an end point depend on neither threads nor blocks.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.denoiser_axes import (
    AxisPlan,
    Scratch,
    fill_fourier,
    fill_gaussians,
    new_scratch,
    own_plan,
    sum_gaussians,
)
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]

# Starts that share a block, enough to make calls cheap, and blocks of one task.
_LANES = 256
_BLOCKS = 4
# Coefficients come in fours, with zeros added.
_FOUR = 4


@njit(cache=True, parallel=True)
def time_contracted(weights: Array, times: Array, first: int, second: int) -> Array:
    """Return Σ_c W_{abc} g_c(t) as (models, steps, first, d, second padded to fours).

    ``weights`` is (models, d, first * second * K), ``times`` (steps, K) the values g_c(t).
    """
    models, dimension, _ = weights.shape
    steps, count = times.shape
    padded = -(-second // _FOUR) * _FOUR
    out = np.zeros((models, steps, first, dimension, padded))
    for index in prange(models):
        i = int(np.int64(index))  # prange counts in uint64
        for k in range(steps):
            for a in range(first):
                for e in range(dimension):
                    for b in range(second):
                        start = (a * second + b) * count
                        total = 0.0
                        for c in range(count):
                            total += weights[i, e, start + c] * times[k, c]
                        out[i, k, a, e, b] = total
    return out


@njit(cache=True)
def _fill(x: Array, plan: AxisPlan, scratch: Scratch, out: Array) -> None:
    if plan.kind == 0:
        fill_gaussians(x, plan, scratch, out)
    else:
        fill_fourier(x, plan, scratch, out)


@njit(cache=True, forceinline=True)
def _dot(row: Array, values: Array, out: Array) -> None:
    """Write Σ_b row_b values[b] (lanes,), four terms at a time."""
    lanes = len(out)
    for p in range(lanes):
        out[p] = 0.0
    for b in range(0, len(row), _FOUR):
        c0, c1, c2, c3 = row[b], row[b + 1], row[b + 2], row[b + 3]
        v0, v1, v2, v3 = values[b], values[b + 1], values[b + 2], values[b + 3]
        for p in range(lanes):
            near = fused(c0, v0[p], out[p])
            far = fused(c3, v3[p], c2 * v2[p])
            out[p] = fused(c1, v1[p], near) + far


@njit(cache=True)
def _bilinear(coefficients: Array, outer: Array, inner: Array, along: Array, across: Array) -> None:
    """Write Σ_ab C_{a e b} outer[a] inner[b] (lanes,), e = 0 and 1, four terms of b at a time."""
    lanes = len(along)
    along[:] = 0.0
    across[:] = 0.0
    for a in range(coefficients.shape[0]):
        for b in range(0, coefficients.shape[2], _FOUR):
            row = coefficients[a, 0, b : b + _FOUR]
            c0, c1, c2, c3 = row[0], row[1], row[2], row[3]
            row = coefficients[a, 1, b : b + _FOUR]
            d0, d1, d2, d3 = row[0], row[1], row[2], row[3]
            for p in range(lanes):
                v0, v1, v2, v3 = inner[b, p], inner[b + 1, p], inner[b + 2, p], inner[b + 3, p]
                first = fused(c0, v0, c1 * v1) + fused(c2, v2, c3 * v3)
                second = fused(d0, v0, d1 * v1) + fused(d2, v2, d3 * v3)
                along[p] = fused(outer[a, p], first, along[p])
                across[p] = fused(outer[a, p], second, across[p])


@njit(cache=True)
def _advance_line(x: Array, coefficients: Array, factors: Array, plan: AxisPlan) -> None:
    """Take all steps of one block (1, lanes); coefficients are (steps, 1, 1, padded)."""
    lanes = x.shape[1]
    values, scratch = np.zeros((coefficients.shape[3], lanes)), new_scratch(lanes)
    terms, found = np.empty((2, plan.features + 8)), np.empty(lanes)
    for k in range(len(factors)):
        if plan.kind == 0:
            sum_gaussians(x[0], plan, coefficients[k, 0, 0], scratch, terms, found)
        else:
            fill_fourier(x[0], plan, scratch, values)
            _dot(coefficients[k, 0, 0], values, found)
        a, b = factors[k, 0], factors[k, 1]
        for p in range(lanes):
            x[0, p] = fused(b, found[p], a * x[0, p])


@njit(cache=True)
def _advance_plane(
    x: Array, coefficients: Array, factors: Array, first: AxisPlan, second: AxisPlan
) -> None:
    """Take all steps of one block (2, lanes); coefficients are (steps, K_1, 2, padded)."""
    lanes = x.shape[1]
    outer = np.zeros((first.features, lanes))
    inner = np.zeros((coefficients.shape[3], lanes))
    along, across, scratch = np.empty(lanes), np.empty(lanes), new_scratch(lanes)
    for k in range(len(factors)):
        _fill(x[0], first, scratch, outer)
        _fill(x[1], second, scratch, inner)
        _bilinear(coefficients[k], outer, inner, along, across)
        a, b = factors[k, 0], factors[k, 1]
        for p in range(lanes):
            x[0, p] = fused(b, along[p], a * x[0, p])
        for p in range(lanes):
            x[1, p] = fused(b, across[p], a * x[1, p])


@njit(cache=True, parallel=True)
def model_flows(
    starts: Array,
    coefficients: Array,
    factors: Array,
    first: AxisPlan,
    second: AxisPlan,
    out: Array,
) -> None:
    """Write the ends (models, n, d) of starts (1 or models, n, d); factors are (steps, 2)."""
    models, count, dimension = out.shape
    task = _LANES * _BLOCKS
    tasks = -(-count // task)
    for index in prange(models * tasks):
        model = int(np.int64(index)) // tasks
        low = (int(np.int64(index)) % tasks) * task
        source = model % len(starts)
        x, own = np.zeros((dimension, _LANES)), coefficients[model].copy()
        outer, inner, pairs = own_plan(first), own_plan(second), factors.copy()
        for begin in range(low, min(low + task, count), _LANES):
            end = min(begin + _LANES, count)
            for p in range(begin, end):
                for e in range(dimension):
                    x[e, p - begin] = starts[source, p, e]
            if dimension == 1:
                _advance_line(x, own, pairs, inner)
            else:
                _advance_plane(x, own, pairs, outer, inner)
            for p in range(begin, end):
                for e in range(dimension):
                    out[model, p, e] = x[e, p - begin]


@njit(cache=True)
def _posterior_mean(
    x: Array, atoms: Array, mu: float, variance: float, squares: Array, out: Array
) -> None:
    """Write E[X_0 | X_t = x] (d, lanes) of equal masses at atoms (M, d)."""
    dimension, lanes = x.shape
    least, total = np.full(lanes, np.inf), np.zeros(lanes)
    for i in range(len(atoms)):
        for p in range(lanes):
            squares[i, p] = 0.0
        for e in range(dimension):
            for p in range(lanes):
                gap = x[e, p] - mu * atoms[i, e]
                squares[i, p] += gap * gap
        for p in range(lanes):
            least[p] = min(least[p], squares[i, p])
    out[:] = 0.0
    half = 0.5 / variance
    for i in range(len(atoms)):
        for p in range(lanes):
            weight = decay((squares[i, p] - least[p]) * half)
            squares[i, p] = weight
            total[p] += weight
        for e in range(dimension):
            for p in range(lanes):
                out[e, p] += squares[i, p] * atoms[i, e]
    for e in range(dimension):
        for p in range(lanes):
            out[e, p] /= total[p]


@njit(cache=True, parallel=True, error_model="numpy")
def point_mass_flows(
    starts: Array, atoms: Array, levels: Array, factors: Array, out: Array
) -> None:
    """Write the ends (n, d) under the exact posterior mean; levels (steps, 2) are μ and σ²."""
    count, dimension = starts.shape
    blocks = -(-count // _LANES)
    for index in prange(blocks):
        begin = int(np.int64(index)) * _LANES
        end = min(begin + _LANES, count)
        x, mean = np.zeros((dimension, _LANES)), np.zeros((dimension, _LANES))
        squares = np.empty((len(atoms), _LANES))
        for p in range(begin, end):
            for e in range(dimension):
                x[e, p - begin] = starts[p, e]
        for k in range(len(factors)):
            _posterior_mean(x, atoms, levels[k, 0], levels[k, 1], squares, mean)
            a, b = factors[k, 0], factors[k, 1]
            for e in range(dimension):
                for p in range(_LANES):
                    x[e, p] = fused(b, mean[e, p], a * x[e, p])
        for p in range(begin, end):
            for e in range(dimension):
                out[p, e] = x[e, p - begin]
