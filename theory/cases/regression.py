"""Least squares on proxy scores at one time: Gaussian data, features that are jointly Gaussian.

At time t, x ~ N(0, v I_d) and the proxy score of each coordinate is −x/v plus noise of variance C
that does not depend on x. With N training points and F features the mean over x of the fitted
score's variance is C · E tr (Φ'Φ)⁻¹Σ. For slopes alone that is C F/(N − F − 1), by the mean of an
inverse Wishart matrix; with an intercept too it is C (1/N + (F − 1)(1 + 1/N)/(N − F − 1)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import sympy as sp

from theory.cases.case import Case
from theory.cases.parameters import DIMENSION, SAMPLE_SIZE, STANDARD_DEVIATION
from theory.symbols import mu, sigma2

TRAINING_SIZE = replace(
    SAMPLE_SIZE, default=sp.Integer(40), meaning="number of training points (P in the paper)"
)


def _proxy_variance(values: Mapping[str, sp.Expr]) -> sp.Expr:
    signal = mu**2 * values["s"] ** 2
    return signal / (sigma2 * (signal + sigma2))


def _slopes(values: Mapping[str, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    size, features = values["N"], values["d"]
    return features, features / (size - features - 1)


def _affine(values: Mapping[str, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    size, features = values["N"], values["d"] + 1
    return features, 1 / size + (features - 1) * (1 + 1 / size) / (size - features - 1)


Design = Callable[[Mapping[str, sp.Expr]], tuple[sp.Expr, sp.Expr]]


def _closed_forms(design: Design, values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    features, trace = design(values)
    proxy = _proxy_variance(values)
    return {
        "feature_count": features,
        "fitted_variance": proxy * trace,
        "leading_variance": proxy * features / values["N"],
        "variance_excess": proxy * (trace - features / values["N"]),
    }


def _objection(design: Design, values: Mapping[str, sp.Expr]) -> str:
    size = values["N"]
    features, _ = design({**values, "N": sp.Integer(10**9)})
    if size.is_Integer and features.is_Integer and size < features + 2:
        return (
            f"N={size}: with F = {features} features the fitted variance is finite from N = F + 2 "
            f"on; take N >= {features + 2}"
        )
    return ""


def regression(name: str, title: str, design: Design) -> Case:
    """Return the case of a design."""
    return Case(
        name=name,
        title=title,
        law="N(0, s² I_d)",
        algorithm="least squares on N proxy scores at one time",
        parameters=(TRAINING_SIZE, DIMENSION, STANDARD_DEVIATION),
        closed_forms=partial(_closed_forms, design),
        properties=frozenset({"fitted-features", "homoscedastic", "resolved-rate"}),
        objection=partial(_objection, design),
    )


SLOPES = regression("regression-slopes", "Least squares with one slope per coordinate", _slopes)
AFFINE = regression("regression-affine", "Least squares with slopes and an intercept", _affine)
