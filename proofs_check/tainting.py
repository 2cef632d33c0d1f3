"""A claim that is refuted, or a step that is not proved, taints every claim that rests on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from proofs_check.verdict import Status, Verdict
from theory.claim import Claim


def _fallen_below(claim: Claim, claims: Mapping[str, Claim], refuted: Collection[str]) -> list[str]:
    """Return the refuted claims that the proof of ``claim`` rests on, however far down."""
    waiting, seen = [*claim.uses, *claim.steps], []
    while waiting:
        below = waiting.pop(0)
        if below not in seen:
            seen.append(below)
            waiting += [*claims[below].uses, *claims[below].steps]
    return [below for below in seen if below in refuted and below != claim.id]


def tainted(
    verdicts: Sequence[Verdict], claims: Mapping[str, Claim], refuted: Collection[str] = ()
) -> tuple[Verdict, ...]:
    """Return the verdicts with what the refuted ones among them spoil.

    A claim is tainted if a claim that it uses, or a step of its proof, or one of theirs, is
    refuted, or is a statement about plain numbers that was not proved. All its verdicts then say
    so; that its steps imply it no longer shows anything, so a ``chain`` verdict that held becomes
    inconclusive. What was checked on a case by itself stands.

    Parameters
    ----------
    refuted
        Ids of claims that are known to be refuted otherwise.

    Examples
    --------
    >>> from theory.claims import CLAIMS
    >>> young = "farghly2026.theorem-3b-sum.young"
    >>> chain = Verdict("farghly2026.theorem-3b-sum", "chain", Status.PROVED, "by algebra")
    >>> print(tainted([chain], CLAIMS, {young})[0].summary)
    tainted by farghly2026.theorem-3b-sum.young; by itself: by algebra
    """
    fallen = {v.claim for v in verdicts if _spoils(v)} | set(refuted)
    return tuple(_tainted(verdict, claims, fallen) for verdict in verdicts)


def _spoils(verdict: Verdict) -> bool:
    unproved = verdict.case == "algebra" and verdict.status is not Status.PROVED
    return unproved or verdict.status is Status.REFUTED


def _tainted(verdict: Verdict, claims: Mapping[str, Claim], fallen: Collection[str]) -> Verdict:
    below = _fallen_below(claims[verdict.claim], claims, fallen) if fallen else []
    if not below:
        return verdict
    marks = tuple(f"tainted by {claim_id}, which is not established" for claim_id in below)
    spoilt = replace(verdict, rests_on=(*verdict.rests_on, *marks))
    if verdict.case == "chain" and verdict.status.holds:
        summary = f"tainted by {', '.join(below)}; by itself: {verdict.summary}"
        return replace(spoilt, status=Status.INCONCLUSIVE, summary=summary)
    return spoilt
