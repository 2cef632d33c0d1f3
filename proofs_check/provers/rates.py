"""Rate claims: the exponent of lhs/rhs in a variable, with an interval.

``lhs ≲ rhs`` hides a constant, so only growth can be checked: over N, 2N, 4N, … the local exponent
log2(ratio(2N)/ratio(N)) must not stay above zero. The interval is the hull of the last two local
exponents with their errors: an extrapolation, which the verdict says. Rates in the noise level are
checked in the same way, over 1/σ_ε instead of N.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy as sp
from flint import arb

from proofs_check.measurement import measure, sides
from proofs_check.number import Method, Number, to_ball
from proofs_check.plans import (
    STEPS_OF_RATES,
    chains_with,
    off_centre,
    rate_chain_lengths,
    rate_noise_levels,
    rate_sample_sizes,
    rate_step_counts,
    sampler_with_step,
    with_parameters_of,
)
from proofs_check.point import Point, at_time
from proofs_check.sampling import FALSE_ALARM, INTERVALS_PER_POINT
from proofs_check.verdict import Slack, Status, Verdict
from theory import cases
from theory.claim import Claim

#: Exponents are told apart when they differ by this much: a quarter of a power.
RESOLUTION = 0.25


@dataclass(frozen=True, slots=True)
class Exponent:
    """The interval [low, high] for an exponent."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{(self.low + self.high) / 2:+.3f} ± {(self.high - self.low) / 2:.3f}"


def check_rate(claim: Claim, case: str, *, effort: str, seed: int) -> Verdict:
    """Decide a rate claim on a case by its growth in the claim's variable."""
    sweep = _sweep(claim, case, effort)
    name, sizes, points, factor = sweep.name, sweep.values, sweep.points, sweep.factor
    rows = [_sides(claim, point, effort, seed) for point in points]
    if any(lhs is None or rhs is None for lhs, rhs in rows):
        return Verdict(
            claim.id, case, Status.INCONCLUSIVE, "a side could not be evaluated at some N"
        )
    known = [(lhs, rhs) for lhs, rhs in rows if lhs is not None and rhs is not None]
    for point, (lhs, rhs) in zip(points, known, strict=True):
        if rhs.value == rhs.error == 0 and lhs.value > lhs.error:
            where = f"{point}: lhs {lhs}, rhs 0"
            return Verdict(
                claim.id, case, Status.REFUTED, "no constant makes zero large", witness=where
            )
    left = _exponent([to_ball(lhs) for lhs, _ in known], factor)
    right = _exponent([to_ball(rhs) for _, rhs in known], factor)
    ratios = [to_ball(lhs) / to_ball(rhs) for lhs, rhs in known]
    ratio = _exponent(ratios, factor)
    evidence = (
        f"exponent of {name} in the left side {left}, in the right side {right}, in their ratio "
        f"{ratio}",
        f"from {name} = {', '.join(map(str, sizes))} at {points[0]} ({name} varied); "
        "an extrapolation",
        f"largest lhs/rhs met: {max(float(r.upper()) for r in ratios):.4g}",
    )
    sampled = any(Method.SAMPLING in (lhs.method, rhs.method) for lhs, rhs in known)
    slack = Slack(min(float((1 / r).lower()) for r in ratios), f"{name} in {sizes}")

    def verdict(status: Status, summary: str, witness: str = "") -> Verdict:
        return Verdict(
            claim.id,
            case,
            status,
            summary,
            slack=slack,
            evidence=evidence,
            witness=witness,
            false_alarm=FALSE_ALARM * INTERVALS_PER_POINT * len(sizes) if sampled else 0.0,
        )

    if ratio is not None and ratio.low > RESOLUTION:
        return verdict(
            Status.REFUTED,
            "the left side falls more slowly than the right side",
            f"lhs/rhs grows like {name} to the power {ratio}",
        )
    if ratio is not None and ratio.high < 0:  # falling, however fast
        return verdict(Status.SUPPORTED, f"the ratio falls, as {name} to the power {ratio}")
    if ratio is None or ratio.high - ratio.low > 2 * RESOLUTION:
        return verdict(Status.INCONCLUSIVE, "exponent too uncertain; raise the effort")
    if ratio.high > RESOLUTION:
        return verdict(Status.INCONCLUSIVE, "exponent of the ratio not separated from zero")
    return verdict(Status.SUPPORTED, f"exponents of {name} agree in order: ratio {ratio}")


@dataclass(frozen=True, slots=True)
class _Sweep:
    """A variable, its values, and the points that have them; ``factor`` is between neighbours."""

    name: str
    values: tuple[int, ...]
    points: tuple[Point, ...]
    factor: arb


def _sweep(claim: Claim, case: str, effort: str) -> _Sweep:
    variable, two = claim.statement.rate_variable, arb(2)
    if variable == "K" or "sgd" in cases.get(case).properties:
        return _sweep_of_chains(claim, case, effort)
    if variable == "N":
        values = rate_sample_sizes(case, effort)
        start = with_parameters_of(claim, at_time(case, "3/10"))
        return _Sweep("N", values, tuple(start.with_values(N=sp.Integer(n)) for n in values), two)
    if variable == "1/kappa":
        values = rate_step_counts(case, effort)
        return _Sweep("1/κ", values, tuple(sampler_with_step(case, k) for k in values), two)
    if variable == "e^T":
        values = (1, 2, 3, 4) if effort == "quick" else (1, 2, 3, 4, 5, 6)
        places = tuple(off_centre(case, t) for t in values)
        return _Sweep("e^T, T", values, places, arb(1).exp())
    values = rate_noise_levels(effort)
    places = tuple(at_time(case, sp.Rational(1, k**2), "fraction", N=64) for k in values)
    return _Sweep("1/σ_ε", values, tuple(with_parameters_of(claim, p) for p in places), two)


def _sweep_of_chains(claim: Claim, case: str, effort: str) -> _Sweep:
    """Vary the number of steps K at a fixed N, or N at a fixed number of steps."""
    variable = claim.statement.rate_variable
    if variable == "K":
        values = rate_chain_lengths(effort)
        size = {"N": sp.Integer(40)} if "N" in cases.get(case).symbols else {}
        points = tuple(chains_with(case, **size, K=sp.Integer(k)) for k in values)
    else:
        values = rate_sample_sizes(case, effort)
        (steps,) = (k for coupling, k in STEPS_OF_RATES.items() if coupling in claim.needs)
        points = tuple(chains_with(case, N=sp.Integer(n), K=sp.Integer(steps)) for n in values)
    return _Sweep(variable, values, points, arb(2))


def _sides(
    claim: Claim, point: Point, effort: str, seed: int
) -> tuple[Number | None, Number | None]:
    numbers = measure(point, claim.quantity_names, effort=effort, seed=seed)
    lhs, rhs, _ = sides(claim, point, numbers)
    return lhs, rhs


def _exponent(values: list[arb], factor: arb) -> Exponent | None:
    """Return the hull of the last two local exponents over a geometric sequence."""
    if len(values) < 3 or any(not (v.is_finite() and v > 0) for v in values):
        return None
    local = [(b / a).log() / factor.log() for a, b in pairwise(values)][-2:]
    return Exponent(min(float(e.lower()) for e in local), max(float(e.upper()) for e in local))
