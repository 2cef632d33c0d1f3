"""Heat kernels and Harnack constants against 60-digit sums, brute force and known identities."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from flint import acb, arb, ctx, fmpq

from numerics.harnack_constants import log_harnack_constant, log_harnack_kl
from numerics.heat_kernel import circle_heat_kernel, sphere_heat_kernel
from proofs_check.heat_kernel_balls import SphereKernel
from proofs_check.heat_kernels import enclose_kl, enclose_log_harnack

CURVATURE = {"line": 0, "circle": 0, "sphere": 1}
TIMES = (0.05, 0.3, 1.0)
DISTANCES = (0.5, 2.0, 3.0)
ALPHAS = (1.5, 2.0, 4.0)


def wang(space, time, distance, alpha):
    """Wang's bound on log H; Ric >= K, generator Laplacian."""
    curvature = CURVATURE[space]
    span = 2 * time if curvature == 0 else math.expm1(2 * curvature * time) / curvature
    return alpha * distance**2 / (2 * (alpha - 1) * span)


def log_harnack_bound(space, time, distance):
    """The bound on the KL divergence, Wang's in the limit of large alpha."""
    return wang(space, time, distance, 2.0) / 2


def circle_by_theta(angle, time):
    """Jacobi's theta function: mpmath's own code for the same sum."""
    return mp.jtheta(3, mp.mpf(angle) / 2, mp.exp(-mp.mpf(time))) / (2 * mp.pi)


def sphere_by_legendre(cosine, time):
    """The defining series with enough digits for its cancellation."""
    time = mp.mpf(time)
    total = mp.mpf(0)
    degree = 0
    before, now = mp.mpf(0), mp.mpf(1)
    while True:
        weight = (2 * degree + 1) * mp.exp(-degree * (degree + 1) * time)
        total += weight * now
        if weight < mp.mpf(10) ** (10 - mp.mp.dps):
            return total / (4 * mp.pi)
        before, now = now, ((2 * degree + 1) * cosine * now - degree * before) / (degree + 1)
        degree += 1


@pytest.mark.parametrize("time", [0.006, 0.05, 1.0, 3.0, math.pi, 3.15, 8.0, 60.0])
def test_circle_kernel_against_theta_functions(time):
    angles = [0.0, 1e-9, -0.3, 1.0, 2.0, 3.0, math.pi, -3.5, 2 * math.pi, 1000.0]
    values, bounds = circle_heat_kernel(angles, time)
    with mp.workdps(230):
        truths = [circle_by_theta(angle, time) for angle in angles]
        for value, bound, truth in zip(values, bounds, truths, strict=True):
            assert abs(mp.mpf(float(value)) - truth) <= mp.mpf(float(bound))
    assert (bounds[:7] <= 2e-12 * values[:7] + 1e-307).all()


@pytest.mark.parametrize("time", [0.01, 0.03, 0.1, 0.4, 0.9999, 1.0, 2.0, 30.0])
def test_sphere_kernel_against_its_series(time):
    cosines = [1.0, 1 - 1e-13, 0.9, 0.2, 0.0, -0.5, -0.99, -1 + 1e-13, -1.0]
    values, bounds = sphere_heat_kernel(cosines, time)
    with mp.workdps(150):
        for cosine, value, bound in zip(cosines, values, bounds, strict=True):
            truth = sphere_by_legendre(mp.mpf(cosine), time)
            assert abs(mp.mpf(float(value)) - truth) <= mp.mpf(float(bound))
    assert (bounds <= 1e-11 * values).all()


def test_kernels_match_where_the_methods_meet():
    angles = np.linspace(-3.1, 3.1, 21)
    for kernel, points, switch in (
        (circle_heat_kernel, angles, math.pi),
        (sphere_heat_kernel, np.cos(angles), 1.0),
    ):
        before = kernel(points, switch * (1 - 1e-15))[0]
        after = kernel(points, switch * (1 + 1e-15))[0]
        assert np.abs(before / after - 1).max() < 1e-13


@pytest.mark.parametrize("time", [0.02, 0.3, 2.0])
def test_mass_one_and_semigroup(time):
    angles = np.arange(400) * (2 * math.pi / 400)
    once = circle_heat_kernel(angles, time)[0] * (2 * math.pi / 400)
    other = circle_heat_kernel(angles - 1.3, 0.7 * time)[0]
    assert abs(once.sum() - 1) < 1e-13
    assert abs(once @ other - circle_heat_kernel(1.3, 1.7 * time)[0]) < 1e-13
    nodes, weights = np.polynomial.legendre.leggauss(160)
    turn = np.arange(160) * (2 * math.pi / 160)
    rest = np.sqrt(1 - nodes**2)[:, None] * np.cos(turn) * math.sin(1.3)
    there = nodes[:, None] * math.cos(1.3) + rest
    near = sphere_heat_kernel(nodes, time)[0] * weights
    # numpy's Gauss weights are right to some 1e-13 only.
    assert abs(2 * math.pi * near.sum() - 1) < 1e-12
    mean = sphere_heat_kernel(np.clip(there, -1, 1), 0.7 * time)[0].mean(axis=1) * 2 * math.pi
    assert abs(near @ mean - sphere_heat_kernel(math.cos(1.3), 1.7 * time)[0]) < 1e-12


