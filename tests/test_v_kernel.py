"""The V-kernel of linear models: quadrature against integrals, and both forms against refits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate
from scipy.stats import norm

from numerics.feature_fits import fit_denoisers
from numerics.features import (
    FourierAxis,
    GaussianAxis,
    TensorFeatures,
    fourier_features,
    gaussian_features,
)
from numerics.schedules import schedule_named
from numerics.v_kernel import (
    PopulationMatrices,
    denoiser_variance,
    population_matrices,
    score_variance,
    v_kernel,
    weight_covariance,
)
from numerics.v_kernel_deviation import measured_ratio, measured_ratios, score_metric
from numerics.v_kernel_quadrature import FlatRule, Resolution, cells_at, flat_rule, time_rule

Array = NDArray[np.float64]
SCHEDULE = schedule_named("vp-linear")
LINE = np.array([[-1.0], [0.0], [1.0]])
PLANE = np.array([[1.0, 0.2], [-0.2, 1.0], [-1.0, -0.4]])
EPSILON = 0.02


def matrices_of(
    counts: tuple[int, ...], data: Array, ridge: float = 0.0, **options: Any
) -> PopulationMatrices:
    features = gaussian_features(counts, early_stopping_time=EPSILON)
    return population_matrices(
        features, data, SCHEDULE, early_stopping_time=EPSILON, ridge=ridge, **options
    )


# --- quadrature -----------------------------------------------------------------------------------


def brute_force(entry: tuple[int, int]) -> dict[str, float]:
    """Entries of Σ, A and B° for one dimension: one fixed fine grid in x, adaptive in t."""
    features = gaussian_features((4, 3), early_stopping_time=EPSILON)
    atoms, grid = LINE[:, 0], np.linspace(-9.5, 9.5, 1901)
    i, j = entry

    def over_space(kind: str, t: float) -> float:
        mu, sigma = float(SCHEDULE.mu(t)), math.sqrt(float(SCHEDULE.sigma2(t)))
        parts = norm.pdf(grid[:, None], mu * atoms, sigma) / 3.0
        total = np.maximum(parts.sum(axis=1), 1e-290)
        mean = parts @ atoms / total
        gamma = parts @ atoms**2 / total - mean**2
        phi = features.evaluate(grid[:, None], t)
        stress = mu**2 / sigma**2
        rate = {
            "second": stress * phi[:, i] * phi[:, j],
            "cross": stress * mean * phi[:, i],
            "noise": stress**2 * gamma * phi[:, i] * phi[:, j],
        }[kind]
        return float(np.sum(total * rate)) * float(grid[1] - grid[0])

    def over_time(kind: str) -> float:
        value, _ = integrate.quad(
            lambda t: over_space(kind, t), EPSILON, 1.0, epsabs=1e-13, epsrel=1e-11, limit=200
        )
        return float(value) / (1.0 - EPSILON)

    return {kind: over_time(kind) for kind in ("second", "cross", "noise")}


def test_masses_and_moments_of_the_rule() -> None:
    """Total probability, mean and law of total variance at every time, few and many points."""
    rng = np.random.default_rng(np.random.SeedSequence(1))
    for data in (LINE, PLANE, rng.normal(size=(40, 2)), np.array([[0.3]])):
        for time in (1e-4, 0.01, 0.1, 1.0):
            scales = (0.2,) * data.shape[1]
            mass, mean, spread = 0.0, np.zeros(2), 0.0
            for cells in cells_at(time, data, SCHEDULE, scales, 0.5):
                mass += float(np.sum(cells.mass))
                mean += np.einsum("ij,ija->a", cells.mass, cells.mean)
                trace = cells.covariance[..., 0] + cells.covariance[..., 2]
                spread += float(np.sum(cells.mass * (trace + np.sum(cells.mean**2, axis=-1))))
            assert mass == pytest.approx(1.0, abs=1e-12)
            assert mean[: data.shape[1]] == pytest.approx(data.mean(axis=0), abs=1e-12)
            assert spread == pytest.approx(float(np.mean(np.sum(data**2, axis=1))), abs=1e-12)


def test_time_rule_integrates_powers_and_the_weight_near_zero() -> None:
    times, weights = time_rule(1e-4, 1.0, 0.05, 9)
    assert float(np.sum(weights)) == pytest.approx(1.0, abs=1e-13)
    assert np.all(np.diff(times) > 0.0)
    for power, exact in ((-2.0, 1e4 - 1.0), (-1.0, math.log(1e4)), (3.0, (1 - 1e-16) / 4)):
        found = float(weights @ times**power) * (1.0 - 1e-4)
        assert found == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("entry", [(4, 4), (3, 7)])
def test_one_dimension_by_another_rule(entry: tuple[int, int]) -> None:
    found, exact = matrices_of((4, 3), LINE), brute_force(entry)
    i, j = entry
    assert found.second_moment[i, j] == pytest.approx(exact["second"], rel=1e-9, abs=1e-12)
    assert found.cross_moment[0, i] == pytest.approx(exact["cross"], rel=1e-9, abs=1e-12)
    scale = float(np.max(np.abs(found.representable)))
    assert found.representable[0, 0, i, j] == pytest.approx(exact["noise"], abs=1e-6 * scale)


def dense(
    rule: FlatRule, features: TensorFeatures, ridge: float
) -> tuple[Array, Array, Array, Array]:
    """Σ, W, B and B° as sums of outer products over the nodes; B centred, so semidefinite."""
    phi = features.evaluate(rule.points, rule.times)
    stress = np.asarray(SCHEDULE.mu(rule.times) ** 2 / SCHEDULE.sigma2(rule.times))
    mass = rule.probabilities
    second = np.einsum("q,qf,qg->fg", mass * stress, phi, phi, optimize=True)
    cross = np.einsum("q,qa,qf->af", mass * stress, rule.means, phi, optimize=True)
    weights = np.linalg.solve(second + ridge * np.eye(len(second)), cross.T).T
    gap = rule.means - phi @ weights.T
    noise = np.einsum(
        "q,qf,qg,qab->abfg", mass * stress**2, phi, phi, rule.covariances, optimize=True
    )
    moved = stress[:, None, None] * gap[:, :, None] * phi[:, None, :] - ridge * weights
    misfit = np.einsum("q,qaf,qbg->abfg", mass, moved, moved, optimize=True)
    return second, weights, noise + misfit, noise


@pytest.mark.parametrize(("counts", "data"), [((4, 3), LINE), ((3, 3, 2), PLANE)])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_tensor_sums_are_the_dense_sums(counts: tuple[int, ...], data: Array, ridge: float) -> None:
    coarse = Resolution(spacing=0.9, time_order=2)
    found = matrices_of(counts, data, ridge, resolutions=(coarse, coarse))
    rule = flat_rule(
        data, found.features, SCHEDULE, coarse, early_stopping_time=EPSILON, negligible=1e-18
    )
    second, weights, sandwich, representable = dense(rule, found.features, ridge)
    for ours, theirs in (
        (found.second_moment, second),
        (found.weights, weights),
        (found.sandwich, sandwich),
        (found.representable, representable),
    ):
        assert ours == pytest.approx(theirs, abs=1e-8 * float(np.max(np.abs(theirs))))
    assert found.errors == (0.0,) * 5
    size = found.weights.size
    for noise in (found.sandwich, found.representable):
        flat = noise.transpose(0, 2, 1, 3).reshape(size, size)
        assert np.array_equal(flat, flat.T) or np.allclose(flat, flat.T, rtol=1e-12, atol=0.0)
        values = np.linalg.eigvalsh(flat)
        assert values[0] > -1e-14 * size * values[-1]


def test_two_rules_tell_the_error() -> None:
    """The error of a coarse rule, as it says itself, against a rule far finer."""
    fine, coarse = Resolution(spacing=0.2, time_order=14), Resolution(spacing=0.8, time_order=5)
    said = matrices_of((4, 3), LINE, resolutions=(Resolution(0.3, 9), coarse)).errors
    true = matrices_of((4, 3), LINE, resolutions=(fine, coarse)).errors
    assert said == pytest.approx(true, rel=0.05)
    better = matrices_of((4, 3), LINE, resolutions=(fine, Resolution(0.25, 9))).errors
    assert better.second_moment < 1e-11
    assert better.representable < 1e-6
    assert max(better) < 0.01 * max(said)


@pytest.mark.parametrize("weight", ["one", "signal", "signal-to-noise"])
def test_a_constant_model_is_the_mean(weight: str) -> None:
    """φ = 1: W is the mean of the data, and P Var = E[λ² (x_0 - W)²] / E[λ]²."""
    features = TensorFeatures((FourierAxis(1, 3.0),), FourierAxis(1, 1.0))
    data = np.array([[0.0], [0.0], [3.0]])
    found = population_matrices(
        features,
        data,
        SCHEDULE,
        early_stopping_time=EPSILON,
        weight=weight,  # type: ignore[arg-type]
    )
    assert float(found.weights[0, 0]) == pytest.approx(1.0, rel=1e-10)

    def stress(t: float) -> float:
        signal, noise = float(SCHEDULE.mu(t)) ** 2, float(SCHEDULE.sigma2(t))
        return {"one": 1.0, "signal": signal, "signal-to-noise": signal / noise}[weight]

    first, second = (
        integrate.quad(lambda t, k=k: stress(t) ** k, EPSILON, 1.0, epsrel=1e-12)[0] / (1 - EPSILON)
        for k in (1, 2)
    )
    assert found.effective_share == pytest.approx(first**2 / second, rel=1e-6)
    variance = float(weight_covariance(found, 10)[0, 0, 0, 0])
    assert variance == pytest.approx(2.0 * second / first**2 / 10.0, rel=1e-6)


# --- the kernel -----------------------------------------------------------------------------------


def test_kernel_is_the_covariance_of_the_drift() -> None:
    found = matrices_of((3, 3, 2), PLANE, 0.1)
    points = np.array([[0.1, 0.2], [-0.5, 0.4], [1.0, -1.0]])
    times = np.array([0.05, 0.3, 0.9])
    covariance = weight_covariance(found, 40)
    phi = found.features.evaluate(points, times)
    denoisers = np.einsum("if,abfg,jg->ijab", phi, covariance, phi)
    factor = np.asarray(SCHEDULE.mu(times) / SCHEDULE.sigma2(times))
    drift = factor * SCHEDULE.diffusion(times)
    kernel = v_kernel(found, points, times, points, times, 40)
    size = float(np.max(np.abs(kernel)))
    assert kernel == pytest.approx(
        denoisers * np.multiply.outer(drift, drift)[:, :, None, None], abs=1e-9 * size
    )
    assert kernel == pytest.approx(kernel.transpose(1, 0, 3, 2), abs=1e-12 * size)
    flat = kernel.transpose(0, 2, 1, 3).reshape(6, 6)
    assert np.linalg.eigvalsh((flat + flat.T) / 2.0)[0] > -1e-13 * size
    diagonal = denoisers[range(3), range(3)]
    assert denoiser_variance(found, points, times, 40) == pytest.approx(diagonal, rel=1e-8)
    assert score_variance(found, points, times, 40) == pytest.approx(
        factor[:, None, None] ** 2 * diagonal, rel=1e-8
    )
    assert score_variance(found, points, 0.3, 80)[1] == pytest.approx(
        0.5 * score_variance(found, points, times, 40)[1], rel=1e-12
    )


def test_forms_agree_where_the_score_is_represented() -> None:
    """One data point: the denoiser is constant, φ = 1 represents it, and nothing varies."""
    features = TensorFeatures((FourierAxis(3, 4.0),), FourierAxis(1, 1.0))
    found = population_matrices(features, [[0.5]], SCHEDULE, early_stopping_time=EPSILON)
    assert found.weights == pytest.approx(np.array([[0.5, 0.0, 0.0]]), abs=1e-12)
    scale = float(np.max(found.second_moment))
    assert np.max(np.abs(found.sandwich)) < 1e-20 * scale**2
    assert np.max(np.abs(found.representable)) == 0.0


def test_refitted_models_vary_as_the_sandwich_says() -> None:
    """1000 models, intervals of confidence 1 - 1e-9 each, by Student's law of the jackknife.

    The next order in 1/P is a few F/P_effective: 5 % where λ = 1, F/P = 1/100.
    """
    features = gaussian_features((4, 3), early_stopping_time=EPSILON)
    design: dict[str, Any] = {
        "models": 1000,
        "early_stopping_time": EPSILON,
        "confidence": 1.0 - 1e-9,
        "seed": 2,
    }
    for ridge in (0.0, 0.1):
        even, steep = (
            measured_ratios(
                features, LINE, SCHEDULE, sizes=[1200], ridge=ridge, weight=weight, **design
            )[0]
            for weight in ("one", "signal-to-noise")
        )
        assert even.features_per_draw == 0.01
        assert even.effective_size == pytest.approx(1200.0, rel=1e-12)
        assert even.sandwich.lower < 1.05
        assert even.sandwich.upper > 0.95
        assert even.sandwich.upper - even.sandwich.lower < 0.3
        # λ = μ²/σ² asks for the score at small times, which so few features cannot represent
        assert steep.effective_size < 200.0
        assert steep.sandwich.lower < 1.2
        assert steep.sandwich.upper > 0.95
        assert steep.representable.lower > 1.5


def test_ratio_and_its_jackknife_by_hand() -> None:
    found = matrices_of((4, 3), LINE, 0.1)
    fit = fit_denoisers(
        found.features, LINE, SCHEDULE, size=100, models=25, early_stopping_time=EPSILON, seed=3
    )
    points, times = np.array([[-1.0], [0.2], [0.7]]), np.array([0.1, 0.2, 0.9])
    metric = score_metric(found, points, times)
    ratio = measured_ratio(fit.weights, found, 100, metric=metric, confidence=0.9)

    def spread(weights: Array) -> float:
        phi = found.features.evaluate(points, times)
        scores = weights[:, 0] @ phi.T * SCHEDULE.mu(times) / SCHEDULE.sigma2(times)
        return float(np.mean(np.var(scores, axis=0, ddof=1)))

    predicted = float(np.mean(score_variance(found, points, times, 100)))
    assert ratio.ratio == pytest.approx(spread(fit.weights) / predicted, rel=1e-9)
    without = [spread(np.delete(fit.weights, i, axis=0)) / predicted for i in range(25)]
    error = math.sqrt(24.0 / 25.0 * float(np.sum((without - np.mean(without)) ** 2)))
    assert ratio.upper - ratio.lower == pytest.approx(2.0 * 1.7108820799 * error, rel=1e-8)


# --- refusals -------------------------------------------------------------------------------------


def twice() -> TensorFeatures:
    """Fourier functions on a period so long that all are constant to rounding."""
    return TensorFeatures((FourierAxis(3, 1e12),), FourierAxis(1, 1.0))


def far() -> TensorFeatures:
    return TensorFeatures((GaussianAxis([0.0, 80.0], 0.5),), FourierAxis(1, 1.0))


def population(features: TensorFeatures, data: object = LINE, **options: Any) -> PopulationMatrices:
    given = {"early_stopping_time": EPSILON, **options}
    return population_matrices(features, data, SCHEDULE, **given)  # type: ignore[arg-type]


FOUR = gaussian_features((4, 3), early_stopping_time=EPSILON)
REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "redundant": (lambda: population(twice()), "x cos 1, t constant"),
    "never active": (lambda: population(far()), "1 of 2 are never active (x centre 80"),
    "F > P": (lambda: weight_covariance(population(FOUR), 11), "F = 12 features and P = 11 draws"),
    "no draws": (lambda: weight_covariance(population(FOUR), 0), "training_size = 0"),
    "form": (lambda: weight_covariance(population(FOUR), 20, "other"), "form = 'other'"),
    "dimension": (lambda: population(FOUR, PLANE), "dimension 2"),
    "three": (lambda: population(FOUR, np.zeros((2, 3))), "dimension above 2"),
    "no data": (lambda: population(FOUR, np.zeros((0, 1))), "at least one finite point"),
    "ridge": (lambda: population(FOUR, ridge=-1.0), "ridge = -1.0"),
    "weight": (lambda: population(FOUR, weight="two"), "weight = 'two'"),
    "time": (lambda: population(FOUR, early_stopping_time=0.0), "early_stopping_time = 0.0"),
    "models": (
        lambda: measured_ratio(np.zeros((2, 1, 12)), population(FOUR), 20),
        "at least 3 models",
    ),
    "confidence": (
        lambda: measured_ratio(np.zeros((3, 1, 12)), population(FOUR), 20, confidence=1.0),
        "confidence = 1.0",
    ),
    "grid": (
        lambda: next(cells_at(1.0, np.zeros((1, 2)), SCHEDULE, (1e-4, 1e-4), 0.3)),
        "fewer features",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_one_line(name: str) -> None:
    call, words = REFUSALS[name]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked for below
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ridge_makes_redundant_features_do() -> None:
    found = population(twice(), ridge=0.1)
    assert np.all(np.isfinite(weight_covariance(found, 2)))


def test_fourier_features_and_progress() -> None:
    calls: list[tuple[int, int]] = []
    features = fourier_features((5, 3), early_stopping_time=EPSILON)
    population(features, progress=lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == list(range(1, calls[-1][1] + 1))
