"""Data points packed into blocks of 64 with bounding boxes, the layout every kernel reads.

Weights enter as ``weight = mantissa * 2**exponent``: the mantissa multiplies, and the exponent is
added to the squared distance as the offset ``-exponent * log(2)``.  No logarithm is taken, so a
weight of 1e-300 costs no digits, and the offset is known to double-double precision.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Points per block: eight 512-bit vectors, and the length of every inner loop.
LANES = 64

#: Offset of the padding points, so large that their weight is exactly zero.
_PADDING_OFFSET = 1e300

#: Up to this dimension boxes of nearby points are small enough to be worth building.
BOX_DIMENSION = 8

_LOG_2_HIGH = math.log(2.0)
#: log(2) - _LOG_2_HIGH, correct to 2**-107.
_LOG_2_LOW = 2.3190468138462996e-17


class PackedPoints(NamedTuple):
    """Blocks of points; ``blocks`` is (B, d, 64), per-point arrays (B, 64), boxes (B, d)."""

    blocks: Array
    mantissa: Array
    offset: Array
    offset_low: Array
    box_low: Array
    box_high: Array
    box_offset: Array
    number: int
    weight_sum: float


def _nearby_order(data: Array) -> NDArray[np.intp]:
    """Order points so that runs of ``LANES`` are close together (median splits, widest axis)."""
    if data.shape[1] == 1:
        return np.argsort(data[:, 0], kind="stable")
    order = np.arange(data.shape[0])
    if data.shape[1] > BOX_DIMENSION:
        return order
    pending = [(0, order.size)]
    while pending:
        start, stop = pending.pop()
        if stop - start <= LANES:
            continue
        inside = order[start:stop]
        points = data[inside]
        axis = int(np.argmax(points.max(axis=0) - points.min(axis=0)))
        half = ((stop - start) // 2 + LANES - 1) // LANES * LANES
        order[start:stop] = inside[np.argpartition(points[:, axis], half)]
        pending += [(start, start + half), (start + half, stop)]
    return order


def pack_points(data: Array, weights: Array | None) -> PackedPoints:
    """Pack ``data`` (N, d) with ``weights`` (N,), both already validated; drop zero weights."""
    if weights is None:
        mantissa = np.ones(data.shape[0])
        exponent = np.zeros(data.shape[0])
        weight_sum, weight_exponent = float(data.shape[0]), 0
    else:
        kept = weights > 0.0
        data, weights = data[kept], weights[kept]
        mantissa, binary = np.frexp(weights)
        weight_exponent = int(binary.max())
        exponent = (binary - weight_exponent).astype(np.float64)
        weight_sum = math.fsum(np.ldexp(weights, -weight_exponent))
    count, dimension = data.shape
    order = _nearby_order(data)
    groups = -(-count // LANES)
    # The padding repeats the last point, which keeps the boxes tight, with weight zero.
    order = np.concatenate([order, np.full(groups * LANES - count, order[-1])])
    points = data[order].reshape(groups, LANES, dimension)
    mantissa = mantissa[order]
    mantissa[count:] = 0.0
    exponent = exponent[order]
    product = -exponent * _LOG_2_HIGH
    # Dekker's product: the exponent has at most 12 bits, so splitting log(2) once is exact.
    head = np.float64(np.float32(_LOG_2_HIGH))
    error = (-exponent * head - product) + -exponent * (_LOG_2_HIGH - head)
    low = error - exponent * _LOG_2_LOW
    product[count:] = _PADDING_OFFSET
    low[count:] = 0.0
    offset = product.reshape(groups, LANES)
    return PackedPoints(
        blocks=np.ascontiguousarray(points.transpose(0, 2, 1)),
        mantissa=mantissa.reshape(groups, LANES),
        offset=offset,
        offset_low=low.reshape(groups, LANES),
        box_low=points.min(axis=1),
        box_high=points.max(axis=1),
        box_offset=offset.min(axis=1),
        number=count,
        weight_sum=weight_sum,
    )
