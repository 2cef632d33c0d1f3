r"""The worst distance between two copies when one record of N is replaced, as a Markov chain.

From r the copies' means are ``h(r)`` apart, or, with the probability ``B / N`` that the batch has
the replaced record, ``(1 - eta lambda) r + 2 eta C``; the coupling takes them to a distance, which
a diameter caps.  Means of functions of the K-th distance follow from the kernel of one step on
Gauss-Legendre panels as wide as the noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from numerics.clipped_step import ClippedStep
from numerics.reflection_coupling import ConcaveFunction, truncated_mean

Floats = NDArray[np.float64]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_MOST_STATES = 4000


@dataclass(frozen=True)
class DistanceMoments:
    """Means of the K-th distance, of its square and of the functions, each with an error.

    The errors compare two grids; they are estimates, not bounds.
    """

    mean: float
    square: float
    functions: tuple[float, ...]
    errors: tuple[float, ...]


def distance_moments(
    step: ClippedStep,
    probability: float,
    steps: float,
    diameter: float = math.inf,
    *,
    functions: tuple[ConcaveFunction, ...] = (),
) -> DistanceMoments:
    r"""Moments of the worst distance after some steps from distance 0.

    Parameters
    ----------
    step : ClippedStep
        The step.
    probability : float
        That a step's batch has the replaced record, in [0, 1].
    steps : float
        How many, an integer >= 0, or infinity for the stationary law.
    diameter : float
        What caps the distances; infinity for nothing.
    functions : tuple of ConcaveFunction
        Functions whose means are wanted too.

    Returns
    -------
    DistanceMoments
        The errors in the order mean, square, functions.

    Raises
    ------
    ValueError
        If an argument is outside its domain, or the noise is too small for the distances.

    Notes
    -----
    The drift keeps the distance below that of an autoregression with mean ``2 C / lambda``; 12 of
    its standard deviations beyond, the distances are capped in any case.

    Examples
    --------
    With no record replaced nothing moves; with one in each batch the means part by ``2 eta C``:

    >>> step = ClippedStep(0.5, 1.0, 2.0, 1.0, 1.0)
    >>> distance_moments(step, 0.0, math.inf).mean
    0.0
    >>> moments = distance_moments(step, 1.0, 1)
    >>> round(moments.mean, 12), round(moments.square, 9)
    (1.0, 1.849320433)
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability={probability}: must be in [0, 1]; give B / N")
    if not steps >= 0 or (steps < math.inf and steps != int(steps)):
        raise ValueError(f"steps={steps}: must be an integer >= 0 or infinity; round it")
    if not diameter > 0.0:
        raise ValueError(f"diameter={diameter}: must be positive; infinity caps nothing")
    decay = step.step_size * step.weight_decay
    spread = step.noise_width / math.sqrt(decay * (2.0 - decay))
    last = min(diameter, 2.0 * step.clip / step.weight_decay + 12.0 * spread)
    coarse, fine = (
        _moments(step, probability, steps, last, size, functions) for size in (1.5, 0.75)
    )
    errors = np.abs(fine - coarse) + 1e-13 * np.abs(fine)
    mean, square, *others = map(float, fine)
    return DistanceMoments(mean, square, tuple(others), tuple(map(float, errors)))


def _moments(
    step: ClippedStep,
    probability: float,
    steps: float,
    last: float,
    size: float,
    functions: tuple[ConcaveFunction, ...],
) -> Floats:
    """Means after the steps; the functions' first step back is exact, as their kinks need it."""
    points, weights = _panels(step, last, size * step.noise_width)
    # Without jumps or steps nothing leaves 0.
    if steps == 0 or probability == 0.0:
        return np.zeros(2 + len(functions))
    states = np.concatenate([[0.0], points, [last]])
    kernel = _mix(step, probability, states, partial(_kernel, points, weights, last, step))
    images = [kernel @ states, kernel @ states**2]
    images += [
        _mix(step, probability, states, partial(_capped_means, function, step, last))
        for function in functions
    ]
    law = _law(kernel, steps - 1)
    return np.array([law @ image for image in images])


def _mix(
    step: ClippedStep, probability: float, states: Floats, of_means: Callable[[Floats], Floats]
) -> Floats:
    """Average over whether the batch has the replaced record."""
    kept = of_means(np.asarray(step.displacement(states)))
    moved = of_means(step.displacement_with_replacement(states))
    return (1.0 - probability) * kept + probability * moved


def _capped_means(
    function: ConcaveFunction, step: ClippedStep, last: float, moved: Floats
) -> Floats:
    """Means of ``f(min(R', last))``, exact at the kinks of f."""
    bounds = np.append(np.minimum(np.array(function.knots, dtype=float), last), last)
    weights = np.append(np.array(function.weights, dtype=float), function.tail_weight)
    return np.asarray(truncated_mean(moved[:, None], bounds, step.noise_width) @ weights)


def _panels(step: ClippedStep, last: float, size: float) -> tuple[Floats, Floats]:
    edges = [0.0]
    for stop in sorted({min(step.kink, last), last}):
        count = max(1, math.ceil((stop - edges[-1]) / size))
        if (count + len(edges)) * len(_NODES) > _MOST_STATES:
            raise ValueError(
                f"noise={step.noise}: too small for distances up to {last:.3g}; raise it or give "
                "a smaller diameter"
            )
        edges += list(np.linspace(edges[-1], stop, count + 1)[1:])
    half = np.diff(edges)[:, None] / 2.0
    middle = np.array(edges[:-1])[:, None] + half
    return np.ravel(middle + half * _NODES), np.ravel(half * _NODE_WEIGHTS)


def _kernel(
    points: Floats, weights: Floats, last: float, step: ClippedStep, moved: Floats
) -> Floats:
    """Probabilities of the states 0, the points and the last distance."""
    width = step.noise_width
    near = (points - moved[:, None]) / width
    # exp(-(u - h)^2 / 2) - exp(-(u + h)^2 / 2) without cancellation.
    fold = -np.expm1(-2.0 * points * moved[:, None] / width**2)
    inner = weights * np.exp(-0.5 * near * near) * fold / (width * math.sqrt(2.0 * math.pi))
    root = width * math.sqrt(2.0)
    top = 0.5 * (erfc((last - moved) / root) - erfc((last + moved) / root))
    met = erfc(moved / root)
    return np.column_stack([met, inner, top])


def _law(kernel: Floats, steps: float) -> Floats:
    """The law after that many steps from the first state, 0."""
    start = np.zeros(len(kernel))
    start[0] = 1.0
    if steps == math.inf:
        # Expected visits of an excursion from 0.
        visits = np.linalg.solve(np.eye(len(kernel) - 1) - kernel[1:, 1:].T, kernel[0, 1:])
        law = np.concatenate([[1.0], visits])
        return np.asarray(law / np.sum(law))
    left = int(steps)
    if left <= 4 * len(kernel):
        for _ in range(left):
            start = start @ kernel
        return start
    power = kernel
    while left:
        if left % 2:
            start = start @ power
        left //= 2
        if left:
            power = power @ power
    return start
