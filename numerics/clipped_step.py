"""One step of clipped noisy gradient descent, as two copies of it see each other.

``theta+ = m(theta) + eta s Z``, where the weight decay pulls the copies together and the clipped
gradients push them apart by at most ``eta min(L r, 2 C)`` at distance r.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClippedStep:
    r"""The step ``m(theta) + eta s Z`` with ``|m(theta) - m(theta')| <= displacement(r)``.

    Parameters
    ----------
    step_size : float
        ``eta``, positive.
    weight_decay : float
        ``lambda``, positive with ``step_size * weight_decay <= 1``; `ball_radius` and every
        statement on the whole half-line need it positive.
    lipschitz : float
        ``L``, of the clipped gradient, not negative.
    clip : float
        ``C``, the longest clipped gradient, positive.
    noise : float
        ``s``, positive: the step adds a normal vector of standard deviation ``eta s``.

    Raises
    ------
    ValueError
        If a parameter is outside its domain.

    Examples
    --------
    >>> step = ClippedStep(step_size=0.5, weight_decay=1.0, lipschitz=2.0, clip=1.0, noise=3.0)
    >>> [float(h) for h in step.displacement([0.5, 4.0])], step.kink, step.noise_width
    ([0.75, 3.0], 1.0, 3.0)
    """

    step_size: float
    weight_decay: float
    lipschitz: float
    clip: float
    noise: float

    def __post_init__(self) -> None:
        for name in ("step_size", "weight_decay", "clip", "noise"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise ValueError(f"{name}={value}: must be positive and finite; raise it above 0")
        if not 0.0 <= self.lipschitz < math.inf:
            raise ValueError(f"lipschitz={self.lipschitz}: must be finite and >= 0; 0 is allowed")
        if self.step_size * self.weight_decay > 1.0:
            raise ValueError(
                f"step_size*weight_decay={self.step_size * self.weight_decay}: must be at most 1; "
                "take a smaller step_size"
            )

    @property
    def noise_width(self) -> float:
        """``2 eta s``: reflected copies differ by a normal of this standard deviation."""
        return 2.0 * self.step_size * self.noise

    @property
    def kink(self) -> float:
        """``2 C / L``: the distance from which on the clipped gradients differ by ``2 C``."""
        return 2.0 * self.clip / self.lipschitz if self.lipschitz else math.inf

    def ball_radius(self, start: float = 0.0) -> float:
        """``max(start, C / lambda)``: without noise, no step leaves this ball."""
        return max(start, self.clip / self.weight_decay)

    @overload
    def displacement(self, distance: float) -> float: ...
    @overload
    def displacement(self, distance: list[float] | Floats) -> Floats: ...
    def displacement(self, distance: float | list[float] | Floats) -> float | Floats:
        """``h(r) = (1 - eta lambda) r + eta min(L r, 2 C)``, the farthest that means may be."""
        r = np.asarray(distance, dtype=float)
        push = np.minimum(self.lipschitz * r, 2.0 * self.clip)
        moved = (1.0 - self.step_size * self.weight_decay) * r + self.step_size * push
        return float(moved) if moved.ndim == 0 else moved

    def displacement_with_replacement(self, distance: Floats) -> Floats:
        """``(1 - eta lambda) r + 2 eta C``, where the batch has the record that was replaced."""
        kept = 1.0 - self.step_size * self.weight_decay
        return kept * np.asarray(distance, dtype=float) + 2.0 * self.step_size * self.clip
