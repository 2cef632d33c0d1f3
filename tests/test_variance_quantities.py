"""Random slopes and the naive estimator on Gaussian data, by derivatives, integrals and simulation.

False alarm: the simulations of a random slope rest on empirical Bernstein intervals (2e-11 each)
of factors whose slopes stay within eight standard deviations (1.3e-10 for 1e5 of them); those of
the naive chain on exact chi-square laws, 1e-9 each. Seeds are fixed.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.stats import chi2

from numerics.random_fields import field_samples
from numerics.schedules import schedule_named
from proofs_check.measurement import measure
from proofs_check.number import Method, Number
from proofs_check.point import Point, timeless
from proofs_check.sampling import mean_interval
from proofs_check.variance_quantities import averaged_variance, variance_quantities
from theory.cases.linear_flow import LinearFlow
from theory.process import SCHEDULES

Array = NDArray[np.float64]
Q = sp.Rational
OF = {"ou": "ou", "vp": "vp-linear"}
PATHS = 100_000
BEYOND = 8.0


def number(form: sp.Expr) -> mp.mpf:
    return mp.mpf(str(sp.N(form, mp.mp.dps + 5)))


def form(point: Point, name: str) -> float:
    """A closed form, with its integrals by Gauss–Legendre and not by sympy."""
    found = point.law.quantities(dict(point.values))[name]
    for integral in found.atoms(sp.Integral):
        integrand, (variable, *ends) = integral.function, integral.limits[0]
        rate = sp.lambdify(variable, integrand, "mpmath")
        low, high = (float(end) for end in ends)
        path = [low * (high / low) ** (k / 8) for k in range(9)]
        found = found.subs(integral, sp.Float(mp.quad(rate, path)))
    return float(found)


def floats(point: Point) -> dict[str, float]:
    return {name: float(value) for name, value in point.values}


# --- the linear flow ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF.values())
@pytest.mark.parametrize("time", [Q(1, 50), Q(2, 5), Q(1)])
def test_linear_flow_by_numerical_derivatives(name: str, time: sp.Rational) -> None:
    schedule, s2 = SCHEDULES[name], Q(9, 4)
    flow = LinearFlow(schedule, s2)
    with mp.workdps(40):
        t = sp.Symbol("t", positive=True)
        levels = schedule.at(t).values()
        mu, sigma2 = (sp.lambdify(t, level, "mpmath") for level in levels)
        u, spread = mp.mpf(time.p) / time.q, mp.mpf(9) / 4
        beta = -mp.diff(lambda v: mp.log(mu(v)), u)
        diffusion = mp.diff(sigma2, u) / 2 + beta * sigma2(u)
        v = mu(u) ** 2 * spread + sigma2(u)
        assert abs(number(flow.shrinkage(time)) - beta) < mp.mpf("1e-25")
        assert abs(number(flow.diffusion(time)) - diffusion) < mp.mpf("1e-25")
        assert abs(number(flow.variance(time)) - v) < mp.mpf("1e-35")
        # Var of the proxy score given x: the density of X_0 given x is normal in X_0
        x = mp.mpf("0.6")

        def joint(c: mp.mpf) -> mp.mpf:
            return mp.npdf(c, 0, mp.sqrt(spread)) * mp.npdf(x, mu(u) * c, mp.sqrt(sigma2(u)))

        centre, width = mu(u) * spread * x / v, mp.sqrt(spread * sigma2(u) / v)
        path = [centre + k * width for k in range(-15, 16, 2)]
        mass, mean, square = (
            mp.quad(lambda c, k=k: ((mu(u) * c - x) / sigma2(u)) ** k * joint(c), path)
            for k in range(3)
        )
        proxy = square / mass - (mean / mass) ** 2
        assert abs(number(flow.proxy_variance(time)) / proxy - 1) < mp.mpf("1e-20")


@pytest.mark.parametrize("name", OF.values())
def test_the_floats_are_the_same_process(name: str) -> None:
    flow, schedule = LinearFlow(SCHEDULES[name], sp.Integer(2)), schedule_named(name)
    for time in (Q(1, 100), Q(1, 3), Q(1)):
        assert float(schedule.beta(float(time))) == pytest.approx(float(flow.shrinkage(time)))
        assert float(schedule.diffusion(float(time))) == pytest.approx(float(flow.diffusion(time)))


@pytest.mark.parametrize("name", OF.values())
@pytest.mark.parametrize("s2", [Q(0), Q(1, 10), Q(4)])
def test_growth_and_the_flows_factor_by_integration(name: str, s2: sp.Rational) -> None:
    flow, schedule = LinearFlow(SCHEDULES[name], s2), schedule_named(name)
    early, horizon = Q(1, 50), Q(3, 2)

    def pull(t: float) -> float:
        v = schedule.mu(t) ** 2 * float(s2) + schedule.sigma2(t)
        return float(schedule.diffusion(t) / v)

    def backwards(t: float, y: Array) -> Array:
        return np.array([-float(schedule.beta(t)) * y[0] + pull(t) * y[0], pull(t)])

    span = (float(horizon), float(early))
    end = solve_ivp(backwards, span, [1.0, 0.0], rtol=1e-11, atol=1e-13, method="DOP853").y[:, -1]
    factor = math.sqrt(float(flow.variance(early) / flow.variance(horizon)))
    assert end[0] == pytest.approx(factor, rel=1e-8)
    assert -end[1] == pytest.approx(float(flow.growth(early, horizon)), rel=1e-8)


# --- a random slope -------------------------------------------------------------------------------

SLOPES = [
    timeless("random-slope-ou"),
    timeless("random-slope-ou", s2="1/10", noise="1/10", eps="1/5", T="1/2"),
    timeless("random-slope-vp", s2=4, noise="1/1500", eps="1/5"),
]


def coefficients(point: Point, steps: int) -> tuple[Array, Array, Array, Array]:
    """Midpoints and lengths of steps equal in log t, with β and D/v there."""
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])
    edges = np.geomspace(values["T"], values["eps"], steps + 1)
    times = (edges[1:] + edges[:-1]) / 2
    v = schedule.mu(times) ** 2 * values["s2"] + schedule.sigma2(times)
    return times, edges[:-1] - edges[1:], schedule.beta(times), schedule.diffusion(times) / v


def check_factors(point: Point, factors: Array, largest: float) -> None:
    """Compare v_T E factor² with both numbers for the variance; ``largest`` bounds factor²."""
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])
    start = float(schedule.mu(values["T"]) ** 2 * values["s2"] + schedule.sigma2(values["T"]))
    mean, width = mean_interval(start * factors**2, start * largest)
    wanted = form(point, "effective_variance")
    assert width < 0.1 * wanted
    assert abs(mean - wanted) < width
    assert abs(averaged_variance(point).value - wanted) < 1e-12 * wanted
    assert mean - width > form(point, "flow_variance")


@pytest.mark.parametrize("point", SLOPES, ids=str)
def test_averaged_variance_by_simulated_slopes(point: Point) -> None:
    """1e5 Gaussian slopes, each with its own linear equation, by classical Runge–Kutta steps."""
    noise, steps = floats(point)["noise"], 160
    rng = np.random.default_rng(np.random.SeedSequence(11))
    slopes = math.sqrt(noise) * rng.standard_normal(PATHS)
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])
    edges = np.geomspace(values["T"], values["eps"], steps + 1)

    def rate(t: float, x: Array) -> Array:
        v = float(schedule.mu(t) ** 2 * values["s2"] + schedule.sigma2(t))
        return np.asarray(
            -float(schedule.beta(t)) * x + float(schedule.diffusion(t)) * (1 + slopes) * x / v
        )

    x = np.ones(PATHS)
    for now, later in pairwise(edges):
        h, half = later - now, (now + later) / 2
        one = rate(now, x)
        two = rate(half, x + h / 2 * one)
        three = rate(half, x + h / 2 * two)
        x += h / 6 * (one + 2 * two + 2 * three + rate(later, x + h * three))
    extreme = BEYOND * math.sqrt(noise)
    assert np.abs(slopes).max() < extreme
    largest = float(np.max(x[np.argmin(slopes)] ** 2))
    _, lengths, _, pull = coefficients(point, steps)
    growth = float(pull @ lengths)
    bound = largest * math.exp(2 * growth * (extreme + float(slopes.min())))
    check_factors(point, x, bound)


@pytest.mark.parametrize("point", SLOPES, ids=str)
def test_effective_equation_with_a_field_drawn_over_time(point: Point) -> None:
    """ξ(x, t) = D x δ/v drawn jointly at all times from its covariance, noise·DD'/(vv')·xx'.

    The field is linear in x, so that its values per unit of x are one Gaussian vector per path;
    a step of the linear equation is an exponential.
    """
    noise, count = floats(point)["noise"], 40_000
    _, lengths, beta, pull = coefficients(point, 120)
    field = field_samples(noise * np.multiply.outer(pull, pull), count, seed=12)
    # backwards in time x grows by (β − D/v) h, and the force is −ξ: δ > 0 is a steeper score
    exponents = (beta - pull - field) @ lengths
    growth = float(pull @ lengths)
    slopes = (field @ lengths) / growth
    extreme = BEYOND * math.sqrt(noise)
    assert np.abs(slopes).max() < extreme
    bound = math.exp(2 * (float((beta - pull) @ lengths) + extreme * growth))
    check_factors(point, np.exp(exponents), bound)


@pytest.mark.parametrize("case", ["random-slope-ou", "random-slope-vp"])
@pytest.mark.parametrize("noise", ["1/1000000000000", "1/100", 100])
def test_first_order_from_below_and_above(case: str, noise: object) -> None:
    point = timeless(case, noise=noise)
    forms = point.law.quantities(dict(point.values))
    with mp.workdps(60):
        plain, accumulated, effective = (
            number(forms[name])
            for name in ("flow_variance", "accumulated_noise", "effective_variance")
        )
        rest = effective / plain - 1 - 2 * accumulated
        assert 0 < rest <= 2 * accumulated**2 * mp.exp(2 * accumulated)
        if accumulated < mp.mpf("1e-6"):
            assert abs(rest / (2 * accumulated**2) - 1) < accumulated


@pytest.mark.parametrize("case", ["random-slope-ou", "random-slope-vp"])
def test_averaged_variance_is_known_to_its_error(case: str) -> None:
    """Large noise too, where the integrand's weight lies many deviations from the centre."""
    for values in ({}, {"noise": 4, "eps": "1/4"}, {"s2": 0, "noise": "1/1000", "eps": "1/10"}):
        point = timeless(case, **values)
        found = averaged_variance(point)
        assert found.method is Method.QUADRATURE
        wanted = form(point, "effective_variance")
        assert abs(found.value - wanted) <= found.error + 1e-15 * wanted
        assert found.error < 1e-12 * wanted


