"""Statements about plain real numbers: certificates that are re-checked, witnesses that are too."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from proofs_check.provers.certificate import Certificate, find_certificate, is_contradictory
from proofs_check.provers.polynomial import NotPolynomial, System, radicands, system_of
from proofs_check.provers.witnesses import find_witness, satisfied_somewhere, solver_opinion
from proofs_check.verdict import Status, Verdict
from theory.claim import Relation, Statement

_TRIVIAL = Relation(sp.S.Zero, "<=", sp.S.Zero)


def check_statement(statement: Statement, *, claim: str, case: str) -> Verdict:
    """Decide a statement about real numbers.

    Counterexamples are looked for first; then certificates: of contradictory hypotheses (the
    statement is vacuous), and of the conclusion. A conclusion is proved only where some point is
    known to meet the hypotheses.
    """

    def verdict(status: Status, summary: str, **more: object) -> Verdict:
        return Verdict(claim, case, status, summary, **more)  # type: ignore[arg-type]

    witness = find_witness(statement)
    if witness is not None:
        return verdict(Status.REFUTED, "a counterexample", witness=witness)
    is_identity = statement.conclusion.op == "="
    try:
        # The hypotheses alone: a root of the conclusion is not an assumption.
        contradiction = is_contradictory(system_of(replace(statement, conclusion=_TRIVIAL)))
        system = None if is_identity else system_of(statement)
        undefined = _possibly_undefined(statement, system)
    except NotPolynomial as error:
        return verdict(Status.INCONCLUSIVE, f"not a polynomial statement: {error}")
    if contradiction is not None:
        return verdict(
            Status.VACUOUS, "the hypotheses contradict each other", evidence=(str(contradiction),)
        )
    if undefined:
        return verdict(
            Status.INCONCLUSIVE, f"not shown to be defined: √({undefined[0]}) needs a hypothesis"
        )
    met = satisfied_somewhere(statement)
    if met is None:
        return verdict(
            Status.INCONCLUSIVE, "no point that meets the hypotheses was found: they may contradict"
        )
    if system is None:
        status, summary, evidence = _check_identity(statement, met)
        return verdict(status, summary, evidence=evidence)
    certificate = (
        is_contradictory(replace(system, nonnegative=(*system.nonnegative, -system.goal)))
        if statement.conclusion.op == "<"
        else find_certificate(system)
    )
    if certificate is None:
        return verdict(
            Status.INCONCLUSIVE,
            "no certificate of degree two found",
            evidence=(solver_opinion(system),),
        )
    return verdict(
        Status.PROVED,
        "for all real numbers, by an exact certificate"
        + (" of contradiction" if certificate.by_contradiction else ""),
        evidence=(describe(certificate), met),
    )


def describe(certificate: Certificate) -> str:
    """Return the certificate on one line."""
    return f"certificate, re-expanded exactly: {certificate}"


def _check_identity(statement: Statement, met: str) -> tuple[Status, str, tuple[str, ...]]:
    difference = sp.together(statement.conclusion.slack)
    numerator, denominator = sp.fraction(difference)
    if sp.expand(numerator) != 0:
        return Status.INCONCLUSIVE, "the difference does not expand to zero", ()
    positive = {h.slack for h in statement.hypotheses if h.op == "<"}
    factors = [base for base, _ in sp.factor_list(_denominators(statement.conclusion))[1]]
    if any(factor not in positive for factor in factors):
        return Status.INCONCLUSIVE, f"not shown to be defined: {denominator} may vanish", ()
    summary = "an identity of rational functions: the difference expands to zero"
    return Status.PROVED, summary, (met,)


def _denominators(relation: Relation) -> sp.Expr:
    return sp.Mul(*(sp.fraction(sp.together(side))[1] for side in (relation.lhs, relation.rhs)))


def _possibly_undefined(statement: Statement, system: System | None) -> list[sp.Expr]:
    """Return what stands under a root in the conclusion and is not shown to be >= 0.

    A root in a hypothesis is a hypothesis too: that it is a real number.
    """
    assumed = {r for h in statement.hypotheses for r in radicands(h)}
    missing = []
    after_solving = () if system is None else system.radicands
    for radicand in dict.fromkeys((*after_solving, *radicands(statement.conclusion))):
        if radicand.is_nonnegative or radicand in assumed:
            continue
        sign = Statement(Relation(sp.S.Zero, "<=", radicand), statement.hypotheses)
        if find_certificate(system_of(sign)) is None:
            missing.append(radicand)
    return missing
