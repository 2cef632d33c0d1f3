"""Each claim made subtly false, and the refutation of each.

A check that can't fail is a bug. The mutants of a claim are made from its own tree: every constant
shrunk, every term dropped, every exponent flipped, every hypothesis dropped, and, in the case's
expressions, σ and σ² swapped. One that no case refutes is a survivor, and has to be explained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from proofs_check.enclosure import NotEnclosable, enclose
from proofs_check.measurement import PRECISION, balls, measure, time_rule
from proofs_check.number import Number, to_number
from proofs_check.plans import points, with_parameters_of
from proofs_check.point import Point, at_time, of_sampler, timeless
from proofs_check.provers.pointwise import answer_once, decide, meets_hypotheses
from proofs_check.provers.rates import check_rate
from proofs_check.provers.witnesses import find_witness
from proofs_check.verdict import Status
from theory import cases, claims
from theory.claim import Claim, Relation, Strength
from theory.quantities import symbol
from theory.sampler_steps import KAPPA
from theory.sgd_steps import STEP_COUNT
from theory.symbols import N, mu, sigma2

_SHRINK = sp.Rational(9, 10)

#: Where mutants of rates are hunted, the quickest first.
_RATE_CASES = (
    "reverse-gaussian",
    "gaussian-sampler-true",
    "two-points",
    "gaussian-mean",
    "fixed-score",
    "circle",
    "worst-pair-synchronous",
    "reflection-recursion",
    "noised-two-points",
    "naive-gaussian-ou",
    "regression-slopes",
)

#: What only some cases are about; claims about it have no other hunting grounds, and none else has.
_SUBJECTS = frozenset(
    {"sampler", "reverse-process", "sgd", "synchronous", "reflection", "reflection-drift"}
)
_OF_THE_V_KERNEL = frozenset(
    {
        "noised-point",
        "random-slope",
        "ensemble",
        "gap-filling",
        "naive-estimator",
        "naive-gap",
        "fitted-features",
        "training-time",
    }
)

#: Subjects whose bounds no case may attain: there a check has to notice a thousandth at least.
_LOOSELY_BOUNDED = frozenset(
    {"sgd", "reflection-drift", "ensemble", "gap-filling", "trained-features"}
)

Abbreviations = tuple[tuple[sp.Symbol, sp.Expr], ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed claim; ``swapped`` names the quantity whose expression has σ for σ²."""

    name: str
    claim: Claim
    swapped: str = ""


@dataclass(frozen=True, slots=True)
class MutantOutcome:
    """What became of a mutant. ``reason`` explains a survivor; empty if nobody has."""

    claim: str
    name: str
    statement: str
    killed: bool
    witness: str
    reason: str


