"""How far the posterior mean moves when one point is replaced, with its roundoff."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.exponent_gaps import UNIT

FloatArray = NDArray[np.float64]


class Shares(NamedTuple):
    """The shares of the total weight, and how they are related.

    ``own`` is p, the share of ``x_i`` in the data, and ``new`` rho, that of its replacement;
    each ``_rest`` is one minus it, found without subtracting.  ``gap`` is the exponent of
    ``x_i`` less that of the replacement.
    """

    own: float
    own_rest: float
    new: float
    new_rest: float
    gap: float


class Roundoff(NamedTuple):
    """Errors to carry along when ``wanted``.

    ``theta`` bounds the relative error of every share, total and mean, ``gap_error`` the
    absolute one of the gap; ``floor`` is what flushed weights can hide in each coordinate.
    """

    wanted: bool
    theta: float
    gap_error: float
    floor: float


@njit(cache=True)
def posterior_change(
    rows: FloatArray,
    i: int,
    replacement: FloatArray,
    centre: int,
    mean: FloatArray,
    spread: FloatArray,
    ratio: float,
    lift: float,
    shares: Shares,
    roundoff: Roundoff,
) -> tuple[float, float]:
    """Return ``|posterior mean - replaced posterior mean|^2`` and its roundoff radius.

    The leave-one-out differences are, coordinate by coordinate,
    ``a = x_i - m = ratio * ((x_i - centre) - mean)`` and
    ``b = r - m = (r - centre) - mean + lift * a``.
    """
    own, own_rest, new, new_rest, gap = shares
    theta, floor = roundoff.theta, roundoff.floor
    square = 0.0
    radius = 0.0
    if own == 0.0 and new == 0.0:
        return square, replacement.size * floor * floor
    # p - rho without cancellation: both factors and the difference of weights are relative.
    if gap >= 0.0:
        fall = -math.expm1(-gap)
        larger = own * new_rest
        shift = larger * fall
    else:
        fall = -math.expm1(gap)
        larger = new * own_rest
        shift = -larger * fall
    shift_error = 0.0
    if roundoff.wanted:
        shift_error = 3.0 * larger * min(roundoff.gap_error, 1.0) * max(1.0 - fall, UNIT)
    for k in range(replacement.size):
        middle = rows[centre, k]
        from_centre = rows[i, k] - middle
        new_from_centre = replacement[k] - middle
        a = ratio * (from_centre - mean[k])
        b = (new_from_centre - mean[k]) + lift * a
        step = rows[i, k] - replacement[k]
        if abs(own * step) + abs(shift * b) < abs(own * a) + abs(new * b):
            change = own * step + shift * b
            direct = False
        else:
            change = own * a - new * b
            direct = True
        square += change * change
        if roundoff.wanted:
            a_size = ratio * (abs(from_centre) + spread[k])
            b_size = abs(new_from_centre) + spread[k] + lift * a_size
            if direct:
                error = 16.0 * theta * (own * a_size + new * b_size)
            else:
                error = 24.0 * theta * (own * abs(step) + abs(shift) * b_size)
                error += shift_error * b_size
            error += floor
            radius += error * (2.0 * abs(change) + error)
    if roundoff.wanted:
        radius += 2.0 * (replacement.size + 4) * UNIT * square
    return square, radius
