"""Heat kernels of the circle and the sphere, in floats with bounds on their errors.

The generator is the Laplacian, so the kernel of the line is the normal density of variance 2t.
Circle and sphere have radius 1; radius a, time t and distance r are time t/a^2 and distance r/a.

Kernels are kept as logarithms with a bound on the logarithm's error, because Harnack constants
need the relative error of the kernel where it is exponentially small.  Bounds on rounding assume
that exp, log, sin, cos and atan2 are right to two units in the last place.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

#: Half the distance from 1 to the next float64: the relative error of one rounding.
UNIT = 2.0**-53

#: Below this time `sphere_heat_kernel` would need too many nodes.
SHORTEST_KERNEL_TIME = 1e-4

#: Two pi; with `_TURN_LOW` an unevaluated sum.
TURN = 2.0 * math.pi
_TURN_LOW = 2.4492935982947064e-16

# The images are summed up to here and Fourier's series from here on; Jacobi's identity swaps the
# two at pi, where four terms of either leave less than 1e-26 of the sum.
_CIRCLE_SWITCH = math.pi
_CIRCLE_TERMS = 4
_CIRCLE_TAIL = 1e-26

# From here on the smallest value of the sphere's kernel is over half its mean, so that an
# absolute error is a relative one.
_SPHERE_SWITCH = 1.0


@njit(cache=True)
def _log_circle(angle: float, time: float) -> tuple[float, float]:
    """Return ``log k`` and a bound on its absolute error."""
    turns = np.round(angle / TURN)
    theta = abs((angle - turns * TURN) - turns * _TURN_LOW)
    # The reduction is exact without a turn. |d log k / d theta| <= pi / (2 t) on the circle.
    moved = 4.0 * UNIT * abs(angle) if turns != 0.0 else 0.0
    if time > _CIRCLE_SWITCH:
        total = 0.0
        error = _CIRCLE_TAIL
        for n in range(1, _CIRCLE_TERMS + 1):
            term = 2.0 * math.exp(-n * n * time)
            total += term * math.cos(n * theta)
            error += term * ((2.0 * n * n * time + 10.0 + 4.0 * n) * UNIT + n * moved)
        # 1 + total > 0.91, so the error of the logarithm is at most 1.1 of that of the sum.
        value = math.log1p(total) - math.log(TURN)
        return value, 1.1 * error + 16.0 * UNIT
    square = theta * theta / (4.0 * time)
    total = 1.0
    error = _CIRCLE_TAIL
    for n in range(1, _CIRCLE_TERMS + 1):
        near = (math.pi * n - theta) * (math.pi * n / time)
        far = (math.pi * n + theta) * (math.pi * n / time)
        lost = 8.0 * UNIT * math.pi * math.pi * n * n / time
        first = math.exp(-near)
        second = math.exp(-far)
        total += first + second
        error += first * (8.0 * UNIT * abs(near) + lost) + second * (8.0 * UNIT * far + lost)
    scale = 0.5 * math.log(4.0 * math.pi * time)
    value = (math.log(total) - scale) - square
    rounding = UNIT * (40.0 + 4.0 * abs(scale) + 8.0 * square)
    return value, error / total + rounding + moved * 1.6 / time


@njit(cache=True)
def _log_sphere_series(cosine: float, time: float) -> tuple[float, float]:
    """Return ``log k`` and its error from Legendre's series, for times >= ``_SPHERE_SWITCH``.

    The tail after degree L is at most ``exp(-L (L + 1) t) / (4 pi t)`` because |P_l| <= 1 and
    ``(2 l + 1) exp(-l (l + 1) t)`` falls.  An error d made in P_m reaches P_l as at most
    ``(l - m + 1) d``: with ``Q_l = e_l^2 + e_{l-1}^2 - 2 c e_l e_{l-1}`` the recurrence gives
    ``(l + 1)^2 Q_{l+1} = l^2 Q_l + (2 l + 1) (1 - c^2) e_l^2 <= (l + 1)^2 Q_l``, and
    ``|e_l| <= |e_{l-1}| + sqrt(Q_l)``.
    """
    before = 1.0
    now = cosine
    total = 0.0
    error = 0.0
    degree = 1
    while True:
        decay = degree * (degree + 1.0) * time
        weight = (2.0 * degree + 1.0) * math.exp(-decay)
        total += weight * now
        legendre = 8.0 * degree * (degree + 1.0)
        error += weight * UNIT * (legendre + 2.0 * decay + 12.0)
        if decay > 60.0:
            break
        after = ((2.0 * degree + 1.0) * cosine * now - degree * before) / (degree + 1.0)
        before, now = now, after
        degree += 1
    error += math.exp(-degree * (degree + 1.0) * time) / time
    value = math.log1p(total) - math.log(4.0 * math.pi)
    # 1 + total > 0.6.
    return value, 1.8 * error + 24.0 * UNIT


def _sphere_nodes(time: float) -> tuple[FloatArray, FloatArray, float]:
    """Return ``sin^2 psi``, ``cos psi`` at the midpoints and the absolute error of the rule.

    With 2 m points a period the rule is exact up to degree ``2 m - 1``; degree l is off by at
    most ``2 (2 l + 1)`` since the average runs over values of the Chebyshev polynomial U_{2 l}.
    """
    reach = math.sqrt((46.0 + math.pi**2 / (4.0 * time)) / time)
    count = max(4, math.ceil(0.5 * reach) + 1)
    half = np.arange(count) + 0.5
    sine = np.sin(half * (math.pi / (2 * count)))
    n = 2.0 * count
    ratio = (1.0 + 2.0 / (2.0 * n + 1.0)) ** 2 * math.exp(-2.0 * (n + 1.0) * time)
    first = (2.0 * n + 1.0) ** 2 * math.exp(-n * (n + 1.0) * time)
    if ratio >= 1.0:
        raise AssertionError("the tail of the sphere's rule does not fall")
    return sine * sine, sine[::-1].copy(), first / (2.0 * math.pi) / (1.0 - ratio)


@njit(cache=True)
def _log_sphere_average(
    cosine: float, time: float, squares: FloatArray, cosines: FloatArray, tail: float
) -> tuple[float, float]:
    """Return ``log k`` and its error from an average of image sums.

    Mehler and Dirichlet's integral for P_l, with ``cos(s/2) = cos(theta/2) cos(psi)``, gives
    ``k = 2 exp(t/4) (4 pi t)^(-3/2) int_0^(pi/2) F(s) / sin(s/2) dpsi`` where
    ``F(s) = sum_n (-1)^n (s + 2 pi n) exp(-(s + 2 pi n)^2 / (4 t))``.  The integrand is positive
    and, as a function of psi, entire and periodic.  Nothing cancels, so the relative error stays
    small where k is exponentially small.
    """
    up = 0.5 * (1.0 + cosine)
    down = 0.5 * (1.0 - cosine)
    root = math.sqrt(up)
    count = squares.size
    base = 0.0
    total = 0.0
    error = 0.0
    for j in range(count):
        opposite = math.sqrt(down + up * squares[j])
        adjacent = root * cosines[j]
        s = 2.0 * math.atan2(opposite, adjacent)
        rest = 2.0 * math.atan2(adjacent, opposite)
        square = s * s / (4.0 * time)
        if j == 0:
            base = square
        elif square - base > 60.0:
            # |F| exp(s^2 / (4 t)) < 4 pi, and exp(-s^2 / (4 t)) / sin(s / 2) falls.
            error += (count - j) * 4.0 * math.pi * math.exp(base - square) / opposite
            break
        bracket = s
        slack = 1e-40 + 20.0 * UNIT * s
        sign = -1.0
        # From the fourth pair on the images are below 1e-48 at times <= 1.
        for n in range(1, 4):
            rate = math.pi * n / time
            near = rate * (math.pi * (n - 1.0) + rest)
            far = rate * (math.pi * n + s)
            first = (math.pi * (2.0 * n - 1.0) + rest) * math.exp(-near)
            second = (2.0 * math.pi * n + s) * math.exp(-far)
            bracket += sign * (second - first)
            slack += UNIT * (first * (30.0 + 24.0 * near) + second * (30.0 + 24.0 * far))
            sign = -sign
        weight = math.exp(base - square) / opposite
        total += weight * bracket
        error += weight * (slack + bracket * UNIT * (60.0 + 80.0 * square))
    scale = 1.5 * math.log(4.0 * math.pi * time) + math.log(count / math.pi)
    value = (0.25 * time + math.log(total) - scale) - base
    relative = error / total + UNIT * (count + 60.0 + 4.0 * abs(scale) + 4.0 * base)
    # The rule's error is absolute: beyond exp(-value) it says that nothing is known.
    return value, relative + 1.01 * math.exp(min(math.log(tail + 1e-307) - value, 700.0))


@njit(cache=True)
def _fill_circle(angles: FloatArray, time: float, logs: FloatArray, errors: FloatArray) -> None:
    for k in range(angles.size):
        logs[k], errors[k] = _log_circle(angles[k], time)


@njit(cache=True)
def _fill_sphere(
    cosines: FloatArray,
    time: float,
    nodes: tuple[FloatArray, FloatArray, float],
    logs: FloatArray,
    errors: FloatArray,
) -> None:
    for k in range(cosines.size):
        if time >= _SPHERE_SWITCH:
            logs[k], errors[k] = _log_sphere_series(cosines[k], time)
        else:
            logs[k], errors[k] = _log_sphere_average(cosines[k], time, nodes[0], nodes[1], nodes[2])


def log_kernel(
    space: Literal["circle", "sphere"], points: FloatArray, time: float
) -> tuple[FloatArray, FloatArray]:
    """Return ``log k`` and a bound on its error at angles (circle) or cosines (sphere)."""
    flat = np.ascontiguousarray(points, dtype=np.float64).ravel()
    logs = np.empty_like(flat)
    errors = np.empty_like(flat)
    if space == "circle":
        _fill_circle(flat, time, logs, errors)
    else:
        nodes = _sphere_nodes(min(time, _SPHERE_SWITCH))
        _fill_sphere(flat, time, nodes, logs, errors)
    return logs.reshape(points.shape), errors.reshape(points.shape)


def checked_real(name: str, value: float, low: float, kind: str) -> float:
    """Return a finite float above ``low`` (for "above") or at least ``low`` (for "least")."""
    words = f"> {low:g}" if kind == "above" else f">= {low:g}"
    fix = f"pass one finite number {words}"
    if isinstance(value, (bool, str, bytes, complex)) or np.ndim(value) != 0:
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}") from None
    if not math.isfinite(number) or number < low or (kind == "above" and number == low):
        raise ValueError(f"{name} = {number!r}: it must be finite and {words}; {fix}")
    return number


def _points(name: str, value: ArrayLike, limit: float) -> FloatArray:
    """Return finite float64 entries of absolute value at most ``limit``."""
    raw = np.asarray(value)
    if raw.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} has dtype {raw.dtype}: it must hold real numbers; convert it to float64"
        )
    array = raw.astype(np.float64)
    bad = ~(np.abs(array) <= limit)
    if bad.any():
        raise ValueError(
            f"{name} = {float(array[bad].flat[0])!r}: entries must be finite and in "
            f"[{-limit:g}, {limit:g}]; " + ("reduce" if limit > 1.0 else "clip") + " them first"
        )
    return array


def _exponentials(logs: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn logarithms and their errors into values and absolute errors."""
    values = np.exp(logs)
    with np.errstate(over="ignore", invalid="ignore"):
        bounds = values * np.expm1(np.minimum(errors, 700.0)) * (1.0 + 1e-12)
    # The last term covers values that underflow.
    return values, bounds + 4.0 * UNIT * values + 1e-307


