"""The sampler's times, symbolically: noise times u_0 = T > … > u_K = ε and the steps between them.

Uniform down to noise time one, geometric from there on, as in Proposition 7: with L and m steps in
the phases, T = κL + 1 and ε = (1 + κ)^(−m).
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.process import TimeAtoms

KAPPA = Parameter(
    "kappa",
    Domain.POSITIVE,
    sp.Rational(1, 5),
    "step size of the sampler",
    sp.Symbol("kappa", positive=True),
)
UNIFORM_STEPS = Parameter(
    "L",
    Domain.POSITIVE_INTEGER,
    sp.Integer(20),
    "number of uniform steps, T = κL + 1",
    sp.Symbol("L", integer=True, positive=True),
)
GEOMETRIC_STEPS = Parameter(
    "m",
    Domain.POSITIVE_INTEGER,
    sp.Integer(20),
    "number of geometric steps, ε = (1 + κ)^(−m)",
    sp.Symbol("m", integer=True, positive=True),
)
SAMPLER = (KAPPA, UNIFORM_STEPS, GEOMETRIC_STEPS)


#: With more steps than this an exact recursion takes minutes.
MOST_STEPS = 2000


def too_many_steps(values: Mapping[str, sp.Expr]) -> str:
    """Return the objection to more steps than can be followed; empty if there is none."""
    uniform, geometric = values["L"], values["m"]
    if not (uniform.is_Integer and geometric.is_Integer) or uniform + geometric <= MOST_STEPS:
        return ""
    return (
        f"L={uniform}, m={geometric}: at most {MOST_STEPS} steps L + m are followed exactly; take "
        "a larger kappa and fewer steps"
    )


def horizon() -> sp.Expr:
    """Return T = κL + 1, in symbols."""
    return KAPPA.symbol * UNIFORM_STEPS.symbol + 1


def step_count() -> sp.Expr:
    """Return K = L + m, in symbols."""
    return UNIFORM_STEPS.symbol + GEOMETRIC_STEPS.symbol


def noise_times(kappa: sp.Expr, uniform: int, geometric: int) -> tuple[sp.Expr, ...]:
    """Return u_0, …, u_K.

    Examples
    --------
    >>> noise_times(sp.Rational(1, 2), 2, 2)
    (2, 3/2, 1, 2/3, 4/9)
    """
    first = tuple(1 + kappa * k for k in range(uniform, 0, -1))
    return (*first, *((1 + kappa) ** (-j) for j in range(geometric + 1)))


def steps(kappa: sp.Expr, uniform: int, geometric: int) -> tuple[sp.Expr, ...]:
    """Return the steps κ min(1, u_{k+1}), one for each k < K.

    Examples
    --------
    >>> steps(sp.Rational(1, 2), 1, 2)
    (1/2, 1/3, 2/9)
    """
    last = tuple(kappa * (1 + kappa) ** (-j) for j in range(1, geometric + 1))
    return (kappa,) * uniform + last


def measure_of_times(values: Mapping[str, sp.Expr]) -> TimeAtoms:
    """Return τ̂_κ = Σ γ_k δ(u_k): the noise times at which the sampler evaluates the score.

    Examples
    --------
    >>> values = {"kappa": sp.Rational(1, 2), "L": sp.Integer(1), "m": sp.Integer(1)}
    >>> measure_of_times(values)
    TimeAtoms(times=(3/2, 1), weights=(1/2, 1/3))
    """
    shape = (values["kappa"], int(values["L"]), int(values["m"]))
    return TimeAtoms(noise_times(*shape)[:-1], steps(*shape))
