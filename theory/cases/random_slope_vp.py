"""A random slope on the variance-preserving process with linear β."""

from theory.cases.random_slope import VP as CASE

__all__ = ["CASE"]
