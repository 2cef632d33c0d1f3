"""The density of a reverse sampler in the plane, step by step, without sampling.

Every step scatters the mass of each node of a uniform grid as a Gaussian onto the nodes of the
next. The trapezoid rule of a Gaussian of standard deviation s errs by ``2 exp(-2 π² s² / h²)`` at
spacing h, and the grid of every step is chosen anew for that, so nothing is ever interpolated.
The density is on the linear scale, down to about 1e-300.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from numerics.density_plane_grids import Plan, plane_densities
from numerics.density_plane_kernels import PlaneScore, empirical_score_plane
from numerics.density_plane_result import PlaneDensity, kl_divergence_2d
from numerics.density_steps import NOISY, checked_interval, checked_record
from numerics.sampler_times import SamplerTimes

__all__ = [
    "PlaneDensity",
    "TransportedPlane",
    "empirical_score_plane",
    "kl_divergence_2d",
    "transport_density_2d",
]

# The second run, whose difference is the error estimate, is allowed this much more error.
_COARSER = 100.0


@dataclass(frozen=True, slots=True)
class TransportedPlane:
    """The densities of a run at the recorded steps, by step index, and at the end."""

    snapshots: dict[int, PlaneDensity]
    final: PlaneDensity


def transport_density_2d(
    score: PlaneScore,
    times: SamplerTimes,
    *,
    method: str = "exponential",
    interval: tuple[float, float] = (-7.0, 7.0),
    accuracy: float = 1e-9,
    record: Iterable[int] | Literal["all"] | None = None,
    estimate_error: bool = True,
    most_nodes: int = 4_000_000,
) -> TransportedPlane:
    r"""Return the density of a reverse sampler in the plane at the end and at recorded steps.

    The sampler starts from the standard normal law.

    Parameters
    ----------
    score : callable
        ``score(x, u)``: places (n, 2) and a noise time to values (n, 2), finite everywhere.
    times : SamplerTimes
        Noise times u_0 > … > u_K; step k evaluates the score at u_k.
    method : str
        ``"exponential"`` or ``"euler-maruyama"`` (see ``density_steps``).
    interval : (float, float)
        The grids cover the square of this interval at every step, and all but 1e-15 of the mass.
    accuracy : float
        Relative accuracy to aim at over all steps, in [1e-13, 1e-2]: sets the spacing and how far
        each Gaussian reaches.
    record : iterable of int, "all" or None
        Step indices in 0..K to keep; the end K is always kept.
    estimate_error : bool
        Whether to make a second run with a hundred times the tolerance, whose difference
        ``kl_divergence_2d`` reports as the error.
    most_nodes : int
        The largest grid to take.

    Returns
    -------
    TransportedPlane

    Raises
    ------
    ValueError
        One line: a parameter outside its domain, a score that is not finite, or a grid of more
        than ``most_nodes`` nodes.

    Notes
    -----
    The density is accurate relative to itself where a step's Gaussians reach what matters, which
    excludes tails steeper than about five standard deviations of a step per e-fold, and where the
    mean's slope is that of places with more than 1e-14 of the peak density. Source: sampler of
    farghly2026, arXiv 2507.03756, Section 2; times of its Proposition 7.

    Examples
    --------
    >>> import numpy as np
    >>> from numerics.sampler_times import two_phase_times
    >>> run = transport_density_2d(lambda x, u: -x, two_phase_times(0.2, 10, 5))
    >>> standard = lambda x: -0.5 * (x**2).sum(axis=1) - np.log(2.0 * np.pi)
    >>> round(kl_divergence_2d(standard, run.final).value, 6)
    0.010769
    """
    if method not in NOISY:
        names = " or ".join(repr(name) for name in NOISY)
        raise ValueError(f"method = {method!r}: {names} in the plane; pass 'exponential', say")
    ends = checked_interval(interval)
    if not 1e-13 <= accuracy <= 1e-2:
        raise ValueError(
            f"accuracy = {accuracy!r}: a relative accuracy in [1e-13, 1e-2]; pass 1e-9, say"
        )
    count = len(times.steps)
    recorded = checked_record(record, count)

    def densities(allowed: float) -> Iterator[PlaneDensity]:
        # Two axes, each with a term exp(-2 π² s² / h²) on either side.
        each = allowed / (2 * count)
        spacing = math.pi * math.sqrt(2.0 / math.log(4.0 / each))
        reach = math.sqrt(-2.0 * math.log(each)) + 2.0
        plan = Plan(score, times, method, ends, most_nodes, spacing, reach)
        return (state for state in plane_densities(plan) if state.step_index in recorded)

    found = densities(accuracy)
    snapshots = {density.step_index: density for density in found}
    if estimate_error:
        for other in densities(min(_COARSER * accuracy, 0.1)):
            snapshots[other.step_index] = replace(snapshots[other.step_index], coarser=other)
    return TransportedPlane(snapshots, snapshots[count])
