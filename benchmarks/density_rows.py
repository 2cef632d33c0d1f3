"""Rows for the density of a sampler on the line and in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Row, Run, Target

Array = NDArray[np.float64]

_EDGE = 8.5


def _log_normal(x: Array) -> Array:
    return np.asarray(-0.5 * x * x - 0.5 * math.log(2.0 * math.pi))


def _data(number: int) -> Array:
    return np.random.default_rng(0).standard_normal(number)


def _times(kappa: float, uniform: int, geometric: int) -> Any:
    from numerics.sampler_times import two_phase_times

    return two_phase_times(kappa, uniform, geometric)


def _ours(kappa: float, steps: tuple[int, int], nodes: int | None) -> Run:
    """Return the call that gives log densities, on a grid or at the end's own nodes."""
    from numerics.density import empirical_score_line, transport_density

    times, (score, _) = _times(kappa, *steps), empirical_score_line(_data(40))
    grid = None if nodes is None else np.linspace(-_EDGE, _EDGE, nodes)
    return lambda: transport_density(score, times, grid=grid).final


def _dense(kappa: float, steps: tuple[int, int], nodes: int, name: str) -> Run:
    """The same trapezoid rule with all G^2 entries of every step, by jax or numpy."""
    times, data = _times(kappa, *steps), _data(40)
    grid = np.linspace(-_EDGE, _EDGE, nodes)
    spacing = float(grid[1] - grid[0])
    xp: Any = np
    wrap: Callable[[Any], Any] = lambda function: function  # noqa: E731
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        xp, wrap = jax.numpy, jax.jit

    def step(logs: Any, u: Any, length: Any) -> Any:
        mu, square = xp.exp(-u), -xp.expm1(-2.0 * u)
        exponent = -0.5 * (grid[:, None] - mu * data) ** 2 / square
        share = xp.exp(exponent - exponent.max(axis=1, keepdims=True))
        score = (mu * (share @ data) / share.sum(axis=1) - grid) / square
        mean, noise = xp.exp(length) * grid + 2.0 * xp.expm1(length) * score, xp.expm1(2 * length)
        terms = logs - 0.5 * (grid[:, None] - mean) ** 2 / noise
        top = terms.max(axis=1)
        total = xp.exp(terms - top[:, None]).sum(axis=1)
        return top + xp.log(total) + xp.log(spacing) - 0.5 * xp.log(2.0 * math.pi * noise)

    advance = wrap(step)

    def run() -> Array:
        logs: Any = _log_normal(grid)
        for u, length in zip(times.noise_times[:-1], times.steps, strict=True):
            logs = advance(logs, u, length)
        return np.asarray(logs)

    return run


def _divergence_error(kappa: float, steps: tuple[int, int]) -> Callable[[Any], float]:
    """Relative error of KL(N(0, 1) | q) against a run on panels at accuracy 1e-13."""

    def error(result: Any) -> float:
        from numerics.density import empirical_score_line, kl_divergence, transport_density
        from numerics.density_result import LineDensity

        score, _ = empirical_score_line(_data(40))
        truth = transport_density(score, _times(kappa, *steps), accuracy=1e-13).final
        if not isinstance(result, LineDensity):
            grid = np.linspace(-_EDGE, _EDGE, len(result))
            weights = np.full(len(grid), grid[1] - grid[0])
            result = LineDensity(0, 1.0, grid, weights, result, None, True)
        exact = kl_divergence(_log_normal, truth).value
        return abs(kl_divergence(_log_normal, result).value - exact) / exact

    return error


def _grid_row(name: str, nodes: int, kappa: float, steps: tuple[int, int], target: Target) -> Row:
    def build(quick: bool) -> Contest:
        taken = (min(steps[0], 20), min(steps[1], 20)) if quick else steps
        return Contest(
            (
                Contestant("ours", None, lambda: _ours(kappa, taken, nodes)),
                Contestant("jax, dense", "jax", lambda: _dense(kappa, taken, nodes, "jax")),
                Contestant("numpy, dense", "numpy", lambda: _dense(kappa, taken, nodes, "numpy")),
            ),
            _divergence_error(kappa, taken),
        )

    title = f"density on a grid, N=40 G={nodes:,} K={sum(steps)} κ={kappa:g}"
    return Row(name, title, target, build)


def _panel_row(name: str, kappa: float, steps: tuple[int, int], target: Target) -> Row:
    def build(quick: bool) -> Contest:
        taken = (min(steps[0], 20), min(steps[1], 20)) if quick else steps
        return Contest(
            (Contestant("ours", None, lambda: _ours(kappa, taken, None)),),
            _divergence_error(kappa, taken),
        )

    title = f"density on panels with its error, N=40 K={sum(steps)} κ={kappa:g} ε=0.001"
    return Row(name, title, target, build)


def _plane_row() -> Row:
    def build(quick: bool) -> Contest:
        def ours() -> Run:
            from numerics.density_2d import empirical_score_plane, transport_density_2d

            data = np.random.default_rng(0).standard_normal((50 if quick else 500, 2))
            times, score = _times(0.1, 40, 5 if quick else 24), empirical_score_plane(data)
            return lambda: transport_density_2d(score, times).final

        return Contest((Contestant("ours", None, ours),), lambda result: result.mass_defect)

    return Row(
        "density-plane", "density in the plane, N=500 K=64 κ=0.1 ε=0.1", Target("no target"), build
    )


ROWS = (
    _grid_row("density-grid-500", 500, 0.1, (40, 25), Target("< 0.1 s", seconds=0.1)),
    _grid_row("density-grid-2000", 2000, 0.05, (80, 120), Target("≥ 5×", 5.0)),
    _panel_row("density-panels", 0.05, (80, 142), Target("no target")),
    _plane_row(),
)
