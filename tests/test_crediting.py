"""A hypothesis is credited to a step of a proof only where the step's own assumptions hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sympy as sp

from proofs_check import checking
from proofs_check.verdict import Status
from theory import claims
from theory.claim import Relation, Statement

A, B, X, Y, W = sp.symbols("a b x y w", nonnegative=True)
P, N = sp.Symbol("p", positive=True), sp.Symbol("n", positive=True, integer=True)
ZERO, ONE = sp.S.Zero, sp.S.One


def status_of(
    monkeypatch: pytest.MonkeyPatch, steps: Sequence[Statement], derivation: Statement
) -> Status:
    """Check a chain that takes nothing on trust, with these statements as its steps."""
    pattern = claims.get("farghly2026.proposition-7-sharper.small-drift")
    made = {
        f"step-{k}": replace(pattern, id=f"step-{k}", build=lambda s=s: s)
        for k, s in enumerate(steps)
    }
    monkeypatch.setattr(checking.claims, "get", made.__getitem__)
    claim = replace(
        pattern,
        id="claim",
        build=lambda: Statement(derivation.conclusion),
        derivation=lambda: derivation,
        steps=tuple(made),
        step_of="",
    )
    return checking.check_claim(claim, checking.CHAIN, effort="quick", seed=0).status


def relation(low: sp.Expr, high: sp.Expr, op: str = "<=") -> Relation:
    return Relation(sp.sympify(low), op, sp.sympify(high))  # type: ignore[arg-type]


def after(*hypotheses: Relation) -> Statement:
    """Return a derivation that adds w to both sides of all of them, summed."""
    left = sp.Add(*(h.lhs for h in hypotheses))
    right = sp.Add(*(h.rhs for h in hypotheses))
    return Statement(Relation(left + W, hypotheses[0].op, right + W), hypotheses)


def test_a_step_is_credited_where_it_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Statement(relation(2 * A * B, A**2 + B**2))
    derivation = after(relation(2 * X * Y, X**2 + Y**2))
    assert status_of(monkeypatch, [step], derivation) is Status.PROVED


@pytest.mark.parametrize(
    ("steps", "derivation"),
    [
        ([Statement(relation(A, A + B))], after(relation(A + B, A))),
        ([Statement(relation(A, B), (relation(A + 1, B),))], after(relation(A, B))),
        (
            [Statement(relation(A**2 + A, B**2 + B), (relation(A, B),))],
            after(relation(B**2 + B, A**2 + A)),
        ),
        (
            [
                Statement(relation(A**2, B**2), (relation(A**3, B**3),)),
                Statement(relation(A**3, B**3), (relation(A**2, B**2),)),
            ],
            after(relation(X**2, Y**2), relation(X**3, Y**3)),
        ),
        (
            [Statement(relation(A**2, B**2), (relation(A, B),))],
            after(relation(X**2, Y**2), relation(X**2, Y**2)),
        ),
        ([Statement(relation(ZERO, P, "<"))], after(relation(ZERO, X, "<"))),
        ([Statement(relation(N, N**2))], after(relation(X, X**2))),
    ],
    ids=["reversed", "assumption", "swapped", "circular", "twice", "not-positive", "no-integer"],
)
def test_a_step_is_not_credited_where_it_does_not_apply(
    monkeypatch: pytest.MonkeyPatch, steps: list[Statement], derivation: Statement
) -> None:
    assert status_of(monkeypatch, steps, derivation) is not Status.PROVED


def test_a_sum_over_time_does_not_cancel_what_is_bound_in_it() -> None:
    from proofs_check.provers.symbolic import is_identically_zero
    from theory.operators import TimeIntegral
    from theory.symbols import mu, sigma2

    assert is_identically_zero(2 * TimeIntegral(1 / sigma2) - TimeIntegral(2 / sigma2))
    assert not is_identically_zero(mu * TimeIntegral(1 / sigma2) - TimeIntegral(mu / sigma2))
