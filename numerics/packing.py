"""How many points the support of a law has for the noise: inverse moments of the mass seen.

From a noised point x, the law has mass ``q(x) = E exp(-depth)``, with depths as in
``numerics.law_quadrature``: one if the law is a point, about the mass of a ball of radius
``sigma/mu`` if it spreads out. ``E q(X_t)^-1`` is the integral of the largest kernel over x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.law_quadrature import LAST_DEPTH, Estimate, Law, check_noise, depth_edges

# Nodes per panel of the two resolutions.
_COARSE, _FINE = 9, 13


@dataclass(frozen=True)
class Packing:
    """``E q(X_t)^-1`` and ``E q(X_t)^-2``, pure numbers at least one."""

    first: Estimate
    second: Estimate


def packing(law: Law, *, mu: float, sigma: float) -> Packing:
    r"""Inverse moments of the mass that a noised point sees.

    Parameters
    ----------
    law : Law
        Law of ``X_0``.
    mu, sigma : float
        Noising ``X_t = mu X_0 + sigma Z``, both positive; sigma in data units.

    Returns
    -------
    Packing
        Errors compare two resolutions; they are estimates, not bounds.

    Raises
    ------
    ValueError
        If ``mu`` or ``sigma`` is not positive and finite.

    Notes
    -----
    Derived for the claim ``farghly2026.empirical-stability-packing``.

    Examples
    --------
    Two points far apart count as two, close together as one:

    >>> from numerics.law_quadrature import Points
    >>> [round(packing(Points([-a, a]), mu=1.0, sigma=1.0).first.value, 6) for a in (20.0, 1e-9)]
    [2.0, 1.0]
    """
    check_noise(mu, sigma)
    coarse, fine = (_inverse_moments(law, mu, sigma, order) for order in (_COARSE, _FINE))
    first, second = (
        Estimate(new, abs(new - old) + 1e-12 * new) for old, new in zip(coarse, fine, strict=True)
    )
    return Packing(first, second)


def _inverse_moments(law: Law, mu: float, sigma: float, order: int) -> tuple[float, float]:
    probes = law.probes(mu, sigma, order)
    first = second = 0.0
    for place, weight in zip(probes.position, probes.weight, strict=True):
        cap = min(float(law.tops(place, mu, sigma)[-1]), 2.0 * LAST_DEPTH)
        seen = law.view(place, mu, sigma, depth_edges(np.zeros(1), cap), order)
        first += float(weight)
        second += float(weight / (seen.weight @ np.exp(-seen.depth)))
    return first, second
