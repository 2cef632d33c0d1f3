"""The density of a reverse sampler on the line, step by step, without sampling.

Every step of the sampler is a transition ``Y -> N(m(Y), g)``, or a map of the line; the density of
Y is carried through it by quadrature, on the log scale, so that it is right to a small relative
error far into the tails and in the gaps between the data. One run gives the density at every step,
so at every early-stopping time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.density_adaptive import adaptive_densities
from numerics.density_flow import flow_densities
from numerics.density_grid import grid_densities
from numerics.density_result import LineDensity, Moments, kl_divergence, moments
from numerics.density_score import Score, empirical_score_line
from numerics.density_steps import (
    FLOWS,
    NoisyMethod,
    checked_interval,
    checked_method,
    checked_record,
    checked_values,
)
from numerics.sampler_times import SamplerTimes

__all__ = [
    "LineDensity",
    "Moments",
    "Transported",
    "empirical_score_line",
    "kl_divergence",
    "moments",
    "transport_density",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transported:
    """The densities of a run at the recorded steps, by step index, and at the end."""

    snapshots: dict[int, LineDensity]
    final: LineDensity


def transport_density(
    score: Score,
    times: SamplerTimes,
    *,
    method: str = "exponential",
    initial: Callable[[Array], Array] | None = None,
    interval: tuple[float, float] = (-8.5, 8.5),
    accuracy: float = 1e-10,
    record: Iterable[int] | Literal["all"] | None = None,
    grid: ArrayLike | None = None,
    score_derivative: Score | None = None,
    estimate_error: bool = True,
) -> Transported:
    r"""Return the density of a reverse sampler on the line at the end and at recorded steps.

    Parameters
    ----------
    score : callable
        ``score(x, u)``: places (n,) and a noise time to values (n,), finite on the whole line.
    times : SamplerTimes
        Noise times u_0 > … > u_K; step k evaluates the score at u_k.
    method : str
        ``"exponential"`` or ``"euler-maruyama"``, Gaussian transitions; ``"flow-euler"``,
        ``"flow-exponential"`` or ``"flow-heun"``, maps (see ``density_steps``).
    initial : callable, optional
        Logarithm of the density of Y_0, places (n,) to finite values (n,); standard normal when
        None. Another one has to live in ``interval``.
    interval : (float, float)
        The nodes cover this interval at every step, however little mass is there, and all but
        1e-18 of the mass.
    accuracy : float
        Relative accuracy of the density to aim at over all steps, in [1e-13, 1e-2].
    record : iterable of int, "all" or None
        Step indices in 0..K to keep; the end K is always kept.
    grid : array_like, shape (G,), optional
        Increasing uniformly spaced nodes to work on at every step instead of panels, not for
        flows; ``interval`` and ``accuracy`` are not used then.
    score_derivative : callable, optional
        The derivative of the score in the place, like ``score``; needed for flows.
    estimate_error : bool
        Whether to estimate errors, by a second run; about twice the time.

    Returns
    -------
    Transported
        ``log_density_error`` is, on panels, the difference from a run with a hundred times the
        tolerance (an over-estimate when resolved); on a grid, the aliasing of the trapezoid rule
        carried through the steps, which leaves out what lies beyond the ends of the grid; for
        flows, the rounding of the nodes.

    Raises
    ------
    ValueError
        One line: a parameter outside its domain; a score that is not finite; a grid that loses
        more than 1e-9 of the mass, by range or by resolution, with one that does not; a flow step
        that is not monotone.

    Notes
    -----
    :math:`q_{k+1}(y) = \int q_k(x)\, N(y; m_k(x), g_k)\, dx`. Source: sampler of farghly2026,
    arXiv 2507.03756, Section 2; times of its Proposition 7.

    Examples
    --------
    The exact score of the standard normal law leaves the standard normal as it is, but for the
    discretisation:

    >>> from numerics.sampler_times import two_phase_times
    >>> run = transport_density(lambda x, u: -x, two_phase_times(0.1, 20, 20), record=[10])
    >>> standard = lambda x: -0.5 * x**2 - 0.5 * np.log(2.0 * np.pi)
    >>> [round(kl_divergence(standard, at).value, 6) for at in (run.snapshots[10], run.final)]
    [0.002159, 0.000747]
    """
    chosen = checked_method(method)
    low, high = checked_interval(interval)
    if not 1e-13 <= accuracy <= 1e-2:
        raise ValueError(
            f"accuracy = {accuracy!r}: a relative accuracy in [1e-13, 1e-2]; pass 1e-10, say"
        )
    recorded = checked_record(record, len(times.steps))
    begin = standard_normal if initial is None else _finite(initial)
    if chosen in FLOWS:
        if score_derivative is None:
            raise ValueError(
                f"score_derivative = None: {method!r} needs the derivative of the score; pass the "
                "second callable of empirical_score_line, say"
            )
        if grid is not None:
            raise ValueError(f"grid: {method!r} moves its own nodes and takes none; pass grid=None")
        densities = flow_densities(
            score,
            score_derivative,
            times,
            chosen,
            begin,
            (low, high),
            accuracy,
            recorded,
        )
    elif grid is not None:
        nodes = np.asarray(grid, dtype=np.float64)
        densities = grid_densities(
            score, times, cast("NoisyMethod", chosen), begin, nodes, recorded
        )
    else:
        densities = adaptive_densities(
            score,
            times,
            cast("NoisyMethod", chosen),
            begin,
            (low, high),
            accuracy,
            recorded,
            estimate_error,
        )
    snapshots = {density.step_index: density for density in densities}
    return Transported(snapshots, snapshots[len(times.steps)])


def standard_normal(x: Array) -> Array:
    """Return the logarithm of the standard normal density."""
    return np.asarray(-0.5 * x * x - 0.5 * math.log(2.0 * math.pi))


def _finite(initial: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def checked(x: Array) -> Array:
        return checked_values("initial", lambda places, _: initial(places), x, 0.0)

    return checked
