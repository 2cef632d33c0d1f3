"""Samples of many models trained on four points of a square."""

from theory.cases.trained_features import ENSEMBLE_OF_FOUR as CASE

__all__ = ["CASE"]
