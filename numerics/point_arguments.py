"""Checks of queries, data, weights and noise scales, with one-line messages that say the fix."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: Magnitudes beyond this could overflow when squared and divided by sigma^2.
LARGEST = 1e70


def _real_array(name: str, value: ArrayLike) -> Array:
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} is ragged; it must be a rectangular array of real numbers: "
            "give every row the same length"
        ) from error
    if raw.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {raw.dtype}; it must hold real numbers: "
            f"convert it with np.asarray({name}, dtype=np.float64)"
        )
    return np.asarray(raw, dtype=np.float64, order="C")


def _check_magnitude(name: str, array: Array) -> None:
    bad = ~(np.abs(array) <= LARGEST)
    if not np.any(bad):
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    worst = float(array[index])
    if math.isfinite(worst):
        raise ValueError(
            f"{name}{list(index)} = {worst!r}; entries must lie in [-{LARGEST:g}, {LARGEST:g}]: "
            "divide x, data and sigma by a common factor"
        )
    raise ValueError(
        f"{name}{list(index)} = {worst!r}; entries must be finite: remove or replace it"
    )


def checked_points(name: str, value: ArrayLike, rows: str) -> Array:
    """Return ``value`` as a float64 array (rows, d) or raise ValueError."""
    array = _real_array(name, value)
    if array.ndim == 1:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be ({rows}, d): "
            f"for points on a line pass {name}.reshape(-1, 1)"
        )
    if array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be ({rows}, d): "
            f"flatten each point, e.g. {name}.reshape(len({name}), -1)"
        )
    if array.shape[1] == 0:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be ({rows}, d) with d >= 1: "
            "give each point at least one coordinate"
        )
    _check_magnitude(name, array)
    return array


def checked_number(name: str, value: float, lowest: float) -> float:
    """Return ``value`` as a float in [lowest, LARGEST] or raise ValueError."""
    fix = "pass one real number, for example 0.5"
    domain = f"it must lie in [{lowest:g}, {LARGEST:g}]"
    if isinstance(value, (str, bytes, complex)) or np.ndim(value) != 0:
        raise ValueError(f"{name} = {value!r}; {domain}: {fix}")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} = {value!r}; {domain}: {fix}") from error
    if not lowest <= number <= LARGEST:
        if math.isfinite(number) and number > 0.0:
            fix = "divide x, data and sigma by a common factor"
        raise ValueError(f"{name} = {value!r}; {domain}: {fix}")
    return number


def checked_weights(value: ArrayLike | None, count: int) -> Array | None:
    """Return ``value`` as float64 weights (count,) or raise ValueError."""
    if value is None:
        return None
    weights = _real_array("weights", value)
    if weights.shape != (count,):
        raise ValueError(
            f"weights has shape {weights.shape}; it must be ({count},): pass one weight per point"
        )
    bad = ~((weights >= 0.0) & (weights < np.inf))
    if np.any(bad):
        index = int(np.argmax(bad))
        raise ValueError(
            f"weights[{index}] = {float(weights[index])!r}; weights must be finite and >= 0: "
            "remove the point or set its weight to 0"
        )
    if not np.any(weights > 0.0):
        raise ValueError(
            "weights = all 0; at least one weight must be > 0: pass weights=None for uniform"
        )
    return weights


def checked_problem(
    x: ArrayLike, data: ArrayLike, mu: float, sigma: float, weights: ArrayLike | None
) -> tuple[Array, Array, float, float, Array | None]:
    """Check all arguments of an empirical-score function together."""
    queries = checked_points("x", x, "M")
    points = checked_points("data", data, "N")
    if points.shape[0] == 0:
        raise ValueError(
            f"data has shape {points.shape}; it must be (N, d) with N >= 1: pass at least one point"
        )
    if queries.shape[1] != points.shape[1]:
        raise ValueError(
            f"x has shape {queries.shape} and data {points.shape}; d must be the same: "
            "pass points with the same number of coordinates"
        )
    mean_scale = checked_number("mu", mu, 0.0)
    noise = checked_number("sigma", sigma, 1.0 / LARGEST)
    largest = float(np.max(np.abs(points)))
    if mean_scale * largest > LARGEST:
        raise ValueError(
            f"mu * max|data| = {mean_scale * largest!r}; it must be at most {LARGEST:g}: "
            "divide x, data and sigma by a common factor"
        )
    return queries, points, mean_scale, noise, checked_weights(weights, points.shape[0])
