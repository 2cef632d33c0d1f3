"""Mean and covariance over paths, at every time, without keeping the paths.

Paths are taken in groups of a fixed size. Each group's moments come from its own mean in two
passes, and groups are combined in order: no large sums cancel, and the bits depend on neither
threads nor the size of a batch.

Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances", 1979.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Most paths of a group, and doubles of its states (8 MiB).
_MOST = 1024
_HELD = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class PathMoments:
    """Moments over ``count`` paths: ``mean`` (K + 1, d) and ``scatter`` (K + 1, d, d).

    The scatter matrix is the sum of (Y - mean)(Y - mean)^T over the paths.
    """

    count: int
    mean: Array
    scatter: Array

    @property
    def covariance(self) -> Array:
        """The unbiased covariance (K + 1, d, d)."""
        return np.asarray(self.scatter / (self.count - 1))


def group_size(times: int, dimension: int) -> int:
    """Return how many paths share a group, from the numbers of times and of coordinates only.

    Examples
    --------
    >>> group_size(201, 2), group_size(201, 64)
    (1024, 81)
    """
    return max(1, min(_MOST, _HELD // (times * dimension)))


def moments_of(states: Array) -> PathMoments:
    """Return the moments of states (M, K + 1, d).

    Examples
    --------
    >>> moments_of(np.array([[[1.0]], [[3.0]]])).covariance
    array([[[2.]]])
    """
    mean = states.mean(axis=0)
    about = states - mean
    return PathMoments(len(states), mean, np.einsum("mki,mkj->kij", about, about))


def combined(first: PathMoments | None, second: PathMoments) -> PathMoments:
    """Return the moments of the paths of both.

    Examples
    --------
    >>> one, other = (moments_of(np.full((1, 1, 1), value)) for value in (1.0, 3.0))
    >>> combined(one, other).covariance
    array([[[2.]]])
    """
    if first is None:
        return second
    count = first.count + second.count
    gap = second.mean - first.mean
    between = np.einsum("ki,kj->kij", gap, gap) * (first.count * second.count / count)
    return PathMoments(
        count,
        first.mean + gap * (second.count / count),
        first.scatter + second.scatter + between,
    )
