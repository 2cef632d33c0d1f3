"""Samples of many models trained on two points."""

from theory.cases.trained_features import ENSEMBLE_OF_TWO as CASE

__all__ = ["CASE"]
