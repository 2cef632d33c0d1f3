"""Gaussian data: the proxy-score covariance depends on the time alone."""

from __future__ import annotations

from theory.cases.noised_point import noised_point_case
from theory.cases.parameters import DIMENSION, STANDARD_DEVIATION
from theory.symbols import mu, sigma2

_D, _S = DIMENSION.symbol, STANDARD_DEVIATION.symbol
_NOISED = mu**2 * _S**2 + sigma2

CASE = noised_point_case(
    "noised-gaussian",
    "A noised point, Gaussian data",
    "N(0, s² I_d)",
    (DIMENSION, STANDARD_DEVIATION),
    {
        # given x, X_0 has variance s²σ²/v per coordinate, and the proxy score μ²/σ⁴ times that;
        # Δ log p = −d/v
        "proxy_trace": _D * (mu / sigma2) ** 2 * (_S**2 * sigma2 / _NOISED),
        "posterior_trace": _D / (1 / _S**2 + mu**2 / sigma2),
        "curvature_trace": _D / sigma2 - _D / _NOISED,
    },
)
