"""Linear denoisers fitted to noisy copies of three points."""

from theory.cases.trained_features import FITS_OF_THREE as CASE

__all__ = ["CASE"]
