"""Proposition 6 on a user's own data: every constant estimated, and the bound set beside ε_stab².

The support of the law is not known, so what the proposition asks of it (diameter, intrinsic
dimension, mass of balls) is estimated from all rows, and its bound is an estimate too.  The
sharper bounds for the empirical score need no geometry: they are measured on the same blocks, and
with the same noise, as ε_stab².
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from flint import arb
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from numerics.add_one_data import data_changes
from numerics.data_geometry import LowerMass, diameter, lower_mass, reach_estimate
from numerics.intrinsic_dimension import IntrinsicDimension, intrinsic_dimension
from numerics.streams import Rng, keyed, seed_sequence
from proofs_check.data_stability import (
    Comparison,
    DataStability,
    Estimate,
    Interval,
    Replicate,
    comparison,
    data_stability,
    over_blocks,
)
from proofs_check.datasets import checked_points
from proofs_check.enclosure import enclose
from proofs_check.errors import UsageError
from theory import claims, symbols
from theory.claim_parameters import ball as ball_symbol
from theory.claim_parameters import c as exponent_symbol
from theory.quantities import symbol

FloatArray = NDArray[np.float64]

PROPOSITION = "farghly2026.proposition-6"
LOWER, UPPER = "farghly2026.empirical-stability-lower", "farghly2026.empirical-stability-upper"

#: The exponents that are always reported, and those among which the best is looked for.
SHOWN_EXPONENTS = (sp.Rational(1, 4), sp.Rational(1, 2), sp.Rational(3, 4))
EXPONENTS = tuple(sp.Rational(k, 20) for k in range(1, 20))

_UNIT = 2.0**-53
_PRECISION = 64
_BISECTIONS = 60
# Streams of `numerics.streams.keyed`: `data_stability` has the first three.
_DIMENSION, _MASS, _REACH = 3, 4, 5
_CAVEAT = (
    "Estimates, not bounds: diameter, dimension, mass of balls and reach are those of the rows, "
    "not of the law's support; below the smallest radius the mass is extrapolated; the rows "
    "enter both the geometry and ε_stab². Intervals hold simultaneously within this block, "
    "asymptotically in the number of blocks, and as far as the estimators' own models do"
)


@dataclass(frozen=True, slots=True)
class DenoisingBound:
    """The largest ε_stab² that Proposition 6 allows, with the estimated geometry.

    Attributes
    ----------
    c, ball
        Exponent, and radius of the balls in units of ``noise_radius``: the best for this c.
    radius, log10_mass, extrapolated
        The same radius in units of the data, the estimated least mass of such balls, and whether
        the radius lies below all at which masses were observed.
    bound, log10_bound
        The solution, in 1 / (units of the data)^2; infinite when beyond float64 or unknown.
    ratio
        ``bound`` over the measured eps_stab^2.
    """

    c: float
    ball: float
    radius: float
    log10_mass: float
    extrapolated: bool
    bound: float
    log10_bound: float
    ratio: float


@dataclass(frozen=True, slots=True)
class DataDenoising:
    """Proposition 6 and the sharper bounds for the empirical score on one data set.

    Attributes
    ----------
    confidence, caveat
        Simultaneous over all intervals of this record; what they rest on.
    diameter, reach
        Of the rows, in units of the data.
    dimension
        Intrinsic dimension by TwoNN, with a second opinion.
    lower_mass
        Constant of ``mass of ball(x, r) >= c r^dimension``, with its range of radii.
    noise_radius
        ``sigma / mu`` at the first time: the unit of ``ball``.
    largest_change
        G: diameter^2 mu^2 / sigma^4 at the first time.
    tau_mass, C_sm
        Total mass of the times; upper end of the bracket of C_sm.
    trivial_ratio
        |τ| G, which bounds eps_stab^2 without any theorem, over the measured eps_stab^2.
    bounds, best
        Proposition 6 for c = 1/4, 1/2, 3/4, and for the best c of a grid.
    own, other
        Mean squared change of the score when a held-out point joins the training points, where
        that point is noised, and where a training point is.
    lower, upper
        The lower and the upper bound of eps_stab^2 that follow from them.
    upper_ratio
        ``upper`` over the measured eps_stab^2.
    comparisons
        Both sides of the two bounds; margins are from differences within blocks.
    """

    confidence: float
    caveat: str
    diameter: float
    reach: float
    dimension: IntrinsicDimension
    lower_mass: LowerMass
    noise_radius: float
    largest_change: float
    tau_mass: float
    C_sm: float
    trivial_ratio: float
    bounds: tuple[DenoisingBound, ...]
    best: DenoisingBound
    own: Estimate
    other: Estimate
    lower: Estimate
    upper: Estimate
    upper_ratio: float
    comparisons: tuple[Comparison, ...]


def data_denoising(
    data: ArrayLike,
    *,
    times: ArrayLike,
    mu: ArrayLike,
    sigma: ArrayLike,
    weights: ArrayLike | None = None,
    blocks: int = 10,
    noise_draws: int = 8,
    rng: Rng = 0,
    confidence: float = 0.99,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[DataStability, DataDenoising]:
    """Measure score stability, and set Proposition 6 and the sharper bounds beside it.

    Parameters
    ----------
    data, times, mu, sigma, weights, blocks, noise_draws, rng, confidence, progress
        As in `data_stability`, which finds the same numbers; the rows must not be all equal, and
        three of them must be different.

    Returns
    -------
    tuple of DataStability and DataDenoising

    Raises
    ------
    UsageError, ValueError
        One line: as in `data_stability`, or data without a geometry.

    Notes
    -----
    Half of the error probability goes to the six measured means, a quarter each to the dimension
    and to the masses.  Beyond `data_stability`, the cost is O(N^2 d) per block and time, and
    O(n d) for each of up to 2000 rows (3000 for the reach), chosen with the seed; the diameter
    takes up to O(n^2 d).

    References
    ----------
    farghly2026, arXiv 2507.03756, Proposition 6 with every constant named; the bounds for the
    empirical score are this project's.

    Examples
    --------
    >>> turn = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, 300)
    >>> circle = np.column_stack([np.cos(turn), np.sin(turn)])
    >>> _, found = data_denoising(circle, times=[0.1], mu=[0.9], sigma=[0.4])
    >>> round(found.diameter, 2), found.dimension.lower < 1.0 < found.dimension.upper
    (2.0, True)
    """
    points = checked_points("data", np.asarray(data))
    root = seed_sequence(rng)
    if not 0.0 < confidence < 1.0:
        raise UsageError(
            f"confidence = {confidence}: must lie strictly between 0 and 1; pass 0.99, say"
        )
    quarter = 1.0 - 0.25 * (1.0 - confidence)
    try:  # what has no geometry is refused before the long part
        dimension = intrinsic_dimension(points, confidence=quarter, rng=keyed(root, _DIMENSION))
        mass = lower_mass(points, dimension.value, confidence=quarter, rng=keyed(root, _MASS))
        tangent = min(max(1, round(dimension.value)), points.shape[0] - 2)
        reach = reach_estimate(points, tangent, rng=keyed(root, _REACH)).value
        size = diameter(points)
    except ValueError as error:
        raise UsageError(str(error)) from error
    seen: list[tuple[int, int, FloatArray, FloatArray]] = []

    def observe(replicate: Replicate) -> None:
        changes = data_changes(
            replicate.train, replicate.held, replicate.queries, replicate.seen,
            mu=replicate.mu, sigma=replicate.sigma,
        )  # fmt: skip
        seen.append(
            (
                replicate.block,
                replicate.index,
                np.array([changes.own, changes.other, replicate.values[0]]),
                np.array([changes.own_error, changes.other_error, replicate.errors[0]]),
            )
        )

    found = data_stability(
        points, times=times, mu=mu, sigma=sigma, weights=weights, blocks=blocks,
        noise_draws=noise_draws, rng=root, confidence=confidence, progress=progress,
        observe=observe,
    )  # fmt: skip
    sums, errors = np.zeros((2, found.blocks, 3))
    for block, index, values, roundoff in seen:
        weight = found.times[index].weight
        if weight > 0.0:
            sums[block] += weight * values
            errors[block] += weight * roundoff
    errors += (len(found.times) + 4) * _UNIT * sums
    own, other, lower, upper, comparisons = _sandwich(
        sums, errors, found, 0.5 * (1.0 - confidence) / 6.0
    )
    # Noise grows with time, so both are those of the first time; the extremes are safe anyway.
    atoms = [row for row in found.times if row.weight > 0.0]
    noise_radius = min(row.sigma / row.mu if row.mu > 0.0 else math.inf for row in atoms)
    change = max((size * row.mu / row.sigma / row.sigma) ** 2 for row in atoms)
    support = _Support(
        N=found.training_points,
        tau_mass=math.fsum(row.weight for row in atoms),
        largest_change=change,
        C_sm=found.C_sm.upper,
        noise_radius=noise_radius,
        mass=mass,
        measured=found.eps_stab_squared.value,
    )
    return found, DataDenoising(
        confidence=float(confidence),
        caveat=_CAVEAT,
        diameter=size,
        reach=reach,
        dimension=dimension,
        lower_mass=mass,
        noise_radius=noise_radius,
        largest_change=change,
        tau_mass=support.tau_mass,
        C_sm=support.C_sm,
        trivial_ratio=_ratio(support.tau_mass * change, support.measured),
        bounds=tuple(_bound(support, c) for c in SHOWN_EXPONENTS),
        best=min((_bound(support, c) for c in EXPONENTS), key=lambda one: one.log10_bound),
        own=own,
        other=other,
        lower=lower,
        upper=upper,
        upper_ratio=_ratio(upper.value, support.measured),
        comparisons=comparisons,
    )


# --- Proposition 6 --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Support:
    """What Proposition 6 asks, as estimated."""

    N: int
    tau_mass: float
    largest_change: float
    C_sm: float
    noise_radius: float
    mass: LowerMass
    measured: float


def _bound(support: _Support, c: sp.Rational) -> DenoisingBound:
    """Solve Proposition 6 for one c, with balls of the best radius.

    The constant holds exp(c ball^2 / (2 (1 - c))) ball^(-c d), least at ball^2 = (1 - c) d; balls
    larger than the mass is known for are cut.
    """
    mass = support.mass
    wanted = math.sqrt(float(1 - c) * mass.dimension)
    ball = min(wanted, mass.radius_limit / support.noise_radius)
    radius = ball * support.noise_radius if math.isfinite(support.noise_radius) else math.inf
    if not (ball > 0.0 and math.isfinite(support.C_sm) and support.largest_change > 0.0):
        log_mass, logarithm = 0.0, -math.inf if support.largest_change == 0.0 else math.inf
    else:
        log_mass = min(0.0, mass.log_lower + mass.dimension * math.log(radius))
        logarithm = largest_solution(
            N=support.N, c=c, ball=sp.Rational(ball), tau_mass=support.tau_mass,
            largest_change=support.largest_change, log_ball_mass=log_mass, C_sm=support.C_sm,
        )  # fmt: skip
    solution = 10.0**logarithm if logarithm < 308.0 else math.inf
    return DenoisingBound(
        c=float(c),
        ball=ball,
        radius=radius,
        log10_mass=log_mass / math.log(10.0),
        extrapolated=radius < mass.smallest_radius,
        bound=solution,
        log10_bound=logarithm,
        ratio=_ratio(solution, support.measured),
    )


def largest_solution(
    *,
    N: int,
    c: sp.Rational,
    ball: sp.Rational,
    tau_mass: float,
    largest_change: float,
    log_ball_mass: float,
    C_sm: float,
) -> float:
    """Return the decimal logarithm of the largest ε_stab² that Proposition 6 allows.

    The right side is the registered claim's own, for training loss zero.  It is concave in
    ε_stab² and not negative at zero, so it stays below the diagonal beyond its largest crossing.

    Parameters
    ----------
    N, c, ball
        Sample size, exponent in (0, 1), radius of the balls in units of the noise.
    tau_mass, largest_change, log_ball_mass, C_sm
        |τ|, G, the natural logarithm of the mass of balls, and C_sm, as in `theory.quantities`.

    Returns
    -------
    float
        Rounded up in the last digits; infinite if no finite solution was found.

    Examples
    --------
    >>> half = sp.Rational(1, 2)
    >>> exponent = largest_solution(N=100, c=half, ball=sp.Integer(1), tau_mass=1.0,
    ...                             largest_change=1.0, log_ball_mass=0.0, C_sm=0.0)
    >>> round(10**exponent, 6)  # e / 50
    0.054366
    """
    right = _right_side(c, ball, N)
    unknown = symbol("eps_stab_squared")
    known = {
        symbol("tau_mass"): arb(tau_mass),
        symbol("largest_change"): arb(largest_change),
        symbol("ball_mass"): arb(log_ball_mass).exp(),
        symbol("C_sm"): arb(C_sm),
        symbol("E_l_sm_hat"): arb(0),
    }

    def allowed(logarithm: float) -> bool:
        """Whether a solution as large as two to this power can't be excluded."""
        candidate = arb(2) ** arb(logarithm)
        value = enclose(right, {**known, unknown: candidate}, precision=_PRECISION)
        return not value < candidate

    low, high, step = -64.0, 0.0, 64.0
    while allowed(high):
        low, high, step = high, high + step, 2.0 * step
        if step > 1e7:
            return math.inf
    while not allowed(low):
        low, high, step = low - step, low, 2.0 * step
        if step > 1e7:
            return -math.inf
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if allowed(middle):
            low = middle
        else:
            high = middle
    return high * math.log10(2.0)


