"""The laws on which claims are checked, one file each; loaded on first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theory.cases.case import Case

#: Every case, in the order in which reports show them.
NAMES = (
    "gaussian-mean",
    "gaussian-mean-variance",
    "fixed-score",
    "one-point",
    "two-points",
    "finite-points",
    "gaussian-data",
    "gaussian-mixture",
    "circle",
    "sphere",
    "flat-torus",
    "segment",
    "cube",
    "test-function",
    "binomial",
    "heat-line",
    "heat-circle",
    "heat-torus",
    "heat-sphere",
    "reverse-gaussian",
    "reverse-mixture",
    "gaussian-sampler-true",
    "gaussian-sampler-mean",
    "gaussian-sampler-plug-in",
    "mixture-sampler",
    "two-points-sampler",
    "mean-sgd",
    "worst-pair-synchronous",
    "reflection-recursion",
    "reflection-recursion-unprojected",
    "two-wells-sgd",
    "two-wells-sgd-per-sample",
    "noisy-mean-sgd",
    "noisy-mean-sgd-unprojected",
    "eberle-ou",
    "eberle-double-well",
    "eberle-clipped",
    "noised-one-point",
    "noised-two-points",
    "noised-three-points",
    "noised-hexagon",
    "noised-gaussian",
    "random-slope-ou",
    "random-slope-vp",
    "naive-gaussian-ou",
    "naive-gaussian-vp",
    "naive-two-points-ou",
    "naive-two-points-vp",
    "regression-slopes",
    "regression-affine",
    "gap-filling-gaussian",
    "gap-filling-fourier",
    "features-two-points",
    "features-three-points",
    "ensemble-two-points",
    "ensemble-three-points",
    "ensemble-four-points",
    "training-time-hermite",
    "training-time-ring",
    "training-time-relu",
)


@cache
def get(name: str) -> Case:
    """Return the case with this name.

    Raises
    ------
    KeyError
        If there is none; `theory.cases.NAMES` lists them.

    Examples
    --------
    >>> get("two-points").algorithm
    'empirical score'
    """
    if name not in NAMES:
        raise KeyError(name)
    module = import_module(f"theory.cases.{name.replace('-', '_')}")
    return module.CASE  # type: ignore[no-any-return]
