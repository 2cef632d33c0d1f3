"""Schedules as floats, against the symbolic ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from numerics.schedules import SCHEDULES, checked_times, schedule_named
from theory import process, symbols

TIMES = [sp.Rational(n, 10**7) for n in (1, 999, 10**5, 2_500_000, 7_654_321, 9_900_000)]


def test_the_names_are_those_of_theory():
    assert [schedule.name for schedule in SCHEDULES] == list(process.SCHEDULES)


@pytest.mark.parametrize("name", process.SCHEDULES)
def test_functions_agree_with_symbols(name):
    t = sp.Symbol("t", positive=True)
    at = process.SCHEDULES[name].at(t)
    mu, sigma2 = at[symbols.mu], at[symbols.sigma2]
    beta = -sp.diff(mu, t) / mu
    diffusion = sp.diff(sigma2, t) / 2 + beta * sigma2
    ours = schedule_named(name)
    given = np.array([float(value) for value in TIMES])
    for exact, function in (
        (mu, ours.mu),
        (sigma2, ours.sigma2),
        (beta, ours.beta),
        (diffusion, ours.diffusion),
    ):
        wanted = [float(sp.N(exact.subs(t, value), 40)) for value in TIMES]
        np.testing.assert_allclose(function(given), wanted, rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("name", process.SCHEDULES)
def test_shapes_are_kept(name):
    ours = schedule_named(name)
    for function in (ours.mu, ours.sigma2, ours.beta, ours.diffusion):
        assert function(0.5).shape == ()
        assert function(np.full((2, 3), 0.5)).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedule_named("linear"), "schedule = 'linear': it must be one of ou, vp-linear"),
        (lambda: checked_times(schedule_named("fraction"), 0.1, 1.0), "needs a horizon below 1"),
        (lambda: checked_times(schedule_named("ou"), 0.0, 1.0), "early_stopping_time = 0.0"),
        (lambda: checked_times(schedule_named("ou"), 1.0, 1.0), r"lie in \(0, horizon\)"),
        (lambda: checked_times(schedule_named("ou"), float("nan"), 1.0), "early_stopping_time"),
        (lambda: checked_times(schedule_named("ou"), 0.1, float("inf")), "horizon = inf"),
        (lambda: checked_times(schedule_named("ou"), "x", 1.0), "two numbers are needed"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