def test_no_noise_gives_the_flow() -> None:
    point = timeless("random-slope-vp", noise=0)
    assert averaged_variance(point).value == pytest.approx(form(point, "flow_variance"), rel=1e-13)


# --- the naive estimator --------------------------------------------------------------------------

CHAINS = [
    timeless("naive-gaussian-ou", K=40, kappa="1/2", eps="1/10"),
    timeless("naive-gaussian-vp", K=60, kappa="1/5", s2="1/4"),
]


@pytest.mark.parametrize("point", CHAINS, ids=str)
def test_chain_variance_by_drawing_data_points(point: Point) -> None:
    """1e5 paths of x ← x + h(βx + Ds) + √(κh) D (proxy − s), X_0 drawn given x at each step.

    Each path ends normal, so that Σx²/Var is exactly χ²; false alarm 1e-9.
    """
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])
    rng = np.random.default_rng(np.random.SeedSequence(21))
    s2, kappa, steps = values["s2"], values["kappa"], int(values["K"])
    h = (values["T"] - values["eps"]) / steps
    clean = math.sqrt(s2) * rng.standard_normal(PATHS)
    t = values["T"]
    x = schedule.mu(t) * clean + np.sqrt(schedule.sigma2(t)) * rng.standard_normal(PATHS)
    for k in range(steps):
        t = values["T"] - k * h
        mu, sigma2, beta, diffusion = (
            float(f(t)) for f in (schedule.mu, schedule.sigma2, schedule.beta, schedule.diffusion)
        )
        precision = 1 / s2 + mu**2 / sigma2
        centre = (mu * x / sigma2) / precision
        drawn = centre + rng.standard_normal(PATHS) / math.sqrt(precision)
        proxy, score = (mu * drawn - x) / sigma2, (mu * centre - x) / sigma2
        x = x + h * (beta * x + diffusion * score)
        x = x + math.sqrt(kappa * h) * diffusion * (proxy - score)
    found = variance_quantities(point, ["naive_chain_variance"])["naive_chain_variance"]
    assert found.method is Method.ENCLOSURE
    assert found.error < 1e-12 * found.value
    statistic = float(np.sum(x**2)) / found.value
    assert chi2.ppf(5e-10, PATHS) < statistic < chi2.isf(5e-10, PATHS)
    # the test can fail: without fresh noise the chain would be seen
    alone = measured(point.with_values(kappa=sp.S.Zero)).value
    assert not chi2.ppf(5e-10, PATHS) < float(np.sum(x**2)) / alone < chi2.isf(5e-10, PATHS)