def circle_heat_kernel(angle: ArrayLike, time: float) -> tuple[FloatArray, FloatArray]:
    """Return the heat kernel of the unit circle and a bound on its absolute error.

    The density, for arc length, of a normal variable of variance ``2 time`` wrapped around the
    circle.  For ``time <= pi`` four pairs of images are summed, relative to the nearest one;
    above, four terms of Fourier's series.  Either tail is below 1e-26 of the sum, so the bound is
    one on rounding, and is relative to the value (about ``1e-15 (1 + angle^2 / (4 time))``) until
    the value underflows below 1e-307.

    Parameters
    ----------
    angle : array_like, shape (...)
        Angle between the points, in radians, at most 1e6 in absolute value.
    time : float
        Time, > 0, in squared radians.

    Returns
    -------
    value, bound : ndarray, shape (...)
        Density per radian, and a bound on its truncation and rounding error.

    Raises
    ------
    ValueError
        If time is not finite and positive, or an angle is not finite or beyond 1e6.

    Notes
    -----
    Jacobi's imaginary transformation joins the two sums: NIST DLMF, section 20.7(viii).

    Examples
    --------
    >>> value, bound = circle_heat_kernel(3.0, 0.5)
    >>> round(float(value), 9), bool(bound < 1e-15)
    (0.006252444, True)
    """
    t = checked_real("time", time, 0.0, "above")
    array = _points("angle", angle, 1e6)
    return _exponentials(*log_kernel("circle", array, t))


