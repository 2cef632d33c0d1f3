"""The laws on curves, surfaces and cubes: their geometry, posterior means and draws.

Posterior means are compared with mpmath and with sums over fine grids, the columns of a replicate
with a softmax in mpmath, with `score_stability` and with closed forms. Every test is
deterministic; where a seed could have failed a correct program, the test says how likely that was.
"""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import special

from numerics.laws import Circles, Cube, Mixture, Sphere, posterior_mean
from numerics.posterior_means import circle_length, segment_mean, sphere_length
from numerics.replicates import QUANTITIES, Algorithm, evaluate_replicates
from numerics.stability import score_stability
from proofs_check import sampling
from proofs_check.enclosure import enclose_all
from proofs_check.measurement import measure
from proofs_check.plans import points
from proofs_check.point import at_time
from proofs_check.sampling import mean_interval
from theory import cases

NAMES = ("circle", "sphere", "flat-torus", "segment", "cube")
RADIUS = 1.5


def _law(name, a=RADIUS, **values):
    return sampling.law_of(at_time(name, 1, a=str(sp.nsimplify(a)), **values))


def _replicates(law, size, count, rng, mu, sigma, algorithm=Algorithm.EMPIRICAL_SCORE):
    shape = (count, 1)
    return evaluate_replicates(
        law,
        law.sample(rng, (count, size)),
        law.sample(rng, (count,)),
        rng.standard_normal((count, size + 1, law.dimension)),
        mu=np.full(shape, mu),
        sigma=np.full(shape, sigma),
        weights=np.ones(1),
        algorithm=algorithm,
    )


# --- posterior means ------------------------------------------------------------------------------

STRENGTHS = [*np.logspace(-12, 8, 61), 49.99, 50.0, 50.01]


def _relative(found, true):
    return abs(mp.mpf(float(found)) / true - 1)


def test_lengths_of_mean_directions():
    assert circle_length(0.0) == sphere_length(0.0) == 0.0
    for kappa in map(float, STRENGTHS):
        by_scipy = special.ive(1, kappa) / special.ive(0, kappa)
        assert circle_length(kappa) == pytest.approx(by_scipy, rel=2e-15)
        with mp.workdps(60):
            assert _relative(sphere_length(kappa), mp.coth(kappa) - 1 / mp.mpf(kappa)) < 1e-14
            if kappa < 1e4:
                ratio = mp.besseli(1, kappa) / mp.besseli(0, kappa)
                assert _relative(circle_length(kappa), ratio) < 1e-14


@pytest.mark.parametrize("h", [0.0, 1e-12, 1e-4, 0.1, 1.0, 5.0, 7.9, 50.0, 1e4, 1e8])
def test_means_of_cut_normal_densities(h):
    assert segment_mean(0.0, h) == 0.0
    for kappa in (
        1e-12,
        1e-3,
        0.09,
        0.5,
        3.0,
        6.9,
        7.9,
        8.1,
        10.1,
        40.0,
        99.0,
        200.0,
        1.9e4,
        1e5,
        1.99e8,
        1e9,
    ):
        with mp.workdps(120):
            if h == 0.0:
                true = mp.coth(kappa) - 1 / mp.mpf(kappa)
            else:
                # ∫ (κ - 2hu) f = f(1) - f(-1), and ∫ f by the tails beyond both ends
                k, root = mp.mpf(kappa), mp.sqrt(h)
                ends = [root * (sign - k / (2 * h)) for sign in (-1, 1)]
                if ends[1] < 0:
                    ends = [-ends[1], -ends[0]]
                mass = (mp.erfc(ends[0]) - mp.erfc(ends[1])) * mp.sqrt(mp.pi) / (2 * root)
                top = k * k / (4 * h)
                jump = mp.exp(k - h - top) - mp.exp(-k - h - top)
                true = (k - jump / mass) / (2 * h)
            assert _relative(segment_mean(kappa, h), true) < 1e-13, kappa
        assert segment_mean(-kappa, h) == -segment_mean(kappa, h)


