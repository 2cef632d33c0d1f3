"""``scorecert figure``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proofs_check.cli import UNDECIDED
from proofs_check.cli.output import complain, say
from proofs_check.cli.progress import progress_bar
from proofs_check.errors import UsageError, one_of
from proofs_check.figures import builder_named
from proofs_check.names import EFFORTS


def run_figure(
    name: str, *, out: Path | None, formats: Sequence[str], effort: str, seed: int, jobs: int
) -> int:
    """Compute, draw and write a figure with its data; return the exit status.

    Raises
    ------
    UsageError
        For anything wrong with what was asked for, or if matplotlib is missing.
    """
    builder = builder_named(name)
    one_of("effort", effort, EFFORTS)
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0")
    if jobs < 1:
        raise UsageError(f"jobs={jobs}: the number of worker processes is an integer ≥ 1")
    from proofs_check.figures import drawing
    from proofs_check.workers import WorkerDied

    # What would spoil the end shows now, and not after minutes.
    where = drawing.targets(Path(name) if out is None else out, formats)
    drawing.require_matplotlib()
    try:
        with progress_bar() as advance:
            record = builder.compute(effort, seed, jobs, advance)
    except WorkerDied as error:
        complain(str(error))
        return UNDECIDED
    written = drawing.save(builder.draw(record), record, where)
    for line in record.summary():
        say(line)
    say("\nwritten: " + ", ".join(str(path) for path in written))
    return 0
