"""A density in the plane on a uniform grid, and its divergence from a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from numerics.law_quadrature import Estimate

Array = NDArray[np.float64]

_MOST_MISSING = 1e-6
# Of a total mass of one.
_ROUNDING = 1e-14


@dataclass(frozen=True, slots=True)
class PlaneDensity:
    """The density of the sampler's place Y_k at noise time u_k on a uniform grid.

    ``x`` (n1,) and ``y`` (n2,) are the coordinates in units of Y, ``density`` is (n1, n2);
    ``skipped`` is the mass that was dropped on the way. ``coarser`` is the same of the second run,
    None when there was none.
    """

    step_index: int
    noise_time: float
    x: Array
    y: Array
    density: Array
    skipped: float
    coarser: PlaneDensity | None = field(default=None, repr=False)

    @property
    def cell(self) -> float:
        """The area of a cell, the weight of every node."""
        return float((self.x[1] - self.x[0]) * (self.y[1] - self.y[0]))

    @property
    def mass_defect(self) -> float:
        """The distance of the total mass from one, and the mass skipped."""
        return abs(float(self.density.sum()) * self.cell - 1.0) + self.skipped


def kl_divergence_2d(log_target: Callable[[Array], Array], density: PlaneDensity) -> Estimate:
    r"""Return :math:`KL(\nu \| q)` of a target in the plane against a density.

    Parameters
    ----------
    log_target : callable
        Logarithm of the normalised density of ν: places (n, 2) to values (n,), -inf allowed.
    density : PlaneDensity
        The density q on a grid that holds ν.

    Returns
    -------
    Estimate
        In nats. The error adds the difference from the coarser run, if there was one, the
        quadrature's by the trapezoid rule at twice the spacing, the difference of the two masses,
        and what an underflow of q could hide.

    Raises
    ------
    ValueError
        One line, if the grid misses more than 1e-6 of the mass of ν, or if q underflows where ν
        has more than that.

    Examples
    --------
    >>> axis = np.linspace(-9.0, 9.0, 61)
    >>> normal = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2)) / (2.0 * np.pi)
    >>> shifted = lambda x: -0.5 * (x[:, 0] - 1.0) ** 2 - 0.5 * x[:, 1] ** 2 - np.log(2.0 * np.pi)
    >>> at = PlaneDensity(0, 1.0, axis, axis, normal, 0.0)
    >>> round(kl_divergence_2d(shifted, at).value, 12)
    0.5
    """
    value, error = _divergence(log_target, density)
    if density.coarser is not None:
        error += abs(value - _divergence(log_target, density.coarser)[0])
    return Estimate(value, error)


def _divergence(log_target: Callable[[Array], Array], density: PlaneDensity) -> tuple[float, float]:
    own = density.density.ravel()
    target = np.asarray(log_target(places(density.x, density.y)), dtype=np.float64)
    share = np.exp(target)
    missing = abs(float(share.sum()) * density.cell - 1.0)
    # Denormal densities have lost their digits.
    faint = own < float(np.finfo(np.float64).tiny)
    hidden = float(share[faint].sum()) * density.cell
    if not missing <= _MOST_MISSING or hidden > _MOST_MISSING:
        raise ValueError(
            f"log_target: its mass misses 1 by {missing:.2g} on the grid, and {hidden:.2g} of it "
            "lies where the density underflows; both must be within 1e-6: pass a normalised log "
            "density, run with a wider interval, or stop earlier"
        )
    counted = (share > 0.0) & ~faint
    ratio = np.where(counted, target, 0.0) - np.log(own, out=np.zeros_like(own), where=counted)
    near = np.abs(ratio) < 1.0
    small = np.where(near, ratio, 0.0)
    integrand = np.where(near, share * (small + np.expm1(-small)), own - share + share * ratio)
    terms = np.where(counted, integrand, own).reshape(density.density.shape) * density.cell
    value = float(terms.sum())
    difference = abs(float(own.sum() - share.sum())) * density.cell
    edge = np.ones(density.density.shape, dtype=np.bool_)
    edge[1:-1, 1:-1] = False
    beyond = max(0.0, missing - _ROUNDING) * float(np.abs(ratio[edge.ravel()]).max())
    # Hidden densities are between exp(-1e4) and exp(-700), say.
    return value, beyond + difference + 1e4 * hidden + _quadrature_error(terms)


def _quadrature_error(terms: Array) -> float:
    """Estimate the trapezoid rule's error: the square of its error at twice the spacing."""
    total = float(np.abs(terms).sum())
    if total == 0.0:
        return 0.0
    rows, columns = terms.sum(axis=1), terms.sum(axis=0)
    gaps = [abs(float(line[::2].sum() - line[1::2].sum())) for line in (rows, columns)]
    return float(sum(gap * min(1.0, gap / total) for gap in gaps))


def places(x: Array, y: Array) -> Array:
    """Return the nodes of a grid, (n1 n2, 2)."""
    return np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
