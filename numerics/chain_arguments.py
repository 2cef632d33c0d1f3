"""Checks of what a run of training chains is given, with one-line messages that say the fix."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def checked_count(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return an integer in [least, most], or raise ValueError.

    Examples
    --------
    >>> checked_count("batch", 3, 1, 4)
    3
    """
    try:
        number = least - 1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most):
        domain = f">= {least}" if most is None else f"in [{least}, {most}]"
        raise ValueError(f"{name} = {value!r}: an integer {domain} is needed; pass {least}, say")
    return number


def checked_real(name: str, value: Any, *, positive: bool) -> float:
    """Return a finite number >= 0, or > 0, or raise ValueError.

    Examples
    --------
    >>> checked_real("noise", 0, positive=False)
    0.0
    """
    domain = "a finite number > 0" if positive else "a finite number >= 0"
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and (number > 0.0 if positive else number >= 0.0)):
        raise ValueError(f"{name} = {value!r}: {domain} is needed; pass 1.0, say")
    return number


def checked_optional(name: str, value: Any) -> float:
    """Return a radius > 0, infinite for None, or raise ValueError.

    Examples
    --------
    >>> checked_optional("clip", None)
    inf
    """
    if value is None or (isinstance(value, float) and value == math.inf):
        return math.inf
    try:
        return checked_real(name, value, positive=True)
    except ValueError:
        raise ValueError(
            f"{name} = {value!r}: a number > 0 is needed; pass None to go without"
        ) from None


def checked_choice(name: str, value: Any, choices: Sequence[str]) -> int:
    """Return the position of a value among the choices, or raise ValueError.

    Examples
    --------
    >>> checked_choice("clipping", "whole", ("whole", "per-sample"))
    0
    """
    if value not in choices:
        raise ValueError(f"{name} = {value!r}: it must be one of {', '.join(choices)}; pass one")
    return choices.index(value)


def checked_step_sizes(value: ArrayLike, steps: int, weight_decay: float) -> Array:
    """Return the step sizes (K,), or raise ValueError.

    Examples
    --------
    >>> checked_step_sizes(0.5, 2, 1.0).tolist()
    [0.5, 0.5]
    """
    try:
        given = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"step_size = {value!r}: a number or {steps} numbers; pass one") from None
    if given.shape not in ((), (steps,)):
        raise ValueError(
            f"step_size has shape {given.shape}: it must be a number or have shape ({steps},); "
            "pass one per step"
        )
    sizes = np.array(np.broadcast_to(given, (steps,)))
    for bad, domain, fix in (
        (~((sizes > 0.0) & np.isfinite(sizes)), "a finite number > 0 is needed", "pass 0.1, say"),
        (
            sizes * weight_decay > 1.0,
            f"times weight_decay = {weight_decay!r} it must be at most 1",
            "lower one of them",
        ),
    ):
        if np.any(bad):
            index = int(np.argmax(bad))
            name = "step_size" if given.ndim == 0 else f"step_size[{index}]"
            raise ValueError(f"{name} = {float(sizes[index])!r}: {domain}; {fix}")
    return sizes


def checked_start(value: ArrayLike | None, count: int) -> Array:
    """Return the first parameter (p,), zeros for None, or raise ValueError.

    Examples
    --------
    >>> checked_start(None, 2).tolist()
    [0.0, 0.0]
    """
    if value is None:
        return np.zeros(count)
    start = np.array(value, dtype=np.float64)
    if start.shape != (count,):
        raise ValueError(
            f"start has shape {start.shape}: it must be ({count},), one per parameter; pass that"
        )
    if not np.all(np.isfinite(start)):
        raise ValueError(f"start = {start.tolist()}: finite numbers are needed; pass those")
    return start


def checked_record(value: Sequence[int] | None, steps: int) -> Integers:
    """Return the steps after which parameters are kept (R,), or raise ValueError.

    Examples
    --------
    >>> checked_record(None, 10).tolist()
    [10]
    """
    if value is None:
        return np.array([steps])
    given = np.asarray(value)
    if given.ndim != 1 or given.dtype.kind not in "iu" or len(given) == 0:
        raise ValueError(f"record = {value!r}: a list of step indices is needed; pass [{steps}]")
    record = given.astype(np.int64)
    if record[0] < 0 or record[-1] > steps or np.any(np.diff(record) <= 0):
        shown = " ".join(str(record.tolist()).split())[:80]
        raise ValueError(f"record = {shown}: increasing steps in [0, {steps}]; sort and drop some")
    return record
