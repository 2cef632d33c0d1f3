"""The forward process of Gaussian data N(0, s2) on the line, and its probability flow.

With v_t = μ_t² s2 + σ_t² the true score is −x/v_t. As v' = −2βv + 2D, the flow from T to ε
multiplies by √(v_ε/v_T), and Q = ∫ D/v dt = ½ log(v_T/v_ε) + log(μ_ε/μ_T).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.process import Schedule
from theory.symbols import mu, sigma2, t

DATA_VARIANCE = Parameter(
    "s2",
    Domain.NONNEGATIVE,
    sp.Integer(2),
    "variance of the data; 0 for one data point",
    sp.Symbol("s2", nonnegative=True),
)
EARLY_STOPPING_TIME = Parameter(
    "eps",
    Domain.POSITIVE,
    sp.Rational(1, 100),
    "early stopping time",
    sp.Symbol("epsilon", positive=True),
)
HORIZON = Parameter(
    "T",
    Domain.POSITIVE,
    sp.Integer(1),
    "time at which the flow starts",
    sp.Symbol("T", positive=True),
)


@dataclass(frozen=True, slots=True)
class LinearFlow:
    """A schedule's quantities at one time, exact; ``data_variance`` is that of the data."""

    schedule: Schedule
    data_variance: sp.Expr

    def _levels(self, time: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        levels = self.schedule.at(time)
        return levels[mu], levels[sigma2]

    def variance(self, time: sp.Expr) -> sp.Expr:
        """Return v_t."""
        signal, noise = self._levels(time)
        return signal**2 * self.data_variance + noise

    def shrinkage(self, time: sp.Expr) -> sp.Expr:
        """Return β_t = −μ'/μ."""
        signal = self.schedule.at(t)[mu]
        return sp.simplify(-signal.diff(t) / signal).subs(t, time)

    def diffusion(self, time: sp.Expr) -> sp.Expr:
        """Return D_t = ½(σ²)' + βσ²."""
        noise = self.schedule.at(t)[sigma2]
        return sp.simplify(noise.diff(t) / 2 + self.shrinkage(t) * noise).subs(t, time)

    def proxy_variance(self, time: sp.Expr) -> sp.Expr:
        """Return C = μ² s2/(σ² v), the variance of the proxy score."""
        signal, noise = self._levels(time)
        return signal**2 * self.data_variance / (noise * self.variance(time))

    def growth(self, early: sp.Expr, horizon: sp.Expr) -> sp.Expr:
        """Return Q = ∫ D/v dt from ``early`` to ``horizon``."""
        ratio = self.variance(horizon) / self.variance(early)
        (start, _), (end, _) = self._levels(early), self._levels(horizon)
        return sp.log(ratio) / 2 + sp.log(start / end)


#: With more steps chains take minutes.
_MOST_STEPS = 100_000


def times_objection(values: Mapping[str, sp.Expr]) -> str:
    """Say what is wrong with ε, T and a number of steps; empty if nothing is."""
    steps = values.get("K", sp.S.One)
    if steps.is_Integer and steps > _MOST_STEPS:
        return f"K={steps}: at most {_MOST_STEPS} steps are followed; take a smaller K"
    early, horizon = values["eps"], values["T"]
    if early.is_Rational and horizon.is_Rational and early >= horizon:
        return f"eps={early}: eps is below T ({horizon}); take a smaller eps"
    return ""
