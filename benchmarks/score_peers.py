"""The empirical score by the peers' own means; each function returns the call to be timed.

Every peer gets the formulation that suits it best: squared distances from differences where d is
small, from a matrix product where d is large, and queries in chunks where it would otherwise
hold the whole M x N matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Prepare = Callable[[Array, Array, float, float], Callable[[], Any]]

# Entries of the M x N matrix held at a time: 32 MiB.
_CHUNK = 2**22
# Dimension up to which distances are taken from differences, coordinate by coordinate.
_SMALL_DIMENSION = 3


def _chunks(queries: Array, data: Array) -> Iterator[slice]:
    step = max(1, _CHUNK // len(data))
    return (slice(first, first + step) for first in range(0, len(queries), step))


def _exponents(x: Array, data: Array, mu: float, sigma: float) -> Array:
    """Minus the squared distances over 2 sigma^2, up to a term that depends on the query only."""
    if data.shape[1] <= _SMALL_DIMENSION:
        total = np.zeros((len(x), len(data)))
        for k in range(data.shape[1]):
            step = x[:, k, None] - mu * data[:, k]
            step *= step
            total += step
        total *= -0.5 / sigma**2
        return total
    product = x @ (data.T * (mu / sigma**2))
    product -= (0.5 * mu * mu / sigma**2) * np.einsum("nd,nd->n", data, data)
    return np.asarray(product)


def numpy_score(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Array]:
    """Softmax with a max shift, weights times data by BLAS."""

    def run() -> Array:
        out = np.empty_like(queries)
        for chunk in _chunks(queries, data):
            weights = _exponents(queries[chunk], data, mu, sigma)
            weights -= weights.max(axis=1, keepdims=True)
            np.exp(weights, out=weights)
            total = weights.sum(axis=1, keepdims=True)
            out[chunk] = (mu * (weights @ data) / total - queries[chunk]) / sigma**2
        return out

    return run


def scipy_score(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Array]:
    """The same with ``scipy.special.logsumexp``."""
    from scipy.special import logsumexp

    def run() -> Array:
        out = np.empty_like(queries)
        for chunk in _chunks(queries, data):
            exponents = _exponents(queries[chunk], data, mu, sigma)
            exponents -= logsumexp(exponents, axis=1, keepdims=True)
            np.exp(exponents, out=exponents)
            out[chunk] = (mu * (exponents @ data) - queries[chunk]) / sigma**2
        return out

    return run


def torch_score(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Any]:
    """Softmax attention: the norms of the keys ride along as one more coordinate.

    The values carry a column of zeros, because the fused kernel wants equal widths.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    norms = np.einsum("nd,nd->n", data, data)[:, None] * (-0.5 * mu * mu / sigma**2)
    q = torch.from_numpy(np.hstack([queries, np.ones((len(queries), 1))]))[None, None]
    k = torch.from_numpy(np.hstack([data * (mu / sigma**2), norms]))[None, None]
    v = torch.from_numpy(np.hstack([data, np.zeros((len(data), 1))]))[None, None]
    x = torch.from_numpy(queries)

    def run() -> Any:
        mean = scaled_dot_product_attention(q, k, v, scale=1.0)[0, 0, :, :-1]
        return ((mu * mean - x) / sigma**2).numpy()

    return run


def jax_score(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Any]:
    """``jit`` over chunks of queries."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    dimension = data.shape[1]
    step = max(1, _CHUNK // len(data))
    x, y = jnp.asarray(queries), jnp.asarray(data)

    @jax.jit
    def score(chunk: Any, points: Any) -> Any:
        if dimension <= _SMALL_DIMENSION:
            exponents = sum(
                -0.5 / sigma**2 * (chunk[:, k, None] - mu * points[:, k]) ** 2
                for k in range(dimension)
            )
        else:
            exponents = chunk @ (points.T * (mu / sigma**2)) - (0.5 * mu * mu / sigma**2) * jnp.sum(
                points**2, axis=1
            )
        return (mu * jax.nn.softmax(exponents, axis=1) @ points - chunk) / sigma**2

    def run() -> Any:
        parts = [score(x[first : first + step], y) for first in range(0, len(queries), step)]
        return np.asarray(jnp.concatenate(parts))

    return run


def keops_score(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Any]:
    """A softmax reduction of a lazy tensor."""
    from pykeops.numpy import LazyTensor

    x = LazyTensor(np.ascontiguousarray(queries[:, None, :]))
    y = LazyTensor(np.ascontiguousarray(mu * data[None, :, :]))
    plain = LazyTensor(np.ascontiguousarray(data[None, :, :]))

    def run() -> Any:
        exponents = -((x - y) ** 2).sum(-1) * (0.5 / sigma**2)
        return (mu * exponents.sumsoftmaxweight(plain, axis=1) - queries) / sigma**2

    return run
