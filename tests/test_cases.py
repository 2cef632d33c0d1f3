"""The closed forms of every case, by routes that share nothing with the code's own formulas.

Two points: every sample is enumerated as a tuple, its score is a softmax over the sample's points,
and the noise is integrated by mpmath. Gaussian mean: scores are affine in independent normals, so
squared norms are sums of squared coefficients. The plug-in: one-dimensional integrals by mpmath
and direct simulation.
"""

from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.plug_in import chi_square_rule, normal_rule, plug_in_losses
from proofs_check.measurement import measure
from proofs_check.number import Method
from proofs_check.point import at_time, with_tau
from theory import cases
from theory import quantities as q
from theory.process import SCHEDULES, TimeAtoms

LOSSES = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "C_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
    "E_l_dsm_replaced",
)


def _agree(found, truth, tolerance):
    for name, value in truth.items():
        number, exact = found[name], float(value)
        # what mpmath leaves where everything cancels is no difference
        allowed = number.error + tolerance * abs(exact) + 1e-25
        assert abs(number.value - exact) <= allowed, name


# --- two points -----------------------------------------------------------------------------------


def _score(x, points, weights, mu, sigma2):
    """Score of the noised atoms: a softmax over them, not a hyperbolic tangent."""
    logs = [
        mp.log(weight) - (x - mu * point) ** 2 / (2 * sigma2)
        for point, weight in zip(points, weights, strict=True)
    ]
    top = max(logs)
    terms = [mp.exp(v - top) for v in logs]
    pull = sum(t * (mu * y - x) for t, y in zip(terms, points, strict=True))
    return pull / (sigma2 * sum(terms))


def _two_point_losses(n, p, a, mu, sigma2):
    sigma = mp.sqrt(sigma2)
    atoms = {a: p, -a: 1 - p}
    total = dict.fromkeys(LOSSES, mp.mpf(0))

    def noised(point, function):
        """E function(x, noise) over x = mu point + sigma noise."""
        cut = [-9, -4, -1.5, 0, 1.5, 4, 9]
        return mp.quad(lambda z: function(mu * point + sigma * z, z) * mp.npdf(z), cut)

    def trained(x, sample):
        return _score(x, sample, [1] * n, mu, sigma2)

    def true(x):
        return _score(x, list(atoms), list(atoms.values()), mu, sigma2)

    def denoising(score):
        return lambda x, z: (score(x) + z / sigma) ** 2

    for point, weight in atoms.items():
        total["C_sm"] += weight * noised(point, denoising(true))
    for sample in product(atoms, repeat=n):
        chance = mp.fprod(atoms[y] for y in sample)

        def own(x, sample=sample):
            return trained(x, sample)

        fit = mp.fsum(noised(y, denoising(own)) for y in sample) / n
        total["E_l_dsm_hat"] += chance * fit
        total["E_C_sm_hat"] += chance * fit  # the empirical score is the minimiser
        for fresh, weight in atoms.items():
            swapped = (*sample[1:], fresh)
            total["E_l_dsm"] += chance * weight * noised(fresh, denoising(own))
            total["E_l_sm"] += (
                chance * weight * noised(fresh, lambda x, z, own=own: (own(x) - true(x)) ** 2)
            )
            total["eps_stab_squared"] += (
                chance
                * weight
                * noised(fresh, lambda x, z, own=own, s=swapped: (own(x) - trained(x, s)) ** 2)
            )
            total["E_l_dsm_replaced"] += (
                chance * weight * noised(fresh, denoising(lambda x, s=swapped: trained(x, s)))
            )
    return total


@pytest.mark.parametrize(
    ("n", "p", "a", "schedule", "time"),
    [
        (1, "1/2", "1", "ou", "3/10"),
        (2, "1/3", "1", "ou", "1/2"),
        (2, "9/10", "1/2", "ve", "1"),
        (3, "1/4", "3/2", "fraction", "7/10"),
    ],
)
def test_two_points_by_enumeration(n, p, a, schedule, time):
    found = measure(at_time("two-points", time, schedule, N=n, p=p, a=a), LOSSES)
    levels = SCHEDULES[schedule].at(sp.Rational(time)).values()
    with mp.workdps(15):
        mu, sigma2 = (mp.mpf(str(level.evalf(30))) for level in levels)
        exact_p, exact_a = (mp.mpf(int(v.p)) / int(v.q) for v in map(sp.Rational, (p, a)))
        truth = _two_point_losses(n, exact_p, exact_a, mu, sigma2)
    assert {found[name].method for name in LOSSES} == {Method.ENCLOSURE}
    _agree(found, truth, 1e-9)


def test_the_next_constant_is_the_constant_of_a_larger_sample():
    for n in (1, 2, 5):
        smaller = measure(at_time("two-points", "3/10", N=n, p="1/3"), ["E_C_sm_hat_next"])
        larger = measure(at_time("two-points", "3/10", N=n + 1, p="1/3"), ["E_C_sm_hat"])
        _agree(smaller, {"E_C_sm_hat_next": larger["E_C_sm_hat"].value}, 1e-12)


