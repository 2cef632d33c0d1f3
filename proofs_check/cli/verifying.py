"""``scorecert verify``: check, show progress, print what came out, and choose the exit status."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs_check.cli import UNDECIDED
from proofs_check.cli.output import complain, say
from proofs_check.cli.progress import progress_bar
from proofs_check.errors import UsageError, one_of
from proofs_check.ledger import default_ledger
from proofs_check.plain_json import dumps
from proofs_check.plain_text import aligned
from proofs_check.report import counts, report, total_false_alarm, write_report
from proofs_check.run import select, verify_selection
from proofs_check.verdict import Status, Verdict
from proofs_check.workers import WorkerDied

REFUTED = 1
_BARS = tuple(status.value for status in Status if status.holds)
_COLOURS = {
    Status.PROVED: "bold green",
    Status.CERTIFIED: "green",
    Status.SUPPORTED: "cyan",
    Status.INCONCLUSIVE: "yellow",
    Status.VACUOUS: "yellow",
    Status.REFUTED: "bold red",
}


def exit_status(verdicts: Sequence[Verdict], at_least: Status = Status.SUPPORTED) -> int:
    """Return 0 if every verdict is at least that strong, 1 if one is refuted, 3 otherwise.

    No verdict at all is no pass.
    """
    if any(verdict.status is Status.REFUTED for verdict in verdicts):
        return REFUTED
    if verdicts and all(verdict.status.at_least(at_least) for verdict in verdicts):
        return 0
    return UNDECIDED


def run_verify(
    claim_ids: Sequence[str] | None,
    *,
    case: str | None,
    at_least: str,
    as_json: bool,
    effort: str,
    seed: int,
    jobs: int,
    fresh: bool,
    report_path: Path | None,
) -> int:
    """Check the claims, print the verdicts, and return the exit status.

    Raises
    ------
    UsageError
        For anything wrong with what was asked for.
    """
    bar = Status(one_of("--at-least", at_least, _BARS))
    if report_path is not None and not report_path.resolve().parent.is_dir():
        raise UsageError(f"cannot write {report_path}: there is no folder {report_path.parent}")
    selection = select(claim_ids, case=case, effort=effort, seed=seed)
    try:
        with progress_bar() as advance:
            finished = itertools.count(1)

            def announce(verdict: Verdict) -> None:
                last = f"{verdict.claim} on {verdict.case}: {verdict.status.value}"
                advance(next(finished), len(selection.pairs), last)

            verdicts = verify_selection(
                selection, jobs, default_ledger(), fresh=fresh, on_verdict=announce
            )
    except WorkerDied as error:
        complain(str(error))
        return UNDECIDED
    if report_path is not None:
        write_report(report_path, verdicts, effort=effort, seed=seed)
    if as_json:
        say(dumps(report(verdicts, effort=effort, seed=seed)))
    else:
        _print_verdicts(verdicts)
        for verdict in verdicts:
            if not verdict.status.at_least(bar):
                say(f"\n{_explained(verdict)}")
        say(f"\n{_closing_line(verdicts)}")
    return exit_status(verdicts, bar)


def _slack(verdict: Verdict) -> str:
    return "" if verdict.slack is None else f"{verdict.slack.ratio:.4g}"


def _print_verdicts(verdicts: Sequence[Verdict]) -> None:
    head = ("claim", "case", "verdict", "slack", "how")
    rows = [(v.claim, v.case, v.status.value, _slack(v), v.summary) for v in verdicts]
    if not sys.stdout.isatty():
        say(aligned([head, *rows]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold", no_wrap=name in ("verdict", "slack"))
    for verdict, (claim, case, status, slack, how) in zip(verdicts, rows, strict=True):
        coloured = Text(status, style=_COLOURS[verdict.status])
        table.add_row(Text(claim), Text(case), coloured, Text(slack), Text(how))
    Console().print(table)


def _explained(verdict: Verdict) -> str:
    lines = [f"{verdict.claim} on {verdict.case}: {verdict.status.value}. {verdict.summary}"]
    if verdict.witness:
        lines.append(f"  witness: {verdict.witness}")
    lines += [f"  {line}" for line in verdict.evidence]
    lines += [f"  rests on: {line}" for line in verdict.rests_on]
    return "\n".join(lines)


def _closing_line(verdicts: Sequence[Verdict]) -> str:
    found = ", ".join(f"{n} {s}" for s, n in counts(v.status for v in verdicts).items())
    alarm = total_false_alarm(verdicts)
    return found + (f"; false alarms by sampling: probability at most {alarm:.2g}" if alarm else "")
