"""The sampler's times: exact and in floats, their defining properties, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from numerics.sampler_times import (
    geometric_steps,
    nearest_phase_lengths,
    phase_lengths,
    sampler_times,
    two_phase_times,
    uniform_steps,
)
from theory.sampler_steps import KAPPA, measure_of_times, noise_times, steps

SHAPES = [("1/10", 40, 40), ("1/2", 3, 7), ("3/2", 1, 1), ("1/100", 400, 5), ("7/3", 2, 9)]


@pytest.mark.parametrize(("kappa", "uniform", "geometric"), SHAPES)
def test_floats_agree_with_exact_times(kappa, uniform, geometric):
    kappa = sp.Rational(kappa)
    exact = noise_times(kappa, uniform, geometric)
    found = two_phase_times(float(kappa), uniform, geometric)
    assert len(exact) == len(found.noise_times) == uniform + geometric + 1
    assert len(steps(kappa, uniform, geometric)) == len(found.steps) == uniform + geometric
    for ours, true in (
        *zip(found.noise_times, exact, strict=True),
        *zip(found.steps, steps(kappa, uniform, geometric), strict=True),
    ):
        # the rounding of κ itself, of a few operations, and of the exponent
        units = 8 + 4 * abs(math.log(true)) + 2 * geometric
        assert abs(sp.Rational(float(ours)) - true) <= units * sp.Rational(2) ** -53 * true
    assert found.horizon == found.noise_times[0]
    assert found.early_stopping_time == found.noise_times[-1]


@pytest.mark.parametrize(("kappa", "uniform", "geometric"), SHAPES)
def test_steps_are_kappa_times_the_weight_at_the_end(kappa, uniform, geometric):
    kappa = sp.Rational(kappa)
    times, gammas = noise_times(kappa, uniform, geometric), steps(kappa, uniform, geometric)
    assert times[0] == 1 + kappa * uniform
    assert times[uniform] == 1
    assert times[-1] == (1 + kappa) ** -geometric
    assert times[-2] == (1 + kappa) * times[-1]
    for k, gamma in enumerate(gammas):
        assert gamma == times[k] - times[k + 1] == kappa * min(sp.S.One, times[k + 1])


def test_the_times_hold_for_a_symbolic_step():
    kappa = KAPPA.symbol
    times, gammas = noise_times(kappa, 2, 3), steps(kappa, 2, 3)
    for k, gamma in enumerate(gammas):
        assert sp.cancel(times[k] - times[k + 1] - gamma) == 0


def test_the_measure_leaves_out_the_last_time():
    values = {"kappa": sp.Rational(1, 2), "L": sp.Integer(2), "m": sp.Integer(2)}
    tau = measure_of_times(values)
    half, third = sp.Rational(1, 2), sp.Rational(1, 3)
    assert tau.times == (2, 3 * half, 1, 2 * third)
    assert tau.weights == (half, half, third, 2 * third / 3)
    assert sum(tau.weights) == 2 - sp.Rational(4, 9), "T − ε"


@pytest.mark.parametrize(("kappa", "uniform", "geometric"), SHAPES)
def test_lengths_are_found_from_the_ends(kappa, uniform, geometric):
    step = float(sp.Rational(kappa))
    times = two_phase_times(step, uniform, geometric)
    ends = times.horizon, times.early_stopping_time
    assert phase_lengths(step, *ends) == (uniform, geometric)
    assert nearest_phase_lengths(step, *ends) == (uniform, geometric)


@pytest.mark.parametrize("kappa", [0.03, 0.3, 1.7])
@pytest.mark.parametrize(("horizon", "stop"), [(5.01, 0.011), (1.001, 0.9), (2.73, 0.3)])
def test_the_nearest_is_nearest_and_is_accepted(kappa, horizon, stop):
    uniform, geometric = nearest_phase_lengths(kappa, horizon, stop)
    assert abs(1 + kappa * uniform - horizon) == min(
        abs(1 + kappa * count - horizon) for count in range(1, 400)
    )
    distances = [abs(count * math.log1p(kappa) + math.log(stop)) for count in range(1, 400)]
    assert distances[geometric - 1] == min(distances)
    for find, value, count in (
        (uniform_steps, horizon, uniform),
        (geometric_steps, stop, geometric),
    ):
        with pytest.raises(ValueError, match="the nearest is") as caught:
            find(kappa, value)
        _, _, offered = str(caught.value).partition("the nearest is ")
        number, length = (part.partition("= ")[2] for part in offered.split(", "))
        assert int(length) == count
        assert find(kappa, float(number)) == count


@pytest.mark.parametrize("kappa", [0.0, -0.1, math.nan, math.inf])
def test_a_step_that_is_no_positive_number_is_refused(kappa):
    for attempt in (
        lambda: two_phase_times(kappa, 2, 2),
        lambda: uniform_steps(kappa, 5.0),
        lambda: geometric_steps(kappa, 0.1),
        lambda: phase_lengths(kappa, 5.0, 0.1),
    ):
        with pytest.raises(ValueError, match="the step size κ is a number > 0") as caught:
            attempt()
        assert str(caught.value).startswith(f"kappa = {kappa!r}: ")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: two_phase_times(0.1, 0, 3), "uniform_steps = 0: an integer ≥ 1, since T = κL + 1"),
        (lambda: two_phase_times(0.1, -1, 3), "uniform_steps = -1: "),
        (lambda: two_phase_times(0.1, True, 3), "uniform_steps = True: "),
        (lambda: two_phase_times(0.1, 3, 0), "geometric_steps = 0: an integer ≥ 1, since ε = "),
        (lambda: uniform_steps(0.1, 1.0), "T = 1.0: T > 1 is needed"),
        (lambda: uniform_steps(0.1, 0.5), "T = 0.5: T > 1 is needed"),
        (lambda: uniform_steps(0.1, math.nan), "T = nan: T > 1 is needed"),
        (lambda: uniform_steps(0.1, math.inf), "T = inf: T > 1 is needed"),
        (lambda: uniform_steps(0.25, 5.1), "the nearest is T = 5.0, L = 16"),
        (lambda: uniform_steps(0.25, 1.01), "the nearest is T = 1.25, L = 1"),
        (lambda: geometric_steps(0.1, 1.0), "eps = 1.0: 0 < ε < 1 is needed"),
        (lambda: geometric_steps(0.1, 2.0), "eps = 2.0: 0 < ε < 1 is needed"),
        (lambda: geometric_steps(0.1, 0.0), "eps = 0.0: 0 < ε < 1 is needed"),
        (lambda: geometric_steps(0.1, -0.5), "eps = -0.5: 0 < ε < 1 is needed"),
        (lambda: geometric_steps(0.1, math.nan), "eps = nan: 0 < ε < 1 is needed"),
        (lambda: geometric_steps(1.0, 0.26), "the nearest is ε = 0.25, m = 2"),
        (lambda: sampler_times([1.0]), "noise_times has shape (1,): at least two times"),
        (lambda: sampler_times([[2.0, 1.0]]), "noise_times has shape (1, 2): "),
        (lambda: sampler_times([1.0, 2.0]), "noise times are finite, > 0 and strictly decreasing"),
        (lambda: sampler_times([1.0, 1.0]), "strictly decreasing; sort them from T down to ε"),
        (lambda: sampler_times([1.0, 0.0]), "noise times are finite, > 0"),
        (lambda: sampler_times([1.0, -1.0]), "noise times are finite, > 0"),
        (lambda: sampler_times([math.inf, 1.0]), "noise times are finite"),
        (lambda: sampler_times([2.0, math.nan, 1.0]), "noise times are finite"),
    ],
)
def test_bad_arguments_are_one_line(attempt, message):
    with pytest.raises(ValueError, match=r"; pass |; the nearest is |; sort ") as caught:
        attempt()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_any_decreasing_times_are_kept():
    given = np.array([2.0, 0.7, 0.1])
    times = sampler_times(given)
    given[0] = 9.0
    assert times.noise_times.tolist() == [2.0, 0.7, 0.1]
    assert times.steps.tolist() == [2.0 - 0.7, 0.7 - 0.1]
