"""Direct references for the empirical score: the definitions, written with whole M x N arrays.

Use them on small problems to check the streaming kernels of ``numerics.empirical``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _log_terms(x: Array, data: Array, mu: float, sigma: float, weights: Array | None) -> Array:
    """Return ``log a_i + log N(x; mu y_i, sigma^2 I)`` as an (M, N) array."""
    dimension = x.shape[1]
    squares = np.sum(((mu * data[None, :, :] - x[:, None, :]) / sigma) ** 2, axis=2)
    share = np.ones(len(data)) if weights is None else np.asarray(weights, dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_share = np.log(share) - np.log(np.sum(share))
    constant = 0.5 * dimension * (np.log(2.0 * np.pi) + 2.0 * np.log(sigma))
    return np.asarray(log_share[None, :] - 0.5 * squares - constant)


def _posterior_weights(
    x: Array, data: Array, mu: float, sigma: float, weights: Array | None
) -> Array:
    terms = _log_terms(x, data, mu, sigma, weights)
    share = np.exp(terms - terms.max(axis=1, keepdims=True))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def reference_score(
    x: Array, data: Array, *, mu: float, sigma: float, weights: Array | None = None
) -> Array:
    """Return the score (M, d) from its definition, in plain float64.

    Parameters are those of ``numerics.empirical.empirical_score``, unchecked; O(M N d)
    memory; no error bound (about N u times the condition of the sum).
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> x, data = np.array([[3.0]]), np.array([[-1.0], [1.0]])
    >>> reference_score(x, data, mu=1.0, sigma=1.0).round(6)
    array([[-2.004945]])
    """
    share = _posterior_weights(x, data, mu, sigma, weights)
    residual = mu * data[None, :, :] - x[:, None, :]
    return np.asarray(np.einsum("mn,mnd->md", share, residual) / sigma**2)


def reference_log_density(
    x: Array, data: Array, *, mu: float, sigma: float, weights: Array | None = None
) -> Array:
    """Return the log density (M,) from its definition, in plain float64.

    Parameters are those of ``numerics.empirical.log_density``, unchecked.
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> x, data = np.array([[0.0]]), np.array([[-1.0], [1.0]])
    >>> reference_log_density(x, data, mu=1.0, sigma=1.0).round(6)
    array([-1.418939])
    """
    terms = _log_terms(x, data, mu, sigma, weights)
    largest = terms.max(axis=1)
    return np.asarray(largest + np.log(np.sum(np.exp(terms - largest[:, None]), axis=1)))


def reference_posterior(
    x: Array, data: Array, *, mu: float, sigma: float, weights: Array | None = None
) -> tuple[Array, Array]:
    """Return posterior means (M, d) and covariances (M, d, d) from their definitions.

    Parameters are those of ``numerics.empirical.posterior_moments``, unchecked.
    Source: empirical score, farghly2026, arXiv 2507.03756, Section 2.

    Examples
    --------
    >>> x, data = np.array([[0.0]]), np.array([[-1.0], [1.0]])
    >>> mean, covariance = reference_posterior(x, data, mu=1.0, sigma=1.0)
    >>> mean + 0.0, covariance
    (array([[0.]]), array([[[1.]]]))
    """
    share = _posterior_weights(x, data, mu, sigma, weights)
    mean = share @ data
    about = data[None, :, :] - mean[:, None, :]
    return mean, np.asarray(np.einsum("mn,mni,mnj->mij", share, about, about))
