"""The naive estimator on the variance-preserving process with linear β."""

from theory.cases.naive_estimator import VP as CASE

__all__ = ["CASE"]
