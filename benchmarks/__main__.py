"""``python -m benchmarks``: time every row and write RESULTS.md beside this file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest import Row, Timing, compete
from benchmarks.fresh import first_call
from benchmarks.machine import is_missing, machine_facts, versions
from benchmarks.rows import ROWS
from benchmarks.table import render, seconds_text

_RESULTS = Path(__file__).with_name("RESULTS.md")
# Beyond this many seconds a contestant is not run a second time, not even for its memory.
_CAP = 60.0
_FRESH_CAP = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit status."""
    options = _parse(arguments)
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    repetitions = options.repetitions or (2 if options.quick else 5)
    measured: list[tuple[Row, list[Timing]]] = []
    for row in rows:
        print(f"{row.name}: ", end="", flush=True)
        timings = compete(
            row.build(options.quick),
            repetitions=repetitions,
            budget=options.budget,
            missing=is_missing,
            say=lambda name: print(name, end=", ", flush=True),
        )
        if not options.quick:
            timings = [_with_first_call(row, timing) for timing in timings]
        print(", ".join(f"{timing.name} {seconds_text(timing.seconds)}" for timing in timings))
        measured.append((row, timings))
        page = render(
            measured,
            versions=versions(),
            machine=machine_facts(),
            repetitions=repetitions,
            budget=options.budget,
            quick=options.quick,
        )
        # After every row, so that an interrupted run leaves what it has.
        options.output.write_text(page, encoding="utf-8")
    print(f"written to {options.output}")
    return 0


def _with_first_call(row: Row, timing: Timing) -> Timing:
    known = timing.seconds is not None and timing.seconds < _FRESH_CAP
    return first_call(row, timing, quick=False) if known else timing


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, no first-call times")
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=[row.name for row in ROWS],
        help=f"a row, may be repeated: {', '.join(row.name for row in ROWS)}",
    )  # fmt: skip
    parser.add_argument("--repetitions", type=int, help="rounds after the warm-up")
    parser.add_argument(
        "--budget", type=float, default=_CAP,
        help="seconds a contestant may use in one row before it sits out (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=_RESULTS, help="where to write the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
