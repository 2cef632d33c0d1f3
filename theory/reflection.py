"""Optimisation regularisation by noise: Proposition 14 with every constant.

A step is θ⁺ = m(θ) + ηsZ with |m(θ) − m(θ')| ≤ h(r), r = |θ − θ'|,

    h(r) = (1 − ηλ) r + η min(Lr, 2C).

Reflection–maximal coupling sends the distance r to R' with E f(R') = E F(h + 2ηsZ) for every f,
F its odd extension. A concave f is a mixture of min(·, b), for which the mean is a closed form.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters, nonnegative
from theory.optimisation import (
    ONE_POINT,
    PAPER_GIVES_RATE,
    PER_SAMPLE,
    SENSITIVITY,
    SETTING,
    swap_effect,
)
from theory.proof_steps import proof_step

_HALF = Fraction(1, 2)
_MEAN = "farghly2026.reflection-mean"
_CONTRACTION = "farghly2026.reflection-contraction"
_COST = "farghly2026.reflection-cost"
_SQUARE = "farghly2026.reflection-square"
_MAIN = "farghly2026.proposition-14"
_FREE = "farghly2026.proposition-14-unprojected"
_NOISE = (
    "Gaussian noise η s Z is added, Z ~ N(0, I); both chains have the same start, batches, noise "
    "and times, and their Gaussian noise is coupled by reflection–maximal coupling",
    "or nothing but the distances that these bounds on one step allow",
)
_COUPLED = (*SETTING, *_NOISE)
_COUPLED_PER_SAMPLE = (*PER_SAMPLE, *_NOISE)
_KEPT = "after each step θ is projected on the ball |θ| ≤ R"
_NOT_KEPT = "θ is not projected"
_CONCAVE = "f is concave and increasing with f(0) = 0 and f'(0) = 1"
_PROOF = Source("farghly2026", "proof of Proposition 14")
_DEFINITION = "the definition of Λ, as in farghly2026.synchronous-score"
_STRICT = "1.7 times too large on the recursion: f(r) ≥ r f(2R)/2R and f' ≤ 1 are strict"
_LOOSE = "the bound is eight times too large or more at every point here"
_WEAKER = "a weaker statement for η ≤ 1"
_PROJECTED = (
    "chains with Gaussian noise leave every ball, so the step |Δ| ≤ 2R needs the projection"
)


# --- One step of the coupling ---------------------------------------------------------------------
#
# In units of 2ηs: R' = 2ηs u where u > 0 has density φ(u − a) − φ(u + a) and a = h/(2ηs).


def _mean_distance() -> Statement:
    """∫ u φ(u − a) du − ∫ u φ(u + a) du = a over u > 0, in units of 2ηs; see the antiderivative."""
    import sympy as sp

    a = sp.Symbol("a", nonnegative=True)
    even = a * sp.erf(a / sp.sqrt(2)) / 2 + sp.exp(-(a**2) / 2) / sp.sqrt(2 * sp.pi)
    return Statement(Relation(sp.Add(even + a / 2, -(even - a / 2), evaluate=False), "=", a))


def _antiderivative() -> Statement:
    """The derivative of a erf(v/√2)/2 − φ(v), v = u − a, is u φ(u − a); a may be negative."""
    import sympy as sp

    u, a = letters("u a", real=True)
    v = u - a
    gauss = sp.exp(-(v**2) / 2) / sp.sqrt(2 * sp.pi)
    primitive = a * sp.erf(v / sp.sqrt(2)) / 2 - gauss
    return Statement(Relation(sp.diff(primitive, u), "=", u * gauss))


def _monotone() -> Statement:
    """Both exponents of the density: (u − a)² ≤ (u + a)²."""
    u, a = letters("u a", real=True)
    return Statement(Relation((u - a) ** 2, "<=", (u + a) ** 2), nonnegative(u, a))


def _swap_slope() -> Statement:
    """E F(h + 2ηsZ) has a slope of at most t in h: g is the cost of the larger h."""
    base, slope, more, larger, jump, cost = letters("a t b h J g", real=True)
    return Statement(
        Relation(cost, "<=", base + slope * jump),
        (
            *nonnegative(slope),
            Relation(cost, "<=", base + slope * (larger - more)),
            Relation(larger, "<=", more + jump),
        ),
    )


def _contraction() -> Statement:
    return Statement(Relation(q.f_next, "<=", (1 - q.contraction_rate) * q.f_now))


# --- Adding up the steps --------------------------------------------------------------------------


def _over_batches() -> Statement:
    import sympy as sp

    share, rate, x, jump, same, other, new = letters("p rho x J a b n", real=True)
    return Statement(
        Relation(new, "<=", (1 - rate) * x + share * jump),
        (
            *nonnegative(share),
            Relation(share, "<=", sp.S.One),
            Relation(new, "<=", (1 - share) * same + share * other),
            Relation(same, "<=", (1 - rate) * x),
            Relation(other, "<=", (1 - rate) * x + jump),
        ),
    )


def _geometric() -> Statement:
    import sympy as sp

    rate, x, b, total, new = letters("rho x b B n", real=True)
    return Statement(
        Relation(new, "<=", total),
        (
            Relation(rate, "<=", sp.S.One),
            Relation(rate * total, "=", b),
            Relation(x, "<=", total),
            Relation(new, "<=", (1 - rate) * x + b),
        ),
    )


def _cost() -> Statement:
    return Statement(Relation(q.reflection_cost, "<=", swap_effect() / q.contraction_rate))


def _sharper_cost() -> Statement:
    effect = q.step_slope * swap_effect()
    return Statement(Relation(q.reflection_cost, "<=", effect / q.contraction_rate))


def _cost_per_sample() -> Statement:
    effect = swap_effect(per_sample=True)
    return Statement(Relation(q.reflection_cost, "<=", effect / q.contraction_rate))


# --- From f of the distance to the score ----------------------------------------------------------


def _chord() -> Statement:
    """With D = 2R and x = f(r)/f(D): f lies above its chord, so x ≥ r/D."""
    r, big, x = letters("r D x", real=True)
    return Statement(
        Relation(r**2, "<=", big**2 * x),
        (*nonnegative(r), Relation(r, "<=", big), Relation(r, "<=", big * x)),
    )


def _square() -> Statement:
    return Statement(
        Relation(q.reflection_square, "<=", _diameter_squared() / q.f_diameter * q.reflection_cost)
    )


def _diameter_squared() -> Any:
    return (2 * q.parameter_radius) ** 2


def _bound(cost: Any) -> Statement:
    factor = q.score_sensitivity * _diameter_squared() / q.f_diameter
    return Statement(Relation(q.reflection_stability, "<=", factor * cost))


def _main() -> Statement:
    return _bound(swap_effect() / q.contraction_rate)


def _sharper() -> Statement:
    return _bound(q.step_slope * swap_effect() / q.contraction_rate)


def _sharper_derivation() -> Statement:
    return _bound_derivation(_sharper(), _sharper_cost())


def _per_sample() -> Statement:
    return _bound(swap_effect(per_sample=True) / q.contraction_rate)


def _bound_derivation(bound: Statement, cost: Statement) -> Statement:
    import sympy as sp

    return Statement(
        bound.conclusion,
        (
            Relation(q.reflection_stability, "<=", q.score_sensitivity * q.reflection_square),
            _square().conclusion,
            cost.conclusion,
            Relation(sp.S.Zero, "<", q.f_diameter),
            Relation(sp.S.Zero, "<", q.contraction_rate),
        ),
    )


def _main_derivation() -> Statement:
    return _bound_derivation(_main(), _cost())


def _per_sample_derivation() -> Statement:
    return _bound_derivation(_per_sample(), _cost_per_sample())


def _rate() -> Statement:
    from theory.symbols import N

    return Statement(Relation(q.reflection_stability**_HALF, "≲", N ** (-_HALF)), rate_variable="N")


def _flat() -> Statement:
    import sympy as sp

    return Statement(Relation(q.reflection_stability**_HALF, "≲", sp.S.One), rate_variable="K")


# --- Without the projection -----------------------------------------------------------------------
#
# S(h) = E R'² = E (h + W)|h + W| with W = 2ηsZ has the slope 2 E|h + W| ≤ 2h + 2 E|W|, and
# E|W| = 2ηs √(2/π): so S(h) ≤ h² + 2 E|W| h.


def _spread() -> Any:
    """Return 2 E|2ηsZ| = 4ηs√(2/π), in symbols."""
    import sympy as sp

    from theory.sgd_steps import NOISE, STEP_SIZE

    return 4 * STEP_SIZE.symbol * NOISE.symbol * sp.sqrt(2 / sp.pi)


def _linear_factor() -> Any:
    """Return A with E r⁺² ≤ (1 − ηλ)² E r² + A E r + p A₀."""
    from theory.sgd_steps import CLIP, STEP_SIZE, WEIGHT_DECAY

    eta, decay, clip = STEP_SIZE.symbol, WEIGHT_DECAY.symbol, CLIP.symbol
    lipschitz = q.gradient_lipschitz
    return (
        4 * eta * clip * (1 - eta * decay)
        + 2 * eta**2 * clip * lipschitz
        + _spread() * (1 - eta * decay + eta * lipschitz)
    )


def _constant_term() -> Any:
    """Return A₀ = 4η²C² + 2ηC · 4ηs√(2/π)."""
    from theory.sgd_steps import CLIP, STEP_SIZE

    clip = STEP_SIZE.symbol * CLIP.symbol
    return 4 * clip**2 + 2 * clip * _spread()


def _free_square() -> Statement:
    import sympy as sp

    from theory.sgd_steps import STEP_SIZE, WEIGHT_DECAY, swap_share

    first, constant = sp.symbols("A A_0", positive=True)
    decay = STEP_SIZE.symbol * WEIGHT_DECAY.symbol
    mean = swap_effect() / (q.tail_slope * q.contraction_rate)
    written = Relation(
        q.reflection_square,
        "<=",
        (first * mean + constant * swap_share()) / (decay * (2 - decay)),
    )
    return Statement.abbreviated(written, ((first, _linear_factor()), (constant, _constant_term())))


def _square_without_swap() -> Statement:
    """u = (1 − ηλ)r, g ≤ 2ηC the distance of the gradients' steps, j = 2ηC, c = 2E|W|, y = E R'².

    The bound is linear in g, so that its mean holds with the mean of g, which is at most ηLr.
    """
    u, g, j, c, y = letters("u g j c y", real=True)
    return Statement(
        Relation(y, "<=", u**2 + 2 * u * j + j * g + c * (u + g)),
        (
            *nonnegative(u, g),
            Relation(g, "<=", j),
            Relation(y, "<=", (u + g) ** 2 + c * (u + g)),
        ),
    )


def _square_with_swap() -> Statement:
    u, g, j, c, y = letters("u g j c y", real=True)
    return Statement(
        Relation(y, "<=", u**2 + (2 * u * j + c * u) + (j**2 + c * j)),
        (
            *nonnegative(u, g, c),
            Relation(g, "<=", j),
            Relation(y, "<=", (u + g) ** 2 + c * (u + g)),
        ),
    )


def _tail() -> Statement:
    """A concave f lies above its last slope: f(r) ≥ t r, so E r ≤ E f/t."""
    t, x, cost, total = letters("t x f B", real=True)
    return Statement(
        Relation(t * x, "<=", total), (Relation(t * x, "<=", cost), Relation(cost, "<=", total))
    )


def _free() -> Statement:
    square = _free_square()
    assert square.written is not None
    written = Relation(q.reflection_stability, "<=", q.score_sensitivity * square.written.rhs)
    return Statement.abbreviated(written, square.where)


_step_of = partial(proof_step, source=_PROOF)
_NEEDS = frozenset({"sgd", "reflection"})
_NEEDS_BALL = _NEEDS | {"projected"}

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_MEAN,
        title="Reflection–maximal coupling keeps the mean distance, in units of 2ηs: E u = a",
        source=_PROOF,
        kind=Kind.CLASSICAL,
        strength=Strength.IDENTITY,
        build=_mean_distance,
        steps=(f"{_MEAN}.antiderivative", f"{_MEAN}.density"),
        sharp_at="everywhere",
    ),
    _step_of(
        _MEAN,
        "antiderivative",
        "An antiderivative of u φ(u − a); with −a for a it serves the other half",
        _antiderivative,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    _step_of(
        _MEAN,
        "density",
        "φ(u − a) − φ(u + a) ≥ 0: exponents compared",
        _monotone,
        strength=Strength.TIGHT,
        sharp_at="u = 0 or a = 0",
    ),
    Claim(
        id=_CONTRACTION,
        title="One step contracts f of the distance, at every distance",
        source=Source(
            "farghly2026",
            "proof of Proposition 14",
            "discrete time, with the best concave f for the step at hand",
        ),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_contraction,
        assumptions=(*_COUPLED, _CONCAVE),
        uses=(_MEAN,),
        taken=(
            "E f(R') = E F(h + 2ηsZ), F the odd extension of f: it grows with h and is concave in "
            "it, so that h(r) may stand for the distance of the means, and for its mean",
        ),
        needs=frozenset({"sgd", "recursion", "reflection"}),
        parameters=("share",),
        sharp_at="everywhere for the best f, up to the resolution of its knots",
    ),
    Claim(
        id=_COST,
        title="The mean of f of the distance stays bounded, whatever the number of steps",
        source=_PROOF,
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_cost,
        assumptions=(*_COUPLED, _CONCAVE),
        uses=(_CONTRACTION,),
        steps=tuple(f"{_COST}.{name}" for name in ("swap-slope", "over-batches", "geometric")),
        taken=("the bound of farghly2026.reflection-contraction, and induction over the steps",),
        needs=_NEEDS,
        sharp_at="K → ∞ with the best f and B/N → 0",
    ),
    _step_of(
        _COST,
        "swap-slope",
        "A replaced point moves the means apart by at most J = 2ηC more; t = 1, or t = E F'(2ηsZ)",
        _swap_slope,
        strength=Strength.TIGHT,
        sharp_at="both bounds attained",
    ),
    _step_of(
        _COST,
        "over-batches",
        "In the mean over batches, p the probability that the replaced point is in the batch",
        _over_batches,
        strength=Strength.TIGHT,
        sharp_at="both bounds attained",
    ),
    _step_of(
        _COST,
        "geometric",
        "B = b/ρ is never exceeded",
        _geometric,
        strength=Strength.TIGHT,
        sharp_at="x = B",
    ),
    Claim(
        id=f"{_COST}-sharper",
        title="The same with the slope that the noise leaves of f' in place of f'(0)",
        source=Source("farghly2026", "proof of Proposition 14", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_sharper_cost,
        assumptions=(*_COUPLED, _CONCAVE),
        uses=(_CONTRACTION,),
        steps=(f"{_COST}.swap-slope", f"{_COST}.over-batches", f"{_COST}.geometric"),
        taken=(
            "E F'(h + 2ηsZ) is largest at h = 0, F' being even and falling: "
            "P(|h + W| < b) falls with h, its slope being a difference of densities",
            "the bound of farghly2026.reflection-contraction, and induction over the steps",
        ),
        needs=_NEEDS,
        sharp_at="K → ∞ with the best f and B/N → 0",
    ),
    Claim(
        id=f"{_COST}-per-sample",
        title="The same with gradients clipped point by point: the batch size drops out",
        source=Source("farghly2026", "proof of Proposition 14", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_cost_per_sample,
        assumptions=(*_COUPLED_PER_SAMPLE, _CONCAVE),
        uses=(_CONTRACTION,),
        steps=(f"{_COST}.swap-slope", f"{_COST}.geometric"),
        taken=("the replaced point is in a batch with probability B/N, and then adds 2ηC/B",),
        needs=_NEEDS | {"per-sample"},
        sharp_at="K → ∞ with the best f and B/N → 0",
        unkilled=(("rhs: term 2*C*eta/(N*contraction_rate) times 9/10", ONE_POINT),),
    ),
    Claim(
        id=_SQUARE,
        title="From f of the distance to the squared distance, within the ball",
        source=_PROOF,
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_square,
        assumptions=(*_COUPLED, _KEPT, _CONCAVE),
        steps=(f"{_SQUARE}.chord",),
        taken=("the mean of both sides of the step",),
        needs=_NEEDS_BALL | {"resolved-distance"},
        step_of=_MAIN,
        sharp_at="distances 0 and 2R only",
    ),
    _step_of(
        _SQUARE,
        "chord",
        "D = 2R, x = f(r)/f(D): a concave f lies above its chord",
        _chord,
        strength=Strength.TIGHT,
        sharp_at="r = D",
    ),
    Claim(
        id=_MAIN,
        title="Clipped noisy SGD with weight decay is score stable for ever: reflection coupling",
        source=Source("farghly2026", "Proposition 14", f"{PAPER_GIVES_RATE}; {_PROJECTED}"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_main,
        assumptions=(*_COUPLED, _KEPT, _CONCAVE, SENSITIVITY),
        uses=(_COST,),
        steps=(_SQUARE, f"{_SQUARE}.chord"),
        derivation=_main_derivation,
        taken=(_DEFINITION, "f(2R) > 0 and ρ > 0: without them there is no bound"),
        needs=_NEEDS_BALL,
        sharp_at="not attained",
        unkilled=(
            (
                "rhs: term 8*B*C*eta*parameter_radius**2*score_sensitivity/(N*contraction_rate"
                "*f_diameter) times 9/10",
                _STRICT,
            ),
        ),
    ),
    Claim(
        id=f"{_MAIN}-sharper",
        title="The same with the slope that the noise leaves of f' in place of f'(0)",
        source=Source("farghly2026", "Proposition 14", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_sharper,
        assumptions=(*_COUPLED, _KEPT, _CONCAVE, SENSITIVITY),
        uses=(_SQUARE, f"{_COST}-sharper"),
        derivation=_sharper_derivation,
        taken=(_DEFINITION, "f(2R) > 0 and ρ > 0: without them there is no bound"),
        needs=_NEEDS_BALL,
        sharp_at="K → ∞ with the best f, B/N → 0 and much noise",
    ),
    Claim(
        id=f"{_MAIN}-per-sample",
        title="The same with gradients clipped point by point: the batch size drops out",
        source=Source("farghly2026", "Proposition 14", "new"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_per_sample,
        assumptions=(*_COUPLED_PER_SAMPLE, _KEPT, _CONCAVE, SENSITIVITY),
        uses=(_SQUARE, f"{_COST}-per-sample"),
        derivation=_per_sample_derivation,
        taken=(_DEFINITION, "f(2R) > 0 and ρ > 0: without them there is no bound"),
        needs=_NEEDS_BALL | {"per-sample"},
        sharp_at="not attained",
        unkilled=(
            (
                "rhs: term 8*C*eta*parameter_radius**2*score_sensitivity/(N*contraction_rate"
                "*f_diameter) times 9/10",
                _STRICT,
            ),
            ("rhs: exponent 2 of parameter_radius made 1", ONE_POINT),
        ),
    ),
    Claim(
        id=f"{_MAIN}-rate",
        title="Score stability falls like N^(−1/2) (the paper's rate)",
        source=Source("farghly2026", "Proposition 14"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate,
        assumptions=_COUPLED,
        uses=(_MAIN,),
        taken=("farghly2026.proposition-14, constants left out",),
        needs=_NEEDS | {"resolved-distance"},
    ),
    Claim(
        id=f"{_MAIN}-flat",
        title="Score stability does not grow with the number of steps",
        source=Source("farghly2026", "Proposition 14"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_flat,
        assumptions=_COUPLED,
        uses=(_MAIN,),
        taken=("farghly2026.proposition-14, constants left out",),
        needs=_NEEDS | {"resolved-distance"},
    ),
    Claim(
        id=f"{_FREE}-square",
        title="The squared distance without the projection: weight decay alone bounds it",
        source=Source("farghly2026", "Proposition 14", "new: Gaussian noise as it is"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_free_square,
        assumptions=(*_COUPLED, _NOT_KEPT, f"{_CONCAVE}, and linear far out"),
        uses=(_COST,),
        steps=tuple(f"{_FREE}-square.{name}" for name in ("same-points", "other-point", "tail")),
        taken=(
            "E R'² ≤ h² + 2E|W| h with W = 2ηsZ, from the slope 2E|h + W|",
            "the mean over batches of the step same-points, with E g ≤ ηLr",
            "E r ≤ 2ηC B/(N ρ f'(∞)) by the step tail, and the geometric sum of "
            "1 − (1 − ηλ)² = ηλ(2 − ηλ)",
        ),
        needs=_NEEDS | {"unprojected"},
        sharp_at="not attained",
        unkilled=(
            (
                "rhs: term (2*A*B*C*eta/(N*contraction_rate*tail_slope) + A_0*B/N)"
                "/(eta*lambda*(-eta*lambda + 2)) times 9/10",
                _LOOSE,
            ),
            ("A: exponent 2 of eta made 1", _WEAKER),
            ("A: exponent 1/2 of 2 made 1", "a weaker statement"),
            ("A_0: exponent 2 of C made 1", _LOOSE),
            ("A_0: exponent 2 of eta made 1", _WEAKER),
            ("A_0: exponent 1/2 of 2 made 1", "a weaker statement"),
        ),
    ),
    _step_of(
        f"{_FREE}-square",
        "same-points",
        "One step on the same points: u = (1 − ηλ)r, g ≤ j = 2ηC the distance of the gradients' "
        "steps, c = 2E|W|, y = E R'²; linear in g",
        _square_without_swap,
        strength=Strength.TIGHT,
        sharp_at="g = j",
    ),
    _step_of(
        f"{_FREE}-square",
        "other-point",
        "One step with the replaced point in the batch",
        _square_with_swap,
        strength=Strength.TIGHT,
        sharp_at="g = j",
    ),
    _step_of(
        f"{_FREE}-square",
        "tail",
        "f lies above its last slope t: x = E r, f = E f(r)",
        _tail,
        strength=Strength.TIGHT,
        sharp_at="f linear",
    ),
    Claim(
        id=_FREE,
        title="Noisy SGD without the projection is score stable for ever",
        source=Source("farghly2026", "Proposition 14", "new: Gaussian noise as it is"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_free,
        assumptions=(*_COUPLED, _NOT_KEPT, f"{_CONCAVE}, and linear far out", SENSITIVITY),
        uses=(f"{_FREE}-square",),
        taken=(_DEFINITION, "the product of the two"),
        needs=_NEEDS | {"unprojected"},
        sharp_at="not attained",
        unkilled=(
            (
                "rhs: term score_sensitivity*(2*A*B*C*eta/(N*contraction_rate*tail_slope)"
                " + A_0*B/N)/(eta*lambda*(-eta*lambda + 2)) times 9/10",
                _LOOSE,
            ),
            ("A: exponent 2 of eta made 1", _WEAKER),
            ("A: exponent 1/2 of 2 made 1", "a weaker statement"),
            ("A_0: exponent 2 of C made 1", _LOOSE),
            ("A_0: exponent 2 of eta made 1", _WEAKER),
            ("A_0: exponent 1/2 of 2 made 1", "a weaker statement"),
        ),
    ),
)
