"""The naive estimator on the Ornstein–Uhlenbeck process."""

from theory.cases.naive_estimator import OU as CASE

__all__ = ["CASE"]
