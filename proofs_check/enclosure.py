"""Rigorous enclosures: a ball that contains an expression, for all inputs in their balls.

The tree is compiled to a program on Arb balls, never lambdified: a lambdified 1/3 is a float, and
an interval computed from it need not contain the truth. What is undefined on part of the input
comes out as a ball that is not finite, which no comparison accepts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import acb, arb, ctx, fmpq

from proofs_check.ball_program import (
    NoiseAtom,
    NotEnclosable,
    Program,
    Settings,
    compile_program,
)
from theory import symbols
from theory.operators import TimeIntegral

__all__ = [
    "NoiseAtom",
    "NotEnclosable",
    "TimeRule",
    "UniformNoise",
    "enclose",
    "enclose_all",
    "exact_ball",
    "is_negative",
    "is_nonnegative",
]

Environment = Mapping[sp.Symbol, arb]


@dataclass(frozen=True, slots=True)
class UniformNoise:
    """τ uniform on [low, high], with the noise levels as expressions in ``theory.symbols.t``."""

    mu: sp.Expr
    sigma2: sp.Expr
    low: sp.Expr
    high: sp.Expr

    def write_out(self, expression: sp.Expr) -> sp.Expr:
        """Replace each integral over time by an integral over t."""
        levels = {symbols.mu: self.mu, symbols.sigma2: self.sigma2}
        limits = (symbols.t, self.low, self.high)
        return expression.xreplace(
            {
                node: sp.Integral(node.integrand.subs(levels, simultaneous=True), limits)
                / (self.high - self.low)
                for node in expression.atoms(TimeIntegral)
            }
        )


TimeRule = tuple[NoiseAtom, ...] | UniformNoise


def exact_ball(value: sp.Rational) -> arb:
    """Return the tightest ball around a rational at the working precision.

    Examples
    --------
    >>> exact_ball(sp.Rational(1, 4))
    0.250000000000000
    """
    return arb(fmpq(int(value.p), int(value.q)))


def enclose(
    expression: sp.Expr,
    environment: Environment | None = None,
    *,
    time: TimeRule | None = None,
    precision: int = 64,
    integral_tolerance: float | None = None,
) -> arb:
    """Return a ball that contains the expression for every value of the symbols in their balls.

    Parameters
    ----------
    expression
        A real expression.
    environment
        A ball for every free symbol.
    time
        What the integrals over time in the expression mean.
    precision
        Working precision, in bits.
    integral_tolerance
        Relative goal for integrals; by default what the precision allows. The goal steers the
        work, the ball is right whether or not the goal is met.

    Raises
    ------
    NotEnclosable
        If some node has no rigorous rule.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> enclose(x**2 - x, {x: arb(2)})
    2.00000000000000
    """
    (ball,) = enclose_all(
        (expression,),
        environment,
        time=time,
        precision=precision,
        integral_tolerance=integral_tolerance,
    )
    return ball


def enclose_all(
    expressions: Sequence[sp.Expr],
    environment: Environment | None = None,
    *,
    time: TimeRule | None = None,
    precision: int = 64,
    integral_tolerance: float | None = None,
) -> tuple[arb, ...]:
    """Return a ball for each expression; what they share is computed once. See `enclose`."""
    known = dict(environment or {})
    exact = tuple(sp.sympify(expression) for expression in expressions)
    if isinstance(time, UniformNoise):
        exact = tuple(map(time.write_out, exact))
    program = _compiled(exact, tuple(known))
    settings = Settings(integral_tolerance, time if isinstance(time, tuple) else None)
    with ctx.workprec(precision):
        values = program.run(list(known.values()), settings)
    return tuple(value.real if isinstance(value, acb) else value for value in values)


@lru_cache(maxsize=128)
def _compiled(expressions: tuple[sp.Expr, ...], inputs: tuple[sp.Symbol, ...]) -> Program:
    return compile_program(expressions, inputs)


def is_nonnegative(ball: arb) -> bool:
    """Whether every number in the ball is >= 0; False for anything undefined."""
    return bool(ball.is_finite() and ball >= 0)


def is_negative(ball: arb) -> bool:
    """Whether every number in the ball is < 0; False for anything undefined."""
    return bool(ball.is_finite() and ball < 0)
