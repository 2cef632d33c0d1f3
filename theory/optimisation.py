"""Optimisation regularisation by clipping and weight decay: Proposition 11 with every constant.

Two chains, on S and on Sⁱ, share their batches, noise and times (synchronous coupling); Δ_k is the
difference of their parameters. The step and its letters are those of `theory.sgd_steps`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters, nonnegative
from theory.proof_steps import proof_step

_HALF = Fraction(1, 2)
_BALL = "farghly2026.invariant-ball"
_SCORE = "farghly2026.synchronous-score"
_SQUARE = "farghly2026.synchronous-square"
_DISTANCE = "farghly2026.synchronous-distance"
_SATURATED = "farghly2026.synchronous-distance-saturated"
_MAIN = "farghly2026.proposition-11"
_STEP = (
    "θ⁺ = (1 − ηλ)θ − η G with ηλ ≤ 1 and λ > 0; in each step a batch of B different points of the "
    "N, the noise and the times are drawn afresh, independently of the past"
)
SETTING = (
    _STEP,
    "|G| ≤ C: G is the mean gradient of the batch, clipped, or the mean of clipped gradients",
    "L is a Lipschitz constant of G in the mean over batches without the replaced point, noise and "
    "times, given the data",
)
#: What L has to bound is more here: a batch with the replaced point has common points as well.
PER_SAMPLE = (
    _STEP,
    "G is the mean over the batch of the points' gradients, each clipped to norm C",
    "L is a Lipschitz constant of one clipped gradient g_j in the mean over the N − 1 common "
    "points, noise and times: Σ_(j≠i) E|g_j(θ) − g_j(θ')|/(N − 1) ≤ L|θ − θ'|, given the data",
)
_COUPLED = (
    "both chains have the same start, batches, noise and times; Gaussian noise that both share, "
    "and projection on the ball, are allowed"
)
_SYNCHRONOUS = (*SETTING, _COUPLED)
_SYNCHRONOUS_PER_SAMPLE = (*PER_SAMPLE, _COUPLED)
SENSITIVITY = (
    "Λ² bounds the change of the score where almost every single x is noised, not where a fresh "
    "draw of ν is"
)
_PROOF = Source("farghly2026", "proof of Proposition 11")
#: As mutants are named.
_GROWTH = "Σ_(j<K) (eta*(gradient_lipschitz - lambda) + 1)^j"
ONE_POINT = "with B = 1 it is the claim without -per-sample, whose mutant dies"
PAPER_GIVES_RATE = "every constant named: the paper states a rate"


def growth() -> Any:
    """Return Σ_{j<K} (1 + η(L − λ))^j, in symbols."""
    from theory.operators import GeometricSum
    from theory.sgd_steps import STEP_COUNT, STEP_SIZE, WEIGHT_DECAY

    ratio = 1 + STEP_SIZE.symbol * (q.gradient_lipschitz - WEIGHT_DECAY.symbol)
    return GeometricSum(ratio, STEP_COUNT.symbol)


def swap_effect(*, per_sample: bool = False) -> Any:
    """Return what replacing one point adds to the mean distance in one step, 2ηC B/N.

    With gradients clipped point by point it is 2ηC/N.
    """
    from theory.sgd_steps import BATCH, CLIP, STEP_SIZE, swap_share

    share = swap_share() / BATCH.symbol if per_sample else swap_share()
    return 2 * STEP_SIZE.symbol * CLIP.symbol * share


# --- The invariant ball ---------------------------------------------------------------------------


def _ball() -> Statement:
    import sympy as sp

    e, decay, c, r, t, g, new = letters("e l C R t g n", real=True)
    return Statement(
        Relation(new, "<=", r),
        (
            *nonnegative(e),
            Relation(e * decay, "<=", sp.S.One),
            Relation(new, "<=", (1 - e * decay) * t + e * g),
            Relation(t, "<=", r),
            Relation(g, "<=", c),
            Relation(c, "<=", decay * r),
        ),
    )


# --- The distance of two chains -------------------------------------------------------------------


def _projection() -> Statement:
    u, v, p, n, inner = letters("u v p n c", real=True)
    return Statement(
        Relation(p, "<=", n),
        (
            *nonnegative(n, -u, -v),
            Relation(u + v, "=", p**2 - inner),
            Relation(inner, "<=", n * p),
        ),
    )


def _same_point() -> Statement:
    e, decay, lipschitz, r, m, new = letters("e l L r m n", real=True)
    return Statement(
        Relation(new, "<=", (1 + e * (lipschitz - decay)) * r),
        (
            *nonnegative(e),
            Relation(new, "<=", (1 - e * decay) * r + e * m),
            Relation(m, "<=", lipschitz * r),
        ),
    )


def _other_point() -> Statement:
    e, decay, lipschitz, c, r, m, new = letters("e l L C r m n", real=True)
    return Statement(
        Relation(new, "<=", (1 + e * (lipschitz - decay)) * r + 2 * e * c),
        (
            *nonnegative(e, lipschitz * r),
            Relation(new, "<=", (1 - e * decay) * r + e * m),
            Relation(m, "<=", 2 * c),
        ),
    )


def _other_point_per_sample() -> Statement:
    """The B − 1 points that are the same have the share s of the step, the replaced one t."""
    decay, lipschitz, c, r, m, first, s, t, new = letters("l L C r m g s t n", real=True)
    return Statement(
        Relation(new, "<=", (1 + (s + t) * (lipschitz - decay)) * r + 2 * c * t),
        (
            *nonnegative(s, t, lipschitz * r),
            Relation(new, "<=", (1 - (s + t) * decay) * r + s * m + t * first),
            Relation(m, "<=", lipschitz * r),
            Relation(first, "<=", 2 * c),
        ),
    )


def _over_batches() -> Statement:
    import sympy as sp

    share, rate, x, jump, same, other, new = letters("p q x J a b n", real=True)
    return Statement(
        Relation(new, "<=", rate * x + share * jump),
        (
            *nonnegative(share),
            Relation(share, "<=", sp.S.One),
            Relation(new, "<=", (1 - share) * same + share * other),
            Relation(same, "<=", rate * x),
            Relation(other, "<=", rate * x + jump),
        ),
    )


def _geometric() -> Statement:
    """From x_k ≤ b S_k to x_{k+1} ≤ b S_{k+1}, with S_{k+1} = 1 + q S_k."""
    rate, x, b, s, new = letters("q x b S n", real=True)
    return Statement(
        Relation(new, "<=", b * (1 + rate * s)),
        (
            *nonnegative(rate),
            Relation(x, "<=", b * s),
            Relation(new, "<=", rate * x + b),
        ),
    )


def _distance() -> Statement:
    return Statement(Relation(q.synchronous_distance, "<=", swap_effect() * growth()))


def _distance_per_sample() -> Statement:
    effect = swap_effect(per_sample=True)
    return Statement(Relation(q.synchronous_distance, "<=", effect * growth()))


def _concave_step() -> Statement:
    """The mean of min(Lr, 2C) is at most the minimum of the means; m stands for the mean."""
    e, decay, r, m, x, low = letters("e l r m x u", real=True)
    return Statement(
        Relation(r, "<=", (1 - e * decay) * x + e * low),
        (
            *nonnegative(e),
            Relation(r, "<=", (1 - e * decay) * x + e * m),
            Relation(m, "<=", low),
        ),
    )


def _saturated() -> Statement:
    return Statement(Relation(q.synchronous_distance, "<=", q.saturated_distance))


# --- From the distance to the score ---------------------------------------------------------------


def _score() -> Statement:
    return Statement(
        Relation(q.synchronous_stability, "<=", q.score_sensitivity * q.synchronous_square)
    )


def _diameter() -> Statement:
    r, s, t, big = letters("r s t R", real=True)
    return Statement(
        Relation(r**2, "<=", 2 * big * r),
        (
            *nonnegative(r),
            Relation(r, "<=", s + t),
            Relation(s, "<=", big),
            Relation(t, "<=", big),
        ),
    )


def _square() -> Statement:
    return Statement(
        Relation(q.synchronous_square, "<=", 2 * q.parameter_radius * q.synchronous_distance)
    )


def _bound(distance: Any) -> Statement:
    diameter = 2 * q.parameter_radius
    return Statement(
        Relation(q.synchronous_stability, "<=", diameter * q.score_sensitivity * distance)
    )


def _bound_derivation(bound: Statement, distance: Statement, *facts: Relation) -> Statement:
    return Statement(
        bound.conclusion,
        (_score().conclusion, _square().conclusion, distance.conclusion, *facts),
    )


def _main() -> Statement:
    return _bound(swap_effect() * growth())


def _main_derivation() -> Statement:
    return _bound_derivation(_main(), _distance(), *nonnegative(growth()))


def _per_sample() -> Statement:
    return _bound(swap_effect(per_sample=True) * growth())


def _per_sample_derivation() -> Statement:
    distance = _distance_per_sample()
    return _bound_derivation(_per_sample(), distance, *nonnegative(growth()))


def _saturated_bound() -> Statement:
    return _bound(q.saturated_distance)


def _saturated_derivation() -> Statement:
    return _bound_derivation(_saturated_bound(), _saturated())


def _rate() -> Statement:
    from theory.symbols import N

    return Statement(
        Relation(q.synchronous_stability**_HALF, "≲", N ** (-_HALF)), rate_variable="N"
    )


_step_of = partial(proof_step, source=_PROOF)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_BALL,
        title="Clipping and weight decay keep θ in a ball: t = |θ_k| and n = |θ_{k+1}|, C ≤ λR",
        source=Source(
            "farghly2026", "Proposition 11, its setting", "R = max(|θ_0|, C/λ), for ηλ ≤ 1"
        ),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_ball,
        sharp_at="t = R, g = C = λR",
    ),
    Claim(
        id=_DISTANCE,
        title="The mean distance of synchronously coupled chains grows at most geometrically",
        source=Source(
            "farghly2026",
            "proof of Proposition 11",
            "the Lipschitz constant is needed in the mean only",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_distance,
        assumptions=_SYNCHRONOUS,
        steps=tuple(
            f"{_DISTANCE}.{name}"
            for name in (
                "projection",
                "same-point",
                "other-point",
                "over-batches",
                "geometric",
            )
        ),
        taken=(
            "the triangle inequality for one step, and induction over the steps",
            "whether the replaced point is in a batch does not depend on Δ_k",
        ),
        needs=frozenset({"sgd", "synchronous"}),
        sharp_at="K = 1 and gradients that point apart, clipped",
    ),
    _step_of(
        _DISTANCE,
        "projection",
        "Clipping does not increase distances: p = |Pa − Pb|, n = |a − b|, c = ⟨a − b, Pa − Pb⟩, "
        "u and v the two obtuse angles of the projection",
        _projection,
        strength=Strength.TIGHT,
        sharp_at="p = n",
    ),
    _step_of(
        _DISTANCE,
        "same-point",
        "One step on the same points: m is the distance of the clipped gradients",
        _same_point,
        strength=Strength.TIGHT,
        sharp_at="m = L r",
    ),
    _step_of(
        _DISTANCE,
        "other-point",
        "One step with the replaced point in the batch",
        _other_point,
        strength=Strength.TIGHT,
        sharp_at="m = 2C and L r = 0",
    ),
    _step_of(
        _DISTANCE,
        "over-batches",
        "In the mean over batches, p the probability that the replaced point is in the batch",
        _over_batches,
        strength=Strength.TIGHT,
        sharp_at="both bounds attained",
    ),
    _step_of(
        _DISTANCE,
        "geometric",
        "Adding up the steps",
        _geometric,
        strength=Strength.TIGHT,
        sharp_at="both bounds attained",
    ),
    Claim(
        id=f"{_DISTANCE}-per-sample",
        title="The same with gradients clipped point by point: the batch size drops out",
        source=Source("farghly2026", "proof of Proposition 11", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_distance_per_sample,
        assumptions=_SYNCHRONOUS_PER_SAMPLE,
        steps=(
            *(f"{_DISTANCE}.{name}" for name in ("projection", "same-point", "geometric")),
            f"{_DISTANCE}-per-sample.other-point",
        ),
        taken=(
            "the triangle inequality over the points of a batch, whose common ones are a uniform "
            "choice of the N − 1, and induction over the steps",
            "the replaced point is in a batch with probability B/N, and then adds 2ηC/B",
        ),
        needs=frozenset({"sgd", "synchronous", "per-sample"}),
        sharp_at="K = 1 and gradients that point apart, clipped",
        unkilled=((f"rhs: term 2*C*eta*{_GROWTH}/N times 9/10", ONE_POINT),),
    ),
    _step_of(
        f"{_DISTANCE}-per-sample",
        "other-point",
        "The same where each point's gradient is clipped before the mean: t = η/B, s + t = η, m "
        "for the points that are the same, g for the replaced one",
        _other_point_per_sample,
        strength=Strength.TIGHT,
        sharp_at="s = 0, g = 2C and L r = 0",
    ),
    Claim(
        id=_SATURATED,
        title="The same without throwing the clip away: the mean distance is at most x_K",
        source=Source("farghly2026", "proof of Proposition 11", "new: bounded in K by 2C/λ"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_saturated,
        assumptions=_SYNCHRONOUS,
        steps=(f"{_SATURATED}.concave",),
        taken=(
            "E min(LX, 2C) ≤ min(L E X, 2C), and induction over the steps, x ↦ x⁺ being increasing",
        ),
        needs=frozenset({"sgd", "synchronous"}),
        sharp_at="L = 0 and gradients that point apart, clipped",
    ),
    _step_of(
        _SATURATED,
        "concave",
        "One step in the mean: m = E min(LX, 2C), u = min(L E X, 2C), x = E X",
        _concave_step,
        strength=Strength.TIGHT,
        sharp_at="m = u",
    ),
    Claim(
        id=_SCORE,
        title="From the distance of the parameters to the change of the score",
        source=Source(
            "farghly2026",
            "Proposition 11, its setting",
            "a definition, with Λ a bound for almost every x: θ' depends on x̃",
        ),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_score,
        assumptions=(SENSITIVITY,),
        needs=frozenset({"sgd", "synchronous", "score-model"}),
        step_of=_MAIN,
        sharp_at="scores that are linear in θ",
    ),
    Claim(
        id=_SQUARE,
        title="From the mean squared to the mean distance, within the ball",
        source=_PROOF,
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_square,
        assumptions=_SYNCHRONOUS,
        uses=(_BALL,),
        steps=(f"{_SQUARE}.diameter",),
        taken=("the mean of both sides of the step",),
        needs=frozenset({"sgd", "synchronous", "resolved-distance"}),
        sharp_at="distances 0 and 2R only",
    ),
    _step_of(
        _SQUARE,
        "diameter",
        "Two points of the ball: s and t are their norms, r their distance",
        _diameter,
        strength=Strength.TIGHT,
        sharp_at="r = 0 and r = 2R",
    ),
    Claim(
        id=_MAIN,
        title="Clipped SGD with weight decay is score stable: synchronous coupling",
        source=Source("farghly2026", "Proposition 11", PAPER_GIVES_RATE),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_main,
        assumptions=(*_SYNCHRONOUS, SENSITIVITY),
        uses=(_SQUARE, _DISTANCE),
        steps=(_SCORE,),
        derivation=_main_derivation,
        taken=("1 + η(L − λ) ≥ 0, as ηλ ≤ 1, so its powers add up to a number ≥ 0",),
        needs=frozenset({"sgd", "synchronous"}),
        sharp_at="K = 1, ηλ = 1 and gradients that point apart, clipped",
    ),
    Claim(
        id=f"{_MAIN}-per-sample",
        title="The same with gradients clipped point by point: the batch size drops out",
        source=Source("farghly2026", "Proposition 11", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_per_sample,
        assumptions=(*_SYNCHRONOUS_PER_SAMPLE, SENSITIVITY),
        uses=(_SCORE, _SQUARE, f"{_DISTANCE}-per-sample"),
        derivation=_per_sample_derivation,
        taken=("1 + η(L − λ) ≥ 0, as ηλ ≤ 1, so its powers add up to a number ≥ 0",),
        needs=frozenset({"sgd", "synchronous", "per-sample"}),
        sharp_at="K = 1, ηλ = 1 and gradients that point apart, clipped",
        unkilled=(
            (
                f"rhs: term 4*C*eta*parameter_radius*score_sensitivity*{_GROWTH}/N times 9/10",
                ONE_POINT,
            ),
        ),
    ),
    Claim(
        id=f"{_MAIN}-saturated",
        title="The same without throwing the clip away: bounded in K, though not small",
        source=Source("farghly2026", "Proposition 11", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_saturated_bound,
        assumptions=(*_SYNCHRONOUS, SENSITIVITY),
        uses=(_SCORE, _SQUARE, _SATURATED),
        derivation=_saturated_derivation,
        needs=frozenset({"sgd", "synchronous"}),
        sharp_at="ηλ = 1, L = 0 and gradients that point apart, clipped",
    ),
    Claim(
        id=f"{_MAIN}-rate",
        title="Score stability falls like N^(−1/2) at a fixed number of steps (the paper's rate)",
        source=Source("farghly2026", "Proposition 11"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate,
        assumptions=_SYNCHRONOUS,
        uses=(_MAIN,),
        taken=("farghly2026.proposition-11, constants left out",),
        needs=frozenset({"sgd", "synchronous", "resolved-distance"}),
    ),
)
