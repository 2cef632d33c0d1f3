"""A density on the line as nodes, weights and logarithms, and integrals against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.density_panels import ORDER, unit_rule, unresolved
from numerics.law_quadrature import Estimate

Array = NDArray[np.float64]

# A target that misses more of its mass on the nodes is not normalised, or lies elsewhere.
_MOST_MISSING = 1e-6
# Of a total mass of one.
_ROUNDING = 1e-14


@dataclass(frozen=True, slots=True)
class LineDensity:
    """The density of the sampler's place Y_k at noise time u_k.

    ``nodes``, ``weights`` and ``log_density`` are (n,), nodes in units of Y. The weights are a
    Gauss rule on each run of ``density_panels.ORDER`` nodes, or the trapezoid rule when
    ``uniform``. ``log_density_error`` (n,) estimates the absolute error of ``log_density`` (see
    the run that made it); it is None when the run was told not to estimate it.
    """

    step_index: int
    noise_time: float
    nodes: Array
    weights: Array
    log_density: Array
    log_density_error: Array | None
    uniform: bool = False

    @property
    def masses(self) -> Array:
        """Weight times density, (n,)."""
        return np.asarray(self.weights * np.exp(self.log_density))

    @property
    def mass_defect(self) -> float:
        """The distance of the total mass from one."""
        return abs(float(self.masses.sum()) - 1.0)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of a density."""

    mean: float
    variance: float


def moments(density: LineDensity) -> Moments:
    """Return the mean and variance of a density on the line, the mass normalised.

    Examples
    --------
    >>> grid = np.linspace(-9.0, 9.0, 181)
    >>> log_density = -0.5 * grid**2 - 0.5 * np.log(2.0 * np.pi)
    >>> normal = LineDensity(0, 1.0, grid, np.full(181, 0.1), log_density, None, True)
    >>> round(moments(normal).variance, 12)
    1.0
    """
    masses = density.masses / density.masses.sum()
    mean = float(masses @ density.nodes)
    return Moments(mean, float(masses @ (density.nodes - mean) ** 2))


def kl_divergence(log_target: Callable[[Array], Array], density: LineDensity) -> Estimate:
    r"""Return :math:`KL(\nu \| q) = \int \nu \log(\nu / q)` of a target against a density.

    Parameters
    ----------
    log_target : callable
        Logarithm of the normalised density of ν: places (n,) to values (n,), -inf allowed.
    density : LineDensity
        The density q, resolved on an interval that holds ν.

    Returns
    -------
    Estimate
        In nats. The error adds the quadrature's (from the decay of the integrand's Legendre
        coefficients on each panel, or from the trapezoid rule at twice the spacing), what
        ``log_density_error`` can change, and the difference of the two masses on the nodes.

    Raises
    ------
    ValueError
        One line, if the nodes miss more than 1e-6 of the mass of ν.

    Notes
    -----
    The integrand is ``ν log(ν/q) - ν + q``, nowhere negative and equal in the total, so that a
    small divergence does not come out of a cancellation. A ν with a jump needs a node panel that
    ends there; the error shows where none does.

    Examples
    --------
    >>> grid = np.linspace(-9.0, 9.0, 181)
    >>> log_density = -0.5 * grid**2 - 0.5 * np.log(2.0 * np.pi)
    >>> normal = LineDensity(0, 1.0, grid, np.full(181, 0.1), log_density, None, True)
    >>> shifted = lambda x: -0.5 * (x - 1.0) ** 2 - 0.5 * np.log(2.0 * np.pi)
    >>> round(kl_divergence(shifted, normal).value, 12)
    0.5
    """
    target = np.asarray(log_target(density.nodes), dtype=np.float64)
    share, own = np.exp(target), np.exp(density.log_density)
    missing = abs(float(share @ density.weights) - 1.0)
    if not missing <= _MOST_MISSING:
        low, high = float(density.nodes[0]), float(density.nodes[-1])
        raise ValueError(
            f"log_target: its mass on the nodes, in [{low:.6g}, {high:.6g}], misses 1 by "
            f"{missing:.2g}; it must be within 1e-6: pass a normalised log density, run with a "
            "wider interval, or stop a flow before it tears the gaps between data"
        )
    ratio = np.where(share > 0.0, target, density.log_density) - density.log_density
    near = (np.abs(ratio) < 1.0) & (share > 0.0)
    small = np.where(near, ratio, 0.0)
    integrand = np.where(near, share * (small + np.expm1(-small)), own - share + share * ratio)
    value = float(integrand @ density.weights)
    error = _quadrature_error(integrand * density.weights, density.uniform)
    # What lies beyond the nodes, at the ratio of their ends.
    error += max(0.0, missing - _ROUNDING) * max(abs(float(ratio[0])), abs(float(ratio[-1])))
    error += abs(float((own - share) @ density.weights))
    if density.log_density_error is not None:
        error += float(np.abs(own - share) * density.weights @ density.log_density_error)
    return Estimate(value, error + 4.0 * float(np.finfo(np.float64).eps) * abs(value))


def _quadrature_error(terms: Array, uniform: bool) -> float:
    """Estimate the error of the sum of terms, weight times integrand, of a smooth integrand."""
    if uniform:
        # The error of the trapezoid rule of a smooth function squares when the spacing is halved.
        gap = abs(float(terms[::2].sum() - terms[1::2].sum()))
        total = float(np.abs(terms).sum())
        return gap * min(1.0, gap / total) if total > 0.0 else 0.0
    tail, size = unresolved(terms.reshape(-1, ORDER) / unit_rule()[1])
    return 2.0 * float(
        np.sum(tail * np.divide(tail, size, out=np.zeros_like(tail), where=size > 0))
    )
