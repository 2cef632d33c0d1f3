"""Mass between data points that denoisers on Fourier features leave."""

from theory.cases.gap_filling import FOURIER as CASE

__all__ = ["CASE"]
