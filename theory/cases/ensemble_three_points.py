"""Samples of many models trained on three points."""

from theory.cases.trained_features import ENSEMBLE_OF_THREE as CASE

__all__ = ["CASE"]
