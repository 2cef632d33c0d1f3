"""The tangent kernel against networks and integrals, and the V-kernel's limits in training time."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate
from scipy.special import eval_hermitenorm, factorial

from numerics.features import TensorFeatures, gaussian_features
from numerics.neural_tangent import (
    ReluTangentKernel,
    TangentEigensystem,
    arc_cosine_one,
    arc_cosine_zero,
    noise_of_modes,
    tangent_eigensystem,
    trained_kernel,
    trained_v_kernel,
    trained_variance_total,
)
from numerics.schedules import schedule_named
from numerics.v_kernel import population_matrices, v_kernel
from numerics.v_kernel_quadrature import FlatRule, Resolution, flat_rule

Array = NDArray[np.float64]
SCHEDULE = schedule_named("vp-linear")
DATA = np.array([[-1.0], [0.0], [1.0]])
EPSILON = 0.05
ROUGH = Resolution(spacing=1.5, time_order=2)


def angular(power: int, angle: float) -> float:
    """2 E[max(u, 0)^power max(v, 0)^power], in polar coordinates: u = r cos a, v = r cos(a - c)."""
    radial = {0: 1.0, 1: 2.0}[power]

    def rate(a: float) -> float:
        return (math.cos(a) * math.cos(a - angle)) ** power

    value, _ = integrate.quad(rate, angle - math.pi / 2, math.pi / 2, epsabs=0.0, epsrel=1e-12)
    return 2.0 * radial * value / (2.0 * math.pi)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 0.5, 1.5, 2.5, 3.1])
def test_arc_cosine_kernels_are_the_integrals(angle: float) -> None:
    assert float(arc_cosine_zero(angle)) == pytest.approx(angular(0, angle), rel=1e-10)
    # near π both are small differences of numbers of order 1
    assert float(arc_cosine_one(angle)) == pytest.approx(angular(1, angle), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("angle", [1e-7, 1e-3, 0.3, 0.69, 0.71, 2.0, 3.0])
def test_angles_of_the_next_layer_keep_their_digits(angle: float) -> None:
    """Kernels of depth 3 for unit vectors at a small angle: 1 - κ₁ must not be a cancellation."""
    with mpmath.workdps(60):
        a = mpmath.mpf(angle)
        theta = mpmath.cos(a)
        for _ in range(3):
            kappa = (mpmath.cos(a) * (mpmath.pi - a) + mpmath.sin(a)) / mpmath.pi
            theta = theta * (mpmath.pi - a) / mpmath.pi + kappa
            a = mpmath.acos(kappa)
    constant = 1e-9  # as good as none
    kernel = ReluTangentKernel(3, constant=constant)
    left = np.array([[1.0, 0.0]])
    right = np.array([[math.cos(angle), math.sin(angle)]])
    assert float(kernel(left, right)[0, 0]) == pytest.approx(float(theta), rel=1e-13)
    assert 4.0 - float(kernel(left, right)[0, 0]) == pytest.approx(
        float(4 - theta), rel=1e-8, abs=4e-15
    )


def test_one_hidden_layer_is_the_mean_over_units() -> None:
    """f = √(2/n) Σ a_i max(w_i z, 0): its gradients' product is a mean of independent terms.

    40 000 units; at 6.5 standard errors a false alarm has probability 8e-11 per entry, six
    entries, by the central limit theorem.
    """
    rng = np.random.default_rng(np.random.SeedSequence(11))
    kernel = ReluTangentKernel(1, space_scale=0.7, time_scale=2.0, constant=0.5)
    points = rng.normal(size=(3, 2))
    z = kernel.inputs(points)
    assert z[0].tolist() == [0.7 * points[0, 0], 2.0 * points[0, 1], 0.5]
    weights, outer = rng.standard_normal((40_000, 3)), rng.standard_normal(40_000)
    before = weights @ z.T
    active, after = before > 0.0, np.maximum(before, 0.0)
    exact = kernel(points, points)
    for i in range(3):
        for j in range(i + 1):
            terms = 2.0 * (
                after[:, i] * after[:, j]
                + outer**2 * active[:, i] * active[:, j] * float(z[i] @ z[j])
            )
            error = float(np.std(terms)) / math.sqrt(len(terms))
            assert abs(float(np.mean(terms)) - exact[i, j]) < 6.5 * error
            assert exact[i, j] == exact[j, i]


def test_two_hidden_layers_by_nested_integrals() -> None:
    """Σ¹ by integration gives the covariance of the next layer's inputs, and so on."""
    kernel = ReluTangentKernel(2)
    points = np.array([[0.3, 0.8], [-1.1, 0.2]])
    z = kernel.inputs(points)
    sizes = np.linalg.norm(z, axis=1)
    covariance = float(z[0] @ z[1])
    theta = covariance
    for _ in range(2):
        angle = math.acos(covariance / float(sizes[0] * sizes[1]))
        theta *= angular(0, angle)
        covariance = float(sizes[0] * sizes[1]) * angular(1, angle)
        theta += covariance
    assert float(kernel(points[:1], points[1:])[0, 0]) == pytest.approx(theta, rel=1e-10)
    assert float(kernel(points[:1], points[:1])[0, 0]) == pytest.approx(3.0 * sizes[0] ** 2)


