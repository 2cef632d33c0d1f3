"""Finitely many noise levels with weights: the measure τ over which a loss is integrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.point_arguments import LARGEST

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NoiseLevels:
    """Levels X = mu_j x_0 + sigma_j z, each with the mass that τ gives it.

    Parameters
    ----------
    mu, sigma, weights : array_like, shape (L,)
        Signals >= 0, noise scales > 0 and weights >= 0, not all 0. The weights need not sum to 1.

    Raises
    ------
    ValueError
        One line, for a wrong shape or a value outside its domain.

    Examples
    --------
    >>> levels = NoiseLevels([1.0, 0.5], [0.1, 0.8], [3.0, 1.0])
    >>> levels.mass, levels.cumulative.tolist()
    (4.0, [0.75, 1.0])
    """

    mu: Array
    sigma: Array
    weights: Array

    def __init__(self, mu: ArrayLike, sigma: ArrayLike, weights: ArrayLike) -> None:
        first = _checked("mu", mu, None)
        object.__setattr__(self, "mu", first)
        object.__setattr__(self, "sigma", _checked("sigma", sigma, len(first)))
        object.__setattr__(self, "weights", _checked("weights", weights, len(first)))
        if not np.any(self.weights > 0.0):
            raise ValueError("weights = all 0: one at least is > 0; drop the levels without mass")

    @property
    def mass(self) -> float:
        """The total mass of τ."""
        return float(np.cumsum(self.weights)[-1])

    @property
    def cumulative(self) -> Array:
        """The distribution function of a level drawn with probability weight / mass."""
        sums = np.cumsum(self.weights)
        return np.asarray(sums / sums[-1])


def _checked(name: str, value: ArrayLike, length: int | None) -> Array:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} = {value!r}: a list of real numbers is needed; pass one"
        ) from None
    if array.ndim != 1 or len(array) == 0 or length not in (None, len(array)):
        wanted = "(L,) with L >= 1" if length is None else f"({length},), that of mu"
        raise ValueError(f"{name} has shape {array.shape}: it must be {wanted}; pass one per level")
    low = 1.0 / LARGEST if name == "sigma" else 0.0
    bad = ~((array >= low) & (array <= LARGEST))
    if np.any(bad):
        index = int(np.argmax(bad))
        domain = f"[{low:g}, {LARGEST:g}]"
        raise ValueError(
            f"{name}[{index}] = {float(array[index])!r}: it must lie in {domain}; change that level"
        )
    array.flags.writeable = False
    return array
