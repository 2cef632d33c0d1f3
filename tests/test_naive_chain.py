"""The naive estimator on point masses: recursions, a loop of its own, and a transport equation.

False alarm: 1e-9 for each Kolmogorov–Smirnov test (as the sample grows), 2e-11 for each empirical
Bernstein interval. Seeds are fixed.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from scipy.special import ndtr
from scipy.stats import ks_2samp

from numerics.denoiser_flow import true_flow
from numerics.naive_chain import naive_chain
from numerics.schedules import Schedule, schedule_named
from numerics.streams import keyed, seed_sequence
from proofs_check.sampling import mean_interval

Array = NDArray[np.float64]
OU, VP = schedule_named("ou"), schedule_named("vp-linear")
FALSE_ALARM = 1e-9


def starts(data: Array, schedule: Schedule, horizon: float, paths: int, seed: int) -> Array:
    """The chain's starts, from its stream of that name."""
    rng = keyed(seed_sequence(seed), 1)
    clean = data[rng.integers(len(data), size=paths)]
    noise = rng.standard_normal(paths)
    return np.asarray(schedule.mu(horizon) * clean + np.sqrt(schedule.sigma2(horizon)) * noise)


# --- one data point, and no fresh noise -----------------------------------------------------------


@pytest.mark.parametrize("schedule", [OU, VP], ids=lambda s: s.name)
def test_one_data_point_is_a_linear_recursion(schedule: Schedule) -> None:
    """x ← x + h(βx + D(μa − x)/σ²) for every path, whatever κ; and so is the variance."""
    a, steps, early, paths = 0.7, 25, 0.05, 1000
    ends = naive_chain(
        [a], schedule, memory=3.0, paths=paths, steps=steps, early_stopping_time=early, seed=4
    )
    x = begin = starts(np.array([a]), schedule, 1.0, paths, 4)
    slope, h = 1.0, (1.0 - early) / steps
    for k in range(steps):
        t = 1.0 - k * h
        beta, pull = float(schedule.beta(t)), float(schedule.diffusion(t) / schedule.sigma2(t))
        x = x + h * (beta * x + pull * (float(schedule.mu(t)) * a - x))
        slope *= 1 + h * (beta - pull)
    assert ends == pytest.approx(x, rel=1e-11)
    assert ends.var() == pytest.approx(slope**2 * begin.var(), rel=1e-10)


@pytest.mark.parametrize("data", [[-1.0, 1.0], [0.3], [-2.0, -1.9, 0.0, 5.0]])
@pytest.mark.parametrize("schedule", [OU, VP], ids=lambda s: s.name)
def test_without_fresh_noise_it_is_the_flow(schedule: Schedule, data: list[float]) -> None:
    points = np.array(data)
    options = {"steps": 30, "early_stopping_time": 0.02, "horizon": 1.2}
    ends = naive_chain(data, schedule, memory=0.0, paths=500, seed=6, **options)
    begin = starts(points, schedule, 1.2, 500, 6)
    flow = true_flow(points[:, None], begin[:, None], schedule, **options)[:, 0]
    assert ends == pytest.approx(flow, rel=1e-9, abs=1e-10)


def test_starts_do_not_depend_on_the_memory() -> None:
    """One step from T = 30, where the score of both chains is nearly −x: fresh noise is all."""
    given = {"paths": 200, "steps": 1, "early_stopping_time": 29.0, "horizon": 30.0, "seed": 8}
    plain, fresh = (naive_chain([-1.0, 1.0], OU, memory=m, **given) for m in (0.0, 1.0))
    assert plain == pytest.approx(fresh, abs=1e-12)


# --- the law of the chain -------------------------------------------------------------------------


def loop(data: Array, schedule: Schedule, kappa: float, steps: int, early: float, n: int) -> Array:
    """The chain of two or more points in NumPy: weights from densities, points by a choice each."""
    rng = np.random.default_rng(np.random.SeedSequence(31))
    h = (1.0 - early) / steps
    noise = rng.standard_normal(n)
    x = schedule.mu(1.0) * rng.choice(data, size=n) + np.sqrt(schedule.sigma2(1.0)) * noise
    for k in range(steps):
        t = 1.0 - k * h
        mu, sigma2 = float(schedule.mu(t)), float(schedule.sigma2(t))
        beta, diffusion = float(schedule.beta(t)), float(schedule.diffusion(t))
        logs = -((x[:, None] - mu * data) ** 2) / (2 * sigma2)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        chosen = np.argmax(logs + rng.gumbel(size=logs.shape), axis=1)
        score = (mu * (weights @ data) - x) / sigma2
        proxy = (mu * data[chosen] - x) / sigma2
        x = x + h * (beta * x + diffusion * score)
        x = x + math.sqrt(kappa * h) * diffusion * (proxy - score)
    return x


