"""The registry: every claim of the toolkit, by id."""

from __future__ import annotations

from theory import (
    denoising,
    eberle,
    effective_sde,
    empirical_stability,
    gap_filling,
    harnack,
    lemma_4,
    optimisation,
    proxy_covariance,
    reflection,
    reverse_process,
    sampling,
    score_stability,
    v_kernel,
)
from theory.claim import Claim

CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for module in (
        score_stability,
        harnack,
        lemma_4,
        denoising,
        empirical_stability,
        reverse_process,
        sampling,
        optimisation,
        reflection,
        eberle,
        proxy_covariance,
        effective_sde,
        gap_filling,
        v_kernel,
    )
    for claim in module.CLAIMS
}


def get(claim_id: str) -> Claim:
    """Return the claim with this id.

    Raises
    ------
    KeyError
        If there is none; `theory.claims.CLAIMS` lists them.

    Examples
    --------
    >>> get("farghly2026.theorem-3a").strength.value
    'tight'
    """
    return CLAIMS[claim_id]


def main_claims() -> tuple[Claim, ...]:
    """Return the claims that are not steps of another claim's proof."""
    return tuple(claim for claim in CLAIMS.values() if not claim.step_of)


def steps_of(claim_id: str) -> tuple[Claim, ...]:
    """Return the steps of a claim's proof chain, in order."""
    return tuple(CLAIMS[step] for step in CLAIMS[claim_id].steps)
