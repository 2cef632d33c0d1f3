"""From a claim and a case to a verdict: counterexamples first, then proofs, boxes and numbers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import sympy as sp

from proofs_check.number import Method
from proofs_check.plans import (
    RATIO_INTERVALS,
    TWO_POINT_BOX,
    box_sample_sizes,
    points_for,
    sampler_boxes,
)
from proofs_check.point import Point
from proofs_check.provers import algebra, symbolic
from proofs_check.provers.boxes import Interval, certify_nonnegative
from proofs_check.provers.every_distance import certified_at_every_distance
from proofs_check.provers.pointwise import PointAnswer, answer_at, meets_hypotheses
from proofs_check.provers.rates import check_rate
from proofs_check.provers.sampler_boxes import certify_sampler, speaks_of_gaussian_sampler
from proofs_check.provers.symbolic import is_identically_zero
from proofs_check.sampling import FALSE_ALARM, INTERVALS_PER_POINT
from proofs_check.verdict import Slack, Status, Verdict
from theory import cases, claims, symbols
from theory.cases.case import Case
from theory.claim import Claim, Relation, Statement, Strength
from theory.operators import merge_expectations
from theory.quantities import QUANTITIES, symbol

#: The pseudo-case of a statement about plain numbers, and of "the steps imply the claim".
ALGEBRA, CHAIN = "algebra", "chain"


def tasks(
    claim_ids: Sequence[str] | None = None, case: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Return the pairs (claim id, case) to check, those of one case next to each other.

    Examples
    --------
    >>> tasks(["farghly2026.theorem-3b-sum.young"])
    (('farghly2026.theorem-3b-sum.young', 'algebra'),)
    """
    chosen = [claims.get(i) for i in claim_ids] if claim_ids else list(claims.CLAIMS.values())
    pairs = [(claim.id, ALGEBRA) for claim in chosen if claim.is_algebraic]
    pairs += [(claim.id, CHAIN) for claim in chosen if claim.derivation is not None]
    for name in cases.NAMES:
        pairs += [(claim.id, name) for claim in chosen if _applies(claim, cases.get(name))]
    return tuple(pair for pair in pairs if case is None or pair[1] == case)


def _applies(claim: Claim, case: Case) -> bool:
    if claim.is_algebraic or not case.meets(claim.needs):
        return False
    if not set(claim.quantity_names) <= case.knows:
        return False
    if claim.statement.rate_variable == "N":
        return "N" in case.symbols
    return True


def check(claim_id: str, case: str, *, effort: str = "standard", seed: int = 0) -> Verdict:
    """Check one claim in one case.

    Parameters
    ----------
    claim_id
        The claim.
    case
        A case's name, ``algebra`` or ``chain``, as `tasks` gives it.
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        For whatever is sampled.

    Examples
    --------
    >>> check("farghly2026.theorem-3a", "one-point").status.value
    'proved'
    """
    start = time.perf_counter()
    verdict = check_claim(claims.get(claim_id), case, effort=effort, seed=seed)
    return replace(verdict, seconds=round(time.perf_counter() - start, 3))


def check_claim(claim: Claim, case: str, *, effort: str, seed: int) -> Verdict:
    """Check a claim, which need not be in the registry, in one case."""
    if case == ALGEBRA:
        return algebra.check_statement(claim.statement, claim=claim.id, case=case)
    if case == CHAIN:
        return _check_chain(claim)
    law = cases.get(case)
    if claim.strength is Strength.RATE:
        proof = symbolic.prove(claim, law)
        return check_rate(claim, case, effort=effort, seed=seed) if proof is None else proof
    fixed = next(
        (h.rhs for h in claim.statement.hypotheses if h.op == "=" and h.lhs == symbols.N), None
    )
    places = [p for p in points_for(claim, case, effort, fixed) if meets_hypotheses(claim, p)]
    if not places:
        return Verdict(claim.id, case, Status.VACUOUS, "no point meets the hypotheses")
    proof = symbolic.prove(claim, law)
    if proof is not None:
        return _confirm(claim, proof, places, seed)
    answers = [answer_at(claim, place, effort=effort, seed=seed) for place in places]
    refuted = next((a for a in answers if a.holds is False), None)
    if refuted is not None:
        return _summarise(claim, case, Status.REFUTED, "false at a point", answers, str(refuted))
    still_open = [a for a in answers if a.holds is None]
    if still_open:
        text = f"open at {len(still_open)} of {len(answers)} points; raise the effort"
        return _summarise(claim, case, Status.INCONCLUSIVE, text, answers)
    if claim.statement.conclusion.op == "<=" and _depends_on_the_ratio_alone(claim, law):
        return _on_boxes(claim, law, answers, effort)
    if speaks_of_gaussian_sampler(claim, law):
        return _on_sampler_boxes(claim, law, answers, effort)
    if "share" in claim.parameters:
        return _on_every_distance(claim, law, answers)
    exact = all(a.method is Method.ENCLOSURE for a in answers)
    if exact and claim.statement.conclusion.op == "<=":
        text = f"at {len(answers)} points, by enclosure"
        return _summarise(claim, case, Status.CERTIFIED, text, answers)
    if all(a.exact for a in answers):
        text = f"both sides are the same expression at {len(answers)} parameter values, for every τ"
        return _summarise(claim, case, Status.CERTIFIED, text, answers)
    text = f"at {len(answers)} points, within the errors: {_methods(answers)}"
    return _summarise(claim, case, Status.SUPPORTED, text, answers)


