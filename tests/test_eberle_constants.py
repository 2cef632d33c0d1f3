"""Eberle's constants: closed forms, mpmath at 30 digits, and constructions that must fail."""

from __future__ import annotations

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx, fmpq

from proofs_check.eberle_constants import (
    Recipe,
    certify_differential_inequality,
    eberle_constants,
)
from theory.reflection_drifts import (
    DISTANCE,
    ReflectionDrift,
    clipped_gradient,
    double_well,
    ornstein_uhlenbeck,
)

R = sp.Rational
DRIFTS = {
    "ou": ornstein_uhlenbeck(R(3, 2)),
    "double well": double_well(sp.Integer(1)),
    "deep double well": double_well(sp.Integer(3)),
    "clipped": clipped_gradient(R(1, 5), R(1), R(1), R(1)),
    "clipped, pulled everywhere": clipped_gradient(R(1, 2), R(3, 10), R(1), R(1)),
    "clipped, irrational noise": clipped_gradient(R(1, 5), R(1), R(1), sp.sqrt(R(5, 2))),
    "not clipped": clipped_gradient(R(1, 5), R(0), R(1), R(1)),
}


def as_mpf(ball):
    return mp.mpf(ball.str(40, radius=False))


def radii(drift):
    """R_0, R_1 and the ends of smooth pieces by a scan, at the present digits."""
    pieces = [
        (mp.inf if end == sp.oo else mp.mpf(sp.N(end, 40)), sp.lambdify(DISTANCE, k, "mpmath"))
        for end, k in drift.pieces
    ]

    def kappa(r):
        return next(mp.mpf(k(r)) for end, k in pieces if r <= end)

    grid = mp.linspace(mp.mpf("0.001"), 60, 6001)
    negative = [r for r in grid if kappa(r) < 0]
    inner = mp.findroot(kappa, (negative[-1], negative[-1] + mp.mpf("0.01"))) if negative else 0
    enough = next(r for r in grid if r > inner and kappa(r) * r * (r - inner) >= 8)
    outer = mp.findroot(lambda r: kappa(r) * r * (r - inner) - 8, (enough - mp.mpf("0.01"), enough))
    ends = sorted({mp.mpf(0), *(e for e, _ in pieces if e < outer), mp.mpf(inner), outer})

    def path(stop):
        return [*(e for e in ends if e < stop), stop]

    return inner, outer, path


@pytest.mark.parametrize("name", DRIFTS)
def test_every_ball_is_as_narrow_as_asked(name):
    found = eberle_constants(DRIFTS[name], 40)
    for ball in (found.outer_radius, found.slope, found.mass, found.integral, found.rate):
        assert ball.rad() < ball * arb(10) ** -40


def test_ornstein_uhlenbeck_in_closed_form():
    rate = R(3, 2)
    found = eberle_constants(ornstein_uhlenbeck(rate))
    outer = 2 / arb(fmpq(3, 2)).sqrt()
    assert found.inner_radius == 0
    assert found.outer_radius.overlaps(outer)
    assert found.rate.overlaps(arb(fmpq(3, 4)))
    assert found.slope == 1
    for r in (fmpq(1, 8), fmpq(1), fmpq(13, 8)):
        f, first, second = found.at(arb(r))
        assert f.overlaps(r - arb(r) ** 3 / (6 * outer**2))
        assert first.overlaps(1 - arb(r) ** 2 / (2 * outer**2))
        assert second.overlaps(-r / outer**2)
        assert f.rad() < 1e-29
    f, first, second = found.at(arb(3))
    assert f.overlaps(outer - outer / 6 + (3 - outer) / 2)
    assert first == arb(fmpq(1, 2))
    assert second == 0


def test_double_well_radii():
    found = eberle_constants(double_well(sp.Integer(1)))
    outer = found.outer_radius
    assert found.inner_radius.overlaps(arb(2))
    assert (outer * (outer - 2) ** 2 * (outer + 2)).overlaps(arb(16))


def test_clipped_radii():
    found = eberle_constants(clipped_gradient(R(1, 5), R(1), R(1), R(1)))
    assert found.inner_radius.overlaps(arb(10))
    # (2/5 - 4/R) R (R - 10) = 8.
    assert found.outer_radius.overlaps(10 + arb(20).sqrt())
    # ∫ u κ⁻ = ∫_0^2 (8/5) u du + ∫_2^10 (4 - 2u/5) du = 16/5 + 64/5.
    assert found.slope.overlaps(arb(-4).exp())


