"""Statements about plain real numbers: certificates that are re-checked, witnesses that are too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random

import sympy as sp
from flint import arb

from proofs_check.enclosure import NotEnclosable, enclose, exact_ball
from proofs_check.provers.certificate import Certificate, find_certificate, is_contradictory
from proofs_check.provers.polynomial import NotPolynomial, System, radicands, system_of
from proofs_check.verdict import Status, Verdict
from theory.claim import Relation, Statement

_NASTY = tuple(
    sp.Rational(p, q) for p, q in ((0, 1), (1, 1), (-1, 1), (4, 1), (1, 4), (-9, 4), (9, 1), (2, 1))
)
_MOST_TRIALS = 4000
_PRECISION = 128
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
    met = _satisfied_somewhere(statement)
    if met is None:
        return verdict(
            Status.INCONCLUSIVE, "no point that meets the hypotheses was found: they may contradict"
        )
    if system is None:
        return _check_identity(statement, met, verdict)
    certificate = (
        is_contradictory(replace(system, nonnegative=(*system.nonnegative, -system.goal)))
        if statement.conclusion.op == "<"
        else find_certificate(system)
    )
    if certificate is None:
        return verdict(
            Status.INCONCLUSIVE,
            "no certificate of degree two found",
            evidence=(_z3_opinion(system),),
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


def _check_identity(statement: Statement, met: str, verdict: object) -> Verdict:
    make = verdict  # a factory, typed loosely because its keywords vary
    difference = sp.together(statement.conclusion.slack)
    numerator, denominator = sp.fraction(difference)
    if sp.expand(numerator) != 0:
        return make(Status.INCONCLUSIVE, "the difference does not expand to zero")  # type: ignore[operator,no-any-return]
    positive = {h.slack for h in statement.hypotheses if h.op == "<"}
    factors = [base for base, _ in sp.factor_list(_denominators(statement.conclusion))[1]]
    if any(factor not in positive for factor in factors):
        return make(Status.INCONCLUSIVE, f"not shown to be defined: {denominator} may vanish")  # type: ignore[operator,no-any-return]
    return make(  # type: ignore[operator,no-any-return]
        Status.PROVED,
        "an identity of rational functions: the difference expands to zero",
        evidence=(met,),
    )


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


def find_witness(statement: Statement) -> str | None:
    """Look for a point that meets the hypotheses and breaks the conclusion, rigorously.

    Square roots of negative numbers in the conclusion break it too.
    """
    symbols = sorted(statement.free_symbols, key=str)
    for values in (*_z3_points(statement, symbols), *_nasty_points(symbols)):
        if not all(_holds(h, values) for h in statement.hypotheses):
            continue
        if _fails(statement.conclusion, values):
            where = ", ".join(f"{s}={v}" for s, v in values.items())
            left, right = (_shown(e, values) for e in _sides(statement.conclusion))
            return f"{where}: lhs {left}, rhs {right}"
    return None


def _satisfied_somewhere(statement: Statement) -> str | None:
    """Name a checked point where the hypotheses are met and the conclusion is defined."""
    symbols = sorted(statement.free_symbols, key=str)
    anything = replace(statement, conclusion=Relation(sp.S.One, "<=", sp.S.Zero))
    for values in (*_nasty_points(symbols), *_z3_points(anything, symbols)):
        if all(_holds(h, values) for h in statement.hypotheses) and _is_defined(
            statement.conclusion, values
        ):
            return "hypotheses met, for one, at " + ", ".join(f"{s}={v}" for s, v in values.items())
    return None


def _sides(relation: Relation) -> tuple[sp.Expr, sp.Expr]:
    return relation.lhs, relation.rhs


def _shown(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> str:
    ball = _evaluate(expression, values)
    if ball.is_finite():
        return f"= {ball.str(12, radius=False)}"
    return f"= {expression.subs(values)}, not a real number"


def _evaluate(expression: sp.Expr, values: dict[sp.Symbol, sp.Rational]) -> arb:
    environment = {symbol: exact_ball(value) for symbol, value in values.items()}
    try:
        return enclose(expression, environment, precision=_PRECISION)
    except (NotEnclosable, ZeroDivisionError):
        return arb("nan")


def _is_defined(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    """Whether both sides are real numbers: no root of a negative number, no division by zero."""
    if any(radicand.subs(values).is_negative for radicand in radicands(relation)):
        return False
    return not any(side.subs(values).has(sp.zoo, sp.nan) for side in _sides(relation))


def _holds(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    if not _is_defined(relation, values):
        return False
    slack = relation.slack.subs(values)
    if relation.op == "=":
        return bool(slack == 0)
    if slack == 0:
        return relation.op == "<="
    ball = _evaluate(relation.slack, values)
    return bool(ball.is_finite() and ball > 0)


def _fails(relation: Relation, values: dict[sp.Symbol, sp.Rational]) -> bool:
    if not _is_defined(relation, values):
        return True
    slack = _evaluate(relation.slack, values)
    if not slack.is_finite():
        return False
    if relation.op == "<" and relation.slack.subs(values) == 0:
        return True
    return bool(slack < 0) or (relation.op == "=" and bool(slack != 0))


def _may_be(symbol: sp.Symbol, value: sp.Rational) -> bool:
    """Whether a value contradicts none of the symbol's own assumptions."""
    facts = symbol.assumptions0.items()
    return all(getattr(value, f"is_{fact}", truth) in (truth, None) for fact, truth in facts)


