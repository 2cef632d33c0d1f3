"""Certificates of contraction: against mpmath, and the wrong claims that must not pass."""

from __future__ import annotations

import dataclasses

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.clipped_step import ClippedStep
from numerics.reflection_coupling import (
    ConcaveFunction,
    best_concave_function,
    contraction_range,
    slowest_concave_function,
)
from proofs_check.contraction_certificate import ExactStep, certify_contraction

R = sp.Rational
EXACT = ExactStep(R(1, 10), R(1, 5), R(1), R(1), R(5))
FLOATS = ClippedStep(0.1, 0.2, 1.0, 1.0, 5.0)
TEN = R(10)


@pytest.fixture(scope="module")
def best():
    return best_concave_function(FLOATS, 10.0, knots=60)


@pytest.fixture(scope="module")
def slowest():
    return slowest_concave_function(FLOATS, 10.0, knots=60)


@pytest.fixture(scope="module")
def certificate(best, slowest):
    return certify_contraction(EXACT, best, TEN, witness=slowest)


def ratio(step, function, distance):
    """T f / f at a distance by mpmath, from the closed form, with exact parameters."""
    with mp.workdps(40):
        eta, decay, lipschitz, clip, noise = (
            mp.mpf(int(v.p)) / int(v.q) for v in dataclasses.astuple(step)
        )
        r = mp.mpf(distance)
        h = (1 - eta * decay) * r + eta * min(lipschitz * r, 2 * clip)
        width = 2 * eta * noise
        total, value = mp.mpf(function.tail_weight) * h, mp.mpf(function.tail_weight) * r
        for knot, weight in zip(function.knots, function.weights, strict=True):
            u, v = (h + knot) / width, (h - knot) / width
            mean = width * (
                u / 2 * mp.erf(u / mp.sqrt(2))
                - v / 2 * mp.erf(v / mp.sqrt(2))
                + mp.npdf(u)
                - mp.npdf(v)
            )
            total += weight * mean
            value += weight * min(r, mp.mpf(knot))
        return total / value


def test_the_enclosure_holds_and_is_sharp(best, slowest, certificate):
    low, high = float(certificate.rate_low), float(certificate.rate_high)
    assert 0.0 < low < high < 1.03 * low
    distances = [1e-9, 1e-3, *np.random.default_rng(0).uniform(0.0, 10.0, 60), 2.0, 10.0]
    assert all(ratio(EXACT, best, r) <= 1 - low for r in distances)
    assert all(ratio(EXACT, slowest, r) >= 1 - high for r in distances)
    assert low == pytest.approx(1 - contraction_range(FLOATS, best, 10.0)[1], rel=5e-3)
    assert high == pytest.approx(1 - contraction_range(FLOATS, slowest, 10.0)[0], rel=5e-3)


def test_a_rate_above_the_enclosure_is_not_proved(best, slowest, certificate):
    below = R(int(1e9 * float(certificate.rate_low)), 10**9)
    assert certificate.proves(below)
    above = R(int(1e9 * 1.001 * float(certificate.rate_high)) + 1, 10**9)
    assert not certificate.proves(above)
    # Nor by any other function at hand.
    for knots in (20, 200):
        other = best_concave_function(FLOATS, 10.0, knots=knots)
        assert not certify_contraction(EXACT, other, TEN).proves(above)


@pytest.mark.parametrize("place", [5, 20, 40])
@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_a_function_with_one_weight_changed_is_not_certified(best, certificate, place, factor):
    weights = list(best.weights)
    weights[place] *= factor
    mutant = ConcaveFunction(best.knots, tuple(weights))
    claim = R(int(1e9 * float(certificate.rate_low)), 10**9)
    assert not certify_contraction(EXACT, mutant, TEN).proves(claim)