@cache
def _right_side(c: sp.Rational, ball: sp.Rational, size: int) -> sp.Expr:
    exact = {exponent_symbol: c, ball_symbol: ball, symbols.N: sp.Integer(size)}
    return claims.get(PROPOSITION).statement.conclusion.rhs.subs(exact)


# --- the sharper bounds ---------------------------------------------------------------------------


def _sandwich(
    sums: FloatArray, errors: FloatArray, found: DataStability, rate: float
) -> tuple[Estimate, Estimate, Estimate, Estimate, tuple[Comparison, ...]]:
    """Return own, other and both bounds, and compare the bounds with eps_stab^2.

    ``sums`` and ``errors`` (blocks, 3) hold own, other and eps_stab^2.
    """
    eps = found.eps_stab_squared
    measured = Interval(eps.lower, eps.upper)
    own, other = (over_blocks(sums[:, k], errors[:, k], rate, False) for k in range(2))
    bounds, comparisons = [], []
    for claim_id, is_lower in ((LOWER, True), (UPPER, False)):
        factors = _factors(claim_id, found.training_points)
        side = sums[:, :2] @ factors
        side_errors = errors[:, :2] @ factors + 4.0 * _UNIT * side
        bound = over_blocks(side, side_errors, rate, False)
        bounds.append(bound)
        sign = 1.0 if is_lower else -1.0
        margin = _margin(sign * (sums[:, 2] - side), errors[:, 2] + side_errors, rate)
        interval = Interval(bound.lower, bound.upper)
        lhs, rhs = (interval, measured) if is_lower else (measured, interval)
        source = f"{claim_id}, derived in this project"
        comparisons.append(comparison(_STATEMENTS[claim_id], source, lhs, rhs, margin))
    return own, other, bounds[0], bounds[1], tuple(comparisons)


