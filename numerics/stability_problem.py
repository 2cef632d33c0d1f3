"""What a stability kernel is given, and the scratch arrays of one thread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Problem(NamedTuple):
    """One call's arguments in units of sigma's power of two; ``high + low`` is ``mu`` times points.

    Shapes: rows (N, d), points, high and low (d, N); new (d,) with new_high, new_low (d, 1) and
    queries (M, d) when shared; new (N, d) with new_high, new_low (d, N) and queries (N, M, d)
    when each point has its own.  ``inverse`` is ``1 / (2 sigma^2)``, ``reach`` bounds any
    difference of two points.
    """

    rows: FloatArray
    points: FloatArray
    high: FloatArray
    low: FloatArray
    new: FloatArray
    new_high: FloatArray
    new_low: FloatArray
    queries: FloatArray
    inverse: float
    reach: float
    want_radius: bool


class Scratch(NamedTuple):
    """Arrays that one thread reuses from query to query.

    ``near + far`` (N,) and ``new_near + new_far`` (1,) are squared distances from the query to
    the points and to the replacement; ``weight`` (N,), ``mean`` and ``spread`` (d,) belong to
    ``leave_one_out``.
    """

    near: FloatArray
    far: FloatArray
    new_near: FloatArray
    new_far: FloatArray
    weight: FloatArray
    mean: FloatArray
    spread: FloatArray


@njit(cache=True)
def scratch_for(count: int, dimension: int) -> Scratch:
    """Return fresh arrays for ``count`` points."""
    return Scratch(
        np.empty(count),
        np.empty(count),
        np.empty(1),
        np.empty(1),
        np.empty(count),
        np.empty(dimension),
        np.zeros(dimension),
    )
