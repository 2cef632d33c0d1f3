"""Normal points from which the flows of denoisers are started."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from numerics.chain_arguments import checked_count, checked_real
from numerics.streams import Rng, keyed

Array = NDArray[np.float64]

# First word of the name of the stream.
_STARTS = 0x73746172


def normal_quantiles(n: int, *, scale: float = 1.0) -> Array:
    """Return n stratified normal starts on the line, the quantiles at (i + 1/2)/n.

    Parameters
    ----------
    n : int
        At least 1.
    scale : float
        Their standard deviation, σ_T for the start of a flow.

    Returns
    -------
    ndarray, shape (n, 1)

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Examples
    --------
    >>> normal_quantiles(2).round(6).tolist()
    [[-0.67449], [0.67449]]
    """
    count = checked_count("n", n, 1)
    spread = checked_real("scale", scale, positive=True)
    # From the lower half, which the upper one mirrors bit by bit.
    half = ndtri((np.arange(count // 2) + 0.5) / count)
    whole = np.concatenate((half, np.zeros(count % 2), -half[::-1]))
    return np.asarray(spread * whole[:, None])


def normal_starts(n: int, d: int, *, seed: Rng, scale: float = 1.0) -> Array:
    """Return n independent normal starts, (n, d).

    Parameters
    ----------
    n, d : int
        At least 1.
    seed : int, SeedSequence or Generator
        The first starts do not depend on n.
    scale : float
        Their standard deviation, σ_T for the start of a flow.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Examples
    --------
    >>> bool((normal_starts(3, 2, seed=0) == normal_starts(5, 2, seed=0)[:3]).all())
    True
    """
    count, dimension = checked_count("n", n, 1), checked_count("d", d, 1)
    spread = checked_real("scale", scale, positive=True)
    return np.asarray(spread * keyed(seed, _STARTS).standard_normal((count, dimension)))
