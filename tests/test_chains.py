"""Pairs of training chains: closed forms, the reference, other models, refusals.

Seeds are fixed. Where one could fail a correct program, the test says with what probability.
"""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numba
import numpy as np
import pytest
from scipy import stats

from numerics import chain_streams
from numerics.chain_models import GaussianMean, LinearFeatures, TwoWells
from numerics.chain_streams import Sizes, chain_key, draw_steps, new_draws
from numerics.chain_user_model import UserModel, gradient_rows, score_rows
from numerics.chains import ball_radius, run_pairs
from numerics.laws import Circles, Cube, Mixture
from numerics.noise_levels import NoiseLevels
from numerics.optimal_distance import optimal_distance_1d
from numerics.reference_chains import reference_pair
from numerics.score_changes import score_changes

ONE = NoiseLevels([1.2], [0.8], [1.0])
THREE = NoiseLevels([0.9, 0.6, 0.2], [0.4, 0.8, 1.1], [0.5, 2.0, 1.0])
WELLS = Mixture(np.array([[-1.0], [1.0]]), 0.3)
FEATURES = LinearFeatures([[1.0, 0.5], [-0.3, 2.0], [0.0, 0.7]], [0.1, 1.0, -2.0], 0.6)
MODELS = {
    "gaussian-mean": (GaussianMean(0.3), Circles(1.0, 1, 2), [0.4, -0.1]),
    "two-wells": (TwoWells(0.2), WELLS, [0.7]),
    "features": (FEATURES, Circles(1.0, 1, 2), np.linspace(-1.0, 1.0, 6)),
}


def run(model=None, law=WELLS, levels=THREE, **changed):
    arguments = {
        "size": 6, "batch": 3, "redraws": 2, "steps": 9, "step_size": 0.05, "weight_decay": 0.3,
        "clip": 1.5, "start": [0.7], "pairs": 4, "rng": 11,
    }  # fmt: skip
    return run_pairs(TwoWells(0.2) if model is None else model, law, levels, **arguments | changed)


def as_callables(model, dimension):
    count = model.parameter_count(dimension)
    return UserModel(
        model.score, model.gradient, parameters=count, dimension=dimension, compiled=False
    )


@numba.njit
def compiled_score(theta, x, mu, sigma, out):
    v = mu**2 * 0.2 + sigma**2
    out[0] = (mu * theta[0] * np.tanh(mu * theta[0] * x[0] / v) - x[0]) / v


@numba.njit
def compiled_gradient(theta, x0, z, mu, sigma, out):
    v = mu**2 * 0.2 + sigma**2
    x = mu * x0[0] + sigma * z[0]
    u = mu * theta[0] * x / v
    residual = (mu * theta[0] * np.tanh(u) - x) / v + z[0] / sigma
    out[0] = 2.0 * residual * (mu / v) * (np.tanh(u) + u / np.cosh(u) ** 2)


COMPILED = UserModel(compiled_score, compiled_gradient, parameters=1, dimension=1, compiled=True)


# --- the models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_the_loss(name):
    model, law, start = MODELS[name]
    rng = np.random.default_rng(5)
    x0, mu, sigma = law.sample(rng, (50,)), rng.uniform(0.1, 1, 50), rng.uniform(0.3, 1, 50)
    theta, z = rng.normal(size=(50, len(start))), rng.normal(size=x0.shape)

    def loss(theta):
        x = mu[:, None] * x0 + sigma[:, None] * z
        return ((score_rows(model)(theta, x, mu, sigma) + z / sigma[:, None]) ** 2).sum(axis=1)

    found = gradient_rows(model)(theta, x0, z, mu, sigma)
    for c in range(theta.shape[1]):
        step = 1e-5 * np.eye(theta.shape[1])[c]
        slope = (loss(theta + step) - loss(theta - step)) / 2e-5
        assert np.abs(slope - found[:, c]).max() < 1e-7 * (1.0 + np.abs(found).max())


def test_nothing_cancels_without_variance():
    # g = 2 μ²/σ⁴ (θ - x_0) whatever z; written with z/σ it would lose twelve digits here.
    theta, x0, mu, sigma = (np.full((1, 1), value) for value in (0.5, 0.2, 0.9, 1e-6))
    found = GaussianMean(0.0).gradient(theta, x0, np.array([[3.0]]), mu[0], sigma[0])
    assert found[0, 0] == pytest.approx(2 * 0.9**2 / 1e-24 * 0.3, rel=1e-14)


