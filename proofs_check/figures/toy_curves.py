"""The curves of the figure ``toy``: divergences against κ, K and ε, one row per data set each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofs_check.figures.toy_verdicts import least_of, shape_of

Array = NDArray[np.float64]

#: What is asked of a data set's run, in the order of the files.
QUANTITIES = ("kl_target", "kl_noised", "score_error")
# Times given as decimals meet powers of ten up to rounding.
_SAME = 1e-9
# Curves over ε have at most about this many abscissae below 1: each difference costs confidence.
_MOST = 16


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Runs at one pace on the data sets of one law and size.

    ``eps`` (E,) are noise times, decreasing from T, ``steps`` (E,) how many steps lead there, and
    ``values`` by quantity (data sets, E).
    """

    target: str
    size: int
    pace: int
    kappa: float
    eps: Array
    steps: NDArray[np.int64]
    values: Mapping[str, Array]

    @property
    def horizon(self) -> float:
        """The noise time T that the runs start from."""
        return float(self.eps[0])

    def column(self, eps: float) -> int | None:
        """Return which of the kept noise times is ε; None if there is none.

        Examples
        --------
        >>> sweep = Sweep("normal", 40, 8, 0.78, np.array([4.9, 1.0, 0.1]), np.arange(3), {})
        >>> sweep.column(0.1), sweep.column(0.2)
        (2, None)
        """
        near = np.flatnonzero(np.abs(self.eps / eps - 1.0) < _SAME)
        return int(near[0]) if len(near) else None


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Values (data sets, A) over increasing abscissae (A,), with ``at`` the ε or κ held fixed."""

    target: str
    size: int
    quantity: str
    variable: str
    at: float
    abscissae: Array
    values: Array

    @property
    def mean(self) -> Array:
        """The mean over data sets, (A,)."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def error(self) -> Array:
        """The standard error of the mean, (A,)."""
        return standard_error(self.values)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a curve is found to be, and where it is least.

    ``variable`` is ``kappa`` or ``steps``, at the ε ``at``, or ``eps``, over ε ≤ 1, or ``eps to
    T``, at the κ ``at``; ``low`` and ``high`` are the first and last of its ``points`` abscissae.
    ``shape``, ``falls`` and ``rises`` are as in ``toy_verdicts.Shape``; the least mean, ``least`` ±
    ``error``, is at ``best``, and the least expectation between ``best_low`` and ``best_high``.
    """

    target: str
    size: int
    quantity: str
    variable: str
    at: float
    low: float
    high: float
    points: int
    data_sets: int
    shape: str
    falls: int
    rises: int
    best: float
    best_low: float
    best_high: float
    least: float
    error: float


def standard_error(values: Array) -> Array:
    """Return the standard error of the mean over data sets, (E,) from (data sets, E)."""
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))


def kappa_curve(
    sweeps: Sequence[Sweep], target: str, size: int, quantity: str, eps: float
) -> Curve | None:
    """Return a quantity at ε against κ; None where fewer than three paces meet ε."""
    found = []
    for sweep in sweeps:
        if (sweep.target, sweep.size) == (target, size) and quantity in sweep.values:
            column = sweep.column(eps)
            if column is not None:
                values = sweep.values[quantity][:, column]
                if not np.isnan(values).any():
                    found.append((sweep.kappa, values))
    if len(found) < 3:
        return None
    found.sort(key=lambda pair: pair[0])
    kappas = np.array([kappa for kappa, _ in found])
    return Curve(target, size, quantity, "kappa", eps, kappas, np.stack([v for _, v in found], 1))


def steps_curve(
    sweeps: Sequence[Sweep], target: str, size: int, quantity: str, eps: float
) -> Curve | None:
    """Return the curve of `kappa_curve` against the number K of steps."""
    curve = kappa_curve(sweeps, target, size, quantity, eps)
    if curve is None:
        return None
    steps = {
        sweep.kappa: int(sweep.steps[column])
        for sweep in sweeps
        if (sweep.target, sweep.size) == (target, size)
        and (column := sweep.column(eps)) is not None
    }
    abscissae = np.array([float(steps[kappa]) for kappa in curve.abscissae[::-1]])
    return Curve(target, size, quantity, "steps", eps, abscissae, curve.values[:, ::-1])


def eps_curve(sweep: Sweep, quantity: str, *, whole: bool = False) -> Curve | None:
    """Return a quantity against ε ≤ 1, or up to T; None where there are fewer than three."""
    if quantity not in sweep.values:
        return None
    late = np.flatnonzero(sweep.eps < 1.0 + _SAME)
    kept = late[:: -(-len(late) // _MOST)]
    if whole:
        kept = np.concatenate([np.flatnonzero(sweep.eps > 1.0 + _SAME), kept])
    kept = kept[~np.isnan(sweep.values[quantity][:, kept]).any(axis=0)][::-1]
    if len(kept) < 3:
        return None
    return Curve(
        sweep.target,
        sweep.size,
        quantity,
        "eps to T" if whole else "eps",
        sweep.kappa,
        sweep.eps[kept],
        sweep.values[quantity][:, kept],
    )


def verdict_on(curve: Curve) -> Verdict:
    """Judge a curve.

    Examples
    --------
    >>> values = np.arange(12.0).reshape(4, 3) ** 2
    >>> verdict_on(Curve("normal", 40, "kl_target", "kappa", 0.1, np.arange(3.0), values)).points
    3
    """
    shape, least = shape_of(curve.values), least_of(curve.values)
    places = curve.abscissae
    return Verdict(
        curve.target,
        curve.size,
        curve.quantity,
        curve.variable,
        curve.at,
        float(places[0]),
        float(places[-1]),
        len(places),
        len(curve.values),
        shape.name,
        shape.falls,
        shape.rises,
        float(places[least.index]),
        float(places[least.low]),
        float(places[least.high]),
        float(curve.mean[least.index]),
        float(curve.error[least.index]),
    )


def verdicts_on(sweeps: Sequence[Sweep], shown: Sequence[float]) -> tuple[Verdict, ...]:
    """Judge every curve: against κ and K at the ε shown, and against ε at every κ."""
    cases = dict.fromkeys((sweep.target, sweep.size) for sweep in sweeps)
    curves: list[Curve | None] = []
    for target, size in cases:
        for quantity in QUANTITIES[:2]:
            for eps in shown:
                curves.append(kappa_curve(sweeps, target, size, quantity, eps))
                curves.append(steps_curve(sweeps, target, size, quantity, eps))
    for sweep in sweeps:
        for quantity in QUANTITIES[:2]:
            curves.append(eps_curve(sweep, quantity))
            whole = eps_curve(sweep, quantity, whole=True)
            if whole is not None and whole.abscissae[-1] > 1.0 + _SAME:
                curves.append(whole)
    return tuple(verdict_on(curve) for curve in curves if curve is not None)
