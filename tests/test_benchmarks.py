"""The benchmark's harness and its page; nothing here depends on how fast anything is."""

from __future__ import annotations

from itertools import count

import pytest

from benchmarks.contest import Contest, Contestant, Row, Target, Timing, compete
from benchmarks.machine import is_missing
from benchmarks.rows import ROWS
from benchmarks.table import best_peer, met, ratio, render, seconds_text


def never_prepared():
    raise AssertionError("a missing peer was prepared")


def broken():
    raise ArithmeticError("no such kernel")


def timed(contest, *, seconds, budget=100.0):
    """Run with a clock on which every call of a contestant takes the seconds given for it."""
    now = [0.0]

    def slow(contestant):
        run = contestant.prepare

        def prepare():
            call = run()

            def timed_call():
                now[0] += seconds[contestant.name]
                return call()

            return timed_call

        return Contestant(
            contestant.name, contestant.module, prepare, contestant.calls, contestant.note
        )

    slowed = Contest(
        [slow(c) for c in contest.contestants], contest.error, contest.work, contest.gave_up
    )
    return compete(slowed, repetitions=3, budget=budget, missing=is_missing, clock=lambda: now[0])


def test_a_missing_peer_is_left_out_and_the_rest_is_measured():
    contest = Contest(
        (
            Contestant("ours", None, lambda: lambda: 1.0, calls=4),
            Contestant("absent", "no_such_module", never_prepared),
            Contestant("failing", None, lambda: broken),
            Contestant("peer", "math", lambda: lambda: 1.5),
        ),
        error=lambda result: abs(result - 1.0),
    )
    seconds = {"ours": 1.0, "absent": 1.0, "failing": 1.0, "peer": 3.0}
    ours, absent, failing, peer = timed(contest, seconds=seconds)
    assert (ours.seconds, ours.repetitions, ours.error) == (1.0, 3, 0.0)
    assert (absent.seconds, absent.failure) == (None, "not installed")
    assert (failing.seconds, failing.failure) == (None, "failed: ArithmeticError")
    assert (peer.seconds, peer.repetitions, peer.error) == (3.0, 3, 0.5)


def test_a_slow_peer_runs_once_and_a_middling_one_less_often():
    calls = count()
    contest = Contest(
        (
            Contestant("ours", None, lambda: lambda: None),
            Contestant("slow", None, lambda: lambda: next(calls)),
            Contestant("middling", None, lambda: lambda: None),
        )
    )
    seconds = {"ours": 1.0, "slow": 61.0, "middling": 31.0}
    ours, slow, middling = timed(contest, seconds=seconds, budget=60.0)
    assert (ours.repetitions, slow.repetitions, middling.repetitions) == (3, 1, 2)
    assert slow.seconds == 61.0
    assert next(calls) == 1


def page(row, timings, *, quick=False):
    return render(
        [(row, timings)],
        versions={"numpy": "2.0", "jax": None},
        machine="a machine",
        repetitions=5,
        budget=60.0,
        quick=quick,
    )


def test_the_page_compares_with_the_best_peer():
    row = Row("name", "a kernel", Target("≥ 2×", 2.0), lambda quick: Contest(()))
    timings = [
        Timing("ours", 0.5, 5, 1e-16, first_call=7.0, peak_bytes=2**21),
        Timing("slow peer", 3.0, 2, 1e-12),
        Timing("fast peer", 0.9, 5, 1e-12, note="rounds"),
        Timing("absent", failure="not installed"),
        Timing("for scale", 0.1, 5, reference=True),
    ]
    assert best_peer(timings).name == "fast peer"
    assert ratio(timings) == pytest.approx(1.8)
    assert met(row, timings) == "no"
    text = page(row, timings)
    assert "| a kernel | 500 ms | fast peer 900 ms | 1.8× | ≥ 2× | no |" in text
    assert "| ours | 500 ms | 5 | 1e-16 | 7.00 s | 2 MiB |" in text
    assert "| absent | not installed | – | – | – | – |" in text
    assert "fast peer: rounds." in text
    assert "- Versions: numpy 2.0\n" in text
    assert "- Not installed, not measured: jax\n" in text
    assert "| ≥ 2× | – |" in page(row, timings, quick=True)


def test_the_page_without_any_peer_and_with_one_that_gave_up():
    limit = Row("name", "a kernel", Target("≤ 1 s", seconds=1.0), lambda quick: Contest(()))
    alone = [Timing("ours", 0.5, 1), Timing("absent", failure="not installed")]
    assert "| a kernel | 500 ms | – | – | ≤ 1 s | yes |" in page(limit, alone)
    assert met(limit, [Timing("ours", 2.0, 1)]) == "no"
    assert met(limit, [Timing("ours", failure="failed")]) == "–"
    gave_up = [Timing("ours", 0.5, 1), Timing("peer", 5.0, 1, work="9 boxes", gave_up=True)]
    assert "| > 10× |" in page(limit, gave_up)
    assert "| peer | 5.00 s | 1 | – | – | – | 9 boxes |" in page(limit, gave_up)


def test_durations_have_a_unit():
    assert [seconds_text(s) for s in (61.0, 0.00025, 9.876)] == ["61 s", "250 µs", "9.88 s"]


def test_every_row_has_its_own_name_and_the_first_contestant_is_ours():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    small = next(row for row in ROWS if row.name == "stability-shared").build(True)
    assert small.contestants[0].name.startswith("ours")
