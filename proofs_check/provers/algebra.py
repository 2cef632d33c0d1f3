"""Statements about plain real numbers: certificates that are re-checked, witnesses that are too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy as sp

from proofs_check.provers.certificate import Certificate, find_certificate, is_contradictory
from proofs_check.provers.monomials import find_monomial_proof
from proofs_check.provers.one_variable import find_starting_proof, find_touching_proof
from proofs_check.provers.polynomial import (
    NotPolynomial,
    Signs,
    System,
    abstract,
    radicands,
    system_of,
)
from proofs_check.provers.witnesses import find_witness, satisfied_somewhere, solver_opinion
from proofs_check.verdict import Status, Verdict
from theory.claim import Relation, Statement

_TRIVIAL = Relation(sp.S.Zero, "<=", sp.S.Zero)

#: Γ(x + m) is written out as x (x + 1) ... (x + m - 1) Γ(x) up to this m.
_LONGEST_PRODUCT = 64

_GAMMA_LIKE = (sp.gamma, sp.factorial, sp.binomial)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one prover says; evidence without a proof tells why there is none."""

    proved: bool
    summary: str
    evidence: tuple[str, ...] = ()


def check_statement(statement: Statement, *, claim: str, case: str) -> Verdict:
    """Decide a statement about real numbers.

    Counterexamples are looked for first; then certificates: of contradictory hypotheses (the
    statement is vacuous), and of the conclusion. A conclusion is proved only where some point is
    known to meet the hypotheses.
    """

    def verdict(status: Status, summary: str, *evidence: str, witness: str = "") -> Verdict:
        return Verdict(claim, case, status, summary, evidence=evidence, witness=witness)

    witness = find_witness(statement)
    if witness is not None:
        return verdict(Status.REFUTED, "a counterexample", witness=witness)
    contradiction = _contradiction(statement)
    if contradiction is not None:
        return verdict(Status.VACUOUS, "the hypotheses contradict each other", str(contradiction))
    met = satisfied_somewhere(statement)
    if met is None:
        return verdict(
            Status.INCONCLUSIVE, "no point that meets the hypotheses was found: they may contradict"
        )
    attempts = []
    for prover in _PROVERS:
        attempt = prover(statement)
        if attempt is not None and attempt.proved:
            return verdict(Status.PROVED, attempt.summary, *attempt.evidence, met)
        if attempt is not None:
            attempts.append(attempt)
    return verdict(Status.INCONCLUSIVE, attempts[0].summary, *attempts[0].evidence)


def describe(certificate: Certificate) -> str:
    """Return the certificate on one line."""
    return f"certificate, re-expanded exactly: {certificate}"


def _contradiction(statement: Statement) -> Certificate | None:
    """Look for a contradiction in the hypotheses alone: a root of the conclusion is not assumed."""
    try:
        _, system = _read(replace(statement, conclusion=_TRIVIAL))
    except NotPolynomial:
        return None
    return is_contradictory(system)


def _read(statement: Statement) -> tuple[Statement, System]:
    """Return a statement about polynomials and roots that implies this one, and its system."""
    try:
        return statement, system_of(statement)
    except NotPolynomial:
        abstracted = abstract(statement)
        return abstracted, system_of(abstracted)


# --- Provers: each returns None where it has nothing to say ---------------------------------------


def _prove_by_polynomials(statement: Statement) -> _Attempt | None:
    left, op, right = statement.conclusion.lhs, statement.conclusion.op, statement.conclusion.rhs
    if op == "=":
        both = [
            _prove_by_polynomials(replace(statement, conclusion=Relation(low, "<=", high)))
            for low, high in ((left, right), (right, left))
        ]
        found = [attempt for attempt in both if attempt is not None and attempt.proved]
        if len(found) < 2:
            return None
        return _Attempt(True, found[0].summary, found[0].evidence + found[1].evidence)
    try:
        readable, system = _read(statement)
        undefined = _possibly_undefined(readable, system)
    except NotPolynomial as error:
        return _Attempt(False, f"not a polynomial statement: {error}")
    if undefined:
        return _Attempt(False, f"not shown to be defined: √({undefined[0]}) needs a hypothesis")
    certificate = (
        is_contradictory(replace(system, nonnegative=(*system.nonnegative, -system.goal)))
        if op == "<"
        else find_certificate(system)
    )
    if certificate is None:
        return _Attempt(False, "no certificate of degree two found", (solver_opinion(system),))
    summary = "for all real numbers, by an exact certificate" + (
        " of contradiction" if certificate.by_contradiction else ""
    )
    if readable is statement:
        return _Attempt(True, summary, (describe(certificate),))
    letters = f"with letters for what is no polynomial: {readable}"
    return _Attempt(True, summary, (describe(certificate), letters))