# --- agreement ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("gaussian-mean", {}),
        ("gaussian-mean", {"noise": 0.4, "coupling": "reflection-maximal", "batch": 1}),
        ("gaussian-mean", {"noise": 0.4, "coupling": "reflection", "projection_radius": 0.45}),
        ("two-wells", {"clip": None, "size": 1, "batch": 1, "redraws": 1}),
        ("two-wells", {"clipping": "per-sample", "noise": 0.2, "weight_decay": 0.0}),
        ("two-wells", {"noise": 1.0, "coupling": "reflection-maximal", "levels": ONE}),
        ("two-wells", {"step_size": np.geomspace(0.5, 0.01, 9), "batch": 6, "clip": 0.3}),
        ("features", {"noise": 0.5, "coupling": "reflection"}),
        ("features", {"clipping": "per-sample", "clip": 0.8, "projection_radius": 1.5}),
    ],
)
def test_kernel_callables_and_reference_agree(name, changed):
    model, law, start = MODELS[name]
    common = {"start": start, "record": range(10), "redraws": 3, **changed}
    fast = run(model, law, **common)
    dimension = law.dimension
    slow = run(as_callables(model, dimension), law, **common)
    chains = np.stack([fast.first, fast.second], axis=2)
    scale = np.abs(chains).max()
    assert np.abs(chains - np.stack([slow.first, slow.second], axis=2)).max() < 1e-12 * scale
    seen = []

    def remembering(generator, shape):
        seen.append(law.sample(generator, shape))
        return seen[0]

    run(model, remembering, **common)
    arguments = {
        "batch": 3, "redraws": 3, "weight_decay": 0.3, "clip": 1.5, "clipping": "whole",
        "noise": 0.0, "coupling": "synchronous", "projection_radius": None,
    }  # fmt: skip
    arguments |= {key: value for key, value in common.items() if key in arguments}
    size = changed.get("size", 6)
    for i in (0, 3):
        expected = reference_pair(
            model, seen[0][i, :size], seen[0][i, size], changed.get("levels", THREE),
            step_sizes=np.broadcast_to(changed.get("step_size", 0.05), 9), start=start, pair=i,
            rng=11, **arguments,
        )  # fmt: skip
        assert np.abs(chains[i] - expected).max() < 1e-10 * scale
        assert np.array_equal(fast.replaced[i], seen[0][i, 0])
        assert np.array_equal(fast.swapped_in[i], seen[0][i, size])
    assert np.array_equal(fast.distance, np.linalg.norm(fast.first - fast.second, axis=2))


