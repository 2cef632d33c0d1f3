"""A point: a case with exact parameter values, a schedule and a measure of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp

from theory import cases
from theory.cases.case import Case
from theory.process import SCHEDULES, Schedule, TimeAtoms, TimeMeasure, UniformTime


@dataclass(frozen=True, slots=True)
class Point:
    """Where a claim is evaluated; every number is exact."""

    case: str
    values: tuple[tuple[str, sp.Expr], ...]
    schedule: str
    tau: TimeMeasure
    schedule_values: tuple[tuple[str, sp.Expr], ...] = ()

    @property
    def law(self) -> Case:
        """The case that the point belongs to."""
        return cases.get(self.case)

    @property
    def process(self) -> Schedule:
        """The forward process."""
        return SCHEDULES[self.schedule]

    def substitutions(self) -> dict[sp.Symbol, sp.Expr]:
        """Return the parameter symbols with their values, those that the case fixes included."""
        law = self.law
        by_name = dict(self.values)
        chosen = {p.symbol: by_name[p.name] for p in law.parameters}
        return {**chosen, **dict(law.fixed)}

    def with_values(self, **values: sp.Expr) -> Point:
        """Return the same point with some parameters changed."""
        return replace(self, values=tuple({**dict(self.values), **values}.items()))

    def __str__(self) -> str:
        where = ", ".join(f"{name}={value}" for name, value in self.values)
        own = "".join(f" {name}={value}" for name, value in self.schedule_values)
        return f"{where}, {self.schedule}{own}, {describe(self.tau)}"


def describe(tau: TimeMeasure) -> str:
    """Say what a measure of time is, on one line."""
    if isinstance(tau, UniformTime):
        return f"τ uniform on [{tau.early_stopping_time}, {tau.horizon}]"
    if tau.times and len(tau.times) == 1 and tau.weights[0] == 1:
        return f"t={tau.times[0]}"
    terms = " + ".join(f"{w}·δ({t})" for t, w in zip(tau.times, tau.weights, strict=True))
    return f"τ = {terms}"


def at_time(
    case: str, t: sp.Expr | int | str, schedule: str = "ou", **values: sp.Expr | int | str
) -> Point:
    """Return a point at one time, with the case's defaults where no value is given.

    Examples
    --------
    >>> print(at_time("gaussian-mean", "3/10", N=2))
    N=2, d=1, s=1, ou, t=3/10
    """
    tau = TimeAtoms((sp.Rational(t),), (sp.S.One,))
    return with_tau(case, tau, schedule, **values)


def with_tau(
    case: str, tau: TimeMeasure, schedule: str = "ou", **values: sp.Expr | int | str
) -> Point:
    """Return a point for any measure of time, with the case's defaults."""
    exact: Mapping[str, sp.Expr] = {name: sp.sympify(value) for name, value in values.items()}
    merged = {**cases.get(case).defaults, **exact}
    for parameter in cases.get(case).parameters:
        if not parameter.domain.contains(merged[parameter.name]):
            given = f"{parameter.name}={merged[parameter.name]}"
            raise ValueError(f"{given}: {parameter.name} is {parameter.domain.value}")
    return Point(case, tuple(merged.items()), schedule, tau, SCHEDULES[schedule].parameters)
