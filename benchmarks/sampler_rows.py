"""Rows for reverse-time sampling with the empirical score: the exponential step, in float64.

Everyone draws their own normals, so that samples agree in law only; tests/test_samplers.py compares
ours, number by number, with a plain loop that shares its normals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Row, Target

Array = NDArray[np.float64]

_NUMBER = 40
# Entries of the M x N matrix that the numpy loop holds at a time: 8 MiB.
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class _Problem:
    data: Array
    noise_times: Array
    paths: int

    @property
    def steps(self) -> list[tuple[float, float, float, float, float]]:
        """Per step e^-u, 1 - e^(-2u), and the factors of Y, of the score and of the noise."""
        return [
            (
                math.exp(-u),
                -math.expm1(-2.0 * u),
                math.exp(u - after),
                2.0 * math.expm1(u - after),
                math.sqrt(math.expm1(2.0 * (u - after))),
            )
            for u, after in zip(self.noise_times[:-1], self.noise_times[1:], strict=True)
        ]


def _ours(problem: _Problem) -> Callable[[], Array]:
    from numerics.sampler_times import sampler_times
    from numerics.samplers import EmpiricalScore, sample_reverse

    times = sampler_times(problem.noise_times)

    def run() -> Array:
        return sample_reverse(
            EmpiricalScore(problem.data),
            times,
            paths=problem.paths,
            dimension=problem.data.shape[1],
            rng=0,
        ).end

    return run


def _numpy_loop(problem: _Problem) -> Callable[[], Array]:
    """One step at a time for as many paths as make eight megabytes of weights."""
    data, together = problem.data, _CHUNK // _NUMBER
    dimension = data.shape[1]

    def run() -> Array:
        rng = np.random.default_rng(0)
        end = rng.standard_normal((problem.paths, dimension))
        for first in range(0, problem.paths, together):
            y = end[first : first + together]
            for mu, variance, keep, push, noise in problem.steps:
                weights = sum((y[:, k, None] - mu * data[:, k]) ** 2 for k in range(dimension))
                weights *= -0.5 / variance
                weights -= weights.max(axis=1, keepdims=True)
                np.exp(weights, out=weights)
                mean = weights @ data / weights.sum(axis=1, keepdims=True)
                score = (mu * mean - y) / variance
                y[:] = keep * y + push * score + noise * rng.standard_normal(y.shape)
        return end

    return run


def _naive_numba(problem: _Problem) -> Callable[[], Array]:
    """Path by path on all threads, with the mathematical library's exponential."""
    from numba import njit, prange

    @njit(parallel=True)
    def sample(data, steps, paths):  # type: ignore[no-untyped-def]
        number, dimension = data.shape
        end = np.empty((paths, dimension))
        for m in prange(paths):
            y = np.random.standard_normal(dimension)  # noqa: NPY002
            exponents = np.empty(number)
            score = np.empty(dimension)
            for k in range(len(steps)):
                mu, variance = steps[k, 0], steps[k, 1]
                least = np.inf
                for i in range(number):
                    square = 0.0
                    for c in range(dimension):
                        square += (mu * data[i, c] - y[c]) ** 2
                    exponents[i] = square * (0.5 / variance)
                    least = min(least, exponents[i])
                total = 0.0
                score[:] = 0.0
                for i in range(number):
                    weight = math.exp(least - exponents[i])
                    total += weight
                    for c in range(dimension):
                        score[c] += weight * (mu * data[i, c] - y[c])
                for c in range(dimension):
                    y[c] = (
                        steps[k, 2] * y[c]
                        + steps[k, 3] * score[c] / (total * variance)
                        + steps[k, 4] * np.random.standard_normal()  # noqa: NPY002
                    )
            end[m] = y
        return end

    steps = np.array(problem.steps)
    return lambda: np.asarray(sample(problem.data, steps, problem.paths))


def _jax_scan(problem: _Problem) -> Callable[[], Any]:
    """``lax.scan`` over the steps, all paths at once."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    data, steps = jnp.asarray(problem.data), jnp.asarray(problem.steps)
    shape = (problem.paths, problem.data.shape[1])

    @jax.jit
    def sample(key: Any) -> Any:
        def step(y: Any, inputs: Any) -> Any:
            (mu, variance, keep, push, noise), own = inputs
            exponents = sum((y[:, k, None] - mu * data[:, k]) ** 2 for k in range(shape[1]))
            weights = jax.nn.softmax(exponents * (-0.5 / variance), axis=1)
            score = (mu * weights @ data - y) / variance
            z = jax.random.normal(own, shape, dtype=jnp.float64)
            return keep * y + push * score + noise * z, None

        first, *_ = keys = jax.random.split(key, len(problem.steps) + 1)
        start = jax.random.normal(first, shape, dtype=jnp.float64)
        return jax.lax.scan(step, start, (tuple(steps.T), jnp.asarray(keys)[1:]))[0]

    return lambda: np.asarray(sample(jax.random.PRNGKey(0)))


def _row(name: str, dimension: int) -> Row:
    def build(quick: bool) -> Contest:
        data = np.random.default_rng(20240601).standard_normal((_NUMBER, dimension))
        # Uniform steps from T = 5 down to 1, then geometric ones to 1.05^-120 = 0.003.
        noise_times = np.concatenate([1.0 + 0.05 * np.arange(80, 0, -1), 1.05 ** -np.arange(121.0)])
        problem = _Problem(data, noise_times, 2_000 if quick else 100_000)
        return Contest(
            (
                Contestant("ours", None, lambda: _ours(problem)),
                Contestant("numpy loop", None, lambda: _numpy_loop(problem)),
                Contestant("naive numba", "numba", lambda: _naive_numba(problem)),
                Contestant("jax scan", "jax", lambda: _jax_scan(problem)),
            )
        )

    title = f"reverse SDE, 100,000 paths × 200 steps, N={_NUMBER} d={dimension}"
    return Row(name, title, Target("≥ 1.5×", 1.5), build)


ROWS = (_row("sampler-line", 1), _row("sampler-plane", 2))
