"""Moments of the local kernel mass, and the mean posterior variance, for laws with quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import comb

from numerics.law_quadrature import Circle, Points, Segment, Sphere, posterior_variance
from numerics.local_mass import inverse_local_mass

# Probability that a correct program fails one simulation test.
FALSE_ALARM = 1e-8


def pair_mean(law, function):
    """Mean of a function of the squared distance of two independent points."""
    if isinstance(law, Circle):
        a = law.radius
        total = quad(lambda t: function(4 * a * a * math.sin(t / 2) ** 2), 0, np.pi, limit=400)
        return total[0] / np.pi
    if isinstance(law, Sphere):
        return quad(lambda t: function(2 * law.radius**2 * t), 0, 2, limit=400)[0] / 2
    a = law.half_length
    return quad(lambda r: (2 * a - r) / (2 * a * a) * function(r * r), 0, 2 * a, limit=400)[0]


@pytest.mark.parametrize("law", [Circle(1.3), Sphere(0.8), Segment(1.5)])
@pytest.mark.parametrize("decay", [1e-4, 0.7, 60.0])
@pytest.mark.parametrize("power", [0.01, 1.0, 3.3, 99.0])
def test_two_points_by_one_integral(law, decay, power):
    found = inverse_local_mass(law, 2, power=power, decay=decay)
    exact = pair_mean(law, lambda square: ((1.0 + math.exp(-decay * square)) / 2.0) ** -power)
    assert found.value == pytest.approx(exact, rel=1e-9)
    assert abs(found.value - exact) <= found.error + 2e-9 * exact
    assert found.error <= 1e-7 * found.value


@pytest.mark.parametrize("size", [1, 2, 7, 300])
@pytest.mark.parametrize("power", [0.05, 2.0, 40.0])
def test_two_atoms_by_a_binomial_sum(size, power):
    chance, decay = 0.3, 0.9
    far = math.exp(-decay * 4.0)
    expected = 0.0
    for own in (chance, 1.0 - chance):
        for same in range(size):
            share = comb(size - 1, same) * own**same * (1.0 - own) ** (size - 1 - same)
            expected += own * share * ((1.0 + same + (size - 1 - same) * far) / size) ** -power
    found = inverse_local_mass(Points([-1.0, 1.0], [0.7, 0.3]), size, power=power, decay=decay)
    assert found.value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("law", "size", "power", "decay"),
    [
        (Circle(1.0), 5, 1.0, 30.0),
        (Sphere(1.0), 6, 1.5, 5.0),
        (Segment(1.0), 4, 0.7, 10.0),
    ],
)
def test_agrees_with_simulation(law, size, power, decay):
    # Empirical Bernstein bound (Maurer and Pontil 2009): fails by chance with probability 1e-8.
    rng, number = np.random.default_rng(77), 200_000
    if isinstance(law, Segment):
        points = rng.uniform(-1.0, 1.0, (number, size, 1))
    else:
        points = rng.standard_normal((number, size, law.dimension))
        points /= np.linalg.norm(points, axis=2, keepdims=True)
    squares = np.sum((points[:, 1:] - points[:, :1]) ** 2, axis=2)
    sample = ((1.0 + np.exp(-decay * squares).sum(axis=1)) / size) ** -power
    log_term = math.log(4.0 / FALSE_ALARM)
    width = math.sqrt(2.0 * sample.var(ddof=1) * log_term / number)
    width += 7.0 * size**power * log_term / (3.0 * (number - 1))
    found = inverse_local_mass(law, size, power=power, decay=decay)
    assert abs(found.value - sample.mean()) <= width < 0.02 * found.value


@pytest.mark.parametrize("law", [Circle(1.0), Sphere(1.0), Segment(1.0)])
def test_limits(law):
    # Alone in its neighbourhood: K = 1 / N; all alike: K = 1.
    assert inverse_local_mass(law, 30, power=2.0, decay=1e15).value == pytest.approx(900, rel=1e-4)
    assert inverse_local_mass(law, 30, power=2.0, decay=1e-12).value == pytest.approx(1, rel=1e-9)
    assert inverse_local_mass(law, 30, power=2.0, decay=0.0).value == 1.0
    assert inverse_local_mass(law, 30, power=0.0, decay=3.0).value == 1.0
    assert inverse_local_mass(law, 1, power=5.0, decay=3.0).value == 1.0
    # Small powers: 1 - p E log K, hence continuous.
    tiny = inverse_local_mass(law, 30, power=1e-9, decay=3.0).value - 1.0
    assert tiny == pytest.approx(
        1e-6 * (inverse_local_mass(law, 30, power=1e-3, decay=3.0).value - 1.0), rel=5e-3
    )


def test_many_points_meet_the_mean_mass():
    # Law of large numbers: K tends to E exp(-h |x - Y|^2), constant on round laws.
    for law in (Circle(1.0), Sphere(1.0)):
        mass = pair_mean(law, lambda square: math.exp(-20.0 * square))
        found = inverse_local_mass(law, 1_000_000, power=1.5, decay=20.0)
        assert found.value == pytest.approx(mass**-1.5, rel=1e-4)
        assert found.error <= 1e-9 * found.value


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": 0}, "size = 0"),
        ({"power": -0.1}, "power = -0.1"),
        ({"power": math.nan}, "power = nan"),
        ({"power": 1e7}, "power = 10000000"),
        ({"power": 800.0}, "exceeds the float64 range"),
        ({"decay": -1.0}, "decay = -1"),
        ({"decay": math.inf}, "decay = inf"),
    ],
)
def test_refusals(changed, message):
    arguments = {"size": 3, "power": 1.0, "decay": 1.0} | changed
    size = arguments.pop("size")
    with pytest.raises(ValueError, match=message):
        inverse_local_mass(Circle(1.0), size, **arguments)


@pytest.mark.parametrize(("time", "expected"), [(0.3, 1.632), (0.05, 11.287), (0.01, 51.04)])
def test_posterior_variance_on_the_unit_circle(time, expected):
    mu = math.exp(-time)
    found = posterior_variance(Circle(1.0), mu=mu, sigma=math.sqrt(1.0 - mu**2))
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert found.error <= 1e-7 * found.value


def test_posterior_variance_of_two_points():
    # Equal masses at -a and a: the posterior mean is a tanh(mu a x / sigma^2).
    mu, sigma, a = 0.7, 0.6, 1.2

    def residual(x):
        density = math.exp(-0.5 * ((x - mu * a) / sigma) ** 2) / (math.sqrt(2 * np.pi) * sigma)
        return density * a**2 / math.cosh(mu * a * x / sigma**2) ** 2

    exact = quad(residual, mu * a - 12 * sigma, mu * a + 12 * sigma, limit=400)[0]
    found = posterior_variance(Points([-a, a]), mu=mu, sigma=sigma)
    assert found.value == pytest.approx(exact * mu**2 / sigma**4, rel=1e-9)
    plane = posterior_variance(Points([[-a, 0.0], [a, 0.0]]), mu=mu, sigma=sigma)
    assert plane.value == pytest.approx(found.value, rel=1e-7)


@pytest.mark.parametrize(
    ("law", "variance", "tangents"),
    [(Circle(2.0), 4.0, 1), (Sphere(1.0), 1.0, 2), (Segment(3.0), 3.0, 1)],
)
def test_posterior_variance_limits(law, variance, tangents):
    # Wide noise leaves the prior; narrow noise leaves sigma^2 / mu^2 in each tangent direction.
    wide = posterior_variance(law, mu=0.5, sigma=1e3)
    assert wide.value == pytest.approx(variance * 0.25 / 1e12, rel=1e-4)
    narrow = posterior_variance(law, mu=0.5, sigma=1e-3)
    assert narrow.value == pytest.approx(tangents / 1e-6, rel=3e-3)
    with pytest.raises(ValueError, match="sigma = 0"):
        posterior_variance(law, mu=0.5, sigma=0.0)