def test_a_compiled_model_agrees_with_the_built_in_one():
    common = {"noise": 0.3, "coupling": "reflection-maximal", "record": [0, 5, 9]}
    built_in, own = run(**common), run(COMPILED, **common)
    assert np.allclose(own.first, built_in.first, rtol=1e-12)
    assert np.allclose(own.second, built_in.second, rtol=1e-12)
    changes = [score_changes(built_in, model, THREE) for model in (COMPILED, TwoWells(0.2))]
    assert np.allclose(changes[0].values, changes[1].values, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("model", [TwoWells(0.2), as_callables(TwoWells(0.2), 1)])
def test_bits_depend_on_neither_threads_nor_blocks_nor_how_many(model, monkeypatch):
    common = {"noise": 0.3, "coupling": "reflection-maximal", "record": [3, 9]}
    whole = run(model, pairs=100, **common)

    def same(other, low, high):
        return all(
            np.array_equal(getattr(other, name), getattr(whole, name)[low:high])
            for name in ("first", "second", "replaced", "swapped_in")
        )

    assert same(run(model, pairs=7, **common), 0, 7)
    assert same(run(model, pairs=40, first_pair=50, **common), 50, 90)
    calls = []
    again = run(model, pairs=100, block=33, progress=lambda *now: calls.append(now), **common)
    assert same(again, 0, 100)
    assert calls == [(33, 100), (66, 100), (99, 100), (100, 100)]
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert same(run(model, pairs=100, **common), 0, 100)
    finally:
        numba.set_num_threads(threads)
    assert same(run(model, pairs=100, **common | {"steps": 300}), 0, 100)
    monkeypatch.setattr(chain_streams, "_TOGETHER", 1)  # two steps' numbers at a time
    assert same(run(model, pairs=100, **common), 0, 100)


# --- closed forms ---------------------------------------------------------------------------------


def linear_case(size, batch, steps, law, **changed):
    """GaussianMean(0): the distance obeys Δ⁺ = qΔ + (ηa/B)(x_1 - x̃) 1{1 in the batch}."""
    found = run(
        GaussianMean(0.0), law, ONE, size=size, batch=batch, redraws=1, steps=steps, clip=None,
        weight_decay=0.5, **changed,
    )  # fmt: skip
    slope = 2 * 1.2**2 / 0.8**4
    return found, 0.05 * slope / batch, 1 - 0.05 * (0.5 + slope)


@pytest.mark.parametrize("steps", [1, 2, 25, 400])
def test_full_batches_give_the_geometric_sum(steps):
    found, gain, q = linear_case(4, 4, steps, Circles(2.0, 1, 3), start=None, pairs=50)
    expected = gain * (1 - q**steps) / (1 - q) * (found.replaced - found.swapped_in)
    assert np.abs(found.first[:, 0] - found.second[:, 0] - expected).max() < 1e-12


@pytest.mark.parametrize(
    ("size", "batch", "steps"), [(10, 1, 30), (10, 3, 5), (7, 6, 12), (100, 20, 50), (2, 1, 1)]
)
def test_the_mean_square_distance_is_that_of_the_recursion(size, batch, steps):
    # 40,000 pairs, data in [-1, 1]: an empirical Bernstein interval, false alarm 1e-10 each.
    pairs = 40_000
    found, gain, q = linear_case(size, batch, steps, Cube(1.0, 1, 1), start=None, pairs=pairs)
    p, powers = batch / size, q ** np.arange(steps)
    squares = p * (1 - p) * (powers**2).sum() + p**2 * powers.sum() ** 2
    values = found.distance[:, 0] ** 2
    span = (2 * gain * np.abs(powers).sum()) ** 2
    log_term = math.log(4 / 1e-10)
    width = values.std(ddof=1) * math.sqrt(2 * log_term / pairs)
    width += 7 * span * log_term / (3 * (pairs - 1))
    exact = gain**2 * (2 / 3) * squares
    assert abs(values.mean() - exact) < width
    assert width < 0.5 * exact


def test_batches_are_uniform_subsets():
    # 200,000 steps on 10 subsets: false alarm 1e-10 for either test.
    sizes = Sizes(5, 2, 1, 1, 1, 1)
    draws = new_draws(sizes, 200_000, False, False)
    draw_steps(chain_key(3), 9, 0, sizes, np.ones(1), np.arange(5), draws)
    subsets = [tuple(sorted(pair)) for pair in draws.chosen.tolist()]
    counts = [subsets.count(pair) for pair in combinations(range(5), 2)]
    assert stats.chisquare(counts).pvalue > 1e-10
    # Nor do batches depend on those before: 25 pairs of samples in consecutive steps.
    consecutive = draws.chosen[1::2, 0] + 5 * draws.chosen[::2, 0]
    assert stats.chisquare(np.bincount(consecutive)).pvalue > 1e-10


def test_the_mean_gradient_is_that_of_the_integral_over_tau():
    # One step from 0 on the point 1: the mean of -g is ∫ 2 μ²/σ⁴ dτ. 100,000 pairs, 1e-10.
    found = run(
        GaussianMean(0.0), lambda rng, shape: np.ones((*shape, 1)), size=1, batch=1, redraws=2,
        steps=1, step_size=1.0, weight_decay=0.0, clip=None, start=None, pairs=100_000,
    )  # fmt: skip
    values = found.first[:, 0, 0]
    exact = float(np.sum(THREE.weights * 2 * THREE.mu**2 / THREE.sigma**4))
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - exact) < stats.norm.isf(0.5e-10) * error
    assert np.array_equal(found.first, found.second)


@pytest.mark.parametrize("clipping", ["whole", "per-sample"])
def test_no_chain_leaves_the_invariant_ball(clipping):
    for start, step_size in (([0.1], 2.0), ([3.0], 0.3)):
        found = run(
            clip=0.4, weight_decay=0.5, step_size=step_size, clipping=clipping, start=start,
            steps=200, record=range(201), pairs=50, redraws=1,
        )  # fmt: skip
        radius = ball_radius(start, clip=0.4, weight_decay=0.5)
        assert radius == max(start[0], 0.8)
        largest = max(np.abs(found.first).max(), np.abs(found.second).max())
        assert largest <= radius * (1 + 1e-14)
        assert largest > 0.5 * radius