def brute_force(space, time, distance, alpha):
    """log H and KL by mpmath's or scipy's quadrature of independent kernels."""
    order = alpha / (alpha - 1)
    if space == "circle":

        def kernel(z):
            return mp.fsum(
                mp.exp(-((z + 2 * mp.pi * n) ** 2) / (4 * time)) for n in range(-6, 7)
            ) / mp.sqrt(4 * mp.pi * time)

        path = mp.linspace(-mp.pi, mp.pi, 9)
        mean = mp.quad(lambda z: kernel(z) ** order * kernel(z - distance) ** (1 - order), path)
        gap = mp.quad(lambda z: kernel(z) * mp.log(kernel(z) / kernel(z - distance)), path)
        return (alpha - 1) * mp.log(mean), gap
    # Lebesgue's measure as latitude and longitude about neither point.
    from scipy.special import eval_legendre

    degrees = np.arange(60)
    weights = (2 * degrees + 1) * np.exp(-degrees * (degrees + 1) * time) / (4 * math.pi)

    def on_sphere(cosine):
        return np.tensordot(weights, eval_legendre(degrees[:, None, None], cosine), 1)

    heights, masses = np.polynomial.legendre.leggauss(90)
    turn = (np.arange(180) * (2 * math.pi / 180))[None]
    side = np.sqrt(1 - heights**2)[:, None]
    at_x = on_sphere(side * np.cos(turn))
    at_y = on_sphere(side * np.cos(turn - distance))
    cell = masses[:, None] * 2 * math.pi / 180
    mean = np.sum(cell * at_x**order * at_y ** (1 - order))
    return (alpha - 1) * math.log(mean), np.sum(cell * at_x * np.log(at_x / at_y))


@pytest.mark.parametrize(
    ("space", "time", "distance", "alpha"),
    [
        ("circle", 0.2, 1.5, 1.7),
        ("circle", 1.0, 3.1, 3.0),
        ("sphere", 0.4, 1.5, 3.0),
        ("sphere", 0.7, 3.0, 1.5),
        ("sphere", 1.2, 2.0, 2.0),
    ],
)
def test_constants_against_brute_force(space, time, distance, alpha):
    constant, gap = brute_force(space, time, distance, alpha)
    assert abs(log_harnack_constant(space, time, distance, alpha).value - constant) < 1e-10
    assert abs(log_harnack_kl(space, time, distance).value - gap) < 1e-10


def test_euclidean_space_attains_the_bound():
    for time, distance, alpha in ((0.3, 2.0, 1.5), (2.0, 7.0, 4.0)):
        bound = wang("line", time, distance, alpha)
        assert abs(log_harnack_constant("line", time, distance, alpha).value / bound - 1) < 1e-15
        gap = log_harnack_kl("line", time, distance).value
        assert abs(gap / log_harnack_bound("line", time, distance) - 1) < 1e-15
    ball = enclose_log_harnack("line", time=fmpq(3, 10), distance=2, alpha=Fraction(3, 2))
    assert ball.contains(arb(10)) or ball.overlaps(arb(10))
    assert enclose_kl("line", time=1, distance=2 * sp.pi).overlaps(arb.pi() ** 2)


@pytest.mark.parametrize("space", ["circle", "sphere"])
def test_true_constants_obey_wang_and_tenths_less_do_not(space):
    violated = gap_violated = 0
    for time in (*TIMES, 0.01) if space == "circle" else TIMES:
        for distance in (0.1, *DISTANCES, math.pi):
            gap = log_harnack_kl(space, time, distance)
            limit = log_harnack_bound(space, time, distance)
            assert gap.value - gap.error <= limit * (1 + 1e-12)
            gap_violated += gap.value - gap.error > 0.9 * limit
            last = math.inf
            for alpha in ALPHAS if distance in DISTANCES else (2.0,):
                found = log_harnack_constant(space, time, distance, alpha)
                assert found.error < 1e-10
                bound = wang(space, time, distance, alpha)
                assert found.value - found.error <= bound * (1 + 1e-12)
                violated += found.value - found.error > 0.9 * bound
                # Rényi divergences grow with their order, which falls with alpha.
                assert gap.value - 1e-10 < found.value < last
                last = found.value
    assert violated >= 5
    assert gap_violated >= 5


