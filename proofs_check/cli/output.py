"""Writing lines; ``typer.echo`` without typer, which ``scorecert list`` does not wait for."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write a result to standard output, at once, so that a reader of a pipe sees it come."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Write one line to standard error, after everything written so far."""
    sys.stdout.flush()
    sys.stderr.write(f"scorecert: {' '.join(message.split())}\n")
