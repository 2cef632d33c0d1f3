"""Where the Laplace variable runs, and the sums over pairs that its integrands are made of.

Shared by ``numerics.add_one`` and ``numerics.replace_one``. A row of sums over the law holds the
total weight, the weighted offset in each direction, and the weighted squared offset.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.law_quadrature import Law

FloatArray = NDArray[np.float64]

_LEVEL_WIDTH = 2.0
# Panels of log lambda far from any end of the law, relative to the distance.
_GRADING = 0.6
#: Below log(1 / N) minus this, lambda^3 leaves nothing.
BEFORE = 13.0
# Above, exp(-_FADED) of the law is unseen.
_FADED = 60.0
# exp(-u) vanishes from exp(_GONE) on.
_GONE = 4.0


def last_level(
    law: Law, size: int, place: FloatArray, mu: float, sigma: float, top: float
) -> float:
    """Return a log lambda from which the integrand is negligible.

    It falls like the mean of ``e^{-lambda k}`` to the power N - 2, and this mean is at most
    1 - (1 - 1/e) of the mass at most log lambda deep.
    """
    wanted = _FADED / ((1.0 - math.exp(-1.0)) * max(size - 2, 1))
    if size > 2 and wanted < law.within(place, mu, sigma, top):
        low, high = 0.0, top
        while high - low > 0.5:
            middle = 0.5 * (low + high)
            if law.within(place, mu, sigma, middle) < wanted:
                low = middle
            else:
                high = middle
        top = high
    return top + _GONE + 1.0


@njit(cache=True)
def level_edges(tops: FloatArray, low: float, high: float) -> FloatArray:
    """Return panel ends from ``low`` to ``high``, narrow near 0 and near each of ``tops``."""
    edges = [low]
    following = 0
    previous = 0.0
    while edges[-1] < high:
        place = edges[-1]
        while following < len(tops) and tops[following] <= place:
            previous = tops[following]
            following += 1
        width = max(_LEVEL_WIDTH, _GRADING * (place - previous))
        if following < len(tops):
            width = min(width, max(_LEVEL_WIDTH, _GRADING * (tops[following] - place)))
        edges.append(min(place + width, high))
    return np.array(edges)


@njit(cache=True)
def pair_spread(one: FloatArray, two: FloatArray) -> float:
    """Return the sum over pairs of weight, weight and squared distance."""
    total = float(one[-1] * two[0] + one[0] * two[-1])
    for part in range(1, len(one) - 1):
        total -= 2.0 * float(one[part] * two[part])
    return total


@njit(cache=True)
def pair_distance(one: FloatArray, two: FloatArray) -> float:
    """Return the sum over ``one`` of ``|sum over two of (x_1 - y)|^2``."""
    total = float(one[-1] * two[0] * two[0])
    for part in range(1, len(one) - 1):
        total += float(two[part] * (one[0] * two[part] - 2.0 * two[0] * one[part]))
    return total
