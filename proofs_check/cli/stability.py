"""``scorecert stability``: score stability of the user's own data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from proofs_check.cli.output import say
from proofs_check.cli.progress import progress_bar
from proofs_check.data_stability import data_stability, parse_times
from proofs_check.datasets import load_dataset
from proofs_check.errors import UsageError, one_of
from proofs_check.exact import exact_number
from proofs_check.fingerprint import versions
from proofs_check.plain_json import dumps
from proofs_check.plain_text import aligned
from theory.process import SCHEDULES, Schedule

if TYPE_CHECKING:
    from numerics.intrinsic_dimension import IntrinsicDimension
    from proofs_check.data_denoising import DataDenoising, DenoisingBound
    from proofs_check.data_stability import Comparison, DataStability, Estimate, Interval

FloatArray = NDArray[np.float64]

# Enough digits that 1 - exp(-2t) keeps all of a float's at any time that a float can hold.
_DIGITS = 400


def noise_levels(schedule: Schedule, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mu and sigma at each time, correctly rounded up to the last bit or so.

    Examples
    --------
    >>> mu, sigma = noise_levels(SCHEDULES["ve"], np.array([0.25]))
    >>> float(mu[0]), float(sigma[0])
    (1.0, 0.25)
    """
    from theory.symbols import mu, sigma2

    levels = [schedule.at(sp.Rational(float(t))) for t in times]
    return (
        np.array([float(sp.N(level[mu], _DIGITS)) for level in levels]),
        np.array([float(sp.N(sp.sqrt(level[sigma2]), _DIGITS)) for level in levels]),
    )


def run_stability(
    data: str,
    *,
    eps: str,
    horizon: str,
    times: str,
    schedule: str,
    blocks: int,
    noise_draws: int,
    seed: int,
    confidence: float,
    as_json: bool,
    geometry: bool = False,
) -> None:
    """Print the stability of the empirical score on a data set, and both sides of Theorem 3.

    With ``geometry`` also what Proposition 6 and the sharper bounds make of the data.

    Raises
    ------
    UsageError
        For data that cannot be used, and anything else wrong with what was asked for.
    """
    process = SCHEDULES[one_of("schedule", schedule, SCHEDULES)]
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0")
    instants = _instants(process, eps, horizon, times)
    points = load_dataset(data)
    mu, sigma = noise_levels(process, instants)
    denoising: DataDenoising | None = None
    with progress_bar() as advance:
        design: dict[str, Any] = {
            "times": instants,
            "mu": mu,
            "sigma": sigma,
            "blocks": blocks,
            "noise_draws": noise_draws,
            "rng": seed,
            "confidence": confidence,
            "progress": lambda done, total: advance(done, total, ""),
        }
        try:
            if geometry:
                from proofs_check.data_denoising import data_denoising

                found, denoising = data_denoising(points, **design)
            else:
                found = data_stability(points, **design)
        except ValueError as error:  # a kernel's domain, such as data beyond its range
            raise UsageError(str(error)) from error
    context = {"data": data, "schedule": schedule, "eps": eps, "T": horizon, "seed": seed}
    if as_json:
        extra = {} if denoising is None else {"denoising": asdict(denoising)}
        say(dumps({**context, "versions": versions(), **asdict(found), **extra}))
    else:
        say(_as_text(found, context))
        if denoising is not None:
            say("\n" + _denoising_as_text(denoising))


def _instants(process: Schedule, eps: str, horizon: str, times: str) -> FloatArray:
    first, last = exact_number("eps", eps, "a time > 0"), exact_number("T", horizon, "a time > 0")
    if not 0 < first < last:
        raise UsageError(
            f"eps={eps}: eps is a time > 0 and below T ({horizon}); take a smaller eps"
        )
    if process.horizon != sp.oo and last > int(process.horizon):
        raise UsageError(f"T={horizon}: T is at most {process.horizon} for {process.name}")
    try:
        return parse_times(times, eps=float(first), horizon=float(last))
    except OverflowError:
        raise UsageError(
            f"T={horizon}: T is beyond the range of float64; make it smaller"
        ) from None


