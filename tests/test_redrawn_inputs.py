"""Proposition 5.2 is about the targets' noise: redrawn inputs vary a network half-way through more.

Eight inputs on a ring, equally likely, the kernel of a lazy walk with c = 1/4, noise of variance
one, and N training points drawn afresh: gradient flow for the time one towards 6 cos.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import expm

INPUTS, DRAWS, MODELS, TIME = 8, 4000, 4000, 1.0
#: False alarm of one comparison.
FALSE_ALARM = 1e-9


def _kernel() -> NDArray[np.float64]:
    """Return K on the inputs, so that K/8 has the eigenvalues 3/4 + cos(2πk/8)/4."""
    walk = 0.75 * np.eye(INPUTS)
    for k in range(INPUTS):
        walk[k, (k + 1) % INPUTS] += 0.125
        walk[k, (k - 1) % INPUTS] += 0.125
    return walk * INPUTS


def _models(amplitude: float, *, redrawn: bool) -> NDArray[np.float64]:
    """Return the trained functions, one per row."""
    rng = np.random.default_rng(5)
    kernel, target = _kernel(), amplitude * np.cos(2 * np.pi * np.arange(INPUTS) / INPUTS)
    found = np.empty((MODELS, INPUTS))
    for row in found:
        equal = np.full(INPUTS, DRAWS // INPUTS)
        counts = rng.multinomial(DRAWS, np.full(INPUTS, 1 / INPUTS)) if redrawn else equal
        means = target + rng.standard_normal(INPUTS) / np.sqrt(counts)
        # f' = K S (y − f) with the shares S of the inputs, so f = (1 − e^{−τKS}) y
        row[:] = means - expm(-TIME * kernel * (counts / DRAWS)) @ means
    return found


def _interval(models: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variance, averaged over the inputs, and its half width."""
    squares = np.mean((models[0::2] - models[1::2]) ** 2, axis=1) / 2
    quantile = float(stats.t.isf(FALSE_ALARM / 2, len(squares) - 1))
    return float(squares.mean()), quantile * float(squares.std(ddof=1)) / len(squares) ** 0.5


def _as_claimed() -> tuple[float, float]:
    """Return the variance of Proposition 5.2, and of the linear model of all modes."""
    spectrum = 0.75 + 0.25 * np.cos(2 * np.pi * np.arange(INPUTS) / INPUTS)
    return float(np.sum(np.expm1(-TIME * spectrum) ** 2)) / DRAWS, INPUTS / DRAWS


@pytest.mark.parametrize("amplitude", [0.0, 6.0])
def test_given_the_inputs_the_variance_is_as_claimed(amplitude: float) -> None:
    variance, width = _interval(_models(amplitude, redrawn=False))
    claimed, _ = _as_claimed()
    assert width < claimed / 5
    assert abs(variance - claimed) < width


def test_redrawn_inputs_can_exceed_even_the_linear_model() -> None:
    variance, width = _interval(_models(6.0, redrawn=True))
    _, linear = _as_claimed()
    assert variance - width > linear
