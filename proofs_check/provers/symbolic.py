"""Claims on closed forms, for all parameters and all schedules: the sign of an exact difference.

The difference rhs - lhs of a claim is written in the case's closed forms. Integrals over time are
positive numbers about which only two things are used: they are linear in the integrand, and
f <= g at every time gives ∫ f dτ <= ∫ g dτ for every positive measure τ. What remains is an
expression in nonnegative numbers with square roots, decided by three rules:

1. an expression whose terms are all nonnegative is nonnegative;
2. P - Q + √X >= 0 for P, Q >= 0 if X - Q² >= 0;
3. √b + √e - √a >= 0 if 4 b e - (a - b - e)² >= 0 (with a, b, e >= 0), because
   (√b + √e)² = b + e + 2√(be).

Rational expressions are decided after writing N = 1 + n with n >= 0: if numerator and denominator
have no negative coefficient, they are nonnegative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import sympy as sp

from proofs_check.verdict import Status, Verdict
from theory import symbols
from theory.cases.case import Case
from theory.claim import Claim
from theory.claim_parameters import alpha
from theory.operators import Kept, TimeIntegral
from theory.quantities import symbol

# Dummies, here and below: a case's own symbol of the same name must stay another one.
_SHIFTED_SAMPLE_SIZE = sp.Dummy("n", nonnegative=True)


#: With more terms than this expressions are not expanded: that they are zero is not seen.
_MOST_TERMS = 50_000

#: Longer combinations of integrals over time are not brought to one.
_LONGEST = 500

#: A claim's own parameters, written so that sympy sees where they range.
_RANGES = {alpha: 1 + sp.Dummy("beta", positive=True)}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an expression is nonnegative, as lines to print."""

    lines: tuple[str, ...]


def prove(claim: Claim, case: Case) -> Verdict | None:
    """Prove a claim for every parameter value and schedule of a case; None if the rules fail."""
    if claim.parameters and not case.takes:
        return None
    forms = case.quantities(case.symbols)
    relation = claim.statement.conclusion
    slack = relation.slack.subs({symbol(n): f for n, f in forms.items()})
    fixed = {h.lhs: h.rhs for h in claim.statement.hypotheses if h.op == "="}
    values = {**dict(case.fixed), **fixed, **_RANGES}
    slack = slack.subs(values)
    written = (
        side.subs({symbol(n): f for n, f in forms.items()}).subs(values)
        for side in (relation.lhs, relation.rhs)
    )
    if relation.op == "<" or not all(map(_divides_by_positive_only, written)):
        return None
    if is_identically_zero(slack):
        return Verdict(
            claim.id,
            case.name,
            Status.PROVED,
            f"both sides are equal for all parameters{_schedules(slack)}",
        )
    if relation.op == "=":
        return None
    reason = _prove_nonnegative(slack, case)
    if reason is None:
        return None
    return Verdict(
        claim.id,
        case.name,
        Status.PROVED,
        f"for all parameters{_schedules(slack)}",
        evidence=reason.lines,
    )


def _schedules(slack: sp.Expr) -> str:
    return ", every schedule with μ, σ > 0 and every τ" if slack.has(TimeIntegral) else ""


def _divides_by_positive_only(expression: sp.Expr) -> bool:
    """Whether every denominator is positive on the whole domain, N = 1 included."""
    if expression.has(sp.zoo, sp.nan, sp.oo):
        return False
    divisors = {p.base for p in expression.atoms(sp.Pow) if not p.exp.is_nonnegative}
    return all(_from_one_up(base).is_positive for base in divisors)


def _from_one_up(expression: sp.Expr) -> sp.Expr:
    """Write N = 1 + n with n >= 0 and expand."""
    return sp.expand(expression.subs(symbols.N, 1 + _SHIFTED_SAMPLE_SIZE))


