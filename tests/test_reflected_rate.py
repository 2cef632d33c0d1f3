"""The least eigenvalue of a reflected generator, against closed forms and shooting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from numerics.reflected_rate import reflected_rate
from proofs_check.measurement import measure
from proofs_check.point import timeless


@pytest.mark.parametrize("decay", [0.1, 1.0, 7.0])
def test_ornstein_uhlenbeck_decays_at_its_own_rate(decay: float) -> None:
    """f = r is the eigenfunction: 2f'' − λ r f' = −λ r."""
    found = reflected_rate([np.inf], [[0.0, 2.0 * decay]], 12.0 / np.sqrt(decay))
    assert abs(found.value - decay) <= found.error
    assert found.error < 1e-7 * decay


def shot(pull, rate: float, last: float) -> float:
    """f'(D) of the solution of 2f'' = ½rκf' − c f with f(0) = 0 and f'(0) = 1."""
    solution = solve_ivp(
        lambda r, y: [y[1], 0.25 * pull(r) * y[1] - 0.5 * rate * y[0]],
        (0.0, last),
        [0.0, 1.0],
        rtol=1e-11,
        atol=1e-13,
        max_step=0.01,
    )
    return float(solution.y[1, -1])


@pytest.mark.parametrize(
    ("pull", "ends", "rows", "last"),
    [
        (lambda r: r**3 / 2 - 2 * r, [np.inf], [[0.0, -2.0, 0.0, 0.5]], 4.0),
        (
            lambda r: -2 * r if r < 1.0 else 2 * r - 4.0,
            [1.0, np.inf],
            [[0.0, -2.0], [-4.0, 2.0]],
            5.0,
        ),
    ],
    ids=["double well", "clipped"],
)
def test_shooting_finds_the_same_rate(pull, ends, rows, last: float) -> None:
    """The shooting error is that of an ODE solver at 1e-11, well below the stated one of 1e-6."""
    found = reflected_rate(ends, rows, last)
    shooting = brentq(lambda c: shot(pull, c, last), 0.5 * found.value, 1.3 * found.value)
    assert found.value == pytest.approx(shooting, rel=1e-6)
    assert abs(found.value - shooting) <= found.error + 1e-7 * shooting


def test_more_curvature_is_faster() -> None:
    rates = [reflected_rate([np.inf], [[0.0, -2.0 * a, 0.0, 0.5]], 8.0).value for a in (1, 0.5, 0)]
    assert rates == sorted(rates)


@pytest.mark.parametrize("distance", [0.0, -1.0, np.inf, np.nan])
def test_a_distance_that_is_none_is_refused(distance: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        reflected_rate([np.inf], [[0.0, 2.0]], distance)


def test_the_noisy_mean_is_what_it_says() -> None:
    """Against a simulation written for this test: 40,000 pairs each, five standard errors.

    Two independent means differ by more with probability 6e-7.
    """
    point = timeless("noisy-mean-sgd", N=2, B=1, K=6, eta="1/5", L=1, C=2, noise=2)
    known = measure(point, ["reflection_square"], effort="standard")["reflection_square"]
    rng, pairs, eta, scale = np.random.default_rng(7), 40_000, 0.2, 0.4
    data = rng.choice([-1.0, 1.0], size=(pairs, 3))  # x_1, x_2, and x̃ in the place of x_1
    first, second = np.zeros(pairs), np.zeros(pairs)
    for _ in range(6):
        swapped = rng.random(pairs) < 0.5
        own = np.where(swapped, data[:, 0], data[:, 1])
        other = np.where(swapped, data[:, 2], data[:, 1])
        here = 0.8 * first - eta * np.clip(first - own, -2.0, 2.0)
        there = 0.8 * second - eta * np.clip(second - other, -2.0, 2.0)
        gap, z = (here - there) / scale, rng.standard_normal(pairs)
        meet = rng.random(pairs) < np.exp(np.minimum(0.0, -z * gap - gap**2 / 2))
        first = here + scale * z
        second = np.where(meet | (gap == 0.0), first, there - scale * z)
        first, second = np.clip(first, -2.0, 2.0), np.clip(second, -2.0, 2.0)
    squares = (first - second) ** 2
    spread = squares.std() * np.sqrt(1 / pairs + 1 / 20_000)
    assert abs(squares.mean() - known.value) <= 5 * spread