# --- changes of the score -------------------------------------------------------------------------


def test_score_changes_of_a_gaussian_mean_are_exact():
    found = run(GaussianMean(0.3), Circles(1.0, 1, 2), start=None, record=[1, 9])
    changes = score_changes(found, GaussianMean(0.3), THREE)
    v = THREE.mu**2 * 0.3 + THREE.sigma**2
    factor = np.sum(THREE.weights * THREE.mu**2 / v**2)
    assert np.allclose(changes.values, factor * found.distance**2, rtol=1e-14)
    assert changes.method == "exact"
    sampled = score_changes(
        found, as_callables(GaussianMean(0.3), 2), THREE, draws=2, rng=0
    )  # the change does not depend on z
    assert np.allclose(sampled.values, changes.values, rtol=1e-10)


def test_score_changes_on_the_line_agree_with_a_fine_sum():
    # Steep wells, at 0.02 of their separation: the rule has to halve its step.
    levels = NoiseLevels([1.0, 0.5], [0.02, 0.9], [1e-3, 2.0])
    found = run(TwoWells(0.0), levels=levels, record=[0, 9], pairs=5, clip=0.5)
    changes = score_changes(found, TwoWells(0.0), levels)
    z = np.linspace(-9.5, 9.5, 400_001)
    for i, r in ((0, 1), (4, 1), (2, 0)):
        exact = 0.0
        for mu, sigma, weight in zip(levels.mu, levels.sigma, levels.weights, strict=True):
            x = mu * found.swapped_in[i, 0] + sigma * z
            first, second = (
                mu * theta[i, r, 0] * np.tanh(mu * theta[i, r, 0] * x / sigma**2) / sigma**2
                for theta in (found.first, found.second)
            )
            exact += weight * np.mean((first - second) ** 2 * stats.norm.pdf(z)) * 19.0
        tolerance = 1e-5 * exact + changes.errors[i, r]  # the mean has one node too many
        assert abs(changes.values[i, r] - exact) <= tolerance
        assert changes.errors[i, r] <= 1e-9 * exact
    assert np.all(changes.values[:, 0] == 0.0)


def test_score_changes_of_features_agree_with_their_closed_form():
    # E cos(a·z + b) = e^(-|a|²/2) cos b. 200,000 draws, asymptotic, false alarm 1e-10 a pair.
    model, law, start = MODELS["features"]
    found = run(model, law, start=start, pairs=3)
    changes = score_changes(found, model, THREE, draws=200_000, rng=4)
    w, b, scale = model.frequencies, model.phases, model.scale
    for i in range(3):
        delta = (found.first - found.second)[i, 0].reshape(3, 2)
        exact = 0.0
        for mu, sigma, weight in zip(THREE.mu, THREE.sigma, THREE.weights, strict=True):
            for sign in (-1, 1):
                waves, shifts = w[:, None] + sign * w, b[:, None] + sign * b
                cosines = np.cos(mu * waves @ found.swapped_in[i] + shifts)
                damped = np.exp(-(sigma**2) * (waves**2).sum(axis=2) / 2) * cosines
                exact += weight * 0.5 * scale**2 * np.sum(damped * (delta @ delta.T))
        error = changes.errors[i, 0]
        assert abs(changes.values[i, 0] - exact) < stats.norm.isf(0.5e-10) * error
        assert error < 0.01 * exact
    few = score_changes(run(model, law, start=start, pairs=2), model, THREE, draws=50, rng=4)
    more = score_changes(found, model, THREE, draws=50, rng=4)
    assert np.array_equal(few.values, more.values[:2])


