"""``scorecert table``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from proofs_check.cli.output import say
from proofs_check.errors import UsageError, one_of
from proofs_check.names import EFFORTS, case_with_score, claim_named, first_case
from proofs_check.tables import FORMATS, render, tabulate, text_within


def print_table(
    claim_id: str,
    *,
    case: str | None,
    score: str | None,
    grids: Sequence[str],
    sets: Sequence[str],
    form: str,
    effort: str,
    seed: int,
) -> None:
    """Print one row for each point of the grid.

    Raises
    ------
    UsageError
        For anything wrong with what was asked for.
    """
    claim = claim_named(claim_id)
    case = first_case(claim) if case is None else case_with_score(case, score)
    one_of("format", form, FORMATS)
    one_of("effort", effort, EFFORTS)
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0")
    from proofs_check.parameters import points

    table = tabulate(claim, points(case, sets, grids, claim.parameters), effort=effort, seed=seed)
    if form == "text" and sys.stdout.isatty():
        say(text_within(table, shutil.get_terminal_size().columns))
    else:
        say(render(table, form))
