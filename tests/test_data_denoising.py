"""Proposition 6 and the sharper bounds on data: brute force, exact cases, and the record."""

from __future__ import annotations

import dataclasses
import json
import math

import numba
import numpy as np
import pytest
import sympy as sp

from numerics.add_one_data import data_changes
from proofs_check.cli import main
from proofs_check.data_denoising import SHOWN_EXPONENTS, data_denoising, largest_solution
from proofs_check.data_stability import data_stability
from proofs_check.errors import UsageError

# Probability that a sampling test below fails although the code is right (per interval; Student
# intervals over hundreds of blocks).
ALMOST_SURE = 1.0 - 1e-7


@pytest.fixture(autouse=True)
def _one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def circle(count: int, seed: int) -> np.ndarray:
    turn = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, count)
    return np.column_stack([np.cos(turn), np.sin(turn)])


def posterior_mean(x, points, mu, sigma):
    exponents = -((x[:, None] - mu * points) ** 2).sum(-1) / (2 * sigma**2)
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return weights @ points / weights.sum(axis=1, keepdims=True)


def brute_force(points, held, own, other, mu, sigma):
    def change(x, joining):
        more = np.vstack([points, joining])
        step = posterior_mean(x, more, mu, sigma) - posterior_mean(x, points, mu, sigma)
        return (mu / sigma**2) ** 2 * (step**2).sum(1).mean()

    return (
        np.mean([change(x, joining) for x, joining in zip(own, held, strict=True)]),
        np.mean([change(other, joining) for joining in held]),
    )


@pytest.mark.parametrize("sigma", [3.0, 0.7, 0.35])
@pytest.mark.parametrize(("count", "dimension"), [(1, 1), (9, 3), (40, 30)])
def test_changes_match_two_softmax_means(sigma, count, dimension):
    rng = np.random.default_rng(count)
    points, held = rng.standard_normal((count, dimension)), rng.standard_normal((4, dimension))
    mu = 0.8
    own = mu * held[:, None] + sigma * rng.standard_normal((4, 5, dimension))
    other = mu * points + sigma * rng.standard_normal(points.shape)
    found = data_changes(points, held, own, other, mu=mu, sigma=sigma)
    exact = brute_force(points, held, own, other, mu, sigma)
    # Direct differences cancel: their own error is about 1e-15 of the points over the change.
    assert found.own == pytest.approx(exact[0], rel=1e-9)
    assert found.other == pytest.approx(exact[1], rel=1e-7, abs=1e-24)
    assert 0.0 < found.own_error < 1e-7 * found.own


def test_changes_that_a_difference_would_lose():
    # One point at 0, one joining at a: at x the mean moves by a w, w = 1/(1 + exp(a(a - 2x)/2)).
    a = 12.0
    found = data_changes([[0.0]], [[a]], [[[a]]], [[-1.0]], mu=1.0, sigma=1.0)
    far = a / (1.0 + math.exp(a * (a + 2.0) / 2.0))
    assert found.other == pytest.approx(far**2, rel=1e-12)
    assert abs(found.other - far**2) <= found.other_error + 1e-13 * far**2
    # Far off every point the mean of the data is the nearest, and no weight is lost.
    away = data_changes([[0.0], [1.0]], [[2.0]], [[[1e6]]], [[1e6]], mu=1.0, sigma=1.0)
    assert (away.own, away.other) == (1.0, 1.0)


def test_changes_in_any_units_and_for_any_threads():
    rng = np.random.default_rng(1)
    points, held = rng.standard_normal((120, 40)), rng.standard_normal((10, 40))
    own = held[:, None] + 0.5 * rng.standard_normal((10, 12, 40))
    other = points + 0.5 * rng.standard_normal(points.shape)
    assert (own.size + other.size) * 121 > 500_000
    one = data_changes(points, held, own, other, mu=1.0, sigma=0.5)
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    assert data_changes(points, held, own, other, mu=1.0, sigma=0.5) == one
    unit = 2.0**40
    big = data_changes(
        unit * points, unit * held, unit * own, unit * other, mu=1.0, sigma=0.5 * unit
    )
    assert big.own * unit**2 == one.own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.zeros((0, 2))}, "data has 0 rows"),
        ({"held": np.zeros((1, 3))}, "held has 3 coordinates"),
        ({"own_queries": np.zeros((2, 1, 2))}, "own_queries has shape"),
        ({"own_queries": np.zeros((1, 2))}, "own_queries has shape"),
        ({"other_queries": np.full((1, 2), np.nan)}, "finite"),
        ({"sigma": 0.0}, "sigma = 0.0"),
        ({"mu": -1.0}, "mu = -1.0"),
    ],
)
def test_changes_refuse_bad_input(change, message):
    good = {
        "data": np.ones((3, 2)), "held": np.zeros((1, 2)), "own_queries": np.zeros((1, 1, 2)),
        "other_queries": np.zeros((1, 2)), "mu": 1.0, "sigma": 1.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message) as caught:
        data_changes(**{**good, **change})
    assert "\n" not in str(caught.value)