@pytest.mark.parametrize(
    ("schedule", "data"),
    [(OU, [-1.0, 1.0]), (VP, [-1.0, 1.0]), (VP, [-1.0, 0.2, 1.5])],
    ids=["ou", "vp", "three"],
)
def test_law_is_that_of_a_plain_loop(schedule: Schedule, data: list[float]) -> None:
    """50 000 paths of each; Kolmogorov–Smirnov at 1e-9. Without fresh noise it is seen."""
    paths, steps, early, kappa = 50_000, 40, 0.1, 0.3
    own = loop(np.array(data), schedule, kappa, steps, early, paths)
    options = {"paths": paths, "steps": steps, "early_stopping_time": early, "seed": 9}
    ends = naive_chain(data, schedule, memory=kappa, **options)
    assert ks_2samp(ends, own, method="asymp").pvalue > FALSE_ALARM
    alone = naive_chain(data, schedule, memory=0.0, **options)
    assert ks_2samp(alone, own, method="asymp").pvalue < FALSE_ALARM


def test_bits_do_not_depend_on_threads() -> None:
    before = numba.get_num_threads()
    found = []
    try:
        for threads in sorted({1, min(2, numba.config.NUMBA_NUM_THREADS)}):
            numba.set_num_threads(threads)
            options = {"memory": 0.4, "paths": 5001, "steps": 12, "early_stopping_time": 0.1}
            found.append(naive_chain([-1.0, 0.5, 1.0], VP, seed=2, **options).tobytes())
    finally:
        numba.set_num_threads(before)
    again = naive_chain([-1.0, 0.5, 1.0], VP, seed=2, **options).tobytes()
    other = naive_chain([-1.0, 0.5, 1.0], VP, seed=3, **options).tobytes()
    assert {*found, again} == {again}
    assert other != again


# --- what fresh noise does between two points -----------------------------------------------------
#
# With u = P_t(x), the share of the noised law below x, the flow keeps u, and fresh noise of
# variance κA dt, A = D²C, spreads the density r of u by ∂r = ½κ ∂_u(p ∂_u(A p r)): conservative,
# with r = 1 at the start. To first order in κ the mass of an interval around u = ½ changes by
# κ ∫ D²(C p)'(c_t) dt at its two ends together, where P_t(c_t) is the share of its upper end.


def quantiles(shares: Array, mu: float, sigma: float, a: float) -> Array:
    """Where the noised law of ±a has these shares below, by bisection."""
    low = np.full_like(shares, -mu * a - 10 * sigma)
    high = -low
    for _ in range(60):
        middle = (low + high) / 2
        below = (ndtr((middle - mu * a) / sigma) + ndtr((middle + mu * a) / sigma)) / 2 < shares
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def two_densities(x: Array, mu: float, sigma: float, a: float) -> tuple[Array, Array]:
    scale = 2 * sigma * math.sqrt(2 * math.pi)
    return tuple(np.exp(-(((x + s * mu * a) / sigma) ** 2) / 2) / scale for s in (1, -1))  # type: ignore[return-value]


def levels(schedule: Schedule, t: float) -> tuple[float, float, float]:
    return (
        float(schedule.mu(t)),
        math.sqrt(float(schedule.sigma2(t))),
        float(schedule.diffusion(t)),
    )


def share_below(schedule: Schedule, a: float, early: float) -> float:
    mu, sigma, _ = levels(schedule, early)
    return float(ndtr((a / 2 - mu * a) / sigma) + ndtr((a / 2 + mu * a) / sigma)) / 2