def test_the_distance_on_the_line_is_optimal():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), rng.normal(size=5)
    sorted_ = optimal_distance_1d(a, b)
    best = min(np.mean((a - np.array(order)) ** 2) for order in permutations(b))
    assert sorted_ == pytest.approx(math.sqrt(best), rel=1e-13)
    # Repeating samples changes no measure.
    assert optimal_distance_1d(np.repeat(a, 6), np.repeat(b, 4)) == pytest.approx(sorted_)
    for bad in ([], [np.nan]):
        with pytest.raises(ValueError, match=r"^second is empty or not finite"):
            optimal_distance_1d(a, bad)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step_size": 4.0}, r"step_size = 4.0: times weight_decay = 0.3 it must be at most 1"),
        ({"step_size": [0.1] * 8 + [4.0]}, r"step_size\[8\] = 4.0: times"),
        ({"step_size": [0.1] * 8}, r"step_size has shape \(8,\)"),
        ({"step_size": 0.0}, "step_size = 0.0: a finite number > 0"),
        ({"step_size": np.nan}, "step_size = nan"),
        ({"step_size": "much"}, "step_size = 'much'"),
        ({"clip": 0.0}, "clip = 0.0: a number > 0"),
        ({"clip": -1.0}, "clip = -1.0"),
        ({"clip": np.nan}, "clip = nan"),
        ({"projection_radius": 0}, "projection_radius = 0: a number > 0"),
        ({"batch": 7}, r"batch = 7: an integer in \[1, 6\]"),
        ({"batch": 0}, "batch = 0"),
        ({"batch": True}, "batch = True"),
        ({"size": 0}, "size = 0"),
        ({"redraws": 0}, "redraws = 0"),
        ({"steps": 0}, "steps = 0"),
        ({"pairs": 0}, "pairs = 0"),
        ({"first_pair": -1}, "first_pair = -1"),
        ({"block": 0}, "block = 0"),
        ({"weight_decay": -0.1}, "weight_decay = -0.1: a finite number >= 0"),
        ({"weight_decay": np.inf}, "weight_decay = inf"),
        ({"noise": -1.0}, "noise = -1.0"),
        ({"noise": "some"}, "noise = 'some'"),
        ({"coupling": "mirror"}, "coupling = 'mirror': it must be one of synchronous, reflection"),
        ({"clipping": "each"}, "clipping = 'each': it must be one of whole, per-sample"),
        ({"start": [0.0, 1.0]}, r"start has shape \(2,\): it must be \(1,\)"),
        ({"start": [np.inf]}, r"start = \[inf\]"),
        ({"start": None}, "start = None: TwoWells has no gradient at 0"),
        ({"record": [0, 10]}, r"record = \[0, 10\]: increasing steps in \[0, 9\]"),
        ({"record": [3, 3]}, r"record = \[3, 3\]"),
        ({"record": []}, r"record = \[\]"),
        ({"record": [0.5]}, r"record = \[0.5\]"),
        ({"model": "wells"}, "model = 'wells': a score model is needed"),
        ({"levels": 1.0}, "levels = 1.0: NoiseLevels are needed"),
        ({"law": Circles(1.0, 1, 2)}, "law has dimension 2: that of the model is 1"),
        ({"law": 3}, "law = 3: it must draw points"),
        ({"law": lambda rng, shape: np.zeros(shape)}, r"law returned shape \(32, 7\)"),
        ({"law": lambda rng, shape: np.full((*shape, 1), np.nan)}, "law returned points that"),
        ({"rng": -1}, "rng = -1"),
    ],
)
def test_bad_arguments_are_refused_on_one_line(changed, message):
    with pytest.raises(ValueError, match="^" + message) as caught:
        run(**changed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NoiseLevels([1.0], [1.0, 2.0], [1.0]), r"sigma has shape \(2,\)"),
        (lambda: NoiseLevels([], [], []), r"mu has shape \(0,\)"),
        (lambda: NoiseLevels([1.0], [0.0], [1.0]), r"sigma\[0\] = 0.0"),
        (lambda: NoiseLevels([-1.0], [1.0], [1.0]), r"mu\[0\] = -1.0"),
        (lambda: NoiseLevels([1.0], [1.0], [0.0]), "weights = all 0"),
        (lambda: NoiseLevels("abc", [1.0], [0.0]), "mu = 'abc'"),
        (lambda: GaussianMean(-1.0), "variance = -1.0"),
        (lambda: TwoWells(np.nan), "variance = nan"),
        (lambda: LinearFeatures([1.0], [0.0]), r"frequencies has shape \(1,\)"),
        (lambda: LinearFeatures([[1.0]], [0.0, 1.0]), r"phases has shape \(2,\)"),
        (lambda: ball_radius([1.0], clip=1.0, weight_decay=0.0), "weight_decay = 0.0"),
        (lambda: user(parameters=0), "parameters = 0"),
        (lambda: user(score=3), "score = 3"),
        (lambda: user(compiled=True), "compiled = True: score is no numba function"),
        (
            lambda: user(score=compiled_score, gradient=compiled_gradient),
            "compiled = False: score is a numba function",
        ),
        (lambda: score_changes(run(), GaussianMean(0.1), THREE, draws=1), "draws = 1"),
        (lambda: score_changes(run(), FEATURES, THREE), "pairs has d = 1 and p = 1"),
        (
            lambda: score_changes(run(FEATURES, Circles(1.0, 1, 2), start=None), FEATURES, THREE),
            "rng = None",
        ),
    ],
)
def test_other_bad_arguments_are_refused_on_one_line(call, message):
    with pytest.raises(ValueError, match="^" + message) as caught:
        call()
    assert "\n" not in str(caught.value)


