"""Gaussian data with the plug-in N(x̄, ŝ² I): losses and score stability by Gauss quadrature.

With v̂ = mu² ŝ² + sigma² the trained score is −(x − mu x̄)/v̂. The losses depend on the sample
through ŝ² alone, whose law is a scaled χ²; score stability depends on the squared deviations of the
N − 1 kept points, on the replaced point u and the fresh point w about their mean, which are
correlated Gaussians. Four Gauss rules give it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

Array = NDArray[np.float64]

_MOST_NODES = 1_000_000


@dataclass(frozen=True, slots=True)
class PlugInLosses:
    """Expectations at one time for the plug-in score, and each one's error estimate.

    ``values`` and ``errors`` have the keys ``E_l_dsm``, ``E_l_dsm_hat``, ``E_l_sm``,
    ``eps_stab_squared`` and ``E_l_dsm_replaced``.
    """

    values: dict[str, float]
    errors: dict[str, float]


def chi_square_rule(degrees: int, order: int) -> tuple[Array, Array]:
    """Return nodes and weights of the Gauss rule for the χ² law, weights adding up to one.

    Zero degrees of freedom give the point mass at zero. The rule comes from the recurrence of the
    Laguerre polynomials, which stays finite for any number of degrees.

    Examples
    --------
    >>> nodes, weights = chi_square_rule(3, 8)
    >>> round(float(weights @ nodes**2), 12)  # variance 6, mean 3
    15.0
    """
    if degrees == 0:
        return np.zeros(1), np.ones(1)
    alpha = degrees / 2 - 1
    j = np.arange(order)
    nodes, vectors = eigh_tridiagonal(2 * j + 1 + alpha, np.sqrt(j[1:] * (j[1:] + alpha)))
    return 2 * nodes, vectors[0] ** 2


def normal_rule(order: int) -> tuple[Array, Array]:
    """Return nodes and weights of the Gauss rule for the standard normal law.

    Examples
    --------
    >>> nodes, weights = normal_rule(8)
    >>> round(float(weights @ nodes**4), 12)
    3.0
    """
    nodes, vectors = eigh_tridiagonal(np.zeros(order), np.sqrt(np.arange(1, order)))
    return nodes, vectors[0] ** 2


def plug_in_losses(
    sample_size: int, dimension: int, standard_deviation: float, *, mu: float, sigma: float
) -> PlugInLosses:
    """Compute the losses and the score stability of the plug-in score at one time.

    Errors are twice the difference between two orders of the rules plus 1e-13 of the value: an
    estimate, not a bound.

    Notes
    -----
    Source: farghly2026, Theorem 3, for the plug-in estimator of a Gaussian law. At ``N = 1`` the
    plug-in variance is zero and the score is the empirical score.

    Examples
    --------
    >>> one = plug_in_losses(1, 2, 1.0, mu=0.5, sigma=0.5)
    >>> one.values["E_l_dsm"], one.values["eps_stab_squared"]
    (16.0, 16.0)
    """
    arguments = (sample_size, dimension, standard_deviation**2, mu, sigma**2)
    axes = 4 - (dimension == 1) - (sample_size == 2)  # the others have one node
    order = min(120, int(_MOST_NODES ** (1 / axes)))
    coarse, fine = _at_order(*arguments, 2 * order // 3), _at_order(*arguments, order)
    errors = {name: 2 * abs(fine[name] - coarse[name]) + 1e-13 * abs(fine[name]) for name in fine}
    return PlugInLosses(fine, errors)


def _at_order(n: int, d: int, s2: float, mu: float, sigma2: float, order: int) -> dict[str, float]:
    q, q_weight = chi_square_rule(d * (n - 1), 2 * order)
    estimate = s2 * q / (n * d)
    v_hat = mu**2 * estimate + sigma2
    v = mu**2 * s2 + sigma2
    bias = (v_hat - sigma2) ** 2 / (sigma2 * v_hat**2)
    losses = {
        "E_l_dsm": d * q_weight @ (mu**2 * s2 * (1 + 1 / n) / v_hat**2 + bias),
        "E_l_dsm_hat": d * q_weight @ (mu**2 * estimate / v_hat**2 + bias),
        "E_l_sm": d * q_weight @ (v * (1 / v - 1 / v_hat) ** 2 + mu**2 * s2 / (n * v_hat**2)),
    }
    stability, replaced = _replacement(n, d, s2, mu, sigma2, order)
    return {
        **{name: float(value) for name, value in losses.items()},
        "eps_stab_squared": stability,
        "E_l_dsm_replaced": replaced,
    }


def _replacement(
    n: int, d: int, s2: float, mu: float, sigma2: float, order: int
) -> tuple[float, float]:
    if n == 1:
        return 2 * d * s2 * mu**2 / sigma2**2, 0.0
    kept, kept_weight = chi_square_rule(d * (n - 2), order)
    length, length_weight = chi_square_rule(d, order)
    along, along_weight = normal_rule(order)
    across, across_weight = chi_square_rule(d - 1, order)
    rho, spread = 1 / n, s2 * n / (n - 1)
    # axes: kept points, |u|², the part of w along u, the squared part across
    u2 = spread * length[None, :, None, None]
    w_along = rho * np.sqrt(u2) + np.sqrt((1 - rho**2) * spread) * along[None, None, :, None]
    w2 = w_along**2 + (1 - rho**2) * spread * across[None, None, None, :]
    uw = np.sqrt(u2) * w_along
    base = s2 * kept[:, None, None, None]
    before = mu**2 * (base + (n - 1) / n * u2) / (n * d) + sigma2
    after = mu**2 * (base + (n - 1) / n * w2) / (n * d) + sigma2
    on_w, on_u = (1 - 1 / n) / after - 1 / before, 1 / (n * before)
    change = sigma2 * d * (1 / before - 1 / after) ** 2 + mu**2 * (
        on_w**2 * w2 + 2 * on_w * on_u * uw + on_u**2 * u2
    )
    stability = np.einsum(
        "ijkl,i,j,k,l->",
        change,
        kept_weight,
        length_weight,
        along_weight,
        across_weight,
        optimize=True,
    )
    v_i = before[:, :, 0, 0]
    loss = (mu * (1 - 1 / n)) ** 2 * u2[:, :, 0, 0] / v_i**2 + d * (v_i - sigma2) ** 2 / (
        sigma2 * v_i**2
    )
    replaced = np.einsum("ij,i,j->", loss, kept_weight, length_weight)
    return float(stability), float(replaced)
