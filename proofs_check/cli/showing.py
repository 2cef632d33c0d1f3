"""``scorecert show``: everything about one claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from proofs_check.cli.output import say
from proofs_check.latest import Last, last_verdicts, summary
from proofs_check.ledger import default_ledger
from proofs_check.names import claim_named
from proofs_check.plain_text import aligned
from theory import cases
from theory.claim import Claim
from theory.claims import CLAIMS
from theory.sources import PAPERS

_Lasts = Mapping[tuple[str, str], Last]


def print_claim(claim_id: str) -> None:
    """Print a claim: statement, source, proof and cases, with the last verdicts.

    Raises
    ------
    UsageError
        If there is no such claim.
    """
    claim = claim_named(claim_id)
    lasts = last_verdicts(default_ledger())
    parts = [_heading(claim), _facts(claim), *_proof(claim, lasts), *_cases(claim, lasts)]
    say("\n\n".join(parts))


def _heading(claim: Claim) -> str:
    return f"{claim.id}\n{claim.title}"


def _facts(claim: Claim) -> str:
    statement = claim.statement
    source = claim.source
    rows = [
        ("statement", str(statement.conclusion)),
        ("LaTeX", statement.latex()),
        *_listed("hypotheses", (str(h) for h in statement.hypotheses)),
        *_listed("assumptions", claim.assumptions),
        ("source", f"{PAPERS[source.key]}; {source.locator}"),
        ("deviation", source.deviation or "none declared"),
        ("kind", claim.kind.value),
        ("strength", claim.strength.value),
        ("sharp at", claim.sharp_at or "not known"),
        *_listed("rests on", claim.uses),
        *_listed("needs", sorted(claim.needs), when_empty=False),
        *_listed("step of", [claim.step_of] if claim.step_of else [], when_empty=False),
        *_listed("unkilled", (f"{m}: {why}" for m, why in claim.unkilled), when_empty=False),
    ]
    return aligned(rows)


def _listed(
    label: str, items: Iterable[str], *, when_empty: bool = True
) -> Iterator[tuple[str, str]]:
    lines = list(items) or (["none"] if when_empty else [])
    for index, line in enumerate(lines):
        yield ("" if index else label), line


def _proof(claim: Claim, lasts: _Lasts) -> Iterator[str]:
    lines = []
    for number, step_id in enumerate(claim.steps, 1):
        step = CLAIMS[step_id]
        lines.append(f"  {number}. {step_id}: {summary(step_id, lasts)}")
        lines.append(f"     {step.title}")
        lines.append(f"     {step.statement}")
    lines += [f"  taken from probability theory, not checked: {taken}" for taken in claim.taken]
    if claim.derivation is not None:
        lines.append(f"  the steps imply the claim: {_answer(lasts.get((claim.id, 'chain')))}")
    if lines:
        yield "\n".join(["proof", *lines])


def _cases(claim: Claim, lasts: _Lasts) -> Iterator[str]:
    if claim.is_algebraic:
        yield f"checked by algebra: {_answer(lasts.get((claim.id, 'algebra')))}"
        return
    laws = [cases.get(name) for name in cases.NAMES]
    rows = [
        (f"  {law.name}", law.title, _answer(lasts.get((claim.id, law.name))))
        for law in laws
        if law.meets(claim.needs)
    ]
    yield f"cases\n{aligned(rows)}"


def _answer(last: Last | None) -> str:
    if last is None:
        return "not checked"
    age = "" if last.current else " (by older code)"
    return f"{last.verdict.status.value}{age}, {last.verdict.summary}"
