"""The exact reverse process between the times of a sampler: what discretisation costs.

The forward process is Ornstein–Uhlenbeck; s is the true score and J its Fisher information. Along
the reverse process e^t s(Y_t, T − t) is a martingale, which gives the discretisation error exactly.

In the steps, g is one step, X = e^{2g} and E = e^{−g}; J and P are the Fisher information at the
step's start and end, w and v the weights min(1, u) there.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters, nonnegative
from theory.proof_steps import proof_step

_MARTINGALE = "benton2024.score-martingale"
_ERROR = "farghly2026.discretisation-error"
_BOUND = "farghly2026.discretisation-bound"
_PRIOR = "farghly2026.prior-divergence"
_HALF = Fraction(1, 2)
_OU = "Ornstein–Uhlenbeck, and ν has a finite second moment"
_PROOF = "proof of Proposition 7"
_LOOSE = "the bound is loose by a factor of five or more on every law here"
_SAME_ORDER = "at fixed T and ε both terms are of order κ: either alone has the rate"
_WEAKER = "a weaker statement for κ ≤ 1"


def _martingale() -> Statement:
    import sympy as sp

    from theory.claim_parameters import gap

    return Statement(
        Relation(q.score_increment, "=", q.fisher_late + q.fisher_early * (1 - 2 * sp.exp(-gap)))
    )


def _martingale_derivation() -> Statement:
    import sympy as sp

    from theory.claim_parameters import gap

    (product,) = letters("c", real=True)
    return Statement(
        _martingale().conclusion,
        (
            Relation(q.score_increment, "=", q.fisher_late + q.fisher_early - 2 * product),
            Relation(product, "=", sp.exp(-gap) * q.fisher_early),
        ),
    )


def _error() -> Statement:
    return Statement(Relation(q.D_kappa, "=", q.fisher_integral + q.fisher_steps - q.fisher_drift))


def _over_a_step() -> Statement:
    import sympy as sp

    from theory.claim_parameters import gap

    (step,) = letters("g", positive=True)
    change = sp.Integral(1 - 2 * sp.exp(-gap), (gap, 0, step)).doit()
    return Statement(Relation(change, "=", step - 2 * (1 - sp.exp(-step))))


def discretisation_bound() -> Any:
    """Return (3/2) d (κ + (2 + e^{2κ}) κ² K), in symbols."""
    import sympy as sp

    from theory.sampler_steps import KAPPA, step_count
    from theory.symbols import d

    kappa = KAPPA.symbol
    squares = (2 + sp.exp(2 * kappa)) * kappa**2 * step_count()
    return sp.Rational(3, 2) * d * kappa + sp.Rational(3, 2) * d * squares


def _bound() -> Statement:
    return Statement(Relation(q.D_kappa, "<=", discretisation_bound()))


def _bound_derivation() -> Statement:
    import sympy as sp

    from theory.sampler_steps import KAPPA, step_count
    from theory.symbols import d

    kappa, count = KAPPA.symbol, step_count()
    first, last = letters("f e", nonnegative=True)
    cap = sp.Rational(3, 2) * d
    return Statement(
        _bound().conclusion,
        (
            Relation(
                q.D_kappa,
                "<=",
                kappa * (last - first) + count * kappa**2 * cap * (2 + sp.exp(2 * kappa)),
            ),
            Relation(last, "<=", cap),
        ),
    )


def _rate() -> Statement:
    from theory.sampler_steps import KAPPA, horizon, step_count
    from theory.symbols import d

    kappa = KAPPA.symbol
    bound = kappa**2 * d * step_count() + kappa * d * horizon()
    return Statement(Relation(q.D_kappa, "≲", bound), rate_variable="1/kappa")


def _prior_rate_in_time() -> Statement:
    from theory.symbols import d, mu

    return Statement(Relation(q.KL_prior, "≲", d * mu**2), rate_variable="e^T")


def _growth() -> Statement:
    import sympy as sp

    (g,) = letters("g", nonnegative=True)
    return Statement(Relation((sp.exp(2 * g) - 1) / 2, "<=", g + g**2 * sp.exp(2 * g)))


def _decay() -> Statement:
    import sympy as sp

    (g,) = letters("g", nonnegative=True)
    return Statement(Relation(g - g**2, "<=", 2 * (1 - sp.exp(-g)) - g))


def _exponential() -> Statement:
    import sympy as sp

    (u,) = letters("u", nonnegative=True)
    return Statement(Relation(1 + 2 * u, "<=", sp.exp(2 * u)))


def _noise() -> Statement:
    import sympy as sp

    inverse, grown, u = letters("Z Y u", real=True)
    return Statement(
        Relation(2 * u * (inverse - 1), "<=", sp.S.One),
        (
            Relation(sp.S.Zero, "<=", inverse - 1),
            Relation((inverse - 1) * (grown - 1), "=", sp.S.One),
            Relation(1 + 2 * u, "<=", grown),
        ),
    )


def _inverse() -> Statement:
    import sympy as sp

    inverse, u, i = letters("Z u i", real=True)
    return Statement(
        Relation(inverse, "<=", 1 + i / 2),
        (
            Relation(sp.S.Zero, "<=", i),
            Relation(u * i, "=", sp.S.One),
            Relation(2 * u * (inverse - 1), "<=", sp.S.One),
        ),
    )


def _fisher() -> Statement:
    d, lacking, inverse, i = letters("d V Z i", real=True)
    return Statement(
        Relation(d * inverse - lacking, "<=", d * (1 + i / 2)),
        (*nonnegative(d, lacking), Relation(inverse, "<=", 1 + i / 2)),
    )


def _weight() -> Statement:
    import sympy as sp

    d, fisher, i, w = letters("d J i w", real=True)
    return Statement(
        Relation(w * fisher, "<=", Fraction(3, 2) * d),
        (
            *nonnegative(d, w),
            Relation(w, "<=", sp.S.One),
            Relation(w * i, "<=", sp.S.One),
            Relation(fisher, "<=", d * (1 + i / 2)),
        ),
    )


def _step() -> Statement:
    g, here, there, grown, shrunk = letters("g J P X E", real=True)
    integral = there * (grown - 1) * _HALF
    return Statement(
        Relation(
            integral + here * (g - 2 * (1 - shrunk)),
            "<=",
            g * (there - here) + g**2 * (grown * there + here),
        ),
        (
            *nonnegative(here, there),
            Relation((grown - 1) * _HALF, "<=", g + g**2 * grown),
            Relation(g - g**2, "<=", 2 * (1 - shrunk) - g),
        ),
    )


def _summation() -> Statement:
    kappa, here, there, w, v, cap = letters("kappa J P w v c", real=True)
    return Statement(
        Relation(v * (there - here), "<=", v * there - w * here + kappa * cap),
        (
            *nonnegative(kappa, here),
            Relation(w - v, "<=", kappa * w),
            Relation(w * here, "<=", cap),
        ),
    )


def prior_bound() -> Any:
    """Return (μ² E|X_0|² + d(σ² − 1) − d log σ²)/2, in symbols."""
    import sympy as sp

    from theory.symbols import d, mu, sigma2

    return (mu**2 * q.second_moment + d * (sigma2 - 1) - d * sp.log(sigma2)) / 2


def _prior() -> Statement:
    return Statement(Relation(q.KL_prior, "<=", prior_bound()))


def _prior_derivation() -> Statement:
    import sympy as sp

    from theory.symbols import d, mu, sigma2

    (entropy,) = letters("H", real=True)
    energy = (mu**2 * q.second_moment + d * sigma2 + d * sp.log(2 * sp.pi)) / 2
    return Statement(
        _prior().conclusion,
        (
            Relation(q.KL_prior, "=", energy - entropy),
            Relation(d * (sp.log(2 * sp.pi) + 1 + sp.log(sigma2)) / 2, "<=", entropy),
        ),
    )


def _prior_rate() -> Statement:
    from theory.symbols import d, mu, sigma2

    bound = mu**2 * (q.second_moment + d * mu**2 / (2 * sigma2)) / 2
    return Statement(Relation(q.KL_prior, "<=", bound))


def _prior_rate_derivation() -> Statement:
    import sympy as sp

    from theory.symbols import mu, sigma2

    return Statement(
        _prior_rate().conclusion,
        (
            _prior().conclusion,
            Relation(mu**4 / sigma2, "=", 1 / sigma2 - 2 + sigma2),
            Relation(-sp.log(sigma2), "<=", (1 / sigma2 - sigma2) / 2),
        ),
    )


def _logarithm() -> Statement:
    import sympy as sp

    (x,) = letters("x", nonnegative=True)
    return Statement(Relation(sp.log(1 + x), "<=", (1 + x - 1 / (1 + x)) / 2))


_step_of = partial(proof_step, source=Source("farghly2026", _PROOF, "derived here"))

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_MARTINGALE,
        title="The score along the reverse process is e^{−t} times a martingale",
        source=Source("benton2024", "the proof of its main theorem", "as an identity"),
        kind=Kind.DERIVED,
        strength=Strength.IDENTITY,
        build=_martingale,
        assumptions=(_OU,),
        derivation=_martingale_derivation,
        taken=(
            "s_{u+h}(x) = e^h E[s_u(X_u) | X_{u+h} = x]: integration by parts in the transition "
            "density; so c = E⟨s_b, s_a⟩ = e^{−gap} J(t + gap)",
            "the square |s_b − s_a|², written out",
        ),
        needs=frozenset({"reverse-process"}),
        parameters=("gap",),
        sharp_at="everywhere",
    ),
    Claim(
        id=_ERROR,
        title="The discretisation error, exactly, from the Fisher information alone",
        source=Source("farghly2026", _PROOF, "an identity where the paper bounds"),
        kind=Kind.DERIVED,
        strength=Strength.IDENTITY,
        build=_error,
        assumptions=(_OU,),
        uses=(_MARTINGALE,),
        steps=(f"{_ERROR}.over-a-step",),
        taken=("integrate the identity of the martingale over each step, and add up the steps",),
        needs=frozenset({"sampler"}),
        sharp_at="everywhere",
    ),
    _step_of(
        _ERROR,
        "over-a-step",
        "The coefficient 1 − 2e^{−h} of the identity, integrated over a step g",
        _over_a_step,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    Claim(
        id=_BOUND,
        title="The discretisation error is of order κ²dK + κd, for every law",
        source=Source(
            "farghly2026", "Proposition 7", "every constant named: the paper states κ²dK + κdT"
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_bound,
        assumptions=(_OU, "the two-phase times of farghly2026.sampler-times"),
        uses=(_ERROR, "farghly2026.sampler-times"),
        steps=tuple(
            f"{_BOUND}.{name}"
            for name in (
                "growth",
                "decay",
                "exponential",
                "noise",
                "inverse",
                "fisher",
                "weight",
                "one-step",
                "summation",
            )
        ),
        derivation=_bound_derivation,
        taken=(
            "e^{2t} J(T − t) grows, being the second moment of a martingale: so the integral of J "
            "over a step is at most P (e^{2g} − 1)/2",
            "J = d/σ² − V with V ≥ 0 (V = μ²/σ⁴ E tr Cov(X_0|X_t)) and σ² = 1 − e^{−2u}",
            "the steps one-step and summation with c = 3d/2, added over k: f and e are w J at the "
            "first and at the last time; γ_k = κ v and w − v ≤ κ v ≤ κ w in both phases",
        ),
        needs=frozenset({"sampler"}),
        sharp_at="not attained: 5 to 12 times too large on the laws here",
        unkilled=(
            ("rhs: term 3*d*kappa/2 times 9/10", _LOOSE),
            ("rhs: term 3*d*kappa/2 dropped", _LOOSE),
            (
                "rhs: term 3*d*kappa**2*(L + m)*(exp(2*kappa) + 2)/2 times 9/10",
                _LOOSE,
            ),
            ("rhs: exponent 2 of kappa made 1", _LOOSE),
        ),
    ),
    Claim(
        id=f"{_ERROR}-rate",
        title="The discretisation error (the paper's rate in the step size)",
        source=Source("farghly2026", "Proposition 7"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate,
        assumptions=(_OU, "the two-phase times of farghly2026.sampler-times"),
        uses=(_BOUND,),
        taken=("farghly2026.discretisation-bound for κ ≤ 1, constants left out",),
        needs=frozenset({"sampler"}),
        unkilled=(
            ("rhs: term d*kappa*(L*kappa + 1) dropped", _SAME_ORDER),
            ("rhs: term d*kappa**2*(L + m) dropped", _SAME_ORDER),
            ("rhs: exponent 2 of kappa made 1", _WEAKER),
        ),
    ),
    _step_of(
        _BOUND,
        "growth",
        "(e^{2g} − 1)/2 ≤ g + g² e^{2g}",
        _growth,
        strength=Strength.TIGHT,
        sharp_at="g = 0",
        unkilled=(("rhs: exponent 2 of g made 1", "true as well: e^{2g} − 1 ≤ 2g e^{2g}"),),
    ),
    _step_of(
        _BOUND,
        "decay",
        "2(1 − e^{−g}) − g ≥ g − g²",
        _decay,
        strength=Strength.TIGHT,
        sharp_at="g = 0",
    ),
    _step_of(
        _BOUND,
        "exponential",
        "e^{2u} ≥ 1 + 2u",
        _exponential,
        strength=Strength.TIGHT,
        sharp_at="u = 0",
    ),
    _step_of(
        _BOUND,
        "noise",
        "1/σ² − 1 ≤ 1/(2u): Y = e^{2u}, σ² = 1 − 1/Y and Z = 1/σ²",
        _noise,
        strength=Strength.TIGHT,
        sharp_at="Y = 1 + 2u",
    ),
    _step_of(
        _BOUND,
        "inverse",
        "The same, divided by u: i = 1/u",
        _inverse,
        strength=Strength.TIGHT,
        sharp_at="2u(Z − 1) = 1",
    ),
    _step_of(
        _BOUND,
        "fisher",
        "J = dZ − V ≤ d(1 + 1/(2u)): Fisher information at noise time u = 1/i, Z = 1/σ²",
        _fisher,
        strength=Strength.TIGHT,
        sharp_at="V = 0 and Z = 1 + i/2",
    ),
    _step_of(
        _BOUND,
        "weight",
        "w J ≤ 3d/2 for w = min(1, u) and i = 1/u",
        _weight,
        strength=Strength.TIGHT,
        sharp_at="u = w = 1",
    ),
    _step_of(
        _BOUND,
        "one-step",
        "The discretisation error of one step, the integral of J at most P (X − 1)/2",
        _step,
        strength=Strength.TIGHT,
        sharp_at="g = 0",
    ),
    _step_of(
        _BOUND,
        "summation",
        "Summation by parts, one term: weights fall from w to v with w − v ≤ κ w",
        _summation,
        strength=Strength.TIGHT,
        sharp_at="κ = 0, or w J = c and w − v = κ w",
    ),
    Claim(
        id=_PRIOR,
        title="What starting from N(0, I) costs",
        source=Source(
            "farghly2026", "Proposition 7", "explicit, for any (μ, σ): the paper states d e^{−2T}"
        ),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_prior,
        assumptions=("ν has a finite second moment",),
        derivation=_prior_derivation,
        taken=(
            "KL(p‖N(0, I)) = ½ E|X|² + (d/2) log 2π − H with H the entropy of p",
            "adding an independent variable does not lower entropy: H is at least that of σZ",
        ),
        needs=frozenset({"reverse-process"}),
        sharp_at="point masses",
        unkilled=(
            ("rhs: exponent 2 of mu made 1", "a weaker statement, for μ ≤ 1 in every schedule"),
            ("σ for σ² in KL_prior", "it makes the left side smaller where it is all but equal"),
        ),
    ),
    Claim(
        id=f"{_PRIOR}-rate",
        unkilled=(
            ("rhs: exponent 2 of mu made 1", "a weaker statement, for μ ≤ 1 in every schedule"),
            (
                "σ for σ² in KL_prior",
                "it makes the left side smaller where it is all but equal",
            ),
        ),
        title="What starting from N(0, I) costs, of order μ_T² = e^{−2T}",
        source=Source("farghly2026", "Proposition 7", "the paper's d e^{−2T} with its constant"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_prior_rate,
        assumptions=("Ornstein–Uhlenbeck: σ² = 1 − μ²",),
        uses=(_PRIOR,),
        steps=(f"{_PRIOR}-rate.logarithm",),
        derivation=_prior_rate_derivation,
        taken=("σ² = 1 − μ² lies between 0 and 1: so μ⁴ = (1 − σ²)², and 1/σ² ≥ 1 in logarithm",),
        needs=frozenset({"reverse-process"}),
        sharp_at="μ → 0, for a law with E|X_0|² = 0",
    ),
    Claim(
        id=f"{_PRIOR}-exponent",
        title="What starting from N(0, I) costs (the paper's rate in T)",
        source=Source("farghly2026", "Proposition 7"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_prior_rate_in_time,
        assumptions=("Ornstein–Uhlenbeck", "ν is fixed, with a finite second moment"),
        uses=(f"{_PRIOR}-rate",),
        taken=("farghly2026.prior-divergence-rate, constants left out",),
        needs=frozenset({"reverse-process"}),
        unkilled=(
            ("rhs: exponent 2 of mu made 1", "a weaker statement, for μ ≤ 1 in every schedule"),
        ),
    ),
    _step_of(
        f"{_PRIOR}-rate",
        "logarithm",
        "log y ≤ (y − 1/y)/2 for y = 1 + x ≥ 1, used at y = 1/σ²",
        _logarithm,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
    ),
)