def _grid(name, d):
    """Points and weights that integrate smooth functions over the law to machine precision."""
    angle = 2 * np.pi * np.arange(256) / 256
    nodes, weights = np.polynomial.legendre.leggauss(60)
    if name == "circle":
        support = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        mass = np.ones(len(angle))
    elif name == "sphere":
        z, phi = np.meshgrid(nodes, angle, indexing="ij")
        flat = np.sqrt(1 - z**2)
        support = np.stack([flat * np.cos(phi), flat * np.sin(phi), z], axis=-1)
        mass = np.broadcast_to(weights[:, None], z.shape)
    elif name == "flat-torus":
        u, v = np.meshgrid(angle, angle)
        support = np.stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)], axis=-1)
        mass = np.ones(u.shape)
    elif name == "segment":
        support, mass = nodes[:, None], weights
    else:
        support = np.stack(np.meshgrid(*[nodes] * d, indexing="ij"), axis=-1)
        mass = np.prod(np.meshgrid(*[weights] * d, indexing="ij"), axis=0)
    support = RADIUS * support.reshape(-1, support.shape[-1])
    out = np.zeros((len(support), d))
    out[:, : support.shape[1]] = support
    return out, mass.ravel() / mass.sum()


DIMENSIONS = {"circle": 3, "sphere": 4, "flat-torus": 4, "segment": 2, "cube": 3}


@pytest.mark.parametrize("name", NAMES)
def test_posterior_means_are_those_of_a_fine_grid(name):
    law = _law(name, d=DIMENSIONS[name])
    support, mass = _grid(name, law.dimension)
    rng = np.random.default_rng(1)
    for mu, sigma in ((1.0, 0.5), (0.7, 1.0), (0.1, 3.0), (1.0, 40.0), (0.0, 1.0)):
        for _ in range(4):
            x = mu * law.sample(rng, ()) + sigma * rng.standard_normal(law.dimension)
            energy = ((mu * support - x) ** 2).sum(axis=1) / (2 * sigma**2)
            weight = mass * np.exp(energy.min() - energy)
            expected = weight @ support / weight.sum()
            found = posterior_mean(law, x, mu=mu, sigma=sigma)
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)
    origin = posterior_mean(law, np.zeros(law.dimension), mu=1.0, sigma=1.0)
    assert (origin == 0).all()


def test_laws_without_room_or_without_a_variance_are_refused():
    for make in (
        lambda: Circles(1.0, 2, 3),
        lambda: Sphere(1.0, 2),
        lambda: Cube(1.0, 2, 1),
        lambda: Cube(1.0, 0, 1),
    ):
        with pytest.raises(ValueError, match="dimension"):
            make()
    for algorithm in (Algorithm.GAUSSIAN_MEAN, Algorithm.FIXED_STANDARD):
        with pytest.raises(ValueError, match="mixture"):
            _replicates(_law("circle"), 2, 1, np.random.default_rng(0), 1.0, 1.0, algorithm)


# --- geometry and draws ---------------------------------------------------------------------------


def _geometry(name, **values):
    case = cases.get(name)
    exact = {**case.defaults, "a": sp.nsimplify(RADIUS), **values}
    return case.geometry({k: sp.sympify(v) for k, v in exact.items()})


def _corner(law):
    """A point of the support where balls have least mass."""
    point = np.zeros(law.dimension)
    if isinstance(law, Circles):
        point[0 : 2 * law.count : 2] = law.radius
    elif isinstance(law, Sphere):
        point[0] = law.radius
    else:
        point[: law.count] = law.half_side
    return point