def _nasty_points(symbols: Sequence[sp.Symbol]) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    choices = [[v for v in _NASTY if _may_be(s, v)] for s in symbols]
    total = 1
    for choice in choices:
        total *= len(choice)
    if total <= _MOST_TRIALS:
        for values in product(*choices):
            yield dict(zip(symbols, values, strict=True))
        return
    pick = Random(0)
    for _ in range(_MOST_TRIALS):
        yield {s: pick.choice(choice) for s, choice in zip(symbols, choices, strict=True)}


def _z3_points(
    statement: Statement, symbols: Sequence[sp.Symbol]
) -> list[dict[sp.Symbol, sp.Rational]]:
    """Ask z3 for a counterexample; rational ones come back as points, to be checked like others."""
    import z3

    try:
        system = system_of(statement)
    except NotPolynomial:
        return []
    names = {v: z3.Real(f"v{k}") for k, v in enumerate(system.variables)}
    solver = z3.Solver()
    solver.set("timeout", 2000)
    for polynomial in system.nonnegative:
        solver.add(_to_z3(polynomial, names) >= 0)
    for polynomial in system.positive:
        solver.add(_to_z3(polynomial, names) > 0)
    for polynomial in system.equations:
        solver.add(_to_z3(polynomial, names) == 0)
    goal = _to_z3(system.goal, names)
    may_be_zero = statement.conclusion.op == "<"
    solver.add(goal != 0 if system.goal_is_equation else goal <= 0 if may_be_zero else goal < 0)
    if solver.check() != z3.sat:
        return []
    model = solver.model()
    found = {}
    root_of = dict(zip(system.radicands, system.roots, strict=True))
    for symbol in symbols:
        source = names.get(symbol)
        root = names.get(root_of.get(symbol))
        if source is None and root is None:
            return []
        value = model.eval(source if source is not None else root, model_completion=True)
        if not z3.is_rational_value(value):
            return []
        exact = sp.Rational(value.numerator_as_long(), value.denominator_as_long())
        found[symbol] = exact if source is not None else exact**2
    return [found] if all(_may_be(s, value) for s, value in found.items()) else []


def _z3_opinion(system: System) -> str:
    """Say what z3 makes of the negated goal; an opinion, never a proof."""
    import z3

    names = {v: z3.Real(f"v{k}") for k, v in enumerate(system.variables)}
    solver = z3.Solver()
    solver.set("timeout", 5000)
    solver.add(*(_to_z3(g, names) >= 0 for g in system.nonnegative))
    solver.add(*(_to_z3(g, names) > 0 for g in system.positive))
    solver.add(*(_to_z3(e, names) == 0 for e in system.equations))
    solver.add(_to_z3(system.goal, names) < 0)
    return f"z3 on the negation: {solver.check()} (not trusted)"


def _to_z3(polynomial: sp.Expr, names: dict[sp.Symbol, object]) -> object:
    import z3

    total: object = z3.RealVal(0)
    variables = tuple(names)
    if not variables:
        return z3.Q(int(polynomial.p), int(polynomial.q))
    for powers, coefficient in sp.Poly(polynomial, *variables).terms():
        term: object = z3.Q(int(coefficient.p), int(coefficient.q))
        for variable, power in zip(variables, powers, strict=True):
            for _ in range(power):
                term = term * names[variable]  # type: ignore[operator]
        total = total + term  # type: ignore[operator]
    return total
