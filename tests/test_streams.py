"""Random streams: named, reproducible, independent of each other and of order."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.streams import keyed, seed_sequence, spawn


def first(generator):
    return generator.integers(2**64, size=2, dtype=np.uint64).tolist()


def test_streams_do_not_depend_on_order_or_number():
    forward = [first(keyed(3, block, 7)) for block in range(5)]
    backward = [first(keyed(3, block, 7)) for block in reversed(range(5))]
    assert forward == backward[::-1]
    assert [first(g) for g in spawn(3, 2)] == [first(g) for g in spawn(3, 9)][:2]


def test_all_names_give_different_streams():
    root = np.random.SeedSequence(11)
    keys = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0), (2**32,), (2**32, 0), (2**64 - 1,)]
    streams = [first(keyed(root, *key)) for key in keys]
    streams += [first(g) for g in spawn(root, 4)]
    # Children that the caller took from the same sequence.
    streams += [first(np.random.default_rng(child)) for child in root.spawn(4)]
    streams += [first(np.random.default_rng(root)), first(keyed(12, 0))]
    assert len({tuple(s) for s in streams}) == len(streams)


def test_every_kind_of_rng():
    sequence = np.random.SeedSequence(5)
    assert first(keyed(5, 1)) == first(keyed(sequence, 1)) == first(keyed(np.int64(5), 1))
    assert sequence.n_children_spawned == 0
    child = np.random.SeedSequence(5).spawn(1)[0]
    assert first(keyed(child, 1)) != first(keyed(sequence, 1))
    # A Generator is consumed: new streams each time, the same sequence of them for one seed.
    one, other = np.random.default_rng(9), np.random.default_rng(9)
    made = [first(keyed(one, 1)) for _ in range(2)]
    assert made[0] != made[1]
    assert made == [first(keyed(other, 1)) for _ in range(2)]
    assert first(keyed(seed_sequence(np.random.default_rng(9)), 1)) == made[0]


def test_streams_are_uncorrelated():
    # 200 streams of 500 normals: the largest of 19900 correlations, each N(0, 1/500), exceeds
    # 7 / sqrt(500) with probability 5e-8; the mean of all 1e5 draws exceeds 5.5 sd with 4e-8.
    draws = np.array([keyed(0, k).standard_normal(500) for k in range(200)])
    correlation = np.corrcoef(draws) - np.eye(200)
    assert 0.05 < np.abs(correlation).max() < 7.0 / np.sqrt(500.0)
    assert abs(draws.mean()) < 5.5 / np.sqrt(draws.size)


@pytest.mark.parametrize("bad", [True, -1, 1.5, "seed", None, [1], np.random.RandomState(0)])
@pytest.mark.parametrize("use", [lambda r: keyed(r, 0), lambda r: spawn(r, 1), seed_sequence])
def test_bad_rng_is_refused_on_one_line(use, bad):
    with pytest.raises(ValueError, match=r"^rng = ") as caught:
        use(bad)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keyed(0), "key is empty"),
        (lambda: keyed(0, -1), r"key\[0\] = -1"),
        (lambda: keyed(0, 1, 2**64), r"key\[1\] = 18446744073709551616"),
        (lambda: keyed(0, 0.5), r"key\[0\] = 0.5"),
        (lambda: keyed(0, True), r"key\[0\] = True"),
        (lambda: spawn(0, -1), "count = -1"),
        (lambda: spawn(0, "2"), "count = '2'"),
    ],
)
def test_bad_names_are_refused_on_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_no_streams_are_allowed():
    assert spawn(0, 0) == ()