@pytest.mark.parametrize("name", ["double well", "clipped", "clipped, irrational noise"])
def test_constants_against_quadrature_of_the_definitions(name):
    """The potential ∫ u κ⁻ is by sympy, all else by mpmath's quadrature."""
    drift = DRIFTS[name]
    found = eberle_constants(drift)
    with mp.workdps(34):
        inner, outer, path = radii(drift)
        steps, start, before = [], sp.Integer(0), sp.Integer(0)
        for end, kappa in drift.pieces:
            rise = sp.integrate(sp.expand(-DISTANCE * kappa), DISTANCE)
            whole = before + rise - rise.subs(DISTANCE, start)
            steps.append((end, sp.lambdify(DISTANCE, whole, "mpmath")))
            if end != sp.oo:
                start, before = end, whole.subs(DISTANCE, end)

        def potential(r):
            stop = min(r, inner)
            return next(f(stop) for end, f in steps if end == sp.oo or stop <= end.evalf(40))

        def phi(r):
            return mp.exp(-mp.mpf(potential(r)) / 4)

        assert abs(as_mpf(found.outer_radius) / outer - 1) < 1e-29
        assert abs(as_mpf(found.slope) / phi(inner) - 1) < 1e-29
        mass = mp.quad(phi, path(outer))
        assert abs(as_mpf(found.mass) / mass - 1) < 1e-28
        nodes = [mp.mpf(0), *path(outer)[1:]]
        total, gathered = mp.mpf(0), mp.mpf(0)
        for low, high in pairwise(nodes):
            count = int(mp.ceil(high - low))
            cells = mp.linspace(low, high, count + 1)
            for a, b in pairwise(cells):
                points = _gauss(a, b)
                for r, weight in points:
                    inside = gathered + sum(phi(u) * w for u, w in _gauss(a, r))
                    total += weight * inside / phi(r)
                gathered += sum(phi(u) * w for u, w in points)
        assert abs(as_mpf(found.integral) / total - 1) < 1e-28
        assert abs(as_mpf(found.rate) * total - 1) < 1e-28


_RULE: list[tuple[mp.mpf, mp.mpf]] = []


def _gauss(low, high, order=24):
    """Gauss-Legendre nodes and weights on an interval."""
    if not _RULE:
        with mp.workdps(50):
            guesses, _ = np.polynomial.legendre.leggauss(order)
            for guess in guesses:
                x = mp.findroot(lambda t: mp.legendre(order, t), guess)
                slope = (
                    order * (x * mp.legendre(order, x) - mp.legendre(order - 1, x)) / (x * x - 1)
                )
                _RULE.append((x, 2 / ((1 - x * x) * slope**2)))
    half, middle = (high - low) / 2, (high + low) / 2
    return [(middle + half * x, half * w) for x, w in _RULE]


@pytest.mark.parametrize("name", ["double well", "clipped"])
def test_derivatives_are_those_of_the_function(name):
    found = eberle_constants(DRIFTS[name])
    with mp.workdps(40), ctx.workprec(160):
        h = mp.mpf(10) ** -7
        step = arb(10) ** -7
        for k in range(1, 16):
            r = found.outer_radius * fmpq(k, 13) + fmpq(1, 1000)
            low, here, high = (as_mpf(found.at(x)[0]) for x in (r - step, r, r + step))
            _, first, second = map(as_mpf, found.at(r))
            assert abs((high - low) / (2 * h) - first) < 1e-11
            assert abs((high - 2 * here + low) / h**2 - second) < 1e-6


def test_a_wide_ball_of_distances_covers_its_points():
    found = eberle_constants(DRIFTS["clipped"])
    wide = arb(0).union(arb(16))
    whole = found.at(wide)
    for r in np.linspace(0.0, 16.0, 33):
        for inside, outside in zip(found.at(arb(r)), whole, strict=True):
            assert outside.contains(inside) or outside.overlaps(inside)
            assert outside.lower() <= inside.upper()
            assert outside.upper() >= inside.lower()


@pytest.mark.parametrize("name", DRIFTS)
def test_the_function_has_the_properties_that_are_claimed(name):
    """At points, from the balls, apart from the proof by cells."""
    drift = DRIFTS[name]
    found = eberle_constants(drift)
    certificate = certify_differential_inequality(drift)
    assert certificate.certified
    assert certificate.structural <= 2 < certificate.direct
    outer = float(found.outer_radius)
    for r in np.linspace(0.05, 2.0, 40) * outer:
        f, first, second = found.at(arb(r))
        kappa = next(k for end, k in drift.pieces if end == sp.oo or r <= float(end))
        curvature = float(kappa.subs(DISTANCE, r))
        left = 2 * second - first * r * curvature / 2 + found.rate * f
        assert float(left.mid()) < 1e-12
        assert f <= r
        assert f >= found.slope * r / 2


def test_little_noise():
    """Where φ falls to exp(-400) the relative radii stay as small."""
    drift = clipped_gradient(R(1, 5), R(1), R(1), R(1, 10))
    found = eberle_constants(drift)
    # ∫ u κ⁻ = ∫_0^20 (8/5) u du + ∫_20^100 (40 - 2u/5) du = 320 + 1280.
    assert found.slope.overlaps(arb(-400).exp())
    assert found.rate.rad() < found.rate * arb(10) ** -30
    assert certify_differential_inequality(drift).certified
    mutant = Recipe(rate=fmpq(101, 100))
    assert not certify_differential_inequality(drift, recipe=mutant).certified


