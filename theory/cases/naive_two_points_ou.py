"""The naive estimator on two points, Ornstein–Uhlenbeck."""

from theory.cases.naive_two_points import OU as CASE

__all__ = ["CASE"]
