"""Score stability: how far the empirical score moves when one data point is replaced.

Write ``s`` for the empirical score of ``x_1..x_N`` and ``s^i`` for that of the same points with
``x_i`` replaced by ``r``.  Everything rests on the leave-one-out mean ``m`` of the other points
(softmax weights at the query ``q``) and two shares of the total weight, ``p`` of ``x_i`` in the
data and ``rho`` of ``r`` in the replaced data::

    s(q) - s^i(q) = (mu / sigma^2) * (p * (x_i - m) - rho * (r - m))
                  = (mu / sigma^2) * (p * (x_i - r) + (p - rho) * (r - m))

The second line is the accurate one when ``r`` is close to ``x_i``; the better one is chosen
coordinate by coordinate.  ``m`` is never found by subtracting a dominating weight: the sums
without the nearest point are kept apart, scaled by their own largest weight.  Squared distances
are double-double, so that weights keep their digits when ``|q - mu x|^2 / sigma^2`` is huge.
"""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.exponent_gaps import scaled_points
from numerics.stability_arguments import checked_arguments
from numerics.stability_own import own_parallel, own_serial
from numerics.stability_problem import Problem
from numerics.stability_radius import mean_radius
from numerics.stability_shared import shared_parallel, shared_serial

__all__ = ["checked_arguments", "score_stability"]

FloatArray = NDArray[np.float64]

# Largest scaled coordinate: its square, summed over coordinates and queries, cannot overflow.
_LARGEST = 1e140
# Point-query-coordinate triples below which a job stays on one thread (some milliseconds).
_SMALL = 500_000


@overload
def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: Literal[False] = ...,
) -> FloatArray: ...


@overload
def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: Literal[True],
) -> tuple[FloatArray, FloatArray]: ...


