"""Heat kernels of the circle and the sphere, and the best constants of Harnack inequalities.

The generator is the Laplacian, so the kernel of the line is the normal density of variance 2t.
Circle and sphere have radius 1; radius a, time t and distance r are time t/a^2 and distance r/a.

By Hölder's equality case the best H in ``(P_t f(x))^alpha <= H P_t(f^alpha)(y)`` has
``log H = D_{alpha'}(k_t(x, .) || k_t(y, .))``, the Rényi divergence of order
``alpha' = alpha / (alpha - 1)``; as alpha grows it tends to the Kullback-Leibler divergence, the
best constant of ``P_t log f(x) <= log P_t f(y) + C``.

Kernels are kept as logarithms with a bound on the logarithm's error, because the constants need
the relative error of the kernel where it is exponentially small.  Bounds on rounding assume that
exp, log, sin, cos and atan2 are right to two units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Space = Literal["line", "circle", "torus", "sphere"]

#: Half the distance from 1 to the next float64: the relative error of one rounding.
UNIT = 2.0**-53

#: Below these times the quadratures would take too long.
SHORTEST_TIME = {"line": 0.0, "circle": 1e-4, "torus": 1e-4, "sphere": 5e-3}

#: Below this time `sphere_heat_kernel` would need too many nodes.
SHORTEST_KERNEL_TIME = 1e-4

# 2 pi as an unevaluated sum.
_TURN = 2.0 * math.pi
_TURN_LOW = 2.4492935982947064e-16

# The images are summed up to here and Fourier's series from here on; Jacobi's identity swaps the
# two at pi, where four terms of either leave less than 1e-26 of the sum.
_CIRCLE_SWITCH = math.pi
_CIRCLE_TERMS = 4
_CIRCLE_TAIL = 1e-26

# From here on the smallest value of the sphere's kernel is over half its mean, so that an
# absolute error is a relative one.
_SPHERE_SWITCH = 1.0

# Refinement stops at this change of the value, or at these many nodes.
_GOAL = 2e-13
_MOST_NODES = 2**19
_MOST_POLAR_NODES = 1000


@dataclass(frozen=True, slots=True)
class Quadrature:
    """A value and an estimate of its error: the change at the last refinement, and rounding."""

    value: float
    error: float


@njit(cache=True)
def _log_circle(angle: float, time: float) -> tuple[float, float]:
    """Return ``log k`` and a bound on its absolute error."""
    turns = np.round(angle / _TURN)
    theta = abs((angle - turns * _TURN) - turns * _TURN_LOW)
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
        value = math.log1p(total) - math.log(_TURN)
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


def _log_kernel(space: Space, points: FloatArray, time: float) -> tuple[FloatArray, FloatArray]:
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


def _positive(name: str, value: float, low: float, kind: str) -> float:
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
    t = _positive("time", time, 0.0, "above")
    array = _points("angle", angle, 1e6)
    return _exponentials(*_log_kernel("circle", array, t))


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
    t = _positive("time", time, SHORTEST_KERNEL_TIME, "least")
    array = _points("cosine", cosine, 1.0)
    return _exponentials(*_log_kernel("sphere", array, t))


# What a quadrature needs at its nodes: log weight, log k_x, log k_y and the two errors.
_Nodes = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
_Functional = Callable[[_Nodes], tuple[float, float]]


def _circle_nodes(count: int, time: float, distance: float) -> _Nodes:
    steps: FloatArray = np.arange(count, dtype=np.float64) + 0.5
    angles: FloatArray = np.asarray(steps * (_TURN / count) - math.pi, dtype=np.float64)
    x, x_error = _log_kernel("circle", angles, time)
    y, y_error = _log_kernel("circle", np.asarray(angles - distance, dtype=np.float64), time)
    return np.full(count, math.log(_TURN / count)), x, y, x_error, y_error


def _moved(cosines: FloatArray, time: float) -> FloatArray:
    """Estimate what 4 roundings of the cosine change in log k.

    Its slope in the angle is near ``angle / (2 t)``, and at the antipode, where the kernel is a
    Bessel function of ``pi (pi - angle) / (2 t)``, the slope in the cosine is ``pi^2 / (8 t^2)``.
    """
    angles = np.arccos(cosines)
    slope = angles / (np.maximum(np.sin(angles), 1e-9) * 2.0 * time)
    antipode = math.pi**2 / (8.0 * time * time) + math.pi / (2.0 * time)
    return np.asarray(8.0 * UNIT * np.minimum(np.maximum(slope, 0.5 / time), antipode))


def _sphere_product_nodes(count: int, time: float, distance: float) -> _Nodes:
    """Gauss and Legendre in the angle from y, times a midpoint rule around the axis of y."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    polar = np.asarray(0.5 * math.pi * (nodes + 1.0), dtype=np.float64)
    around = count // 2
    turn = (np.arange(around) + 0.5) * (math.pi / around)
    side = np.sin(polar) * math.sin(distance)
    height: FloatArray = np.asarray(np.cos(polar), dtype=np.float64)
    inner = height[:, None] * math.cos(distance) + side[:, None] * np.cos(turn)
    cosines: FloatArray = np.asarray(np.clip(inner, -1.0, 1.0), dtype=np.float64)
    x, x_error = _log_kernel("sphere", cosines, time)
    y, y_error = _log_kernel("sphere", height, time)
    shape = cosines.shape
    log_weight = np.log(0.5 * math.pi * weights * np.sin(polar) * _TURN / around)[:, None]
    return (
        np.broadcast_to(log_weight, shape).ravel(),
        x.ravel(),
        np.broadcast_to(y[:, None], shape).ravel(),
        (x_error + _moved(cosines, time)).ravel(),
        np.broadcast_to((y_error + _moved(height, time))[:, None], shape).ravel(),
    )


