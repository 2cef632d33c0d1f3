"""A point: a case with exact parameter values, a schedule and a measure of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp

from theory import cases
from theory.cases.case import Case
from theory.claim_parameters import PARAMETERS
from theory.process import SCHEDULES, Schedule, TimeAtoms, TimeMeasure, UniformTime


@dataclass(frozen=True, slots=True)
class Point:
    """Where a claim is evaluated; every number is exact."""

    case: str
    values: tuple[tuple[str, sp.Expr], ...]
    schedule: str
    tau: TimeMeasure
    schedule_values: tuple[tuple[str, sp.Expr], ...] = ()
    claim_values: tuple[tuple[str, sp.Expr], ...] = ()

    @property
    def law(self) -> Case:
        """The case that the point belongs to."""
        return cases.get(self.case)

    @property
    def process(self) -> Schedule:
        """The forward process."""
        return SCHEDULES[self.schedule]

    def substitutions(self) -> dict[sp.Symbol, sp.Expr]:
        """Return the parameter symbols with their values, the fixed and the claim's included."""
        law = self.law
        by_name = dict(self.values)
        chosen = {p.symbol: by_name[p.name] for p in law.parameters}
        own = {PARAMETERS[name].symbol: value for name, value in self.claim_values}
        return {**chosen, **dict(law.fixed), **own}

    def with_values(self, **values: sp.Expr) -> Point:
        """Return the same point with some parameters changed; a sampler's times go with them."""
        changed = {**dict(self.values), **values}
        measure = self.law.time_measure
        tau = self.tau if measure is None else measure(changed)
        return replace(self, values=tuple(changed.items()), tau=tau)

    def with_claim_values(self, **values: sp.Expr) -> Point:
        """Return the same point with these values of a claim's own parameters."""
        return replace(self, claim_values=tuple({**dict(self.claim_values), **values}.items()))

    @property
    def without_claim(self) -> Point:
        """The point as the law sees it: without any claim's own parameters."""
        return replace(self, claim_values=())

    @property
    def has_own_time(self) -> bool:
        """Whether the point's schedule and τ matter and are its own, not a sampler's."""
        return self.law.time_measure is None and "timeless" not in self.law.properties

    @property
    def first_time(self) -> sp.Expr:
        """The early stopping time: the least time that τ charges."""
        if isinstance(self.tau, UniformTime):
            return self.tau.early_stopping_time
        charged = [t for t, w in zip(self.tau.times, self.tau.weights, strict=True) if w > 0]
        return min(charged or self.tau.times)

    @property
    def tau_mass(self) -> sp.Expr:
        """The total mass of τ."""
        return sp.S.One if isinstance(self.tau, UniformTime) else sp.Add(*self.tau.weights)

    @property
    def one_time(self) -> sp.Expr | None:
        """The time of a τ that is a unit point mass; None for any other."""
        if isinstance(self.tau, TimeAtoms) and self.tau.weights == (1,):
            return self.tau.times[0]
        return None

    def __str__(self) -> str:
        given = (*self.values, *self.claim_values)
        where = ", ".join(f"{name}={value}" for name, value in given)
        if not self.has_own_time:
            return where
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


def of_sampler(case: str, **values: sp.Expr | int | str) -> Point:
    """Return a point of a sampler's case: τ is the measure of the sampler's own times.

    Examples
    --------
    >>> print(of_sampler("gaussian-sampler-true", kappa="1/2", L=2, m=1))
    d=1, s2=4, b=0, kappa=1/2, L=2, m=1
    """
    law = cases.get(case)
    if law.time_measure is None:
        raise ValueError(f"case={case}: it has no sampler; use at_time or with_tau")
    exact = {name: sp.sympify(value) for name, value in values.items()}
    return with_tau(case, law.time_measure({**law.defaults, **exact}), "ou", **values)


def timeless(case: str, **values: sp.Expr | int | str) -> Point:
    """Return a point of a case in which no noise level enters.

    Examples
    --------
    >>> print(timeless("eberle-ou"))
    lambda=1
    """
    return with_tau(case, TimeAtoms((sp.S.One,), (sp.S.One,)), "ou", **values)


def with_tau(
    case: str, tau: TimeMeasure, schedule: str = "ou", **values: sp.Expr | int | str
) -> Point:
    """Return a point for any measure of time, with the case's defaults."""
    exact: Mapping[str, sp.Expr] = {name: sp.sympify(value) for name, value in values.items()}
    merged = {**cases.get(case).defaults, **exact}
    own = {p.name: p for p in cases.get(case).parameters}
    for name, value in merged.items():
        if name not in own and name not in PARAMETERS:
            known = ", ".join((*own, *PARAMETERS))
            raise ValueError(f"{name}={value}: {case} has no such parameter; known: {known}")
        domain = (own[name] if name in own else PARAMETERS[name]).domain
        if not domain.contains(value):
            raise ValueError(f"{name}={value}: {name} is {domain.value}")
    if objection := cases.get(case).objection({n: v for n, v in merged.items() if n in own}):
        raise ValueError(objection)
    return Point(
        case,
        tuple((name, value) for name, value in merged.items() if name in own),
        schedule,
        tau,
        SCHEDULES[schedule].parameters,
        tuple((name, value) for name, value in merged.items() if name not in own),
    )