def mutants_of(claim: Claim) -> tuple[Mutant, ...]:
    """Return the mutants of a claim.

    Examples
    --------
    >>> [m.name for m in mutants_of(claims.get("farghly2026.theorem-3b-sum.young"))][:2]
    ['rhs: term a times 9/10', 'rhs: term a dropped']
    """
    statement = claim.statement
    relation = statement.written or statement.conclusion
    found: list[Mutant] = []

    def add(
        name: str, written: Relation, swapped: str = "", where: Abbreviations = statement.where
    ) -> None:
        conclusion = Relation(written.lhs.subs(where), written.op, written.rhs.subs(where))
        changed = replace(statement, conclusion=conclusion, where=(), written=None)
        found.append(Mutant(name, replace(claim, build=lambda: changed), swapped))

    def with_rhs(rhs: sp.Expr) -> Relation:
        return Relation(relation.lhs, relation.op, rhs)

    terms = sp.Add.make_args(relation.rhs)
    for term in terms:
        weaker = relation.op != "=" and term.could_extract_minus_sign()  # less is subtracted
        if claim.strength is not Strength.RATE and not weaker:
            shrunk = with_rhs(relation.rhs - (1 - _SHRINK) * term)
            add(f"rhs: term {term} times 9/10", shrunk)
        if claim.strength is not Strength.RATE and weaker:
            grown = with_rhs(relation.rhs + (1 - _SHRINK) * term)
            add(f"rhs: term {term} times 11/10", grown)
        if len(terms) > 1 and not weaker:
            add(f"rhs: term {term} dropped", with_rhs(relation.rhs - term))
    if claim.needs & _LOOSELY_BOUNDED and relation.op == "<=" and len(terms) == 1:
        add("rhs: a thousandth of it", with_rhs(relation.rhs / 1000))
    for power, flipped in _flipped_powers(relation.rhs):
        name = f"rhs: exponent {power.exp} of {power.base} made 1"
        add(name, with_rhs(relation.rhs.xreplace({power: flipped})))
    for abbreviation, meaning in statement.where:
        for power, flipped in _flipped_powers(meaning):
            changed_meaning = ((abbreviation, meaning.xreplace({power: flipped})),)
            name = f"{abbreviation}: exponent {power.exp} of {power.base} made 1"
            add(name, relation, where=changed_meaning)
    if claim.strength is Strength.RATE:
        if statement.rate_variable == "N":
            add("rhs: divided by N²", with_rhs(relation.rhs / N**2))
        elif statement.rate_variable == "1/kappa":
            add("rhs: times κ²", with_rhs(relation.rhs * KAPPA.symbol**2))
        elif statement.rate_variable == "K":
            add("rhs: divided by K", with_rhs(relation.rhs / STEP_COUNT.symbol))
        elif statement.rate_variable == "e^T":
            add("rhs: times μ²", with_rhs(relation.rhs * mu**2))
        else:
            add("rhs: times σ_ε⁸", with_rhs(relation.rhs * sigma2**4))
    for dropped in statement.hypotheses:
        kept = tuple(h for h in statement.hypotheses if h is not dropped)
        changed = replace(statement, hypotheses=kept)
        found.append(
            Mutant(
                f"hypothesis {dropped} dropped",
                replace(claim, build=lambda changed=changed: changed),  # type: ignore[misc]
            )
        )
    for name in claim.quantity_names:
        if claim.strength is not Strength.RATE and _has_noise_level(claim, name):
            add(f"σ for σ² in {name}", relation, name)
    return tuple(found)


def _flipped_powers(expression: sp.Expr) -> Iterator[tuple[sp.Pow, sp.Expr]]:
    """Yield each power with a positive exponent, and its base."""
    for power in sorted(expression.atoms(sp.Pow), key=str):
        if power.exp.is_positive:
            yield power, power.base


def _has_noise_level(claim: Claim, name: str) -> bool:
    """Whether σ stands in the quantity's expression somewhere that the claim speaks of."""
    return any(
        sp.sympify(point.law.example_quantities(dict(point.values)).get(name, 0)).has(sigma2)
        for point in _hunting_grounds(claim)
        if meets_hypotheses(claim, point)
    )


def mutant_report(
    claim_ids: Sequence[str] | None = None, *, effort: str = "quick", seed: int = 0
) -> Iterator[MutantOutcome]:
    """Try every mutant of the claims (all by default) and say what became of it."""
    for claim_id in claim_ids or claims.CLAIMS:
        claim = claims.get(claim_id)
        declared = dict(claim.unkilled)
        for mutant in mutants_of(claim):
            witness = find_refutation(mutant, effort=effort, seed=seed)
            yield MutantOutcome(
                claim.id,
                mutant.name,
                str(mutant.claim.statement),
                witness is not None,
                witness or "",
                "" if witness is not None else declared.get(mutant.name, ""),
            )


