"""Forward processes X_t | X_0 ~ N(mu_t X_0, sigma_t^2 I), and measures of time.

Everything downstream is written in (mu_t, sigma_t), so a claim checked for symbols ``mu`` and
``sigma2`` is checked for every schedule; the schedules here give them as functions of time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy as sp

from theory import symbols


@dataclass(frozen=True, slots=True)
class Schedule:
    """A forward process.

    Attributes
    ----------
    mu, sigma2
        Signal and squared noise level as functions of time, exact.
    horizon
        Times lie in the open interval (0, horizon).
    parameters
        Default values of the schedule's own parameters.
    """

    name: str
    title: str
    mu: Callable[[sp.Expr, Mapping[str, sp.Expr]], sp.Expr] = field(repr=False)
    sigma2: Callable[[sp.Expr, Mapping[str, sp.Expr]], sp.Expr] = field(repr=False)
    horizon: sp.Expr = sp.oo
    parameters: tuple[tuple[str, sp.Expr], ...] = ()

    def at(
        self, t: sp.Expr, values: Mapping[str, sp.Expr] | None = None
    ) -> dict[sp.Symbol, sp.Expr]:
        """Return ``{mu: mu_t, sigma2: sigma_t^2}`` at time ``t``."""
        merged = {**dict(self.parameters), **(values or {})}
        return {symbols.mu: self.mu(t, merged), symbols.sigma2: self.sigma2(t, merged)}


def _linear_beta_integral(t: sp.Expr, p: Mapping[str, sp.Expr]) -> sp.Expr:
    return p["beta_min"] * t + p["beta_d"] * t**2 / 2


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule(
            "ou",
            "Ornstein–Uhlenbeck, dX = −X dt + √2 dW",
            mu=lambda t, _: sp.exp(-t),
            sigma2=lambda t, _: 1 - sp.exp(-2 * t),
        ),
        Schedule(
            "vp-linear",
            "variance preserving, β_t = β_min + β_d t",
            mu=lambda t, p: sp.exp(-_linear_beta_integral(t, p)),
            sigma2=lambda t, p: 1 - sp.exp(-2 * _linear_beta_integral(t, p)),
            parameters=(("beta_min", sp.Rational(1, 10)), ("beta_d", sp.Rational(199, 10))),
        ),
        Schedule(
            "ve",
            "variance exploding, σ_t = t",
            mu=lambda t, _: sp.S.One,
            sigma2=lambda t, _: t**2,
        ),
        Schedule(
            "fraction",
            "noise fraction, σ_t² = t",
            mu=lambda t, _: sp.sqrt(1 - t),
            sigma2=lambda t, _: t,
            horizon=sp.S.One,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class TimeAtoms:
    """τ = Σ weight_k δ_{t_k}; a single atom of weight one is a point mass."""

    times: tuple[sp.Expr, ...]
    weights: tuple[sp.Expr, ...]

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.weights):
            raise ValueError(f"times={self.times}: give at least one time, and a weight for each")
        if any(t <= 0 for t in self.times):
            raise ValueError(f"times={self.times}: every time is > 0")
        if any(w < 0 for w in self.weights):
            raise ValueError(f"weights={self.weights}: τ is a positive measure, every weight >= 0")


@dataclass(frozen=True, slots=True)
class UniformTime:
    """τ uniform on [early_stopping_time, horizon], of total mass one."""

    early_stopping_time: sp.Expr
    horizon: sp.Expr

    def __post_init__(self) -> None:
        if not 0 < self.early_stopping_time < self.horizon:
            given = f"[{self.early_stopping_time}, {self.horizon}]"
            raise ValueError(f"uniform τ on {given}: 0 < early stopping time < horizon is needed")


TimeMeasure = TimeAtoms | UniformTime
