"""The covariance C(x, t) of the proxy score ∇log p(x|X_0) given X_t = x, in its three forms.

In the steps, letters stand for coordinates and likelihoods.
"""

from __future__ import annotations

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Statement, Strength
from theory.letters import letters
from theory.variance_records import variance_claim, variance_step

_PROXY = "vastola2025.proxy-covariance"
_CURVATURE = "vastola2025.proxy-covariance-curvature"
_SUPPORT = "vastola2025.proxy-covariance-support"
_NEAR = "vastola2025.proxy-covariance-near-a-point"
_LATE = "vastola2025.proxy-covariance-late"
_POINT = frozenset({"noised-point"})
_COVARIANCE = "definition of the proxy-score covariance"
_GIVEN = "X_t = μX_0 + σZ; the covariance is over X_0 given X_t = x"


def _proxy() -> Statement:
    from theory.symbols import mu, sigma2

    return Statement(Relation(q.proxy_trace, "=", mu**2 / sigma2**2 * q.posterior_trace))


def _proxy_derivation() -> Statement:
    """e, m the posterior means of |X_0|² and its square norm; n = |x|², c = ⟨x, E X_0⟩."""
    from theory.symbols import mu, sigma2

    e, m, n, c = letters("e m n c", real=True)
    second = (mu**2 * e - 2 * mu * c + n) / sigma2**2
    score = (mu**2 * m - 2 * mu * c + n) / sigma2**2
    return Statement(
        _proxy().conclusion,
        (
            Relation(q.posterior_trace, "=", e - m),
            Relation(q.proxy_trace, "=", second - score),
        ),
    )


def _curvature() -> Statement:
    return Statement(Relation(q.proxy_trace, "=", q.curvature_trace))


def _curvature_derivation() -> Statement:
    """e = E|proxy|², s = |s|², l = Δp/p."""
    from theory.symbols import d, sigma2

    e, s, bend = letters("e s l", real=True)
    return Statement(
        _curvature().conclusion,
        (
            Relation(q.proxy_trace, "=", e - s),
            Relation(bend, "=", e - d / sigma2),
            Relation(q.curvature_trace, "=", d / sigma2 + bend - s),
        ),
    )


def _support() -> Statement:
    from theory.symbols import mu, sigma2

    return Statement(Relation(q.proxy_trace, "<=", mu**2 / sigma2**2 * q.support_radius**2))


def _support_derivation() -> Statement:
    """m = E|X_0 − c|² for the ball's centre c, given x."""
    from theory.symbols import mu, sigma2

    (m,) = letters("m", real=True)
    return Statement(
        _support().conclusion,
        (
            _proxy().conclusion,
            Relation(q.posterior_trace, "<=", m),
            Relation(m, "<=", q.support_radius**2),
            Relation(0 * mu, "<=", mu**2 / sigma2**2),
        ),
    )


def _about_any_point() -> Statement:
    """A variance v is at most the mean square m = v + b² about any point."""
    v, b, m = letters("v b m", real=True)
    return Statement(Relation(v, "<=", m), (Relation(m, "=", v + b**2),))


def _near() -> Statement:
    return Statement(Relation(q.posterior_trace, "<=", q.outside_moment))


def _one_weight() -> Statement:
    likelihood, first = letters("l f", positive=True)
    rest, distance = letters("r D", nonnegative=True)
    whole = likelihood + first + rest
    return Statement(Relation(likelihood * distance / whole, "<=", likelihood * distance / first))


def _late() -> Statement:
    from theory.symbols import mu

    return Statement(Relation(q.proxy_trace, "≲", mu**2), rate_variable="e^T")


CLAIMS: tuple[Claim, ...] = (
    variance_claim(
        _PROXY,
        "The proxy score's covariance is the posterior covariance, times μ²/σ⁴",
        _COVARIANCE,
        kind=Kind.LITERATURE,
        strength=Strength.IDENTITY,
        build=_proxy,
        assumptions=(_GIVEN,),
        derivation=_proxy_derivation,
        taken=("|·|² of (μX_0 − x)/σ² and of its mean, multiplied out",),
        needs=_POINT,
    ),
    variance_claim(
        _CURVATURE,
        "The proxy score's covariance is I/σ² + ∇²log p_t",
        _COVARIANCE,
        kind=Kind.LITERATURE,
        strength=Strength.IDENTITY,
        build=_curvature,
        assumptions=(_GIVEN,),
        derivation=_curvature_derivation,
        taken=(
            "a Gaussian N of mean m has ∇N/N = q and ΔN/N = |q|² − d/σ², q = (m − x)/σ²",
            "derivatives of a mixture are mixtures of derivatives",
        ),
        needs=_POINT,
    ),
    variance_claim(
        _SUPPORT,
        "A law in a ball of radius r has tr C ≤ μ²r²/σ⁴; with one data point, C = 0",
        _COVARIANCE,
        build=_support,
        assumptions=(_GIVEN, "the support lies in a ball of radius r_ν"),
        uses=(_PROXY,),
        steps=(f"{_SUPPORT}.about-any-point",),
        derivation=_support_derivation,
        taken=("|X_0 − c| ≤ r_ν for the centre c of the ball",),
        sharp_at="two points, half-way between them",
        needs=_POINT,
        unkilled=(("rhs: exponent 2 of mu made 1", "a weaker statement: μ ≤ 1 on every schedule"),),
    ),
    variance_step(
        _SUPPORT,
        "about-any-point",
        "A variance v is at most the mean square m about any point, b away from the mean",
        _about_any_point,
        strength=Strength.TIGHT,
        sharp_at="b = 0",
    ),
    variance_claim(
        _NEAR,
        "Near one data point the posterior covariance vanishes exponentially as t → 0",
        _COVARIANCE,
        build=_near,
        assumptions=(_GIVEN, "finitely many data points; x_1 is any of them"),
        steps=(f"{_NEAR}.one-weight",),
        taken=("tr Cov(X_0|x) ≤ Σ_j w_j |x_j − x_1|²: the step about-any-point of the last claim",),
        needs=_POINT,
        sharp_at="one data point; or all weight at x_1",
    ),
    variance_step(
        _NEAR,
        "one-weight",
        "A posterior weight is at most its odds: likelihoods l of x_j, f of x_1, r of the rest",
        _one_weight,
        strength=Strength.TIGHT,
        sharp_at="l + r → 0",
    ),
    variance_claim(
        _LATE,
        "The covariance vanishes like μ² as t → ∞",
        _COVARIANCE,
        strength=Strength.RATE,
        build=_late,
        assumptions=(_GIVEN, "ν has a finite second moment"),
        needs=_POINT,
        unkilled=(("rhs: exponent 2 of mu made 1", "a weaker statement: μ → 0"),),
    ),
)
