"""The law of finitely many points, for ``numerics.law_quadrature``, which also exports it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc

from numerics.law_quadrature import (
    REACH,
    Law,
    Probes,
    View,
    check_probes,
    even_edges,
    panel_rule,
    too_far_apart,
)

FloatArray = NDArray[np.float64]

# Widths of panels of x, in units of sigma.
_FINITE_WIDTH = 0.5
# In the plane every noised point is costly.
_PLANE_REACH = 8.0
_WIDEST_GAP = 8.0
_LARGEST_BOX = 4_000_000


class Points(Law):
    """Finitely many points of the line or the plane with given masses; every sum is exact.

    Parameters
    ----------
    points : array_like, shape (n,), (n, 1) or (n, 2)
    masses : array_like, shape (n,), optional
        Positive; scaled to total 1.  Equal by default.

    Raises
    ------
    ValueError
        If a shape is wrong, an entry is not finite, a mass is not positive, or (later, from a
        quadrature) points in the plane are too far apart in units of sigma.

    Examples
    --------
    >>> Points([-1.0, 1.0]).within(np.array([1.0]), 1.0, 1.0, 0.5)
    0.5
    """

    def __init__(self, points: ArrayLike, masses: ArrayLike | None = None) -> None:
        atoms = np.array(points, dtype=np.float64)
        atoms = atoms[:, None] if atoms.ndim == 1 else atoms
        if atoms.ndim != 2 or len(atoms) == 0 or atoms.shape[1] not in (1, 2):
            raise ValueError(f"points: shape (n,), (n, 1) or (n, 2) wanted, got {np.shape(points)}")
        share = np.ones(len(atoms)) if masses is None else np.array(masses, dtype=np.float64)
        if share.shape != (len(atoms),):
            raise ValueError(f"masses: shape ({len(atoms)},) wanted, got {share.shape}")
        if not np.isfinite(atoms).all() or not (np.isfinite(share) & (share > 0.0)).all():
            raise ValueError("points and masses must be finite, masses positive")
        self._atoms, self._share = atoms, share / share.sum()

    @property
    def dimension(self) -> int:
        return int(self._atoms.shape[1])

    @property
    def diameter(self) -> float:
        gaps = self._atoms[:, None, :] - self._atoms[None, :, :]
        return float(np.sqrt(np.sum(gaps**2, axis=2)).max())

    def probes(self, mu: float, sigma: float, order: int) -> Probes:
        if self.dimension == 1:
            nodes, weight = panel_rule(_around(mu * self._atoms[:, 0], sigma), order)
            # Panels that bridge two far clusters come with the joined edges; they hold nothing.
            place = nodes[:, None]
        else:
            place, weight = self._grid(mu, sigma, order)
        nearest = np.full(len(place), np.inf)
        for atom in self._atoms:
            exponents = 0.5 * np.sum(((place - mu * atom) / sigma) ** 2, axis=1)
            nearest = np.minimum(nearest, exponents)
        weight = weight * np.exp(-nearest) / (2.0 * math.pi * sigma**2) ** (0.5 * self.dimension)
        kept = nearest <= 0.5 * self._reach() ** 2
        check_probes(int(np.count_nonzero(kept)), sigma)
        return Probes(place[kept], weight[kept])

    def neglect(self) -> float:
        return float(gammaincc(0.5 * self.dimension, 0.5 * self._reach() ** 2))

    def _reach(self) -> float:
        return REACH if self.dimension == 1 else _PLANE_REACH

    def _grid(self, mu: float, sigma: float, order: int) -> tuple[FloatArray, FloatArray]:
        """Return the trapezoid rule on a box: it converges geometrically for analytic bumps.

        Two points' weights cross over ``sigma^2 / (mu gap)``; the gaps that count are a few sigma.
        """
        gap = min(self.diameter, _WIDEST_GAP * sigma / mu)
        step = sigma * min(0.5, 2.0 * sigma / (mu * gap)) if gap > 0.0 else 0.5 * sigma
        step *= 9.0 / order
        axes = [
            np.arange(
                column.min() - self._reach() * sigma, column.max() + self._reach() * sigma, step
            )
            for column in mu * self._atoms.T
            if np.ptp(column) < _LARGEST_BOX * step
        ]
        if len(axes) < 2 or len(axes[0]) * len(axes[1]) > _LARGEST_BOX:
            raise too_far_apart(sigma)
        place = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        return place, np.full(len(place), step**2)

    def own_probes(self, order: int) -> Probes:
        return Probes(self._atoms, self._share)

    def _exponents(self, place: FloatArray, mu: float, sigma: float) -> FloatArray:
        scaled = (place - mu * self._atoms) / sigma
        exponents: FloatArray = 0.5 * np.sum(scaled**2, axis=1)
        return exponents

    def tops(self, place: FloatArray, mu: float, sigma: float) -> FloatArray:
        exponents = self._exponents(place, mu, sigma)
        return np.unique(exponents - exponents.min())

    def within(self, place: FloatArray, mu: float, sigma: float, depth: float) -> float:
        exponents = self._exponents(place, mu, sigma)
        return float(self._share[exponents - exponents.min() <= depth].sum())

    def view(
        self, place: FloatArray, mu: float, sigma: float, edges: FloatArray, order: int
    ) -> View:
        exponents = self._exponents(place, mu, sigma)
        rank = np.argsort(exponents, kind="stable")
        offset = self._atoms[rank] - self._atoms[rank[0]]
        depth = exponents[rank] - exponents[rank[0]]
        return View(depth, self._share[rank], offset, np.sum(offset**2, axis=1))


def _around(centres: FloatArray, sigma: float) -> FloatArray:
    """Return panel ends that cover ``REACH`` sigma about each of ``centres``.

    The weights of two points cross over ``sigma^2 / gap`` about their midpoint, which may be much
    narrower than sigma, so panels are graded towards every midpoint within reach of a point.
    """
    ordered, reach = np.unique(centres), REACH * sigma
    breaks = np.flatnonzero(np.diff(ordered) > 2.0 * reach) + 1
    edges = [
        even_edges(cluster[0] - reach, cluster[-1] + reach, _FINITE_WIDTH * sigma)
        for cluster in np.split(ordered, breaks)
    ]
    first, second = np.triu_indices(len(ordered), 1)
    middles = 0.5 * (ordered[first] + ordered[second])
    for middle, gap in zip(middles, ordered[second] - ordered[first], strict=True):
        if np.abs(ordered - middle).min() < reach:
            finest = 2.0 * sigma * (sigma / gap)
            count = max(0, math.ceil(math.log2(_FINITE_WIDTH * sigma / finest)))
            away = finest * 2.0 ** np.arange(count)
            edges.append(np.concatenate([middle - away, [middle], middle + away]))
    return np.unique(np.concatenate(edges))
