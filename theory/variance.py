"""Generalisation through variance: what the noise of the training target does to the samples.

C(x, t) is the covariance of the proxy score ∇log p(x|X_0) given X_t = x; the V-kernel is that of
the trained score, seen along the probability flow. Everything here is conditional on the data: what
varies is which noisy points a model was trained on. In the steps, letters stand for coordinates.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters
from theory.proof_steps import proof_step

_PROXY = "vastola2025.proxy-covariance"
_CURVATURE = "vastola2025.proxy-covariance-curvature"
_SUPPORT = "vastola2025.proxy-covariance-support"
_NEAR = "vastola2025.proxy-covariance-near-a-point"
_LATE = "vastola2025.proxy-covariance-late"
_SLOPE = "vastola2025.proposition-3.1"
_SLOPE_LOWER = "vastola2025.proposition-3.1-lower"
_SLOPE_UPPER = "vastola2025.proposition-3.1-upper"
_ENSEMBLE = "vastola2025.proposition-3.1-ensemble"
_NAIVE = "vastola2025.proposition-4.1"
_NAIVE_LOWER = "vastola2025.proposition-4.1-lower"
_GAP = "vastola2025.proposition-4.1-gap"
_FILL_FEATURES = "vastola2025.gap-filling-features"
_FILL_NOISE = "vastola2025.gap-filling-noise"
_FILL_EARLY = "vastola2025.gap-filling-early-stopping"
_LINEAR_LOWER = "vastola2025.proposition-5.1-lower"
_LINEAR_MEASURED = "vastola2025.proposition-5.1-measured"
_LINEAR_UPPER = "vastola2025.proposition-5.1-upper"
_LINEAR_ORDER = "vastola2025.proposition-5.1-order"
_WIDE = "vastola2025.proposition-5.2"
_WIDE_LIMIT = "vastola2025.proposition-5.2-limit"
_WIDE_EARLY = "vastola2025.proposition-5.2-early"

_HALF = Fraction(1, 2)
_POINT = frozenset({"noised-point"})
_TRAINED = frozenset({"training-time"})
_COVARIANCE = "definition of the proxy-score covariance"
_GIVEN_INPUTS = (
    "given the inputs (x, t): redrawn inputs add a term of the same order while training goes on"
)
_NAMED = "the data, features, ridge and training sizes that are named; checked by sampling only"
_FAR = "the two sides differ by more"
_LARGER = "a larger remainder: x eˣ/2 ≥ eˣ − 1 − x for every x ≥ 0"
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


def _slope() -> Statement:
    return Statement(Relation(q.averaged_variance, "=", q.effective_variance))


def _slope_lower() -> Statement:
    return Statement(
        Relation(q.flow_variance * (1 + 2 * q.accumulated_noise), "<=", q.averaged_variance)
    )


def _slope_upper() -> Statement:
    import sympy as sp

    noise = q.accumulated_noise
    bound = q.flow_variance * (1 + 2 * noise + 2 * noise**2 * sp.exp(2 * noise))
    return Statement(Relation(q.averaged_variance, "<=", bound))


def _ensemble() -> Statement:
    return Statement(Relation(q.ensemble_distance, "<=", q.flow_distance))


def _exponential_above_line() -> Statement:
    import sympy as sp

    (x,) = letters("x", nonnegative=True)
    return Statement(Relation(1 + x, "<=", sp.exp(x)))


def _exponential_below_square() -> Statement:
    import sympy as sp

    (x,) = letters("x", nonnegative=True)
    return Statement(Relation(sp.exp(x), "<=", 1 + x + x**2 * sp.exp(x) / 2))


def _naive() -> Statement:
    from theory.cases.naive_estimator import STEPS

    return Statement(Relation(q.naive_variance_gap, "≲", 1 / STEPS.symbol), rate_variable="K")


def _defect() -> Statement:
    """One step of size h: v the variance, b = β − D/v_t, n = κD²C."""
    h, v, b, n = letters("h v b n", real=True)
    step = (1 + h * b) ** 2 * v + h * n
    return Statement(Relation(step - v - h * (2 * b * v + n), "=", h**2 * b**2 * v))


def _naive_lower() -> Statement:
    return Statement(Relation(q.flow_variance, "<=", q.effective_variance))


def _gap() -> Statement:
    return Statement(Relation(q.gap_mass, "<=", q.gap_mass_of_flow))


def _weighted_noise() -> Statement:
    """C p for two points, e = exp(μax/σ²): e + 1/e from p, times 4/(e + 1/e)² from C."""
    (e,) = letters("e", positive=True)
    whole = e + 1 / e
    return Statement(Relation(whole * (1 - ((e - 1 / e) / whole) ** 2), "=", 4 / whole))


def _falls_outward() -> Statement:
    """e = 1 + f here, and h e further out with h = 1 + k; multiplied by h e."""
    f, k = letters("f k", nonnegative=True)
    here, there = 1 + f, (1 + k) * (1 + f)
    return Statement(Relation((1 + k) * (here**2 + 1), "<=", there**2 + 1))


def _fine_steps_and_a_point_at_zero() -> tuple[Relation, ...]:
    import sympy as sp

    from theory.cases.gap_filling import POINTS
    from theory.cases.naive_estimator import STEPS

    return (
        Relation(sp.Mod(POINTS.symbol, 2), "=", sp.S.One),
        Relation(sp.Integer(300), "<=", STEPS.symbol),
    )


def _fill_features() -> Statement:
    import sympy as sp

    from theory.cases.naive_estimator import STEPS

    return Statement(
        Relation(q.gap_mass_fitted_more, "<=", q.gap_mass_fitted),
        (Relation(STEPS.symbol, "<=", sp.Integer(30)),),
    )


def _fill_noise() -> Statement:
    return Statement(
        Relation(q.gap_mass_noise_free, "<=", q.gap_mass_fitted), _fine_steps_and_a_point_at_zero()
    )


def _fill_early() -> Statement:
    import sympy as sp

    from theory.cases.linear_flow import EARLY_STOPPING_TIME

    return Statement(
        Relation(q.gap_mass_fitted_early, "<=", q.gap_mass_fitted),
        (
            *_fine_steps_and_a_point_at_zero(),
            Relation(sp.Rational(1, 100), "<=", EARLY_STOPPING_TIME.symbol),
        ),
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


_step_of = partial(proof_step, source=Source("vastola2025", "this project's proof"))


def _claim(identifier: str, title: str, locator: str, **more: object) -> Claim:
    deviation = str(more.pop("deviation", ""))
    record = Claim(
        id=identifier,
        title=title,
        source=Source("vastola2025", locator, deviation),
        **{"kind": Kind.DERIVED, "strength": Strength.UPPER, **more},  # type: ignore[arg-type]
    )
    return record


CLAIMS: tuple[Claim, ...] = (
    _claim(
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
    _claim(
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
    _claim(
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
    _step_of(
        _SUPPORT,
        "about-any-point",
        "A variance v is at most the mean square m about any point, b away from the mean",
        _about_any_point,
        strength=Strength.TIGHT,
        sharp_at="b = 0",
    ),
    _claim(
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
    _step_of(
        _NEAR,
        "one-weight",
        "A posterior weight is at most its odds: likelihoods l of x_j, f of x_1, r of the rest",
        _one_weight,
        strength=Strength.TIGHT,
        sharp_at="l + r → 0",
    ),
    _claim(
        _LATE,
        "The covariance vanishes like μ² as t → ∞",
        _COVARIANCE,
        strength=Strength.RATE,
        build=_late,
        assumptions=(_GIVEN, "ν has a finite second moment"),
        needs=_POINT,
        unkilled=(("rhs: exponent 2 of mu made 1", "a weaker statement: μ → 0"),),
    ),
    _claim(
        _SLOPE,
        "The law averaged over training is that of the effective SDE, for a random slope",
        "Proposition 3.1",
        kind=Kind.LITERATURE,
        strength=Strength.IDENTITY,
        build=_slope,
        assumptions=("the trained score is linear in x and in a Gaussian weight",),
        needs=frozenset({"random-slope"}),
        deviation="stated for variances; a field linear in Gaussian weights is the ensemble "
        "itself: this checks e^{2𝒱} and 𝒱, not the cumulants that Gaussian weights do not have",
    ),
    _claim(
        _SLOPE_LOWER,
        "For a random slope the averaged variance grows by 2𝒱, to first order in V, or more",
        "Proposition 3.1",
        build=_slope_lower,
        uses=(_SLOPE,),
        steps=(f"{_SLOPE_LOWER}.exponential",),
        assumptions=("the trained score is linear in x and in a Gaussian weight",),
        needs=frozenset({"random-slope"}),
        sharp_at="V → 0",
    ),
    _step_of(
        _SLOPE_LOWER,
        "exponential",
        "1 + x ≤ eˣ",
        _exponential_above_line,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
    ),
    _claim(
        _SLOPE_UPPER,
        "For a random slope what is left beyond first order in V is of order V²",
        "Proposition 3.1",
        build=_slope_upper,
        uses=(_SLOPE,),
        steps=(f"{_SLOPE_UPPER}.remainder",),
        assumptions=("the trained score is linear in x and in a Gaussian weight",),
        needs=frozenset({"random-slope"}),
        sharp_at="V → 0",
        unkilled=(("rhs: exponent 2 of accumulated_noise made 1", _LARGER),),
    ),
    _step_of(
        _SLOPE_UPPER,
        "remainder",
        "eˣ ≤ 1 + x + x² eˣ/2",
        _exponential_below_square,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
        unkilled=(("rhs: exponent 2 of x made 1", _LARGER),),
    ),
    _claim(
        _ENSEMBLE,
        "The effective SDE is nearer to trained models' samples than the averaged score's flow is",
        "Proposition 3.1",
        build=_ensemble,
        assumptions=(
            "the data, features, ridge and training sizes that are named: it is no general fact",
            "the SDE's field is Gaussian, correlated in time and space: one draw of the weights",
        ),
        deviation="the paper claims equivalence up to cumulants; this is what can be refuted",
        needs=frozenset({"ensemble"}),
        unkilled=(("rhs: term flow_distance times 9/10", "the distances differ by far more"),),
    ),
    _claim(
        _NAIVE,
        "The naive estimator's chain has the variance of its effective SDE up to O(step)",
        "Proposition 4.1",
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_naive,
        assumptions=("Gaussian data; a fresh X_0 given X_t at each Euler step",),
        steps=(f"{_NAIVE}.defect",),
        taken=("errors of order h² at each of T/h steps add up to one of order h",),
        needs=frozenset({"naive-estimator"}),
    ),
    _step_of(
        _NAIVE,
        "defect",
        "One step of size h leaves the SDE's variance by h²b²v and nothing else of first order",
        _defect,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    _claim(
        _NAIVE_LOWER,
        "The effective SDE of fresh proxy scores widens Gaussian data",
        "Proposition 4.1",
        build=_naive_lower,
        assumptions=("Gaussian data; a fresh X_0 given X_t at each Euler step",),
        needs=frozenset({"naive-estimator"}),
        sharp_at="κ = 0; one data point",
    ),
    _claim(
        _GAP,
        "Fresh proxy scores remove mass from between two data points",
        "Proposition 4.1",
        build=_gap,
        assumptions=(
            "two data points of equal mass; the chain starts from their noised law",
            "proved to first order in κ only; beyond it at the named points, by sampling",
        ),
        steps=(f"{_GAP}.weighted-noise", f"{_GAP}.falls-outward"),
        taken=(
            "noise of variance κD²C dt changes the mass of |x| < c at the rate κD²(C p)'(c)",
            "the flow is monotone, and carries intervals around 0 to intervals around 0",
        ),
        deviation="the paper speaks of gaps filled; this is the opposite, for its naive estimator",
        needs=frozenset({"naive-gap"}),
        sharp_at="κ → 0",
    ),
    _step_of(
        _GAP,
        "weighted-noise",
        "The noise's variance times the density, up to e^{−x²/(2σ²)}: e = exp(μax/σ²)",
        _weighted_noise,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    _step_of(
        _GAP,
        "falls-outward",
        "… falls as |x| grows: e + 1/e ≤ he + 1/(he), for e = 1 + f and h = 1 + k",
        _falls_outward,
        strength=Strength.TIGHT,
        sharp_at="k = 0",
    ),
    _claim(
        _FILL_FEATURES,
        "Gaps fill as F/N grows, with the paper's thirty steps",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_features,
        assumptions=(_NAMED,),
        deviation="so they do with noise-free targets: it is no evidence for the target's noise",
        needs=frozenset({"gap-filling"}),
        unkilled=(
            ("rhs: term gap_mass_fitted times 9/10", _FAR),
            ("hypothesis K ≤ 30 dropped", "with 300 steps: true of Gaussian features, else open"),
        ),
    ),
    _claim(
        _FILL_NOISE,
        "The target's noise fills gaps: with fine steps, and a data point at zero",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_noise,
        assumptions=(_NAMED,),
        deviation="false with thirty steps and a strong ridge, and for an even number of points: "
        "a ridge draws denoisers to zero, which then lies in a gap",
        needs=frozenset({"gap-filling"}),
        unkilled=(("rhs: term gap_mass_fitted times 9/10", _FAR),),
    ),
    _claim(
        _FILL_EARLY,
        "Gaps fill as ε grows: with fine steps, and a data point at zero",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_early,
        assumptions=(_NAMED,),
        needs=frozenset({"gap-filling"}),
        unkilled=(
            ("rhs: term gap_mass_fitted times 9/10", _FAR),
            ("hypothesis 300 ≤ K dropped", "with thirty steps: open"),
            ("hypothesis 1/100 ≤ epsilon dropped", "at smaller ε the sides are too close: open"),
        ),
    ),
    _claim(
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
    _step_of(
        _LINEAR_LOWER,
        "inverse-is-convex",
        "2 − e ≤ 1/e for an eigenvalue e > 0",
        _inverse_is_convex,
        strength=Strength.TIGHT,
        sharp_at="e = 1",
    ),
    _claim(
        _LINEAR_MEASURED,
        "For features on a few points the leading order, misfit included, is too small",
        "Proposition 5.1",
        build=_linear_measured,
        assumptions=(_NAMED, "the leading order is the sandwich, with the models' misfit"),
        deviation="false for heteroscedastic noise in general; with few draws the refits' spread "
        "has no variance, and no interval of it is to be trusted",
        needs=frozenset({"fitted-features", "trained-features"}),
        unkilled=(
            ("rhs: term fitted_variance times 9/10", _FAR),
            ("hypothesis ridge = 0 dropped", "with a small ridge: true as well"),
            ("hypothesis 400 ≤ N dropped", "with few draws the left side falls short by more"),
        ),
    ),
    _claim(
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
    _claim(
        _LINEAR_ORDER,
        "For Gaussian features the leading order is off by a relative 1/N at fixed F",
        "Proposition 5.1",
        strength=Strength.RATE,
        build=_linear_order,
        assumptions=("Gaussian data at one time; features affine in x; no ridge",),
        needs=frozenset({"fitted-features", "homoscedastic"}),
    ),
    _claim(
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
    _step_of(
        _WIDE,
        "share",
        "(1 − u)² ≤ 1 for u = e^{−τν} in [0, 1]",
        _share_below_one,
        strength=Strength.TIGHT,
        sharp_at="u = 0",
    ),
    _claim(
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
    _step_of(
        _WIDE_LIMIT,
        "share",
        "1 ≤ (1 − u)² + 2u",
        _share_near_one,
        strength=Strength.TIGHT,
        sharp_at="u = 0",
    ),
    _claim(
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
    _step_of(
        _WIDE_EARLY,
        "share",
        "1 − e^{−x} ≤ x",
        _share_early,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
    ),
)