def test_torus_adds_the_circles():
    parts = [log_harnack_constant("circle", 0.3, d, 2.0) for d in (0.5, 2.0)]
    both = log_harnack_constant("torus", 0.3, (0.5, 2.0), 2.0)
    assert abs(both.value - sum(part.value for part in parts)) < 1e-14
    ball = enclose_log_harnack("torus", time=fmpq(3, 10), distance=(fmpq(1, 2), 2), alpha=2)
    assert abs(float(ball.mid()) - both.value) <= both.error + float(ball.rad()) + 1e-15
    gap = log_harnack_kl("torus", 0.3, (0.5, 2.0))
    ball = enclose_kl("torus", time=fmpq(3, 10), distance=(fmpq(1, 2), 2))
    assert abs(float(ball.mid()) - gap.value) <= gap.error + float(ball.rad()) + 1e-15
    assert both.value <= wang("circle", 0.3, math.hypot(0.5, 2.0), 2.0)


@pytest.mark.parametrize("space", ["circle", "sphere"])
@pytest.mark.parametrize(("distance", "alpha"), [(0.5, 2.0), (2.0, 2.0), (2.0, 4.0), (3.0, 1.5)])
def test_small_times_follow_varadhan_and_not_always_the_bound(space, distance, alpha):
    # 4 t log k_t -> -d^2, so 4 t log H tends to the largest of d(y, z)^2 - alpha d(x, z)^2 ...
    # over z, which meets the cut point of y once alpha * distance / (alpha - 1) > pi.
    reached = alpha * distance / (alpha - 1)
    if reached <= math.pi:
        limit = alpha * distance**2 / (alpha - 1)
    else:
        limit = math.pi**2 - alpha * (math.pi - distance) ** 2
    scaled = [
        4 * time * log_harnack_constant(space, time, distance, alpha).value
        for time in ((0.08, 0.04, 0.02) if space == "sphere" else (0.04, 0.02, 0.01))
    ]
    gaps = [abs(value / limit - 1) for value in scaled]
    assert gaps == sorted(gaps, reverse=True) or max(gaps) < 1e-9
    assert gaps[-1] < (0.04 if reached <= math.pi else 0.08)


def test_large_alpha_tends_to_the_kullback_leibler_divergence():
    for space in ("circle", "sphere"):
        gap = log_harnack_kl(space, 0.3, 2.0).value
        near = log_harnack_constant(space, 0.3, 2.0, 1e5).value
        assert 0 < near - gap < 1e-3


@pytest.mark.parametrize(
    ("time", "distance", "alpha"),
    [
        (fmpq(1, 100), fmpq(2), fmpq(3, 2)),
        (fmpq(1, 20), fmpq(3), fmpq(2)),
        (fmpq(3, 10), fmpq(1, 2), fmpq(4)),
        (fmpq(3), fmpq(1, 100), fmpq(2)),
        (fmpq(10), fmpq(3), fmpq(11, 10)),
    ],
)
def test_enclosures_agree_with_finer_ones_and_with_the_quadrature(time, distance, alpha):
    where = {"time": time, "distance": distance}
    t, d, a = (int(q.p) / int(q.q) for q in (time, distance, alpha))
    for coarse, fine, number in (
        (
            enclose_log_harnack("circle", **where, alpha=alpha),
            enclose_log_harnack("circle", **where, alpha=alpha, relative=1e-30),
            log_harnack_constant("circle", t, d, a),
        ),
        (
            enclose_kl("circle", **where),
            enclose_kl("circle", **where, relative=1e-30),
            log_harnack_kl("circle", t, d),
        ),
    ):
        with ctx.workprec(200):
            assert coarse.contains(fine)
            assert fine.rad() < 1e-30 * fine.mid()
        assert coarse.rad() < 1e-6 * coarse.mid()
        gap = abs(float(fine.mid()) - number.value)
        assert gap <= number.error + 4e-16 * number.value


@pytest.mark.parametrize(
    ("time", "distance", "alpha"),
    [
        (fmpq(3), fmpq(2), fmpq(2)),
        (fmpq(1), fmpq(1, 2), fmpq(4)),
        (fmpq(3, 10), fmpq(3), fmpq(3, 2)),
    ],
)
def test_sphere_is_enclosed_too(time, distance, alpha):
    t, d, a = (int(q.p) / int(q.q) for q in (time, distance, alpha))
    for ball, number in (
        (
            enclose_log_harnack("sphere", time=time, distance=distance, alpha=alpha),
            log_harnack_constant("sphere", t, d, a),
        ),
        (enclose_kl("sphere", time=time, distance=distance), log_harnack_kl("sphere", t, d)),
    ):
        assert ball.rad() < 1e-6 * ball.mid()
        assert abs(float(ball.mid()) - number.value) <= number.error + float(ball.rad())


