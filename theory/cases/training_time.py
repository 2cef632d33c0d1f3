"""Gradient flow of a wide network for a training time τ, where its kernel's spectrum is known.

The mode of eigenvalue ν is fitted to the share 1 − e^{−τν}. With the proxy-score variance C and
N training points, the variance integrated over λp is (C/N) Σ_k (1 − e^{−τν_k})², and the linear
model of the same F modes has C F/N. C enters as a factor, and is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.cases.regression import TRAINING_SIZE

TRAINING_TIME = Parameter(
    "training_time",
    Domain.NONNEGATIVE,
    sp.Integer(10),
    "training time of the gradient flow",
    sp.Symbol("tau_train", nonnegative=True),
)
MODES = Parameter(
    "F",
    Domain.POSITIVE_INTEGER,
    sp.Integer(8),
    "number of modes of the kernel",
    sp.Symbol("F", integer=True, positive=True),
)


#: With more modes sums take minutes.
_MOST_MODES = 2000


def _too_many(count: sp.Expr) -> str:
    if count.is_Integer and count > _MOST_MODES:
        return f"F={count}: at most {_MOST_MODES} modes are summed; take a smaller F"
    return ""


def spectrum_case(
    name: str,
    title: str,
    law: str,
    shape: Parameter,
    eigenvalue: Callable[[int, Mapping[str, sp.Expr]], sp.Expr],
    objection: Callable[[Mapping[str, sp.Expr]], str] = lambda _: "",
) -> Case:
    """Return the case of a kernel with these eigenvalues."""

    def closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        count, size, time = values["F"], values["N"], values["training_time"]
        if not count.is_Integer:
            return {}
        spectrum = [eigenvalue(k, values) for k in range(int(count))]
        return {
            "trained_variance": sp.Add(*((1 - sp.exp(-time * e)) ** 2 for e in spectrum)) / size,
            "leading_variance": count / size,
            "unfitted_variance": sp.Add(*(sp.exp(-time * e) for e in spectrum)) / size,
            "early_variance": time**2 * sp.Add(*(e**2 for e in spectrum)) / size,
        }

    return Case(
        name=name,
        title=title,
        law=law,
        algorithm="gradient flow in the modes of a kernel for the training time",
        parameters=(TRAINING_SIZE, MODES, TRAINING_TIME, shape),
        closed_forms=closed_forms,
        properties=frozenset({"training-time", "timeless"}),
        objection=lambda values: _too_many(values["F"]) or objection(values),
    )
