"""Which points and boxes a check looks at, for each case and effort.

The points are chosen to be varied, not friendly: every schedule, a point mass near the start and
one far from it, a list, uniform τ; one training point, few, many; small and large data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import sympy as sp

from proofs_check.point import Point, at_time, of_sampler, timeless, with_tau
from proofs_check.provers.boxes import Interval
from proofs_check.provers.sampler_boxes import SamplerBox
from theory import cases
from theory.cases.trained_features import ENSEMBLES
from theory.claim import Claim
from theory.process import TimeAtoms, UniformTime

EFFORTS = ("quick", "standard", "deep")


def _q(p: int, q: int = 1) -> sp.Rational:
    return sp.Rational(p, q)


_WEIGHTS = (_q(1, 4), _q(1, 2), _q(1, 4))
_EARLY_LIST = TimeAtoms((_q(1, 10), _q(1, 2), _q(2)), _WEIGHTS)
_EARLY_UNIFORM = UniformTime(_q(1, 10), _q(1))

# Sampling is noisiest at the earliest time, where losses scale like 1/sigma^4; sampled cases start
# a little later.
_LIST = TimeAtoms((_q(1, 4), _q(1, 2), _q(2)), _WEIGHTS)
_UNIFORM = UniformTime(_q(1, 5), _q(1))


def points(case: str, effort: str, sample_size: sp.Expr | None = None) -> tuple[Point, ...]:
    """Return the points at which a case is evaluated, all with one sample size if it is given.

    Raises
    ------
    KeyError
        If the case has no plan.
    """
    chosen = _PLANS[case]
    keep = {"quick": 3, "standard": len(chosen), "deep": len(chosen)}[effort]
    if sample_size is None or "N" not in cases.get(case).defaults:
        return chosen[:keep]
    return tuple(point.with_values(N=sample_size) for point in chosen[:keep])


#: Values of a claim's own parameters, taken in turn from point to point.
_CLAIM_VALUES: dict[str, tuple[sp.Rational, ...]] = {
    "c": (_q(1, 2), _q(1, 4), _q(3, 4), _q(2, 5)),
    "ball": (_q(1), _q(1, 2), _q(1), _q(1, 4)),
    "alpha": (_q(2), _q(5, 4), _q(4)),
    "gap": (_q(1, 2), _q(1, 10), _q(2)),
    "share": (_q(1, 2), _q(1, 50), _q(1), _q(4, 5)),
}


def points_for(
    claim: Claim, case: str, effort: str, sample_size: sp.Expr | None = None
) -> tuple[Point, ...]:
    """Return the points of a case, each with values of the claim's own parameters."""
    return tuple(
        with_parameters_of(claim, point, turn)
        for turn, point in enumerate(points(case, effort, sample_size))
    )


def with_parameters_of(claim: Claim, point: Point, turn: int = 0) -> Point:
    """Return the point with values of the claim's own parameters; ``turn`` says which ones."""
    own = {name: _CLAIM_VALUES[name] for name in claim.parameters}
    return point.with_claim_values(**{n: v[turn % len(v)] for n, v in own.items()})


_GAUSSIAN = (
    (("N", 2), ("d", 1), ("s", 1)),
    (("N", 3), ("d", 3), ("s", "1/2")),
    (("N", 5), ("d", 2), ("s", 2)),
    (("N", 8), ("d", 1), ("s", 1)),
)


def _gaussian_plan(case: str) -> tuple[Point, ...]:
    two, three, five, eight = (dict[str, int | str](values) for values in _GAUSSIAN)
    return (
        at_time(case, "3/10", "ou", **two),
        at_time(case, "1/2", "fraction", **three),
        at_time(case, 2, "ve", **five),
        at_time(case, "1/5", "ou", **eight),
        with_tau(case, _LIST, "vp-linear", **five),
        with_tau(case, _UNIFORM, "ou", **two),
    )


def _finite_plan(case: str) -> tuple[Point, ...]:
    return (
        at_time(case, "3/10", N=2, d=2, K=3),
        at_time(case, "1/2", "fraction", N=3, d=1, K=4),
        at_time(case, 1, "ve", N=3, d=3, K=5, a=2),
        at_time(case, "1/5", N=8, d=1, K=2),
        with_tau(case, _LIST, "vp-linear", N=3, d=2, K=4),
        with_tau(case, _UNIFORM, N=2, d=5, K=6),
    )


