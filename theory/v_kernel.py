"""Propositions 5.1 and 5.2: the V-kernel of linear models, and of wide networks in training."""

from __future__ import annotations

from theory import quantities as q
from theory.claim import Claim, Relation, Statement, Strength
from theory.letters import letters
from theory.variance_records import FAR, NAMED, variance_claim, variance_step

_LINEAR_LOWER = "vastola2025.proposition-5.1-lower"
_LINEAR_MEASURED = "vastola2025.proposition-5.1-measured"
_LINEAR_UPPER = "vastola2025.proposition-5.1-upper"
_LINEAR_ORDER = "vastola2025.proposition-5.1-order"
_WIDE = "vastola2025.proposition-5.2"
_WIDE_LIMIT = "vastola2025.proposition-5.2-limit"
_WIDE_EARLY = "vastola2025.proposition-5.2-early"
_TRAINED = frozenset({"training-time"})
_GIVEN_INPUTS = (
    "given the inputs (x, t): redrawn inputs add a term of the same order while training goes on"
)


def _linear_lower() -> Statement:
    return Statement(Relation(q.leading_variance, "<=", q.fitted_variance))


def _linear_measured() -> Statement:
    import sympy as sp

    from theory.cases.trained_features import RIDGE
    from theory.symbols import N

    return Statement(
        Relation(q.leading_variance, "<=", q.fitted_variance),
        (Relation(RIDGE.symbol, "=", sp.S.Zero), Relation(sp.Integer(400), "<=", N)),
    )


def _linear_upper() -> Statement:
    from theory.symbols import N

    return Statement(
        Relation(q.fitted_variance, "<=", q.leading_variance * N / (N - q.feature_count - 1))
    )


def _linear_order() -> Statement:
    from theory.symbols import N

    return Statement(
        Relation(q.variance_excess, "≲", q.leading_variance * q.feature_count / N),
        rate_variable="N",
    )


def _inverse_is_convex() -> Statement:
    (e,) = letters("e", positive=True)
    return Statement(Relation(2 - e, "<=", 1 / e))


def _wide() -> Statement:
    return Statement(Relation(q.trained_variance, "<=", q.leading_variance))


def _wide_limit() -> Statement:
    return Statement(
        Relation(q.leading_variance, "<=", q.trained_variance + 2 * q.unfitted_variance)
    )


def _wide_early() -> Statement:
    return Statement(Relation(q.trained_variance, "<=", q.early_variance))


def _share_below_one() -> Statement:
    """u = e^{−τν} is in [0, 1]."""
    import sympy as sp

    (u,) = letters("u", nonnegative=True)
    return Statement(Relation((1 - u) ** 2, "<=", sp.S.One), (Relation(u, "<=", sp.S.One),))


def _share_near_one() -> Statement:
    import sympy as sp

    (u,) = letters("u", real=True)
    return Statement(Relation(sp.S.One, "<=", (1 - u) ** 2 + 2 * u))


def _share_early() -> Statement:
    import sympy as sp

    (x,) = letters("x", nonnegative=True)
    return Statement(Relation(1 - sp.exp(-x), "<=", x))


