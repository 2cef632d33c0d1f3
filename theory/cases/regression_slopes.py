"""Least squares on proxy scores with one slope per coordinate."""

from theory.cases.regression import SLOPES as CASE

__all__ = ["CASE"]