_PLANS: dict[str, tuple[Point, ...]] = {
    "gaussian-mean": _gaussian_plan("gaussian-mean"),
    "gaussian-mean-variance": _gaussian_plan("gaussian-mean-variance"),
    "gaussian-data": _gaussian_plan("gaussian-data"),
    "fixed-score": _gaussian_plan("fixed-score"),
    "one-point": (
        at_time("one-point", "3/10"),
        at_time("one-point", "1/2", "fraction", V="1/100", d=3),
        at_time("one-point", 2, "ve", V=9, d=2),
        with_tau("one-point", _EARLY_LIST, "vp-linear"),
        with_tau("one-point", _EARLY_UNIFORM),
    ),
    "two-points": (
        at_time("two-points", "3/10", N=2),
        at_time("two-points", "1/2", "fraction", N=1, p="1/3", a=2),
        at_time("two-points", "3/10", N=5, p="9/10"),
        at_time("two-points", 1, "ve", N=3, p="1/100", a=3),
        with_tau("two-points", _EARLY_LIST, "vp-linear", N=4, p="1/3"),
        at_time("two-points", "1/10", N=32, p="1/2"),
        at_time("two-points", "3/10", N=16, p="1/5", a="1/2"),
        with_tau("two-points", _EARLY_UNIFORM, N=2),
    ),
    "finite-points": _finite_plan("finite-points"),
    "gaussian-mixture": _finite_plan("gaussian-mixture"),
    "circle": (
        at_time("circle", "3/10", N=2),
        at_time("circle", "1/2", "fraction", N=5, a=2),
        with_tau("circle", _LIST, "vp-linear", N=3, d=3),
        at_time("circle", 1, "ve", N=6, a=3),
        with_tau("circle", _UNIFORM, N=2),
    ),
    "sphere": (
        at_time("sphere", "3/10", N=3),
        at_time("sphere", "1/2", "fraction", N=2, a=2),
        with_tau("sphere", _UNIFORM, N=2, d=4),
        with_tau("sphere", _LIST, "vp-linear", N=4),
        at_time("sphere", 1, "ve", N=8, a=2),
    ),
    "flat-torus": (
        at_time("flat-torus", "3/10", N=3),
        at_time("flat-torus", 1, "ve", N=8, a=2),
        with_tau("flat-torus", _LIST, "vp-linear", N=4),
        at_time("flat-torus", "1/10", N=2, a="1/2", d=5),
        with_tau("flat-torus", _UNIFORM, N=2),
    ),
    "segment": (
        at_time("segment", "3/10", N=2),
        at_time("segment", "1/2", "fraction", N=3, a=2),
        with_tau("segment", _LIST, "vp-linear", N=3, d=2),
        with_tau("segment", _UNIFORM, N=2),
    ),
    "cube": (
        at_time("cube", "3/10", N=2),
        at_time("cube", "1/2", "fraction", N=5, a=2, d=3),
        with_tau("cube", _LIST, "vp-linear", N=3),
    ),
}

_PLANS |= {
    "test-function": (
        at_time("test-function", "3/10", r=1, theta=1),
        at_time("test-function", "1/2", "fraction", r=2, theta=2),
        at_time("test-function", 2, "ve", r=1, theta="1/5"),
        at_time("test-function", "1/100", "vp-linear", r=0, theta=3),
    ),
    "binomial": (
        at_time("binomial", 1, n=5, k=2, q="1/3"),
        at_time("binomial", 1, n=1, k=1, q="9/10"),
        at_time("binomial", 1, n=40, k=3, q="1/2"),
        at_time("binomial", 1, n=40, k=1, q="1/4"),
        at_time("binomial", 1, n=0, k=3, q="1/4"),
        at_time("binomial", 1, n=10, k=8, q="1/100"),
    ),
    "heat-line": tuple(
        at_time("heat-line", t, rho=rho) for t, rho in (("3/10", 1), ("1/20", 3), (2, "1/2"))
    ),
    "heat-circle": tuple(
        at_time("heat-circle", t, rho=rho, a=a)
        for t, rho, a in (("3/10", 1, 1), ("1/20", 2, 1), (1, 3, 1), (1, "1/2", 2), (3, 9, 3))
    ),
    "heat-torus": tuple(
        at_time("heat-torus", t, rho1=rho1, rho2=rho2)
        for t, rho1, rho2 in (("3/10", 1, 2), ("1/10", "1/2", "1/2"), (1, 3, 0))
    ),
    "heat-sphere": tuple(
        at_time("heat-sphere", t, rho=rho, a=a)
        for t, rho, a in (("3/10", 1, 1), ("1/10", 2, 1), (1, 3, 1), (1, "1/2", 2))
    ),
}

