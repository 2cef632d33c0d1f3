"""Every claim has mutants, and they die; the survivors are declared by name, with the reason."""

from __future__ import annotations

import pytest

from proofs_check.mutants import find_refutation, mutant_report, mutants_of
from theory import claims


@pytest.mark.parametrize("claim_id", claims.CLAIMS)
def test_mutants_die_or_are_explained(claim_id: str) -> None:
    declared = {name for name, _ in claims.get(claim_id).unkilled}
    outcomes = list(mutant_report([claim_id]))
    survivors = {o.name for o in outcomes if not o.killed}
    assert survivors == declared
    assert any(o.killed for o in outcomes)
    assert all(o.witness for o in outcomes if o.killed)


def test_a_claim_is_not_its_own_mutant() -> None:
    for claim in claims.CLAIMS.values():
        assert all(m.swapped or m.claim.statement != claim.statement for m in mutants_of(claim))


def test_the_true_young_inequality_survives_what_kills_its_mutants() -> None:
    mutant = mutants_of(claims.get("farghly2026.theorem-3b-sum.young"))[0]
    true = type(mutant)("unchanged", claims.get("farghly2026.theorem-3b-sum.young"))
    assert find_refutation(mutant, effort="quick", seed=0) is not None
    assert find_refutation(true, effort="quick", seed=0) is None