def _renyi(nodes: _Nodes, order: float) -> tuple[float, float]:
    """Return ``D_order(k_x || k_y)`` and its rounding error."""
    weight, x, y, x_error, y_error = nodes
    exponent = weight + order * x + (1.0 - order) * y
    top = float(exponent.max())
    mass = np.exp(exponent - top)
    total = float(mass.sum())
    sizes = 4.0 * UNIT * (order * np.abs(x) + (order - 1.0) * np.abs(y) + np.abs(weight) + 4.0)
    errors = order * x_error + (order - 1.0) * y_error + sizes
    # exp(error) is not linear: an error that is not small is told as it is.
    rounding = float(np.log(np.sum(mass * np.exp(np.minimum(errors, 700.0))) / total))
    value = (top + math.log(total)) / (order - 1.0)
    return value, (rounding + 16.0 * UNIT) / (order - 1.0) + 4.0 * UNIT * abs(value)


def _kullback_leibler(nodes: _Nodes) -> tuple[float, float]:
    """Return ``KL(k_x || k_y)`` and its rounding error."""
    weight, x, y, x_error, y_error = nodes
    mass = np.exp(weight + x)
    gap = x - y
    error = mass * (np.abs(gap) * (x_error + 8.0 * UNIT * (1.0 + np.abs(x))) + x_error + y_error)
    return float(np.sum(mass * gap)), float(error.sum()) + 16.0 * UNIT


def _refine(space: Space, time: float, distance: float, functional: _Functional) -> Quadrature:
    """Double the nodes until the value settles; the change is the estimate of the error."""
    # Several nodes in a standard deviation sqrt(2 t), so that no first look can miss the peak.
    on_circle = space == "circle"
    count = 2 * math.ceil(max(16.0, (12.0 if on_circle else 4.0) / math.sqrt(min(time, 1.0))))
    limit = _MOST_NODES if on_circle else _MOST_POLAR_NODES
    build = _circle_nodes if on_circle else _sphere_product_nodes
    before = functional(build(count, time, distance))[0]
    while True:
        count *= 2
        value, rounding = functional(build(count, time, distance))
        change = abs(value - before)
        if change <= _GOAL * max(1.0, abs(value)) or 2 * count > limit:
            return Quadrature(value, change + rounding)
        before = value


def _distances(space: Space, distance: float | tuple[float, float]) -> tuple[float, ...]:
    """Return the distances along each factor, checked."""
    if space == "torus":
        if not isinstance(distance, tuple) or len(distance) != 2:
            raise ValueError(
                f"distance = {distance!r}: on the torus it must be a pair, one distance in "
                "[0, pi] for each circle; pass a tuple of two numbers"
            )
        return tuple(d for part in distance for d in _distances("circle", part))
    if isinstance(distance, tuple):
        raise ValueError(
            f"distance = {distance!r}: it must be one number on the {space}; pass a float"
        )
    number = _positive("distance", distance, 0.0, "least")
    if space != "line" and number > math.pi:
        raise ValueError(
            f"distance = {number!r}: it must be in [0, pi] on the {space} of radius 1; "
            "divide by the radius, or take the shorter way round"
        )
    return (number,)


