"""The command ``scorecert``.

Nothing here imports sympy, numpy or rich before a command needs it: ``scorecert list`` is to
answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import cast

from proofs_check.cli.output import complain
from proofs_check.errors import UsageError

BAD_USAGE = 2
UNDECIDED = 3
INTERRUPTED = 130
BROKEN_PIPE = 141
DEFECT = 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Returns
    -------
    int
        0 if all is well, 1 if something is refuted, 2 for bad usage, 3 if something stays
        undecided, 70 for a defect of ours, 130 after Ctrl-C, 141 if the reader of a pipe left.

    Examples
    --------
    >>> main(["show"])
    2
    """
    for stream in (sys.stdout, sys.stderr):
        # Output is UTF-8 whatever the locale: half of the vocabulary is not ASCII.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
        return status
    except UsageError as error:
        complain(str(error))
        return BAD_USAGE
    except KeyboardInterrupt:
        complain("interrupted; finished verdicts are kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has left; the interpreter's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception:
        # Python's own status for this is 1, which here means that something is refuted.
        import traceback

        traceback.print_exc()
        return DEFECT


def _run(arguments: list[str]) -> int:
    if not arguments:
        raise UsageError("name a command; scorecert --help lists them")
    if arguments[0] == "list" and set(arguments[1:]) <= {"--steps", "--json"}:
        # typer takes longer to import than this takes to answer.
        from proofs_check.cli.listing import print_list

        print_list(steps="--steps" in arguments, as_json="--json" in arguments)
        return 0
    return _run_typer(arguments)


def _run_typer(arguments: list[str]) -> int:
    import typer

    from proofs_check.cli.app import app

    # typer's own start catches errors to draw boxes, and is passed by: one line is enough.
    command = typer.main.get_command(app)
    command_line_error = cast("type[Exception]", typer.BadParameter.__mro__[2])
    try:
        with command.make_context("scorecert", arguments) as context:
            command.invoke(context)
    except typer.Exit as leaving:
        return int(leaving.exit_code)
    except command_line_error as error:
        raise UsageError(error.format_message()) from error  # type: ignore[attr-defined]
    return 0
