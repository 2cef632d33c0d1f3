"""The clipped step's bounds against steps of actual clipped gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numerics.clipped_step import ClippedStep

GIVEN = {"step_size": 0.1, "weight_decay": 0.2, "lipschitz": 3.0, "clip": 1.0, "noise": 2.0}


def test_two_copies_are_never_farther_apart_than_the_displacement():
    step = ClippedStep(**GIVEN)
    rng = np.random.default_rng(0)
    here, there = rng.normal(scale=3.0, size=(2, 100_000))
    mean = [(1 - 0.1 * 0.2) * x - 0.1 * np.clip(3.0 * np.sin(x), -1.0, 1.0) for x in (here, there)]
    bound = step.displacement(np.abs(here - there))
    assert np.all(np.abs(mean[0] - mean[1]) <= bound * (1 + 1e-12))


def test_displacement_is_attained_by_a_gradient_that_falls_at_the_steepest():
    step = ClippedStep(**GIVEN)
    distance = np.array([0.01, 0.5, step.kink, 4.0])
    x = distance / 2
    attained = 2 * ((1 - 0.02) * x + 0.1 * np.minimum(3.0 * x, 1.0))
    np.testing.assert_allclose(step.displacement(distance), attained, rtol=1e-14)


def test_ball_kink_and_width():
    step = ClippedStep(**GIVEN)
    assert step.ball_radius() == 5.0
    assert step.ball_radius(7.0) == 7.0
    assert step.kink == pytest.approx(2 / 3)
    assert step.noise_width == pytest.approx(0.4)
    assert ClippedStep(**{**GIVEN, "lipschitz": 0.0}).kink == math.inf


def test_replacement_adds_at_most_the_clip():
    step = ClippedStep(**GIVEN)
    distance = np.linspace(0.0, 9.0, 50)
    gap = step.displacement_with_replacement(distance) - step.displacement(distance)
    assert np.all(gap >= -1e-15)
    assert np.all(gap <= 0.2 + 1e-15)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step_size", 0.0),
        ("step_size", 6.0),
        ("weight_decay", 0.0),
        ("lipschitz", -1.0),
        ("clip", math.inf),
        ("noise", math.nan),
    ],
)
def test_arguments_outside_their_domain_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}.*="):
        ClippedStep(**{**GIVEN, name: value})
