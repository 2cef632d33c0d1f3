"""Roundoff of score stability: one relative bound ``theta`` on shares and leave-one-out means.

With u = 2^-53: double-double squared distances carry d^2 + 40 d + 64 units of u^2, exponents 4 u
per unit of depth below the largest, the exponential 3 u, sums of N terms N u.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.exponent_gaps import UNIT
from numerics.vector_exp import DECAY_ERROR, LARGEST_DECAY

FloatArray = NDArray[np.float64]

#: Weights below exp(-700) are flushed to zero; this bounds what a flush can hide, with room.
FLUSHED = 1e-300

#: Beyond this error of an exponent only the trivial bound is given.
BLURRED = 2.0**-10


@njit(cache=True)
def double_error(dimension: int) -> float:
    """Bound the relative error of a double-double squared distance."""
    return (dimension * dimension + 40.0 * dimension + 64.0) * UNIT * UNIT


@njit(cache=True)
def exponent_error(dimension: int, square: float, inverse: float) -> float:
    """Bound the error of exponents near that of squared distance ``square``, distances' part."""
    return double_error(dimension) * (2.0 * square * inverse + LARGEST_DECAY)


@njit(cache=True)
def depth_error(exact: float, depth: float) -> float:
    """Bound the error of weights up to ``depth`` below the largest; ``exact``: the distances'."""
    return 2.0 * (exact + 4.0 * UNIT * depth)


@njit(cache=True)
def relative_error(drift: float, count: int) -> float:
    """Return theta for weights with relative error ``drift``, summed over ``count`` points."""
    return 4.0 * (drift + 2.0 * DECAY_ERROR) + 4.0 * (count + 16.0) * UNIT


@njit(cache=True)
def gap_error(gap: float, dimension: int, square: float, inverse: float) -> float:
    """Bound the error of a gap of two exponents; ``square`` is the sum of the two squares."""
    return 4.0 * UNIT * abs(gap) + double_error(dimension) * square * inverse


@njit(cache=True)
def trivial_radius(square: float, dimension: int, reach: float) -> float:
    """Bound the error of any squared change of a mean of points within ``reach``."""
    return max(square, dimension * reach * reach)


def mean_radius(squares: FloatArray, radii: FloatArray, number: int) -> FloatArray:
    """Return the radius of ``squares / number`` from the sums over ``number`` queries.

    Adds the rounding of the sums over queries, of the scaling that follows, and of the radius
    itself.
    """
    radius: FloatArray = (1.0 + 2.0**-8) * radii / number + 2.0 * (
        number + 64
    ) * UNIT * squares / number
    return radius + FLUSHED