def transported_gap(
    schedule: Schedule, a: float, kappa: float, ends: tuple[float, float], cells: int
) -> float:
    """The mass of |x| < a/2 at ε by finite volumes on the upper half, Crank–Nicolson in time."""
    early, horizon = ends
    inner = share_below(schedule, a, early)
    count = round(2 * cells * (inner - 0.5))
    faces = np.concatenate(
        [np.linspace(0.5, inner, count + 1), np.linspace(inner, 1, cells - count + 1)[1:]]
    )
    centres, widths = (faces[1:] + faces[:-1]) / 2, np.diff(faces)
    density = np.ones(cells)
    for now, later in pairwise(np.geomspace(horizon, early, cells // 2 + 1)):
        mu, sigma, diffusion = levels(schedule, (now + later) / 2)
        left, right = two_densities(quantiles(centres, mu, sigma, a), mu, sigma, a)
        # posterior variance times density: 4a² times product of shares times sum
        amount = (diffusion * mu * 2 * a / sigma**2) ** 2 * left * right / (left + right)
        at_faces = np.add(*two_densities(quantiles(faces[1:-1], mu, sigma, a), mu, sigma, a))
        rate = kappa / 2 * at_faces / np.diff(centres)
        main = np.zeros(cells)
        main[:-1] -= rate * amount[:-1]
        main[1:] -= rate * amount[1:]
        main /= widths
        upper, lower = rate * amount[1:] / widths[:-1], rate * amount[:-1] / widths[1:]
        half = (now - later) / 2
        moved = main * density
        moved[:-1] += upper * density[1:]
        moved[1:] += lower * density[:-1]
        band = np.zeros((3, cells))
        band[0, 1:], band[1], band[2, :-1] = -half * upper, 1 - half * main, -half * lower
        density = solve_banded((1, 1), band, density + half * moved)
    assert float(density @ widths) == pytest.approx(0.5, rel=1e-10)
    return 2 * float(density[:count] @ widths[:count])


def first_order(schedule: Schedule, a: float, ends: tuple[float, float]) -> float:
    """∫ D²(C p)'(c_t) dt, with the derivative of (μa/σ²)² sech(μax/σ²) e^{−x²/(2σ²)} by hand."""
    early, horizon = ends
    nodes, weights = np.polynomial.legendre.leggauss(60)
    times = early * (horizon / early) ** ((nodes + 1) / 2)
    share, total = np.array([share_below(schedule, a, early)]), 0.0
    for t, weight in zip(times, weights * times * math.log(horizon / early) / 2, strict=True):
        mu, sigma, diffusion = levels(schedule, float(t))
        (c,) = quantiles(share, mu, sigma, a)
        steep = mu * a / sigma**2
        value = steep**2 / math.cosh(steep * c) * math.exp(-(c**2 + (mu * a) ** 2) / sigma**2 / 2)
        value /= sigma * math.sqrt(2 * math.pi)
        total -= weight * diffusion**2 * value * (c / sigma**2 + steep * math.tanh(steep * c))
    return total


@pytest.mark.parametrize(
    ("schedule", "ends"), [(OU, (0.1, 4.0)), (VP, (0.1, 1.0))], ids=["ou", "vp"]
)
def test_gap_loses_mass_at_the_rate_of_the_first_order(
    schedule: Schedule, ends: tuple[float, float]
) -> None:
    """(P_κ − P_0)/κ from the transport equation, extrapolated to κ = 0 from neighbouring κ.

    The second of two extrapolations is nearer to its limit than to the first.
    """
    a = 1.0
    plain = 2 * share_below(schedule, a, ends[0]) - 1
    assert transported_gap(schedule, a, 0.0, ends, 200) == pytest.approx(plain, rel=1e-12)
    rates = [
        (transported_gap(schedule, a, kappa, ends, 200) - plain) / kappa
        for kappa in (0.02, 0.01, 0.005)
    ]
    predicted = first_order(schedule, a, ends)
    assert predicted < rates[2] < rates[1] < rates[0] < 0
    rough, fine = (2 * later - now for now, later in pairwise(rates))
    assert abs(fine - predicted) < abs(fine - rough) < 0.01 * abs(predicted)


def test_chains_lose_that_mass() -> None:
    """2e5 chains with and without fresh noise, κ = 1/5: the sign, and the size up to O(step).

    The error of Euler's steps is taken from the chains without fresh noise, whose limit is known.
    """
    a, kappa, ends = 1.5, 0.2, (0.3, 2.0)
    options = {"paths": 200_000, "steps": 200, "early_stopping_time": ends[0], "horizon": ends[1]}
    plain, fresh = (
        np.abs(naive_chain([-a, a], OU, memory=k, seed=3, **options)) < a / 2 for k in (0.0, kappa)
    )
    lost, width = mean_interval(fresh.astype(float) - plain, 2.0)
    limit = 2 * share_below(OU, a, ends[0]) - 1
    expected = transported_gap(OU, a, kappa, ends, 200) - limit
    assert kappa * first_order(OU, a, ends) < expected < 0
    assert lost + width < 0
    euler = abs(float(plain.mean()) - limit)
    assert width + euler < abs(expected) / 3
    assert abs(lost - expected) < width + euler


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data": []}, "data has shape"),
        ({"data": [[0.0]]}, "data has shape"),
        ({"data": [math.nan]}, "data has shape"),
        ({"memory": -1.0}, "memory = -1.0"),
        ({"memory": math.inf}, "memory = inf"),
        ({"memory": math.nan}, "memory = nan"),
        ({"steps": 0}, "steps"),
        ({"paths": 0}, "paths"),
        ({"paths": 2.5}, "paths"),
        ({"early_stopping_time": 1.0}, "early_stopping_time = 1.0"),
        ({"early_stopping_time": 0.0}, "early_stopping_time = 0.0"),
        ({"schedule": schedule_named("fraction")}, "horizon = 1.0"),
        ({"seed": -1}, "rng = -1"),
    ],
)
def test_refusals_are_one_line(changed: dict[str, object], words: str) -> None:
    given: dict[str, object] = {
        "data": [0.0, 1.0],
        "schedule": OU,
        "memory": 0.1,
        "paths": 3,
        "steps": 2,
        "early_stopping_time": 0.1,
        "seed": 0,
    }
    given |= changed
    with pytest.raises(ValueError, match=words) as refusal:
        naive_chain(given.pop("data"), given.pop("schedule"), **given)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)


def test_far_points_have_posteriors_too() -> None:
    """Data 1e3 noise levels apart: weights underflow, and nothing is infinite."""
    ends = naive_chain(
        [-1e3, 1e3], OU, memory=0.1, paths=50, steps=5, early_stopping_time=0.01, seed=1
    )
    assert np.all(np.isfinite(ends))
