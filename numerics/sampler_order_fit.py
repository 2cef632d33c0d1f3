"""The order of convergence that measured differences on nested grids show, with its band.

The difference of two grids falls like D_l ≈ C 2^(-p l) (1 + c 2^(-l)), with l halvings of the
coarsest step. So log2 D_l is fitted by a - p l + b 2^(-l), by least squares: the last term takes
what is left of the coarse grids' own behaviour. The order reported leaves the coarsest difference
out, and its band has two parts. One is statistical: independent batches of paths, left out in
turn (the jackknife), with Student's t. The other is how much the order changes when the coarsest
difference takes part: the error of the fitted form falls fourfold from one level to the next, so
that change exceeds what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]
Kind = Literal["strong", "weak"]

#: Independent batches of paths.
BATCHES = 32

#: Differences needed: three parameters, and one difference to leave out.
FEWEST_LEVELS = 4

# Differences that are smaller, relative to the states, measure rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredOrder:
    """A measured order of convergence.

    Attributes
    ----------
    method, kind : str
        What was measured; kind is "strong" or "weak".
    step_sizes : ndarray, shape (L,)
        The longest step h of each grid; its difference is to the grid of h/2.
    differences, standard_errors : ndarray, shape (L,)
        Strong: (E |Y_h - Y_{h/2}|²)^(1/2). Weak: |E f(Y_h) - E f(Y_{h/2})|.
    order : float
        The fitted order, without the coarsest difference.
    half_width : float
        ``statistical + sensitivity``, the half-width of the band around it.
    statistical : float
        Student's t times the jackknife's standard error.
    sensitivity : float
        Change of the order when the coarsest difference takes part.
    confidence : float
        Confidence of the statistical part.
    """

    method: str
    kind: Kind
    step_sizes: Array
    differences: Array
    standard_errors: Array
    order: float
    half_width: float
    statistical: float
    sensitivity: float
    confidence: float

    @property
    def band(self) -> tuple[float, float]:
        """The ends of the band."""
        return self.order - self.half_width, self.order + self.half_width


def order_weights(levels: int) -> Array:
    """Return the weights (L,) that take log2 D_l, l = 0, 1, ..., to the fitted order.

    Examples
    --------
    >>> level = np.arange(4)
    >>> float(order_weights(4) @ np.log2(2.0 ** (-1.5 * level)).round(9)).__round__(9)
    1.5
    """
    level = np.arange(levels)
    design = np.stack([np.ones(levels), -level, 2.0**-level], axis=1)
    return np.asarray(np.linalg.pinv(design)[1])


def fitted_order(
    values: Array, *, scale: float, step_sizes: Array, method: str, kind: Kind, confidence: float
) -> MeasuredOrder:
    """Return the order that the paths' differences show.

    Parameters
    ----------
    values : ndarray, shape (M, L)
        Per path and level |Y_h - Y_{h/2}|² (strong) or f(Y_h) - f(Y_{h/2}) (weak).
    scale : float
        Size of the states, or of f, beside which differences must exceed rounding.
    step_sizes : ndarray, shape (L,)
    method, kind : str
        Passed on; kind also says how a mean of values becomes a difference.
    confidence : float
        Of the statistical part of the band, in (0, 1).

    Raises
    ------
    ValueError
        One line, if a difference is of the size of rounding.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = 4.0 ** -np.arange(5.0) * rng.exponential(size=(1000, 1))
    >>> fit = fitted_order(values, scale=1.0, step_sizes=2.0 ** -np.arange(5.0), method="-",
    ...                    kind="strong", confidence=0.99)
    >>> round(fit.order, 6), fit.half_width < 1e-9
    (1.0, True)
    """
    batches = np.array_split(values, BATCHES)
    sums = np.array([batch.sum(axis=0) for batch in batches])
    counts = np.array([[len(batch)] for batch in batches])
    without = (sums.sum(axis=0) - sums) / (len(values) - counts)
    means = np.vstack([values.mean(axis=0), without])
    differences = np.sqrt(means) if kind == "strong" else np.abs(means)
    if not np.all(differences > _ROUNDING * scale):
        level = int(np.argmin(differences.min(axis=0)))
        raise ValueError(
            f"levels = {values.shape[1]}: the difference at level {level} is "
            f"{differences[0, level]:.3g}, which is rounding; take fewer levels or longer steps"
        )
    logarithms = np.log2(differences)
    levels = values.shape[1]
    orders = logarithms[:, 1:] @ order_weights(levels - 1)
    everything = logarithms[:, :] @ order_weights(levels)
    quantile = float(stdtrit(BATCHES - 1, 0.5 * (1.0 + confidence)))
    statistical = quantile * float(_jackknife(orders[1:]))
    sensitivity = abs(float(everything[0] - orders[0]))
    return MeasuredOrder(
        method,
        kind,
        step_sizes,
        differences[0],
        np.asarray(_jackknife(differences[1:])),
        float(orders[0]),
        statistical + sensitivity,
        statistical,
        sensitivity,
        confidence,
    )


def _jackknife(left_out: Array) -> Array:
    """Return standard errors from the values with one batch (axis 0) left out."""
    number = len(left_out)
    spread = np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0)
    return np.asarray(np.sqrt(spread * (number - 1) / number))