_STATEMENTS = {
    LOWER: "own + other <= eps_stab^2",
    UPPER: "eps_stab^2 <= (1 + 2/N) own + other",
}


def _factors(claim_id: str, size: int) -> FloatArray:
    """Return what a claim's bound of eps_stab^2 multiplies own and other with."""
    own, other, eps = (
        symbol(name) for name in ("E_own_change", "E_other_change", "eps_stab_squared")
    )
    slack: Any = sp.expand(claims.get(claim_id).statement.conclusion.slack.subs(symbols.N, size))
    return np.array([float(-slack.coeff(one) / slack.coeff(eps)) for one in (own, other)])


def _margin(differences: FloatArray, roundoff: FloatArray, rate: float) -> Interval:
    """Return the two-sided Student interval of a mean of any sign, widened by the roundoff."""
    deviation = float(np.std(differences, ddof=1))
    if not deviation > 0.0:
        return Interval(-math.inf, math.inf)
    value, count = float(np.mean(differences)), differences.size
    quantile = float(stats.t.isf(0.5 * rate, count - 1))
    half = quantile * deviation / math.sqrt(count) + float(np.mean(roundoff))
    half += 8.0 * _UNIT * float(np.mean(np.abs(differences)))
    if not math.isfinite(half):
        return Interval(-math.inf, math.inf)
    return Interval(value - half, value + half)


def _ratio(over: float, under: float) -> float:
    return over / under if under > 0.0 else math.inf
