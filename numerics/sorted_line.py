"""Points on a line: whole boxes of sorted points summed through their Taylor moments.

For a box with centre ``c`` put ``tau = (mu c - x)/sigma`` and ``s_j = mu (y_j - c)/sigma``.  Then
``exp(-(tau + s_j)^2/2) = exp(-tau^2/2) exp(-s_j^2/2) exp(-tau s_j)`` and the box contributes
``exp(-tau^2/2) P(tau)`` with ``P(tau) = sum_k A_k tau^k``,
``A_k = sum_j m_j exp(-s_j^2/2) (-s_j)^k / k!``.  One exponential replaces 64.  The sum of weight
times residual is ``sigma exp(-tau^2/2) (tau P - P')`` and of its square
``sigma^2 exp(-tau^2/2) (tau^2 P - 2 tau P' + P'')``.

A box is summed this way only where ``|tau s_j| <= 0.6`` and ``|s_j| <= 0.2``; the 16 terms kept
then leave ``0.6**16 / 16! * exp(1.2) < 4.5e-17`` of the box's mass, and of the residual sum less
than ``0.2 * 0.6**15 / 15! * exp(1.2) < 2.4e-16`` times sigma times that mass.  Other boxes are
summed point by point.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.packed_points import LANES
from numerics.streaming_sums import (
    QUERIES_TOGETHER,
    UNIT,
    add_to,
    block_exponents,
    block_weights,
    weighted_sum,
    worth_threads,
)
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]

TERMS = 16
_LARGEST_PRODUCT = 0.6
_LARGEST_WIDTH = 0.2

#: Error of a Taylor sum relative to the mass: 64 additions in the moments, 48 roundings of the
#: powers, 32 of Horner's rule, 12 for tau, all times exp(1.2) as terms have both signs.
TAYLOR_ERROR = 520.0 * UNIT


@njit(cache=True)
def taylor_moments(
    blocks: Array, masses: Array, box_low: Array, box_high: Array, mu: float, sigma: float
) -> tuple[Array, Array, Array]:
    """Return the moments ``A`` (TERMS, B), centres (B,) and widths (B,) in units of sigma.

    The width is infinite for boxes too wide to be summed by moments.
    """
    boxes = blocks.shape[0]
    moments = np.zeros((TERMS, boxes))
    centres = np.empty(boxes)
    widths = np.full(boxes, np.inf)
    inverse = 1.0 / sigma
    for b in range(boxes):
        low = box_low[b, 0]
        high = box_high[b, 0]
        centre = min(max(0.5 * low + 0.5 * high, low), high)
        centres[b] = centre
        width = mu * max(high - centre, centre - low) * inverse * (1.0 + 1e-12)
        if width > _LARGEST_WIDTH:
            continue
        widths[b] = width
        for j in range(LANES):
            s = mu * (blocks[b, 0, j] - centre) * inverse
            term = masses[b, j] * decay(0.5 * s * s)
            for k in range(TERMS):
                moments[k, b] += term
                term *= -s / (k + 1.0)
    return moments, centres, widths


# Compiled without fastmath, so that both callers get the same answer.
@njit(cache=True)
def _fits(tau: float, width: float) -> bool:
    """Tell whether a box at distance ``tau`` may be summed by its moments (False for NaN)."""
    return abs(tau) * width <= _LARGEST_PRODUCT


# The sums may be taken in any order: the bound used for them is gamma_64, valid for every order.
@njit(cache=True, fastmath={"reassoc"})
def _taylor_run(
    first: int,
    last: int,
    query: float,
    moments: Array,
    centres: Array,
    widths: Array,
    mu: float,
    inverse: float,
    smallest: float,
) -> tuple[float, float, float, int]:
    """Sum boxes first..last: mass, mass * residual / sigma, mass * excess, boxes left out."""
    total = 0.0
    residual = 0.0
    square = 0.0
    left = 0
    for b in range(first, last):
        tau = fused(mu, centres[b], -query) * inverse
        fits = _fits(tau, widths[b])
        w = decay(0.5 * tau * tau - smallest)
        w = w if fits else 0.0
        left += 0 if fits else 1
        t = tau if fits else 0.0
        p = moments[TERMS - 1, b]
        slope = 0.0
        bend = 0.0
        for k in range(TERMS - 1):
            bend = fused(bend, t, slope)
            slope = fused(slope, t, p)
            p = fused(p, t, moments[TERMS - 2 - k, b])
        total += w * p
        residual += w * fused(t, p, -slope)
        square += w * fused(t, fused(t, p, -2.0 * slope), 2.0 * bend)
    return total, residual, 0.5 * square - smallest * total, left


@njit(cache=True)
def _first_box(edges: Array, query: float, mu: float, level: float) -> int:
    """Return the first box whose edge has ``mu * edge - query >= level``."""
    low = 0
    high = edges.shape[0]
    while low < high:
        middle = (low + high) // 2
        if fused(mu, edges[middle, 0], -query) < level:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _smallest_exponent(
    queries: Array,
    q: int,
    blocks: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    mu: float,
    scale: float,
    partial: Array,
    exponents: Array,
) -> float:
    """Return the exponent of the nearest point: it lies in one of two neighbouring boxes."""
    found = _first_box(box_high, queries[q, 0], mu, 0.0)
    best = np.inf
    for b in range(max(found - 1, 0), min(found + 1, blocks.shape[0])):
        block_exponents(blocks, b, 1, queries, q, mu, scale, offset, np.inf, partial, exponents)
        for j in range(LANES):
            best = min(best, exponents[j])
    return best


@njit(cache=True)
def _accumulate_query(
    queries: Array,
    q: int,
    blocks: Array,
    masses: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    moments: Array,
    centres: Array,
    widths: Array,
    mu: float,
    sigma: float,
    scale: float,
    cut: float,
    partial: Array,
    exponents: Array,
    weights: Array,
    state: Array,
    sums: Array,
) -> None:
    x = queries[q, 0]
    inverse = 1.0 / sigma
    smallest = _smallest_exponent(
        queries, q, blocks, offset, box_low, box_high, mu, scale, partial, exponents
    )
    reach = np.sqrt(2.0 * (smallest + cut)) * sigma * (1.0 + 1e-12)
    begin = _first_box(box_high, x, mu, -reach)
    end = _first_box(box_low, x, mu, reach)
    total, total_low = 0.0, 0.0
    residual, residual_low = 0.0, 0.0
    excess = 0.0
    for first in range(begin, end, LANES):
        last = min(first + LANES, end)
        mass, moved, above, left = _taylor_run(
            first, last, x, moments, centres, widths, mu, inverse, smallest
        )
        total, total_low = add_to(total, total_low, mass)
        residual, residual_low = add_to(residual, residual_low, moved * sigma)
        excess += above
        if left == 0:
            continue
        for b in range(first, last):
            tau = fused(mu, centres[b], -x) * inverse
            if _fits(tau, widths[b]):
                continue
            block_exponents(blocks, b, 1, queries, q, mu, scale, offset, np.inf, partial, exponents)
            mass, above, _ = block_weights(exponents, smallest, masses, offset, b, weights)
            moved = weighted_sum(blocks, b, 0, mu, x, weights)
            total, total_low = add_to(total, total_low, mass)
            residual, residual_low = add_to(residual, residual_low, moved)
            excess += above
    state[0] = smallest
    state[1] = total + total_low
    # The excess was found as a difference: add the roundoff that this can leave.
    state[2] = max(excess, 0.0) + 4e-13 * smallest * state[1]
    sums[0] = residual + residual_low


@njit(cache=True, parallel=True)
def _accumulate_line_parallel(
    queries: Array,
    blocks: Array,
    masses: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    mu: float,
    sigma: float,
    scale: float,
    cut: float,
    state: Array,
    sums: Array,
) -> None:
    """``accumulate_line`` with threads."""
    moments, centres, widths = taylor_moments(blocks, masses, box_low, box_high, mu, sigma)
    chunks = (queries.shape[0] + QUERIES_TOGETHER - 1) // QUERIES_TOGETHER
    for chunk in prange(chunks):
        partial = np.empty(LANES)
        exponents = np.empty(LANES)
        weights = np.empty(LANES)
        first = chunk * QUERIES_TOGETHER
        for q in range(first, min(first + QUERIES_TOGETHER, queries.shape[0])):
            _accumulate_query(
                queries, q, blocks, masses, offset, box_low, box_high, moments, centres, widths,
                mu, sigma, scale, cut, partial, exponents, weights, state[q], sums[q],
            )  # fmt: skip


@njit(cache=True)
def _accumulate_line_serial(
    queries: Array,
    blocks: Array,
    masses: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    mu: float,
    sigma: float,
    scale: float,
    cut: float,
    state: Array,
    sums: Array,
) -> None:
    """``accumulate_line`` without threads, the same bits."""
    moments, centres, widths = taylor_moments(blocks, masses, box_low, box_high, mu, sigma)
    chunks = (queries.shape[0] + QUERIES_TOGETHER - 1) // QUERIES_TOGETHER
    for chunk in range(chunks):
        partial = np.empty(LANES)
        exponents = np.empty(LANES)
        weights = np.empty(LANES)
        first = chunk * QUERIES_TOGETHER
        for q in range(first, min(first + QUERIES_TOGETHER, queries.shape[0])):
            _accumulate_query(
                queries, q, blocks, masses, offset, box_low, box_high, moments, centres, widths,
                mu, sigma, scale, cut, partial, exponents, weights, state[q], sums[q],
            )  # fmt: skip


def accumulate_line(
    queries: Array,
    blocks: Array,
    masses: Array,
    offset: Array,
    box_low: Array,
    box_high: Array,
    mu: float,
    sigma: float,
    scale: float,
    cut: float,
    state: Array,
    sums: Array,
) -> None:
    """Fill ``state`` (M, 5) and ``sums`` (M, 1) as ``streaming_sums.accumulate`` does for a score.

    ``masses`` (B, 64) are the mantissas of weights that share one exponent, so only the padding
    has an offset, and the nearest point has the smallest exponent.
    """
    threads = worth_threads(queries.shape[0], blocks.shape[0], 1)
    kernel = _accumulate_line_parallel if threads else _accumulate_line_serial
    kernel(
        queries, blocks, masses, offset, box_low, box_high, mu, sigma, scale, cut, state, sums,
    )  # fmt: skip
