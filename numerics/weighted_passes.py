"""Weighted sums over all points with proven errors of the weights: float64, then double-double.

The bound.  Let u = 2**-53, let ``E_i`` be the exponents, ``E`` the smallest, and ``h`` bound the
relative error of the computed weights: ``h = g E + (1 + rescalings)(eps_exp + 2u) + 3u`` plus a
small multiple of the excess ``E_i - E``, where ``g`` bounds the relative error of an exponent and
``eps_exp`` that of the exponential.  For any function v of the points the exact posterior mean of
v and the one of the computed weights differ by at most ``h (1 + 3h) s``, with ``s`` the posterior
standard deviation of v (Cauchy-Schwarz, as the mean of v minus its own mean is zero).  To this
come the gamma_n bounds of the sums, and the mass of skipped points, at most
``4 exp(-42) = 2.3e-18``, times the distance they could have.

In double-double ``g`` is about ``(3d + 40) 2**-106``.  Where even that cannot decide the weights
(h >= 0.1), the bound is the hull of the points that may carry mass.

Magnitudes are limited to 1e70 and sigma to [1e-70, 1e70], so no intermediate overflows, and
underflow changes an exponent by less than 1e-90.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics.double_double import accumulate_double, double_exponent_error, nearest_points
from numerics.packed_points import PackedPoints
from numerics.sorted_line import TAYLOR_ERROR, accumulate_line
from numerics.streaming_sums import UNIT, accumulate, exponent_cut, exponent_error
from numerics.vector_exp import DECAY_ERROR, LARGEST_DECAY

Array = NDArray[np.float64]

#: Mass of the skipped points relative to the kept mass: the largest weight is at least 1/2 (its
#: mantissa), number * exp(-cut) = exp(-42), and the errors of the exponents are below 0.01.
SKIPPED_MASS = 4.0 * math.exp(-42.0)
#: Absolute error allowed for underflow, before any division by sigma^2.
UNDERFLOW = 1e-290
#: The radii are evaluated in float64 themselves; this covers their own roundoff.
INFLATE = 1.0 + 1e-9
#: Beyond this error of the weights a float64 pass proves nothing.
UNDECIDED = 0.01

# Relative roundoff of one weighted sum divided by the sum of weights: gamma_64 for each, one
# compensated addition per block, and the few single roundings before and after.
_SUM_ERROR = 160.0 * UNIT
# From this number of points on, sums by Taylor moments are worth their preparation.
_LINE_NUMBER = 1024


class WeightedPass(NamedTuple):
    """Sums of one float64 pass (see ``streaming_sums.accumulate``) and its weight errors."""

    smallest: Array
    total: Array
    excess: Array
    shift: Array
    sums: Array
    squares: Array
    fixed_error: Array
    mean_error: Array
    largest_error: Array
    sum_error: Array


class DoublePass(NamedTuple):
    """Sums of one double-double pass about ``origins``."""

    total: Array
    spread: Array
    sums: Array
    squares: Array
    hull: Array
    error: Array


def _double_scale(sigma: float) -> tuple[float, float]:
    """Return ``1 / (2 sigma^2)`` as a double-double."""
    exact = 1 / (2 * Fraction(sigma) ** 2)
    high = float(exact)
    return high, float(exact - Fraction(high))


def _suits_line(packed: PackedPoints) -> bool:
    """Tell whether Taylor moments apply: many points on a line, weights within a factor 2."""
    on_line = packed.blocks.shape[1] == 1 and packed.number >= _LINE_NUMBER
    return on_line and not np.any(packed.offset.ravel()[: packed.number])


def float_pass(
    queries: Array,
    packed: PackedPoints,
    mu: float,
    sigma: float,
    order: int,
    factor: float = 1.0,
    origins: Array | None = None,
) -> WeightedPass:
    """Sum over all points for every query in float64 (``order``: see ``accumulate``).

    Without ``origins`` the sums are those of the residuals ``factor * y - x``, with ``factor``
    equal to ``mu``.
    """
    many, dimension = queries.shape
    columns = {0: 0, 1: 0, 2: 1, 3: dimension * dimension}[order]
    state = np.zeros((many, 5))
    sums = np.zeros((many, dimension if order else 0))
    squares = np.zeros((many, columns))
    cut = exponent_cut(packed.number)
    scale = _double_scale(sigma)[0]
    relative = exponent_error(dimension)
    taylor = 0.0
    if origins is None and _suits_line(packed):
        sums = np.zeros((many, 1))
        accumulate_line(
            queries,
            packed.blocks,
            packed.mantissa,
            packed.offset,
            packed.box_low,
            packed.box_high,
            mu,
            sigma,
            scale,
            cut,
            state,
            sums,
        )
        taylor = TAYLOR_ERROR
    else:
        accumulate(
            queries,
            packed.blocks,
            packed.mantissa,
            packed.offset,
            packed.box_low,
            packed.box_high,
            packed.box_offset,
            mu,
            scale,
            cut,
            factor,
            queries if origins is None else origins,
            order,
            state,
            sums,
            squares,
        )
    smallest, total, rescalings = state[:, 0], state[:, 1], state[:, 4]
    excess = state[:, 2] / total
    fixed = relative * smallest + (1.0 + rescalings) * (DECAY_ERROR + 2.0 * UNIT) + 3.0 * UNIT
    fixed = (fixed + 1e-90) * INFLATE
    slope = (relative + 2.0 * UNIT) * INFLATE
    return WeightedPass(
        smallest=smallest,
        total=total,
        excess=excess,
        shift=state[:, 3] / total,
        sums=sums,
        squares=squares,
        fixed_error=fixed,
        # sqrt(mean of h^2): kept points have E - smallest <= LARGEST_DECAY.
        mean_error=fixed + slope * np.sqrt(LARGEST_DECAY * excess),
        largest_error=fixed + slope * cut,
        sum_error=_SUM_ERROR + 2.0 * taylor + 4.0 * UNIT * rescalings,
    )


def _double_limits(
    smallest: Array, packed: PackedPoints, dimension: int
) -> tuple[Array, Array, Array]:
    """Return the float64 limits, the double-double cuts and the double-double weight errors."""
    cut = exponent_cut(packed.number)
    relative = exponent_error(dimension)
    fine = double_exponent_error(dimension) + 16.0 * 2.0**-106
    error = fine * (1.01 * smallest + cut) + DECAY_ERROR + 8.0 * UNIT + 1e-90
    cuts = cut + 2.0 * error
    limits = (smallest + cuts) * (1.0 + 5.0 * relative) + 1e-6
    return limits, cuts, error * INFLATE


def double_nearest(
    queries: Array, packed: PackedPoints, mu: float, sigma: float, smallest: Array
) -> tuple[Array, Array]:
    """Return the smallest double-double exponents (M, 2) and their points (M, d).

    ``smallest`` (M,) are the smallest float64 exponents.
    """
    nearest = np.empty((queries.shape[0], 2))
    points = np.empty_like(queries)
    limits = _double_limits(smallest, packed, queries.shape[1])[0]
    nearest_points(
        queries,
        packed.blocks,
        packed.offset,
        packed.offset_low,
        packed.box_low,
        packed.box_high,
        packed.box_offset,
        mu,
        _double_scale(sigma),
        limits,
        nearest,
        points,
    )
    return nearest, points


def double_pass(
    queries: Array,
    packed: PackedPoints,
    mu: float,
    sigma: float,
    smallest: Array,
    nearest: Array,
    origins: Array,
    order: int,
) -> DoublePass:
    """Sum ``y - origins`` over the points that can matter, with double-double exponents.

    ``smallest`` and ``nearest`` come from ``float_pass`` and ``double_nearest``.
    """
    many, dimension = queries.shape
    limits, cuts, error = _double_limits(smallest, packed, dimension)
    state = np.zeros((many, 2))
    sums = np.zeros((many, dimension))
    squares = np.zeros((many, dimension * dimension if order == 3 else 0))
    hull_low = np.full((many, dimension), np.inf)
    hull_high = np.full((many, dimension), -np.inf)
    accumulate_double(
        queries,
        packed.blocks,
        packed.mantissa,
        packed.offset,
        packed.offset_low,
        packed.box_low,
        packed.box_high,
        packed.box_offset,
        mu,
        _double_scale(sigma),
        limits,
        nearest,
        cuts,
        origins,
        order,
        state,
        sums,
        squares,
        hull_low,
        hull_high,
    )
    total = state[:, 0]
    means = sums / total[:, None]
    return DoublePass(
        total=total,
        spread=np.sqrt(state[:, 1] / total),
        sums=means,
        squares=squares / total[:, None],
        hull=np.maximum(hull_high - means, means - hull_low),
        error=error,
    )


def times_weight_error(weight_error: Array, size: Array) -> Array:
    """Return ``h (1 + 3h) size``, infinite where the weights are undecided (h >= 0.1)."""
    small = np.minimum(weight_error, 1.0)
    factor = (small * (1.0 + 3.0 * small)).reshape(-1, *(1,) * (size.ndim - 1))
    decided = (weight_error < 0.1).reshape(factor.shape)
    return np.where(decided, factor * size, np.inf)
