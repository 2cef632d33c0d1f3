"""Names that a user may type, checked against what exists; quick to import."""

from __future__ import annotations

from collections.abc import Sequence

from proofs_check.errors import UsageError, one_of
from theory import cases
from theory.claim import Claim
from theory.claims import CLAIMS

EFFORTS = ("quick", "standard", "deep")

#: Where a verdict can come from that is not a case: plain algebra, and "the steps imply the claim".
CASELESS = ("algebra", "chain")


def claim_named(claim_id: str) -> Claim:
    """Return the claim with this id.

    Raises
    ------
    UsageError
        If there is none, with the nearest known id.

    Examples
    --------
    >>> claim_named("farghly2026.lemma-1").kind.value
    'derived'
    """
    return CLAIMS[one_of("claim", claim_id, CLAIMS)]


def case_named(name: str) -> str:
    """Return ``name`` if it is a case's.

    Raises
    ------
    UsageError
        If it is not, with the nearest known case.
    """
    return one_of("case", name, cases.NAMES)


#: ``--case gaussian --score mean`` is the case ``gaussian-sampler-mean``.
_GAUSSIAN = "gaussian"
SCORES = ("true", "mean", "plug-in")


def case_with_score(case: str, score: str | None) -> str:
    """Return the case that ``--case`` and ``--score`` name together.

    Raises
    ------
    UsageError
        For an unknown case or score, a score where the case has its own, or none where it does not.

    Examples
    --------
    >>> case_with_score("gaussian", "mean"), case_with_score("circle", None)
    ('gaussian-sampler-mean', 'circle')
    """
    if case == _GAUSSIAN:
        if score is None:
            raise UsageError("case=gaussian: say which score, --score true, mean or plug-in")
        return f"{_GAUSSIAN}-sampler-{one_of('score', score, SCORES)}"
    if score is not None:
        raise UsageError(
            f"score={score}: {case_named(case)} has its own score; leave it out, or take "
            "--case gaussian"
        )
    return case_named(case)


def first_case(claim: Claim) -> str:
    """Return the first case that a claim is checked on, for tables that name none.

    Raises
    ------
    UsageError
        If it is checked on none.

    Examples
    --------
    >>> first_case(CLAIMS["farghly2026.proposition-14"])
    'reflection-recursion'
    """
    for name in cases.NAMES:
        law = cases.get(name)
        if law.meets(claim.needs) and set(claim.quantity_names) <= law.knows:
            return name
    raise UsageError(f"{claim.id} is checked on no case of its own: no table")


def check_selection(
    claim_ids: Sequence[str] | None, case: str | None, effort: str, seed: int
) -> None:
    """Check what `verify` was asked for.

    Raises
    ------
    UsageError
        For an unknown claim, case or effort, an empty selection, or a negative seed.
    """
    if claim_ids is not None:
        if not claim_ids:
            raise UsageError("no claim was named; leave the claims out to check all of them")
        for claim_id in claim_ids:
            claim_named(claim_id)
    if case is not None:
        one_of("case", case, (*cases.NAMES, *CASELESS))
    one_of("effort", effort, EFFORTS)
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0")
