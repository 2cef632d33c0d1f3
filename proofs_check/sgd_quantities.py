"""The numbers of coupled chains of SGD: recursions without sampling, and pairs.

Pairs of chains are independent. In a ball all that is measured of them is bounded, and intervals
are empirical Bernstein bounds; chains that are not projected have Student intervals.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp
from flint import arb, ctx
from numpy.typing import NDArray

from numerics.chains import Coupling
from numerics.clipped_step import ClippedStep
from numerics.distance_chain import distance_moments
from numerics.law_quadrature import Estimate
from numerics.synchronous_pair import synchronous_moments
from proofs_check.contraction import contraction_at, lipschitz_of
from proofs_check.enclosure import enclose, exact_ball
from proofs_check.number import Method, Number, to_number
from proofs_check.point import Point
from proofs_check.sampling import FALSE_ALARM, mean_interval, noise_level
from theory.operators import GeometricSum
from theory.process import TimeAtoms

Array = NDArray[np.float64]

_PRECISION = 96

#: Up to so many steps every sequence of batches is followed.
_FEW_STEPS = 10

#: Pairs of chains at each effort.
_PAIRS: Mapping[str, int] = {"quick": 4000, "standard": 20000, "deep": 200000}

_OF_CONTRACTION = (
    *("contraction_rate", "step_slope", "f_diameter", "tail_slope"),
    *("f_now", "f_next"),
)
_COUPLING: Mapping[str, Coupling] = {
    "synchronous": "synchronous",
    "reflection": "reflection-maximal",
}


def sgd_quantities(
    point: Point, names: Sequence[str], *, effort: str, seed: int, more: int = 1
) -> dict[str, Number]:
    """Return those of the named quantities that a case of SGD computes.

    Raises
    ------
    ValueError
        One line, if chains are asked for with a τ that is no finite list of times, or if no
        contraction can be certified.
    """
    wanted = [name for name in names if name in point.law.measured]
    if "sgd" not in point.law.properties or not wanted:
        return {}
    found: dict[str, Number] = {}
    if "saturated_distance" in wanted:
        found["saturated_distance"] = saturated_distance(point)
    if not set(_OF_CONTRACTION).isdisjoint(wanted):
        found |= _of_contraction(point)
    for coupling in _COUPLING:
        asked = [n for n in wanted if n.startswith(f"{coupling}_")]
        if asked and "recursion" in point.law.properties:
            found |= _recursion(point, coupling, asked)
        elif asked:
            found |= _sampled(point, coupling, asked, effort=effort, seed=seed, more=more)
    return {name: found[name] for name in wanted if name in found}


def pairs_drawn(point: Point, effort: str, more: int = 1) -> str:
    """Say how many pairs of chains there are and what their intervals rest on."""
    free = "unprojected" in point.law.properties
    kind = "Student intervals (asymptotic)" if free else "empirical Bernstein"
    count = _PAIRS[effort] * more
    return f"{count} pairs of chains, {kind}, false alarm {FALSE_ALARM:g} per interval"


def saturated_distance(point: Point) -> Number:
    """Follow x⁺ = (1 − ηλ)x + (1 − p) η min(Lx, 2C) + 2ηC p, which grows from 0 to at most 2C/λ.

    Both pieces of the map are affine: up to the kink x_k = 2ηC p S_k, and beyond it the distance
    to 2C/λ shrinks by 1 − ηλ in each step.
    """
    values = dict(point.values)
    eta, clip, steps = values["eta"], values["C"], int(values["K"])
    kept, share = 1 - eta * values["lambda"], sp.Rational(values["B"], values["N"])
    lipschitz, jump = lipschitz_of(point), 2 * eta * clip * share
    ratio, limit = kept + (1 - share) * eta * lipschitz, 2 * clip / values["lambda"]

    def grown(k: int) -> arb:
        return exact_ball(jump) * enclose(GeometricSum(ratio, sp.Integer(k)), precision=_PRECISION)

    def is_below_kink(k: int) -> bool:
        return bool(exact_ball(lipschitz) * grown(k) <= 2 * exact_ball(clip))

    with ctx.workprec(_PRECISION):
        # Where L <= λ the kink is at 2C/λ or beyond, and is never passed.
        never = lipschitz <= values["lambda"]
        last = steps if never else _last(is_below_kink, steps)
        x, k = grown(last), last
        while k < steps and not exact_ball(lipschitz) * x > 2 * exact_ball(clip):
            push = (exact_ball(lipschitz) * x).min(2 * exact_ball(clip))
            x = exact_ball(kept) * x + exact_ball((1 - share) * eta) * push + exact_ball(jump)
            k += 1
        left = exact_ball(kept) ** (steps - k) if steps > k else arb(1)
        number = to_number(exact_ball(limit) - (exact_ball(limit) - x) * left)
    assert number is not None
    return number


def _last(holds: Callable[[int], bool], most: int) -> int:
    """Return a k <= most at which a condition that holds at 0, and never again after it fails."""
    if holds(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _recursion(point: Point, coupling: str, names: Sequence[str]) -> dict[str, Number]:
    """Return the moments of the distances that one-step bounds allow; Λ² = 1 there."""
    values = dict(point.values)
    share, steps = float(values["B"] / values["N"]), int(values["K"])
    step = ClippedStep(
        float(values["eta"]),
        float(values["lambda"]),
        float(values["L"]),
        float(values["C"]),
        float(values.get("noise", 1)),
    )
    found: dict[str, Estimate] = {}
    if coupling == "synchronous" and steps <= _FEW_STEPS:
        exact = _every_sequence(values)
        return {name: exact[name.removeprefix(f"{coupling}_")] for name in names}
    if coupling == "synchronous":
        found["distance"], found["square"] = synchronous_moments(step, share, steps)
    else:
        costly = f"{coupling}_cost" in names
        contraction = contraction_at(point) if costly else None
        functions = () if contraction is None else (contraction.function,)
        projected = "projected" in point.law.properties
        diameter = 2.0 * step.ball_radius() if projected else math.inf
        moments = distance_moments(step, share, steps, diameter, functions=functions)
        found["distance"] = Estimate(moments.mean, moments.errors[0])
        found["square"] = Estimate(moments.square, moments.errors[1])
        if contraction is not None:
            slope = contraction.function.slope_at_zero
            cost, error = moments.functions[0] / slope, moments.errors[2] / slope
            found["cost"] = Estimate(cost, error)
    found["stability"] = found["square"]
    return {name: _number(found[name.removeprefix(f"{coupling}_")]) for name in names}


def _every_sequence(values: Mapping[str, sp.Expr]) -> dict[str, Number]:
    """Follow the distance along every sequence of batches, in rationals."""
    eta, clip, lipschitz = values["eta"], values["C"], values["L"]
    kept, share = 1 - eta * values["lambda"], values["B"] / values["N"]
    law = {sp.S.Zero: sp.S.One}
    for _ in range(int(values["K"])):
        following: dict[sp.Expr, sp.Expr] = {}
        for r, mass in law.items():
            for push, part in (
                (min(lipschitz * r, 2 * clip), (1 - share) * mass),
                (2 * clip, share * mass),
            ):
                moved = kept * r + eta * push
                following[moved] = following.get(moved, sp.S.Zero) + part
        law = following
    moments = {"distance": 1, "square": 2, "stability": 2}
    exact = {
        name: exact_ball(sp.Add(*(mass * r**power for r, mass in law.items())))
        for name, power in moments.items()
    }
    numbers = {name: to_number(ball) for name, ball in exact.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(estimate: Estimate) -> Number:
    rounding = 2.0**-46 * abs(estimate.value)
    return Number(estimate.value, estimate.error + rounding, Method.QUADRATURE)


def _of_contraction(point: Point) -> dict[str, Number]:
    contraction = contraction_at(point)
    values = dict(point.values)
    diameter = exact_ball(2 * values["C"] / values["lambda"])
    balls = {
        "contraction_rate": contraction.certificate.rate_low,
        "step_slope": contraction.step_slope,
        "f_diameter": contraction.value(diameter),
        "tail_slope": arb(contraction.function.tail_weight) / contraction.slope,
    }
    share = dict(point.claim_values).get("share")
    if share is not None and share > 1 and contraction.diameter is not None:
        raise ValueError(
            f"share={share}: two points of the ball are at most 2R apart; take share=1"
        )
    if share is not None:
        distance = exact_ball(share) * diameter
        balls |= {
            "f_now": contraction.value(distance),
            "f_next": contraction.next_value(distance),
        }
    numbers = {name: to_number(ball) for name, ball in balls.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _sampled(
    point: Point, coupling: str, names: Sequence[str], *, effort: str, seed: int, more: int
) -> dict[str, Number]:
    """Return means over independent pairs of chains, each on data of its own."""
    distance, change = _pairs(point.without_claim, coupling, _PAIRS[effort] * more, seed)
    values = dict(point.values)
    diameter = 2 * float(values["C"]) / float(values["lambda"])
    slope = float(_sensitivity(point))
    bounded = "unprojected" not in point.law.properties
    columns: dict[str, tuple[Array, float]] = {
        "distance": (distance, diameter),
        "square": (distance**2, diameter**2),
        "stability": (change, slope * diameter**2),
    }
    if f"{coupling}_cost" in names:
        contraction = contraction_at(point)
        scale = contraction.function.slope_at_zero
        cost = contraction.function(distance) / scale
        columns["cost"] = (cost, float(contraction.function(diameter)) / scale)
    found = {}
    for name in names:
        column, largest = columns[name.removeprefix(f"{coupling}_")]
        mean, width = mean_interval(column, largest * (1 + 1e-9) if bounded else None)
        found[name] = Number(mean, width + 1e-12 * largest, Method.SAMPLING)
    return found


def _sensitivity(point: Point) -> arb:
    from proofs_check.measurement import time_rule

    form = point.law.quantities(dict(point.values))["score_sensitivity"]
    return enclose(form, {}, time=time_rule(point)).upper()


@lru_cache(maxsize=32)
def _pairs(point: Point, coupling: str, count: int, seed: int) -> tuple[Array, Array]:
    """Return the last distance and change of the score of each pair of chains."""
    from numerics.chain_models import GaussianMean, TwoWells
    from numerics.chains import run_pairs
    from numerics.noise_levels import NoiseLevels
    from numerics.score_changes import score_changes

    values = dict(point.values)
    if point.has_own_time:
        if not isinstance(point.tau, TimeAtoms):
            raise ValueError(
                "eps, T: chains of SGD draw from finitely many times here; give a list, t=1/10;3/10"
            )
        mu, sigma = noise_level(point, np.array([float(t) for t in point.tau.times]))
        levels = NoiseLevels(mu, sigma, np.array([float(w) for w in point.tau.weights]))
        spread = float(values["s"])
        model: GaussianMean | TwoWells = TwoWells(spread**2)
    else:  # any noise level serves at which 2 μ²/σ⁴ = L
        levels = NoiseLevels([1.0], [(2.0 / float(values["L"])) ** 0.25], [1.0])
        spread = 0.0
        model = GaussianMean(0.0)
    radius = float(values["C"]) / float(values["lambda"])
    pairs = run_pairs(
        model,
        FourPoints(float(values["a"]), spread),
        levels,
        size=int(values["N"]),
        batch=int(values["B"]),
        steps=int(values["K"]),
        step_size=float(values["eta"]),
        weight_decay=float(values["lambda"]),
        clip=float(values["C"]),
        clipping="per-sample" if "per-sample" in point.law.properties else "whole",
        noise=float(values["noise"]),
        coupling=_COUPLING[coupling],
        projection_radius=None if "unprojected" in point.law.properties else radius,
        start=[0.0],
        pairs=count,
        rng=np.random.SeedSequence([seed, zlib.crc32(f"{point} {coupling}".encode())]),
    )
    changes = score_changes(pairs, model, levels)
    return pairs.distance[:, -1], changes.values[:, -1] + changes.errors[:, -1]


@dataclass(frozen=True, slots=True)
class FourPoints:
    """The law on ±(centre ± spread), all four with equal probability.

    Examples
    --------
    >>> draws = FourPoints(1.0, 0.25)(np.random.default_rng(0), (2, 50))
    >>> draws.shape, sorted(set(draws.ravel().tolist()))
    ((2, 50, 1), [-1.25, -0.75, 0.75, 1.25])
    """

    centre: float
    spread: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Draw points; returns ``shape + (1,)``."""
        sides = rng.integers(0, 2, size=(2, *shape)) * 2.0 - 1.0
        return np.asarray((sides[0] * (self.centre + sides[1] * self.spread))[..., None])