def user(**changed):
    arguments = {
        "score": lambda theta, x, mu, sigma: -x,
        "gradient": lambda theta, x0, z, mu, sigma: theta - x0,
        "parameters": 1,
        "dimension": 1,
        "compiled": False,
    }
    return UserModel(**arguments | changed)


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (lambda theta, *_: theta[:, 0], r"gradient returned shape \(24,\) .* shape \(24, 1\)"),
        (lambda theta, *_: theta[:1], r"gradient returned shape \(1, 1\)"),
        (lambda theta, *_: 1j * theta, "gradient returned .* dtype complex128"),
        (lambda theta, *_: None, r"gradient returned shape \(\) and dtype object"),
    ],
)
def test_a_gradient_of_a_wrong_shape_is_named(gradient, message):
    with pytest.raises(ValueError, match="^" + message) as caught:
        run(user(gradient=gradient))
    assert "\n" not in str(caught.value)


def test_a_score_of_a_wrong_shape_is_named():
    model = user(score=lambda theta, x, mu, sigma: x[:, 0])
    with pytest.raises(ValueError, match=r"^score returned shape \(\d+,\)"):
        score_changes(run(), model, THREE)


@numba.njit
def beyond(theta, x0, z, mu, sigma, out):
    out[0] = theta[0]
    out[1] = x0[0]


@numba.njit
def before(theta, x0, z, mu, sigma, out):
    out[0] = theta[0]
    for c in range(-1, 0):
        out[c - 1] = 0.0


@numba.njit
def untouched(theta, x0, z, mu, sigma, out):
    pass


@numba.njit
def two_at_once(theta, x0, z, mu, sigma, out):
    out[:] = np.zeros(2)


@numba.njit
def four_arguments(theta, x, mu, out):
    out[0] = 0.0


@numba.njit
def overwriting(theta, x0, z, mu, sigma, out):
    theta[0] = 2.0
    out[0] = 0.0


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (beyond, r"gradient failed on a trial \(index 1 is out of bounds .*shape \(1,\)"),
        (before, r"gradient failed on a trial \(index -2 is out of bounds"),
        (untouched, "gradient left 1 of 1 entries of out unset or nan"),
        (two_at_once, r"gradient failed on a trial \(could not broadcast input array from shape"),
        (four_arguments, r"gradient failed on a trial \(.*arguments"),
        (overwriting, "gradient changed its arguments"),
    ],
)
def test_a_compiled_gradient_is_tried_first(gradient, message):
    model = UserModel(compiled_score, gradient, parameters=1, dimension=1, compiled=True)
    with pytest.raises(ValueError, match="^" + message) as caught:
        run(model)
    assert "\n" not in str(caught.value)


def test_a_gradient_that_is_no_number_is_named():
    model = user(gradient=lambda theta, x0, z, mu, sigma: np.full_like(theta, np.nan))
    with pytest.raises(ValueError, match=r"^pair 0 is not in .* after step 1"):
        run(model)


def test_a_chain_that_leaves_is_named_alike_by_both_routes():
    # Pair 2 of 5 sees a far point and grows by a factor of 1e40 a step.
    def law(rng, shape):
        points = np.zeros((*shape, 1))
        points[2] = 1.0
        return points

    messages = []
    for model in (GaussianMean(0.0), as_callables(GaussianMean(0.0), 1)):
        with pytest.raises(
            ValueError, match=r"^pair 2 is not in \[-1e\+100, 1e\+100\] after step 3: "
        ) as c:
            run(
                model, law, ONE, clip=None, step_size=1e40, weight_decay=0.0, start=None, pairs=5,
                block=2,
            )  # fmt: skip
        messages.append(str(c.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]
