"""Geometry of data: dimension, diameter, masses of balls and reach of known supports."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, pdist

from numerics.data_geometry import ball_masses, diameter, lower_mass, reach_estimate
from numerics.intrinsic_dimension import intrinsic_dimension
from numerics.row_distances import distinct_rows, nearest_distances, scaled_rows

# Probability that an interval below misses although the code is right; the estimator's own bias,
# from edges and curvature, is some percent here and within the intervals' half widths.
FALSE_ALARM = 1e-7


def sphere(count: int, ambient: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, ambient))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


SUPPORTS = {
    "circle": (sphere(600, 2, 1), 1),
    "sphere": (sphere(600, 3, 2), 2),
    "cube": (np.random.default_rng(3).random((600, 3)), 3),
}


@pytest.fixture(params=SUPPORTS, scope="module")
def support(request):
    return SUPPORTS[request.param]


def embedded(points: np.ndarray, ambient: int = 1000) -> np.ndarray:
    turn = np.random.default_rng(4).standard_normal((ambient, points.shape[1]))
    return points @ np.linalg.qr(turn)[0].T + 5.0


def test_dimension_lies_within_its_interval(support):
    points, dimension = support
    found = intrinsic_dimension(points, confidence=1.0 - FALSE_ALARM)
    assert found.lower < dimension < found.upper
    assert found.upper < 2.5 * found.lower
    assert found.levina_bickel.lower <= found.levina_bickel.value <= found.levina_bickel.upper
    assert found.levina_bickel.value == pytest.approx(dimension, rel=0.15)
    assert (found.rows, found.duplicates, found.ties, found.centres) == (600, 0, 0, 600)


def test_interval_covers_as_often_as_it_says():
    # 200 samples at 90 %: at least 165 hits except with probability 3e-4, were the rate exact.
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        points = np.concatenate([rng.random((150, 1)), rng.random((150, 1)) + 9.0])
        found = intrinsic_dimension(points, confidence=0.9, neighbours=(3,))
        hits += found.lower < 1.0 < found.upper
    assert hits >= 165


def test_dimension_by_hand():
    # Ratios: 3/1, 2/1, 3/2 → logarithms add up to log 9.
    found = intrinsic_dimension([[0.0], [1.0], [3.0]], confidence=0.9, neighbours=(3,))
    assert found.value == pytest.approx(2.0 / math.log(9.0), rel=1e-12)
    ends = stats.gamma.ppf([0.05, 0.95], 1.5) * 2.0 / math.log(9.0)
    assert [found.lower, found.upper] == pytest.approx(list(ends), rel=1e-12)
    assert found.neighbours == (2,)
    assert found.levina_bickel.value == pytest.approx(2.0 / math.log(9.0), rel=1e-12)


def test_embedding_changes_nothing(support):
    points, dimension = support[0][:250], support[1]
    high = embedded(points)
    here, there = intrinsic_dimension(points), intrinsic_dimension(high)
    for name in ("value", "lower", "upper"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-9)
    assert there.levina_bickel.value == pytest.approx(here.levina_bickel.value, rel=1e-9)
    assert diameter(high) == pytest.approx(diameter(points), rel=1e-12)
    near, far = lower_mass(points, dimension), lower_mass(high, dimension)
    assert far.log_value == pytest.approx(near.log_value, abs=1e-9)
    assert far.log_lower == pytest.approx(near.log_lower, abs=1e-9)
    assert far.radius_limit == pytest.approx(near.radius_limit, rel=1e-9)
    if dimension < points.shape[1]:
        bend = reach_estimate(points, dimension, rows=60).value
        assert reach_estimate(high, dimension, rows=60).value == pytest.approx(bend, rel=1e-6)


def test_copies_and_ties_are_counted():
    points = np.random.default_rng(6).random((80, 2))
    once = intrinsic_dimension(points)
    twice = intrinsic_dimension(np.concatenate([points, points[:30]]))
    assert (twice.duplicates, twice.rows) == (30, 110)
    assert twice.value == once.value
    line = np.array([[0.0], [1.0], [2.0], [2.5]])
    assert intrinsic_dimension(line, neighbours=(3,)).ties == 1
    # A law of two atoms has masses at every radius.
    atoms = lower_mass([[0.0]] * 9 + [[2.0]] * 9, 1.0)
    assert 0.0 < atoms.smallest_radius < 0.01 < atoms.radius_limit
    assert math.exp(atoms.log_value) == pytest.approx(8 / 17 / 2, rel=0.2)
    assert distinct_rows([[0.0], [-0.0], [1.0]]).tolist() == [[0.0], [1.0]]


def test_subsample_of_centres_keeps_all_neighbours():
    points = np.random.default_rng(7).random((400, 12))
    rows = scaled_rows(points)
    chosen = np.array([3, 77, 399])
    direct = np.sort(cdist(points[chosen], points), axis=1)[:, 1:6]
    found = rows.in_data_units(1.0) * nearest_distances(rows, 5, chosen)
    np.testing.assert_allclose(found, direct, rtol=1e-13)
    few = intrinsic_dimension(points, centres=100, rng=1)
    assert few.centres == 100
    assert few == intrinsic_dimension(points, centres=100, rng=1)
    assert few != intrinsic_dimension(points, centres=100, rng=2)


@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
def test_diameter_is_exact(scale):
    rng = np.random.default_rng(8)
    for points in (
        rng.standard_normal((500, 3)),
        rng.standard_t(1.5, (500, 7)) + 100.0,
        np.eye(40),
        np.array([[0.0], [1.0]]),
    ):
        assert diameter(scale * points) == pytest.approx(scale * pdist(points).max(), rel=1e-14)


def test_diameter_of_many_chunks(monkeypatch):
    points = np.random.default_rng(9).standard_normal((700, 4))
    monkeypatch.setattr("numerics.row_distances._ENTRIES", 9000)
    assert diameter(points) == pytest.approx(pdist(points).max(), rel=1e-14)
    found = ball_masses(points, [0.5, 1.0])
    assert found.smallest == tuple(
        ((cdist(points, points) <= r).sum(1) - 1).min() / 699 for r in (0.5, 1.0)
    )


def test_masses_of_balls():
    points, radii = SUPPORTS["sphere"][0], np.array([0.6, 0.4, 1.9])
    counts = (cdist(points, points)[:, :, None] <= np.sort(radii)).sum(1) - 1
    found = ball_masses(points, radii, confidence=0.9)
    assert found.smallest == pytest.approx(tuple(counts.min(0) / 599))
    assert found.low == pytest.approx(
        tuple(np.quantile(counts, 0.05, axis=0, method="lower") / 599)
    )
    for count, lower in zip(counts.min(0), found.lower, strict=True):
        # Clopper–Pearson: at the bound, so many or more have probability alpha.
        assert stats.binom.sf(count - 1, 599, lower) == pytest.approx(0.1 / 1800, rel=1e-6)
    # A ball of radius r about a point of the sphere has mass r²/4.
    assert all(low < r**2 / 4 for low, r in zip(found.lower, np.sort(radii), strict=True))


@pytest.mark.parametrize(("name", "exact"), [("circle", 1 / math.pi), ("sphere", 1 / 4)])
def test_lower_mass_is_below_the_true_one(name, exact):
    # False alarm 1e-7 for the lower end, which is safe for every radius of the range.
    points, dimension = SUPPORTS[name]
    found = lower_mass(points, dimension, confidence=1.0 - FALSE_ALARM)
    assert 0.02 * exact < math.exp(found.log_lower) < exact
    assert found.log_lower < found.log_value
    radii = np.geomspace(found.smallest_radius, found.radius_limit, 9)
    least = (cdist(points, points)[:, :, None] <= radii).sum(1).min(0) - 1
    assert (least / 599 >= math.exp(found.log_value) * radii**dimension).all()
    assert found.smallest_radius < 0.6
    assert found.radius_limit == pytest.approx(math.sqrt(2.0), rel=0.1)


@pytest.mark.parametrize("name", ["circle", "sphere"])
def test_reach_of_curved_and_flat_supports(name):
    points, dimension = SUPPORTS[name]
    assert reach_estimate(7.0 * points, dimension).value == pytest.approx(7.0, rel=0.35)
    plane = np.random.default_rng(10).random((200, 2)) @ np.ones((2, 6)) * [1, 2, 3, 4, 5, 6]
    assert reach_estimate(plane, 1).value == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diameter([[1.0, 2.0]]), r"data has 1 row\(s\); distances need at least 2"),
        (lambda: diameter(np.ones((5, 2))), "data has 5 rows, all equal"),
        (lambda: diameter([[math.nan], [0.0]]), "entries must be finite"),
        (lambda: diameter(np.zeros(4)), "reshape"),
        (lambda: intrinsic_dimension([[1.0, 2.0]]), r"data has 1 row\(s\), 1 of them different"),
        (lambda: intrinsic_dimension(np.ones((5, 2))), "1 of them different"),
        (lambda: intrinsic_dimension([[0.0], [1.0]] * 9), "2 of them different"),
        (lambda: intrinsic_dimension(np.eye(5)), "equally far"),
        (lambda: intrinsic_dimension(np.eye(5), confidence=1.0), "confidence = 1.0"),
        (lambda: intrinsic_dimension(np.eye(5), neighbours=(2,)), "at least 3"),
        (lambda: intrinsic_dimension(np.eye(5), centres=0), "centres = 0"),
        (lambda: lower_mass(np.ones((5, 2)), 1.0), "all equal"),
        (lambda: lower_mass(np.eye(5), 0.0), "dimension = 0.0"),
        (lambda: ball_masses(np.eye(5), [0.0]), "radii = "),
        (lambda: ball_masses(np.eye(5), [1.0], quantile=2.0), "quantile = 2.0"),
        (lambda: reach_estimate(np.eye(3), 2), "at least 4"),
        (lambda: reach_estimate(np.eye(3), 0), "dimension = 0"),
    ],
)
def test_bad_input_is_refused_on_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
