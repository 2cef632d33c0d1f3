"""Gaussian random fields with a given covariance: what training on other data would have given.

Samples are drawn in blocks, one random stream per block, so that sample number i is the same
whatever the number of samples asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import checked_count
from numerics.streams import Rng, keyed, seed_sequence

Array = NDArray[np.float64]

_BLOCK = 64
# First words of the streams of the two kinds of samples.
_WEIGHTS, _FIELD = 1, 2


def covariance_root(covariance: ArrayLike) -> Array:
    """Return the symmetric root R of a covariance matrix, R R = C.

    Parameters
    ----------
    covariance : array_like, shape (n, n)
        Symmetric and positive semidefinite up to rounding; it may be of low rank.

    Returns
    -------
    ndarray, shape (n, n)
        Eigenvalues within rounding of 0, a multiple n of the largest's last bit, count as 0.

    Raises
    ------
    ValueError
        One line: not square, not finite, not symmetric, or an eigenvalue negative beyond rounding.

    Examples
    --------
    >>> covariance_root([[4.0, 0.0], [0.0, 0.0]]).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    given = np.asarray(covariance, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or given.size == 0:
        raise ValueError(
            f"covariance has shape {given.shape}: a square matrix is needed; pass (n, n)"
        )
    if not np.all(np.isfinite(given)):
        raise ValueError("covariance has entries that are not finite; pass finite ones")
    size = float(np.max(np.abs(given)))
    rounding = 8.0 * len(given) * float(np.finfo(np.float64).eps)
    asymmetry = float(np.max(np.abs(given - given.T)))
    if asymmetry > rounding * size:
        raise ValueError(
            f"covariance differs from its transpose by {asymmetry:.3g}: it must be symmetric; "
            "average the two"
        )
    values, vectors = np.linalg.eigh((given + given.T) / 2.0)
    limit = rounding * float(np.max(np.abs(values)))
    if values[0] < -limit:
        raise ValueError(
            f"covariance has the eigenvalue {values[0]:.3g}: it must be positive semidefinite; "
            "pass a covariance"
        )
    kept = values > limit
    chosen = vectors[:, kept]
    return np.asarray((chosen * np.sqrt(values[kept])) @ chosen.T)


def gaussian_weights(mean: ArrayLike, covariance: ArrayLike, count: int, seed: Rng) -> Array:
    """Draw weights of a linear model, as training on independent data sets would give them.

    Parameters
    ----------
    mean : array_like, shape (d, F)
        One row per output.
    covariance : array_like, shape (d, d, F, F)
        covariance[a, b] is Cov(w_a, w_b), as ``v_kernel.weight_covariance`` returns it.
    count : int
        Number of samples, >= 0.
    seed : int or SeedSequence
        Sample i does not depend on ``count``.

    Returns
    -------
    ndarray, shape (count, d, F)

    Raises
    ------
    ValueError
        One line: shapes that do not fit, or no covariance.

    Notes
    -----
    vastola2025, Section 5: to leading order in 1/P the fitted weights are Gaussian.

    Examples
    --------
    >>> gaussian_weights(np.ones((1, 2)), np.zeros((1, 1, 2, 2)), 1, 0).tolist()
    [[[1.0, 1.0]]]
    """
    centre = np.asarray(mean, dtype=np.float64)
    blocks = np.asarray(covariance, dtype=np.float64)
    if centre.ndim != 2 or blocks.shape != (*centre.shape[:1] * 2, *centre.shape[1:] * 2):
        raise ValueError(
            f"covariance has shape {blocks.shape}: mean has shape {centre.shape}; pass (d, F) and "
            "(d, d, F, F)"
        )
    flat = blocks.transpose(0, 2, 1, 3).reshape(centre.size, centre.size)
    drawn = _samples(flat, count, seed, _WEIGHTS)
    return np.asarray(centre + drawn.reshape(-1, *centre.shape))


def field_samples(covariance: ArrayLike, count: int, seed: Rng) -> Array:
    """Draw a centred Gaussian field at n space-time points.

    Parameters
    ----------
    covariance : array_like, shape (n, n) or (n, n, d, d)
        Of the field at the points; the second form is that of ``v_kernel.v_kernel``.
    count : int
        Number of samples, >= 0.
    seed : int or SeedSequence
        Sample i does not depend on ``count``.

    Returns
    -------
    ndarray, shape (count, n) or (count, n, d)

    Raises
    ------
    ValueError
        One line, if it is no covariance.

    Examples
    --------
    >>> field_samples([[1.0, 1.0], [1.0, 1.0]], 3, seed=0).shape
    (3, 2)
    """
    given = np.asarray(covariance, dtype=np.float64)
    if given.ndim == 2:
        return _samples(given, count, seed, _FIELD)
    if given.ndim != 4 or given.shape[0] != given.shape[1] or given.shape[2] != given.shape[3]:
        raise ValueError(
            f"covariance has shape {given.shape}: pass (n, n), or (n, n, d, d) for a field of d "
            "components"
        )
    points, components = given.shape[0], given.shape[2]
    flat = given.transpose(0, 2, 1, 3).reshape(points * components, points * components)
    return _samples(flat, count, seed, _FIELD).reshape(-1, points, components)


def _samples(covariance: Array, count: int, seed: Rng, kind: int) -> Array:
    number = checked_count("count", count, 0)
    root = covariance_root(covariance)
    found = np.empty((number, len(root)))
    # Every block is multiplied whole: the last bits of a product depend on its shape.
    for start, normals in _blocks(number, len(root), seed, kind):
        found[start : start + _BLOCK] = (normals @ root)[: number - start]
    return found


def _blocks(number: int, size: int, seed: Rng, kind: int) -> Iterator[tuple[int, Array]]:
    root = seed_sequence(seed)
    for start in range(0, number, _BLOCK):
        yield start, keyed(root, kind, start // _BLOCK).standard_normal((_BLOCK, size))
