"""One step of each reverse-time sampler, as factors.

From noise time u to u - γ, with the score ŝ at u and Z standard normal,

    exponential       Y <- e^γ Y + 2(e^γ - 1) ŝ + (e^(2γ) - 1)^(1/2) Z
    euler-maruyama    Y <- (1 + γ) Y + 2γ ŝ + (2γ)^(1/2) Z
    flow-exponential  Y <- e^γ Y + (e^γ - 1) ŝ
    flow-euler        Y <- (1 + γ) Y + γ ŝ
    flow-heun         the mean of flow-euler's slopes at both ends

The first two solve dY = (Y + 2ŝ) dt + √2 dW, the others dY = (Y + ŝ) dt. Each exponential step is
exact for a frozen score. The noise is additive, so Milstein's method is Euler–Maruyama's here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

Method = Literal["exponential", "euler-maruyama", "flow-euler", "flow-heun", "flow-exponential"]


class StepFactors(NamedTuple):
    """The steps Y <- keep Y + push ŝ + noise Z, each array (K,), or Heun's of these lengths."""

    keep: Array
    push: Array
    noise: Array
    length: Array
    heun: bool

    @property
    def noisy(self) -> bool:
        """Whether the steps use random numbers."""
        return bool(np.any(self.noise))

    def before(self, step: int) -> StepFactors:
        """Return the factors of the steps before this one."""
        return StepFactors(
            self.keep[:step],
            self.push[:step],
            self.noise[:step],
            self.length[:step],
            self.heun,
        )


def step_factors(times: SamplerTimes, method: Method) -> StepFactors:
    """Return the factors of all steps of a method.

    Source of the exponential step: farghly2026, arXiv 2507.03756, Proposition 7.

    Raises
    ------
    ValueError
        One line, for an unknown method.

    Examples
    --------
    >>> from numerics.sampler_times import sampler_times
    >>> step_factors(sampler_times([1.0, 0.5]), "euler-maruyama")[:3]
    (array([1.5]), array([1.]), array([1.]))
    """
    length = np.asarray(times.steps, dtype=np.float64)
    growth = np.expm1(length)
    none = np.zeros_like(length)
    if method == "exponential":
        return StepFactors(
            1.0 + growth, 2.0 * growth, np.sqrt(np.expm1(2.0 * length)), length, False
        )
    if method == "euler-maruyama":
        return StepFactors(1.0 + length, 2.0 * length, np.sqrt(2.0 * length), length, False)
    if method == "flow-exponential":
        return StepFactors(1.0 + growth, growth, none, length, False)
    if method == "flow-euler":
        return StepFactors(1.0 + length, length, none, length, False)
    if method == "flow-heun":
        return StepFactors(1.0 + length, length, none, length, True)
    raise ValueError(f"method = {method!r}: it must be one of {', '.join(get_args(Method))}")
