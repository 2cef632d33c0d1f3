"""The naive estimator on two points, variance preserving with linear β."""

from theory.cases.naive_two_points import VP as CASE

__all__ = ["CASE"]