def find_refutation(mutant: Mutant, *, effort: str, seed: int) -> str | None:
    """Return a witness against a mutant, or None if no case refutes it."""
    claim = mutant.claim
    if claim.is_algebraic:
        return find_witness(claim.statement)
    if claim.strength is Strength.RATE:
        for case in _RATE_CASES:
            law = cases.get(case)
            about = claim.needs & (_SUBJECTS | _OF_THE_V_KERNEL)
            if not (set(claim.quantity_names) <= law.knows and about <= law.offers):
                continue
            verdict = check_rate(claim, case, effort=effort, seed=seed)
            if verdict.status is Status.REFUTED:
                return f"{case}: {verdict.witness}"
        return None
    for turn, place in enumerate(_hunting_grounds(claim)):
        point = place if place.claim_values else with_parameters_of(claim, place, turn)
        if not meets_hypotheses(claim, point):
            continue
        if mutant.swapped:
            numbers = _with_swap(claim, point, mutant.swapped, effort=effort, seed=seed)
            if numbers is None:
                continue
            answer = decide(claim, point, numbers)
        else:
            answer = answer_once(claim, point, effort=effort, seed=seed)
        if answer.holds is False:
            return f"{point.case}: {answer}"
    return None


def _hunting_grounds(claim: Claim) -> Iterator[Point]:
    """Where mutants are hunted: near equality and at the edges first, the plans after."""
    grounds = (
        # where Harnack's inequality is an equality, for alpha = 2 and for alpha → ∞
        *(
            with_parameters_of(claim, at_time("test-function", 2, "ve", r=r, theta=r / 4))
            for r in (sp.Integer(2), sp.S.Half)
        ),
        *points("heat-line", "quick"),
        *points("binomial", "standard"),
        # points far apart in many dimensions, where distances are all alike
        *(
            with_values_of(claim, at_time("finite-points", "1/100", N=n, d=24, K=25), c=c)
            for n, c in ((1, "1/1000"), (12, "1/2"))
        ),
        *(at_time("two-points", "3/10", N=n) for n in (1, 2, 4)),
        at_time("two-points", "1/20", N=2, a="4/5"),
        at_time("two-points", "3/10", N=2, a=4),
        at_time("two-points", "3/10", N=8, p="1/10"),
        at_time("two-points", "1/10", N=2, p="1/1000", a=3),
        at_time("two-points", 3, N=16, a="1/2"),
        *(at_time("two-points", t, "ve", N=n, a=t) for t in ("1/4", 4) for n in (1, 16)),
        *points("one-point", "standard"),
        at_time("one-point", "1/100", V=100),
        *points("gaussian-mean", "quick"),
        at_time("fixed-score", "3/10", N=2, b=30),
        *points("gaussian-mean-variance", "quick"),
        *points("gaussian-data", "quick"),
        # data much narrower than the noise: what starting from N(0, I) costs is nearly its bound
        at_time("reverse-gaussian", 1, s2="1/100000000"),
        *_other_noise(claim),
        # two short steps: the sampler has hardly left N(0, I), the law is still what it was at T
        *(
            of_sampler(case, L=1, m=1, kappa="1/1000", **more)
            for case, more in (
                ("gaussian-sampler-true", {"b": 5}),
                ("two-points-sampler", {"N": 1, "p": 1, "a": 5}),
            )
        ),
        # short steps and a score that memorises: the paths diverge hardly more than their ends
        of_sampler("two-points-sampler", N=2, kappa="1/20", L=20, m=142),
        *points("reverse-gaussian", "quick"),
        *points("gaussian-sampler-true", "quick"),
        *points("gaussian-sampler-mean", "standard"),
        *points("two-points-sampler", "quick"),
        *points("mixture-sampler", "quick"),
        *_chains_and_drifts(claim),
        *_of_the_v_kernel(claim),
    )
    yield from (point for point in grounds if cases.get(point.case).meets(claim.needs))


