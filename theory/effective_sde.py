"""Propositions 3.1 and 4.1: the effective SDE of an ensemble of models, and the naive estimator.

Everything is conditional on the data: what varies is which noisy points a model was trained on, or
which data points the naive estimator draws.
"""

from __future__ import annotations

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Statement, Strength
from theory.letters import letters
from theory.variance_records import variance_claim, variance_step

_SLOPE = "vastola2025.proposition-3.1"
_SLOPE_LOWER = "vastola2025.proposition-3.1-lower"
_SLOPE_UPPER = "vastola2025.proposition-3.1-upper"
_ENSEMBLE = "vastola2025.proposition-3.1-ensemble"
_NAIVE = "vastola2025.proposition-4.1"
_NAIVE_LOWER = "vastola2025.proposition-4.1-lower"
_GAP = "vastola2025.proposition-4.1-gap"
_LARGER = "a larger remainder: x eˣ/2 ≥ eˣ − 1 − x for every x ≥ 0"


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


CLAIMS: tuple[Claim, ...] = (
    variance_claim(
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
    variance_claim(
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
    variance_step(
        _SLOPE_LOWER,
        "exponential",
        "1 + x ≤ eˣ",
        _exponential_above_line,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
    ),
    variance_claim(
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
    variance_step(
        _SLOPE_UPPER,
        "remainder",
        "eˣ ≤ 1 + x + x² eˣ/2",
        _exponential_below_square,
        strength=Strength.TIGHT,
        sharp_at="x = 0",
        unkilled=(("rhs: exponent 2 of x made 1", _LARGER),),
    ),
    variance_claim(
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
    variance_claim(
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
    variance_step(
        _NAIVE,
        "defect",
        "One step of size h leaves the SDE's variance by h²b²v and nothing else of first order",
        _defect,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    variance_claim(
        _NAIVE_LOWER,
        "The effective SDE of fresh proxy scores widens Gaussian data",
        "Proposition 4.1",
        build=_naive_lower,
        assumptions=("Gaussian data; a fresh X_0 given X_t at each Euler step",),
        needs=frozenset({"naive-estimator"}),
        sharp_at="κ = 0; one data point",
    ),
    variance_claim(
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
    variance_step(
        _GAP,
        "weighted-noise",
        "The noise's variance times the density, up to e^{−x²/(2σ²)}: e = exp(μax/σ²)",
        _weighted_noise,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    variance_step(
        _GAP,
        "falls-outward",
        "… falls as |x| grows: e + 1/e ≤ he + 1/(he), for e = 1 + f and h = 1 + k",
        _falls_outward,
        strength=Strength.TIGHT,
        sharp_at="k = 0",
    ),
)
