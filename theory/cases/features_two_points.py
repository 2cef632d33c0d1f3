"""Linear denoisers fitted to noisy copies of two points."""

from theory.cases.trained_features import FITS_OF_TWO as CASE

__all__ = ["CASE"]
