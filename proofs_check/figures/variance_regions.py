r"""Regions that tell what an output law puts between the points of its data, and their masses.

On the line, data {−1, 0, 1}: ``gap`` is 0.3 < |x| < 0.7.  In the plane, four points of the unit
circle with neighbours at right angles: ``near`` is within `NEAR` of a point; ``mid-edge``, the
discs of radius `DISC` about the four midpoints of neighbouring points, 0.707 from both;
``mid-diagonal``, the discs about the four midpoints of a point and the centre, 0.5 from the point;
``edge``, the eight discs on the edges at 0.5 from a point too, so that its density compares with
that of ``mid-diagonal`` at equal distance from the data.  ``outside`` is beyond [−REACH, REACH]^d.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

REACH = 1.5
GAP = (0.3, 0.7)
NEAR, DISC = 0.2, 0.15
#: Distance of the discs of ``edge`` and ``mid-diagonal`` from a point.
HALF = 0.5


def discs(data: Array) -> dict[str, tuple[Array, float]]:
    """Return centres (k, 2) and the radius of the discs of each region of the plane.

    Discs of a region are disjoint, so that their masses add up.

    Examples
    --------
    >>> found = discs(np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]))
    >>> {name: len(centres) for name, (centres, radius) in found.items()}
    {'near': 4, 'mid-edge': 4, 'mid-diagonal': 4, 'edge': 8}
    """
    following = np.roll(data, -1, axis=0)
    along = HALF * (following - data) / np.linalg.norm(following - data, axis=1, keepdims=True)
    return {
        "near": (data, NEAR),
        "mid-edge": (0.5 * (data + following), DISC),
        "mid-diagonal": ((1 - HALF) * data, DISC),
        "edge": (np.concatenate([data + along, following - along]), DISC),
    }


def areas(data: Array) -> dict[str, float]:
    """Return the area of each region of the plane."""
    return {name: len(c) * math.pi * r**2 for name, (c, r) in discs(data).items()}


def region_masses(samples: Array, data: Array) -> dict[str, Array]:
    """Return the share of samples (fits, n, d) in each region, (fits,).

    Examples
    --------
    >>> found = region_masses(np.array([[[0.5], [-0.4], [1.0], [2.0]]]), np.array([[-1.0], [1.0]]))
    >>> {name: float(one[0]) for name, one in found.items()}
    {'outside': 0.25, 'gap': 0.5}
    """
    inside = np.all(np.abs(samples) <= REACH, axis=2)
    found = {"outside": 1.0 - inside.mean(axis=1)}
    if samples.shape[2] == 1:
        place = np.abs(samples[:, :, 0])
        return found | {"gap": np.mean((place > GAP[0]) & (place < GAP[1]), axis=1)}
    for name, (centres, radius) in discs(data).items():
        counts = np.zeros(len(samples), dtype=np.int64)
        for centre in centres:
            x, y = samples[:, :, 0] - centre[0], samples[:, :, 1] - centre[1]
            counts += np.count_nonzero(x * x + y * y < radius**2, axis=1)
        found[name] = counts / samples.shape[1]
    return found


def true_masses(data: Array, mu: float, sigma: float) -> dict[str, float]:
    """Return the masses of the regions under p_ε, the law of μ X_0 + σ Z.

    Examples
    --------
    >>> round(true_masses(np.array([[-1.0], [1.0]]), 1.0, 1.0)["gap"], 6)
    0.19236
    """
    means = mu * data
    box = stats.norm.cdf((REACH - means) / sigma) - stats.norm.cdf((-REACH - means) / sigma)
    found = {"outside": float(1.0 - np.mean(np.prod(box, axis=1)))}
    if data.shape[1] == 1:
        ends = [*(-x for x in reversed(GAP)), *GAP]
        below = stats.norm.cdf((np.array(ends) - means) / sigma)
        gap = below[:, 1] - below[:, 0] + below[:, 3] - below[:, 2]
        return found | {"gap": float(np.mean(gap))}
    for name, (centres, radius) in discs(data).items():
        apart = np.linalg.norm(means[:, None] - centres[None], axis=2) / sigma
        inside = stats.ncx2.cdf((radius / sigma) ** 2, 2, apart**2)
        found[name] = float(np.nan_to_num(inside).sum() / len(data))
    return found


def true_cells(data: Array, mu: float, sigma: float, cells: int) -> Array:
    """Return the masses of the cells of a map under p_ε, (cells,) or (cells, cells).

    Examples
    --------
    >>> float(true_cells(np.zeros((1, 1)), 1.0, 1e-3, 3).round(12)[1])
    1.0
    """
    edges = np.linspace(-REACH, REACH, cells + 1)
    by_axis = np.diff(stats.norm.cdf((edges - mu * data[:, :, None]) / sigma), axis=2)
    if data.shape[1] == 1:
        return np.asarray(by_axis[:, 0].mean(axis=0))
    return np.asarray(np.einsum("mi,mj->ij", by_axis[:, 0], by_axis[:, 1]) / len(data))