def is_identically_zero(expression: sp.Expr) -> bool:
    """Whether an expression is zero, integrals over time being linear in their integrands."""
    if expression == 0:
        return True
    if expression.has(Kept) or _expanded_terms(expression, {}) > _MOST_TERMS:
        return False
    if sp.expand(expression) == 0:
        return True
    integrals = sorted(expression.atoms(TimeIntegral), key=str)
    if not integrals:
        named = _with_exponentials_named(expression)
        return bool(named.is_rational_function() and sp.cancel(sp.together(named)) == 0)
    names = {integral: sp.Dummy() for integral in integrals}
    linear = sp.expand(expression.xreplace(names))
    if linear.free_symbols & {symbols.mu, symbols.sigma2, symbols.t}:  # bound in the integrals
        return False
    if linear.count_ops() > _LONGEST or not linear.is_polynomial(*names.values()):
        return False
    polynomial = sp.Poly(linear, *names.values())
    if polynomial.total_degree() > 1:
        return False
    combined = sp.Add(*(polynomial.coeff_monomial(v) * k.integrand for k, v in names.items()))
    if polynomial.coeff_monomial(1) != 0:
        return False
    return bool(sp.expand(combined) == 0 or sp.cancel(sp.together(combined)) == 0)


def _with_exponentials_named(expression: sp.Expr) -> sp.Expr:
    """Replace exponentials by positive letters, one for each exponent however it is spelt.

    What is zero for any positive numbers in their place is zero.
    """
    atoms = expression.atoms(sp.exp)
    letters = {sp.expand(a.args[0]): sp.Dummy("e", positive=True) for a in atoms}
    return expression.xreplace({a: letters[sp.expand(a.args[0])] for a in atoms})


def _expanded_terms(node: sp.Basic, known: dict[sp.Basic, int]) -> int:
    """Return at least the number of terms that expanding products and powers of sums gives."""
    if node not in known:
        parts = [_expanded_terms(part, known) for part in node.args]
        if isinstance(node, sp.Add):
            count = sum(parts)
        elif isinstance(node, sp.Mul):
            count = math.prod(parts)
        elif isinstance(node, sp.Pow) and node.exp.is_Integer:
            count = parts[0] ** min(abs(int(node.exp)), 64)
        else:  # expanded inside, and one term outside
            known[node] = 1 if max(parts, default=1) <= _MOST_TERMS else _MOST_TERMS + 1
            return known[node]
        known[node] = min(count, _MOST_TERMS + 1)
    return known[node]


def _prove_nonnegative(slack: sp.Expr, case: Case) -> Reason | None:
    ordered = _order_integrals(slack, case)
    if ordered is None:
        return None
    slack, lines = ordered
    if slack.has(sp.exp):  # none of the rules knows about exponentials
        return None
    for unknown in sorted(slack.free_symbols & _quantities(), key=str):
        if _grows_with(slack, unknown):
            slack = slack.subs(unknown, 0)
            lines.append(f"grows with the unknown {unknown} >= 0, so take {unknown} = 0")
    rule = _by_roots(sp.expand(slack))
    return None if rule is None else Reason((*lines, *rule))


def _grows_with(expression: sp.Expr, unknown: sp.Symbol) -> bool:
    """Whether the expression is built so that it cannot fall when a nonnegative unknown grows."""
    if not expression.has(unknown) or expression == unknown:
        return True
    if isinstance(expression, sp.Add):
        return all(_grows_with(term, unknown) for term in expression.args)
    if isinstance(expression, sp.Mul):
        return all(f.is_nonnegative and _grows_with(f, unknown) for f in expression.args)
    if isinstance(expression, sp.Pow) and expression.exp.is_positive and expression.exp.is_number:
        return bool(expression.base.is_nonnegative and _grows_with(expression.base, unknown))
    return False


def _quantities() -> set[sp.Symbol]:
    from theory.quantities import QUANTITIES

    return {symbol(name) for name in QUANTITIES}


def _order_integrals(slack: sp.Expr, case: Case) -> tuple[sp.Expr, list[str]] | None:
    """Name the integrals by nonnegative symbols that obey the facts of the case."""
    lines: list[str] = []
    names: dict[sp.Expr, sp.Expr] = {}
    for smaller, larger in case.facts:
        if not (is_nonnegative_rational(smaller) and is_nonnegative_rational(larger - smaller)):
            return None
        low, excess = sp.Dummy("A", nonnegative=True), sp.Dummy("D", nonnegative=True)
        names[TimeIntegral(smaller)], names[TimeIntegral(larger)] = low, low + excess
        lines.append(
            f"A = ∫({smaller})dτ <= ∫({larger})dτ = A + D with D >= 0, since the integrands "
            "differ by a quotient of polynomials without negative coefficients"
        )
    for bound in case.bounds:
        (integral,) = bound.rhs.atoms(TimeIntegral)
        factor = bound.rhs / integral
        if not (is_nonnegative_rational(integral.integrand) and factor.is_positive):
            return None
        names[integral] = (bound.lhs + sp.Dummy("D", nonnegative=True)) / factor
        lines.append(f"{bound.rhs} = {bound.lhs} + D with D >= 0, a bound of the case")
    for index, integral in enumerate(sorted(slack.atoms(TimeIntegral) - set(names), key=str)):
        if not integral.integrand.is_nonnegative:
            return None
        names[integral] = sp.Dummy(f"I{index}", nonnegative=True)
        lines.append(f"I{index} = {integral} >= 0")
    return slack.xreplace(names), lines


