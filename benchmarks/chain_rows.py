"""A row for pairs of training chains: two wells, clipped SGD with noise, coupled synchronously.

The numpy loop advances all pairs together and draws its own numbers, so that it agrees in law only;
tests/test_chains.py compares ours, number by number, with a plain loop that shares its numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Row, Target

Array = NDArray[np.float64]

_SIZE, _BATCH = 100, 10
_MU, _SIGMA = (0.9, 0.7, 0.3), (0.4, 0.7, 0.95)
_SPREAD, _VARIANCE = 0.5, 0.25
_STEP, _DECAY, _CLIP, _NOISE = 0.05, 0.1, 2.0, 0.1


@dataclass(frozen=True, slots=True)
class _Problem:
    pairs: int
    steps: int


def _ours(problem: _Problem, *, compiled: bool) -> Callable[[], Array]:
    from numerics.chain_models import TwoWells
    from numerics.chain_user_model import UserModel
    from numerics.chains import run_pairs
    from numerics.laws import Mixture
    from numerics.noise_levels import NoiseLevels

    wells = TwoWells(_VARIANCE)
    rows = UserModel(wells.score, wells.gradient, parameters=1, dimension=1, compiled=False)

    def run() -> Array:
        return run_pairs(
            wells if compiled else rows,
            Mixture(np.array([[-1.0], [1.0]]), _SPREAD),
            NoiseLevels(_MU, _SIGMA, [1.0, 1.0, 1.0]),
            size=_SIZE,
            batch=_BATCH,
            steps=problem.steps,
            step_size=_STEP,
            weight_decay=_DECAY,
            clip=_CLIP,
            noise=_NOISE,
            start=[1.0],
            pairs=problem.pairs,
            rng=0,
        ).distance

    return run


def _numpy_loop(problem: _Problem) -> Callable[[], Array]:
    """One step at a time for all pairs."""
    mu, sigma = np.array(_MU), np.array(_SIGMA)

    def gradient(theta: Array, x0: Array, z: Array, level: NDArray[np.int64]) -> Array:
        m, s = mu[level], sigma[level]
        v = m**2 * _VARIANCE + s**2
        x = m * x0 + s * z
        u = m * theta[:, None] * x / v
        bend = np.tanh(u)
        residual = (m * theta[:, None] * bend - x) / v + z / s
        found = 3.0 * (2.0 * residual * (m / v) * (bend + u * (1.0 - bend**2))).mean(axis=1)
        return np.asarray(np.clip(found, -_CLIP, _CLIP))

    def run() -> Array:
        rng = np.random.default_rng(0)
        shape = (problem.pairs, _SIZE + 1)
        data = rng.choice([-1.0, 1.0], shape) + _SPREAD * rng.standard_normal(shape)
        others = data.copy()
        others[:, 0] = data[:, -1]
        chains = np.ones((2, problem.pairs))
        for _ in range(problem.steps):
            order = rng.random((problem.pairs, _SIZE)).argpartition(_BATCH, axis=1)[:, :_BATCH]
            z = rng.standard_normal(order.shape)
            level = rng.integers(3, size=order.shape)
            noise = _STEP * _NOISE * rng.standard_normal(problem.pairs)
            for theta, points in zip(chains, (data, others), strict=True):
                step = gradient(theta, np.take_along_axis(points, order, axis=1), z, level)
                theta[:] = (1.0 - _STEP * _DECAY) * theta - _STEP * step + noise
        return np.asarray(np.abs(chains[0] - chains[1]))

    return run


def _build(quick: bool) -> Contest:
    problem = _Problem(200 if quick else 4_000, 500)
    return Contest(
        (
            Contestant("ours", None, lambda: _ours(problem, compiled=True)),
            Contestant("numpy loop", None, lambda: _numpy_loop(problem)),
            Contestant(
                "ours, numpy gradient",
                None,
                lambda: _ours(problem, compiled=False),
                note="our own loop around a gradient on rows",
                reference=True,
            ),
        )
    )


ROWS = (
    Row(
        "training-chains",
        f"SGD pairs, 4,000 pairs × 500 steps, N={_SIZE} B={_BATCH} d=1",
        Target("≥ 2×", 2.0),
        _build,
    ),
)
