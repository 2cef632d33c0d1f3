"""Measured strong and weak orders of the samplers, on nested grids with common noise.

Each grid halves every step of the one before, in noise time, and all grids are driven by one
Brownian motion. The noise of the exponential step from reverse time t_0 to t_1 is
√2 ∫ e^(t_1 - s) dW_s, so over two halves

    noise(t_0, t_2) = e^(t_2 - t_1) noise(t_0, t_1) + noise(t_1, t_2),

exactly; for Euler–Maruyama the increments add. The differences of neighbouring grids then show
the order without an exact solution: see ``numerics.sampler_order_fit`` for the fit and its band.

Expected are: strong 1 for "exponential" and "euler-maruyama" (the noise is additive; one half for
Euler–Maruyama in general and one for Milstein), weak 1 for both, and as a method for an ordinary
equation 1 for "flow-euler" and "flow-exponential" and 2 for "flow-heun".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import SupportsIndex, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.counter_streams import stream_key
from numerics.milstein import DiagonalEquation, DiagonalMethod, diagonal_step
from numerics.sampler_advance import advanced
from numerics.sampler_normals import keyed_normals
from numerics.sampler_order_fit import (
    BATCHES,
    FEWEST_LEVELS,
    Kind,
    MeasuredOrder,
    fitted_order,
)
from numerics.sampler_score import Score
from numerics.sampler_steps import Method, step_factors
from numerics.sampler_times import SamplerTimes, sampler_times
from numerics.streams import Rng

__all__ = ["MeasuredOrder", "halved_times", "measured_diagonal_order", "measured_order"]

Array = NDArray[np.float64]

#: Maps states (M, d) to numbers (M,).
TestFunction = Callable[[Array], Array]

# Paths that run together through all grids.
_TOGETHER = 8192


def measured_order(
    score: Score,
    times_coarsest: SamplerTimes,
    *,
    levels: int,
    paths: int,
    dimension: int,
    rng: Rng,
    method: Method = "exponential",
    kind: Kind = "strong",
    test_function: TestFunction | None = None,
    confidence: float = 0.999,
) -> MeasuredOrder:
    """Measure the order of a sampler's method, for a given score and start N(0, I).

    Parameters
    ----------
    score : callable
        As in ``numerics.samplers.sample_reverse``.
    times_coarsest : SamplerTimes
        The coarsest grid.
    levels : int
        Number of halvings, at least 4: so many differences are measured. Steps must be short
        enough for the differences to follow a power law; the band widens where they do not.
    paths, dimension : int
        M, at least 64, and d.
    rng : int, SeedSequence or Generator
        As in ``numerics.streams.seed_sequence``.
    method : str
        As in ``sample_reverse``.
    kind : str
        "strong" or "weak".
    test_function : callable, optional
        For the weak order: maps states (M, d) to (M,); the squared norm when None.
    confidence : float
        Of the statistical part of the band, in (0, 1).

    Returns
    -------
    MeasuredOrder

    Raises
    ------
    ValueError
        One line, for an argument outside its domain, for a score that fails as in
        ``sample_reverse``, and for differences of the size of rounding.

    Examples
    --------
    >>> times = sampler_times(np.linspace(2.0, 0.5, 9))
    >>> fit = measured_order(lambda x, u: -x / (1.0 + np.exp(-2.0 * u)), times, levels=4,
    ...                      paths=64, dimension=1, rng=0, method="flow-heun")
    >>> round(fit.order, 1), fit.half_width < 0.1
    (2.0, True)
    """
    halvings = _checked_integer("levels", levels, FEWEST_LEVELS)
    number = _checked_integer("paths", paths, 2 * BATCHES)
    size = _checked_integer("dimension", dimension, 1)
    _checked_choices(kind, test_function, confidence)
    grids = [halved_times(times_coarsest, level) for level in range(halvings + 1)]
    factors = [step_factors(grid, method) for grid in grids]
    finest = factors[-1]
    key = stream_key(rng)
    grow = finest.keep if method == "exponential" else np.ones_like(finest.keep)

    def ends(first: int, many: int) -> list[Array]:
        def normals(draw: int) -> Array:
            return keyed_normals(key, first_path=first, paths=many, draw=draw, dimension=size)

        def noise(j: int) -> Array | None:
            return finest.noise[j] * normals(j + 1) if finest.noisy else None

        def advance(level: int, k: int, y: Array, drawn: Array | None) -> Array:
            return advanced(score, factors[level], grids[level], k, y, drawn, first)

        return _nested_ends(normals(0), halvings, grow, noise, advance)

    sizes = np.array([grid.steps.max() for grid in grids[:-1]])
    return _measured(ends, number, sizes, str(method), kind, test_function, confidence)


def measured_diagonal_order(
    equation: DiagonalEquation,
    initial: ArrayLike,
    times_coarsest: ArrayLike,
    *,
    levels: int,
    paths: int,
    rng: Rng,
    method: DiagonalMethod,
    kind: Kind = "strong",
    test_function: TestFunction | None = None,
    confidence: float = 0.999,
) -> MeasuredOrder:
    """Measure the order of Euler–Maruyama or Milstein for an SDE with diagonal noise.

    Parameters
    ----------
    equation : DiagonalEquation
    initial : array_like, shape (d,)
        The state that all paths start from.
    times_coarsest : array_like, shape (K + 1,)
        Increasing times of the coarsest grid.
    method : str
        "euler-maruyama" or "milstein".
    levels, paths, rng, kind, test_function, confidence
        As in ``measured_order``.

    Returns
    -------
    MeasuredOrder

    Raises
    ------
    ValueError
        One line, as in ``measured_order``.

    Examples
    --------
    >>> from numerics.milstein import geometric_brownian_motion
    >>> fit = measured_diagonal_order(geometric_brownian_motion(0.5, 0.5), [1.0],
    ...                               np.linspace(0.0, 1.0, 9), levels=5, paths=8192, rng=0,
    ...                               method="milstein")
    >>> round(fit.order, 1), fit.half_width < 0.1
    (1.0, True)
    """
    halvings = _checked_integer("levels", levels, FEWEST_LEVELS)
    number = _checked_integer("paths", paths, 2 * BATCHES)
    _checked_choices(kind, test_function, confidence)
    start = np.asarray(initial, dtype=np.float64)
    if start.ndim != 1 or start.size == 0 or not np.all(np.isfinite(start)):
        raise ValueError(f"initial = {initial!r}: one finite state (d,) is needed; pass [1.0], say")
    coarsest = np.asarray(times_coarsest, dtype=np.float64)
    if coarsest.ndim != 1 or coarsest.size < 2 or not np.all(np.diff(coarsest) > 0.0):
        raise ValueError(
            f"times_coarsest has shape {coarsest.shape}: a row of at least two increasing times "
            "is needed; pass np.linspace(0.0, 1.0, 9), say"
        )
    grids = [_halved(coarsest, level) for level in range(halvings + 1)]
    steps = [np.diff(grid) for grid in grids]
    key = stream_key(rng)

    def ends(first: int, many: int) -> list[Array]:
        def noise(j: int) -> Array:
            drawn = keyed_normals(
                key, first_path=first, paths=many, draw=j + 1, dimension=start.size
            )
            return np.asarray(math.sqrt(steps[-1][j]) * drawn)

        def advance(level: int, k: int, y: Array, drawn: Array | None) -> Array:
            assert drawn is not None
            time, length = float(grids[level][k]), float(steps[level][k])
            return diagonal_step(equation, y, time, length, drawn, method)

        rows = np.tile(start, (many, 1))
        return _nested_ends(rows, halvings, np.ones_like(steps[-1]), noise, advance)

    sizes = np.array([step.max() for step in steps[:-1]])
    return _measured(ends, number, sizes, str(method), kind, test_function, confidence)


def halved_times(times: SamplerTimes, halvings: int) -> SamplerTimes:
    """Return the times with every step halved so many times, in noise time.

    Examples
    --------
    >>> halved_times(sampler_times([2.0, 1.0, 0.5]), 1).noise_times
    array([2.  , 1.5 , 1.  , 0.75, 0.5 ])
    """
    return sampler_times(_halved(times.noise_times, halvings))


def _halved(times: Array, halvings: int) -> Array:
    for _ in range(halvings):
        finer = np.empty(2 * times.size - 1)
        finer[::2] = times
        finer[1::2] = 0.5 * (times[:-1] + times[1:])
        times = finer
    return times


def _nested_ends(
    start: Array,
    halvings: int,
    grow: Array,
    noise: Callable[[int], Array | None],
    advance: Callable[[int, int, Array, Array | None], Array],
) -> list[Array]:
    """Return the last states on all grids, coarsest first, all driven by the finest noise.

    ``grow`` (F,) is what the noise gathered so far is multiplied by over each finest step.
    """
    states = [start] * (halvings + 1)
    gathered: list[Array | None] = [None] * (halvings + 1)
    for j in range(grow.size):
        fresh = noise(j)
        for level in range(halvings + 1):
            span = 2 ** (halvings - level)
            before = gathered[level]
            if fresh is None or before is None or j % span == 0:
                gathered[level] = fresh
            else:
                gathered[level] = grow[j] * before + fresh
            if (j + 1) % span == 0:
                states[level] = advance(level, j // span, states[level], gathered[level])
    return states


def _measured(
    ends: Callable[[int, int], list[Array]],
    paths: int,
    sizes: Array,
    method: str,
    kind: Kind,
    test_function: TestFunction | None,
    confidence: float,
) -> MeasuredOrder:
    """Run all paths and fit the order; ``ends(first, many)`` gives their states per grid."""
    function = _squared_norm if test_function is None else test_function
    values = np.empty((paths, sizes.size))
    square = 0.0
    for first in range(0, paths, _TOGETHER):
        many = min(_TOGETHER, paths - first)
        states = ends(first, many)
        if kind == "weak":
            states = [_checked_values(function, y) for y in states]
        for level in range(sizes.size):
            gap = states[level] - states[level + 1]
            values[first : first + many, level] = (
                gap[:, 0] if kind == "weak" else _squared_norm(gap)
            )
        square += float(np.sum(states[-1] ** 2))
    return fitted_order(
        values,
        scale=math.sqrt(square / paths),
        step_sizes=sizes,
        method=method,
        kind=kind,
        confidence=confidence,
    )


def _squared_norm(x: Array) -> Array:
    return np.asarray(np.einsum("md,md->m", x, x))


def _checked_values(function: TestFunction, y: Array) -> Array:
    """Return f(y) as a column (M, 1)."""
    values = np.asarray(function(y), dtype=np.float64)
    if values.shape != (len(y),) or not np.all(np.isfinite(values)):
        raise ValueError(
            f"test_function returned shape {values.shape}, finite: {np.all(np.isfinite(values))}; "
            f"it must map ({len(y)}, {y.shape[1]}) to finite ({len(y)},): return one number per row"
        )
    return values[:, None]


def _checked_integer(name: str, value: SupportsIndex, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, (bool, np.bool_)) or number < least:
        raise ValueError(f"{name} = {value!r}: an integer ≥ {least} is needed; pass {least}, say")
    return number


def _checked_choices(kind: Kind, function: TestFunction | None, confidence: float) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"kind = {kind!r}: it must be one of {', '.join(get_args(Kind))}")
    if kind == "strong" and function is not None:
        raise ValueError("test_function = a function: the strong order has none; pass kind='weak'")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence = {confidence!r}: it must lie in (0, 1); pass 0.999, say")