def is_nonnegative_rational(expression: sp.Expr) -> bool:
    """Whether a rational expression in nonnegative symbols has no negative coefficient at all.

    Its denominator has to be positive, too: 1/(N - 1) is not even defined for N = 1.
    """
    shifted = expression.subs(symbols.N, 1 + _SHIFTED_SAMPLE_SIZE)
    if not shifted.free_symbols:
        return bool(shifted.is_nonnegative)
    if not shifted.is_rational_function(*shifted.free_symbols):
        return False
    numerator, denominator = map(sp.expand, sp.fraction(sp.cancel(sp.together(shifted))))
    if not all(s.is_nonnegative for part in (numerator, denominator) for s in part.free_symbols):
        return False
    if denominator.is_negative:
        numerator, denominator = sp.expand(-numerator), sp.expand(-denominator)
    coefficients = sp.Poly(numerator, *shifted.free_symbols).coeffs()
    return bool(denominator.is_positive and all(c.is_nonnegative for c in coefficients))


def _by_roots(slack: sp.Expr) -> tuple[str, ...] | None:
    parts = _split(slack)
    if parts is None:
        return None
    rational, positive, negative = parts
    radicands = [*positive, *negative]
    if not all(is_nonnegative_rational(x) for x in radicands):
        return None
    if not negative and is_nonnegative_rational(rational):
        return ("every term is nonnegative",)
    if not negative and len(positive) == 1:
        lost = sp.Add(*(-t for t in sp.Add.make_args(rational) if not is_nonnegative_rational(t)))
        gap = positive[0] - lost**2
        if is_nonnegative_rational(lost) and is_nonnegative_rational(gap):
            return (f"P - Q + √X with Q = {_shown(lost)} and X - Q² = {_shown(gap)} >= 0",)
    if rational == 0 and len(negative) == 1 and len(positive) == 2:
        (b, e), (a,) = positive, negative
        gap = 4 * b * e - (a - b - e) ** 2
        if is_nonnegative_rational(gap):
            return (f"√b + √e - √a with 4be - (a - b - e)² = {_shown(gap)} >= 0",)
    return None


def _shown(expression: sp.Expr) -> sp.Expr:
    """Return a factored expression whose dummies print by their plain names."""
    plain = {dummy: sp.Symbol(dummy.name) for dummy in expression.atoms(sp.Dummy)}
    return sp.factor(expression).xreplace(plain)


def _split(slack: sp.Expr) -> tuple[sp.Expr, list[sp.Expr], list[sp.Expr]] | None:
    """Write an expression as R + Σ √positive - Σ √negative with R rational; None if it is not."""
    rational = sp.S.Zero
    positive: list[sp.Expr] = []
    negative: list[sp.Expr] = []
    for term in sp.Add.make_args(slack):
        roots = [p for p in term.atoms(sp.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
        if not roots:
            rational += term
            continue
        sign, size = term.as_coeff_Mul()
        if not all(map(_is_plainly_nonnegative, sp.Mul.make_args(size))):
            return None
        (positive if sign > 0 else negative).append(sp.cancel(sp.together(sp.expand(term**2))))
    return rational, positive, negative


def _is_plainly_nonnegative(factor: sp.Expr) -> bool:
    """Whether a factor is nonnegative: by its symbols, or as a root of what is shown to be."""
    if isinstance(factor, sp.Pow) and factor.exp.is_Rational and not factor.exp.is_Integer:
        return is_nonnegative_rational(factor.base)
    return bool(factor.is_nonnegative)