def sphere_heat_kernel(cosine: ArrayLike, time: float) -> tuple[FloatArray, FloatArray]:
    """Return the heat kernel of the unit sphere in three dimensions and a bound on its error.

    For ``time >= 1`` Legendre's series, with a proven bound on its tail and on the recurrence.
    Below, where that series cancels, a periodic midpoint rule for an average of positive image
    sums: its truncation error is proven too, and the relative error stays near
    ``1e-14 (1 + angle^2 / (4 time))`` where the kernel is exponentially small.  What is small is
    never clipped; the bound is absolute.

    Parameters
    ----------
    cosine : array_like, shape (...)
        Cosine of the angle between the points, in [-1, 1].
    time : float
        Time, at least ``SHORTEST_KERNEL_TIME`` = 1e-4, in squared radians.

    Returns
    -------
    value, bound : ndarray, shape (...)
        Density per steradian, and a bound on its truncation and rounding error.

    Raises
    ------
    ValueError
        If time is not finite or below 1e-4, or a cosine is outside [-1, 1].

    Notes
    -----
    Mehler and Dirichlet's integral: NIST DLMF 14.12.1 at mu = 0.

    Examples
    --------
    >>> value, bound = sphere_heat_kernel([1.0, -1.0], 0.02)
    >>> [f"{v:.9e}" for v in value], bool((bound < 1e-11 * value).all())
    (['4.005505911e+00', '4.151521577e-52'], True)
    """
    t = checked_real("time", time, SHORTEST_KERNEL_TIME, "least")
    array = _points("cosine", cosine, 1.0)
    return _exponentials(*log_kernel("sphere", array, t))