def _check_chain(claim: Claim) -> Verdict:
    """Check that the conclusions of the steps imply the claim; say what is taken on trust."""
    assert claim.derivation is not None
    statement = claim.derivation()
    if not _concludes(statement.conclusion, claim):
        witness = str(statement.conclusion)
        text = "the derivation concludes something else"
        return Verdict(claim.id, CHAIN, Status.REFUTED, text, witness=witness)
    verdict = algebra.check_statement(statement, claim=claim.id, case=CHAIN)
    if verdict.status is not Status.PROVED:
        return verdict
    origins = _origins(statement, claim)
    if "" in origins and not claim.taken:
        orphan = statement.hypotheses[origins.index("")]
        text = f"no step, no used claim and nothing declared as taken gives {orphan}"
        return replace(verdict, status=Status.INCONCLUSIVE, summary=text)
    rests_on = [
        f"{origin}: {hypothesis}" if origin else f"taken: {hypothesis}"
        for origin, hypothesis in zip(origins, statement.hypotheses, strict=True)
    ]
    rests_on += [f"taken: {text}" for text in claim.taken]
    summary = "the steps imply the claim, for every law"
    return replace(verdict, summary=summary, rests_on=tuple(rests_on))


def _concludes(conclusion: Relation, claim: Claim) -> bool:
    """Whether a derivation ends in the claim; for a rate, in the claim with some constant."""
    stated = claim.statement.conclusion
    if claim.strength is not Strength.RATE:
        return conclusion == stated
    constant = sp.simplify(conclusion.rhs / stated.rhs)
    return bool(conclusion.lhs == stated.lhs and constant.is_Rational and constant > 0)


def _origins(derivation: Statement, claim: Claim) -> list[str]:
    """Name, for each hypothesis, the step or used claim that gives it; empty where none does.

    What a step itself assumes has to follow from the claims used and from hypotheses that need no
    step, or that have been credited before: two steps cannot vouch for each other.
    """
    sources = [claims.get(i) for i in (*claim.steps, *claim.uses)]
    used = [claims.get(i).statement for i in claim.uses]
    known = [s.conclusion for s in used if not s.hypotheses]
    found = [_given_as_it_is(hypothesis, sources, known) for hypothesis in derivation.hypotheses]
    # Those that no step can give are taken, and may be used by the steps.
    open_ones = [
        k for k, h in enumerate(derivation.hypotheses) if not found[k] and _instances(h, sources)
    ]
    known += [h for k, h in enumerate(derivation.hypotheses) if k not in open_ones]
    progress = True
    while open_ones and progress:
        progress = False
        for k in tuple(open_ones):
            hypothesis = derivation.hypotheses[k]
            origin = next(
                (
                    source.id
                    for source, values in _instances(hypothesis, sources)
                    if _assumptions_hold(source.statement, values, tuple(known))
                ),
                "",
            )
            if origin:
                found[k] = origin
                known.append(hypothesis)
                open_ones.remove(k)
                progress = True
    return found


def _given_as_it_is(
    hypothesis: Relation, sources: Sequence[Claim], known: Sequence[Relation]
) -> str:
    for source in sources:
        stated = source.statement
        if not _says_the_same(stated.conclusion, hypothesis):
            continue
        if _assumptions_hold(stated, {}, tuple(known)):
            return source.id
    return ""


def _says_the_same(one: Relation, other: Relation) -> bool:
    if one.op != other.op:
        return False
    return bool(one.slack == other.slack or (one.op == "=" and one.slack == -other.slack))


def _instances(
    hypothesis: Relation, sources: Sequence[Claim]
) -> list[tuple[Claim, dict[sp.Symbol, sp.Expr]]]:
    """Return the algebraic sources whose conclusion the hypothesis is an instance of."""
    found = []
    for source in sources:
        conclusion = source.statement.conclusion
        if source.is_algebraic and conclusion.op == hypothesis.op:
            values = _letters_of_instance(hypothesis, conclusion)
            if values is not None:
                found.append((source, values))
    return found