@pytest.mark.parametrize("p", [0, 1])
def test_one_certain_point_has_no_losses(p):
    found = measure(at_time("two-points", 1, p=p), LOSSES)
    assert all(number.value == number.error == 0 for number in found.values())


def test_flipping_the_line_changes_nothing():
    left = measure(at_time("two-points", "3/10", N=3, p="1/5"), LOSSES)
    right = measure(at_time("two-points", "3/10", N=3, p="4/5"), LOSSES)
    _agree(left, {name: number.value for name, number in right.items()}, 1e-12)


# --- Gaussian mean, a fixed score and one point ---------------------------------------------------


def _affine_losses(n, d, s, b, mu, sigma2, *, fixed):
    """Scores -(x - mu m̂)/v with m̂ the mean (or zero, where the law has mean b): coordinates apart.

    Each residual is a linear form in independent standard normals; its mean square is the sum of
    the squared coefficients. The normals: x_1 … x_N, the fresh point, the noise.
    """
    sigma, v = mp.sqrt(sigma2), mu**2 * s**2 + sigma2
    fresh, noise = n, n + 1

    def point(k):
        return {k: s}

    def mean(indices):
        return {} if fixed else {k: s / n for k in indices}

    def combine(*terms):
        total = [mp.mpf(0)] * (n + 2)
        for factor, form in terms:
            for k, c in form.items():
                total[k] += factor * c
        return total

    def norm(form):
        return mp.fsum(c * c for c in form)

    def score(at, indices):
        """Score at mu x_at + sigma noise, as a linear form."""
        return [(-mu / v, point(at)), (-sigma / v, {noise: 1}), (mu / v, mean(indices))]

    own, swapped = range(n), [*range(1, n), fresh]
    denoise = (1 / sigma, {noise: 1})
    # a fixed score is off by mu b/v wherever x is: squared, it adds to the variance
    bias = mu**2 * b**2 / v**2
    true = [(mu / v, point(fresh)), (sigma / v, {noise: 1})]
    values = {
        "E_l_dsm": d * norm(combine(*score(fresh, own), denoise)) + bias,
        "E_l_dsm_hat": d * norm(combine(*score(0, own), denoise)) + bias,
        "E_l_sm": d * norm(combine(*score(fresh, own), *true)) + bias,
        "C_sm": d * norm(combine(*((-f, g) for f, g in true), denoise)),
        "eps_stab_squared": d
        * norm(combine(*score(fresh, own), *((-f, g) for f, g in score(fresh, swapped)))),
        "E_l_dsm_replaced": d * norm(combine(*score(fresh, swapped), denoise)) + bias,
    }
    return values


ATOMS = TimeAtoms((sp.Rational(1, 5), sp.Rational(3, 2)), (sp.Rational(1, 3), sp.Rational(2)))


@pytest.mark.parametrize("schedule", ["ou", "ve"])
@pytest.mark.parametrize(("n", "d", "s"), [(1, 1, "1"), (2, 3, "1/2"), (7, 2, "3")])
@pytest.mark.parametrize("fixed", [False, True])
def test_affine_scores_by_their_coefficients(schedule, n, d, s, fixed):
    name, bias = ("fixed-score", sp.Rational(3, 2)) if fixed else ("gaussian-mean", sp.S.Zero)
    given = {"N": n, "d": d, "s": s, **({"b": bias} if fixed else {})}
    total = {}
    with mp.workdps(30):
        for time, weight in zip(ATOMS.times, ATOMS.weights, strict=True):
            levels = SCHEDULES[schedule].at(time).values()
            mu, sigma2 = (mp.mpf(str(level.evalf(40))) for level in levels)
            size = mp.mpf(int(sp.Rational(s).p)) / int(sp.Rational(s).q)
            off = mp.mpf(int(bias.p)) / int(bias.q)
            at_once = _affine_losses(n, d, size, off, mu, sigma2, fixed=fixed)
            for key, value in at_once.items():
                total[key] = total.get(key, 0) + mp.mpf(int(weight.p)) / int(weight.q) * value
    found = measure(with_tau(name, ATOMS, schedule, **given), list(total))
    _agree(found, total, 1e-14)


def test_one_point_by_two_independent_draws():
    # The score of one noised point y at x = mu x̃ + sigma z is mu (y - x̃)/sigma² - z/sigma, so the
    # denoising residual is mu (y - x̃)/sigma², and E|y - x̃|² = 2V for every law of variance V.
    mu2, sigma2 = sp.exp(-1), 1 - sp.exp(-1)
    found = measure(at_time("one-point", "1/2", V="5/3", d=4), LOSSES)
    spread = 2 * sp.Rational(5, 3) * mu2 / sigma2**2
    constant = 4 * (1 / sigma2 - 1 / (mu2 * sp.Rational(5, 12) + sigma2))  # E|z/σ|² - E|score|²
    truth = {
        "E_l_dsm": spread,
        "eps_stab_squared": spread,
        "E_l_dsm_hat": 0,
        "E_C_sm_hat": 0,
        "E_l_dsm_replaced": 0,
        "C_sm": constant,
        "E_l_sm": spread - constant,
    }
    _agree(found, {k: sp.N(v, 30) for k, v in truth.items()}, 1e-14)


