"""``scorecert mutants``: are the checks able to fail?"""

from __future__ import annotations

from collections.abc import Sequence

from proofs_check.cli.output import say
from proofs_check.errors import UsageError
from proofs_check.names import check_selection

SURVIVED = 1


def run_mutants(claim_ids: Sequence[str] | None, *, effort: str, seed: int) -> int:
    """Print every mutant with its fate; return 1 if one survives without a declared reason.

    Raises
    ------
    UsageError
        For an unknown claim or effort, or if the claims have no mutants.
    """
    check_selection(claim_ids, None, effort, seed)
    from proofs_check.mutants import mutant_report

    killed, declared, survivors = 0, [], []
    for outcome in mutant_report(claim_ids, effort=effort, seed=seed):
        name = f"{outcome.claim} {outcome.name}"
        if outcome.killed:
            killed += 1
            fate, why = "refuted", f"witness: {outcome.witness}"
        elif outcome.reason:
            declared.append(name)
            fate, why = "survives", f"as declared: {outcome.reason}"
        else:
            survivors.append(name)
            fate, why = "SURVIVES", "no reason is declared: the checks of this claim are too weak"
        say(f"{fate:8}  {name}\n          {outcome.statement}\n          {why}")
    if not killed and not declared and not survivors:
        raise UsageError("these claims have no mutants")
    say(f"\n{killed} refuted, {len(declared)} survive as declared, {len(survivors)} escaped")
    for name in survivors:
        say(f"escaped: {name}")
    return SURVIVED if survivors else 0