def _as_text(found: DataStability, context: dict[str, Any]) -> str:
    unused = f", {found.unused_rows} unused" if found.unused_rows else ""
    design = [
        ("data", f"{context['data']}: {found.rows} rows, {found.dimension} columns{unused}"),
        ("scale", f"{found.scale:.6g}, root mean square distance of a row to the mean"),
        (
            "design",
            f"{found.blocks} blocks of N = {found.training_points} training and "
            f"{found.held_out_points} held-out points, {found.noise_draws} noise draws each, "
            f"seed {context['seed']}",
        ),
        ("process", f"{context['schedule']}, τ equal weights on {len(found.times)} times"),
    ]
    totals = [
        ("", "value", f"{found.confidence:g} confidence"),
        ("ε_stab", *_estimate(found.eps_stab)),
        ("ε_stab²", *_estimate(found.eps_stab_squared)),
        ("E ℓ_dsm(ŝ)", *_estimate(found.l_dsm)),
        ("E ℓ̂_dsm(ŝ)", *_estimate(found.l_dsm_hat)),
        ("C_sm", "", _interval(found.C_sm)),
        ("E ℓ_sm(ŝ)", "", _interval(found.l_sm)),
    ]
    by_time = [("t", "σ/(μ·scale)", "ε_stab²", "E ℓ_dsm(ŝ)", "E ℓ̂_dsm(ŝ)")]
    by_time += [
        (
            f"{row.time:.4g}",
            f"{row.noise_to_data:.4g}",
            _both(row.eps_stab_squared),
            _both(row.l_dsm),
            _both(row.l_dsm_hat),
        )
        for row in found.times
    ]
    blocks = [aligned(design), aligned(totals), _sides(found.comparisons), aligned(by_time)]
    return "\n\n".join([*blocks, f"Intervals: {found.caveat}."])


def _denoising_as_text(found: DataDenoising) -> str:
    dimension, mass = found.dimension, found.lower_mass
    opinion = dimension.levina_bickel
    scale = 1.0 / math.log(10.0)
    support = [
        ("geometry", "estimate", "", "of the data, not of the law's support"),
        ("diameter", f"{found.diameter:.5g}", "", "largest distance of two rows"),
        (
            "d*",
            f"{dimension.value:.4g}",
            _interval(dimension),
            f"TwoNN, {dimension.centres} rows, {dimension.duplicates} copies left out, "
            f"{dimension.ties} ties; Levina–Bickel {opinion.value:.4g} "
            f"({opinion.lower:.4g} to {opinion.upper:.4g})",
        ),
        (
            "log₁₀ c_ν",
            f"{mass.log_value * scale:.4g}",
            f"[{mass.log_lower * scale:.4g}, ∞)",
            f"from {mass.centres} balls of each radius {mass.smallest_radius:.4g} to "
            f"{mass.radius_limit:.4g}",
        ),
        ("reach", f"{found.reach:.4g}", "", "where near rows and tangent spaces show it"),
        ("σ_ε/μ_ε", f"{found.noise_radius:.4g}", "", "at the first time"),
        ("G_ε", f"{found.largest_change:.5g}", "", "diameter² μ_ε²/σ_ε⁴"),
        ("C_sm", f"{found.C_sm:.5g}", "", "upper end of its bracket"),
    ]
    solutions: list[tuple[str, ...]] = [
        ("Proposition 6", "ball", "radius", "log₁₀ mass", "estimated bound", "bound/ε_stab²")
    ]
    solutions += [_solution(f"c = {bound.c:g}", bound) for bound in found.bounds]
    solutions.append(_solution(f"best, c = {found.best.c:g}", found.best))
    # Any two scores are that close: a bound above it says nothing.
    trivial = found.tau_mass * found.largest_change
    solutions.append(("|τ| G_ε", "", "", "", f"{trivial:.4g}", f"{found.trivial_ratio:.4g}"))
    changes = [("add-one change", "value", f"{found.confidence:g} confidence")]
    changes += [
        (name, *_estimate(estimate))
        for name, estimate in (
            ("own", found.own),
            ("other", found.other),
            ("own + other", found.lower),
            ("(1 + 2/N) own + other", found.upper),
        )
    ]
    blocks = [aligned(support), aligned(solutions), aligned(changes), _sides(found.comparisons)]
    ratio = f"(1 + 2/N) own + other is {found.upper_ratio:.4g} times ε_stab² as measured."
    return "\n\n".join([*blocks, ratio, f"Geometry: {found.caveat}."])


def _solution(name: str, bound: DenoisingBound) -> tuple[str, ...]:
    value = f"{bound.bound:.4g}" if math.isfinite(bound.bound) else f"10^{bound.log10_bound:.4g}"
    below = " (extrapolated)" if bound.extrapolated else ""
    return (
        name,
        f"{bound.ball:.4g}",
        f"{bound.radius:.4g}{below}",
        f"{bound.log10_mass:.4g}",
        value,
        f"{bound.ratio:.4g}",
    )


def _sides(comparisons: Sequence[Comparison]) -> str:
    rows = [("inequality", "lhs", "rhs", "outcome")]
    rows += [(c.statement, _interval(c.lhs), _interval(c.rhs), c.outcome) for c in comparisons]
    return aligned(rows)


def _interval(interval: Interval | Estimate | IntrinsicDimension) -> str:
    return f"[{interval.lower:.5g}, {interval.upper:.5g}]"


def _estimate(estimate: Estimate) -> tuple[str, str]:
    return f"{estimate.value:.5g}", _interval(estimate)


def _both(estimate: Estimate) -> str:
    return " ".join(_estimate(estimate))