def test_circle_matches_the_quadrature_of_its_law():
    from numerics.add_one import add_one_changes
    from numerics.law_quadrature import Circle

    mu, sigma, blocks = 0.8, 0.5, 500
    data = circle(10 * blocks, 2)
    found, denoising = data_denoising(
        data, times=[0.2], mu=[mu], sigma=[sigma], weights=[2.0], blocks=blocks, noise_draws=2,
        rng=3, confidence=ALMOST_SURE,
    )  # fmt: skip
    exact = add_one_changes(Circle(1.0), found.training_points, mu=mu, sigma=sigma)
    for estimate, value in (
        (denoising.own, 2.0 * exact.own),
        (denoising.other, 2.0 * exact.other),
        (denoising.lower, 2.0 * exact.lower),
        (denoising.upper, 2.0 * exact.upper),
    ):
        assert estimate.lower < value < estimate.upper
        assert estimate.upper - estimate.lower < 2.0 * value
    # Paired margins are far narrower than what two separate intervals leave open.
    eps = found.eps_stab_squared
    for comparison in denoising.comparisons:
        assert comparison.outcome != "violated"
        assert comparison.margin.upper > 0.0
        assert comparison.margin.upper - comparison.margin.lower < 0.5 * (eps.upper - eps.lower)
    assert denoising.comparisons[0].outcome == "lhs <= rhs at this confidence"
    assert denoising.lower.value < found.eps_stab_squared.value < denoising.upper.value
    assert denoising.dimension.lower < 1.0 < denoising.dimension.upper
    assert math.exp(denoising.lower_mass.log_lower) < 1.0 / math.pi


def test_margins_and_stability_by_hand():
    data = np.random.default_rng(4).standard_normal((60, 2))
    setting = {"times": [0.1, 0.4], "mu": [0.9, 0.6], "sigma": [0.4, 0.8], "blocks": 4, "rng": 5}
    replicates = []
    found = data_stability(data, **setting, observe=replicates.append)
    again, denoising = data_denoising(data, **setting)
    assert again == found == data_stability(data, **setting)
    assert len(replicates) == 8
    own, other, eps = np.zeros((3, 4))
    for r in replicates:
        one = brute_force(r.train, r.held, r.queries, r.seen, r.mu, r.sigma)
        own[r.block] += 0.5 * one[0]
        other[r.block] += 0.5 * one[1]
        eps[r.block] += 0.5 * r.values[0]
    n = found.training_points
    assert denoising.own.value == pytest.approx(own.mean(), rel=1e-9)
    assert denoising.other.value == pytest.approx(other.mean(), rel=1e-9)
    assert denoising.lower.value == pytest.approx((own + other).mean(), rel=1e-9)
    assert denoising.upper.value == pytest.approx(((1 + 2 / n) * own + other).mean(), rel=1e-9)
    assert denoising.upper_ratio == pytest.approx(denoising.upper.value / eps.mean(), rel=1e-12)
    for comparison, slack in zip(
        denoising.comparisons, (eps - own - other, (1 + 2 / n) * own + other - eps), strict=True
    ):
        middle = 0.5 * (comparison.margin.lower + comparison.margin.upper)
        assert middle == pytest.approx(slack.mean(), rel=1e-6)
        assert comparison.margin.lower < slack.mean() < comparison.margin.upper


def test_largest_solution_solves_the_proposition():
    for c in SHOWN_EXPONENTS:
        p = float(c / (1 - c))
        setting = {"tau_mass": 0.5, "largest_change": 40.0, "log_ball_mass": -3.0, "C_sm": 7.0}
        logarithm = largest_solution(N=50, c=c, ball=sp.Rational(3, 2), **setting)
        eps, k = 10.0**logarithm, math.ceil(p)
        constant = 20.0 ** (1 - float(c)) * math.exp(p * 1.125 + 3.0 * float(c))
        constant *= math.factorial(k) ** (float(c) / k)

        def right(x, c=float(c), constant=constant):
            return constant * ((4 * math.sqrt(7 * x) + 2 * x) / 50) ** c

        assert eps == pytest.approx(right(eps), rel=1e-12)
        assert right(1.01 * eps) < 1.01 * eps
    # Beyond float64, and nothing at all.
    far = {"tau_mass": 1.0, "largest_change": 1.0, "log_ball_mass": -5000.0, "C_sm": 1.0}
    assert 1000 < largest_solution(N=9, c=sp.Rational(1, 2), ball=sp.Integer(1), **far) < 1e4
    none = {"tau_mass": 1.0, "largest_change": 0.0, "log_ball_mass": -1.0, "C_sm": 1.0}
    assert largest_solution(N=9, c=sp.Rational(1, 2), ball=sp.Integer(1), **none) == -math.inf


