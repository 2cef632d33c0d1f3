"""Times, exponents and distances as exact numbers, refused off their domains."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

import sympy as sp
from flint import arb, ctx, fmpq

Space = Literal["line", "circle", "torus", "sphere"]
Exact: TypeAlias = int | Fraction | fmpq | sp.Rational
#: A distance may also be a rational multiple of pi, as ``sympy.pi`` for the cut point.
Length: TypeAlias = Exact | sp.Expr

_SPACES: tuple[str, ...] = get_args(Space)


def _rational(name: str, value: object) -> fmpq:
    """Return an exact rational as an fmpq; floats are refused."""
    if isinstance(value, fmpq):
        return value
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, sp.Rational):
        return fmpq(int(value.p), int(value.q))
    raise ValueError(
        f"{name} = {value!r}: it must be an exact rational; "
        "pass an int, Fraction, fmpq or sympy.Rational"
    )


@dataclass(frozen=True, slots=True)
class ExactLength:
    """``rational`` or ``rational * pi``, so that domains are decided exactly."""

    rational: fmpq
    times_pi: bool

    def ball(self) -> arb:
        """Return a ball around the length at the present precision."""
        value = arb(self.rational)
        return value * arb.pi() if self.times_pi else value


def _length(space: str, value: object) -> ExactLength:
    """Return a checked distance: >= 0, and <= pi but for the line."""
    times_pi = isinstance(value, sp.Expr) and value.has(sp.pi)
    bare = value / sp.pi if times_pi else value
    length = ExactLength(_rational("distance", bare), times_pi)
    rational = length.rational
    with ctx.workprec(128):
        # A rational is never pi, so the balls decide once they are narrow; if not, refuse.
        fits = rational <= 1 if times_pi else bool(arb(rational) < arb.pi())
    if rational < 0:
        raise ValueError(f"distance = {value}: it must be >= 0; pass its absolute value")
    if space != "line" and not fits:
        raise ValueError(
            f"distance = {value}: it must be in [0, pi] on the {space} of radius 1; "
            "divide by the radius, or take the shorter way round"
        )
    return length


def exact_lengths(space: str, distance: object) -> tuple[ExactLength, ...]:
    """Return the distance along each factor of the space, checked."""
    if space not in _SPACES:
        raise ValueError(
            f"space = {space!r}: it must be one of {', '.join(_SPACES)}; choose one of them"
        )
    if space == "torus":
        if not isinstance(distance, tuple) or len(distance) != 2:
            raise ValueError(
                f"distance = {distance!r}: on the torus it must be a pair, one distance in "
                "[0, pi] for each circle; pass a tuple of two exact numbers"
            )
        return tuple(_length("torus", part) for part in distance)
    return (_length(space, distance),)


def exact_above(name: str, value: object, low: int) -> fmpq:
    """Return an exact rational above ``low``; anything else is refused."""
    rational = _rational(name, value)
    if rational <= low:
        raise ValueError(f"{name} = {value}: it must be > {low}; pass a larger exact rational")
    return rational
