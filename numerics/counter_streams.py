"""Random words addressed by a counter: Philox 4x32-10, and its key from a seed.

A counter-based generator is a function of a key and a counter, without a state: the word for a
path and a step is the same whoever asks for it, in whatever order and on however many threads.
Written on 64-bit words that hold 32 bits each, a loop over ``philox`` becomes vector code.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.streams import Rng, seed_sequence

#: Two words of 32 bits, each in a uint64.
Key = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_FIRST_MULTIPLIER = np.uint64(0xD2511F53)
_SECOND_MULTIPLIER = np.uint64(0xCD9E8D57)
# Weyl sequences of the two key words: the golden ratio and the square root of 3, minus 1.
_FIRST_WEYL = np.uint64(0x9E3779B9)
_SECOND_WEYL = np.uint64(0xBB67AE85)

# First word of the spawn key: keeps these keys apart from the other streams of one seed.
_COUNTED = 0x636E7472


@njit(cache=True, forceinline=True)
def _round(
    c0: np.uint64,
    c1: np.uint64,
    c2: np.uint64,
    c3: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    number: np.uint64,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Mix the counter once, with the key of round ``number``."""
    first = c0 * _FIRST_MULTIPLIER
    second = c2 * _SECOND_MULTIPLIER
    return (
        (second >> _HALF) ^ c1 ^ ((k0 + number * _FIRST_WEYL) & _LOW),
        second & _LOW,
        (first >> _HALF) ^ c3 ^ ((k1 + number * _SECOND_WEYL) & _LOW),
        first & _LOW,
    )


@njit(cache=True, forceinline=True)
def philox(
    c0: np.uint64,
    c1: np.uint64,
    c2: np.uint64,
    c3: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words of Philox 4x32-10 for a counter and a key.

    Parameters
    ----------
    c0, c1, c2, c3 : uint64
        Words of the counter, below 2**32.
    k0, k1 : uint64
        Words of the key, below 2**32.

    Examples
    --------
    >>> [f"{word:08x}" for word in philox(*np.zeros(6, dtype=np.uint64))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    # Ten rounds, written out: an inner loop would keep the loop over counters from vector code.
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(0))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(1))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(2))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(3))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(4))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(5))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(6))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(7))
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1, np.uint64(8))
    return _round(c0, c1, c2, c3, k0, k1, np.uint64(9))


def stream_key(rng: Rng) -> Key:
    """Return the key (2,) of the counter-based streams of one ``rng``.

    Parameters
    ----------
    rng : int, SeedSequence or Generator
        As in ``numerics.streams.seed_sequence``; a Generator gives a new key each time.

    Returns
    -------
    ndarray of uint64, shape (2,)
        Words below 2**32, independent of the streams of ``keyed`` and ``spawn``.

    Raises
    ------
    ValueError
        One line, for a bad ``rng``.

    Examples
    --------
    >>> key = stream_key(7)
    >>> bool(np.all(key == stream_key(np.random.SeedSequence(7))))
    True
    """
    root = seed_sequence(rng)
    own = np.random.SeedSequence(
        root.entropy, spawn_key=(*root.spawn_key, _COUNTED), pool_size=root.pool_size
    )
    return own.generate_state(2, np.uint32).astype(np.uint64)
