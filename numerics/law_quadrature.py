"""Uniform laws with known geometry, seen from one noised point through Gauss quadrature.

A noised point ``X = mu X_0 + sigma Z`` at ``x`` weighs the data point ``y`` by
``exp(-|x - mu y|^2 / 2 sigma^2)``.  Its *depth* is how far that exponent lies below the largest
one over the support, so ``exp(-depth)`` is in (0, 1] and nothing underflows however small sigma
is.  A ``View`` lists quadrature nodes of the law by increasing depth; a ``Probes`` is a quadrature
over ``x`` whose weights carry ``(2 pi sigma^2)^(-d/2) exp(-|x - mu p|^2 / 2 sigma^2)``, ``p`` the
support point nearest to ``x / mu``.  Directions normal to the span of the support integrate out.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc, roots_legendre

if TYPE_CHECKING:
    from numerics.law_points import Points as Points

FloatArray = NDArray[np.float64]

# Noised points farther than this many sigma from every support point are left out.
REACH = 10.0
# Widths of panels: of x in units of sigma, and of depths.
_PROBE_WIDTH = 2.5
DEPTH_WIDTH = 2.0
# Depths of the first panels: halves of squares, because a bump is Gaussian in the distance.
_FIRST = (0.0, 0.5, 2.0, 4.0)
# exp(-30) is 1e-13.
LAST_DEPTH = 30.0
# More noised points than this take minutes.
_MOST_PROBES = 100_000


@dataclass(frozen=True)
class Estimate:
    """A number and an estimate (not a proof) of its absolute error, in the number's units."""

    value: float
    error: float


@dataclass(frozen=True)
class View:
    """Nodes of a law from one noised point, by increasing depth.

    Shapes: depth, weight and square (n,), offset (n, k).  ``offset`` is ``y - p`` (components
    whose mean vanishes by symmetry left out) and ``square`` is ``|y - p|^2``, in data units.
    """

    depth: FloatArray
    weight: FloatArray
    offset: FloatArray
    square: FloatArray


@dataclass(frozen=True)
class Probes:
    """Quadrature over noised points: position (P, k), weight (P,)."""

    position: FloatArray
    weight: FloatArray


