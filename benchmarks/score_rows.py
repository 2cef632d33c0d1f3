"""Rows for the empirical score and its log density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import score_peers
from benchmarks.contest import Contest, Contestant, Row, Target
from benchmarks.exact import log_density_error, score_error
from benchmarks.score_peers import Array

_MU = 0.9


def _problem(number: int, many: int, dimension: int, sigma: float) -> tuple[Array, Array]:
    """Standard normal data, and queries drawn from its noised empirical measure."""
    rng = np.random.default_rng(20240501)
    data = rng.standard_normal((number, dimension))
    picked = data[rng.integers(number, size=many)]
    return _MU * picked + sigma * rng.standard_normal((many, dimension)), data


def _ours(queries: Array, data: Array, mu: float, sigma: float) -> Callable[[], Array]:
    from numerics import empirical_score

    return lambda: empirical_score(queries, data, mu=mu, sigma=sigma)


def _ours_log_density(queries: Array, data: Array, sigma: float) -> Callable[[], Array]:
    from numerics import log_density

    return lambda: log_density(queries, data, mu=_MU, sigma=sigma)


def _scipy_log_density(queries: Array, data: Array, sigma: float) -> Callable[[], Array]:
    from scipy.special import logsumexp

    dimension = data.shape[1]
    constant = 0.5 * dimension * np.log(2.0 * np.pi * sigma**2) + np.log(len(data))
    step = max(1, 2**22 // len(data))

    def run() -> Array:
        out = np.empty(len(queries))
        for first in range(0, len(queries), step):
            x = queries[first : first + step]
            square = sum((x[:, k, None] - _MU * data[:, k]) ** 2 for k in range(dimension))
            out[first : first + step] = logsumexp(square * (-0.5 / sigma**2), axis=1)
        return out - constant

    return run


def _sklearn_log_density(queries: Array, data: Array, sigma: float) -> Callable[[], Any]:
    from sklearn.neighbors import KernelDensity

    tree = KernelDensity(bandwidth=sigma, kernel="gaussian", rtol=0.0, atol=0.0).fit(_MU * data)
    return lambda: tree.score_samples(queries)


def _score_row(
    name: str,
    number: int,
    many: int,
    dimension: int,
    sigma: float,
    target: Target,
    remark: str = "",
) -> Row:
    peers = {
        "numpy": (None, score_peers.numpy_score),
        "scipy logsumexp": ("scipy", score_peers.scipy_score),
        "jax": ("jax", score_peers.jax_score),
        "torch SDPA": ("torch", score_peers.torch_score),
        "pykeops": ("pykeops", score_peers.keops_score),
    }
    if dimension > 100:
        # Its compiled loop unrolls the coordinates: too many here.
        del peers["pykeops"]

    def build(quick: bool) -> Contest:
        small = 100 if quick else 1
        queries, data = _problem(max(number // small, 50), max(many // small, 50), dimension, sigma)
        arguments = (queries, data, _MU, sigma)
        return Contest(
            (
                Contestant("ours", None, lambda: _ours(*arguments)),
                *(
                    Contestant(peer, module, lambda prepare=prepare: prepare(*arguments))  # type: ignore[misc]
                    for peer, (module, prepare) in peers.items()
                ),
            ),
            score_error(*arguments),
        )

    title = f"score, N={number:,} M={many:,} d={dimension} σ={sigma:g}{remark}"
    return Row(name, title, target, build)


def _density_row(number: int, many: int, dimension: int, sigma: float) -> Row:
    def build(quick: bool) -> Contest:
        small = 100 if quick else 1
        queries, data = _problem(number // small, many // small, dimension, sigma)
        return Contest(
            (
                Contestant("ours", None, lambda: _ours_log_density(queries, data, sigma)),
                Contestant(
                    "scipy logsumexp", "scipy", lambda: _scipy_log_density(queries, data, sigma)
                ),
                Contestant(
                    "scikit-learn KernelDensity",
                    "sklearn",
                    lambda: _sklearn_log_density(queries, data, sigma),
                    note="log density only; rtol = atol = 0, still a tree whose bounds decide "
                    "what is summed: at N=2,000, d=64, σ=0.2 it was seen to be off by 9.6 nats",
                ),
            ),
            log_density_error(queries, data, _MU, sigma),
        )

    title = f"log density, N={number:,} M={many:,} d={dimension} σ={sigma:g}"
    return Row("log-density-2d", title, Target("no target"), build)


ROWS = (
    _score_row("score-line", 100_000, 10_000, 1, 0.05, Target("≥ 50×", 50.0)),
    _score_row("score-plane", 10_000, 10_000, 2, 0.05, Target("≥ 8× (screening)", 8.0)),
    _score_row("score-plane-wide", 4_000, 10_000, 2, 0.5, Target("≥ 1.5×", 1.5)),
    _score_row("score-64-dense", 50_000, 1_000, 64, 1.0, Target("≥ 1.0×", 1.0)),
    _score_row("score-64-screened", 50_000, 1_000, 64, 0.2, Target("≥ 2×", 2.0)),
    _score_row("score-3072", 5_000, 1_000, 3072, 0.2, Target("≥ 2×", 2.0)),
    _density_row(10_000, 10_000, 2, 0.05),
)