@pytest.mark.parametrize(
    ("name", "values"), [*((name, {}) for name in NAMES), ("cube", {"d": 1}), ("cube", {"d": 3})]
)
def test_balls_have_the_mass_that_the_geometry_says(name, values):
    # 400000 draws; masses are compared within 7 standard errors of a binomial count: false alarm
    # below 1e-11 for each of 60 masses of each law.
    geometry = _geometry(name, **values)
    law = _law(name, **values)
    rng = np.random.default_rng(2)
    count = 400_000
    drawn = law.sample(rng, (count,))
    corner = _corner(law)
    lower, limit = float(geometry.lower_mass), float(geometry.radius_limit)
    dimension = geometry.intrinsic_dimension
    for centre in (corner, *law.sample(rng, (5,))):
        distance = np.linalg.norm(drawn - centre, axis=1)
        for radius in limit * np.linspace(0.1, 1.0, 10):
            mass = float((distance <= radius).mean())
            claimed = lower * radius**dimension
            error = 7 * math.sqrt(max(claimed * (1 - claimed), 1e-6) / count)
            assert mass >= claimed - error
    # and no constant can be larger: small balls at the corner
    radius = 0.2 * limit
    mass = float((np.linalg.norm(drawn - corner, axis=1) <= radius).mean())
    assert mass / (lower * radius**dimension) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_diameters_are_attained_and_never_exceeded(name):
    geometry, law = _geometry(name), _law(name)
    diameter = float(geometry.diameter)
    drawn = law.sample(np.random.default_rng(3), (1000,))
    farthest = np.linalg.norm(drawn[:, None] - drawn[None], axis=-1).max()
    assert farthest <= diameter * (1 + 1e-15)
    corner = _corner(law)
    assert np.linalg.norm(2 * corner) == pytest.approx(diameter, rel=1e-15)


@pytest.mark.parametrize("name", ["circle", "sphere", "flat-torus"])
def test_reach_by_its_formula(name):
    # Federer: the least |q - p|²/(2 dist(q - p, tangent space at p)) over the points of the set
    support, _ = _grid(name, {"circle": 2, "sphere": 3, "flat-torus": 4}[name])
    p = _corner(_law(name))
    normals = [0, 2] if name == "flat-torus" else [0]
    step = support - p
    away = np.linalg.norm(step[:, normals], axis=1)
    apart = (step**2).sum(axis=1)
    known = away > 1e-9
    found = (apart[known] / (2 * away[known])).min()
    assert found == pytest.approx(float(_geometry(name).reach), rel=1e-12)


def test_convex_supports_have_every_reach():
    assert _geometry("segment").reach == _geometry("cube").reach == sp.oo


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_moments_of_the_law(name):
    # Hoeffding at 1e-11 for each mean of values in [-b, b]: at most 60 of them.
    law = _law(name, d=DIMENSIONS[name])
    count = 200_000
    drawn = law.sample(np.random.default_rng(4), (count,)) / RADIUS
    room = math.sqrt(2 * math.log(2 / 1e-11) / count)
    used = {"circle": 2, "sphere": 3, "flat-torus": 4, "segment": 1, "cube": 3}[name]
    assert (drawn[:, used:] == 0).all()
    second, fourth = {
        "circle": (1 / 2, 3 / 8),
        "flat-torus": (1 / 2, 3 / 8),
    }.get(name, (1 / 3, 1 / 5))
    inside = drawn[:, :used]
    assert np.abs(inside.mean(axis=0)).max() < room
    np.testing.assert_allclose(inside.T @ inside / count, second * np.eye(used), atol=room)
    np.testing.assert_allclose((inside**4).mean(axis=0), fourth, atol=room)
    if name in ("circle", "sphere"):
        np.testing.assert_allclose((inside**2).sum(axis=1), 1, rtol=1e-14)
    if name == "flat-torus":
        np.testing.assert_allclose(inside[:, 0] ** 2 + inside[:, 1] ** 2, 1, rtol=1e-14)
        np.testing.assert_allclose(inside[:, 2] ** 2 + inside[:, 3] ** 2, 1, rtol=1e-14)
        assert np.abs((inside[:, 0] ** 2 * inside[:, 2] ** 2).mean() - 1 / 4) < room
    if name in ("segment", "cube"):
        assert np.abs(inside).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_no_replicate_of_a_bounded_law_exceeds_the_bound(name, monkeypatch):
    monkeypatch.setattr(sampling, "_BATCH", 300)
    monkeypatch.setattr(sampling, "_MOST_BATCHES", 2)
    for point in points(name, "standard"):
        sample = sampling.draw(point, effort="quick", seed=3)
        assert sample.bound is not None
        assert sample.values.shape[1] == len(QUANTITIES)
        assert sample.values.min() >= 0
        assert sample.values.max() <= sample.bound