_PLANS |= {
    "reverse-gaussian": (
        at_time("reverse-gaussian", "3/10"),
        at_time("reverse-gaussian", 2, d=3, s2="1/4", b=1),
        at_time("reverse-gaussian", "1/100", s2=100, b=3),
        at_time("reverse-gaussian", 5, d=2, s2="1/1000", b=2),
    ),
    "reverse-mixture": (
        at_time("reverse-mixture", "1/5"),
        at_time("reverse-mixture", "1/2", K=2, a=2, s=0),
        at_time("reverse-mixture", 3, K=2, s=0, a="1/10"),
        at_time("reverse-mixture", "1/20", K=5, a=3, s="1/10"),
        at_time("reverse-mixture", 1, K=4, a="1/2", s=2),
    ),
    "gaussian-sampler-true": (
        of_sampler("gaussian-sampler-true", kappa="1/10", L=40, m=40),
        of_sampler("gaussian-sampler-true", s2="1/4", d=3, kappa="1/2", L=8, m=8, b=1),
        of_sampler("gaussian-sampler-true", s2=1, kappa=1, L=4, m=10),
        of_sampler("gaussian-sampler-true", s2=100, kappa="3/2", L=3, m=6),
        of_sampler("gaussian-sampler-true", s2="1/100", d=8, kappa="1/20", L=20, m=60),
    ),
    "gaussian-sampler-mean": (
        of_sampler("gaussian-sampler-mean", kappa="1/10", L=40, m=40, N=40),
        of_sampler("gaussian-sampler-mean", s2="1/4", d=3, kappa="1/2", L=8, m=8, N=1, b=1),
        of_sampler("gaussian-sampler-mean", s2=1, kappa=1, L=4, m=10, N=1000),
        of_sampler("gaussian-sampler-mean", s2=100, kappa="3/2", L=3, m=6, N=5),
        of_sampler("gaussian-sampler-mean", s2="1/100", d=8, kappa="1/20", L=20, m=60, N=2),
    ),
    "gaussian-sampler-plug-in": (
        of_sampler("gaussian-sampler-plug-in", kappa="1/10", L=40, m=40, N=40),
        of_sampler("gaussian-sampler-plug-in", s2="1/4", d=3, kappa="1/2", L=8, m=8, N=2, b=1),
        of_sampler("gaussian-sampler-plug-in", s2=1, kappa=1, L=4, m=10, N=100),
    ),
    "mixture-sampler": (
        of_sampler("mixture-sampler", kappa="1/5", L=20, m=10),
        of_sampler("mixture-sampler", K=2, a=2, s=0, kappa="1/2", L=8, m=6),
        of_sampler("mixture-sampler", K=1, s=0, kappa="1/10", L=20, m=10),
        of_sampler("mixture-sampler", K=5, a=3, s="1/2", kappa=1, L=4, m=3),
    ),
    "two-points-sampler": (
        of_sampler("two-points-sampler", N=2, kappa="1/5", L=20, m=10),
        of_sampler("two-points-sampler", N=1, p="1/3", a=2, kappa="1/2", L=8, m=6),
        of_sampler("two-points-sampler", N=5, p="9/10", kappa="1/4", L=12, m=8),
        of_sampler("two-points-sampler", N=8, a="1/2", kappa=1, L=4, m=4),
    ),
}


def _chains(case: str, *settings: Mapping[str, sp.Expr | int | str]) -> tuple[Point, ...]:
    return tuple(timeless(case, **values) for values in settings)