def measured(point: Point, name: str = "naive_chain_variance") -> Number:
    return variance_quantities(point, [name])[name]


@pytest.mark.parametrize("point", CHAINS, ids=str)
def test_chain_variance_in_floats(point: Point) -> None:
    """The recursion once more, with the Gaussian score and the law of total variance."""
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])
    steps = int(values["K"])
    times = np.linspace(values["T"], values["eps"], steps + 1)
    h = (values["T"] - values["eps"]) / steps
    v = schedule.mu(times) ** 2 * values["s2"] + schedule.sigma2(times)
    proxy = 1 / schedule.sigma2(times) - 1 / v
    law = v[0]
    for k in range(steps):
        d = float(schedule.diffusion(times[k]))
        law = law * (1 + h * (float(schedule.beta(times[k])) - d / v[k])) ** 2
        law += h * values["kappa"] * d**2 * proxy[k]
    assert measured(point).value == pytest.approx(law, rel=1e-11)


@pytest.mark.parametrize("point", CHAINS, ids=str)
def test_variance_of_the_effective_equation_by_its_own(point: Point) -> None:
    """dV/dt = −2(β − D/v)V − κD²C, backwards from V = v_T."""
    values, schedule = floats(point), schedule_named(OF[point.case.rpartition("-")[2]])

    def level(t: float) -> float:
        return float(schedule.mu(t) ** 2 * values["s2"] + schedule.sigma2(t))

    def backwards(t: float, y: Array) -> Array:
        d, v = float(schedule.diffusion(t)), level(t)
        proxy = 1 / float(schedule.sigma2(t)) - 1 / v
        drift = float(schedule.beta(t)) - d / v
        return np.asarray(-2 * drift * y - values["kappa"] * d**2 * proxy)

    span = (values["T"], values["eps"])
    solved = solve_ivp(
        backwards, span, [level(values["T"])], rtol=1e-11, atol=1e-13, method="DOP853"
    )
    assert form(point, "effective_variance") == pytest.approx(float(solved.y[0, -1]), rel=1e-8)
    # and the enclosure of the same integral, through the gap from the chain
    gap = measured(point, "naive_variance_gap")
    apart = abs(measured(point).value - form(point, "effective_variance"))
    assert gap.value == pytest.approx(apart, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("case", ["naive-gaussian-ou", "naive-gaussian-vp"])
def test_one_data_point_has_nothing_fresh(case: str) -> None:
    found = [timeless(case, s2=0, kappa=kappa, eps="1/10") for kappa in (0, 1, 50)]
    assert len({measured(point).value for point in found}) == 1
    for point in found:
        forms = point.law.quantities(dict(point.values))
        assert forms["effective_variance"] == forms["flow_variance"]


@pytest.mark.parametrize("case", ["naive-gaussian-ou", "naive-gaussian-vp"])
def test_order_in_the_number_of_steps_is_one(case: str) -> None:
    """Twice the steps, half the gap, better and better."""
    given = {"eps": "1/10", "kappa": "1/2"}
    gaps = [measured(timeless(case, K=k, **given), "naive_variance_gap") for k in (50, 100, 200)]
    assert all(gap.error < 1e-10 * gap.value for gap in gaps)
    ratios = [gaps[k].value / gaps[k + 1].value for k in range(2)]
    assert abs(ratios[1] - 2) < abs(ratios[0] - 2)
    assert ratios[1] == pytest.approx(2, abs=0.05)


def test_memory_widens_and_only_named_quantities_are_given() -> None:
    plain, fresh = (timeless("naive-gaussian-ou", kappa=kappa) for kappa in (0, "1/10"))
    assert measured(fresh).value > measured(plain).value
    assert form(fresh, "effective_variance") > form(plain, "effective_variance")
    assert [*variance_quantities(fresh, ["naive_variance_gap"])] == ["naive_variance_gap"]
    assert variance_quantities(fresh, ["C_sm"]) == {}
    assert variance_quantities(timeless("random-slope-ou"), ["flow_variance"]) == {}
    assert variance_quantities(timeless("eberle-ou"), ["averaged_variance"]) == {}
    names = ["effective_variance", "naive_chain_variance"]
    assert [*measure(fresh, names)] == names