def test_a_segment_is_a_cube_of_dimension_one():
    for draw in (_law("segment"), _law("cube", d=1)):
        assert draw == Cube(RADIUS, 1, 1)


# --- columns --------------------------------------------------------------------------------------


def _by_softmax(points, fresh, noise, mu, sigma, true):
    """Every column of one replicate of the empirical score, from the definitions, in mpmath."""
    count, dimension = points.shape
    vectors = [[mp.mpf(float(v)) for v in row] for row in (*points, fresh)]
    mu, sigma = mp.mpf(mu), mp.mpf(sigma)

    def squared(u, v):
        return mp.fsum((a - b) ** 2 for a, b in zip(u, v, strict=True))

    def mean(x, chosen):
        weight = [mp.exp(-squared([mu * a for a in y], x) / (2 * sigma**2)) for y in chosen]
        total = mp.fsum(weight)
        return [
            mp.fsum(w * y[a] for w, y in zip(weight, chosen, strict=True)) / total
            for a in range(dimension)
        ]

    own, extended = vectors[:count], vectors
    swapped = [[*own[:i], vectors[count], *own[i + 1 :]] for i in range(count)]
    total = dict.fromkeys(QUANTITIES, mp.mpf(0))
    for k, z in enumerate(noise):
        y = vectors[k]
        x = [mu * a + sigma * mp.mpf(float(b)) for a, b in zip(y, z, strict=True)]
        trained, joined = mean(x, own), mean(x, extended)
        change = mp.fsum(squared(trained, mean(x, s)) for s in swapped) / count
        total["E_C_sm_hat_next"] += squared(joined, y) / (count + 1)
        if k < count:
            total["E_l_dsm_hat"] += squared(trained, y) / count
            total["E_C_sm_hat"] += squared(trained, y) / count
            total["E_change_on_sample"] += change / count
            total["E_other_change"] += squared(joined, trained) / count
        else:
            known = mean(x, [[mp.mpf(float(v)) for v in row] for row in true])
            total["E_l_dsm"] = squared(trained, y)
            total["E_l_sm"] = squared(trained, known)
            total["C_sm"] = squared(known, y)
            total["eps_stab_squared"] = change
            total["E_own_change"] = squared(joined, trained)
            total["E_l_dsm_replaced"] = mp.fsum(squared(mean(x, s), y) for s in swapped) / count
    return {name: value * mu**2 / sigma**4 for name, value in total.items()}


@pytest.mark.parametrize("sigma", [3.0, 0.5, 0.1, 0.03, 0.005])
@pytest.mark.parametrize(("size", "repeated"), [(1, False), (2, False), (5, False), (4, True)])
def test_columns_by_a_softmax_in_mpmath(size, repeated, sigma):
    rng = np.random.default_rng([size, int(1000 * sigma)])
    centres = rng.standard_normal((3, 2))
    for _ in range(4):
        data, fresh = rng.standard_normal((size, 2)), rng.standard_normal(2)
        if repeated:  # the fresh point is in S already, and so is another twice
            fresh, data[2] = data[0].copy(), data[1]
        noise = rng.standard_normal((size + 1, 2))
        row = evaluate_replicates(
            Mixture(centres, 0.0), data[None], fresh[None], noise[None],
            mu=np.full((1, 1), 0.8), sigma=np.full((1, 1), sigma), weights=np.ones(1),
            algorithm=Algorithm.EMPIRICAL_SCORE,
        )[0]  # fmt: skip
        with mp.workdps(50):
            true = _by_softmax(data, fresh, noise, 0.8, sigma, centres)
            for name, found in zip(QUANTITIES, row, strict=True):
                assert abs(float(found) - true[name]) <= 1e-9 * true[name] + 1e-26 / sigma**4, name


