r"""Negative moments of the kernel mass that N points put around one of them.

For ``x~, x_1 .. x_{N-1}`` i.i.d. and ``K = (1 + sum_j exp(-h |x~ - x_j|^2)) / N``, the transform
``K^-p = N^p / Gamma(p) int_0^inf l^(p-1) e^{-l N K} dl`` makes the points independent, and an
integration by parts makes it harmless for small p::

    E K^-p = N^p / Gamma(p + 1) int_0^inf l^p E_x~[ -d/dl e^{-l} phi(l; x~)^(N-1) ] dl,
    phi(l; x~) = E_Y exp(-l e^{-h |x~ - Y|^2})
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from numerics.law_quadrature import (
    LAST_DEPTH,
    Estimate,
    Law,
    View,
    depth_edges,
    even_edges,
    panel_rule,
)

FloatArray = NDArray[np.float64]

# Nodes per panel of the two resolutions.
_COARSE, _FINE = 9, 12
# Log lambda starts this far below log(1 / N), over p + 1: exp(-_BEFORE) of the integral is left.
_BEFORE = 36.0
_LEVEL_WIDTH = 1.5
# Panels per standard deviation of the peak of l^p e^-l, for large powers.
_PEAK_WIDTH = 3.0
_LARGEST_POWER = 1e6


def inverse_local_mass(law: Law, size: int, *, power: float, decay: float) -> Estimate:
    r"""Mean of ``K ** -power`` for the local mass K of ``size`` i.i.d. points about one of them.

    .. math:: K = \frac1N \Big(1 + \sum_{j=1}^{N-1} e^{-h |\tilde x - x_j|^2}\Big)

    Parameters
    ----------
    law : Law
        Law of the points, from ``numerics.law_quadrature``.
    size : int
        Number N >= 1 of points, the central one included.
    power : float
        Exponent p in [0, 1e6].
    decay : float
        Rate h >= 0, in 1 / (data units)^2.

    Returns
    -------
    Estimate
        A pure number between 1 and ``size ** power``; its error compares two resolutions.

    Raises
    ------
    ValueError
        If an argument is out of range, or the result may exceed the float64 range.

    Notes
    -----
    Source: the kernel mass in farghly2026, arXiv 2507.03756; the identity is this project's.

    Examples
    --------
    Two points at -1 and 1, equal or not with probability 1/2:

    >>> from numerics.law_quadrature import Points
    >>> mass = inverse_local_mass(Points([-1.0, 1.0]), 2, power=2.0, decay=0.25)
    >>> abs(mass.value - (1.0 + 4.0 / (1.0 + math.exp(-1.0)) ** 2) / 2.0) < 1e-10
    True
    """
    if size < 1:
        raise ValueError(f"size = {size}: must be at least 1")
    if not 0.0 <= power <= _LARGEST_POWER:
        raise ValueError(f"power = {power}: must lie in [0, {_LARGEST_POWER:g}]")
    if not (math.isfinite(decay) and decay >= 0.0):
        raise ValueError(f"decay = {decay}: must be finite and at least 0")
    if power * math.log(size) > 700.0:
        raise ValueError(f"power = {power}: size ** power exceeds the float64 range")
    if size == 1 or decay == 0.0 or power == 0.0:
        return Estimate(1.0, 0.0)
    coarse, fine = (_moment(law, size, power, decay, order) for order in (_COARSE, _FINE))
    # Exponents of size p log N lose that many units in the last place.
    rounding = 1e-13 + 1e-15 * power * (2.0 + math.log(size) + math.log1p(power))
    return Estimate(fine, abs(fine - coarse) + rounding * fine)


def _moment(law: Law, size: int, power: float, decay: float, order: int) -> float:
    """Return the mean from ``order`` nodes per panel."""
    low = -math.log(size) - _BEFORE / (power + 1.0)
    # Beyond this, l^p e^-l is below e^-37 of its peak.
    high = math.log(power + 40.0 + 10.0 * math.sqrt(power))
    width = min(_LEVEL_WIDTH, _PEAK_WIDTH / math.sqrt(power + 1.0))
    levels, measure = panel_rule(even_edges(low, high, width), order)
    # e^{-decay |x - y|^2} is the kernel of unit scale and this noise.
    noise = 1.0 / math.sqrt(2.0 * decay)
    probes, total = law.own_probes(order), 0.0
    for place, weight in zip(probes.position, probes.weight, strict=True):
        top, last = float(law.tops(place, 1.0, noise)[-1]), high + LAST_DEPTH + 6.0
        cap = min(top, last)
        seen = law.view(place, 1.0, noise, depth_edges(levels, cap), order)
        unseen = max(0.0, 1.0 - float(seen.weight.sum())) if last < top else 0.0
        total += float(weight) * float(measure @ _integrand(levels, seen, unseen, size, power))
    return total


def _integrand(
    levels: FloatArray, seen: View, unseen: float, size: int, power: float
) -> FloatArray:
    """Return ``l^(p+1) (-d/dl e^{-l} phi^(N-1)) N^p / Gamma(p + 1)`` at ``levels = log l``, (n,).

    ``unseen`` is the mass too deep to count.
    """
    rate = np.exp(levels[:, None] - seen.depth[None, :])
    # Near 0 and near 1, phi and log phi need different sums to keep their digits.
    lost = -np.expm1(-rate) @ seen.weight
    phi = np.maximum(np.exp(-rate) @ seen.weight + unseen, 1e-300)
    log_phi = np.where(lost < 0.5, np.log1p(-np.minimum(lost, 0.5)), np.log(phi))
    slope = (rate * np.exp(-rate)) @ seen.weight
    scale = np.exp(levels)
    exponent = power * (levels + math.log(size)) - scale + (size - 1) * log_phi
    value: FloatArray = np.exp(exponent - math.lgamma(power + 1.0)) * (
        scale + (size - 1) * slope / phi
    )
    return value
