"""A row of the table as data: contestants that compute the same thing, and how to time them.

Repetitions are interleaved, so that a slow moment of the machine falls on everyone. A contestant
that has used up its budget drops out of later rounds: what takes longer than the cap runs once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Run = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to compute a row's result.

    ``prepare`` imports what it needs, converts the inputs and returns the call to be timed;
    ``module`` is the importable name of the peer, None for ours and for plain Python. ``calls``
    of the returned function are timed together. ``note`` appears below the table. A ``reference``
    is shown for scale and is no peer.
    """

    name: str
    module: str | None
    prepare: Callable[[], Run] = field(repr=False)
    calls: int = 1
    note: str = ""
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Ours must be ``ratio`` times faster than the best peer, or done within ``seconds``."""

    text: str
    ratio: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """The same inputs for every contestant; the first one is ours.

    ``error`` maps a result to its worst relative error against a more precise computation, or
    None where that makes no sense. ``work`` counts what a result took, where that is compared;
    ``gave_up`` tells whether a result is unfinished, so that its time is a lower bound.
    """

    contestants: Sequence[Contestant]
    error: Callable[[Any], float] | None = None
    work: Callable[[Any], str] | None = None
    gave_up: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a name for ``--only``, a title, a target, and how to build it.

    ``build`` is given True for the small sizes of ``--quick``.
    """

    name: str
    title: str
    target: Target
    build: Callable[[bool], Contest] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timing:
    """What was measured of one contestant; ``failure`` says why nothing was."""

    name: str
    seconds: float | None = None
    repetitions: int = 0
    error: float | None = None
    work: str = ""
    first_call: float | None = None
    peak_bytes: int | None = None
    note: str = ""
    failure: str = ""
    reference: bool = False
    gave_up: bool = False


def compete(
    contest: Contest,
    *,
    repetitions: int,
    budget: float,
    missing: Callable[[str], bool],
    say: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Timing]:
    """Time all contestants of a row side by side.

    Parameters
    ----------
    contest : Contest
    repetitions : int
        Rounds after the warm-up.
    budget : float
        Seconds after which a contestant takes no part in further rounds. One that needs more
        than that for its warm-up is not called again: that call is its measurement.
    missing : callable
        Whether a peer's module cannot be imported.
    say : callable
        Told about each contestant as it warms up.

    Returns
    -------
    list of Timing
        In the order of the contestants.
    """
    runs: dict[str, Run] = {}
    results: dict[str, Any] = {}
    times: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    for contestant in contest.contestants:
        if contestant.module is not None and missing(contestant.module):
            failures[contestant.name] = "not installed"
            continue
        say(contestant.name)
        try:
            run = contestant.prepare()
            start = clock()
            results[contestant.name] = run()
            spent = clock() - start
        except Exception as error:  # a peer may fail in any way; the table says how
            failures[contestant.name] = f"failed: {type(error).__name__}"
            continue
        times[contestant.name] = [spent] if spent > budget else []
        if spent <= budget:
            runs[contestant.name] = run
    for _ in range(repetitions):
        for contestant in contest.contestants:
            past = times.get(contestant.name, [])
            if contestant.name not in runs or sum(past) * contestant.calls > budget:
                continue
            start = clock()
            for _ in range(contestant.calls):
                runs[contestant.name]()
            past.append((clock() - start) / contestant.calls)
    return [
        Timing(contestant.name, note=contestant.note, failure=failures[contestant.name])
        if contestant.name in failures
        else Timing(
            contestant.name,
            seconds=median(times[contestant.name]),
            repetitions=len(times[contestant.name]),
            error=contest.error(results[contestant.name]) if contest.error else None,
            work=contest.work(results[contestant.name]) if contest.work else "",
            note=contestant.note,
            reference=contestant.reference,
            gave_up=bool(contest.gave_up and contest.gave_up(results[contestant.name])),
        )
        for contestant in contest.contestants
    ]