@pytest.mark.parametrize("time", [fmpq(1, 20), fmpq(1, 2), fmpq(2)])
def test_sphere_kernel_on_balls_contains_the_series(time):
    with ctx.workprec(160):
        kernel = SphereKernel.at(arb(time), 100)
        low, high = kernel.range_on_strip(arb(time).min(arb(1)) / 2)
        for angle in (
            mp.mpf(0),
            mp.mpf(1),
            mp.mpf(3),
            mp.mpc(1, float(time.p) / (4 * float(time.q))),
        ):
            with mp.workdps(60):
                truth = mp.log(
                    abs(sphere_by_legendre(mp.cos(angle), mp.mpf(int(time.p)) / int(time.q)))
                )
                text = [mp.nstr(part, 40) for part in (angle.real, angle.imag)]
            value = kernel.log(acb(arb(text[0]), arb(text[1])), False).real
            assert abs(value - arb(mp.nstr(truth, 40))) < arb("1e-25")
            wide = acb(arb(text[0], 1e-3), arb(text[1], 1e-3))
            assert kernel.log(wide, True).real.contains(value.mid())
            assert low <= value
            assert value <= high


def test_enclosure_against_brute_force_in_many_digits():
    with mp.workdps(24):
        time, distance, alpha = mp.mpf(1) / 5, mp.mpf(3) / 2, mp.mpf(17) / 10
        constant, gap = brute_force("circle", time, distance, alpha)
        for ball, truth in (
            (
                enclose_log_harnack(
                    "circle", time=fmpq(1, 5), distance=fmpq(3, 2), alpha=fmpq(17, 10)
                ),
                constant,
            ),
            (enclose_kl("circle", time=fmpq(1, 5), distance=fmpq(3, 2)), gap),
        ):
            with ctx.workprec(120):
                assert ball.contains(arb(mp.nstr(truth, 18), 0))


def test_cut_point_and_nought_are_exact():
    at_cut = enclose_log_harnack("circle", time=fmpq(3, 10), distance=sp.pi, alpha=2)
    assert abs(float(at_cut.mid()) - log_harnack_constant("circle", 0.3, math.pi, 2.0).value) < 1e-9
    assert enclose_log_harnack("circle", time=1, distance=0, alpha=2) == 0
    assert enclose_kl("torus", time=1, distance=(0, 0)) == 0
    assert log_harnack_constant("sphere", 1.0, 0.0, 2.0).value == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: circle_heat_kernel(0.0, 0.0), "time = 0.0"),
        (lambda: circle_heat_kernel(math.nan, 1.0), "angle = nan"),
        (lambda: sphere_heat_kernel(1.1, 1.0), "cosine = 1.1"),
        (lambda: sphere_heat_kernel(1.0, 1e-5), "time = 1e-05"),
        (lambda: sphere_heat_kernel(["a"], 1.0), "cosine has dtype"),
        (lambda: log_harnack_constant("circle", 1.0, 1.0, 1.0), "alpha = 1.0"),
        (lambda: log_harnack_constant("circle", -1.0, 1.0, 2.0), "time = -1.0"),
        (lambda: log_harnack_constant("circle", 1.0, -0.1, 2.0), "distance = -0.1"),
        (lambda: log_harnack_constant("sphere", 1.0, 3.2, 2.0), "distance = 3.2"),
        (lambda: log_harnack_constant("torus", 1.0, 1.0, 2.0), "distance = 1.0"),
        (lambda: log_harnack_constant("circle", 1.0, (1.0, 1.0), 2.0), "distance = "),
        (lambda: log_harnack_constant("sphere", 1e-3, 1.0, 2.0), "time = 0.001"),
        (lambda: log_harnack_kl("plane", 1.0, 1.0), "space = 'plane'"),
        (lambda: log_harnack_kl("circle", True, 1.0), "time = True"),
        (lambda: enclose_log_harnack("circle", time=0.5, distance=1, alpha=2), "time = 0.5"),
        (lambda: enclose_log_harnack("circle", time=1, distance=1, alpha=1), "alpha = 1"),
        (lambda: enclose_log_harnack("circle", time=0, distance=1, alpha=2), "time = 0"),
        (lambda: enclose_kl("circle", time=1, distance=fmpq(22, 7)), "distance = 22/7"),
        (lambda: enclose_kl("circle", time=1, distance=-1), "distance = -1"),
        (lambda: enclose_kl("circle", time=1, distance=sp.pi * 2), r"distance = 2\*pi"),
        (lambda: enclose_kl("torus", time=1, distance=1), "distance = 1"),
        (lambda: enclose_kl("plane", time=1, distance=1), "space = 'plane'"),
    ],
)
def test_arguments_off_their_domain_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