def _letters_of_instance(
    hypothesis: Relation, pattern: Relation
) -> dict[sp.Symbol, sp.Expr] | None:
    """Return what stands for the letters of a pattern in an instance of it.

    None if it is no instance, if something is not a sum of nonnegative terms, or is not what its
    letter has to be.
    """
    letters = {s: sp.Wild(f"w{k}") for k, s in enumerate(sorted(pattern.free_symbols, key=str))}
    found = hypothesis.slack.match(pattern.slack.xreplace(letters))
    if not found:
        return None
    values = {s: found.get(wild, sp.S.Zero) for s, wild in letters.items()}
    plain = all(
        value != 0 and all(term.is_nonnegative for term in value.as_ordered_terms())
        for value in values.values()
    )
    return values if plain and all(_may_stand_for(v, s) for s, v in values.items()) else None


def _may_stand_for(value: sp.Expr, letter: sp.Symbol) -> bool:
    if letter.is_integer and not value.is_integer:
        return False
    return bool(value.is_positive or not letter.is_positive)


def _assumptions_hold(
    step: Statement, values: dict[sp.Symbol, sp.Expr], known: tuple[Relation, ...]
) -> bool:
    """Whether the hypotheses of a step, instantiated, are plain or follow from what is known."""
    for hypothesis in step.hypotheses:
        instance = Relation(
            hypothesis.lhs.xreplace(values), hypothesis.op, hypothesis.rhs.xreplace(values)
        )
        if instance.op == "<=" and all(
            term.is_nonnegative for term in instance.slack.as_ordered_terms()
        ):
            continue
        verdict = algebra.check_statement(Statement(instance, known), claim="", case=CHAIN)
        if verdict.status is not Status.PROVED:
            return False
    return True


def _confirm(claim: Claim, proof: Verdict, places: Sequence[Point], seed: int) -> Verdict:
    """Look at a proved claim in numbers too: a counterexample would be a defect of the prover."""
    answers = [answer_at(claim, place, effort="quick", seed=seed) for place in places]
    refuted = next((a for a in answers if a.holds is False), None)
    if refuted is not None:
        return replace(
            proof,
            status=Status.REFUTED,
            summary="a counterexample to a symbolic proof: one of the two is a defect, report it",
            witness=str(refuted),
        )
    return replace(proof, slack=_least_slack(answers))


def _on_boxes(claim: Claim, law: Case, answers: Sequence[PointAnswer], effort: str) -> Verdict:
    """Certify a claim on every interval of the one ratio that matters, at p = 1/2."""
    assert law.reduction is not None
    evidence, boxes, left_open = [], 0, dict[Interval, str]()
    for size in map(sp.Integer, box_sample_sizes(effort, claim.id)):
        written = law.reduction.forms({"N": size, "p": sp.Rational(1, 2)})
        forms = {name: merge_expectations(form) for name, form in written.items()}
        slack = in_forms(claim, forms).subs(symbols.N, size)
        if is_identically_zero(in_forms(claim, written).subs(symbols.N, size)):
            evidence.append(f"N = {size}: both sides are the same expression")
            continue
        for interval in RATIO_INTERVALS:
            result = certify_nonnegative(slack, [law.reduction.ratio], [interval])
            boxes += result.boxes
            if result.negative:
                where = f"N = {size}, p = 1/2, μa/σ in {result.negative[0]}"
                return _summarise(
                    claim, law.name, Status.REFUTED, "false on a whole box", answers, where
                )
            if not result.certified:
                left_open[interval] = f"{len(result.undecided)} boxes at N = {size}"
        evidence.append(f"N = {size}: {'in part ' if left_open else ''}certified")
    certified = [interval for interval in RATIO_INTERVALS if interval not in left_open]
    if not certified:
        text = f"open on {', '.join(left_open.values())}"
        return _summarise(claim, law.name, Status.INCONCLUSIVE, text, answers)
    (a_low, a_high), (t_low, t_high) = TWO_POINT_BOX
    covers = (
        f"open on {_shown(left_open)}: {', '.join(left_open.values())}"
        if left_open
        else f"any schedule; for OU it covers a in [{a_low}, {a_high}], t in [{t_low}, {t_high}]"
    )
    text = (
        f"τ a point mass, p = 1/2, N <= {box_sample_sizes(effort, claim.id)[-1]}, μa/σ in "
        f"{_shown(certified)} ({covers}); and at points: {_methods(answers)}"
    )
    verdict = _summarise(claim, law.name, Status.CERTIFIED, text, answers)
    return replace(verdict, evidence=(f"{boxes} boxes", *evidence, *verdict.evidence))


