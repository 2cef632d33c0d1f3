"""The random numbers of pairs of training chains, addressed by pair, purpose and position.

For each pair and purpose there is one endless list of uniforms or normals, two to a block of
Philox. Step k of a chain that takes n numbers a step reads numbers k n to (k + 1) n - 1, so that
neither threads, nor blocks of pairs, nor how many steps are drawn together change any of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.counter_streams import Key, philox, stream_key
from numerics.sampler_normals import fill_normals
from numerics.streams import Rng, seed_sequence

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Purposes: which samples, which levels, the redraws z, the noise Z, acceptance, and the z of
#: score changes.
BATCH, LEVEL, REDRAW, NOISE, ACCEPT, SCORE = range(6)

#: A block's number takes the bits below the purpose's.
PURPOSE_BITS = 58

#: Pair indices fill one word of the counter.
MOST_PAIRS = 2**32

# Keeps these streams apart from those of the samplers of the same seed.
_CHAINS = 0x636861696E
# Normals of the redraws that one pair holds at a time, more or less.
_TOGETHER = 1024

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_DROPPED = np.uint64(11)
_ZERO = np.uint64(0)
_UNIT = 2.0**-53


class Sizes(NamedTuple):
    """N samples, B of them a step, P redraws each, dimensions d and p, and levels."""

    size: int
    batch: int
    redraws: int
    dimension: int
    parameters: int
    levels: int


class Draws(NamedTuple):
    """What T steps of one pair draw."""

    chosen: Integers  # (T, B): samples
    level: Integers  # (T, B P)
    z: Array  # (T, B P d)
    noise: Array  # (T, p), or (0, p) without noise
    accept: Array  # (T,), or (0,) where nothing is accepted


def chain_key(rng: Rng) -> Key:
    """Return the key (2,) of all chains of one ``rng``.

    Parameters
    ----------
    rng : int, SeedSequence or Generator
        As in ``numerics.streams.seed_sequence``; a Generator gives a new key each time.

    Examples
    --------
    >>> from numerics.counter_streams import stream_key
    >>> bool(np.any(chain_key(0) != stream_key(0)))
    True
    """
    root = seed_sequence(rng)
    return stream_key(
        np.random.SeedSequence(
            root.entropy, spawn_key=(*root.spawn_key, _CHAINS), pool_size=root.pool_size
        )
    )


def steps_together(sizes: Sizes, steps: int) -> int:
    """Return how many steps to draw at once: an even number, so that all blocks are whole.

    Examples
    --------
    >>> steps_together(Sizes(100, 10, 1, 2, 2, 1), 1000), steps_together(Sizes(9, 9, 1, 1, 1, 1), 1)
    (50, 2)
    """
    fitting = _TOGETHER // (sizes.batch * sizes.redraws * sizes.dimension)
    return max(2, min(fitting, steps + 1) // 2 * 2)


@njit(cache=True)
def stream_normals(key: Key, pair: int, purpose: int, first: int, out: Array) -> None:
    """Write normals ``first``, ``first + 1``, ... of one list to ``out`` (n,); ``first`` is even.

    Examples
    --------
    >>> whole, late = np.empty(6), np.empty(3)
    >>> stream_normals(chain_key(0), 5, REDRAW, 0, whole)
    >>> stream_normals(chain_key(0), 5, REDRAW, 2, late)
    >>> bool(np.all(whole[2:5] == late))
    True
    """
    lanes = (len(out) + 1) // 2
    drawn = np.empty((2, lanes))
    fill_normals(key, (purpose << PURPOSE_BITS) + first // 2, lanes, pair, drawn)
    for n in range(len(out)):
        out[n] = drawn[n % 2, n // 2]


@njit(cache=True)
def stream_uniforms(key: Key, pair: int, purpose: int, first: int, out: Array) -> None:
    """Write uniforms in [0, 1), multiples of 2**-53, as ``stream_normals`` writes normals.

    Examples
    --------
    >>> out = np.empty(1000)
    >>> stream_uniforms(chain_key(0), 5, BATCH, 0, out)
    >>> float(out.mean().round(1)), bool(out.max() < 1.0)
    (0.5, True)
    """
    lanes = (len(out) + 1) // 2
    drawn = np.empty((2, lanes))
    k0 = key[0]
    k1 = key[1]
    c2 = np.uint64(pair)
    low = (purpose << PURPOSE_BITS) + first // 2
    for j in range(lanes):
        block = np.uint64(low + j)
        w0, w1, w2, w3 = philox(block & _LOW, block >> _HALF, c2, _ZERO, k0, k1)
        drawn[0, j] = float(np.int64(((w1 << _HALF) | w0) >> _DROPPED)) * _UNIT
        drawn[1, j] = float(np.int64(((w3 << _HALF) | w2) >> _DROPPED)) * _UNIT
    for n in range(len(out)):
        out[n] = drawn[n % 2, n // 2]


@njit(cache=True)
def new_draws(sizes: Sizes, together: int, noisy: bool, accepting: bool) -> Draws:
    """Return room for what ``together`` steps draw."""
    redrawn = sizes.batch * sizes.redraws
    return Draws(
        np.zeros((together, sizes.batch), dtype=np.int64),
        np.zeros((together, redrawn), dtype=np.int64),
        np.empty((together, redrawn * sizes.dimension)),
        np.empty((together if noisy else 0, sizes.parameters)),
        np.empty(together if accepting else 0),
    )


@njit(cache=True)
def draw_steps(
    key: Key, pair: int, step: int, sizes: Sizes, cumulative: Array, order: Integers, draws: Draws
) -> None:
    """Fill ``draws`` for steps ``step``, ``step + 1``, ...; ``step`` is even.

    ``order`` (N,) is a permutation of the samples that later steps shuffle further: the first B
    places after B exchanges hold a uniform subset, whatever the permutation was before.
    """
    together = len(draws.chosen)
    redrawn = sizes.batch * sizes.redraws
    picked = np.empty(together * sizes.batch if sizes.batch < sizes.size else 0)
    leveled = np.empty(together * redrawn if sizes.levels > 1 else 0)
    # Loops, as each call would be compiled into vector code of its own.
    uniforms = (picked, leveled, draws.accept)
    places = (step * sizes.batch, step * redrawn, step)
    for n, purpose in enumerate((BATCH, LEVEL, ACCEPT)):
        stream_uniforms(key, pair, purpose, places[n], uniforms[n])
    normals = (draws.z.reshape(draws.z.size), draws.noise.reshape(draws.noise.size))
    numbers = (step * redrawn * sizes.dimension, step * sizes.parameters)
    for n, purpose in enumerate((REDRAW, NOISE)):
        stream_normals(key, pair, purpose, numbers[n], normals[n])
    for t in range(together):
        for b in range(sizes.batch):
            draws.chosen[t, b] = b
            if len(picked) > 0:
                place = b + int(picked[t * sizes.batch + b] * (sizes.size - b))
                draws.chosen[t, b] = order[place]
                order[place] = order[b]
                order[b] = draws.chosen[t, b]
        if len(leveled) > 0:
            for r in range(redrawn):
                u = leveled[t * redrawn + r]
                draws.level[t, r] = np.searchsorted(cumulative, u, side="right")