# --- spectra --------------------------------------------------------------------------------------


def gauss_hermite(count: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes[:, None], weights / math.sqrt(2.0 * math.pi)


def mehler(left: Array, right: Array) -> Array:
    """Σ r^k h_k(x) h_k(y) for r = 1/2, in closed form."""
    r = 0.5
    x, y = left[:, :1], right[:, 0][None, :]
    exponent = (2.0 * r * x * y - r**2 * (x**2 + y**2)) / (2.0 * (1.0 - r**2))
    return np.asarray(np.exp(exponent) / math.sqrt(1.0 - r**2))


def test_mehler_kernel_has_hermite_functions() -> None:
    nodes, weights = gauss_hermite(40)
    system = tangent_eigensystem(mehler, nodes, weights, finer=gauss_hermite(60))
    orders = np.arange(10)
    assert system.eigenvalues[:10] == pytest.approx(0.5**orders, rel=1e-7)
    assert np.all(
        np.abs(system.eigenvalues[:10] - 0.5**orders) <= 1e-13 + system.eigenvalue_errors[:10]
    )
    places = np.array([[-1.7], [0.2], [2.5]])  # off the nodes: Nyström's extension
    found = system.filtered(places, math.inf)[:, :8]
    exact = eval_hermitenorm(np.arange(8), places) / np.sqrt(factorial(np.arange(8)))
    assert np.abs(found) == pytest.approx(np.abs(exact), rel=1e-6, abs=1e-7)
    time = 3.0
    filtered = trained_kernel(system, places, places, time)
    orders = np.arange(60)
    every = eval_hermitenorm(orders, places) / np.sqrt(factorial(orders))
    assert filtered == pytest.approx((every * -np.expm1(-time * 0.5**orders)) @ every.T, rel=1e-6)


def test_coarse_rule_is_seen_in_the_errors() -> None:
    coarse = tangent_eigensystem(mehler, *gauss_hermite(6), finer=gauss_hermite(40))
    off = np.abs(coarse.eigenvalues - 0.5 ** np.arange(len(coarse.eigenvalues)))
    assert off[5] > 1e-4
    assert coarse.eigenvalue_errors == pytest.approx(off, rel=1e-6, abs=1e-12)
    assert np.all(np.isnan(tangent_eigensystem(mehler, *gauss_hermite(6)).eigenvalue_errors))


# --- training time --------------------------------------------------------------------------------


def linear_problem(spacing: Resolution = ROUGH) -> tuple[TensorFeatures, FlatRule, Array]:
    features = gaussian_features((4, 3), early_stopping_time=EPSILON)
    rule = flat_rule(DATA, features, SCHEDULE, spacing, early_stopping_time=EPSILON, negligible=0.0)
    return features, rule, np.asarray(SCHEDULE.mu(rule.times) ** 2 / SCHEDULE.sigma2(rule.times))


def finite_rank(features: TensorFeatures) -> Callable[[Array, Array], Array]:
    return lambda left, right: (
        features.evaluate(left[:, :-1], left[:, -1])
        @ features.evaluate(right[:, :-1], right[:, -1]).T
    )


def solved(
    kernel: Callable[[Array, Array], Array], rule: FlatRule, emphasis: Array
) -> tuple[TangentEigensystem, Array]:
    nodes = np.column_stack([rule.points, rule.times])
    system = tangent_eigensystem(kernel, nodes, emphasis * rule.probabilities)
    return system, noise_of_modes(system, emphasis, rule.covariances)


PLACES = np.array([[-1.2, 0.1], [-0.5, 0.06], [0.1, 0.4], [0.6, 0.9], [1.3, 0.2]])


def test_finite_rank_after_all_training_is_the_linear_model() -> None:
    """Proposition 5.2 at τ = ∞ for K = φᵀφ' against Proposition 5.1, on the same quadrature."""
    features, rule, emphasis = linear_problem()
    system, noise = solved(finite_rank(features), rule, emphasis)
    assert len(system.eigenvalues) == features.count
    matrices = population_matrices(
        features, DATA, SCHEDULE, early_stopping_time=EPSILON, resolutions=(ROUGH, ROUGH)
    )
    linear = v_kernel(
        matrices, PLACES[:, :1], PLACES[:, 1], PLACES[:, :1], PLACES[:, 1], 50, "representable"
    )
    trained = trained_v_kernel(
        system, noise, PLACES, PLACES, SCHEDULE, training_time=math.inf, training_size=50
    )
    # the spectrum spans 8 decades: rounding of the largest, relative to the smallest
    assert trained == pytest.approx(linear, rel=1e-6, abs=1e-6 * float(np.max(np.abs(linear))))
    long = trained_v_kernel(
        system, noise, PLACES, PLACES, SCHEDULE, training_time=1e12, training_size=50
    )
    assert long == pytest.approx(trained, rel=1e-9, abs=1e-9 * float(np.max(np.abs(linear))))


def complete_problem() -> tuple[TangentEigensystem, Array, FlatRule]:
    """A kernel of full rank on few nodes, so that every mode can be learnt."""
    features = gaussian_features((3, 2), early_stopping_time=EPSILON)
    rule = flat_rule(
        DATA,
        features,
        SCHEDULE,
        Resolution(spacing=3.0, time_order=1),
        early_stopping_time=EPSILON,
        negligible=1e-3,
    )
    emphasis = np.asarray(SCHEDULE.mu(rule.times) ** 2 / SCHEDULE.sigma2(rule.times))
    system, noise = solved(ReluTangentKernel(3, space_scale=2.0, time_scale=4.0), rule, emphasis)
    return system, noise, rule


def test_complete_kernel_ends_at_the_naive_covariance() -> None:
    """Nothing is shared between nodes: V = Γ / (P p) on the diagonal, and the fit memorises."""
    system, noise, rule = complete_problem()
    count = len(rule.times)
    assert 10 < count == len(system.eigenvalues)
    nodes = system.nodes
    kernel = trained_kernel(system, nodes, nodes, math.inf)
    # both factors are K times an eigenvector over its eigenvalue: rounding times the condition
    condition = float(system.eigenvalues[0] / system.eigenvalues[-1])
    rounding = 4.0 * count * float(np.finfo(float).eps) * condition
    assert rounding < 1e-4
    root = np.sqrt(system.weights)
    assert root[:, None] * kernel * root == pytest.approx(np.eye(count), abs=rounding)
    v = trained_v_kernel(
        system, noise, nodes, nodes, SCHEDULE, training_time=math.inf, training_size=10
    )[:, :, 0, 0]
    factor = SCHEDULE.diffusion(rule.times) * SCHEDULE.mu(rule.times) / SCHEDULE.sigma2(rule.times)
    naive = factor**2 * rule.covariances[:, 0, 0] / (10.0 * rule.probabilities)
    # V is the sum over nodes of λΓ times two such factors, each off by `rounding`
    stress = system.weights / rule.probabilities * rule.covariances[:, 0, 0]
    scale = np.multiply.outer(factor / root, factor / root) * float(np.max(stress)) / 10.0
    assert np.all(np.abs(v - np.diag(naive)) <= 3.0 * rounding * scale)
    assert np.max(naive / np.diagonal(scale)) == pytest.approx(1.0)


def test_untrained_networks_do_not_vary_and_variance_only_grows() -> None:
    system, noise, _ = complete_problem()
    start = 1e-6 / system.eigenvalues[0]
    first, second = (
        trained_v_kernel(
            system, noise, PLACES, PLACES, SCHEDULE, training_time=time, training_size=10
        )
        for time in (start, 2.0 * start)
    )
    assert second == pytest.approx(4.0 * first, rel=1e-5)
    times = [0.0, *np.geomspace(1e-3, 1e9, 60) / system.eigenvalues[0], math.inf]
    totals = [trained_variance_total(system, noise, time, 10) for time in times]
    assert totals[0] == 0.0
    assert np.all(np.diff(totals) >= 0.0)
    assert totals[1] < 1e-5 * totals[-1]
    # as defined: ∫ λp tr Cov(m̂), from the kernel at the nodes
    nodes = system.nodes
    kernel = trained_kernel(system, nodes, nodes, times[30])
    stress = np.asarray(SCHEDULE.mu(nodes[:, -1]) ** 2 / SCHEDULE.sigma2(nodes[:, -1]))
    gamma = complete_problem()[2].covariances[:, 0, 0]
    variance = (kernel**2 * (system.weights * stress * gamma)).sum(axis=1) / 10.0
    assert totals[30] == pytest.approx(float(system.weights @ variance), rel=1e-8)


REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "depth": (lambda: ReluTangentKernel(0), "depth = 0"),
    "scale": (lambda: ReluTangentKernel(1, space_scale=0.0), "space_scale = 0.0"),
    "points": (lambda: ReluTangentKernel(1)([[1.0]], [[1.0]]), "time last"),
    "columns": (lambda: ReluTangentKernel(1)([[1.0, 0.1]], [[1.0, 1.0, 0.1]]), "right has 3"),
    "weights": (
        lambda: tangent_eigensystem(mehler, [[0.0], [1.0]], [1.0, 0.0]),
        "weights[1] = 0.0",
    ),
    "shapes": (
        lambda: tangent_eigensystem(mehler, [[0.0], [1.0]], [1.0]),
        "weights has shape (1,)",
    ),
    "sign": (lambda: tangent_eigensystem(lambda x, y: -x @ y.T, [[1.0]], [1.0]), "semidefinite"),
    "nothing": (lambda: tangent_eigensystem(lambda x, y: 0 * x @ y.T, [[1.0]], [1.0]), "is zero"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_one_line(name: str) -> None:
    call, words = REFUSALS[name]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked for below
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("time", [-1.0, math.nan])
def test_training_time_is_not_negative(time: float) -> None:
    system = tangent_eigensystem(mehler, [[0.0]], [1.0])
    with pytest.raises(ValueError, match="training_time"):
        trained_kernel(system, [[0.0]], [[0.0]], time)