def _prove_identity(statement: Statement) -> _Attempt | None:
    conclusion = statement.conclusion
    if conclusion.op != "=":
        return None
    signs = Signs(statement.hypotheses)
    defined = signs.is_defined(conclusion.lhs) and signs.is_defined(conclusion.rhs)
    slack = conclusion.slack
    if defined and slack.has(*_GAMMA_LIKE):
        slack = _without_gammas(slack, signs)
    numerator, _ = sp.fraction(sp.together(sp.expand_power_exp(slack)))
    if sp.expand(numerator) != 0:
        return _Attempt(False, "the difference does not expand to zero")
    if not defined:
        try:
            undefined = _possibly_undefined(statement, None)
        except NotPolynomial as error:
            return _Attempt(False, f"not a polynomial statement: {error}")
        if undefined:
            return _Attempt(False, f"not shown to be defined: √({undefined[0]}) needs a hypothesis")
        positive = {h.slack for h in statement.hypotheses if h.op == "<"}
        for base in _divisors(conclusion):
            if not _is_product_of(base, positive):
                return _Attempt(False, f"not shown to be defined: {base} may vanish")
        if not _is_algebraic(conclusion):
            return _Attempt(False, "not shown to be defined")
    return _Attempt(True, "an identity of rational functions: the difference expands to zero")


def _prove_by_monomials(statement: Statement) -> _Attempt | None:
    certificate = find_monomial_proof(statement)
    if certificate is None:
        return None
    evidence = f"chain, re-checked exactly: {certificate}"
    return _Attempt(True, "for all real numbers, by a chain of monomials", (evidence,))


def _prove_by_touching(statement: Statement) -> _Attempt | None:
    certificate = find_touching_proof(statement)
    if certificate is None:
        return None
    return _Attempt(True, "the difference is convex and touches zero", (str(certificate),))


def _prove_from_start(statement: Statement) -> _Attempt | None:
    certificate = find_starting_proof(statement)
    if certificate is None:
        return None
    return _Attempt(True, "by Taylor's formula at zero", (str(certificate),))


_PROVERS: tuple[Callable[[Statement], _Attempt | None], ...] = (
    _prove_identity,
    _prove_by_polynomials,
    _prove_by_monomials,
    _prove_by_touching,
    _prove_from_start,
)


# --- Identities -----------------------------------------------------------------------------------


def _without_gammas(expression: sp.Expr, signs: Signs) -> sp.Expr:
    """Write factorials and binomials in values of Γ, no two of them an integer apart.

    Γ(x + m) = x (x + 1) ... (x + m - 1) Γ(x). The expression is returned as it is unless every
    argument is shown to be positive, where Γ is positive and all the quotients are defined.
    """
    written = expression.replace(sp.factorial, lambda n: sp.gamma(n + 1)).replace(
        sp.binomial,
        lambda n, k: sp.gamma(n + 1) / (sp.gamma(k + 1) * sp.gamma(n - k + 1)),
    )
    values = sorted(written.atoms(sp.gamma), key=sp.srepr)
    if not all(signs.is_positive(value.args[0]) for value in values):
        return expression
    replaced: dict[sp.Expr, sp.Expr] = {}
    for value in values:
        argument = value.args[0]
        apart = [sp.expand(argument - other.args[0]) for other in values]
        steps = max((int(m) for m in apart if m.is_Integer), default=0)
        if steps > _LONGEST_PRODUCT:
            return expression
        first = sp.expand(argument - steps)
        unknown = sp.Symbol(f"gamma({first})")
        replaced[value] = unknown * sp.Mul(*(first + k for k in range(steps)))
    return written.xreplace(replaced)


def _is_algebraic(relation: Relation) -> bool:
    """Whether a relation holds nothing but sums, products and rational powers of symbols."""
    return all(
        node.func in (sp.Add, sp.Mul) or (isinstance(node, sp.Pow) and node.exp.is_Rational)
        for side in (relation.lhs, relation.rhs)
        for node in sp.preorder_traversal(side)
        if node.args
    )


def _divisors(relation: Relation) -> list[sp.Expr]:
    """Return all that is divided by, as written: what cancels may be undefined all the same."""
    powers = relation.lhs.atoms(sp.Pow) | relation.rhs.atoms(sp.Pow)
    return sorted({p.base for p in powers if not p.exp.is_nonnegative}, key=str)


def _is_product_of(base: sp.Expr, positive: set[sp.Expr]) -> bool:
    """Whether a polynomial is a product of expressions that hypotheses say are positive."""
    if base in positive:
        return True
    if not base.is_polynomial(*base.free_symbols):
        return False
    return all(factor in positive for factor, _ in sp.factor_list(base)[1])


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
