"""Checks of the arguments of score stability, with one-line messages that say the fix."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def _array(name: str, value: ArrayLike, axes: tuple[str, ...]) -> FloatArray:
    """Return ``value`` as a finite, non-empty float64 array with the named axes."""
    shape = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    try:
        raw = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} is ragged: it must have shape {shape}; give every row the same length"
        ) from None
    if raw.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {raw.dtype}: it must hold real numbers; convert it to float64"
        )
    with np.errstate(over="ignore"):
        array = raw.astype(np.float64, copy=False)
    if array.ndim != len(axes):
        raise ValueError(f"{name} has shape {array.shape}: it must have shape {shape}; reshape it")
    if array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: every axis of {shape} must be at least 1; "
            f"pass at least one entry"
        )
    if not np.isfinite(array).all():
        where = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name}{list(where)} = {array[where]}: entries must be finite; remove or mend it"
        )
    return array


def _number(name: str, value: float, lowest: str) -> float:
    """Return ``value`` as a finite float that is positive, or at least zero."""
    fix = f"pass one finite number {lowest}"
    if isinstance(value, (bool, str, bytes, complex)) or np.ndim(value) != 0:
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} = {value!r}: it must be a real number; {fix}") from None
    if not math.isfinite(number) or number < 0.0 or (lowest == "> 0" and number == 0.0):
        raise ValueError(f"{name} = {number}: it must be finite and {lowest}; {fix}")
    return number


def checked_arguments(
    data: ArrayLike, replacement: ArrayLike, queries: ArrayLike, mu: float, sigma: float
) -> tuple[FloatArray, FloatArray, FloatArray, float, float]:
    """Return the arguments of ``score_stability`` as float64, or raise a one-line error.

    Parameters
    ----------
    data, replacement, queries, mu, sigma
        As in ``score_stability``.

    Returns
    -------
    tuple
        data (N, d), replacement (d,) or (N, d), queries (M, d) or (N, M, d), mu, sigma.

    Raises
    ------
    ValueError
        As in ``score_stability``.

    Examples
    --------
    >>> checked_arguments([[0.0]], [1.0], [[0.5]], 1, 2)[2].shape
    (1, 1)
    """
    points = _array("data", data, ("N", "d"))
    count, dimension = points.shape
    if np.ndim(replacement) == 1:
        new = _array("replacement", replacement, ("d",))
        probes = _array("queries", queries, ("M", "d"))
    elif np.ndim(replacement) == 2:
        new = _array("replacement", replacement, ("N", "d"))
        probes = _array("queries", queries, ("N", "M", "d"))
    else:
        raise ValueError(
            f"replacement has shape {np.shape(replacement)}: it must have shape (d,) for shared "
            "queries or (N, d) for one set of queries per point; reshape it"
        )
    for name, array in (("replacement", new), ("queries", probes)):
        if array.shape[-1] != dimension:
            raise ValueError(
                f"{name} has dimension {array.shape[-1]}: it must be that of data, {dimension}; "
                "pass points of one space"
            )
        if new.ndim == 2 and array.shape[0] != count:
            raise ValueError(
                f"{name} has {array.shape[0]} rows: it must have one for each of the {count} "
                "data points; pass N of them"
            )
    return points, new, probes, _number("mu", mu, ">= 0"), _number("sigma", sigma, "> 0")