@pytest.mark.parametrize(
    ("n", "p", "mu", "sigma"), [(1, "1/3", 0.8, 0.6), (2, "1/2", 0.7, 0.7), (5, "1/3", 0.9, 0.9)]
)
def test_two_point_columns_have_their_closed_forms_as_means(n, p, mu, sigma):
    # False alarm: 12 empirical Bernstein intervals at 2e-11 each.
    exact = cases.get("two-points").reduction.forms({"N": sp.Integer(n), "p": sp.Rational(p)})
    a = 0.75
    ratio = cases.get("two-points").reduction.ratio
    centres = np.array([[a], [-a]] if p == "1/2" else [[a], [-a], [-a]])
    rows = _replicates(Mixture(centres, 0.0), n, 150_000, np.random.default_rng(5), mu, sigma)
    unit = mu**2 * a**2 / sigma**4
    value = sp.Rational(mu * a / sigma)
    forms = [form.subs(ratio, value) for form in (exact[name] for name in QUANTITIES)]
    balls = enclose_all(forms, {}, precision=60)
    for name, column, ball in zip(QUANTITIES, rows.T, balls, strict=True):
        mean, width = mean_interval(column, 4 * unit)
        truth = unit * float(ball.mid())
        assert abs(mean - truth) <= width, name
        assert width < 0.05 * unit


def test_two_point_columns_by_measure():
    # The two-point law with p = 1/2: `finite-points` with K = 2, d = 1 and a |cos(π/3)| = 1/2.
    # False alarm: 3 intervals at 2e-11 each.
    names = ["E_change_on_sample", "E_own_change", "E_other_change"]
    exact = measure(at_time("two-points", "1/2", N=3, a="1/2"), names)
    found = measure(at_time("finite-points", "1/2", N=3, d=1, K=2), names, effort="quick", seed=12)
    for name in names:
        assert abs(found[name].value - exact[name].value) <= found[name].error + exact[name].error
        assert found[name].error < 0.2 * exact[name].value


