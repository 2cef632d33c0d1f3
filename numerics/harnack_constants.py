"""Best constants of Wang's and the log-Harnack inequality, by quadrature of heat kernels.

By Hölder's equality case the best H in ``(P_t f(x))^alpha <= H P_t(f^alpha)(y)`` has
``log H = D_{alpha'}(k_t(x, .) || k_t(y, .))``, the Rényi divergence of order
``alpha' = alpha / (alpha - 1)``; as alpha grows it tends to the Kullback-Leibler divergence, the
best constant of ``P_t log f(x) <= log P_t f(y) + C``.  Units are those of `numerics.heat_kernel`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from numerics.heat_kernel import TURN, UNIT, FloatArray, checked_real, log_kernel

Space = Literal["line", "circle", "torus", "sphere"]

#: Below these times the quadratures would take too long.
SHORTEST_TIME = {"line": 0.0, "circle": 1e-4, "torus": 1e-4, "sphere": 5e-3}

# Refinement stops at this change of the value, or at these many nodes.
_GOAL = 2e-13
_MOST_NODES = 2**19
_MOST_POLAR_NODES = 1000


@dataclass(frozen=True, slots=True)
class Quadrature:
    """A value and an estimate of its error: the change at the last refinement, and rounding."""

    value: float
    error: float


# What a quadrature needs at its nodes: log weight, log k_x, log k_y and the two errors.
_Nodes = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
_Functional = Callable[[_Nodes], tuple[float, float]]


def _circle_nodes(count: int, time: float, distance: float) -> _Nodes:
    steps: FloatArray = np.arange(count, dtype=np.float64) + 0.5
    angles: FloatArray = np.asarray(steps * (TURN / count) - math.pi, dtype=np.float64)
    x, x_error = log_kernel("circle", angles, time)
    y, y_error = log_kernel("circle", np.asarray(angles - distance, dtype=np.float64), time)
    return np.full(count, math.log(TURN / count)), x, y, x_error, y_error


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
    x, x_error = log_kernel("sphere", cosines, time)
    y, y_error = log_kernel("sphere", height, time)
    shape = cosines.shape
    log_weight = np.log(0.5 * math.pi * weights * np.sin(polar) * TURN / around)[:, None]
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
    number = checked_real("distance", distance, 0.0, "least")
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
    t = checked_real("time", time, 0.0, "above")
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


def _on_line(time: float, distance: float, order: float) -> Quadrature:
    """Return the Rényi divergence in closed form; order 1 is Kullback and Leibler's."""
    value = order * distance**2 / (4.0 * time)
    return Quadrature(value, 8.0 * UNIT * value)


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
    power = checked_real("alpha", alpha, 1.0, "above")
    order = power / (power - 1.0)
    if space == "line":
        return _on_line(t, distances[0], order)
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
        return _on_line(t, distances[0], 1.0)
    return _sum_over_factors(space, t, distances, _kullback_leibler)