def panel_rule(edges: ArrayLike, order: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the Gauss rule of ``order`` nodes on each panel.

    Parameters
    ----------
    edges : array_like, shape (P + 1,)
        Increasing panel ends, any unit.
    order : int
        Nodes per panel.

    Returns
    -------
    nodes, weights : ndarray, shape (P * order,)

    Examples
    --------
    >>> nodes, weights = panel_rule([0.0, 1.0, 3.0], 4)
    >>> float(weights @ nodes**2).__round__(12)
    9.0
    """
    ends = np.asarray(edges, dtype=np.float64)
    unit, share = _unit_rule(order)
    half = 0.5 * np.diff(ends)[:, None]
    middle = 0.5 * (ends[1:] + ends[:-1])[:, None]
    return (middle + half * unit).ravel(), (half * share).ravel()


@lru_cache(maxsize=32)
def _unit_rule(order: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = roots_legendre(order)
    return np.asarray(nodes), np.asarray(weights)


def even_edges(low: float, high: float, width: float) -> FloatArray:
    """Return ends of equal panels from ``low`` to ``high``, none wider than ``width``."""
    count = max(1, math.ceil((high - low) / width))
    return np.linspace(low, high, count + 1)


def depth_edges(levels: FloatArray, cap: float) -> FloatArray:
    """Return panel ends from depth 0 to ``cap``: narrow wherever some level needs detail.

    Parameters
    ----------
    levels : ndarray, shape (n,)
        Increasing logarithms of lambda; functions of ``exp(level - depth)`` vary where the depth
        is from 5 below to 30 above ``max(level, 0)``.
    cap : float
        Largest depth wanted.

    Returns
    -------
    ndarray, shape (P + 1,)

    Examples
    --------
    >>> depth_edges(np.array([-1.0, 100.0]), 140.0)[[0, 1, -1]].tolist()
    [0.0, 0.5, 140.0]
    """
    first = [0.0, *(edge for edge in _FIRST[1:] if edge < cap)]
    return np.concatenate([first, _further_edges(levels, first[-1], cap)])


@njit(cache=True)
def _further_edges(levels: FloatArray, place: float, cap: float) -> FloatArray:
    edges = [cap]
    edges.clear()
    following = 0
    while place < cap:
        while following < len(levels) - 1 and max(levels[following], 0.0) + LAST_DEPTH <= place:
            following += 1
        # Between two levels' windows the law itself, smooth over the gap, is all there is.
        gap = levels[following] - 5.0 - place
        place += max(DEPTH_WIDTH, gap)
        edges.append(min(place, cap))
    return np.array(edges)


class Law(ABC):
    """What the quadratures ask of a law; lengths in data units.

    ``dimension`` is that of the span of the support, ``diameter`` of the support.
    """

    @property
    @abstractmethod
    def dimension(self) -> int: ...

    @property
    @abstractmethod
    def diameter(self) -> float: ...

    @abstractmethod
    def probes(self, mu: float, sigma: float, order: int) -> Probes:
        """Return a quadrature over noised points."""

    @abstractmethod
    def own_probes(self, order: int) -> Probes:
        """Return a quadrature over the law itself, total weight 1."""

    @abstractmethod
    def tops(self, place: FloatArray, mu: float, sigma: float) -> FloatArray:
        """Return the depths (b,), increasing, where the law's density has an end or an atom."""

    @abstractmethod
    def within(self, place: FloatArray, mu: float, sigma: float, depth: float) -> float:
        """Return the mass at most ``depth`` deep."""

    @abstractmethod
    def view(
        self, place: FloatArray, mu: float, sigma: float, edges: FloatArray, order: int
    ) -> View:
        """Return nodes no deeper than ``edges[-1]``; their weights sum to the mass there."""

    def neglect(self) -> float:
        """Bound the mass of the noised points that ``probes`` leaves out."""
        return float(gammaincc(0.5 * self.dimension, 0.5 * REACH**2))


@dataclass(frozen=True)
class _Round(Law):
    """Uniform law on a sphere about the origin; a noised point is its distance from the origin.

    With ``t = 1 - cos(angle from x)``: depth ``c t``, ``c = |x| mu a / sigma^2``; offset along
    ``x`` is ``-a t``, the others vanish in the mean; squared distance ``2 a^2 t``.
    """

    radius: float

    def __post_init__(self) -> None:
        _check_length("radius", self.radius)

    @property
    def diameter(self) -> float:
        return 2.0 * self.radius

    def probes(self, mu: float, sigma: float, order: int) -> Probes:
        centre, reach = mu * self.radius, REACH * sigma
        edges = even_edges(max(0.0, centre - reach), centre + reach, _PROBE_WIDTH * sigma)
        place, weight = panel_rule(edges, order)
        bump = np.exp(-0.5 * ((place - centre) / sigma) ** 2)
        scaled = place / sigma
        shell = scaled if self.dimension == 2 else math.sqrt(2.0 / math.pi) * scaled**2
        return Probes(place[:, None], weight / sigma * shell * bump)

    def own_probes(self, order: int) -> Probes:
        return Probes(np.array([[self.radius]]), np.ones(1))

    def _steepness(self, place: FloatArray, mu: float, sigma: float) -> float:
        return float(place[0]) / sigma * (mu * self.radius / sigma)

    def tops(self, place: FloatArray, mu: float, sigma: float) -> FloatArray:
        return np.array([2.0 * self._steepness(place, mu, sigma)])

    def _seen(self, height: FloatArray, weight: FloatArray, steepness: float) -> View:
        return View(
            depth=steepness * height,
            weight=weight,
            offset=-self.radius * height[:, None],
            square=2.0 * self.radius**2 * height,
        )


@dataclass(frozen=True)
class Circle(_Round):
    """Uniform law on the circle of ``radius`` about the origin of the plane.

    Raises
    ------
    ValueError
        If ``radius`` is not positive and finite.

    Examples
    --------
    >>> Circle(2.0).diameter
    4.0
    """

    @property
    def dimension(self) -> int:
        return 2

    def _angle(self, depth: FloatArray, steepness: float) -> FloatArray:
        angle: FloatArray = 2.0 * np.arcsin(np.sqrt(np.minimum(1.0, 0.5 * depth / steepness)))
        return angle

    def within(self, place: FloatArray, mu: float, sigma: float, depth: float) -> float:
        return float(self._angle(np.array(depth), self._steepness(place, mu, sigma))) / math.pi

    def view(
        self, place: FloatArray, mu: float, sigma: float, edges: FloatArray, order: int
    ) -> View:
        steepness = self._steepness(place, mu, sigma)
        angles = self._angle(edges, steepness)
        # However shallow, the offset itself must be resolved.
        quarters = np.pi * np.array([0.25, 0.5, 0.75])
        angles = np.union1d(angles, quarters[quarters < angles[-1]])
        angle, weight = panel_rule(angles, order)
        return self._seen(2.0 * np.sin(0.5 * angle) ** 2, weight / np.pi, steepness)


@dataclass(frozen=True)
class Sphere(_Round):
    """Uniform law on the sphere of ``radius`` about the origin of space.

    Raises
    ------
    ValueError
        If ``radius`` is not positive and finite.

    Examples
    --------
    >>> Sphere(0.5).diameter
    1.0
    """

    @property
    def dimension(self) -> int:
        return 3

    def within(self, place: FloatArray, mu: float, sigma: float, depth: float) -> float:
        return min(1.0, 0.5 * depth / self._steepness(place, mu, sigma))

    def view(
        self, place: FloatArray, mu: float, sigma: float, edges: FloatArray, order: int
    ) -> View:
        steepness = self._steepness(place, mu, sigma)
        heights = np.unique(np.minimum(edges / steepness, 2.0))
        height, weight = panel_rule(heights, order)
        return self._seen(height, 0.5 * weight, steepness)


@dataclass(frozen=True)
class Segment(Law):
    """Uniform law on ``[-half_length, half_length]``; by symmetry the noised points are >= 0.

    Raises
    ------
    ValueError
        If ``half_length`` is not positive and finite.

    Examples
    --------
    >>> Segment(1.0).within(np.array([1.0]), 1.0, 1.0, 0.5)
    0.5
    """

    half_length: float

    def __post_init__(self) -> None:
        _check_length("half_length", self.half_length)

    @property
    def dimension(self) -> int:
        return 1

    @property
    def diameter(self) -> float:
        return 2.0 * self.half_length

    def probes(self, mu: float, sigma: float, order: int) -> Probes:
        end = mu * self.half_length
        outer = even_edges(end, end + REACH * sigma, _PROBE_WIDTH * sigma)
        place, weight = panel_rule(np.union1d(_graded(end, _PROBE_WIDTH * sigma), outer), order)
        beyond = np.maximum(0.0, place - end) / sigma
        bump = np.exp(-0.5 * beyond**2) / (math.sqrt(2.0 * math.pi) * sigma)
        return Probes(place[:, None], 2.0 * weight * bump)

    def own_probes(self, order: int) -> Probes:
        edges = _graded(self.half_length, 1e-4 * self.half_length)
        place, weight = panel_rule(edges, order)
        return Probes(place[:, None], weight / self.half_length)

    def _sides(self, place: FloatArray, mu: float) -> tuple[float, float, float]:
        """Return how far x lies beyond the noised end, and the lengths left and right of p."""
        x = float(place[0])
        beyond = max(0.0, x - mu * self.half_length)
        nearest = min(self.half_length, x / mu)
        return beyond, self.half_length + nearest, self.half_length - nearest

    def tops(self, place: FloatArray, mu: float, sigma: float) -> FloatArray:
        beyond, left, right = self._sides(place, mu)
        lengths = np.array([right, left])
        return _depth_of(lengths[lengths > 0.0], beyond, mu, sigma)

    def within(self, place: FloatArray, mu: float, sigma: float, depth: float) -> float:
        beyond, left, right = self._sides(place, mu)
        length = float(_distance_of(np.array(depth), beyond, mu, sigma))
        return (min(length, left) + min(length, right)) / self.diameter

    def view(
        self, place: FloatArray, mu: float, sigma: float, edges: FloatArray, order: int
    ) -> View:
        beyond, left, right = self._sides(place, mu)
        lengths = _distance_of(edges, beyond, mu, sigma)
        offsets, weights = [], []
        for sign, side in ((-1.0, left), (1.0, right)):
            ends = np.unique(np.minimum(lengths, side))
            if len(ends) > 1:
                distance, weight = panel_rule(ends, order)
                offsets.append(sign * distance)
                weights.append(weight / self.diameter)
        offset, weight = np.concatenate(offsets), np.concatenate(weights)
        depth = _depth_of(np.abs(offset), beyond, mu, sigma)
        rank = np.argsort(depth, kind="stable")
        offset = offset[rank]
        return View(depth[rank], weight[rank], offset[:, None], offset**2)


def _check_length(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{name} = {value}: must be positive and finite")


def check_noise(mu: float, sigma: float) -> None:
    """Raise ValueError unless ``mu`` and ``sigma`` are positive and finite."""
    _check_length("mu", mu)
    _check_length("sigma", sigma)


def check_probes(count: int, sigma: float) -> None:
    """Raise ValueError if there are too many noised points to take."""
    if count > _MOST_PROBES:
        raise too_far_apart(sigma)


def too_far_apart(sigma: float) -> ValueError:
    """Return the error of points whose plane holds too many noised points."""
    return ValueError(f"sigma = {sigma}: too small for points this far apart in the plane")


def _graded(end: float, width: float) -> FloatArray:
    """Return panel ends on ``[0, end]``, refined towards both; the finest are about ``width``."""
    edges, step = [end], width
    while edges[-1] - step > 0.5 * end:
        edges.append(edges[-1] - step)
        # Four equal panels cover the Gaussian scale; farther in, the only scale is the distance.
        if len(edges) > 4:
            step *= 1.6
    towards_centre = end * np.array([0.0, 0.03, 0.12, 0.3])
    # A wide panel across the middle would waste the refinement on its two sides.
    return np.union1d(towards_centre if width < end else [0.0], edges)


def _depth_of(length: FloatArray, beyond: float, mu: float, sigma: float) -> FloatArray:
    scaled = mu * length / sigma
    depth: FloatArray = scaled * (beyond / sigma + 0.5 * scaled)
    return depth


def _distance_of(depth: FloatArray, beyond: float, mu: float, sigma: float) -> FloatArray:
    """Invert ``_depth_of`` without cancellation."""
    outside = beyond / sigma
    root = np.sqrt(outside**2 + 2.0 * depth) + outside
    length: FloatArray = np.divide(2.0 * depth, root, out=np.zeros_like(depth), where=root > 0.0)
    return length * sigma / mu


def posterior_variance(law: Law, *, mu: float, sigma: float) -> Estimate:
    r"""Mean trace of the posterior covariance of the clean point, as a squared score.

    Returns :math:`(\mu^2 / \sigma^4)\, E\, \mathrm{tr\,Cov}(X_0 | X_t)`, one time's contribution
    to the variance constant of denoising score matching.

    Parameters
    ----------
    law : Law
        Law of ``X_0``.
    mu, sigma : float
        Noising ``X_t = mu X_0 + sigma Z``, both positive; sigma in data units.

    Returns
    -------
    Estimate
        In 1 / (data units)^2; the error compares two resolutions and adds the neglected mass.

    Raises
    ------
    ValueError
        If ``mu`` or ``sigma`` is not positive and finite.

    Notes
    -----
    Source: the score matching constant of farghly2026, arXiv 2507.03756.

    Examples
    --------
    >>> mu = math.exp(-0.3)
    >>> round(posterior_variance(Circle(1.0), mu=mu, sigma=math.sqrt(1.0 - mu**2)).value, 2)
    1.63
    """
    check_noise(mu, sigma)
    coarse, fine = (_mean_variance(law, mu, sigma, order) for order in (9, 13))
    error = abs(fine - coarse) + 1e-13 * fine + law.diameter**2 * law.neglect()
    factor = (mu / sigma**2) ** 2
    return Estimate(factor * fine, factor * error)


def _mean_variance(law: Law, mu: float, sigma: float, order: int) -> float:
    probes, total = law.probes(mu, sigma, order), 0.0
    for place, weight in zip(probes.position, probes.weight, strict=True):
        cap = min(float(law.tops(place, mu, sigma)[-1]), 2.0 * LAST_DEPTH)
        seen = law.view(place, mu, sigma, depth_edges(np.zeros(1), cap), order)
        share = seen.weight * np.exp(-seen.depth)
        mass, first = float(share.sum()), share @ seen.offset
        total += float(weight) * (float(share @ seen.square) - float(first @ first) / mass)
    return total


def __getattr__(name: str) -> Any:
    # ``law_points`` builds on this module, so its law can only be loaded on first use.
    if name == "Points":
        from numerics.law_points import Points

        return Points
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
