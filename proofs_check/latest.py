"""What the ledger last said about each claim on each case; quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proofs_check.fingerprint import fingerprint
from proofs_check.ledger import Ledger
from proofs_check.report import counts
from proofs_check.tainting import tainted
from proofs_check.verdict import Verdict
from theory.claims import CLAIMS


@dataclass(frozen=True, slots=True)
class Last:
    """A last verdict. ``current`` says whether this very code, with these versions, gave it."""

    verdict: Verdict
    finished: str
    current: bool


def summary(claim_id: str, lasts: Mapping[tuple[str, str], Last]) -> str:
    """Return how often each status is a claim's last one over its cases, on one line."""
    found = [last for (claim, _), last in lasts.items() if claim == claim_id]
    if not found:
        return "not checked"
    by_status = counts(last.verdict.status for last in found)
    text = ", ".join(f"{count} {status}" for status, count in by_status.items())
    return text if all(last.current for last in found) else f"{text} (by older code)"


def last_verdicts(ledger: Ledger) -> dict[tuple[str, str], Last]:
    """Return the last verdicts by claim id and case, tainted by the refuted ones among them.

    Raises
    ------
    LedgerError
        If the ledger cannot be read.
    """
    entries = [entry for entry in ledger.latest().values() if entry.inputs.claim in CLAIMS]
    now = fingerprint() if entries else ""
    verdicts = tainted([entry.verdict for entry in entries], CLAIMS)
    return {
        (entry.inputs.claim, entry.inputs.case): Last(
            verdict, entry.finished, entry.inputs.fingerprint == now
        )
        for entry, verdict in zip(entries, verdicts, strict=True)
    }
