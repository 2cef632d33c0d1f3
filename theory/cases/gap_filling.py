"""The mass that trained denoisers leave between data points, and controls of what puts it there.

M data points equally spaced on [−a, a]; a gap is the middle two fifths between neighbours, as
0.3 < |x| < 0.7 for −1, 0, 1. Denoisers on 16 × 16 features are fitted to N noisy points, as in the
second figure of the paper, and followed along the flow for K Euler steps. Noise-free targets are
E[X_0|X_t] in place of X_0 for the same noisy points.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.cases.linear_flow import EARLY_STOPPING_TIME, times_objection
from theory.cases.naive_estimator import STEPS
from theory.cases.parameters import HALF_DISTANCE
from theory.cases.regression import TRAINING_SIZE
from theory.cases.trained_features import MOST_DRAWS, RIDGE

_MOST_POINTS = 100
POINTS = Parameter(
    "M",
    Domain.FROM_TWO,
    sp.Integer(3),
    "number of data points, equally spaced on [−a, a]",
    sp.Symbol("M", integer=True, positive=True),
)


def gap_filling(kind: str) -> Case:
    """Return the case of Gaussian or of Fourier features."""
    return Case(
        name=f"gap-filling-{kind.lower()}",
        title=f"Mass between data points, {kind} features",
        law="equal masses at M points, equally spaced on [−a, a]",
        algorithm=f"denoiser on 16 × 16 {kind} features of (x, t), K Euler steps of its flow",
        parameters=(
            POINTS,
            replace(TRAINING_SIZE, default=sp.Integer(128)),
            HALF_DISTANCE,
            replace(EARLY_STOPPING_TIME, default=sp.Rational(1, 10000)),
            replace(STEPS, default=sp.Integer(300)),
            replace(RIDGE, default=sp.Rational(1, 10)),
        ),
        closed_forms=lambda values: {},
        measured=(
            "gap_mass_fitted",
            "gap_mass_noise_free",
            "gap_mass_fitted_more",
            "gap_mass_fitted_early",
        ),
        properties=frozenset({"gap-filling", "timeless"}),
        objection=lambda values: (
            times_objection({**values, "T": sp.S.One})
            or _objection(values["N"], values["M"], values["ridge"])
        ),
    )


def _objection(size: sp.Expr, points: sp.Expr, ridge: sp.Expr) -> str:
    if points.is_Integer and points > _MOST_POINTS:
        return f"M={points}: at most {_MOST_POINTS} data points here; take a smaller M"
    if size.is_Integer and size > MOST_DRAWS:
        return f"N={size}: models are refitted to at most {MOST_DRAWS} draws; take a smaller N"
    if ridge == 0 and size.is_Integer and size < 258:
        return (
            f"N={size}: F = 256 features need a ridge or N >= 258 training points; take ridge > 0"
        )
    return ""


GAUSSIAN, FOURIER = gap_filling("Gaussian"), gap_filling("Fourier")