def test_record():
    times = np.array([0.01, 0.3])
    data = circle(400, 6)
    found, record = data_denoising(
        data, times=times, mu=np.exp(-times), sigma=np.sqrt(-np.expm1(-2 * times)), rng=7
    )
    mu, sigma = found.times[0].mu, found.times[0].sigma
    assert record.noise_radius == sigma / mu
    assert record.largest_change == pytest.approx((record.diameter * mu / sigma**2) ** 2, rel=1e-12)
    assert record.C_sm == found.C_sm.upper
    assert record.tau_mass == 1.0
    assert [bound.c for bound in record.bounds] == [0.25, 0.5, 0.75]
    assert record.best.bound <= record.bounds[0].bound
    measured = found.eps_stab_squared.value
    for bound in (*record.bounds, record.best):
        assert bound.ball**2 == pytest.approx((1 - bound.c) * record.dimension.value, rel=1e-12)
        assert bound.radius == bound.ball * record.noise_radius
        mass = record.lower_mass.log_lower + record.dimension.value * math.log(bound.radius)
        assert bound.log10_mass == pytest.approx(mass / math.log(10), rel=1e-12)
        assert bound.extrapolated == (bound.radius < record.lower_mass.smallest_radius)
        assert bound.ratio == bound.bound / measured > 1.0
    assert record.trivial_ratio == record.largest_change / measured
    assert "Estimates" in record.caveat
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.C_sm = 0.0
    # Balls larger than the mass is known for are cut.
    _, late = data_denoising(data, times=[3.0], mu=[0.05], sigma=[1.0])
    assert late.best.radius == pytest.approx(late.lower_mass.radius_limit, rel=1e-12)


def test_embedding_changes_only_the_noise():
    data = circle(120, 8)
    basis = np.linalg.qr(np.random.default_rng(9).standard_normal((1000, 2)))[0]
    setting = {"times": [0.1], "mu": [0.9], "sigma": [0.4], "blocks": 3}
    _, flat = data_denoising(data, **setting)
    _, high = data_denoising(data @ basis.T + 1.0, **setting)
    assert high.diameter == pytest.approx(flat.diameter, rel=1e-12)
    assert high.dimension.value == pytest.approx(flat.dimension.value, rel=1e-9)
    assert high.lower_mass.log_lower == pytest.approx(flat.lower_mass.log_lower, abs=1e-8)
    assert high.largest_change == pytest.approx(flat.largest_change, rel=1e-12)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((1, 2)), "fewer than two rows"),
        (np.ones((40, 2)), "data has 40 row.* 1 of them different"),
        (np.repeat([[0.0], [1.0]], 20, axis=0), "data has 40 row.* 2 of them different"),
        (np.eye(40), "equally far"),
        (np.arange(9.0)[:, None] ** 2, "data has 9 rows: 10 blocks need at least 20"),
    ],
)
def test_bad_data_are_refused_on_one_line(data, message):
    with pytest.raises(UsageError, match=message) as caught:
        data_denoising(data, times=[0.5], mu=[0.6], sigma=[0.8])
    assert "\n" not in str(caught.value)


def test_bad_confidence_is_refused():
    with pytest.raises(UsageError, match=r"confidence = 1\.0"):
        data_denoising(circle(40, 1), times=[0.5], mu=[0.6], sigma=[0.8], confidence=1.0)


def test_digits_end_to_end(capsys, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    arguments = ["stability", "digits", "--times", "1", "--noise-draws", "1", "--geometry"]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    record = found["denoising"]
    assert record["diameter"] == pytest.approx(77.039, abs=1e-3)
    assert record["dimension"]["lower"] < 9.04 < record["dimension"]["upper"]
    assert len(record["bounds"]) == 3
    assert record["best"]["bound"] > found["eps_stab_squared"]["upper"]
    assert record["own"]["value"] == pytest.approx(found["eps_stab_squared"]["value"], rel=0.05)


def test_geometry_is_off_by_default(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", circle(60, 2))
    arguments = ["stability", "points.npy", "--times", "0.5,1", "--blocks", "4"]
    assert main(arguments) == 0
    plain = capsys.readouterr().out
    assert "Proposition 6" not in plain
    assert main([*arguments, "--geometry"]) == 0
    more = capsys.readouterr().out
    assert more.startswith(plain)
    for part in ("Proposition 6", "d*", "own + other <= eps_stab^2", "Estimates, not bounds"):
        assert part in more[len(plain) :]
