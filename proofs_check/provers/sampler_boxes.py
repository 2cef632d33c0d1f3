"""Proposition 7 for Gaussian targets on boxes of (κ, s², N, d, |m|), T and ε tied to κ.

The slack is a function of κ, s² and x = 1/√N, linear in |m|², and everything scales with d when
|m|² does: so two values of |m|²/d and one d are enough. L and m are fixed in a box; T = κL + 1 and
ε = (1 + κ)^(−m) move with κ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from proofs_check.provers.boxes import BoxResult, Interval
from proofs_check.provers.taylor_boxes import certify_by_taylor_forms
from theory.cases.case import Case
from theory.cases.gaussian_sampler import MEAN_NORM, VARIANCE
from theory.claim import Claim
from theory.quantities import symbol
from theory.sampler_steps import KAPPA
from theory.symbols import N, d

_ROOT = sp.Symbol("x", nonnegative=True)  # 1/√N
_UNIT = (sp.Integer(0), sp.Integer(1))


@dataclass(frozen=True, slots=True)
class SamplerBox:
    """L = m = ``steps``, and where κ and s² range."""

    steps: int
    kappa: Interval
    variance: Interval

    def __str__(self) -> str:
        (k0, k1), (v0, v1) = self.kappa, self.variance
        return f"L = m = {self.steps}, κ in [{k0}, {k1}], s² in [{v0}, {v1}]"


def speaks_of_gaussian_sampler(claim: Claim, law: Case) -> bool:
    """Whether boxes can decide the claim: an inequality for KL, linear in closed forms."""
    if not law.name.startswith("gaussian-sampler") or claim.statement.conclusion.op != "<=":
        return False
    names = claim.quantity_names
    return "KL" in names and set(names) <= set(_forms(law, 1)) and _is_linear(claim)


def certify_sampler(claim: Claim, law: Case, box: SamplerBox) -> BoxResult:
    """Certify a claim for every N, every d and |m|² <= d on a box of κ and s².

    Raises
    ------
    ValueError
        If the claim is not linear in d and |m|².

    Examples
    --------
    >>> from theory import cases, claims
    >>> third = (sp.Rational(1, 4), sp.Rational(1, 3))
    >>> box = SamplerBox(2, third, (sp.Integer(1), sp.Rational(5, 4)))
    >>> law = cases.get("gaussian-sampler-true")
    >>> certify_sampler(claims.get("farghly2026.proposition-7"), law, box).certified
    True
    """
    forms = {name: _forms(law, box.steps)[name] for name in claim.quantity_names}
    if not _is_linear(claim) or not all(map(_is_multiple, forms.values())):
        raise ValueError(f"{claim.id}: it is not linear in d and |m|²")
    slack = _without_roots(claim.statement.conclusion.slack)
    dropped = slack != sp.expand(claim.statement.conclusion.slack)
    slack = slack.xreplace({symbol(name): sp.sympify(form) for name, form in forms.items()})
    ranges = {KAPPA.symbol: box.kappa, VARIANCE.symbol: box.variance}
    if slack.has(N):
        slack, ranges = slack.xreplace({N: 1 / _ROOT**2}), {**ranges, _ROOT: _UNIT}
    boxes = 0
    for norm in _UNIT:  # |m|²/d
        at_end = slack.xreplace({MEAN_NORM.symbol: norm, d: sp.S.One})
        result = _certified(at_end, tuple(ranges.items()))
        boxes += result.boxes
        if result.negative and dropped:  # the roots left out might have made it positive
            return BoxResult(boxes, result.negative, ())
        if not result.certified:
            return BoxResult(boxes, result.undecided, result.negative)
    return BoxResult(boxes, (), ())


@lru_cache(maxsize=64)
def _certified(slack: sp.Expr, ranges: tuple[tuple[sp.Symbol, Interval], ...]) -> BoxResult:
    return certify_by_taylor_forms(slack, dict(ranges))


def _without_roots(slack: sp.Expr) -> sp.Expr:
    """Leave out roots that are added, which are nonnegative: cross terms vanish as N grows."""
    terms = sp.Add.make_args(sp.expand(slack))
    return sp.Add(*(t for t in terms if not (t.is_nonnegative and _has_root(t))))


def _has_root(term: sp.Expr) -> bool:
    return any(not power.exp.is_Integer for power in term.atoms(sp.Pow))


def _forms(law: Case, steps: int) -> dict[str, sp.Expr]:
    count = sp.Integer(steps)
    return law.quantities({**law.symbols, "L": count, "m": count})


def _is_linear(claim: Claim) -> bool:
    """Whether the slack, without the roots that are added, is linear in quantities alone."""
    slack = _without_roots(claim.statement.conclusion.slack)
    own = [symbol(name) for name in claim.quantity_names]
    if claim.statement.free_symbols - set(own) or not slack.is_polynomial(*own):
        return False
    polynomial = sp.Poly(slack, *own)
    return bool(polynomial.is_linear and polynomial.eval(dict.fromkeys(own, 0)) == 0)


def _is_multiple(form: sp.Expr) -> bool:
    """Whether each term is d or |m|² times what holds neither."""
    terms = (term for term in sp.Add.make_args(sp.sympify(form)) if term != 0)
    return all(
        any(not (term / unit).has(d, MEAN_NORM.symbol) for unit in (d, MEAN_NORM.symbol**2))
        for term in terms
    )
