r"""Contraction of a noisy step under reflection-maximal coupling, in one dimension of distance.

Coupled so, copies whose means are h apart end at a distance R' with ``E f(R') = E F(h + w Z)``,
F the odd extension of f and w twice the noise.  A concave ``f = sum_j w_j min(r, r_j) + w_inf r``
thus goes to ``T f(r) = sum_j w_j M(h(r), r_j) + w_inf h(r)`` with M of `truncated_mean`.  On
functions that are linear between knots T is a matrix with entries >= 0 in the weights, and its
Perron vector is the function that contracts fastest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfc

from numerics.clipped_step import ClippedStep

Floats = NDArray[np.float64]
Tail = Literal["constant", "linear"]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
_PASSES = 4
#: How far chords are lifted, and margins of a linear tail's slope; the best are kept.
_LIFTS = (0.0, 1.02, 1.1, 1.3)
_MARGINS = (1.0005, 1.005, 1.05)


def truncated_mean(h: ArrayLike, b: ArrayLike, width: float) -> Floats:
    r"""``E clip(h + width Z, -b, b)`` for a standard normal Z, to full relative precision.

    Parameters
    ----------
    h : array_like
        Means; odd in them.
    b : array_like
        Bounds, not negative; infinity is allowed.
    width : float
        Standard deviation, positive.

    Returns
    -------
    ndarray
        Of the common shape of ``h`` and ``b``.

    Notes
    -----
    It is symmetric in h and b: with ``x <= y`` the smaller and the larger of ``|h|`` and b over
    the width, ``width`` times the integral of ``erf(t / sqrt 2) / 2`` from ``y - x`` to ``y + x``,
    which has no cancellation.

    Examples
    --------
    >>> truncated_mean([1e-30, -1e-30, 3.0], [1e-30, 1.0, np.inf], width=1.0)
    array([ 7.97884561e-61, -6.82689492e-31,  3.00000000e+00])
    """
    means, bounds = np.broadcast_arrays(np.asarray(h, dtype=float), np.asarray(b, dtype=float))
    if not 0.0 < width < math.inf:
        raise ValueError(f"width={width}: must be positive and finite; raise it above 0")
    if not np.all(bounds >= 0.0):
        raise ValueError(f"b={np.min(bounds)}: must be >= 0; take a bound on the absolute value")
    size = np.abs(means)
    small = np.minimum(size, bounds) / width
    large = np.maximum(size, bounds) / width
    result = np.empty(np.shape(small))
    near = small <= 1.0
    x, y = small[near], large[near]
    total = np.zeros_like(x)
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        total += weight * erf((y + node * x) / math.sqrt(2.0))
    result[near] = 0.5 * x * total
    x, y = small[~near], large[~near]
    result[~near] = x + _excess(y + x) - _excess(y - x)
    return np.asarray(np.copysign(width * result, means))


def _excess(t: Floats) -> Floats:
    """``E (Z - t)_+`` for t >= 0."""
    t = np.minimum(t, 40.0)
    density = np.exp(-0.5 * t * t) / math.sqrt(2.0 * math.pi)
    return np.asarray(density - 0.5 * t * erfc(t / math.sqrt(2.0)))


@dataclass(frozen=True)
class ConcaveFunction:
    """``f(r) = sum_j weights[j] min(r, knots[j]) + tail_weight r``, concave and increasing.

    Any weights >= 0 that do not all vanish are valid.

    Examples
    --------
    >>> f = ConcaveFunction(knots=(1.0, 2.0), weights=(3.0, 1.0))
    >>> f(np.array([0.5, 1.5, 9.0])), f.slope_at_zero
    (array([2. , 4.5, 5. ]), 4.0)
    """

    knots: tuple[float, ...]
    weights: tuple[float, ...]
    tail_weight: float = 0.0

    def __post_init__(self) -> None:
        if len(self.knots) != len(self.weights):
            raise ValueError(f"weights={len(self.weights)} of them: one is needed for each knot")
        edges = (0.0, *self.knots, math.inf)
        if not all(a < b for a, b in pairwise(edges)):
            raise ValueError(f"knots={self.knots}: must be positive and increase; sort them")
        every = (*self.weights, self.tail_weight)
        if not all(0.0 <= weight < math.inf for weight in every) or not any(every):
            raise ValueError(f"weights={every}: must be finite, >= 0 and not all 0; clip them")

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.knots, dtype=float), np.array(self.weights, dtype=float)

    def __call__(self, distance: ArrayLike) -> Floats:
        """Return f; it is exact to rounding, there being no subtraction."""
        r = np.asarray(distance, dtype=float)
        knots, weights = self._arrays
        return np.asarray(np.minimum(r[..., None], knots) @ weights + self.tail_weight * r)

    @property
    def slope_at_zero(self) -> float:
        """The derivative at 0: ``f(r) <= slope_at_zero * r``."""
        return float(np.sum(self._arrays[1]) + self.tail_weight)

    def value_at(self, diameter: float) -> float:
        """Return ``f(diameter)``; f is concave, so ``r <= diameter f(r) / f(diameter)`` below."""
        return float(self(diameter))

    def after(self, step: ClippedStep, distance: ArrayLike) -> Floats:
        """Return ``T f``, the mean of f after a step of copies at that distance."""
        moved = np.asarray(step.displacement(np.asarray(distance, dtype=float)))
        knots, weights = self._arrays
        means = truncated_mean(moved[..., None], knots, step.noise_width)
        return np.asarray(means @ weights + self.tail_weight * moved)


def contraction_range(
    step: ClippedStep, function: ConcaveFunction, diameter: float = math.inf
) -> tuple[float, float]:
    """Infimum and supremum of ``T f / f`` on ``(0, diameter]``, in floats on a fine grid.

    Without a diameter the supremum includes all larger distances, by Jensen's inequality, and the
    infimum only those up to the last knot.  Nothing here is a bound; for that, see
    ``proofs_check.contraction_certificate``.

    Examples
    --------
    >>> step = ClippedStep(0.5, 1.0, 0.0, 1.0, 1.0)
    >>> contraction_range(step, ConcaveFunction((), (), 1.0))
    (0.5, 0.5)
    """
    last = diameter if diameter < math.inf else max((*function.knots, 1.0))
    edges = np.unique([*(k for k in function.knots if k < last), min(step.kink, last), last])
    points = _inside(np.concatenate([[0.0], edges]))
    ratio = function.after(step, points) / function(points)
    low, high = float(np.min(ratio)), float(np.max(ratio))
    if diameter == math.inf:
        high = max(high, _tail_ratio(step, function, last))
    return low, high


def _inside(edges: Floats) -> Floats:
    """Points near the left edge of each cell, inside it and at its right edge."""
    shares = np.array([1e-6, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0])
    return np.ravel(edges[:-1, None] + np.diff(edges)[:, None] * shares)


def _tail_ratio(step: ClippedStep, function: ConcaveFunction, last: float) -> float:
    """Supremum of ``f(h(r)) / f(r)`` beyond ``last``, with h at most a line and f a line."""
    slope = function.tail_weight
    if slope == 0.0:
        return 1.0
    kept = 1.0 - step.step_size * step.weight_decay
    push = 2.0 * step.step_size * step.clip if step.lipschitz else 0.0
    value = function.value_at(last)
    return max(kept, (value + slope * ((kept - 1.0) * last + push)) / value)


def best_concave_function(
    step: ClippedStep,
    diameter: float | None = None,
    *,
    knots: int = 120,
    tail: Tail = "constant",
) -> ConcaveFunction:
    r"""The concave f, linear between knots, for which ``T f <= q f`` with about the least q.

    Parameters
    ----------
    step : ClippedStep
        The step.
    diameter : float or None
        The last knot.  With the constant tail it is needed, and distances never exceed it; with
        the linear tail it is chosen if it is not given.
    knots : int
        About how many knots, at least 8; they are placed where they matter for the rate.
    tail : {"constant", "linear"}
        How f goes on beyond the last knot.

    Returns
    -------
    ConcaveFunction
        With value 1 at the last knot.

    Raises
    ------
    ValueError
        If the diameter is missing or not positive, or there are too few knots.

    Notes
    -----
    Between knots ``T f`` lies above its chords.  So the Perron vector is that of T lifted at the
    knots by as much; the one of T itself is `slowest_concave_function`.  Rates below about 1e-10
    are lost in rounding, and what comes back then contracts nothing.

    Examples
    --------
    >>> step = ClippedStep(0.1, 0.2, 1.0, 1.0, 5.0)
    >>> f = best_concave_function(step, 10.0)
    >>> round(1.0 - contraction_range(step, f, 10.0)[1], 4)
    0.0047
    """
    if knots < 8:
        raise ValueError(f"knots={knots}: must be at least 8; take 60 or more")
    if diameter is None and tail == "constant":
        raise ValueError("diameter=None: a constant tail needs one; give twice the ball's radius")
    _check_diameter(diameter)
    if tail == "constant" and diameter is not None:
        if _meets_at_once(step):
            return ConcaveFunction((diameter,), (1.0 / diameter,))
        grid = _grid(step, diameter, knots)
        lifted = (_perron(_matrix(grid, _means(step, grid, lift)))[1] for lift in _LIFTS)
        functions = [_function(grid, value) for value in lifted]
        return min(functions, key=lambda f: contraction_range(step, f, diameter)[1])
    if diameter is not None:
        return _linear_tail(step, diameter, knots)[1]
    if step.lipschitz == 0.0:
        return ConcaveFunction((), (), 1.0)
    spread = step.noise_width / math.sqrt(2.0 * step.step_size * step.weight_decay)
    base = 2.0 * step.clip / step.weight_decay
    lasts = (factor * base + 2.0 * spread for factor in (1.5, 4.0, 16.0))
    return min((_linear_tail(step, last, knots) for last in lasts), key=lambda pair: pair[0])[1]


def slowest_concave_function(
    step: ClippedStep, diameter: float, *, knots: int = 120
) -> ConcaveFunction:
    """A concave f, constant beyond the diameter, with ``T f >= q f`` for about the largest q.

    It shows that no function contracts faster than ``1 - q``.

    Examples
    --------
    >>> step = ClippedStep(0.1, 0.2, 1.0, 1.0, 5.0)
    >>> f = slowest_concave_function(step, 10.0)
    >>> round(1.0 - contraction_range(step, f, 10.0)[0], 4)
    0.0047
    """
    _check_diameter(diameter)
    if _meets_at_once(step):
        return ConcaveFunction((diameter,), (1.0 / diameter,))
    grid = _grid(step, diameter, knots)
    return _function(grid, _perron(_matrix(grid, _means(step, grid, 0.0)))[1])


def _meets_at_once(step: ClippedStep) -> bool:
    """Whether h = 0, so that any function does."""
    return step.lipschitz == 0.0 and step.step_size * step.weight_decay == 1.0


def _check_diameter(diameter: float | None) -> None:
    if diameter is not None and not 0.0 < diameter < math.inf:
        raise ValueError(f"diameter={diameter}: must be positive and finite; raise it above 0")


def _linear_tail(step: ClippedStep, last: float, count: int) -> tuple[float, ConcaveFunction]:
    """Return the least supremum found, with its function; ``f = r`` serves if nothing else."""
    plain = ConcaveFunction((), (), 1.0)
    best = contraction_range(step, plain)[1], plain
    decay = step.step_size * step.weight_decay
    pull = decay * last - 2.0 * step.step_size * step.clip
    if pull <= 0.0:
        return best
    grid = _grid(step, last, count)
    for lift in _LIFTS:
        means = _means(step, grid, lift)
        matrix = _matrix(grid, means)
        # T (r - min(r, last)) at the knots.
        beyond = np.asarray(step.displacement(grid)) - means[:, -1]
        for margin in _MARGINS:
            low, high = 0.0, pull / last
            for _ in range(14):
                # Beyond the last knot T f <= (1 - rate) f needs slope * pull >= rate * value.
                rate = 0.5 * (low + high)
                slope = margin * rate / pull
                bordered = matrix.copy()
                bordered[:, -1] += slope * beyond
                top, value = _perron(bordered)
                low, high = (rate, high) if 1.0 - top > rate else (low, rate)
            function = _function(grid, value, min(slope, 1.0 / last) * float(value[-1]))
            supremum = contraction_range(step, function)[1]
            if supremum < best[0]:
                best = supremum, function
    return best


def _grid(step: ClippedStep, last: float, count: int) -> Floats:
    """Knots that cost the rate the least, and some spread evenly; the kink is one of them.

    Chords over cells of length d cost the rate the mean of ``d^2 |f''|`` under the left Perron
    vector; the density that makes it least is the cube root of that vector times ``|f''|``.
    """
    scale = min(step.noise_width, step.kink, last) / 4.0
    edges = np.linspace(0.0, math.log1p(last / scale), count + 1)
    grid = _with_kink(step, scale * np.expm1(edges[1:]), last)
    for _ in range(_PASSES):
        matrix = _matrix(grid, _means(step, grid, 0.0))
        value = _perron(matrix)[1]
        mass = _perron(matrix.T)[1]
        edges = np.concatenate([[0.0], grid])
        cell = np.diff(edges)
        # The last weight is the fall to the tail's slope and the last mass an atom.
        weights = _weights(grid, value)
        cost = _smooth(np.cbrt(mass * weights) / cell ** (2.0 / 3.0)) * cell
        bend = _smooth(np.sqrt(weights / value / cell)) * cell
        even = np.diff(np.log1p(edges / scale))
        shares = (0.4, cost), (0.2, bend), (0.25, cell), (0.15, even)
        density = sum(share * part / max(float(np.sum(part)), 1e-300) for share, part in shares)
        reached = np.concatenate([[0.0], np.cumsum(density)])
        fresh = np.interp(np.linspace(0.0, reached[-1], count + 1)[1:], reached, edges)
        grid = _with_kink(step, fresh, last)
    return grid


def _smooth(density: Floats) -> Floats:
    density = np.append(density[:-1], density[-2])
    for _ in range(3):
        density = np.convolve(np.pad(density, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    return np.asarray(density)


def _with_kink(step: ClippedStep, grid: Floats, last: float) -> Floats:
    """Stretch both sides of the knot next to the kink onto it; neighbours stay about as wide."""
    grid = np.append(grid[grid < last * (1.0 - 1e-6)], last)
    kink = step.kink
    if kink < last * (1.0 - 1e-6):
        near = float(grid[np.argmin(np.abs(grid[:-1] - kink))])
        right = last - (last - kink) * (last - grid) / (last - near)
        grid = np.where(grid == near, kink, np.where(grid < near, grid * (kink / near), right))
        grid[-1] = last
    return np.unique(grid)


def _means(step: ClippedStep, grid: Floats, lift: float) -> Floats:
    """Means at the knots of ``min(R', r_j)``, lifted so that chords lie above the mean.

    A chord of a concave g over a cell of length d lies below g by up to ``d^2 |g''| / 8``; in the
    first cell, where ``g''`` is linear, the tangent at 0 rises above it by ``d^2 |g''| / 6``.
    """
    moved = np.asarray(step.displacement(grid))[:, None]
    width = step.noise_width
    means = truncated_mean(moved, grid, width)
    if lift == 0.0:
        return means
    gaps = np.diff(grid, prepend=0.0)
    cell = np.maximum(gaps, np.append(gaps[1:], gaps[-1]))[:, None]
    kept = 1.0 - step.step_size * step.weight_decay
    stretch = kept + step.step_size * step.lipschitz * (grid <= step.kink)[:, None]
    far, near = ((moved + sign * grid) / width for sign in (1.0, -1.0))
    bend = np.exp(-0.5 * near * near) - np.exp(-0.5 * far * far)
    share = np.full(means.shape, lift / 8.0)
    share[0] = lift / 6.0
    return np.asarray(
        means + share * (cell * stretch) ** 2 * bend / (width * math.sqrt(2.0 * math.pi))
    )


def _matrix(grid: Floats, means: Floats) -> Floats:
    """T on values at the knots, of functions that are constant beyond the last."""
    # sum_j w_j m_j with w_j the fall of the slope at knot j, in terms of the values.
    chords = np.diff(means, axis=1, prepend=0.0) / np.diff(grid, prepend=0.0)
    matrix = chords.copy()
    matrix[:, :-1] -= chords[:, 1:]
    return np.maximum(matrix, 0.0)


def _perron(matrix: Floats) -> tuple[float, Floats]:
    """Largest eigenvalue of a nonnegative matrix, with its vector, by Noda's iteration."""
    vector = np.ones(len(matrix))
    for _ in range(40):
        image = np.maximum(matrix @ vector, 1e-300)
        ratios = image / vector
        top = float(np.max(ratios))
        if top - float(np.min(ratios)) <= 1e-14 * top:
            break
        solved = _solve_shifted(matrix, top * (1.0 + 1e-15), image)
        if not np.all(np.isfinite(solved)):
            break
        vector = np.maximum(np.abs(solved) / np.max(np.abs(solved)), 1e-300)
    image = matrix @ vector
    return float(np.sum(image) / np.sum(vector)), np.maximum(image / np.max(image), 1e-300)


@njit(cache=True)
def _solve_shifted(matrix: Floats, shift: float, right: Floats) -> Floats:
    """Solve ``(shift - matrix) x = right``; NaN where a pivot is not positive.

    With a shift above the largest eigenvalue this is an M-matrix, and elimination needs no pivots.
    A library's solver would start its threads for each of thousands of small systems.
    """
    size = len(right)
    left, x = -matrix, right.copy()
    for k in range(size):
        left[k, k] += shift
    for k in range(size):
        if not left[k, k] > 0.0:
            return np.full(size, np.nan)
        for i in range(k + 1, size):
            factor = left[i, k] / left[k, k]
            if factor != 0.0:
                for j in range(k + 1, size):
                    left[i, j] -= factor * left[k, j]
                x[i] -= factor * x[k]
    for k in range(size - 1, -1, -1):
        for j in range(k + 1, size):
            x[k] -= left[k, j] * x[j]
        x[k] /= left[k, k]
    return x


def _weights(grid: Floats, value: Floats, slope: float = 0.0) -> Floats:
    chords = np.diff(value, prepend=0.0) / np.diff(grid, prepend=0.0)
    return np.asarray(np.maximum(chords - np.append(chords[1:], slope), 0.0))


def _function(grid: Floats, value: Floats, slope: float = 0.0) -> ConcaveFunction:
    weights = _weights(grid, value, slope)
    scale = float(np.sum(weights * grid) + slope * grid[-1])
    return ConcaveFunction(
        tuple(map(float, grid)), tuple(map(float, weights / scale)), slope / scale
    )
