"""Couplings of the noise leave either chain's law alone, and bring the chains together as stated.

Seeds are fixed; a correct program would fail one of the comparisons below with probability 1e-10
each, fewer than 40 of them.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from numerics import chain_batches
from numerics.chain_models import GaussianMean, TwoWells
from numerics.chain_user_model import UserModel
from numerics.chains import run_pairs
from numerics.noise_levels import NoiseLevels
from numerics.optimal_distance import optimal_distance_1d

RARE = 1e-10
PAIRS = 20_000
COUPLINGS = ("synchronous", "reflection", "reflection-maximal")


def fixed(points):
    """The law that always gives these points (N + 1, d)."""
    return lambda rng, shape: np.broadcast_to(points, (shape[0], *np.shape(points)))


def swapped(points):
    """The same with x_1 and x̃ exchanged."""
    return np.concatenate([points[-1:], points[1:-1], points[:1]])


LINE = np.array([[2.0], [0.3], [-0.4], [-1.5]])
SPACE = np.array([[2.0, 0.0, 1.0], [0.3, 0.1, 0.0], [-0.4, 1.0, 0.2], [-1.5, 1.0, -1.0]])
CASES = {
    "line": (GaussianMean(0.1), LINE, {"start": [0.5]}),
    "wells": (TwoWells(0.1), LINE, {"start": [0.5], "clip": 1.0, "clipping": "per-sample"}),
    "ball": (GaussianMean(0.1), LINE, {"start": [0.5], "projection_radius": 0.6}),
    "space": (GaussianMean(0.1), SPACE, {"start": [0.5, 0.0, -0.5]}),
    "space-ball": (
        GaussianMean(0.1), SPACE, {"start": [0.5, 0.0, -0.5], "projection_radius": 0.9},
    ),
}  # fmt: skip


def run(model, points, **changed):
    arguments = {
        "size": len(points) - 1, "batch": 2, "steps": 6, "step_size": 0.2, "weight_decay": 0.2,
        "clip": None, "noise": 4.0, "pairs": PAIRS, "rng": 1,
    }  # fmt: skip
    levels = NoiseLevels([0.9, 0.7], [0.8, 1.2], [1.0, 1.0])
    return run_pairs(model, fixed(points), levels, **arguments | changed)


def statistics(theta):
    """What is compared of parameters (n, p): all of it on the line, else three numbers."""
    if theta.shape[1] == 1:
        return [theta[:, 0]]
    return [theta @ np.array([1.0, 0.5, 1.0]), theta[:, 0], np.linalg.norm(theta, axis=1)]


def least_p_value(case, coupling, *, model=None):
    """Compare second chains with first chains of other seeds and the same data."""
    own, points, changed = CASES[case]
    coupled = run(own if model is None else model, points, coupling=coupling, **changed)
    alone = run(own, swapped(points), coupling="synchronous", **{**changed, "rng": 2})
    pairs = zip(statistics(coupled.second[:, -1]), statistics(alone.first[:, -1]), strict=True)
    return min(stats.ks_2samp(a, b).pvalue for a, b in pairs)


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("case", CASES)
def test_the_second_chain_has_the_law_of_a_chain_alone(case, coupling):
    # Kolmogorov and Smirnov's test, 20,000 pairs against 20,000.
    assert least_p_value(case, coupling) > RARE


def mutant(accept):
    """Noise that makes chains meet with another probability."""

    def add_noise(chains, noise, deviation, coupling, u):
        first, second = chains
        difference = first - second
        h = np.linalg.norm(difference, axis=1)
        e = difference / np.where(h > 0.0, h, 1.0)[:, None]
        z = (e * noise).sum(axis=1)
        met = (h == 0.0) | (u < accept(z, h / deviation))
        first += deviation * noise
        second += deviation * (noise - 2.0 * z[:, None] * e)
        second[met] = first[met]

    return add_noise


@pytest.mark.parametrize("case", ["line", "space"])
@pytest.mark.parametrize(
    ("right", "accept"),
    [
        (True, lambda z, h: np.exp(np.minimum(0.0, -z * h - h**2 / 2))),
        (False, lambda z, h: np.exp(np.minimum(0.0, -z * h))),
        (False, lambda z, h: np.exp(np.minimum(0.0, z * h - h**2 / 2))),
        (False, lambda z, h: np.exp(-(h**2) / 2)),
        (False, lambda z, h: (z < -h / 2).astype(float)),
        (False, lambda z, h: np.ones_like(z)),
    ],
)
def test_the_comparison_catches_a_wrong_acceptance(case, right, accept, monkeypatch):
    own, points, _ = CASES[case]
    dimension = points.shape[1]
    model = UserModel(
        own.score, own.gradient, parameters=dimension, dimension=dimension, compiled=False
    )
    monkeypatch.setattr(chain_batches, "_add_noise", mutant(accept))
    found = least_p_value(case, "reflection-maximal", model=model)
    assert found > RARE if right else found < RARE


@pytest.mark.parametrize("points", [LINE, SPACE])
@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
def test_one_maximal_step_meets_as_often_as_it_can_and_keeps_the_mean_distance(points, ratio):
    # Full batches without variance: the means before noise are not random. Meeting has the
    # probability of the two normals' overlap, 2 Φ(-h/2sd), and E R' = h. 200,000 pairs.
    model, start = GaussianMean(0.0), np.zeros(points.shape[1])
    common = {"batch": 3, "steps": 1, "start": start, "pairs": 200_000}
    levels = {"rng": 5, "weight_decay": 0.0}
    one = NoiseLevels([0.9], [0.8], [1.0])
    quiet = run_pairs(
        model, fixed(points), one, size=3, step_size=0.2, clip=None, **{**common, "pairs": 1},
        **levels,
    )  # fmt: skip
    h = quiet.distance[0, 0]
    found = {
        coupling: run_pairs(
            model, fixed(points), one, size=3, step_size=0.2, clip=None, noise=h / ratio / 0.2,
            coupling=coupling, **common, **levels,
        )
        for coupling in COUPLINGS
    }  # fmt: skip
    assert np.allclose(found["synchronous"].distance, h, rtol=1e-12)
    for coupling in ("reflection", "reflection-maximal"):
        # Reflected, the signed distance is h + 2 sd z: a folded normal.
        distance = found[coupling].distance[:, 0]
        sd = h / ratio
        mean = (
            h
            if coupling == "reflection-maximal"
            else stats.foldnorm.mean(h / (2 * sd), scale=2 * sd)
        )
        error = distance.std(ddof=1) / math.sqrt(len(distance))
        assert abs(distance.mean() - mean) < stats.norm.isf(RARE / 2) * error
    meetings = int((found["reflection-maximal"].distance == 0.0).sum())
    overlap = 2 * stats.norm.cdf(-ratio / 2)
    assert stats.binomtest(meetings, 200_000, overlap).pvalue > RARE
    assert not np.any(found["reflection"].distance == 0.0)


def test_without_noise_the_couplings_are_one():
    runs = [run(*CASES["space"][:2], noise=0.0, pairs=50, coupling=name, start=[0.5, 0, -0.5])
            for name in COUPLINGS]  # fmt: skip
    for other in runs[1:]:
        assert np.array_equal(other.first, runs[0].first)
        assert np.array_equal(other.second, runs[0].second)


def test_chains_that_met_stay_together_until_the_sample_that_differs():
    found = run(
        TwoWells(0.1), np.concatenate([LINE, np.zeros((200, 1))]), batch=1, steps=200, start=[0.5],
        coupling="reflection-maximal", record=range(201), pairs=200, noise=0.5,
    )  # fmt: skip
    met = found.distance == 0.0
    parted = met[:, :-1] & ~met[:, 1:]
    # Batches of 1 of 203: 200 times 200 steps hold some 200 of the sample that differs.
    assert 100 < parted.sum() < 300
    assert met[:, 1:].mean() > 0.95


def test_no_coupling_is_better_than_the_optimal_one():
    # On given data, W_2 between the two laws at the end bounds every coupling from below; sorted
    # samples estimate it.
    found = [run(*CASES["line"][:2], start=[0.5], coupling=name) for name in COUPLINGS]
    first, second = found[0].first[:, 0, 0], found[1].second[:, 0, 0]
    best = optimal_distance_1d(first, second)
    assert best > 0.1
    for one in found:
        assert math.sqrt((one.distance[:, 0] ** 2).mean()) > 0.95 * best


def test_tiny_distances_reflect_along_a_unit_vector():
    # A difference of subnormal numbers still has a direction.
    from numerics.chain_kernel import REFLECTION, add_noise

    first, second = np.array([3e-320, 0.0]), np.array([0.0, 4e-320])
    add_noise(first, second, np.array([1.0, 2.0]), 1.0, REFLECTION, 0.0)
    assert np.linalg.norm(second) == pytest.approx(math.sqrt(5.0), rel=1e-3)
    e = np.array([0.6, -0.8])
    assert second == pytest.approx(np.array([1.0, 2.0]) - 2 * (e @ [1.0, 2.0]) * e, rel=1e-3)
