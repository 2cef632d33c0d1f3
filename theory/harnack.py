"""Harnack's inequality without dimension: for the Gaussian kernel, and for heat kernels.

The Gaussian kernel is P_t f(x) = E f(μx + σZ); r is the distance of x and y. In the steps, a and b
are coordinates of the two noised centres, z that of the point between.
"""

from __future__ import annotations

from typing import Any

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters

_LOCATOR = "dimension-free Harnack inequality"
_GAUSSIAN = "wang1997.harnack-gaussian"
_LOG = "wang1997.log-harnack-gaussian"
_SMALL_SIGNAL = "a weaker statement, for μ ≤ 1 in every schedule"
_FUNCTION = "f >= 0 is measurable and its means are finite; r = |x − y|, in any dimension"
_DENSITY = "dN_x and dN_y are the laws N(μx, σ²I) and N(μy, σ²I)"


def _cost() -> Any:
    from theory.cases.test_function import DISTANCE
    from theory.symbols import mu, sigma2

    return mu**2 * DISTANCE.symbol**2 / (2 * sigma2)


def _above_one() -> Relation:
    import sympy as sp

    from theory.claim_parameters import alpha

    return Relation(sp.S.One, "<", alpha)


def _harnack() -> Statement:
    import sympy as sp

    from theory.claim_parameters import alpha

    bound = q.P_f_alpha_y * sp.exp(alpha / (alpha - 1) * _cost())
    return Statement(Relation(q.P_f_x**alpha, "<=", bound))


def _harnack_derivation() -> Statement:
    import sympy as sp

    from theory.claim_parameters import alpha

    (moment,) = letters("M", positive=True)
    return Statement(
        _harnack().conclusion,
        (
            _above_one(),
            Relation(q.P_f_x, "<=", q.P_f_alpha_y ** (1 / alpha) * moment ** (1 - 1 / alpha)),
            Relation(moment, "=", sp.exp(alpha / (alpha - 1) ** 2 * _cost())),
        ),
    )


def _young() -> Statement:
    a, b, u = letters("a b u", positive=True)
    return Statement(Relation(u ** (a / (a + b)), "<=", (a * u + b) / (a + b)))


def _gaussian_moment() -> Statement:
    a, b, k, z = letters("a b k z", real=True)
    return Statement(
        Relation(
            k * (z - a) ** 2 - (k - 1) * (z - b) ** 2,
            "=",
            (z - k * a + (k - 1) * b) ** 2 - k * (k - 1) * (a - b) ** 2,
        )
    )


def _harnack_sharp() -> Statement:
    import sympy as sp

    alpha, cost = letters("alpha D", positive=True)
    # f = exp(θ·) with θ = μr/((α − 1)σ²): both means are Gaussian, and D = μ²r²/(2σ²).
    mean_x = sp.exp(2 * cost / (alpha - 1) + cost / (alpha - 1) ** 2)
    mean_power_y = sp.exp(alpha**2 * cost / (alpha - 1) ** 2)
    return Statement(
        Relation(mean_x**alpha, "=", mean_power_y * sp.exp(alpha / (alpha - 1) * cost)),
        (Relation(sp.S.One, "<", alpha),),
    )


def _log_harnack() -> Statement:
    import sympy as sp

    return Statement(Relation(q.geometric_mean_x, "<=", q.P_f_y * sp.exp(_cost())))


def _log_harnack_derivation() -> Statement:
    import sympy as sp

    (divergence,) = letters("E", positive=True)
    return Statement(
        _log_harnack().conclusion,
        (
            Relation(q.geometric_mean_x, "<=", q.P_f_y * divergence),
            Relation(divergence, "=", sp.exp(_cost())),
        ),
    )


def _tangent() -> Statement:
    import sympy as sp

    (u,) = letters("u", positive=True)
    return Statement(Relation(sp.log(u), "<=", u - 1))


def _gaussian_divergence() -> Statement:
    a, b, z = letters("a b z", real=True)
    return Statement(
        Relation((z - b) ** 2 - (z - a) ** 2, "=", (a - b) ** 2 + 2 * (a - b) * (z - a))
    )


def _heat_kernel() -> Statement:
    from theory.claim_parameters import alpha

    bound = alpha / (alpha - 1) * q.transport_cost
    return Statement(Relation(q.log_harnack_constant, "<=", bound))