def _chains_and_drifts(claim: Claim) -> Iterator[Point]:
    """Where chains are coupled, for claims about them, and where drifts are for those."""
    if "reflection-drift" in claim.needs:
        for case in ("eberle-ou", "eberle-double-well", "eberle-clipped"):
            for share in ("1/1000", "1", "1/2", "1000"):
                yield from (with_values_of(claim, p, share=share) for p in points(case, "deep"))
    if "sgd" in claim.needs:
        # chains that meet at once, or that the ball holds at its ends
        yield timeless("worst-pair-synchronous", N=1, K=1, eta=1, L=0)
        yield timeless("worst-pair-synchronous", N=4, K=1, L=1)
        # few replacements and a long time: f of the distance is nearly at rest
        yield timeless("reflection-recursion", N=1000000, K=100000)
        yield timeless("reflection-recursion", N=1000000, K=100000, L=0)
        # noise that throws chains to the ends of the ball, and a ball that is not of radius one
        yield timeless("reflection-recursion", noise=100)
        yield timeless("reflection-recursion", N=1000000, K=100000, C=10, noise=30)
        yield timeless("reflection-recursion", N=1000000, K=100000, C=10, noise=1000)
        for case in (
            "worst-pair-synchronous",
            "reflection-recursion",
            "reflection-recursion-unprojected",
        ):
            yield from points(case, "quick")
        yield from points("mean-sgd", "standard")
        yield from points("noisy-mean-sgd", "quick")
        yield from points("noisy-mean-sgd-unprojected", "quick")


def _of_the_v_kernel(claim: Claim) -> Iterator[Point]:
    """Where claims on the V-kernel are checked, and where those on training time nearly meet."""
    if "training-time" in claim.needs:
        yield timeless("training-time-hermite", F=1, training_time="1/1000")
        yield timeless("training-time-hermite", F=1, training_time=5)
    if "naive-gap" in claim.needs:  # without fresh noise the two sides are one
        yield timeless("naive-two-points-ou", kappa=0, a="1/2")
    if "ensemble" in claim.needs:  # few training points: Gaussian weights are far off
        yield timeless("ensemble-two-points", N=3)
    if "gap-filling" in claim.needs:  # zero in a gap; and few steps with a strong ridge
        yield timeless("gap-filling-gaussian", M=2)
        yield timeless("gap-filling-gaussian", M=2, eps="1/100")
        yield timeless("gap-filling-gaussian", K=30, eps="1/100", ridge=1)
    for name in cases.NAMES if claim.needs & _OF_THE_V_KERNEL else ():
        if claim.needs <= cases.get(name).offers:
            yield from points(name, "standard")


def _other_noise(claim: Claim) -> Iterator[Point]:
    """Where σ > 1, for claims that hold for any (μ, σ)."""
    if not any("Ornstein" in words for words in claim.assumptions):
        yield at_time("reverse-gaussian", 2, "ve", s2="1/100000000")


def with_values_of(claim: Claim, point: Point, **values: str) -> Point:
    """Return the point with these values of those parameters that the claim has."""
    chosen = {n: sp.Rational(v) for n, v in values.items() if n in claim.parameters}
    return with_parameters_of(claim, point).with_claim_values(**chosen)


def _with_swap(
    claim: Claim, point: Point, name: str, *, effort: str, seed: int
) -> dict[str, Number] | None:
    """Measure a point, the expression of one quantity having σ in place of σ²."""
    forms = point.law.example_quantities(dict(point.values))
    if name not in forms or not set(claim.quantity_names) <= set(forms):
        return None
    free = {symbol(n): form for n, form in forms.items()}
    swapped = (
        sp.sympify(forms[name])
        .subs(free)
        .replace(lambda node: node == sigma2, lambda node: sp.sqrt(node))
    )
    try:
        ball = enclose(swapped, balls(point, {}), time=time_rule(point), precision=PRECISION)
    except NotEnclosable:
        return None
    number = to_number(ball)
    if number is None:
        return None
    return {**measure(point, claim.quantity_names, effort=effort, seed=seed), name: number}
