"""How stable the empirical score is: sharper than Proposition 6, and for every law.

U = S ∪ {x̃} has n = N + 1 points with posterior weights w_i and mean m at X_t, which is noised from
a point of U; given X_t that point is the i-th with probability w_i. Without point i the mean is
m − d_i with d_i = w_i (m − x_i)/(1 − w_i) up to sign, and Σ d_i = Σ w_i d_i. Replacing x_i by x̃ is
leaving out one point instead of another, so (times μ²/σ⁴, in mean over the sample and τ)

    N ε_stab² = E Σ|d_i|² + (N + 1) E Σ w_i|d_i|² − 2 E|Σ w_i d_i|².

Letters of the steps: Q = E Σ w_i|d_i|², P = E Σ|d_i|², R = E|Σ w_i d_i|²; W₁ and W₂ are D_H² times
the mean weight, and squared weight, of the point that X_t was noised from.
"""

from __future__ import annotations

from theory import quantities as q
from theory.assumptions import EMPIRICAL, SAMPLE, TAU
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters


def _double_sum() -> tuple[Relation, ...]:
    """What the chains of both bounds start from."""
    from theory.symbols import N

    p, weighted, r = letters("P Q R", real=True)
    return (
        Relation(N * q.eps_stab_squared, "=", p + (N + 1) * weighted - 2 * r),
        Relation(weighted, "=", q.E_own_change),
        Relation(p, "=", q.E_own_change + N * q.E_other_change),
    )


def _lower() -> Statement:
    return Statement(Relation(q.E_own_change + q.E_other_change, "<=", q.eps_stab_squared))


def _lower_derivation() -> Statement:
    weighted, r = letters("Q R", real=True)
    return Statement(_lower().conclusion, (*_double_sum(), Relation(r, "<=", weighted)))


def _upper() -> Statement:
    from theory.symbols import N

    return Statement(
        Relation(N * q.eps_stab_squared, "<=", (N + 2) * q.E_own_change + N * q.E_other_change)
    )


def _upper_derivation() -> Statement:
    import sympy as sp

    (r,) = letters("R", real=True)
    return Statement(_upper().conclusion, (*_double_sum(), Relation(sp.S.Zero, "<=", r)))


def _leave_one_out() -> Statement:
    import sympy as sp

    m, w, x = letters("m w x", real=True)
    without = (m - w * x) / (1 - w)
    return Statement(
        Relation(m - without, "=", w * (x - m) / (1 - w)), (Relation(sp.S.Zero, "<", 1 - w),)
    )


def _jensen() -> Statement:
    import sympy as sp

    inner, weighted, r = letters("s Q R", real=True)
    return Statement(
        Relation(r, "<=", weighted),
        (Relation(sp.S.Zero, "<=", weighted - 2 * inner + r), Relation(inner, "=", r)),
    )


def _packing() -> Statement:
    from theory.symbols import N

    return Statement(
        Relation(N * q.eps_stab_squared, "<=", (N + 1) * q.packing_second + q.packing_first)
    )


def _packing_derivation() -> Statement:
    from theory.symbols import N

    first, second = letters("W1 W2", nonnegative=True)
    return Statement(
        _packing().conclusion,
        (
            _upper().conclusion,
            Relation(q.E_own_change, "<=", second),
            Relation(N * q.E_other_change, "<=", first - second),
            Relation(first, "<=", q.packing_first),
            Relation(second, "<=", q.packing_second),
        ),
    )


def _largest_weight() -> Statement:
    import sympy as sp

    b, j, k = letters("b j k", real=True)
    return Statement(
        Relation(k * (1 + j), "<=", k + b * j),
        (Relation(k, "<=", b), Relation(sp.S.Zero, "<=", j)),
    )


