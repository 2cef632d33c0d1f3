"""Pairs of training chains for a gradient on rows: one step at a time, many pairs together.

It takes the same random numbers as the compiled kernel, which built-in models use instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.chain_kernel import (
    LARGEST_PARAMETER,
    REFLECTION_MAXIMAL,
    SYNCHRONOUS,
    Levels,
    Rule,
)
from numerics.chain_streams import Draws, Sizes, draw_steps, new_draws, steps_together
from numerics.counter_streams import Key

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = Callable[..., Array]


@njit(cache=True)
def _draw_all(
    key: Key,
    first_pair: int,
    step: int,
    sizes: Sizes,
    cumulative: Array,
    order: Integers,
    chosen: Integers,
    level: Integers,
    z: Array,
    noise: Array,
    accept: Array,
) -> None:
    for i in range(len(order)):
        draws = Draws(chosen[i], level[i], z[i], noise[i], accept[i])
        draw_steps(key, first_pair + i, step, sizes, cumulative, order[i], draws)


def batch_pairs(
    gradient: Rows,
    rule: Rule,
    levels: Levels,
    sizes: Sizes,
    key: Key,
    first_pair: int,
    data: Array,
    start: Array,
    record: Integers,
    kept: Array,
) -> Integers:
    """Do what ``numerics.chain_kernel.kernel_pairs`` does, for a gradient on rows."""
    pairs, count = len(data), sizes.parameters
    noisy = rule.noise > 0.0
    together = steps_together(sizes, len(rule.step_size))
    one = new_draws(sizes, together, noisy, noisy and rule.coupling == REFLECTION_MAXIMAL)
    all_draws = [np.zeros((pairs, *part.shape), dtype=part.dtype) for part in one]
    order = np.tile(np.arange(sizes.size), (pairs, 1))
    chains = np.tile(start, (2, pairs, 1))
    failed = np.full(pairs, -1, dtype=np.int64)
    row = 0
    if len(record) > 0 and record[0] == 0:
        kept[:, 0] = start
        row = 1
    for k, length in enumerate(rule.step_size):
        t = k % together
        if t == 0:
            _draw_all(key, first_pair, k, sizes, levels.cumulative, order, *all_draws)
        chosen, level, z, noise, accept = (part[:, t : t + 1] for part in all_draws)
        samples = data[np.arange(pairs)[:, None], chosen[:, 0]]
        others = np.where(chosen[:, 0, :, None] == 0, data[:, None, sizes.size], samples)
        for chain, x0 in zip(chains, (samples, others), strict=True):
            # A chain that has left is only carried along.
            theta = np.where(failed[:, None] >= 0, start, chain)
            step = _clipped(gradient, rule, levels, sizes, theta, x0, level[:, 0], z[:, 0])
            chain *= 1.0 - length * rule.weight_decay
            chain -= length * step
        if noisy:
            u = accept[:, 0] if rule.coupling == REFLECTION_MAXIMAL else np.zeros(pairs)
            _add_noise(chains, noise[:, 0], length * rule.noise, rule.coupling, u)
        chains = _shrunk(chains, rule.radius)
        left = ~np.all(np.abs(chains) <= LARGEST_PARAMETER, axis=(0, 2))
        failed[left & (failed < 0)] = k
        chains[:, failed >= 0] = start
        if row < len(record) and record[row] == k + 1:
            kept[:, row] = chains.swapaxes(0, 1)
            row += 1
    assert kept.shape[-1] == count
    return failed


def _clipped(
    gradient: Rows,
    rule: Rule,
    levels: Levels,
    sizes: Sizes,
    theta: Array,
    x0: Array,
    level: Integers,
    z: Array,
) -> Array:
    """Return one step's clipped gradients (n, p), for x_0 (n, B, d) and z (n, B P, d)."""
    pairs, count = theta.shape
    draws = level.shape[1]
    dimension = sizes.dimension
    found = gradient(
        np.repeat(theta, draws, axis=0),
        np.repeat(x0.reshape(-1, dimension), sizes.redraws, axis=0),
        z.reshape(-1, dimension),
        levels.mu[level.ravel()],
        levels.sigma[level.ravel()],
    )
    by_sample = found.reshape(pairs, sizes.batch, sizes.redraws, count).mean(axis=2) * levels.mass
    if rule.per_sample:
        by_sample = _shrunk(by_sample, rule.clip)
    step = by_sample.mean(axis=1)
    return step if rule.per_sample else _shrunk(step, rule.clip)


def _norms(vectors: Array) -> Array:
    """Return Euclidean norms (..., 1) without overflow; nan where entries are not finite."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        scaled = vectors / np.where(largest == 0.0, 1.0, largest)
    return np.asarray(largest * np.sqrt((scaled**2).sum(axis=-1, keepdims=True)))


def _shrunk(vectors: Array, radius: float) -> Array:
    """Return the projections on a ball."""
    if radius == np.inf:
        return vectors
    lengths = _norms(vectors)
    return np.where(lengths > radius, vectors * (radius / np.maximum(lengths, radius)), vectors)


def _add_noise(chains: Array, noise: Array, deviation: float, coupling: int, u: Array) -> None:
    """Add coupled noise to chains (2, n, p), in place."""
    first, second = chains
    if coupling == SYNCHRONOUS:
        chains += deviation * noise
        return
    difference = first - second
    largest = np.abs(difference).max(axis=1, keepdims=True)
    apart = largest[:, 0] > 0.0
    # Where a chain is not finite, what comes out is not either.
    with np.errstate(invalid="ignore", over="ignore"):
        e = difference / np.where(apart[:, None], largest, 1.0)
        length = np.sqrt((e**2).sum(axis=1, keepdims=True))
        e /= np.where(apart[:, None], length, 1.0)
        along = (e * noise).sum(axis=1)
        h = largest[:, 0] * length[:, 0] / deviation
        meeting = np.exp(np.minimum(0.0, -h * (along + 0.5 * h)))
    first += deviation * noise
    second += deviation * (noise - 2.0 * along[:, None] * e)
    # Equal means, and an accepted meeting.
    met = ~apart if coupling != REFLECTION_MAXIMAL else ~apart | (u < meeting)
    second[met] = first[met]
