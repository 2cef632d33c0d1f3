"""From ``gaussian:16x16`` to the features of a linear denoiser, and the box they live on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.features import TensorFeatures, fourier_features, gaussian_features
from proofs_check.errors import UsageError, one_of

FloatArray = NDArray[np.float64]

FAMILIES = ("gaussian", "fourier", "fourier-distinct")
# The matrices B take four such F × F blocks, in two forms and two rules.
_MOST_FEATURES = 3000


def parse_features(text: str, dimension: int) -> tuple[str, tuple[int, ...]]:
    """Split ``gaussian:16x16`` into its family and its counts, one per axis and one for time.

    Raises
    ------
    UsageError
        For an unknown family, or counts that are no integers or do not fit the dimension.

    Examples
    --------
    >>> parse_features("fourier:10x10x8", dimension=2)
    ('fourier', (10, 10, 8))
    """
    family, colon, numbers = (part.strip() for part in text.partition(":"))
    one_of("features", family, FAMILIES)
    parts = numbers.split("x")
    example = "x".join(["16"] * (dimension + 1))
    if not colon or not all(part.isdecimal() and len(part) < 7 for part in parts):
        raise UsageError(
            f"features={text}: counts are integers joined by x; write {family}:{example}"
        )
    counts = tuple(int(part) for part in parts)
    if len(counts) != dimension + 1:
        raise UsageError(
            f"features={text}: {len(counts)} counts, but data of dimension {dimension} need "
            f"{dimension + 1}, the last for time; write {family}:{example}"
        )
    return family, counts


def built_features(
    text: str, dimension: int, *, low: float, high: float, eps: float, horizon: float
) -> TensorFeatures:
    """Return the features that ``text`` names, on a box and a range of times.

    Raises
    ------
    UsageError
        As ``parse_features``, or for counts that no such features have.

    Examples
    --------
    >>> built_features("gaussian:4x3", 1, low=-1.0, high=1.0, eps=0.1, horizon=1.0).count
    12
    """
    family, counts = parse_features(text, dimension)
    ends = {"low": low, "high": high, "early_stopping_time": eps, "horizon": horizon}
    total = 1
    for number in counts:
        total *= number
    if total > _MOST_FEATURES:
        raise UsageError(
            f"features={text}: {total} features, at most {_MOST_FEATURES} fit in memory; lower "
            "the counts"
        )
    try:
        if family == "gaussian":
            return gaussian_features(counts, **ends)
        return fourier_features(counts, distinct_ends=family == "fourier-distinct", **ends)
    except ValueError as error:
        raise UsageError(f"features={text}: {error}") from error


def box_of(points: FloatArray, low: float | None, high: float | None) -> tuple[float, float]:
    """Return the ends of the box: the range of all coordinates, wider by a quarter on each side.

    Raises
    ------
    UsageError
        If the box is empty.

    Examples
    --------
    >>> box_of(np.array([[-1.0], [1.0]]), None, None)
    (-1.5, 1.5)
    """
    smallest, largest = float(np.min(points)), float(np.max(points))
    margin = 0.25 * (largest - smallest)
    ends = (smallest - margin if low is None else low, largest + margin if high is None else high)
    if not ends[0] < ends[1]:
        raise UsageError(
            f"low={ends[0]:g}, high={ends[1]:g}: the box is empty; pass --low below --high"
        )
    return ends