_LOWER = "farghly2026.empirical-stability-lower"
_UPPER = "farghly2026.empirical-stability-upper"
_PACKING = "farghly2026.empirical-stability-packing"
_INVERSE = "farghly2026.proposition-6.binomial-inverse-moment"
_NEEDS = frozenset({"empirical-score"})
_SOURCE = "derived here, for the empirical score"
_EXPANDED = (
    "the double sum Σ_j w_j Σ_{i≠j} |d_i − d_j|² expanded, with Σ d_i = Σ w_i d_i; given X_t and "
    "the set U, the noised point is the i-th with probability w_i, and each other point is as "
    "likely to be the one replaced"
)
_DIAMETER = "the diameter stands for the distance of points that share weight: loose by design"
_OWN = "Q is the change at the joining point's own noise; P adds those at the N others, by exchange"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_LOWER,
        title="Replacing a point changes the empirical score at least as much as adding one",
        source=Source("farghly2026", "Proposition 6", _SOURCE),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_lower,
        assumptions=(SAMPLE, TAU, EMPIRICAL),
        steps=(f"{_UPPER}.leave-one-out", f"{_UPPER}.jensen"),
        derivation=_lower_derivation,
        taken=(_EXPANDED, _OWN),
        needs=_NEEDS,
        sharp_at="in the limit N → ∞, and of little noise",
    ),
    Claim(
        id=_UPPER,
        title="Replacing a point changes the empirical score little more than adding one",
        source=Source("farghly2026", "Proposition 6", _SOURCE),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_upper,
        assumptions=(SAMPLE, TAU, EMPIRICAL),
        steps=(f"{_UPPER}.leave-one-out", f"{_UPPER}.jensen"),
        derivation=_upper_derivation,
        taken=(_EXPANDED, _OWN),
        needs=_NEEDS,
        sharp_at="in the limit N → ∞: within (N + 2)/N of the lower bound",
    ),
    Claim(
        id=f"{_UPPER}.leave-one-out",
        title="The mean without a point of weight w at x, one coordinate",
        source=Source("farghly2026", "Proposition 6", _SOURCE),
        kind=Kind.CLASSICAL,
        strength=Strength.IDENTITY,
        build=_leave_one_out,
        step_of=_UPPER,
        sharp_at="everywhere",
    ),
    Claim(
        id=f"{_UPPER}.jensen",
        title="A squared mean is at most a mean square; s = E⟨d, Ed⟩",
        source=Source("farghly2026", "Proposition 6", _SOURCE),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_jensen,
        step_of=_UPPER,
        sharp_at="d constant",
    ),
    Claim(
        id=_PACKING,
        title="Stability of the empirical score from how many points the support has for the noise",
        source=Source("farghly2026", "Proposition 6", _SOURCE + ": explicit, of the rate N⁻²"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_packing,
        assumptions=(SAMPLE, TAU, EMPIRICAL, "the support has diameter D_H"),
        uses=(_UPPER, _INVERSE),
        steps=(f"{_PACKING}.largest-weight",),
        derivation=_packing_derivation,
        taken=(
            "|d_i| ≤ D_H w_i, and E Σ w_i² = E Σ w_i · w_i is the mean weight of the noised point",
            "convex functions of a sum of terms in [0, b] grow when each term is replaced by b "
            "times a Bernoulli variable of that mean; then the inverse moments of 1 + Bin(N, q)",
        ),
        needs=frozenset({"empirical-score", "packing"}),
        unkilled=(
            ("rhs: term packing_first times 9/10", _DIAMETER),
            ("rhs: term packing_first dropped", _DIAMETER),
            ("rhs: term packing_second*(N + 1) times 9/10", _DIAMETER),
            ("σ for σ² in eps_stab_squared", _DIAMETER),
        ),
    ),
    Claim(
        id=f"{_PACKING}.largest-weight",
        title="k/(k + bj) ≤ 1/(1 + j) for k ≤ b: the weight of a point, by the largest kernel b",
        source=Source("farghly2026", "Proposition 6", _SOURCE),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_largest_weight,
        step_of=_PACKING,
        sharp_at="k = b or j = 0",
    ),
)
