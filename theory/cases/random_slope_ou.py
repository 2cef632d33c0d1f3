"""A random slope on the Ornstein–Uhlenbeck process."""

from theory.cases.random_slope import OU as CASE

__all__ = ["CASE"]
