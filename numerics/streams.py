"""Independent random streams from one seed, addressed by counters.

A stream is named by a tuple of integers (a block, a time index, ...), never by the order in which
it was asked for: results then depend on neither threads, nor batch sizes, nor scheduling.
"""

from __future__ import annotations

import operator
from typing import SupportsIndex

import numpy as np

#: What the keyword ``rng`` accepts everywhere.
Rng = int | np.random.SeedSequence | np.random.Generator

_WORD = 2**32
_LARGEST_KEY = 2**64 - 1
# First words that keep the streams of ``keyed`` and ``spawn`` apart from each other, and from the
# children 0, 1, 2, ... that the caller may have taken from the same SeedSequence.
_KEYED = 0x6B657973
_SPAWNED = 0x73706177


def seed_sequence(rng: Rng) -> np.random.SeedSequence:
    """Return the root of all streams of one ``rng``.

    Parameters
    ----------
    rng : int, SeedSequence or Generator
        An integer >= 0 or a SeedSequence gives the same root each time and is not changed.  A
        Generator gives 128 bits of its own stream, and so a new root each time.

    Returns
    -------
    SeedSequence
        A fresh object: spawning from it changes nothing outside.

    Raises
    ------
    ValueError
        One line, for anything else.

    Examples
    --------
    >>> seed_sequence(7).entropy
    7
    """
    if isinstance(rng, np.random.SeedSequence):
        return np.random.SeedSequence(rng.entropy, spawn_key=rng.spawn_key, pool_size=rng.pool_size)
    if isinstance(rng, np.random.Generator):
        words = rng.integers(_WORD, size=4, dtype=np.uint64)
        return np.random.SeedSequence([int(word) for word in words])
    wanted = "pass an int >= 0, a numpy SeedSequence or a numpy Generator"
    if isinstance(rng, (bool, np.bool_)):
        raise ValueError(f"rng = {rng!r}: a truth value is no seed; {wanted}")
    try:
        seed = operator.index(rng)
    except TypeError:
        raise ValueError(f"rng = {rng!r}: not a source of randomness; {wanted}") from None
    if seed < 0:
        raise ValueError(f"rng = {seed}: a seed is at least 0; {wanted}")
    return np.random.SeedSequence(seed)


def spawn(rng: Rng, count: int) -> tuple[np.random.Generator, ...]:
    """Return ``count`` independent generators.

    Parameters
    ----------
    rng : int, SeedSequence or Generator
        As in ``seed_sequence``.
    count : int
        How many, at least 0; the first ones do not depend on it.

    Returns
    -------
    tuple of Generator

    Raises
    ------
    ValueError
        One line, for a bad ``rng`` or ``count``.

    Examples
    --------
    >>> first, second = spawn(0, 2)
    >>> bool(first.random() != second.random())
    True
    """
    number = _count("count", count)
    root = seed_sequence(rng)
    return tuple(_named(root, (_SPAWNED, *_words(index))) for index in range(number))


def keyed(rng: Rng, *key: int) -> np.random.Generator:
    """Return the generator named ``key``, the same whenever and wherever it is asked for.

    Parameters
    ----------
    rng : int, SeedSequence or Generator
        As in ``seed_sequence``.  Take the root of a Generator once and pass that: each use of
        the Generator itself is a new root.
    *key : int
        At least one integer in [0, 2**64).  Different keys, of equal or different lengths, give
        independent streams, independent of those of ``spawn`` as well.

    Returns
    -------
    Generator

    Raises
    ------
    ValueError
        One line, for a bad ``rng`` or key.

    Examples
    --------
    >>> bool(keyed(0, 3, 1).random() == keyed(0, 3, 1).random())
    True
    """
    if not key:
        raise ValueError("key is empty: a stream is named by at least one integer; pass one")
    words = [
        word
        for position, part in enumerate(key)
        for word in _words(_count(f"key[{position}]", part))
    ]
    return _named(seed_sequence(rng), (_KEYED, len(key), *words))


def _words(number: int) -> tuple[int, int]:
    """Two words per integer: SeedSequence itself would read (2**32,) and (0, 1) alike."""
    return number % _WORD, number // _WORD


def _named(root: np.random.SeedSequence, words: tuple[int, ...]) -> np.random.Generator:
    """Return the generator of one descendant of ``root``."""
    return np.random.default_rng(
        np.random.SeedSequence(
            root.entropy, spawn_key=(*root.spawn_key, *words), pool_size=root.pool_size
        )
    )


def _count(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int in [0, 2**64), or raise a one-line error."""
    fix = "it must be an integer in [0, 2**64); pass one"
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} = {value!r}: {fix}")
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} = {value!r}: {fix}") from None
    if not 0 <= number <= _LARGEST_KEY:
        raise ValueError(f"{name} = {number}: {fix}")
    return number
