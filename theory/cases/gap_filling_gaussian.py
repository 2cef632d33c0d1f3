"""Mass between data points that denoisers on Gaussian features leave."""

from theory.cases.gap_filling import GAUSSIAN as CASE

__all__ = ["CASE"]
