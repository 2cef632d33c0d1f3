"""What computers measure: float64 kernels, each with its error.

This room imports numpy, scipy and numba only. The names below are loaded on first use, because
compiled kernels are slow to import.

Examples
--------
>>> import numerics
>>> float(numerics.log_density([[0.0]], [[0.0]], mu=1.0, sigma=1.0)[0]).__round__(12)
-0.918938533205
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numerics.add_one import add_one_changes
    from numerics.empirical import (
        empirical_score,
        log_density,
        posterior_covariance,
        posterior_moments,
    )
    from numerics.plug_in import plug_in_losses
    from numerics.replace_one import replace_one_stability
    from numerics.replicates import evaluate_replicates
    from numerics.stability import score_stability

_HOME = {
    "empirical_score": "numerics.empirical",
    "log_density": "numerics.empirical",
    "posterior_covariance": "numerics.empirical",
    "posterior_moments": "numerics.empirical",
    "score_stability": "numerics.stability",
    "plug_in_losses": "numerics.plug_in",
    "evaluate_replicates": "numerics.replicates",
    "add_one_changes": "numerics.add_one",
    "replace_one_stability": "numerics.replace_one",
}

__all__ = [
    "add_one_changes",
    "empirical_score",
    "evaluate_replicates",
    "log_density",
    "plug_in_losses",
    "posterior_covariance",
    "posterior_moments",
    "replace_one_stability",
    "score_stability",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'numerics' has no attribute {name!r}")
