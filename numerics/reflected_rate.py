r"""The largest rate at which some function of a reflected distance contracts.

The distance of two reflected copies of ``dX = b dt + dW`` has the generator ``2 f'' - r κ f' / 2``
and dies at 0.  With ``w = exp(-∫ r κ / 4)`` that is ``(2/w) (w f')'``, so the rate is the least
eigenvalue c of ``-2 (w f')' = c w f`` with f(0) = 0, a Sturm-Liouville problem.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigvalsh_tridiagonal
from scipy.optimize import brentq

from numerics.law_quadrature import Estimate

Floats = NDArray[np.float64]

#: Cells of the coarsest of three grids, each twice as fine as the last.
_CELLS = 1500


def reflected_rate(ends: ArrayLike, coefficients: ArrayLike, largest_distance: float) -> Estimate:
    """Return the least eigenvalue on (0, D], with reflection at D.

    Parameters
    ----------
    ends : array_like, shape (P,)
        Where the pieces of κ end; the last end is infinite.
    coefficients : array_like, shape (P, M)
        Of the polynomial ``r κ(r)`` on each piece, the constant first.
    largest_distance : float
        D, positive; the larger it is, the nearer is the eigenvalue to that of all distances.

    Raises
    ------
    ValueError
        If D is not positive and finite.

    Examples
    --------
    >>> found = reflected_rate([np.inf], [[0.0, 2.0, 0.0, 0.0]], 12.0)  # κ = 2: the rate is 1
    >>> abs(found.value - 1.0) <= found.error
    True
    """
    if not 0.0 < largest_distance < np.inf:
        raise ValueError(f"largest_distance={largest_distance}: must be positive; take 10")
    edges, polynomials = np.asarray(ends, dtype=float), np.asarray(coefficients, dtype=float)
    coarse, middle, fine = (
        _on_grid(edges, polynomials, largest_distance, factor * _CELLS) for factor in (1, 2, 4)
    )
    # Errors fall with the square of the cells; the kinks of κ may spoil the next order.
    extrapolated, before = fine + (fine - middle) / 3.0, middle + (middle - coarse) / 3.0
    return Estimate(extrapolated, 4.0 * abs(extrapolated - before) + 1e-9 * abs(fine))


def distance_of_weight(ends: ArrayLike, coefficients: ArrayLike, exponent: float) -> float:
    """Return where the weight w has fallen to exp(−exponent) of its largest value, for good.

    Examples
    --------
    >>> round(distance_of_weight([np.inf], [[0.0, 2.0]], 9.0), 6)  # w = exp(−r²/4)
    6.0
    """
    edges, polynomials = np.asarray(ends, dtype=float), np.asarray(coefficients, dtype=float)
    last = 1.0
    while True:
        places = np.linspace(0.0, last, 2001)
        potential = _potential(edges, polynomials, places)
        above = potential - potential.min() >= exponent
        if above[-1] and last > 2.0 * places[np.argmin(potential)]:
            break
        last *= 2.0
    first = int(np.flatnonzero(~above)[-1])

    def excess(r: float) -> float:
        return float(_potential(edges, polynomials, np.array([r]))[0] - potential.min()) - exponent

    return float(brentq(excess, places[first], places[first + 1]))


def _on_grid(ends: Floats, polynomials: Floats, last: float, cells: int) -> float:
    """Finite volumes: values at k d, k = 1 … n, weights of the flux at the middles between them."""
    step = last / cells
    places: Floats = step * np.arange(1.0, cells + 1.0)
    nodes = _potential(ends, polynomials, places)
    middles = _potential(ends, polynomials, places - step / 2.0)
    # In the scaled variable sqrt(w) f all entries are ratios of weights: nothing underflows.
    mass = np.ones(cells)
    mass[-1] = 0.5
    left = np.exp(nodes - middles)
    right = np.append(np.exp(nodes[:-1] - middles[1:]), 0.0)
    diagonal = (left + right) / mass
    beside = -np.exp(0.5 * (nodes[:-1] + nodes[1:]) - middles[1:])
    beside /= np.sqrt(mass[:-1] * mass[1:])
    least = eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(0, 0))
    return float(2.0 * least[0] / step**2)


def _potential(ends: Floats, polynomials: Floats, places: Floats) -> Floats:
    """Return ∫_0^r u κ(u) du / 4, the negative logarithm of the weight."""
    total, start = np.zeros(len(places)), 0.0
    for end, polynomial in zip(ends, polynomials, strict=True):
        primitive = np.polynomial.Polynomial(polynomial).integ()
        reached = np.clip(places, start, end)
        total += primitive(reached) - primitive(start)
        start = end
    return total / 4.0
