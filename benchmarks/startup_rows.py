"""The row for start-up: a new process that lists the claims."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.contest import Contest, Contestant, Row, Target


def _process(*arguments: str) -> Callable[[], None]:
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL) and None


def _list(quick: bool) -> Contest:
    return Contest(
        (
            Contestant("ours", None, lambda: _process("-m", "proofs_check", "list")),
            Contestant(
                "import sympy", "sympy", lambda: _process("-c", "import sympy"), reference=True
            ),
            Contestant("python -c pass", None, lambda: _process("-c", "pass"), reference=True),
        )
    )


ROWS = (Row("list", "`scorecert list`", Target("≤ 0.5 s", seconds=0.5), _list),)
