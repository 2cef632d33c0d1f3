"""Least squares on proxy scores with slopes and an intercept."""

from theory.cases.regression import AFFINE as CASE

__all__ = ["CASE"]
