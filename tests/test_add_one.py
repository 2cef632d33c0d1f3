"""One point joins N others: quadrature against simulation, exact enumeration and limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from numerics import add_one, law_quadrature
from numerics.add_one import add_one_changes
from numerics.law_quadrature import Circle, Points, Segment, Sphere, depth_edges

# Probability that a correct program fails one simulation test, over its two comparisons.
FALSE_ALARM = 1e-8


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


def simulated(law, size, mu, sigma, number):
    """Own and other change with empirical Bernstein half-widths (Maurer and Pontil 2009)."""
    rng = np.random.default_rng(20260611)
    points = draw(law, rng, (number, size + 1))
    noise = sigma * rng.standard_normal((number, points.shape[2]))
    log_term = math.log(8.0 / FALSE_ALARM)
    result = []
    for source in (0, 1):
        query = mu * points[:, source] + noise
        change = posterior_mean(query, points, mu, sigma)
        change -= posterior_mean(query, points[:, 1:], mu, sigma)
        squares = np.sum(change**2, axis=1)
        width = math.sqrt(2.0 * squares.var(ddof=1) * log_term / number)
        width += 7.0 * law.diameter**2 * log_term / (3.0 * (number - 1))
        result.append((squares.mean(), width))
    return result


@pytest.mark.parametrize(
    ("law", "size", "mu", "sigma"),
    [
        (Circle(1.3), 1, 0.8, 0.5),
        (Circle(1.0), 2, 0.7, 0.1),
        (Circle(1.0), 4, 0.9, 0.4),
        (Sphere(1.5), 1, 0.8, 0.5),
        (Sphere(1.0), 3, 0.8, 0.3),
        (Segment(1.0), 1, 0.7, 0.4),
        (Segment(2.0), 3, 0.7, 0.3),
        (Points([-1.0, 0.2, 1.0], [1.0, 2.0, 3.0]), 2, 0.9, 0.5),
        (Points([[-1.0, 0.0], [0.2, 1.0], [1.0, 0.5]], [1.0, 2.0, 3.0]), 2, 0.9, 0.5),
    ],
)
def test_agrees_with_simulation(law, size, mu, sigma):
    # Rigorous for any bounded variable: fails by chance with probability at most 1e-8.
    changes = add_one_changes(law, size, mu=mu, sigma=sigma)
    factor = mu**2 / sigma**4
    own, other = simulated(law, size, mu, sigma, 150_000)
    assert abs(changes.own / factor - own[0]) <= own[1]
    assert abs(changes.other / factor - other[0]) <= other[1]
    # The widths are small enough to notice a wrong factor.
    assert own[1] < 0.1 * own[0]
    assert changes.own_error < 1e-5 * changes.own
    assert changes.other_error < 1e-5 * changes.other


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("sigma", [0.3, 1.7])
def test_two_points_by_enumeration(size, sigma):
    mu, chance, a = 0.8, 0.3, 1.1
    expected = np.zeros(2)
    for signs in itertools.product((-1.0, 1.0), repeat=size + 1):
        points = a * np.array(signs)
        share = math.prod(chance if sign > 0 else 1.0 - chance for sign in signs)

        def square(x, points=points):
            exponents = -0.5 * ((x - mu * points) / sigma) ** 2
            weights = np.exp(exponents - exponents.max())
            others = np.exp(exponents[1:] - exponents[1:].max())
            change = weights @ points / weights.sum() - others @ points[1:] / others.sum()
            return change**2

        for kind in (0, 1):
            centre = mu * points[kind]

            def integrand(x, square=square, centre=centre):
                return square(x) * math.exp(-0.5 * ((x - centre) / sigma) ** 2)

            value, _ = quad(
                integrand,
                centre - 12.0 * sigma,
                centre + 12.0 * sigma,
                points=[centre, 0.0],
                epsabs=1e-13,
                epsrel=1e-11,
                limit=400,
            )
            expected[kind] += share * value / (math.sqrt(2.0 * math.pi) * sigma)
    expected *= mu**2 / sigma**4
    changes = add_one_changes(Points([-a, a], [1.0 - chance, chance]), size, mu=mu, sigma=sigma)
    np.testing.assert_allclose([changes.own, changes.other], expected, rtol=2e-8)
    assert abs(changes.own - expected[0]) <= changes.own_error + 1e-9 * expected[0]
    assert abs(changes.other - expected[1]) <= changes.other_error + 1e-9 * expected[1]


@pytest.mark.parametrize(
    ("time", "size", "stability", "deviation"),
    [
        (0.3, 20, 0.0154, 3e-4),
        (0.3, 100, 5.19e-4, 7e-6),
        (0.3, 500, 2.03e-5, 3e-7),
        (0.05, 100, 0.0171, 4e-4),
    ],
)
def test_brackets_simulated_replace_one_stability(time, size, stability, deviation):
    # Simulated once on the unit circle, Ornstein-Uhlenbeck; four standard deviations allowed.
    mu = math.exp(-time)
    changes = add_one_changes(Circle(1.0), size, mu=mu, sigma=math.sqrt(1.0 - mu**2))
    assert changes.lower - 4.0 * deviation <= stability <= changes.upper + 4.0 * deviation
    assert changes.lower == pytest.approx(changes.own + changes.other, rel=1e-14)
    assert changes.upper == pytest.approx(changes.lower + 2.0 / size * changes.own, rel=1e-14)
    assert changes.upper_error >= changes.lower_error >= changes.own_error > 0.0


@pytest.mark.parametrize("law", [Circle, Sphere, Segment])
def test_units(law):
    # Lengths times 7: squared scores over 49.
    one = add_one_changes(law(1.0), 6, mu=0.6, sigma=0.2)
    seven = add_one_changes(law(7.0), 6, mu=0.6, sigma=1.4)
    assert seven.own * 49.0 == pytest.approx(one.own, rel=1e-11)
    assert seven.other * 49.0 == pytest.approx(one.other, rel=1e-11)
    # mu X + sigma Z and X + (sigma / mu) Z are the same problem; the score scales by 1 / mu.
    unscaled = add_one_changes(law(1.0), 6, mu=1.0, sigma=0.2 / 0.6)
    assert unscaled.own / 0.6**2 == pytest.approx(one.own, rel=1e-11)
    assert unscaled.other / 0.6**2 == pytest.approx(one.other, rel=1e-11)


@pytest.mark.parametrize(
    ("law", "variance"), [(Circle(2.0), 4.0), (Sphere(1.0), 1.0), (Segment(3.0), 3.0)]
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_large_noise_weighs_all_points_alike(law, variance, size):
    # m_U - m_S = (x_1 - mean of S) / (N + 1).
    changes = add_one_changes(law, size, mu=1.0, sigma=2e3)
    expected = variance / (size * (size + 1)) / 2e3**4
    assert changes.own == pytest.approx(expected, rel=1e-5)
    assert changes.other == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [1, 3, 40])
def test_small_noise_jumps_from_the_nearest_neighbour(size):
    # On the sphere the height 1 - cos of the nearest of N is the least of N uniforms on [0, 2].
    changes = add_one_changes(Sphere(1.0), size, mu=1.0, sigma=0.01)
    assert changes.own * 0.01**4 == pytest.approx(4.0 / (size + 1), rel=1e-2)
    # For N = 1 the means jump by the distance of two uniform points: a variance, twice.
    if size == 1:
        for law, variance in ((Circle(1.0), 1.0), (Segment(1.0), 1.0 / 3.0)):
            jump = add_one_changes(law, 1, mu=1.0, sigma=0.02).own * 0.02**4
            assert jump == pytest.approx(2.0 * variance, rel=1e-3)


def test_gauss_points_stand_for_a_segment():
    # Same law to all digits, by a path that shares neither nodes nor geometry.
    nodes, masses = np.polynomial.legendre.leggauss(14)
    for size in (1, 40):
        line = add_one_changes(Segment(1.0), size, mu=0.7, sigma=0.6)
        finite = add_one_changes(Points(nodes, masses), size, mu=0.7, sigma=0.6)
        assert finite.own == pytest.approx(line.own, rel=1e-7)
        assert finite.other == pytest.approx(line.other, rel=1e-7)


def test_a_polygon_stands_for_a_circle():
    angle = 2.0 * np.pi * np.arange(20) / 20
    polygon = Points(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    finite = add_one_changes(polygon, 5, mu=0.7, sigma=0.8)
    circle = add_one_changes(Circle(1.0), 5, mu=0.7, sigma=0.8)
    assert finite.own == pytest.approx(circle.own, rel=1e-7)
    assert finite.other == pytest.approx(circle.other, rel=1e-7)


@pytest.mark.parametrize(
    ("law", "size", "sigma"),
    [
        (Circle(1.0), 1, 0.2),
        (Circle(1.0), 3000, 0.05),
        (Sphere(1.0), 50, 0.2),
        (Sphere(1.0), 100_000, 50.0),
        (Segment(1.0), 2, 0.2),
        (Segment(1.0), 1000, 0.05),
        (Points([-1.0, 0.1, 1.0]), 20, 0.3),
    ],
)
def test_error_covers_a_finer_resolution(law, size, sigma):
    changes = add_one_changes(law, size, mu=1.0, sigma=sigma)
    own, other = add_one._changes(law, size, 1.0, sigma, (19, 17, 14))
    factor = 1.0 / sigma**4
    assert abs(changes.own - factor * own) <= changes.own_error
    assert abs(changes.other - factor * other) <= changes.other_error
    assert changes.own_error <= 1e-6 * changes.own
    assert changes.other_error <= 1e-6 * changes.other


def test_many_points_change_the_score_by_one_over_their_number():
    for law in (Circle(1.0), Sphere(1.0), Segment(1.0)):
        many, more = (add_one_changes(law, n, mu=0.8, sigma=0.6) for n in (10_000, 100_000))
        assert more.own * 100.0 == pytest.approx(many.own, rel=1e-3)
        assert more.other * 100.0 == pytest.approx(many.other, rel=1e-3)


def test_a_value_below_reach_is_owned_up_to():
    # With probability 2^-1000 the two sides are not both there: nothing can be resolved.
    changes = add_one_changes(Points([-1.0, 1.0]), 1000, mu=1.0, sigma=0.05)
    assert changes.own <= changes.own_error
    alone = add_one_changes(Points([0.5]), 3, mu=1.0, sigma=0.5)
    assert alone.own == alone.other == 0.0


def test_series_meets_the_formulas():
    for u in (0.49999, 0.3):
        own, other = add_one._series(u)
        assert own * u == pytest.approx(u * (1 + math.exp(-u)) + 2 * math.expm1(-u), rel=1e-12)
        assert other * u == pytest.approx(-math.expm1(-u) - u * math.exp(-u), rel=1e-13)
    own, other = add_one._series(1e-9)
    assert own == pytest.approx(1e-18 / 6.0, rel=1e-8)
    assert other == pytest.approx(0.5e-9, rel=1e-8)


def test_depth_panels_skip_what_no_level_sees():
    edges = depth_edges(np.array([-3.0, 2.0, 500.0]), 530.0)
    assert edges[0] == 0.0
    assert edges[-1] == 530.0
    steps = np.diff(edges)
    assert (steps > 0.0).all()
    assert steps.max() > 400.0
    assert (steps[(edges[1:] < 32.0) | (edges[:-1] > 495.5)] <= 2.0 + 1e-12).all()
    assert depth_edges(np.zeros(1), 0.0).tolist() == [0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add_one_changes(Circle(1.0), 0, mu=1.0, sigma=1.0), "size = 0"),
        (lambda: add_one_changes(Circle(1.0), 1, mu=0.0, sigma=1.0), "mu = 0"),
        (lambda: add_one_changes(Circle(1.0), 1, mu=1.0, sigma=math.nan), "sigma = nan"),
        (lambda: Circle(0.0), "radius = 0"),
        (lambda: Sphere(math.inf), "radius = inf"),
        (lambda: Segment(-1.0), "half_length = -1"),
        (lambda: Points(np.zeros((2, 3))), "points: shape"),
        (lambda: Points([]), "points: shape"),
        (lambda: Points([0.0, 1.0], [1.0]), "masses: shape"),
        (lambda: Points([0.0, 1.0], [1.0, 0.0]), "finite, masses positive"),
        (lambda: Points([0.0, math.nan]), "finite, masses positive"),
        (
            lambda: add_one_changes(Points(1e3 * np.eye(2)), 1, mu=1.0, sigma=1e-3),
            "too small for points",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_refuses_too_many_noised_points_in_the_plane(monkeypatch):
    monkeypatch.setattr(law_quadrature, "_MOST_PROBES", 100)
    with pytest.raises(ValueError, match=r"sigma = 0\.3: too small for points"):
        add_one_changes(Points(np.eye(2)), 1, mu=1.0, sigma=0.3)
