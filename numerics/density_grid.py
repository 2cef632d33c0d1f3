"""The density of a noisy sampler on one uniform grid, by the trapezoid rule.

A trapezoid rule errs by aliasing. At twice the spacing that error is the part of the sum that
alternates from node to node: halving the spacing raises it to the fourth power for a Gaussian
integrand, where the mass is, and squares it for one that is just smooth, as between data. The
squares are carried from step to step as the error of the log density; a grid that loses more than
1e-9 of the mass, beyond its ends or by the fourth powers, is refused, with one that was tried and
does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from numerics.density_adaptive import adaptive_densities
from numerics.density_kernel import BLOCK, log_sum_of_normals
from numerics.density_result import LineDensity
from numerics.density_score import Score
from numerics.density_steps import NoisyMethod, affine_parts, noisy_mean
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

#: The mass a grid may lose over a run.
MOST_LOST = 1e-9

_EVEN = 1e-9
_MOST_NODES = 100_000
# Mass left out at each end of a proposed grid, and accuracy of the run that proposes it.
_END_MASS, _PROPOSAL = 1e-12, 1e-8


def grid_densities(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    grid: Array,
    recorded: Collection[int],
) -> Iterator[LineDensity]:
    """Yield the density at every recorded step on the grid.

    Raises
    ------
    ValueError
        One line, if the grid is not uniform or loses too much mass.
    """
    _check_grid(grid)
    for density, by_resolution in _densities(score, times, method, initial, grid):
        by_range = density.mass_defect
        # Written so that a sum that is not a number is refused.
        if not by_range + by_resolution <= MOST_LOST:
            where = "beyond its ends" if by_range > by_resolution else "between its nodes"
            advice = _proposal(score, times, method, initial, grid)
            raise ValueError(
                f"grid of {len(grid)} nodes on [{grid[0]:.6g}, {grid[-1]:.6g}] loses "
                f"{by_range + by_resolution:.2g} of the mass at step {density.step_index} {where}; "
                f"at most {MOST_LOST:g} may be lost: {advice}"
            )
        if density.step_index in recorded:
            yield density


def _densities(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    grid: Array,
) -> Iterator[tuple[LineDensity, float]]:
    """Yield the density at every step and the mass misplaced by resolution so far."""
    spacing = float(grid[-1] - grid[0]) / (len(grid) - 1)
    weights = np.full(len(grid), spacing)
    logs, error = np.asarray(initial(grid), dtype=np.float64), np.zeros(len(grid))
    misplaced = 0.0
    for k, u in enumerate(times.noise_times):
        density = LineDensity(k, float(u), grid, weights, logs, error, uniform=True)
        yield density, misplaced
        if k == len(times.steps):
            return
        step = float(times.steps[k])
        means = noisy_mean(method, score, float(u), step, grid)
        logs, alternating, error = log_sum_of_normals(
            grid, logs + math.log(spacing), means, affine_parts(method, step)[2], error
        )
        gaussian, smooth = _aliasing(alternating)
        error = error + smooth
        misplaced += float((spacing * np.exp(logs)) @ gaussian)


def _aliasing(alternating: Array) -> tuple[Array, Array]:
    """Return the errors of the logarithms if the integrands are Gaussian, and if just smooth.

    Where nothing is resolved both are the difference between the rules on every other node.
    """
    twice = np.arctanh(np.minimum(np.abs(alternating), 1.0 - 2e-16))
    return np.minimum(twice, twice**4 / 8.0), np.minimum(twice, twice**2 / 2.0)


def _check_grid(grid: Array) -> None:
    if grid.ndim != 1 or len(grid) < BLOCK:
        raise ValueError(
            f"grid has shape {grid.shape}; it must be (G,) with G >= {BLOCK}: "
            "pass np.linspace(-8.5, 8.5, 1000), say"
        )
    gaps = np.diff(grid)
    mean = float(grid[-1] - grid[0]) / (len(grid) - 1)
    if not (mean > 0.0 and np.all(np.abs(gaps - mean) <= _EVEN * mean + 1e-15 * np.abs(grid[1:]))):
        raise ValueError(
            f"grid: its spacing runs from {float(gaps.min()):.6g} to {float(gaps.max()):.6g}; it "
            "must be increasing and uniform: pass np.linspace(-8.5, 8.5, 1000), say"
        )


def _proposal(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    grid: Array,
) -> str:
    """Return the advice to take a grid that was tried on this very run."""
    low, high, spacing = _wanted(score, times, method, initial, grid)
    while (high - low) / spacing < _MOST_NODES:
        count = max(BLOCK, math.ceil((high - low) / spacing) + 1)
        ends = float(f"{low:.6g}"), float(f"{high:.6g}")
        tried = np.linspace(*ends, count)
        runs = _densities(score, times, method, initial, tried)
        if all(density.mass_defect + misplaced <= MOST_LOST for density, misplaced in runs):
            return f"pass np.linspace({ends[0]!r}, {ends[1]!r}, {count})"
        spacing *= 0.85
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        low, high = middle - 1.02 * half, middle + 1.02 * half
    return f"no grid on [{low:.6g}, {high:.6g}] of up to {_MOST_NODES} nodes does: pass grid=None"


def _wanted(
    score: Score,
    times: SamplerTimes,
    method: NoisyMethod,
    initial: Callable[[Array], Array],
    grid: Array,
) -> tuple[float, float, float]:
    """Return the ends and the spacing that the run on panels asks for."""
    count = len(times.steps)
    ends = float(grid[0]), float(grid[-1])
    low, high, spacing = *ends, math.inf
    noise = [affine_parts(method, float(step))[2] for step in times.steps]
    run = adaptive_densities(
        score, times, method, initial, ends, _PROPOSAL, range(count + 1), False
    )
    for density in run:
        k, nodes, mass = density.step_index, density.nodes, density.masses
        low = min(low, float(nodes[int(np.searchsorted(np.cumsum(mass), _END_MASS))]))
        from_above = int(np.searchsorted(np.cumsum(mass[::-1]), _END_MASS))
        high = max(high, float(nodes[::-1][from_above]))
        narrow = 1.0 if k == 0 else math.sqrt(noise[k - 1])
        if k < count:
            u, step = float(times.noise_times[k]), float(times.steps[k])
            slope = np.gradient(noisy_mean(method, score, u, step, nodes), nodes)
            matters = mass > _END_MASS
            steepest = float(np.max(np.abs(slope[matters])))
            narrow = 1.0 / math.hypot(1.0 / narrow, steepest / math.sqrt(noise[k]))
        # Aliasing of 1e-9 is at h = s; the density is smoother than its last smoothing.
        spacing = min(spacing, 1.2 * narrow)
    return low, high, spacing
