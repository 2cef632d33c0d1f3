"""Counter-based randomness: published answers, independence of layout, and the normal law."""

from __future__ import annotations

import itertools
import math

import numba
import numpy as np
import pytest
from scipy import stats

from numerics import sampler_normals
from numerics.counter_streams import philox, stream_key
from numerics.sampler_normals import keyed_normals
from numerics.streams import keyed, spawn

WORD = 2**32


def plain_philox(counter, key):
    """Philox 4x32-10 on Python integers, straight from the paper."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high, low = divmod(0xD2511F53 * c[0], WORD)
        other_high, other_low = divmod(0xCD9E8D57 * c[2], WORD)
        c = [other_high ^ c[1] ^ k[0], other_low, high ^ c[3] ^ k[1], low]
        k = [(k[0] + 0x9E3779B9) % WORD, (k[1] + 0xBB67AE85) % WORD]
    return c


def plain_normal(key, path, draw, coordinate):
    """Box–Muller by the mathematical library, with the documented words and angle."""
    w = plain_philox((path % WORD, path // WORD, draw, coordinate // 2), key)
    u = (((w[1] << 32 | w[0]) >> 11) + 1) / 2**53
    v = ((w[3] << 32 | w[2]) >> 11) / 2**53
    angle = 2.0 * math.pi * (v - 0.125)
    turn = math.sin if coordinate % 2 else math.cos
    return math.sqrt(-2.0 * math.log(u)) * turn(angle)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((WORD - 1,) * 4, (WORD - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_published_known_answers(counter, key, words):
    arguments = (*counter, *key)
    fast = philox(*(np.uint64(word) for word in arguments))
    assert " ".join(f"{word:08x}" for word in fast) == words
    assert " ".join(f"{word:08x}" for word in plain_philox(counter, key)) == words


def test_normals_are_box_muller_of_the_named_counter():
    key = stream_key(4)
    first = WORD - 2  # the path index crosses 32 bits
    for draw in (0, 3, WORD - 1):
        rows = keyed_normals(key, first_path=first, paths=5, draw=draw, dimension=5)
        words = [int(word) for word in key]
        plain = [[plain_normal(words, first + m, draw, c) for c in range(5)] for m in range(5)]
        assert np.allclose(rows, plain, rtol=0.0, atol=2e-15)


def test_logarithm_cosine_and_sine_are_accurate():
    rng = np.random.default_rng(0)
    edge = math.sqrt(0.5)
    u = np.concatenate(
        [
            rng.random(3000),
            2.0 ** -rng.uniform(0.0, 53.0, 1000),
            1.0 - 2.0 ** -np.arange(1.0, 54.0),
            [1.0, 2.0**-53, edge, np.nextafter(edge, 0.0), np.nextafter(edge, 1.0)],
        ]
    )
    exact = -np.log(u.astype(np.longdouble))
    found = np.array([sampler_normals._minus_log(value) for value in u])
    assert np.all(np.abs(found - exact) <= 4.0 * 2.0**-53 * exact)

    turn = np.concatenate([rng.uniform(-0.125, 0.125, 3000), [0.0, 0.125, -0.125, 2.0**-53]])
    angle = 8.0 * np.arctan(np.longdouble(1.0)) * turn
    pairs = np.array([sampler_normals._cosine_sine(value) for value in turn])
    for value, exact in ((pairs[:, 0], np.cos(angle)), (pairs[:, 1], np.sin(angle))):
        assert np.all(np.abs(value - exact) <= 3.0 * 2.0**-53 * np.abs(exact))


def test_bits_depend_on_neither_split_nor_threads_nor_dimension():
    key = stream_key(1)
    whole = keyed_normals(key, first_path=0, paths=30_000, draw=2, dimension=3)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = keyed_normals(key, first_path=0, paths=30_000, draw=2, dimension=3)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(whole, alone)
    for first, last in itertools.pairwise((0, 1, 100, 357, 20_001, 30_000)):
        part = keyed_normals(key, first_path=first, paths=last - first, draw=2, dimension=2)
        assert np.array_equal(part, whole[first:last, :2])


def test_keys_follow_the_seed_and_stay_apart_from_other_streams():
    sequence = np.random.SeedSequence(5)
    assert np.array_equal(stream_key(5), stream_key(sequence))
    assert sequence.n_children_spawned == 0
    others = [keyed(5, 0), spawn(5, 1)[0], np.random.default_rng(5)]
    others += [np.random.default_rng(child) for child in sequence.spawn(2)]
    states = [g.bit_generator.seed_seq.generate_state(2, np.uint32).tolist() for g in others]
    keys = [stream_key(5).tolist(), stream_key(6).tolist(), stream_key(sequence.spawn(1)[0])]
    assert len({tuple(map(int, words)) for words in (*states, *keys)}) == len(others) + 3
    generator = np.random.default_rng(0)
    assert not np.array_equal(stream_key(generator), stream_key(generator))
    with pytest.raises(ValueError, match=r"^rng = -1"):
        stream_key(-1)


def test_a_million_draws_are_standard_normal():
    # Each check below errs with probability 1e-9 at most if the law is N(0, 1); there are 9.
    draws = keyed_normals(stream_key(2024), first_path=0, paths=500_000, draw=1, dimension=2)
    z = draws.ravel()
    bound = stats.norm.isf(0.5e-9)
    for power, mean, variance in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs(np.mean(z**power) - mean) < bound * math.sqrt(variance / z.size)
    assert stats.kstest(z, "norm").pvalue > 1e-9
    bins = np.bincount((stats.norm.cdf(z) * 1000.0).astype(int), minlength=1000)
    assert stats.chi2.sf(np.sum((bins - 1000.0) ** 2) / 1000.0, 999) > 1e-9
    # The pair of one block: independent, also in its radius.
    x, y = draws.T
    assert abs(np.mean(x * y)) < bound / math.sqrt(x.size)
    assert abs(np.mean((x**2 - 1.0) * (y**2 - 1.0))) < bound * 2.0 / math.sqrt(x.size)
    # Tails beyond 4 sd, 63 draws expected.
    low, high = stats.poisson.isf([1.0 - 0.5e-9, 0.5e-9], 2.0 * z.size * stats.norm.sf(4.0))
    assert low <= np.sum(np.abs(z) > 4.0) <= high


def test_neighbouring_names_are_uncorrelated():
    # Products of distinct normals average 0 with variance 1/n: six checks at 1e-9 each.
    def draw(seed, first, k):
        return keyed_normals(stream_key(seed), first_path=first, paths=100_000, draw=k, dimension=4)

    base = draw(0, 0, 1)
    others = (draw(0, 1, 1), draw(0, 0, 2), draw(0, 0, 0), draw(1, 0, 1), draw(0, WORD, 1))
    bound = stats.norm.isf(0.5e-9) / math.sqrt(base.size)
    for other in others:
        assert abs(np.mean(base * other)) < bound
    assert abs(np.mean(base[:, :2] * base[:, 2:])) < bound * math.sqrt(2.0)