@pytest.mark.parametrize("name", ["gaussian-mean", "fixed-score", "one-point"])
def test_gaussian_columns_have_their_closed_forms_as_means(name):
    # Student intervals at 2e-11 each, as the number of replicates grows: at most 9 of them.
    values = {} if name == "one-point" else {"N": 3, "s": "1/2"}
    point = at_time(name, "1/2", d=2, **values)
    forms = cases.get(name).example_quantities(dict(point.values))
    assert {"E_change_on_sample", "E_l_dsm", "eps_stab_squared"} <= set(forms)
    exact = measure(point, [quantity for quantity in QUANTITIES if quantity in forms])
    mu, sigma = sampling.noise_level(point, np.array([0.5]))
    algorithm = sampling._ALGORITHMS.get(name, Algorithm.EMPIRICAL_SCORE)
    law, rng = sampling.law_of(point), np.random.default_rng(6)
    size = int(values.get("N", 1))
    rows = _replicates(law, size, 100_000, rng, float(mu[0]), float(sigma[0]), algorithm)
    for column, quantity in zip(rows.T, QUANTITIES, strict=True):
        if quantity in exact:
            mean, width = mean_interval(column, None)
            assert abs(mean - exact[quantity].value) <= width + 1e-13, quantity


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_trained_columns_agree_with_retraining(algorithm):
    """Columns of one replicate from its definition, the algorithm trained anew on each set."""
    rng = np.random.default_rng(7)
    law = Mixture(np.array([[1.0, 0.5]]), 0.7)
    mu, sigma = 0.9, 0.6
    data, fresh = law.sample(rng, (4,)), law.sample(rng, ())
    noise = rng.standard_normal((5, 2))

    def mean(x, sample):
        if algorithm is Algorithm.EMPIRICAL_SCORE:
            energy = ((mu * sample - x) ** 2).sum(axis=1) / (2 * sigma**2)
            weight = np.exp(energy.min() - energy)
            return weight @ sample / weight.sum()
        centre = np.zeros(2) if algorithm is Algorithm.FIXED_STANDARD else sample.mean(axis=0)
        spread = law.standard_deviation**2
        if algorithm is Algorithm.GAUSSIAN_MEAN_VARIANCE:
            spread = ((sample - sample.mean(axis=0)) ** 2).mean()
        gain = mu * spread / (mu**2 * spread + sigma**2)
        return centre + gain * (x - mu * centre)

    def swap(i):
        return np.vstack([np.delete(data, i, axis=0), fresh])

    x = mu * np.vstack([data, fresh]) + sigma * noise
    joined = np.vstack([data, fresh])
    expected = {
        "eps_stab_squared": np.mean(
            [((mean(x[4], data) - mean(x[4], swap(i))) ** 2).sum() for i in range(4)]
        ),
        "E_l_dsm_replaced": np.mean([((mean(x[4], swap(i)) - fresh) ** 2).sum() for i in range(4)]),
        "E_change_on_sample": np.mean(
            [
                ((mean(q, data) - mean(q, swap(i))) ** 2).sum()
                for q in x[:4]
                for i in range(4)
            ]
        ),
        "E_own_change": ((mean(x[4], joined) - mean(x[4], data)) ** 2).sum(),
        "E_other_change": np.mean(
            [((mean(q, joined) - mean(q, data)) ** 2).sum() for q in x[:4]]
        ),
        "E_l_dsm": ((mean(x[4], data) - fresh) ** 2).sum(),
        "E_l_dsm_hat": np.mean([((mean(x[j], data) - data[j]) ** 2).sum() for j in range(4)]),
    }  # fmt: skip
    one = np.ones((1, 1))
    row = evaluate_replicates(
        law, data[None], fresh[None], noise[None], mu=mu * one, sigma=sigma * one,
        weights=np.ones(1), algorithm=algorithm,
    )[0]  # fmt: skip
    for name, value in expected.items():
        found = row[QUANTITIES.index(name)]
        assert found == pytest.approx(mu**2 / sigma**4 * value, rel=1e-10, abs=1e-28), name


# --- the unit circle ------------------------------------------------------------------------------


def _ornstein_uhlenbeck(t):
    return math.exp(-t), math.sqrt(-math.expm1(-2 * t))


@pytest.mark.parametrize(
    ("size", "count", "expected", "error"), [(20, 20_000, 0.0154, 3e-4), (100, 4000, 5.19e-4, 7e-6)]
)
def test_stability_on_the_unit_circle(size, count, expected, error):
    # The expected number has a standard error of its own, `error`; 6 of both together: 2e-9.
    rows = _replicates(
        Circles(1.0, 1, 2), size, count, np.random.default_rng(8), *_ornstein_uhlenbeck(0.3)
    )
    column = rows[:, QUANTITIES.index("eps_stab_squared")]
    own = column.std() / math.sqrt(count)
    assert abs(column.mean() - expected) <= 6 * math.hypot(own, error)
    assert own < 0.03 * expected


@pytest.mark.parametrize(
    ("t", "expected", "digit"), [(0.3, 1.63, 0.005), (0.05, 11.3, 0.05), (0.01, 51.0, 0.5)]
)
def test_the_constant_of_the_unit_circle(t, expected, digit):
    # By 6 standard errors of 300000 replicates, false alarm 2e-9, and by a grid over the noise.
    mu, sigma = _ornstein_uhlenbeck(t)
    law = Circles(1.0, 1, 2)
    rows = _replicates(law, 1, 300_000, np.random.default_rng(9), mu, sigma)
    column = rows[:, QUANTITIES.index("C_sm")]
    own = column.std() / math.sqrt(len(column))
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x, y = np.meshgrid(mu + sigma * nodes, sigma * nodes, indexing="ij")
    kappa = mu * np.hypot(x, y) / sigma**2
    length = special.ive(1, kappa) / special.ive(0, kappa)
    by_grid = mu**2 / sigma**4 * (1 - weights @ length**2 @ weights)
    assert abs(by_grid - expected) <= digit
    assert abs(column.mean() - by_grid) <= 6 * own