def _checked(
    space: Space, time: float, distance: float | tuple[float, float]
) -> tuple[float, tuple[float, ...]]:
    if space not in SHORTEST_TIME:
        raise ValueError(
            f"space = {space!r}: it must be one of {', '.join(SHORTEST_TIME)}; choose one of them"
        )
    t = _positive("time", time, 0.0, "above")
    if t < SHORTEST_TIME[space]:
        raise ValueError(
            f"time = {t!r}: it must be >= {SHORTEST_TIME[space]:g} on the {space} of radius 1; "
            "take a longer time, or use the bound, which is sharp at short ones"
        )
    return t, _distances(space, distance)


def _sum_over_factors(
    space: Space, time: float, distances: tuple[float, ...], functional: _Functional
) -> Quadrature:
    factor: Space = "circle" if space == "torus" else space
    parts = [
        Quadrature(0.0, 0.0) if d == 0.0 else _refine(factor, time, d, functional)
        for d in distances
    ]
    value = sum(part.value for part in parts)
    return Quadrature(value, sum(part.error for part in parts) + UNIT * abs(value))


def log_harnack_constant(
    space: Space, time: float, distance: float | tuple[float, float], alpha: float
) -> Quadrature:
    """Return the logarithm of the best constant H in Wang's inequality, by quadrature.

    ``(P_t f(x))^alpha <= H P_t(f^alpha)(y)`` for all f >= 0, with
    ``H = (int k_t(x, z)^a k_t(y, z)^(1 - a) dz)^(alpha - 1)`` and ``a = alpha / (alpha - 1)``.
    Circle and torus use the periodic midpoint rule, the sphere that rule around the axis of y
    times Gauss and Legendre's in the angle from y, the line its closed form.

    Parameters
    ----------
    space : {"line", "circle", "torus", "sphere"}
        Circles and the sphere have radius 1; the line stands for any Euclidean space.
    time : float
        Time, > 0; at least 1e-4 on circle and torus, 5e-3 on the sphere.
    distance : float or tuple of two floats
        Distance of x and y, in [0, pi] but for the line; a pair on the torus.
    alpha : float
        Exponent, > 1.

    Returns
    -------
    Quadrature
        The value and an estimate of its absolute error: the change when the nodes were last
        doubled, plus a bound on rounding.  An estimate, not a proof; `proofs_check.heat_kernels`
        encloses.

    Raises
    ------
    ValueError
        If an argument is outside the domains above, or the space is unknown.

    Notes
    -----
    F.-Y. Wang, Logarithmic Sobolev inequalities on noncompact Riemannian manifolds, Probab.
    Theory Related Fields 109 (1997), 417-424.

    Examples
    --------
    >>> result = log_harnack_constant("circle", 0.3, 2.0, 2.0)
    >>> round(result.value, 10), result.error < 1e-11
    (4.6983404396, True)
    """
    t, distances = _checked(space, time, distance)
    power = _positive("alpha", alpha, 1.0, "above")
    order = power / (power - 1.0)
    if space == "line":
        value = order * distances[0] ** 2 / (4.0 * t)
        return Quadrature(value, 8.0 * UNIT * value)
    return _sum_over_factors(space, t, distances, lambda nodes: _renyi(nodes, order))


def log_harnack_kl(space: Space, time: float, distance: float | tuple[float, float]) -> Quadrature:
    """Return the best constant C in ``P_t log f(x) <= log P_t f(y) + C``, by quadrature.

    It is the Kullback-Leibler divergence of ``k_t(x, .)`` from ``k_t(y, .)``, attained at
    ``f = k_t(x, .) / k_t(y, .)``, and the limit of `log_harnack_constant` as alpha grows.

    Parameters
    ----------
    space, time, distance
        As in `log_harnack_constant`.

    Returns
    -------
    Quadrature
        As in `log_harnack_constant`.

    Raises
    ------
    ValueError
        If an argument is outside its domain.

    Notes
    -----
    F.-Y. Wang, Harnack inequalities on manifolds with boundary and applications, J. Math. Pures
    Appl. 94 (2010), 304-321.

    Examples
    --------
    >>> result = log_harnack_kl("sphere", 0.3, 2.0)
    >>> round(result.value, 10), result.error < 1e-11
    (1.8870535551, True)
    """
    t, distances = _checked(space, time, distance)
    if space == "line":
        value = distances[0] ** 2 / (4.0 * t)
        return Quadrature(value, 8.0 * UNIT * value)
    return _sum_over_factors(space, t, distances, _kullback_leibler)
