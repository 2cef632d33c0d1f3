"""``scorecert list``, and the README's table of claims: what exists, and what the ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs_check.cli.output import say
from proofs_check.errors import UsageError
from proofs_check.latest import Last, last_verdicts, summary
from proofs_check.ledger import default_ledger
from proofs_check.plain_json import dumps
from proofs_check.plain_text import aligned
from proofs_check.report import with_claims, write_whole
from proofs_check.tainting import tainted
from theory.claim import Claim
from theory.claims import CLAIMS, main_claims, steps_of

_Lasts = Mapping[tuple[str, str], Last]


def print_list(*, steps: bool, as_json: bool) -> None:
    """Print the claims; steps are in JSON always, in text on demand."""
    lasts = last_verdicts(default_ledger())
    if as_json:
        say(dumps([_described(claim, lasts) for claim in CLAIMS.values()]))
        return
    rows = [["claim", "source", "strength", "last verdict"]]
    for claim in main_claims():
        rows.append(_row(claim, lasts))
        if steps:
            for step in steps_of(claim.id):
                name, *rest = _row(step, lasts)
                rows.append([f"  {name}", *rest])
    say(aligned(rows))


def _row(claim: Claim, lasts: _Lasts) -> list[str]:
    return [claim.id, str(claim.source), claim.strength.value, summary(claim.id, lasts)]


def _described(claim: Claim, lasts: _Lasts) -> dict[str, Any]:
    return {
        "id": claim.id,
        "title": claim.title,
        "source": str(claim.source),
        "deviation": claim.source.deviation,
        "kind": claim.kind.value,
        "strength": claim.strength.value,
        "step_of": claim.step_of or None,
        "steps": list(claim.steps),
        "uses": list(claim.uses),
        "last_verdicts": {
            case: {
                "status": last.verdict.status.value,
                "summary": last.verdict.summary,
                "finished": last.finished,
                "current": last.current,
            }
            for (claim_id, case), last in lasts.items()
            if claim_id == claim.id
        },
    }


def update_readme(path: Path) -> None:
    """Write the table of claims between the README's two markers.

    The verdicts are those of ``scorecert verify`` with its usual effort and seed.

    Raises
    ------
    UsageError
        If the README has no markers, or the ledger lacks verdicts of the present code.
    """
    from proofs_check.run import select

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    ledger, selection = default_ledger(), select()
    found = {pair: ledger.find(selection.inputs(pair)) for pair in selection.pairs}
    verdicts = [verdict for verdict in found.values() if verdict is not None]
    missing = [pair for pair, verdict in found.items() if verdict is None]
    if missing:
        claim, case = missing[0]
        raise UsageError(
            f"the ledger lacks {len(missing)} of {len(found)} verdicts of the present code "
            f"(the first: {claim} on {case}); run `scorecert verify` first"
        )
    statuses = {(v.claim, v.case): v.status for v in tainted(verdicts, CLAIMS)}
    new = with_claims(text, statuses)
    if new != text:
        write_whole(path, new)
    say(f"{path}: {'unchanged' if new == text else 'table of claims written'}")