# --- the plug-in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "d", "time"), [(2, 1, "3/10"), (2, 3, "1/2"), (3, 2, "1"), (6, 1, "1/5")]
)
def test_plug_in_losses_by_direct_integration(n, d, time):
    found = measure(at_time("gaussian-mean-variance", time, N=n, d=d), ["E_l_dsm", "E_l_sm"])
    with mp.workdps(20):
        t = mp.mpf(int(sp.Rational(time).p)) / int(sp.Rational(time).q)
        mu, sigma2 = mp.exp(-t), -mp.expm1(-2 * t)
        freedom = mp.mpf(d * (n - 1))

        def mean(function):
            """Over the root y of a χ² variable, whose density has no singularity."""
            scale = 2 ** (1 - freedom / 2) / mp.gamma(freedom / 2)

            def weighted(y):
                return function(y * y / (n * d)) * scale * y ** (freedom - 1) * mp.exp(-y * y / 2)

            return mp.quad(weighted, [0, 0.5, 1, 2, 4, 7, 12])

        def denoising(spread):  # residual: mu (x̃ - x̄)/v̂ and noise (1/sigma - sigma/v̂)
            v = mu**2 * spread + sigma2
            return d * (mu**2 * (1 + mp.mpf(1) / n) / v**2 + sigma2 * (1 / sigma2 - 1 / v) ** 2)

        true = 1 / (mu**2 + sigma2)
        dsm = mean(denoising)
        constant = d * (1 / sigma2 - true)
    _agree(found, {"E_l_dsm": dsm, "E_l_sm": dsm - constant}, 1e-12)


def test_plug_in_stability_by_simulation():
    # 400000 replicates; the mean is within 7 standard errors but for 3e-12 (normal tails), five
    # quantities: false alarm 1.5e-11 in the limit of many replicates.
    n, d, s, mu, sigma = 3, 2, 1.5, 0.8, 0.6
    rng = np.random.default_rng(8)
    size = 400_000
    data = s * rng.standard_normal((size, n + 1, d))
    z = rng.standard_normal((size, d))
    kept, fresh = data[:, :n], data[:, n]
    swapped = data[:, 1:]

    def score(x, sample):
        centre = sample.mean(axis=1)
        spread = ((sample - centre[:, None]) ** 2).mean(axis=(1, 2))
        return -(x - mu * centre) / (mu**2 * spread + sigma**2)[:, None]

    def squared(residual):
        return (residual**2).sum(axis=1)

    x_fresh, x_own = mu * fresh + sigma * z, mu * kept[:, 0] + sigma * z
    true = -x_fresh / (mu**2 * s**2 + sigma**2)
    simulated = {
        "E_l_dsm": squared(score(x_fresh, kept) + z / sigma),
        "E_l_dsm_hat": squared(score(x_own, kept) + z / sigma),
        "E_l_sm": squared(score(x_fresh, kept) - true),
        "eps_stab_squared": squared(score(x_fresh, kept) - score(x_fresh, swapped)),
        "E_l_dsm_replaced": squared(score(x_fresh, swapped) + z / sigma),
    }
    found = plug_in_losses(n, d, s, mu=mu, sigma=sigma)
    for name, values in simulated.items():
        width = 7 * values.std() / np.sqrt(size)
        assert abs(values.mean() - found.values[name]) <= width + found.errors[name], name
        assert width < 0.05 * found.values[name]  # a test that could not fail would be none


def test_gauss_rules_integrate_polynomials_exactly():
    nodes, weights = normal_rule(6)
    for power in range(0, 12, 2):
        assert weights @ nodes**power == pytest.approx(float(sp.factorial2(power - 1)), rel=1e-12)
    for degrees in (1, 2, 7, 300):
        nodes, weights = chi_square_rule(degrees, 5)
        for power in range(10):
            moment = float(np.prod(degrees + 2.0 * np.arange(power)))
            assert weights @ nodes**power == pytest.approx(moment, rel=1e-10)


# --- the records ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cases.NAMES)
def test_no_quantity_is_both_measured_and_a_closed_form(name):
    case = cases.get(name)
    forms = case.quantities(case.defaults)
    assert set(forms) <= set(q.QUANTITIES)
    assert set(case.measured) <= set(q.QUANTITIES)
    assert not set(forms) & set(case.measured)
    for parameter in case.parameters:
        assert parameter.domain.contains(parameter.default)


def test_bounds_of_one_point_hold_for_a_two_point_law():
    # V = 4 p (1 - p) a²; C_sm <= V ∫ mu²/sigma⁴ dτ, with room to see that it is a bound
    case = cases.get("one-point")
    (bound,) = case.bounds
    assert bound.lhs == q.C_sm
    for time in ("1/10", "1", "3"):
        constant = measure(at_time("two-points", time, p="1/4"), ["C_sm"])["C_sm"].value
        mu, sigma2 = (float(v.evalf()) for v in SCHEDULES["ou"].at(sp.Rational(time)).values())
        assert constant < 0.75 * mu**2 / sigma2**2