def _heat_kernel_log() -> Statement:
    return Statement(Relation(q.log_harnack_divergence, "<=", q.transport_cost))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_GAUSSIAN,
        title="Dimension-free Harnack inequality for the Gaussian kernel",
        source=Source("wang1997", _LOCATOR, "written for the noising semigroup, any (μ, σ)"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_harnack,
        assumptions=(_FUNCTION, "α > 1"),
        steps=(f"{_GAUSSIAN}.young", f"{_GAUSSIAN}.gaussian-moment"),
        derivation=_harnack_derivation,
        taken=(
            "Hölder: integrate Young's inequality against dN_y; M is the mean of (dN_x/dN_y)^α'",
            f"a Gaussian density integrates to one, coordinate by coordinate; {_DENSITY}",
        ),
        needs=frozenset({"test-function"}),
        parameters=("alpha",),
        sharp_at="f = exp⟨θ, ·⟩ with θ = μ(x − y)/((α − 1)σ²)",
        unkilled=(
            ("rhs: exponent 2 of mu made 1", _SMALL_SIGNAL),
            ("σ for σ² in P_f_x", "it makes the left side smaller where σ > 1, the only equality"),
        ),
    ),
    Claim(
        id=f"{_GAUSSIAN}.young",
        title="Young's inequality u^θ 1^(1−θ) ≤ θu + 1 − θ with θ = a/(a + b)",
        source=Source("wang1997", _LOCATOR, "the proof of Hölder's inequality"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_young,
        step_of=_GAUSSIAN,
        sharp_at="u = 1",
    ),
    Claim(
        id=f"{_GAUSSIAN}.gaussian-moment",
        title="The exponent of (dN_x/dN_y)^k dN_y is a square plus k(k − 1)(a − b)²",
        source=Source("wang1997", _LOCATOR, "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.IDENTITY,
        build=_gaussian_moment,
        step_of=_GAUSSIAN,
        sharp_at="everywhere",
    ),
    Claim(
        id=f"{_GAUSSIAN}-sharp",
        title="Harnack's inequality is an equality for exponential functions, D = μ²r²/(2σ²)",
        source=Source("wang1997", _LOCATOR, "derived here: the constant is best"),
        kind=Kind.DERIVED,
        strength=Strength.IDENTITY,
        build=_harnack_sharp,
        sharp_at="everywhere",
    ),
    Claim(
        id=_LOG,
        title="Log-Harnack inequality for the Gaussian kernel",
        source=Source("wang1997", _LOCATOR, "the limit α → ∞, exponentiated"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_log_harnack,
        assumptions=(_FUNCTION,),
        steps=(f"{_LOG}.tangent", f"{_LOG}.gaussian-divergence"),
        derivation=_log_harnack_derivation,
        taken=(
            "Gibbs: integrate log u ≤ u − 1 at u = (f/P_t f(y)) (dN_y/dN_x) against dN_x; E is the "
            "exponential of the Kullback–Leibler divergence of dN_x from dN_y",
            f"z − a has mean zero under dN_x, coordinate by coordinate; {_DENSITY}",
        ),
        needs=frozenset({"test-function"}),
        sharp_at="f = exp⟨θ, ·⟩ with θ = μ(x − y)/σ²",
        unkilled=(("rhs: exponent 2 of mu made 1", _SMALL_SIGNAL),),
    ),
    Claim(
        id=f"{_LOG}.tangent",
        title="The logarithm lies below its tangent at one",
        source=Source("wang1997", _LOCATOR, "the proof of Gibbs' inequality"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_tangent,
        step_of=_LOG,
        sharp_at="u = 1",
    ),
    Claim(
        id=f"{_LOG}.gaussian-divergence",
        title="The exponent of dN_x/dN_y is (a − b)² plus a term of mean zero",
        source=Source("wang1997", _LOCATOR, "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.IDENTITY,
        build=_gaussian_divergence,
        step_of=_LOG,
        sharp_at="everywhere",
    ),
    Claim(
        id="wang1997.harnack-heat-kernel",
        title="Dimension-free Harnack inequality for heat kernels",
        source=Source(
            "wang1997",
            _LOCATOR,
            "for the generator Δ and Ric ≥ K, against the best constant: the left side is exact",
        ),
        kind=Kind.LITERATURE,
        strength=Strength.TIGHT,
        build=_heat_kernel,
        assumptions=("P_t is the semigroup of Δ on a complete manifold with Ric ≥ K", "α > 1"),
        needs=frozenset({"heat-kernel"}),
        parameters=("alpha",),
        sharp_at="R^d, every x, y, t and α",
    ),
    Claim(
        id="wang1997.log-harnack-heat-kernel",
        title="Log-Harnack inequality for heat kernels",
        source=Source("wang1997", _LOCATOR, "the limit α → ∞; the left side is the best constant"),
        kind=Kind.LITERATURE,
        strength=Strength.TIGHT,
        build=_heat_kernel_log,
        assumptions=("P_t is the semigroup of Δ on a complete manifold with Ric ≥ K",),
        needs=frozenset({"heat-kernel"}),
        sharp_at="R^d, every x, y and t",
    ),
)