def test_a_bump_between_knots_is_seen():
    knots = np.linspace(0.0, 10.0, 11)[1:]
    values = best_concave_function(FLOATS, 10.0)(knots)
    chords = np.diff(values, prepend=0.0)
    few = ConcaveFunction(tuple(knots), tuple(chords - np.append(chords[1:], 0.0)))
    at_knots = max(few.after(FLOATS, knots) / few(knots))
    certificate = certify_contraction(EXACT, few, TEN)
    assert at_knots < 0.997
    assert not certificate.proves(R(3, 1000))
    assert float(certificate.rate_low) < 0.0


def test_all_distances():
    best = best_concave_function(FLOATS, tail="linear")
    slowest = slowest_concave_function(FLOATS, 40.0)
    certificate = certify_contraction(EXACT, best, witness=slowest)
    low, high = float(certificate.rate_low), float(certificate.rate_high)
    assert 0.0 < low < high < 1.04 * low
    distances = np.geomspace(1e-6, 1e5, 40)
    assert all(ratio(EXACT, best, r) <= 1 - low for r in distances)
    # Without a witness the weight decay is the upper bound.
    plain = certify_contraction(EXACT, best)
    assert 0.02 <= float(plain.rate_high) < 0.02 + 1e-15
    # A tail that is too flat for the pull beyond the last knot.
    flat = dataclasses.replace(best, tail_weight=best.tail_weight / 2)
    assert not certify_contraction(EXACT, flat).proves(R(15, 10) * R(1, 1000))


def test_weight_decay_alone():
    step = ExactStep(R(1, 10), R(1, 5), R(0), R(1), R(1))
    certificate = certify_contraction(step, ConcaveFunction((), (), 1.0))
    assert float(certificate.rate_low) == pytest.approx(0.02, rel=1e-12)
    assert certificate.proves(R(1, 50) - R(1, 10**15))
    assert not certificate.proves(R(1, 50) + R(1, 10**15))
    bent = ConcaveFunction((1.0,), (1.0,), 1.0)
    assert certify_contraction(step, bent).proves(R(99, 10_000))


def test_few_cells_and_low_precision_only_lose_sharpness(best, slowest, certificate):
    for options in ({"most_cells": 1}, {"precision": 30}):
        crude = certify_contraction(EXACT, best, TEN, witness=slowest, **options)
        assert crude.rate_low <= certificate.rate_high
        assert float(crude.rate_low) <= 1 - contraction_range(FLOATS, best, 10.0)[1] + 1e-12
        assert float(crude.rate_high) >= 1 - contraction_range(FLOATS, slowest, 10.0)[0] - 1e-12


def test_the_whole_step_may_be_decayed():
    step = ExactStep(R(1), R(1), R(2), R(1), R(3))
    best = best_concave_function(ClippedStep(1.0, 1.0, 2.0, 1.0, 3.0), 2.0, knots=40)
    certificate = certify_contraction(step, best, R(2))
    assert 0.0 < float(certificate.rate_low) <= float(certificate.rate_high) <= 1.0


def test_what_is_not_exact_or_not_of_the_form_is_refused(best):
    with pytest.raises(TypeError, match="noise="):
        ExactStep(R(1, 10), R(1, 5), R(1), R(1), 5.0)
    with pytest.raises(ValueError, match="weight_decay="):
        ExactStep(R(1, 10), R(0), R(1), R(1), R(5))
    with pytest.raises(ValueError, match=r"step_size\*weight_decay="):
        ExactStep(R(10), R(1), R(1), R(1), R(5))
    with pytest.raises(ValueError, match="diameter="):
        certify_contraction(EXACT, best, R(9))
    with pytest.raises(ValueError, match="tail_weight="):
        certify_contraction(EXACT, best)
    with pytest.raises(ValueError, match="weights"):
        certify_contraction(EXACT, _Raw((1.0,), (-1.0,), 1.0))
    with pytest.raises(ValueError, match="weights"):
        certify_contraction(EXACT, _Raw((1.0,), (float("nan"),), 1.0))


@dataclasses.dataclass(frozen=True)
class _Raw:
    """A function that nothing has validated."""

    knots: tuple[float, ...]
    weights: tuple[float, ...]
    tail_weight: float