CLAIMS: tuple[Claim, ...] = (
    variance_claim(
        _LINEAR_LOWER,
        "For homoscedastic noise the V-kernel's leading order is a lower bound",
        "Proposition 5.1",
        build=_linear_lower,
        assumptions=(
            "the model can represent the score; no ridge",
            "the target's variance times the weight is constant: here, Gaussian data at one time",
        ),
        steps=(f"{_LINEAR_LOWER}.inverse-is-convex",),
        taken=("E Σ̂ = Σ, and tr is linear: the step for each eigenvalue of Σ^{−½}Σ̂Σ^{−½}",),
        needs=frozenset({"fitted-features", "homoscedastic"}),
        sharp_at="F/N → 0",
    ),
    variance_step(
        _LINEAR_LOWER,
        "inverse-is-convex",
        "2 − e ≤ 1/e for an eigenvalue e > 0",
        _inverse_is_convex,
        strength=Strength.TIGHT,
        sharp_at="e = 1",
    ),
    variance_claim(
        _LINEAR_MEASURED,
        "For features on a few points the leading order, misfit included, is too small",
        "Proposition 5.1",
        build=_linear_measured,
        assumptions=(NAMED, "the leading order is the sandwich, with the models' misfit"),
        deviation="false for heteroscedastic noise in general; with few draws the refits' spread "
        "has no variance, and no interval of it is to be trusted",
        needs=frozenset({"fitted-features", "trained-features"}),
        unkilled=(
            ("rhs: term fitted_variance times 9/10", FAR),
            ("hypothesis ridge = 0 dropped", "with a small ridge: true as well"),
            ("hypothesis 400 ≤ N dropped", "with few draws the left side falls short by more"),
        ),
    ),
    variance_claim(
        _LINEAR_UPPER,
        "For Gaussian features the variance is at most N/(N − F − 1) times the leading order",
        "Proposition 5.1",
        build=_linear_upper,
        assumptions=(
            "Gaussian data at one time; features affine in x",
            "the model can represent the score; no ridge",
        ),
        taken=("the mean of an inverse Wishart matrix",),
        needs=frozenset({"fitted-features", "homoscedastic"}),
        sharp_at="features linear in x, without an intercept",
    ),
    variance_claim(
        _LINEAR_ORDER,
        "For Gaussian features the leading order is off by a relative 1/N at fixed F",
        "Proposition 5.1",
        strength=Strength.RATE,
        build=_linear_order,
        assumptions=("Gaussian data at one time; features affine in x; no ridge",),
        needs=frozenset({"fitted-features", "homoscedastic"}),
    ),
    variance_claim(
        _WIDE,
        "Target noise varies a lazy wide network less than the linear model of its modes",
        "Proposition 5.2",
        build=_wide,
        assumptions=(
            "gradient flow from zero for the kernel's modes, to leading order in 1/N",
            _GIVEN_INPUTS,
        ),
        steps=(f"{_WIDE}.share",),
        taken=("M_k = E λ²e_k²C ≥ 0: the step, times M_k/N, summed over k",),
        needs=_TRAINED,
        sharp_at="training time → ∞",
    ),
    variance_step(
        _WIDE,
        "share",
        "(1 − u)² ≤ 1 for u = e^{−τν} in [0, 1]",
        _share_below_one,
        strength=Strength.TIGHT,
        sharp_at="u = 0",
    ),
    variance_claim(
        _WIDE_LIMIT,
        "… and what is missing is at most twice what is not fitted yet",
        "Proposition 5.2",
        build=_wide_limit,
        assumptions=(
            "gradient flow from zero for the kernel's modes, to leading order in 1/N",
            _GIVEN_INPUTS,
        ),
        steps=(f"{_WIDE_LIMIT}.share",),
        taken=("M_k = E λ²e_k²C ≥ 0: the step, times M_k/N, summed over k",),
        needs=_TRAINED,
        sharp_at="training time → ∞",
    ),
    variance_step(
        _WIDE_LIMIT,
        "share",
        "1 ≤ (1 − u)² + 2u",
        _share_near_one,
        strength=Strength.TIGHT,
        sharp_at="u = 0",
    ),
    variance_claim(
        _WIDE_EARLY,
        "As long as training is short the variance grows like its square",
        "Proposition 5.2",
        build=_wide_early,
        assumptions=(
            "gradient flow from zero for the kernel's modes, to leading order in 1/N",
            _GIVEN_INPUTS,
        ),
        steps=(f"{_WIDE_EARLY}.share",),
        taken=("squares of nonnegative numbers are in their order; times M_k/N, summed over k",),
        needs=_TRAINED,
        sharp_at="training time → 0",
    ),
    variance_step(
        _WIDE_EARLY,
        "share",
        "1 − e^{−x} ≤ x",
        _share_early,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
    ),
)
