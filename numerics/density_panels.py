"""Gauss-Legendre panels on the line, halved until what lives on them is resolved.

Resolved means that the Legendre coefficients of the function on the panel have died out at the
last degree of the rule; the quadrature, exact to twice that degree, then errs by about the square
of what is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import eval_legendre, roots_legendre

Array = NDArray[np.float64]

#: Nodes per panel.
ORDER = 16
# A function that is not smooth is halved this often and then left as it is.
_HALVINGS = 24


@lru_cache(maxsize=1)
def unit_rule() -> tuple[Array, Array, Array]:
    """Return nodes and weights (ORDER,) on [-1, 1], and the matrix to Legendre coefficients."""
    nodes, weights = (np.asarray(part) for part in roots_legendre(ORDER))
    degrees = np.arange(ORDER)[:, None]
    transform = (degrees + 0.5) * eval_legendre(degrees, nodes) * weights
    return nodes, weights, transform


@dataclass(frozen=True, slots=True)
class Panels:
    """Panels [low, high], each (P,), in increasing order."""

    low: Array
    high: Array

    @property
    def nodes(self) -> Array:
        """The nodes, (P, ORDER)."""
        half, middle = 0.5 * (self.high - self.low), 0.5 * (self.high + self.low)
        return np.asarray(middle[:, None] + half[:, None] * unit_rule()[0])

    @property
    def weights(self) -> Array:
        """The weights, (P, ORDER)."""
        return np.asarray(0.5 * (self.high - self.low)[:, None] * unit_rule()[1])

    def taken(self, chosen: NDArray[np.bool_]) -> Panels:
        """Return the chosen panels."""
        return Panels(self.low[chosen], self.high[chosen])

    def halved(self) -> Panels:
        """Return both halves of every panel."""
        middle = 0.5 * (self.low + self.high)
        return Panels(
            np.stack([self.low, middle], 1).ravel(), np.stack([middle, self.high], 1).ravel()
        )


def even_panels(low: float, high: float, width: float) -> Panels:
    """Return equal panels from low to high, none wider than width.

    Examples
    --------
    >>> even_panels(0.0, 3.0, 2.0).high
    array([1.5, 3. ])
    """
    edges = np.linspace(low, high, max(1, math.ceil((high - low) / width)) + 1)
    return Panels(edges[:-1], edges[1:])


def unresolved(values: Array) -> tuple[Array, Array]:
    """Return the size of the last Legendre coefficients and of all, each (P,), by panel (P, ORDER).

    Examples
    --------
    >>> tail, size = unresolved(unit_rule()[0][None, :] ** 2)
    >>> bool(tail[0] < 1e-15), size.round(6)
    (True, array([0.666667]))
    """
    # The mean goes first, else its rounding drowns the tail of a large constant.
    coefficients = np.abs((values - values[:, :1]) @ unit_rule()[2].T)
    return coefficients[:, -2:].max(axis=1), coefficients[:, 1:].max(axis=1)


def resolve(
    panels: Panels,
    evaluate: Callable[[Array], Array],
    accept: Callable[[Panels, Array], NDArray[np.bool_]],
    most: int,
) -> tuple[Panels, Array]:
    """Return panels halved until accepted, with the values (P, ORDER) on them.

    Stops early, with panels that are not accepted, after 24 halvings or beyond ``most`` panels.
    """
    done: list[tuple[Panels, Array]] = []
    count, pending = 0, panels
    for halving in range(_HALVINGS + 1):
        values = evaluate(pending.nodes)
        good = accept(pending, values)
        if halving == _HALVINGS or count + 2 * len(good) > most:
            good = np.ones_like(good)
        done.append((pending.taken(good), values[good]))
        count += int(good.sum())
        if np.all(good):
            break
        pending = pending.taken(~good).halved()
    low = np.concatenate([part.low for part, _ in done])
    high = np.concatenate([part.high for part, _ in done])
    rank = np.argsort(low, kind="stable")
    return Panels(low[rank], high[rank]), np.concatenate([part for _, part in done])[rank]