def score_stability(
    data: ArrayLike,
    replacement: ArrayLike,
    queries: ArrayLike,
    *,
    mu: float,
    sigma: float,
    return_radius: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    r"""Mean squared change of the empirical score when each data point is replaced in turn.

    Entry i is the mean over the queries q of :math:`|s(q) - s^i(q)|^2`, with
    :math:`s(x) = (\mu \sum_j w_j(x) x_j - x) / \sigma^2`,
    :math:`w = \mathrm{softmax}_j(-|x - \mu x_j|^2 / 2 \sigma^2)` and :math:`s^i` the same with
    ``x_i`` replaced.  Averaged over data sets, replacements and queries drawn from
    ``N(mu * replacement, sigma**2 I)``, the mean over i is one time's contribution to the
    squared stability constant of the empirical score.

    Parameters
    ----------
    data : array_like, shape (N, d)
        The points ``x_1 .. x_N``; N = 1 is allowed (then ``s^i`` is the replacement's score).
    replacement : array_like, shape (d,) or (N, d)
        One point for all i (shared mode), or point i in row i (own mode).
    queries : array_like, shape (M, d) or (N, M, d)
        Where the scores are compared: shared by all i, or ``queries[i]`` for each i.
    mu, sigma : float
        Scaling ``mu >= 0`` and noise standard deviation ``sigma > 0`` of the noising kernel
        ``N(mu x, sigma^2 I)``, in the units of the data.
    return_radius : bool
        Also return a bound on the absolute roundoff error of each entry.

    Returns
    -------
    ndarray, shape (N,)
        Squared score, in units of 1 / (units of the data)^2.
    ndarray, shape (N,), only with ``return_radius``
        The exact real number for the given floats lies within this distance.

    Raises
    ------
    ValueError
        One line naming the argument: wrong number of axes, empty, NaN or infinite, dimensions
        that differ, ``sigma <= 0``, ``mu < 0``, points beyond 1e140 sigma, or a result beyond
        the float64 range.

    Notes
    -----
    Cost O(N M d) in shared mode, O(N^2 M d) in own mode; memory O((32 + d) N) beside the
    arguments.
    Equal bits for any number of threads, and with or without the radius.

    Radius: with u = 2^-53, double-double squared distances carry d^2 + 40 d + 64 units of u^2
    (own mode uses plain ones, 2 (d + 10) u, where they move no large exponent by 2^-37),
    exponents 4 u per unit of depth below the largest, the exponential 3 u, sums of N terms N u.
    All of it enters one relative bound theta on the shares and leave-one-out means, of which
    each coordinate of the change collects at most 16 or 24 multiples (times sums of absolute
    values, so cancellation is paid for); the mean over M queries adds (M + 64) u.  Where
    double-double itself is too short (``|q - mu x| / sigma`` beyond about 1e13), the radius is
    the trivial bound, d times the squared extent of the points times (mu / sigma^2)^2.

    References
    ----------
    farghly2026, arXiv 2507.03756, definition of score stability: S^i replaces x_i by an
    independent copy, and the scores are compared at noised copies of the replacement.

    Examples
    --------
    Replacing the left one of two points by a copy of the right one:

    >>> score_stability([[-1.0], [1.0]], [1.0], [[0.0]], mu=1.0, sigma=1.0).tolist()
    [1.0, 0.0]
    """
    points, new, probes, mu, sigma = checked_arguments(data, replacement, queries, mu, sigma)
    problem, factor, exponent = _scaled(points, new, probes, mu, sigma, bool(return_radius))
    # Waking threads costs more than a small job, and far more on a busy machine.
    work = probes.size * len(points)
    if new.ndim == 1:
        kernel = shared_parallel if work > _SMALL else shared_serial
    else:
        kernel = own_parallel if work > 8 * _SMALL else own_serial
    squares, radii = kernel(problem)
    number = probes.shape[-2]
    with np.errstate(over="ignore", under="ignore"):
        mean: FloatArray = np.ldexp(factor * (factor * (squares / number)), -2 * exponent)
        if not np.isfinite(mean).all():
            raise ValueError(
                f"sigma = {sigma}: the squared score exceeds the float64 range; rescale data"
            )
        if not return_radius:
            return mean
        radius = mean_radius(squares, radii, number)
        radius = np.ldexp(factor * (factor * radius), -2 * exponent)
        # Where nothing can move (mu = 0) the result 0 is exact.
        smallest = np.finfo(np.float64).tiny if mu > 0.0 else 0.0
        return mean, radius + smallest


def _scaled(
    points: FloatArray,
    new: FloatArray,
    probes: FloatArray,
    mu: float,
    sigma: float,
    want_radius: bool,
) -> tuple[Problem, float, int]:
    """Return the problem in units of ``2**exponent``, mu / sigma^2 in these units, ``exponent``.

    Powers of two are exact: sigma lies in [1, 2) in these units.
    """
    exponent = math.frexp(sigma)[1] - 1
    unit_sigma = math.ldexp(sigma, -exponent)
    with np.errstate(over="ignore", under="ignore"):
        points = np.ldexp(points, -exponent)
        new = np.ldexp(new, -exponent)
        probes = np.ldexp(probes, -exponent)
        reach = 2.0 * max(float(np.abs(points).max()), float(np.abs(new).max()))
        farthest = max(reach, mu * reach, float(np.abs(probes).max()))
    if not farthest <= _LARGEST:
        raise ValueError(
            f"sigma = {sigma}: data, replacement, queries and mu must stay within {_LARGEST:g} "
            "sigma; rescale them or enlarge sigma"
        )
    columns = np.ascontiguousarray(points.T)
    high, low = scaled_points(mu, columns)
    new_high, new_low = scaled_points(mu, np.ascontiguousarray(np.atleast_2d(new).T))
    problem = Problem(
        rows=np.ascontiguousarray(points),
        points=columns,
        high=high,
        low=low,
        new=np.ascontiguousarray(new),
        new_high=new_high,
        new_low=new_low,
        queries=np.ascontiguousarray(probes),
        inverse=0.5 / (unit_sigma * unit_sigma),
        reach=reach,
        want_radius=want_radius,
    )
    return problem, mu / (unit_sigma * unit_sigma), exponent