# --- isometries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [3, 40, 1000])
@pytest.mark.parametrize("sigma", [0.7, 0.1])
def test_an_isometric_embedding_changes_nothing(dimension, sigma):
    """The same points through orthonormal columns, the noise in their span the same."""
    rng = np.random.default_rng(dimension)
    frame, _ = np.linalg.qr(rng.standard_normal((dimension, 2)))
    assert np.allclose(frame.T @ frame, np.eye(2), atol=1e-14)
    count, size, mu = 5, 7, 0.8
    circle = Circles(1.0, 1, 2)
    data, fresh = circle.sample(rng, (count, size)), circle.sample(rng, (count,))
    noise = rng.standard_normal((count, size + 1, 2))
    beyond = rng.standard_normal((count, size + 1, dimension))
    beyond -= beyond @ frame @ frame.T
    level = {
        "mu": np.full((count, 1), mu),
        "sigma": np.full((count, 1), sigma),
        "weights": np.ones(1),
        "algorithm": Algorithm.EMPIRICAL_SCORE,
    }

    # every column, for a mixture whose centres are embedded with the rest
    centres = circle.sample(rng, (4,))
    flat = evaluate_replicates(Mixture(centres, 0.3), data, fresh, noise, **level)
    deep = evaluate_replicates(
        Mixture(centres @ frame.T, 0.3),
        data @ frame.T,
        fresh @ frame.T,
        noise @ frame.T + beyond,
        **level,
    )
    # the mixture is spread in every direction, so its own two columns do depend on d
    free = [i for i, name in enumerate(QUANTITIES) if name not in ("E_l_sm", "C_sm")]
    np.testing.assert_allclose(deep[:, free], flat[:, free], rtol=1e-9, atol=1e-20)
    flat = evaluate_replicates(Mixture(centres, 0.0), data, fresh, noise, **level)
    deep = evaluate_replicates(
        Mixture(centres @ frame.T, 0.0),
        data @ frame.T,
        fresh @ frame.T,
        noise @ frame.T + beyond,
        **level,
    )
    np.testing.assert_allclose(deep, flat, rtol=1e-9, atol=1e-20)

    # every column, for the circle in the first two coordinates
    def padded(points):
        out = np.zeros((*points.shape[:-1], dimension))
        out[..., :2] = points
        return out

    flat = evaluate_replicates(circle, data, fresh, noise, **level)
    more = padded(noise)
    more[..., 2:] = rng.standard_normal(more[..., 2:].shape)
    law = Circles(1.0, 1, dimension)
    deep = evaluate_replicates(law, padded(data), padded(fresh), more, **level)
    np.testing.assert_allclose(deep, flat, rtol=1e-9, atol=1e-20)

    # score stability by the other kernel, which knows the same number
    for r in range(count):
        query = mu * fresh[r] + sigma * noise[r, size]
        by_kernel = score_stability(data[r], fresh[r], query[None], mu=mu, sigma=sigma)
        embedded = score_stability(
            data[r] @ frame.T,
            fresh[r] @ frame.T,
            (query @ frame.T + sigma * beyond[r, size])[None],
            mu=mu,
            sigma=sigma,
        )
        np.testing.assert_allclose(embedded, by_kernel, rtol=1e-9, atol=1e-18)
        column = flat[r, QUANTITIES.index("eps_stab_squared")]
        assert column == pytest.approx(by_kernel.mean(), rel=1e-10)
