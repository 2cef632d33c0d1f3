"""Replace-one stability: quadrature against simulation, exact enumeration, bounds and limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from numerics import replace_one
from numerics.add_one import add_one_changes
from numerics.law_points import Points
from numerics.law_quadrature import Circle, Segment, Sphere
from numerics.replace_one import replace_one_stability

# Probability that a correct program fails one simulation test.
FALSE_ALARM = 1e-8

LINE = Points([-1.0, 0.2, 1.0], [1.0, 2.0, 3.0])
PLANE = Points([[-1.0, 0.0], [0.2, 1.0], [1.0, 0.5]], [1.0, 2.0, 3.0])


def draw(law, rng, shape):
    if isinstance(law, Circle):
        angle = rng.uniform(0.0, 2.0 * np.pi, shape)
        return law.radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    if isinstance(law, Sphere):
        normal = rng.standard_normal((*shape, 3))
        return law.radius * normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    if isinstance(law, Segment):
        return rng.uniform(-law.half_length, law.half_length, (*shape, 1))
    return law._atoms[rng.choice(len(law._atoms), shape, p=law._share)]


def posterior_mean(query, points, mu, sigma):
    exponents = -0.5 * np.sum(((query[:, None, :] - mu * points) / sigma) ** 2, axis=2)
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return np.sum(weights[:, :, None] * points, axis=1) / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("law", "size", "mu", "sigma"),
    [
        (Circle(1.0), 2, 0.9, 0.5),
        (Circle(1.3), 3, 0.8, 0.3),
        (Circle(1.0), 4, 0.8, 0.8),
        (Sphere(1.0), 2, 0.9, 0.4),
        (Sphere(1.5), 4, 0.9, 0.7),
        (Segment(1.0), 2, 0.9, 0.3),
        (Segment(2.0), 4, 0.7, 0.5),
        (LINE, 3, 0.9, 0.5),
        (PLANE, 3, 0.9, 0.5),
    ],
)
def test_agrees_with_simulation(law, size, mu, sigma):
    rng = np.random.default_rng(20260612)
    number = 80_000
    points = draw(law, rng, (number, size + 1))
    query = mu * points[:, 0] + sigma * rng.standard_normal((number, points.shape[2]))
    stay = posterior_mean(query, points[:, 2:], mu, sigma)
    mine = posterior_mean(query, np.delete(points, 1, axis=1), mu, sigma) - stay
    theirs = posterior_mean(query, points[:, 1:], mu, sigma) - stay
    found = replace_one._parts(law, size - 1, mu, sigma, replace_one._FINE)
    total = replace_one_stability(law, size, mu=mu, sigma=sigma)
    assert total.error < 1e-5 * total.value
    # Empirical Bernstein half-widths (Maurer and Pontil 2009), rigorous for bounded variables:
    # cross terms lie within +-diameter^2, and so do the others.
    log_term = math.log(4.0 * 4.0 / FALSE_ALARM)
    for value, sample in (
        (found.own, np.sum(mine**2, axis=1)),
        (found.third, np.sum(theirs**2, axis=1)),
        (found.cross, np.sum(mine * theirs, axis=1)),
        (total.value * sigma**4 / mu**2, np.sum((mine - theirs) ** 2, axis=1)),
    ):
        width = math.sqrt(2.0 * sample.var(ddof=1) * log_term / number)
        width += 2.0 * 7.0 * law.diameter**2 * log_term / (3.0 * (number - 1))
        assert abs(value - sample.mean()) <= width
        # Small enough to notice a wrong factor.
        assert width < 0.25 * sample.mean()


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("sigma", [0.3, 1.7])
def test_two_points_by_enumeration(size, sigma):
    mu, chance, a = 0.8, 0.3, 1.1
    expected = 0.0
    for signs in itertools.product((-1.0, 1.0), repeat=size + 1):
        points = a * np.array(signs)
        share = math.prod(chance if sign > 0 else 1.0 - chance for sign in signs)
        centre = mu * points[0]

        def integrand(x, points=points, centre=centre):
            exponents = -0.5 * ((x - mu * points) / sigma) ** 2
            weights = np.exp(exponents - exponents.max())
            with_own, without = np.delete(weights, 1), weights[1:]
            change = with_own @ np.delete(points, 1) / with_own.sum()
            change -= without @ points[1:] / without.sum()
            return change**2 * math.exp(-0.5 * ((x - centre) / sigma) ** 2)

        value, _ = quad(
            integrand,
            centre - 12.0 * sigma,
            centre + 12.0 * sigma,
            points=[centre, 0.0],
            epsabs=1e-13,
            epsrel=1e-11,
            limit=400,
        )
        expected += share * value / (math.sqrt(2.0 * math.pi) * sigma)
    expected *= mu**2 / sigma**4
    found = replace_one_stability(Points([-a, a], [1.0 - chance, chance]), size, mu=mu, sigma=sigma)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert abs(found.value - expected) <= found.error + 1e-9 * expected


@pytest.mark.parametrize("law", [Circle(1.0), Sphere(1.0), Segment(1.0)])
@pytest.mark.parametrize("size", [2, 30, 100_000])
@pytest.mark.parametrize("sigma", [0.15, 5.0])
def test_lies_between_the_bounds_of_one_more_point(law, size, sigma):
    found = replace_one_stability(law, size, mu=0.9, sigma=sigma)
    bounds = add_one_changes(law, size, mu=0.9, sigma=sigma)
    assert bounds.lower <= found.value + found.error + bounds.lower_error
    assert found.value <= bounds.upper + found.error + bounds.upper_error
    assert found.error <= 1e-5 * found.value


def test_one_point_and_its_bounds():
    found = replace_one_stability(PLANE, 1, mu=0.9, sigma=2.0)
    bounds = add_one_changes(PLANE, 1, mu=0.9, sigma=2.0)
    assert bounds.lower < found.value < bounds.upper


def test_lies_between_the_bounds_in_the_plane():
    found = replace_one_stability(PLANE, 12, mu=0.9, sigma=2.0)
    bounds = add_one_changes(PLANE, 12, mu=0.9, sigma=2.0)
    assert bounds.lower < found.value < bounds.upper


@pytest.mark.parametrize(
    ("time", "size", "stability", "deviation"),
    [
        (0.3, 20, 0.0154, 3e-4),
        (0.3, 100, 5.19e-4, 7e-6),
        (0.3, 500, 2.03e-5, 3e-7),
        (0.05, 100, 0.0171, 4e-4),
    ],
)
def test_agrees_with_earlier_simulations(time, size, stability, deviation):
    # Simulated once on the unit circle, Ornstein-Uhlenbeck; four standard deviations allowed.
    mu = math.exp(-time)
    found = replace_one_stability(Circle(1.0), size, mu=mu, sigma=math.sqrt(1.0 - mu**2))
    assert found.value == pytest.approx(stability, abs=4.0 * deviation)


@pytest.mark.parametrize("law", [Circle, Sphere, Segment])
def test_units(law):
    # Lengths times 7: squared scores over 49.
    one = replace_one_stability(law(1.0), 6, mu=0.6, sigma=0.2)
    seven = replace_one_stability(law(7.0), 6, mu=0.6, sigma=1.4)
    assert seven.value * 49.0 == pytest.approx(one.value, rel=1e-10)
    # mu X + sigma Z and X + (sigma / mu) Z are the same problem; the score scales by 1 / mu.
    unscaled = replace_one_stability(law(1.0), 6, mu=1.0, sigma=0.2 / 0.6)
    assert unscaled.value / 0.6**2 == pytest.approx(one.value, rel=1e-10)


@pytest.mark.parametrize(
    ("law", "variance"),
    [
        (Circle(2.0), 4.0),
        (Sphere(1.0), 1.0),
        (Segment(3.0), 3.0),
        (Points([-1.0, 1.0], [1.0, 3.0]), 0.75),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_large_noise_weighs_all_points_alike(law, variance, size):
    # The means differ by (x~ - x_i) / N.
    found = replace_one_stability(law, size, mu=1.0, sigma=2e3)
    assert found.value * 2e3**4 == pytest.approx(2.0 * variance / size**2, rel=1e-5)


@pytest.mark.parametrize("size", [2, 40])
def test_small_noise_jumps_from_the_nearest_neighbour(size):
    # Off its own point the mean is the nearest of the N others: add_one's own change.
    found = replace_one_stability(Sphere(1.0), size, mu=1.0, sigma=0.01)
    assert found.value * 0.01**4 == pytest.approx(4.0 / (size + 1), rel=1e-2)


def test_gauss_points_stand_for_a_segment():
    # Same law to all digits, by a path that shares neither nodes nor geometry.
    nodes, masses = np.polynomial.legendre.leggauss(14)
    line = replace_one_stability(Segment(1.0), 12, mu=0.7, sigma=0.6)
    finite = replace_one_stability(Points(nodes, masses), 12, mu=0.7, sigma=0.6)
    assert finite.value == pytest.approx(line.value, rel=2e-6)


@pytest.mark.parametrize(
    ("law", "size", "sigma"),
    [
        (Circle(1.0), 2, 0.2),
        (Circle(1.0), 3000, 0.05),
        (Sphere(1.0), 50, 0.2),
        (Sphere(1.0), 100_000, 50.0),
        (Segment(1.0), 3, 0.2),
        (Segment(1.0), 1000, 0.05),
    ],
)
def test_error_covers_a_finer_resolution(law, size, sigma, monkeypatch):
    found = replace_one_stability(law, size, mu=1.0, sigma=sigma)
    monkeypatch.setattr(replace_one, "_NEGLIGIBLE", 1e-15)
    finer = replace_one._Orders(15, 15, 12, 0.4, 16.0)
    parts = replace_one._parts(law, size - 1, 1.0, sigma, finer)
    exact = (parts.own + parts.third - 2.0 * parts.cross) / sigma**4
    assert abs(found.value - exact) <= found.error
    assert found.error <= 5e-6 * found.value


def test_values_below_reach_are_owned_up_to():
    # With probability 2^-1000 the two sides are not both there: nothing can be resolved.
    found = replace_one_stability(Points([-1.0, 1.0]), 1000, mu=1.0, sigma=0.05)
    assert abs(found.value) <= found.error
    for size in (1, 3):
        assert replace_one_stability(Points([0.5]), size, mu=1.0, sigma=0.5).value == 0.0


def test_shares_integrate_powers_and_logarithms():
    for orders, rel in ((replace_one._COARSE, 1e-5), (replace_one._FINE, 1e-6)):
        ratios, inner = replace_one._shares(orders)
        u, rest = np.exp(ratios), np.exp(ratios[::-1])
        np.testing.assert_allclose(u + rest, 1.0, rtol=1e-7)
        assert inner.sum() == pytest.approx(1.0, rel=rel)
        assert inner @ (u * rest) == pytest.approx(1.0 / 6.0, rel=5.0 * rel)
        assert inner @ ratios == pytest.approx(-1.0, rel=5.0 * rel)


def test_series_meet_the_formulas():
    u = 0.49999
    joins = sum(c * u**n for n, c in enumerate(replace_one._JOINS))
    goes = sum(c * u**n for n, c in enumerate(replace_one._GOES))
    assert joins * u**3 == pytest.approx(u * (1 + math.exp(-u)) + 2 * math.expm1(-u), rel=1e-10)
    assert goes * u == pytest.approx(-math.expm1(-u), rel=1e-11)


@pytest.mark.parametrize(
    ("size", "mu", "sigma", "message"),
    [
        (0, 1.0, 1.0, "size = 0"),
        (2, 0.0, 1.0, "mu = 0"),
        (2, 1.0, math.nan, "sigma = nan"),
    ],
)
def test_refusals(size, mu, sigma, message):
    with pytest.raises(ValueError, match=message):
        replace_one_stability(Circle(1.0), size, mu=mu, sigma=sigma)