def _on_sampler_boxes(
    claim: Claim, law: Case, answers: Sequence[PointAnswer], effort: str
) -> Verdict:
    """Certify a claim about a sampler on boxes of its step and of the law's variance."""
    boxes, covered, left_open = 0, list[str](), list[str]()
    for box in sampler_boxes(law.name, effort):
        result = certify_sampler(claim, law, box)
        boxes += result.boxes
        if result.negative:
            where = f"{box}: {result.negative[0]}"
            return _summarise(
                claim, law.name, Status.REFUTED, "false on a whole box", answers, where
            )
        (covered if result.certified else left_open).append(str(box))
    if not covered:
        text = f"open on {'; '.join(left_open)}"
        return _summarise(claim, law.name, Status.INCONCLUSIVE, text, answers)
    still_open = f" (open on {'; '.join(left_open)})" if left_open else ""
    text = (
        f"every N and d, |m|² ≤ d, on {'; '.join(covered)}{still_open}; and at {len(answers)} "
        "points, by enclosure"
    )
    verdict = _summarise(claim, law.name, Status.CERTIFIED, text, answers)
    return replace(verdict, evidence=(f"{boxes} boxes", *verdict.evidence))


def _on_every_distance(claim: Claim, law: Case, answers: Sequence[PointAnswer]) -> Verdict:
    """Certify a claim for every distance of two coupled processes, setting by setting."""
    found = [certified_at_every_distance(claim, answer.point) for answer in answers]
    if not all(found):
        text = f"at {len(answers)} points only, not at every distance: {_methods(answers)}"
        return _summarise(claim, law.name, Status.SUPPORTED, text, answers)
    text = f"at every distance, by enclosure, for {len(answers)} settings"
    verdict = _summarise(claim, law.name, Status.CERTIFIED, text, answers)
    lines = (f"{a.point}: {how}" for a, how in zip(answers, found, strict=True))
    return replace(verdict, evidence=(*lines, *verdict.evidence))


def _shown(intervals: Iterable[Interval]) -> str:
    """Write neighbouring intervals as one."""
    merged: list[Interval] = []
    for low, high in intervals:
        if merged and merged[-1][1] == low:
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return " and ".join(f"[{low}, {high}]" for low, high in merged)


def _depends_on_the_ratio_alone(claim: Claim, law: Case) -> bool:
    if law.reduction is None or claim.parameters:
        return False
    forms = law.reduction.forms({"N": sp.Integer(2), "p": sp.Rational(1, 2)})
    return set(claim.quantity_names) <= set(forms) and is_homogeneous(claim, forms)


def in_forms(claim: Claim, forms: dict[str, sp.Expr]) -> sp.Expr:
    """Write rhs - lhs of a claim in a case's expressions."""
    return claim.statement.conclusion.slack.subs({symbol(n): f for n, f in forms.items()})


def is_homogeneous(claim: Claim, forms: dict[str, sp.Expr]) -> bool:
    """Whether a common positive factor of all quantities factors out of the claim."""
    factor = sp.Symbol("lambda", positive=True)
    zero = {symbol(n): sp.S.Zero for n, form in forms.items() if form == 0}
    slack = claim.statement.conclusion.slack.subs(zero)
    scaled = slack.subs({symbol(n): factor**2 * symbol(n) for n in QUANTITIES}, simultaneous=True)
    return any(sp.expand(scaled / factor**k - slack) == 0 for k in (1, 2))


def _summarise(
    claim: Claim,
    case: str,
    status: Status,
    summary: str,
    answers: Sequence[PointAnswer],
    witness: str = "",
) -> Verdict:
    sampled = sum(a.method is Method.SAMPLING for a in answers)
    return Verdict(
        claim.id,
        case,
        status,
        summary,
        slack=_least_slack(answers),
        evidence=tuple(str(a) for a in answers),
        false_alarm=sampled * INTERVALS_PER_POINT * FALSE_ALARM,
        witness=witness,
    )


def _methods(answers: Sequence[PointAnswer]) -> str:
    """Say how many points each method decided."""
    found = [answer.method for answer in answers]
    return ", ".join(f"{found.count(m)} by {m.value}" for m in Method if m in found)


def _least_slack(answers: Sequence[PointAnswer]) -> Slack | None:
    known = [(a.slack.value - a.slack.error, a) for a in answers if a.slack is not None]
    if not known:
        return None
    ratio, where = min(known, key=lambda pair: pair[0])
    return Slack(ratio, str(where.point))