_SETTINGS: tuple[dict[str, sp.Expr | int | str], ...] = (
    {},
    {"N": 1, "K": 1, "eta": 1, "L": 0},
    {"N": 20, "B": 4, "K": 10, "eta": "1/2", "L": 10, "C": 2},
    {"N": 16, "K": 3, "eta": "1/4", "lambda": "1/2", "L": "1/4", "C": "1/2"},
    {"N": 1000, "B": 8, "K": 1000, "eta": "1/20", "lambda": "1/2", "L": "3/5", "C": "1/2"},
    {"N": 4, "B": 4, "K": 5, "eta": "1/4", "L": 1},
)
_PLANS |= {
    "mean-sgd": _chains(
        "mean-sgd",
        {},
        {"N": 10, "B": 10, "K": 50},
        {"N": 2, "B": 1, "K": 1, "eta": "1/2", "L": 1, "C": 2},
        {"N": 1000, "B": 20, "K": 100000, "eta": "1/100", "lambda": "1/10", "a": 3, "C": 3},
        {"N": 1, "B": 1, "K": 7, "lambda": "1/1000", "L": 5, "C": 20, "a": "3/2"},
    ),
    "worst-pair-synchronous": _chains("worst-pair-synchronous", *_SETTINGS),
    "reflection-recursion": _chains(
        "reflection-recursion",
        {},
        {"N": 20, "B": 4, "K": 10, "eta": "1/2", "L": 10, "C": 2, "noise": 4},
        {"N": 1000, "B": 8, "K": 1000, "eta": "1/20", "lambda": "1/2", "L": "1/4", "C": "1/2"},
        {"N": 50, "K": 400, "eta": "1/5", "L": 1, "noise": 1},
        {"N": 1000, "K": 100000, "noise": 2},
    ),
    "reflection-recursion-unprojected": _chains(
        "reflection-recursion-unprojected",
        {},
        {"N": 20, "B": 4, "K": 10, "eta": "1/2", "L": 10, "C": 2, "noise": 4},
        {"N": 1000, "B": 8, "K": 1000, "eta": "1/20", "lambda": "1/2", "L": "1/4", "C": "1/2"},
        {"N": 50, "K": 400, "eta": "1/5", "L": 1, "noise": 1},
    ),
    **{
        case: (
            at_time(case, "3/10", N=20),
            at_time(case, "1/2", "fraction", N=10, B=5, K=30, eta="1/5", noise=4),
            with_tau(case, _LIST, "vp-linear", N=50, B=10, K=60, noise=5, s=0),
        )
        for case in ("two-wells-sgd", "two-wells-sgd-per-sample")
    },
    **{
        case: _chains(
            case,
            {},
            {"N": 1, "K": 10, "eta": "1/2", "L": 1, "noise": 2},
            {"N": 20, "B": 5, "K": 60, "eta": "1/5", "L": 2, "C": 2, "noise": 4},
        )
        for case in ("noisy-mean-sgd", "noisy-mean-sgd-unprojected")
    },
    "eberle-ou": _chains("eberle-ou", {}, {"lambda": "1/10"}, {"lambda": 7}),
    "eberle-double-well": _chains("eberle-double-well", {}, {"a": "1/4"}, {"a": 2}),
    "eberle-clipped": _chains(
        "eberle-clipped",
        {},
        {"lambda": "1/5", "L": 3, "C": "1/2", "sigma": "3/2"},
        {"lambda": 1, "L": "1/2", "C": 1, "sigma": 1},
        {"lambda": "1/2", "L": 50, "C": 1, "sigma": 2},
    ),
}


