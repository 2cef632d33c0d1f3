"""Linear denoisers trained again and again on noisy copies of a few points.

All on the variance-preserving process with β = 0.1 + 19.9 t, trained at times uniform on [ε, 1]
with the loss weight μ²/σ², as in the second figure of the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.cases.linear_flow import EARLY_STOPPING_TIME
from theory.cases.parameters import HALF_DISTANCE
from theory.cases.regression import TRAINING_SIZE

RIDGE = Parameter(
    "ridge",
    Domain.NONNEGATIVE,
    sp.S.Zero,
    "ridge added to the features' second moments",
    sp.Symbol("ridge", nonnegative=True),
)


@dataclass(frozen=True, slots=True)
class TrainedFeatures:
    """What is trained: points in units of a, and features, so many per axis; time is the last."""

    points: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]
    kind: str = "Gaussian"

    @property
    def count(self) -> int:
        """The number F of features."""
        return math.prod(self.counts)


_TWO, _THREE = ((-1,), (1,)), ((-1,), (0,), (1,))
_SQUARE = ((1, 0), (0, 1), (-1, 0), (0, -1))

TRAINED: dict[str, TrainedFeatures] = {
    "features-two-points": TrainedFeatures(_TWO, (4, 3)),
    "features-three-points": TrainedFeatures(_THREE, (4, 3)),
    "ensemble-two-points": TrainedFeatures(_TWO, (3, 2)),
    "ensemble-three-points": TrainedFeatures(_THREE, (3, 3), "Fourier"),
    "ensemble-four-points": TrainedFeatures(_SQUARE, (3, 3, 2)),
}

#: More draws per model take gigabytes.
MOST_DRAWS = 20_000
ENSEMBLES = tuple(name for name in TRAINED if name.startswith("ensemble"))


def _objection(name: str, values: dict[str, sp.Expr]) -> str:
    size, ridge, early = values["N"], values["ridge"], values["eps"]
    features = TRAINED[name].count
    if early.is_Rational and early >= 1:
        return f"eps={early}: eps is below the horizon 1; take a smaller eps"
    if size.is_Integer and size > MOST_DRAWS:
        return f"N={size}: models are refitted to at most {MOST_DRAWS} draws; take a smaller N"
    if ridge == 0 and size.is_Integer and size < features + 2:
        return (
            f"N={size}: F = {features} features need a ridge or N >= F + 2 = {features + 2} "
            "training points; take ridge > 0 or a larger N"
        )
    return ""


def _case(
    name: str, title: str, size: int, ridge: sp.Expr, properties: frozenset[str], *measured: str
) -> Case:
    trained = TRAINED[name]
    counts = " × ".join(map(str, trained.counts))
    written = {-1: "−a", 0: "0", 1: "a"}
    places = [", ".join(written[c] for c in point) for point in trained.points]
    points = ", ".join(p if len(trained.points[0]) == 1 else f"({p})" for p in places)
    return Case(
        name=name,
        title=title,
        law=f"equal masses at {points}",
        algorithm=f"denoiser on {counts} {trained.kind} features of (x, t), on N noisy points",
        parameters=(
            replace(TRAINING_SIZE, default=sp.Integer(size)),
            HALF_DISTANCE,
            EARLY_STOPPING_TIME,
            replace(RIDGE, default=ridge),
        ),
        closed_forms=lambda values: {"feature_count": sp.Integer(trained.count)},
        measured=measured,
        properties=properties | {"timeless"},
        objection=lambda values: _objection(name, dict(values)),
    )


def _fits(name: str, title: str) -> Case:
    return _case(
        name,
        title,
        120,
        sp.S.Zero,
        frozenset({"fitted-features", "trained-features"}),
        "fitted_variance",
        "leading_variance",
    )


def _ensemble(name: str, title: str, size: int) -> Case:
    return _case(
        name,
        title,
        size,
        sp.Rational(1, 10),
        frozenset({"ensemble", "trained-features"}),
        "ensemble_distance",
        "flow_distance",
    )


FITS_OF_TWO = _fits("features-two-points", "Fitted features, two data points")
FITS_OF_THREE = _fits("features-three-points", "Fitted features, three data points")
ENSEMBLE_OF_TWO = _ensemble("ensemble-two-points", "An ensemble of models, two data points", 36)
ENSEMBLE_OF_THREE = _ensemble(
    "ensemble-three-points", "An ensemble of models, three data points", 45
)
ENSEMBLE_OF_FOUR = _ensemble(
    "ensemble-four-points", "An ensemble of models, four data points in the plane", 108
)
