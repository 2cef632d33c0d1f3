"""First call and peak memory of one contestant, measured in a process of its own.

Caches of compiled code point to an empty folder, so that the first call compiles.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.contest import Row, Timing

_TIMEOUT = 180.0


def first_call(row: Row, timing: Timing, *, quick: bool) -> Timing:
    """Return the timing with its first call and peak memory; unchanged where that fails."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {
            **os.environ,
            "NUMBA_CACHE_DIR": empty,
            "KEOPS_CACHE_FOLDER": empty,
            "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),
        }
        command = [sys.executable, "-m", "benchmarks.fresh", row.name, timing.name, str(int(quick))]
        try:
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment,
                timeout=_TIMEOUT,
            )  # fmt: skip
            seconds, peak = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.SubprocessError, ValueError, IndexError):
            return timing
    return replace(timing, first_call=seconds, peak_bytes=peak)


def _peak() -> int:
    """Return the largest resident size so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _forget_peak() -> int:
    """Start the peak afresh where the system allows, and return it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
    except OSError:
        return _peak()


def _highest() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
    except OSError:
        return _peak()


def _measure(row_name: str, contestant_name: str, quick: bool) -> tuple[float, int]:
    from benchmarks.rows import ROWS

    contest = next(row for row in ROWS if row.name == row_name).build(quick)
    contestant = next(c for c in contest.contestants if c.name == contestant_name)
    before = _forget_peak()
    start = time.perf_counter()
    contestant.prepare()()
    return time.perf_counter() - start, max(_highest() - before, 0)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2], sys.argv[3] == "1")))
