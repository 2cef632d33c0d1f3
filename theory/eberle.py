"""Eberle's concave function for reflection coupling of diffusions, in continuous time.

dX = b(X) dt + dW with ⟨x − y, b(x) − b(y)⟩ ≤ −κ(r) r²/2 at distance r. The reflected distance has
the generator 2f'' − ½rκf'; with φ' = −¼rκ⁻φ, Φ = ∫φ, I = ∫₀^{R₁} Φ/φ, g' = −½(Φ/φ)/I and f' = φg,
f contracts at the rate c = 1/I.
"""

from __future__ import annotations

from functools import partial

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters, nonnegative
from theory.proof_steps import proof_step

_INEQUALITY = "eberle2016.differential-inequality"
_SOURCE = Source("eberle2016", "contraction theorem", "noise one; f'(0) = 1")
_PROOF = Source("eberle2016", "proof of the contraction theorem")
_NEEDS = frozenset({"reflection-drift"})


def _inequality() -> Statement:
    return Statement(Relation(q.eberle_rate * q.f_now, "<=", q.f_decay))


def _inside() -> Statement:
    """p = φ, s = Φ, n = κ⁻, k = κ⁺, c = 1/I, d = f'' by the product rule, v = f."""
    r, p, g, s, n, k, c, second, value = letters("r p g s n k c d v", real=True)
    return Statement(
        Relation(c * value, "<=", r * (k - n) * (p * g) / 2 - 2 * second),
        (
            *nonnegative(c, r * k * (p * g)),
            Relation(value, "<=", s),
            Relation(second, "=", -r * n * p * g / 4 - s * c / 2),
        ),
    )


def _below_integral() -> Statement:
    """f' = φg ≤ φ, as g ≤ 1."""
    import sympy as sp

    p, g = letters("p g", real=True)
    return Statement(Relation(p * g, "<=", p), (*nonnegative(p), Relation(g, "<=", sp.S.One)))


def _rate_bound() -> Statement:
    """w = R₁ − R₀, a = Φ(R₀), p = φ(R₀): I ≥ w(a + pw/2)/p, as Φ(s) = a + p(s − R₀) there."""
    w, a, p, c = letters("w a p c", real=True)
    return Statement(
        Relation(c * w * (a + p * w), "<=", 2 * p),
        (*nonnegative(c * w * a), Relation(c * w * (a + p * w / 2), "<=", p)),
    )


def _outside() -> Statement:
    """Beyond R₁, f'' = 0 and f' = p/2: so c f ≤ ½rκf' if z ≤ kp/4, where c f ≤ cΦ ≤ z r."""
    z, j, p, k = letters("z j p k", real=True)
    return Statement(
        Relation(z, "<=", k * p / 4),
        (*nonnegative(p), Relation(z, "<=", 2 * p * j), Relation(8 * j, "<=", k)),
    )


def _above() -> Statement:
    return Statement(Relation(q.f_now, "<=", q.distance))


def _below() -> Statement:
    return Statement(Relation(q.f_floor, "<=", q.f_now))


def _best() -> Statement:
    return Statement(Relation(q.eberle_rate, "<=", q.best_rate))


_step_of = partial(proof_step, source=_PROOF)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_INEQUALITY,
        title="Eberle's f decays under the reflected distance at the rate c",
        source=_SOURCE,
        kind=Kind.CLASSICAL,
        strength=Strength.UPPER,
        build=_inequality,
        steps=tuple(
            f"{_INEQUALITY}.{name}"
            for name in ("inside", "below-integral", "rate-bound", "outside")
        ),
        taken=(
            "the product rule for f' = φg, and f ≤ Φ by integrating the step below-integral",
            "Φ(r)/r falls, so R₁ Φ(r) ≤ r Φ(R₁) beyond R₁",
        ),
        needs=_NEEDS,
        parameters=("share",),
        sharp_at="r → 0",
    ),
    _step_of(
        _INEQUALITY,
        "inside",
        "Up to R₁: p = φ, s = Φ, n = κ⁻, k = κ⁺, d = f'', v = f",
        _inside,
        strength=Strength.TIGHT,
        sharp_at="f = Φ and κ⁺ = 0",
        unkilled=(
            ("rhs: term -2*d times 11/10", "a weaker statement: d ≤ 0 in the proof"),
            ("rhs: term g*p*r*(k - n)/2 times 9/10", "true as well where n = κ⁻ ≥ 0"),
        ),
    ),
    _step_of(
        _INEQUALITY,
        "below-integral",
        "f' ≤ φ, since g ≤ 1",
        _below_integral,
        strength=Strength.TIGHT,
        sharp_at="g = 1",
    ),
    _step_of(
        _INEQUALITY,
        "rate-bound",
        "c (R₁ − R₀) Φ(R₁) ≤ 2φ(R₀): w = R₁ − R₀, a = Φ(R₀), p = φ(R₀)",
        _rate_bound,
        strength=Strength.TIGHT,
        sharp_at="a = 0",
    ),
    _step_of(
        _INEQUALITY,
        "outside",
        "Beyond R₁: z = cΦ(R₁)/R₁, j = 1/(R₁(R₁ − R₀)), p = φ(R₀), k = κ(r)",
        _outside,
        strength=Strength.TIGHT,
        sharp_at="κ(R₁) = 8/(R₁(R₁ − R₀))",
    ),
    Claim(
        id="eberle2016.upper",
        title="Eberle's f is at most the distance",
        source=_SOURCE,
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_above,
        needs=_NEEDS,
        parameters=("share",),
        sharp_at="r → 0",
    ),
    Claim(
        id="eberle2016.lower",
        title="Eberle's f is at least half of φ(R₀) times the distance",
        source=_SOURCE,
        kind=Kind.CLASSICAL,
        strength=Strength.UPPER,
        build=_below,
        needs=_NEEDS,
        parameters=("share",),
        sharp_at="r → ∞",
    ),
    Claim(
        id="eberle2016.rate",
        title="Eberle's rate is at most the best one",
        source=Source("eberle2016", "contraction theorem", "compared with the spectral bound"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_best,
        needs=_NEEDS,
        sharp_at="not attained",
        unkilled=(("rhs: term best_rate times 9/10", "half the best rate for Ornstein–Uhlenbeck"),),
    ),
)
