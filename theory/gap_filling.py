"""The gap-filling statement as sign claims, with the hypotheses without which they are refuted."""

from __future__ import annotations

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Statement
from theory.variance_records import FAR, NAMED, variance_claim

_FILL_FEATURES = "vastola2025.gap-filling-features"
_FILL_NOISE = "vastola2025.gap-filling-noise"
_FILL_EARLY = "vastola2025.gap-filling-early-stopping"


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


CLAIMS: tuple[Claim, ...] = (
    variance_claim(
        _FILL_FEATURES,
        "Gaps fill as F/N grows, with the paper's thirty steps",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_features,
        assumptions=(NAMED,),
        deviation="so they do with noise-free targets: it is no evidence for the target's noise",
        needs=frozenset({"gap-filling"}),
        unkilled=(
            ("rhs: term gap_mass_fitted times 9/10", FAR),
            ("hypothesis K ≤ 30 dropped", "with 300 steps: true of Gaussian features, else open"),
        ),
    ),
    variance_claim(
        _FILL_NOISE,
        "The target's noise fills gaps: with fine steps, and a data point at zero",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_noise,
        assumptions=(NAMED,),
        deviation="false with thirty steps and a strong ridge, and for an even number of points: "
        "a ridge draws denoisers to zero, which then lies in a gap",
        needs=frozenset({"gap-filling"}),
        unkilled=(("rhs: term gap_mass_fitted times 9/10", FAR),),
    ),
    variance_claim(
        _FILL_EARLY,
        "Gaps fill as ε grows: with fine steps, and a data point at zero",
        "second figure",
        kind=Kind.LITERATURE,
        build=_fill_early,
        assumptions=(NAMED,),
        needs=frozenset({"gap-filling"}),
        unkilled=(
            ("rhs: term gap_mass_fitted times 9/10", FAR),
            ("hypothesis 300 ≤ K dropped", "with thirty steps: open"),
            ("hypothesis 1/100 ≤ epsilon dropped", "at smaller ε the sides are too close: open"),
        ),
    ),
)
