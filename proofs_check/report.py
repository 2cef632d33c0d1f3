"""What a run found, as JSON for machines and as markdown for the README."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proofs_check.errors import UsageError
from proofs_check.fingerprint import fingerprint, versions
from proofs_check.names import CASELESS
from proofs_check.plain_json import dumps
from proofs_check.verdict import Status, Verdict
from theory.claim import Claim
from theory.claims import CLAIMS, main_claims

BEGIN = "<!-- claims: begin (written by `scorecert readme`) -->"
END = "<!-- claims: end -->"
_NOTHING = "–"

#: More laws with one verdict than this are counted in the README, not named.
_MOST_NAMED = 4


def counts(statuses: Iterable[Status]) -> dict[str, int]:
    """Return how often each status occurs, strongest first, those that do not occur left out.

    Examples
    --------
    >>> counts([Status.SUPPORTED, Status.PROVED, Status.PROVED])
    {'proved': 2, 'supported': 1}
    """
    found = list(statuses)
    return {status.value: found.count(status) for status in Status if status in found}


def total_false_alarm(verdicts: Iterable[Verdict]) -> float:
    """Return a bound on the probability that sampling error alone spoiled some verdict.

    The bound is the sum over the verdicts, whatever their dependence.
    """
    return min(1.0, sum(verdict.false_alarm for verdict in verdicts))


def report(verdicts: Sequence[Verdict], *, effort: str, seed: int) -> dict[str, Any]:
    """Return everything about a run, as plain data.

    Examples
    --------
    >>> verdict = Verdict("farghly2026.lemma-1", "chain", Status.PROVED, "by algebra")
    >>> report([verdict], effort="quick", seed=0)["counts"]
    {'proved': 1}
    """
    return {
        "versions": versions(),
        "fingerprint": fingerprint(),
        "effort": effort,
        "seed": seed,
        "counts": counts(verdict.status for verdict in verdicts),
        "false_alarm": total_false_alarm(verdicts),
        "verdicts": [_described(verdict) for verdict in verdicts],
    }


def _described(verdict: Verdict) -> dict[str, Any]:
    claim = CLAIMS[verdict.claim]
    about = {
        "title": claim.title,
        "source": str(claim.source),
        "deviation": claim.source.deviation,
        "strength": claim.strength.value,
    }
    return {"claim": verdict.claim, **about, **verdict.to_dict()}


def write_whole(path: Path, text: str) -> None:
    """Write a file in one piece: a reader sees the old text or the new, never a part.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():  # a device or a pipe: nothing to replace
            target.write_text(text, encoding="utf-8")
            return
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with part.open("x", encoding="utf-8") as file:
                file.write(text)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def write_report(path: Path, verdicts: Sequence[Verdict], *, effort: str, seed: int) -> None:
    """Write `report` as JSON.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    write_whole(path, dumps(report(verdicts, effort=effort, seed=seed)) + "\n")


def claims_markdown(statuses: Mapping[tuple[str, str], Status]) -> str:
    """Return the table of claims: source, strength, the proof for every law, and law by law.

    Parameters
    ----------
    statuses
        By claim id and case name.
    """
    head = ["claim", "source", "strength", "every law", "law by law"]
    body = [
        [*_about(claim), _in_general(statuses, claim), _by_law(statuses, claim)]
        for claim in main_claims()
    ]
    return _markdown(head, body) + "\n\n" + _steps_markdown(statuses)


def _in_general(statuses: Mapping[tuple[str, str], Status], claim: Claim) -> str:
    found = (statuses.get((claim.id, name)) for name in CASELESS)
    return next((status.value for status in found if status is not None), _NOTHING)


def _by_law(statuses: Mapping[tuple[str, str], Status], claim: Claim) -> str:
    """Name the laws of each verdict, the strongest first; many of one kind are counted."""
    from theory.cases import NAMES

    parts = []
    for status in Status:
        laws = [name for name in NAMES if statuses.get((claim.id, name)) is status]
        if laws:
            several = len(laws) > _MOST_NAMED
            named = f"{len(laws)} laws" if several else ", ".join(f"`{law}`" for law in laws)
            parts.append(f"{status.value}: {named}")
    return "; ".join(parts) or _NOTHING


def _steps_markdown(statuses: Mapping[tuple[str, str], Status]) -> str:
    steps = [claim for claim in CLAIMS.values() if claim.step_of]
    body = []
    for step in steps:
        found = [status for (claim, _), status in statuses.items() if claim == step.id]
        verdict = ", ".join(f"{n} × {s}" if n > 1 else s for s, n in counts(found).items())
        body.append([*_about(step), verdict or _NOTHING])
    return _markdown(["proof step", "source", "strength", "verdict"], body)


def _about(claim: Claim) -> list[str]:
    return [f"`{claim.id}`", str(claim.source), claim.strength.value]


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def with_claims(readme: str, statuses: Mapping[tuple[str, str], Status]) -> str:
    """Return the README's text with a new table of claims between its two markers.

    Raises
    ------
    UsageError
        If the markers are not there once each, in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after or END in before:
        raise UsageError(f"the README needs the line {BEGIN} and, below it, the line {END}")
    return f"{before}{BEGIN}\n{claims_markdown(statuses)}\n{END}{after}"