_PLANS |= {
    "noised-one-point": tuple(
        at_time("noised-one-point", t, schedule, x=x, a=a)
        for t, schedule, x, a in (
            ("3/10", "ou", "1/2", 1),
            ("1/2", "fraction", 0, 2),
            ("1/100", "vp-linear", 5, 1),
        )
    ),
    **{
        case: tuple(
            at_time(case, t, schedule, x=x, a=a)
            for t, schedule, x, a in (
                ("3/10", "ou", "1/2", 1),
                ("1/2", "fraction", 0, 1),
                ("1/10", "vp-linear", "1/10", 1),
                (2, "ve", 0, 3),
                (2, "ve", 1, 3),
                ("1/1000", "ou", "1/100", 1),
                ("1/20", "ou", 3, "1/2"),
            )
        )
        for case in ("noised-two-points", "noised-three-points")
    },
    "noised-hexagon": tuple(
        at_time("noised-hexagon", t, schedule, x=x, y=y, a=a)
        for t, schedule, x, y, a in (
            ("1/5", "fraction", "1/2", "1/4", 1),
            ("3/10", "ou", 0, 0, 1),
            ("1/20", "fraction", "3/4", "2/5", 1),
            ("1/10", "vp-linear", 2, 0, 2),
        )
    ),
    "noised-gaussian": tuple(
        at_time("noised-gaussian", t, schedule, d=d, s=s)
        for t, schedule, d, s in (
            ("3/10", "ou", 1, 1),
            ("1/2", "fraction", 3, "1/2"),
            ("1/1000", "vp-linear", 2, 2),
            (2, "ve", 8, "1/100"),
        )
    ),
    **{
        case: _chains(
            case,
            {},
            {"noise": "1/1000", "s2": 0, "eps": "1/10"},
            {"noise": "1/50", "s2": 4, "T": 2, "eps": "1/2"},
            {"noise": "1/100", "T": "1/10"},
            {"s2": "1/10", "noise": "1/10", "eps": "1/5", "T": "1/2"},
        )
        for case in ("random-slope-ou", "random-slope-vp")
    },
    **{
        case: _chains(
            case,
            {},
            {"s2": 4, "kappa": 1, "eps": "1/10", "T": 2},
            {"s2": 0, "kappa": "1/2"},
            {"s2": "1/4", "kappa": "1/100", "eps": "1/1000", "K": 200},
        )
        for case in ("naive-gaussian-ou", "naive-gaussian-vp")
    },
    **{
        case: _chains(
            case, {}, {"kappa": 1, "a": "1/2"}, {"kappa": "3/10"}, {"kappa": "3/10", "a": 2}
        )
        for case in ("naive-two-points-ou", "naive-two-points-vp")
    },
    **{
        case: (
            at_time(case, "3/10"),
            at_time(case, "1/2", "fraction", N=8, d=3, s=2),
            at_time(case, "1/100", "vp-linear", N=1000, d=30, s="1/2"),
            at_time(case, 2, "ve", N=4, d=1),
        )
        for case in ("regression-slopes", "regression-affine")
    },
    **{
        case: _chains(case, {"N": 400}, {"N": 400, "a": "1/2"})
        for case in ("features-two-points", "features-three-points")
    },
    **{
        case: _chains(case, {}, {"eps": "1/100"}, {"K": 30})
        for case in ("gap-filling-gaussian", "gap-filling-fourier")
    },
    **{case: _chains(case, {}) for case in ENSEMBLES},
    "training-time-relu": _chains(
        "training-time-relu", {}, {"training_time": 1, "N": 1000, "a": 2}, {"training_time": 1000}
    ),
    "training-time-hermite": _chains(
        "training-time-hermite",
        {},
        {"F": 1, "training_time": 0},
        {"F": 20, "training_time": 50, "rho": "9/10", "N": 500},
        {"F": 5, "training_time": "1/100", "rho": "1/10", "N": 10},
    ),
    "training-time-ring": _chains(
        "training-time-ring",
        {},
        {"F": 1, "training_time": 1, "coupling": "1/2"},
        {"F": 32, "training_time": 20, "N": 1000, "coupling": "2/5"},
        {"F": 7, "training_time": "1/50", "coupling": "1/10"},
    ),
}

#: Box of the two-point case in (a, t), for the Ornstein–Uhlenbeck process: a, then t.
TWO_POINT_BOX: tuple[Interval, Interval] = ((_q(1, 10), _q(2)), (_q(1, 10), _q(3)))

#: The ratio μa/σ runs over these intervals; together they cover `TWO_POINT_BOX`.
RATIO_INTERVALS: tuple[Interval, ...] = tuple(
    (_q(*low), _q(*high))
    for low, high in (
        ((1, 250), (1, 10)),
        ((1, 10), (1, 2)),
        ((1, 2), (1, 1)),
        ((1, 1), (2, 1)),
        ((2, 1), (9, 2)),
    )
)


#: Claims whose boxes are slow: many samples of N and of N + 1 points enter one difference.
_SLOW_ON_BOXES = frozenset(
    {
        "farghly2026.lemma-4",
        "farghly2026.empirical-stability-lower",
        "farghly2026.empirical-stability-upper",
    }
)