MUTANTS = {
    "rate up by a hundredth": Recipe(rate=fmpq(101, 100)),
    "a fifth for a quarter": Recipe(exponent=fmpq(1, 5)),
    "two fifths for a half": Recipe(share=fmpq(2, 5)),
    "more than the whole share": Recipe(share=fmpq(11, 10)),
}


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("name", ["double well", "clipped"])
def test_mutants_that_are_false_are_not_certified(name, mutant):
    recipe = MUTANTS[mutant]
    assert not certify_differential_inequality(DRIFTS[name], recipe=recipe).certified
    if mutant == "more than the whole share":
        return
    # Near 0 the left side is positive.
    found = eberle_constants(DRIFTS[name], recipe=recipe)
    r = fmpq(1, 100)
    f, first, second = found.at(arb(r))
    kappa = DRIFTS[name].pieces[0][1].subs(DISTANCE, R(1, 100))
    assert 2 * second - first * r * arb(fmpq(int(kappa.p), int(kappa.q))) / 2 + found.rate * f > 0


def test_some_other_recipes_are_true():
    """A larger exponent always serves; a larger share where there is room beyond R_1."""
    for name in ("ou", "double well", "clipped"):
        assert certify_differential_inequality(
            DRIFTS[name], recipe=Recipe(exponent=fmpq(1, 3))
        ).certified
    two_thirds = Recipe(share=fmpq(2, 3))
    assert certify_differential_inequality(DRIFTS["double well"], recipe=two_thirds).certified
    refused = certify_differential_inequality(DRIFTS["ou"], recipe=two_thirds)
    assert refused.failed is None
    assert not refused.beyond
    # Without κ⁻ the exponent does not matter.
    assert certify_differential_inequality(
        DRIFTS["ou"], recipe=Recipe(exponent=fmpq(1, 5))
    ).certified


def test_the_structural_identity():
    """The left side in the terms whose signs are read off."""
    r, integral, alpha, beta, gamma = sp.symbols("r I alpha beta gamma")
    minus, plus = sp.Function("kappa_minus")(r), sp.Function("kappa_plus")(r)
    phi, mass, ratio, product = (sp.Function(n)(r) for n in ("phi", "Phi", "J", "K"))
    rules = {
        sp.diff(phi, r): -alpha * r * minus * phi,
        sp.diff(mass, r): phi,
        sp.diff(ratio, r): mass / phi,
        sp.diff(product, r): phi * ratio,
    }
    f = mass - beta * product / integral
    first = sp.diff(f, r).subs(rules)
    second = sp.diff(first, r).subs(rules)
    left = 2 * second - r * (plus - minus) * first / 2 + gamma / integral * f
    g = 1 - beta * ratio / integral
    terms = (
        (sp.Rational(1, 2) - 2 * alpha) * r * minus * phi * g
        - r * plus * phi * g / 2
        - (2 * beta - gamma) * mass / integral
        - gamma * beta * product / integral**2
    )
    assert sp.simplify(sp.expand(left - terms)) == 0


def test_double_well_curvature_by_brute_force():
    curvature = double_well(R(2)).pieces[0][1]
    x = np.linspace(-6.0, 6.0, 200_001)
    for r in (0.3, 2.0, 5.0):
        y = x - r
        pull = -2 * r * ((2 * x - x**3) - (2 * y - y**3)) / r**2
        assert np.min(pull) == pytest.approx(float(curvature.subs(DISTANCE, r)), abs=1e-6)


def test_drifts_that_have_no_constants_are_refused():
    with pytest.raises(ValueError, match="a="):
        double_well(sp.Integer(0))
    with pytest.raises(ValueError, match="must reach infinity"):
        ReflectionDrift("x", "x", (), ((sp.Integer(1), sp.Integer(1)),))
    falling = ReflectionDrift("x", "x", (), ((sp.oo, 1 / DISTANCE),))
    with pytest.raises(ValueError, match="must not fall"):
        eberle_constants(falling)
    drop = ReflectionDrift("x", "x", (), ((sp.Integer(1), sp.Integer(2)), (sp.oo, sp.Integer(1))))
    with pytest.raises(ValueError, match="falls at 1"):
        eberle_constants(drop)
    never = ReflectionDrift("x", "x", (), ((sp.oo, sp.Integer(-1)),))
    with pytest.raises(ValueError, match="not positive in the end"):
        eberle_constants(never)
    with pytest.raises(ValueError, match="digits="):
        eberle_constants(DRIFTS["ou"], 0)
    with pytest.raises(TypeError, match="share="):
        Recipe(share=0.5)