def box_sample_sizes(effort: str, claim_id: str = "") -> tuple[int, ...]:
    """Return the sample sizes N whose box is certified."""
    if claim_id in _SLOW_ON_BOXES:
        return {"quick": (1,), "standard": (1, 2), "deep": (1, 2, 3, 4)}[effort]
    return {"quick": (1, 2), "standard": (1, 2, 3, 4), "deep": (1, 2, 3, 4, 5, 6)}[effort]


def sampler_boxes(case: str, effort: str) -> tuple[SamplerBox, ...]:
    """Return the boxes on which Proposition 7 is certified for a Gaussian target."""
    small = SamplerBox(4, (_q(1, 4), _q(1, 2)), (_q(1, 2), _q(2)))
    if effort == "quick":
        return (small,)
    wide = SamplerBox(4, (_q(1, 4), _q(1, 2)), (_q(1, 4), _q(4)))
    fine = SamplerBox(8, (_q(1, 4), _q(1, 2)), (_q(1, 2), _q(2)))
    if case == "gaussian-sampler-true":
        long = SamplerBox(20, (_q(1, 10), _q(1, 4)), (_q(1, 2), _q(2)))
        longer = SamplerBox(40, (_q(1, 20), _q(1, 10)), (_q(1, 2), _q(2)))
        return (wide, fine, long) if effort == "standard" else (wide, fine, long, longer)
    finer = SamplerBox(8, (_q(1, 8), _q(1, 4)), (_q(1, 4), _q(4)))
    return (wide, fine) if effort == "standard" else (wide, fine, finer)


def rate_step_counts(case: str, effort: str) -> tuple[int, ...]:
    """Return the values of 1/κ, each twice the last, over which a rate in the step is fitted."""
    if effort == "standard" and not case.startswith("gaussian"):  # by quadrature, step by step
        return (2, 4, 8)
    return {"quick": (2, 4, 8), "standard": (2, 4, 8, 16), "deep": (2, 4, 8, 16, 32)}[effort]


def sampler_with_step(case: str, inverse_step: int) -> Point:
    """Return a point with κ = 1/``inverse_step``, T = 5, and ε as near to 1/20 as it can be."""
    kappa = _q(1, inverse_step)
    stages = round(math.log(20) / math.log1p(float(kappa)))
    return of_sampler(case, kappa=kappa, L=4 * inverse_step, m=stages)


def off_centre(case: str, time: int) -> Point:
    """Return a point whose law has a mean that is not zero: a centred one forgets faster."""
    name = {"reverse-gaussian": "b", "reverse-mixture": "K"}.get(case)
    return at_time(case, time, "ou", **({} if name is None else {name: 1}))


def rate_noise_levels(effort: str) -> tuple[int, ...]:
    """Return the values of 1/σ_ε, each twice the last, over which a rate in the noise is fitted."""
    return {"quick": (4, 8, 16), "standard": (4, 8, 16, 32), "deep": (4, 8, 16, 32, 64)}[effort]


def rate_sample_sizes(case: str, effort: str) -> tuple[int, ...]:
    """Return the sample sizes N, each twice the last, over which a rate is fitted."""
    if cases.get(case).properties & {"sgd", "fitted-features"}:
        return {"quick": (16, 32, 64), "standard": (16, 32, 64, 128)}.get(
            effort, (16, 32, 64, 128, 256)
        )
    if case in ("circle", "sphere", "segment"):  # exact, and slow to settle
        return {"quick": (64, 128, 256), "standard": (64, 128, 256, 512)}.get(
            effort, (64, 128, 256, 512, 1024)
        )
    largest = {"quick": 16, "standard": 64, "deep": 128}[effort]
    if case != "two-points":  # sampled in part: the cost grows like N²
        largest //= 2
    return tuple(2**k for k in range(1, 8) if 2**k <= largest)


def rate_chain_lengths(effort: str) -> tuple[int, ...]:
    """Return the numbers of steps K, each twice the last, over which growth in K is fitted."""
    return {"quick": (50, 100, 200), "standard": (50, 100, 200, 400)}.get(
        effort, (50, 100, 200, 400, 800)
    )


#: Steps at which growth in N is fitted: before synchronously coupled chains part for good, and
#: after noisy ones have settled.
STEPS_OF_RATES = {"synchronous": 20, "reflection": 200}


def chains_with(case: str, **values: sp.Expr) -> Point:
    """Return a point of chains at which what is fitted in N or K is resolved."""
    return timeless(case, **values)
