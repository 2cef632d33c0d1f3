"""Standard normals keyed by path, draw and coordinate, written to become vector code.

One Philox block gives two uniforms of 53 bits, and Box–Muller two normals from them, for the
coordinates 2j and 2j + 1 of one path at one draw. Logarithm, sine and cosine are evaluated here,
by fused multiply-adds, so that the loop over paths is straight vector code and its bits depend on
neither the processor nor its mathematical library.

Source: Box, Muller, "A note on the generation of random normal deviates", 1958.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, prange, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from numerics.counter_streams import Key, philox
from numerics.vector_exp import fused

Array = NDArray[np.float64]

#: Paths that one thread handles together.
_TOGETHER = 256

# Normals below which one thread is enough (about a millisecond).
_SMALL = 50_000

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_DROPPED = np.uint64(11)
_ONE = np.uint64(1)
_QUARTER_BITS = np.uint64(51)
_QUARTER_MASK = np.uint64(2**51 - 1)
_UNIT = 2.0**-53
_LOG_2 = math.log(2.0)
_ROOT_HALF_BITS = np.int64(np.float64(math.sqrt(0.5)).view(np.int64))
_MANTISSA_BITS = np.int64(52)


@intrinsic
def _as_integer(typingctx: Any, number: Any) -> Any:
    """Return the bits of a double."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _as_double(typingctx: Any, bits: Any) -> Any:
    """Return the double with these bits."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


_bits = cast("Callable[[float], np.int64]", _as_integer)
_double = cast("Callable[[np.int64], float]", _as_double)


@njit(cache=True, error_model="numpy", forceinline=True)
def _minus_log(u: float) -> float:
    """Return -log(u) for 0 < u <= 1 within four units of roundoff.

    ``u = 2**n m`` with m in [sqrt(1/2), sqrt(2)), and log m = 2 artanh s for s = (m - 1)/(m + 1):
    s**2 < 0.0295, so that the series may stop before its term s**22 / 23 < 7e-19.
    """
    bits = _bits(u)
    n = (bits - _ROOT_HALF_BITS) >> _MANTISSA_BITS
    m = _double(bits - (n << _MANTISSA_BITS))
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = fused(q, 1.0 / 21.0, 1.0 / 19.0)
    p = fused(p, q, 1.0 / 17.0)
    p = fused(p, q, 1.0 / 15.0)
    p = fused(p, q, 1.0 / 13.0)
    p = fused(p, q, 1.0 / 11.0)
    p = fused(p, q, 1.0 / 9.0)
    p = fused(p, q, 1.0 / 7.0)
    p = fused(p, q, 1.0 / 5.0)
    p = fused(p, q, 1.0 / 3.0)
    p = fused(p, q, 1.0)
    return fused(float(n), -_LOG_2, -2.0 * s * p)


@njit(cache=True, forceinline=True)
def _cosine_sine(turn: float) -> tuple[float, float]:
    """Return cos(2 pi turn), sin(2 pi turn) for |turn| <= 1/8 within three units of roundoff.

    Taylor polynomials of an angle below pi/4: the first terms left out are below 3e-18 (cosine)
    and, divided by the angle, 2e-19 (sine).
    """
    t = turn * (2.0 * math.pi)
    q = t * t
    c = fused(q, 1.0 / 20922789888000.0, -1.0 / 87178291200.0)
    c = fused(c, q, 1.0 / 479001600.0)
    c = fused(c, q, -1.0 / 3628800.0)
    c = fused(c, q, 1.0 / 40320.0)
    c = fused(c, q, -1.0 / 720.0)
    c = fused(c, q, 1.0 / 24.0)
    c = fused(c, q, -0.5)
    c = fused(c, q, 1.0)
    s = fused(q, 1.0 / 355687428096000.0, -1.0 / 1307674368000.0)
    s = fused(s, q, 1.0 / 6227020800.0)
    s = fused(s, q, -1.0 / 39916800.0)
    s = fused(s, q, 1.0 / 362880.0)
    s = fused(s, q, -1.0 / 5040.0)
    s = fused(s, q, 1.0 / 120.0)
    s = fused(s, q, -1.0 / 6.0)
    return c, fused(s * q, t, t)


@njit(cache=True, forceinline=True)
def _box_muller(w0: np.uint64, w1: np.uint64, w2: np.uint64, w3: np.uint64) -> tuple[float, float]:
    """Return two normals from four 32-bit words.

    The radius is sqrt(-2 log u) for u = (n + 1) 2**-53 in (0, 1], so at most 8.58; the angle is
    2 pi (v - 1/8) for v = n 2**-53 in [0, 1), where the eighth centres each quarter turn.
    """
    first = ((w1 << _HALF) | w0) >> _DROPPED
    second = ((w3 << _HALF) | w2) >> _DROPPED
    radius = math.sqrt(2.0 * _minus_log(float(np.int64(first + _ONE)) * _UNIT))
    quarter = second >> _QUARTER_BITS
    cosine, sine = _cosine_sine(float(np.int64(second & _QUARTER_MASK)) * _UNIT - 0.125)
    odd = (quarter & _ONE) != 0
    half = quarter > _ONE
    x = -sine if odd else cosine
    y = cosine if odd else sine
    return radius * (-x if half else x), radius * (-y if half else y)


@njit(cache=True)
def fill_normals(key: Key, first_path: int, lanes: int, draw: int, out: Array) -> None:
    """Write the normals of ``lanes`` paths at one draw into ``out`` (an even number >= d, lanes).

    The counter is (path, draw, pair of coordinates), with 64, 32 and 32 bits.
    """
    k0 = key[0]
    k1 = key[1]
    c2 = np.uint64(draw)
    for pair in range(out.shape[0] // 2):
        c3 = np.uint64(pair)
        for p in range(lanes):
            path = np.uint64(first_path + p)
            w0, w1, w2, w3 = philox(path & _LOW, path >> _HALF, c2, c3, k0, k1)
            x, y = _box_muller(w0, w1, w2, w3)
            out[2 * pair, p] = x
            out[2 * pair + 1, p] = y


@njit(cache=True)
def _block(key: Key, first_path: int, draw: int, first: int, last: int, out: Array) -> None:
    """Write rows ``first`` to ``last`` of ``out`` (M, d)."""
    dimension = out.shape[1]
    lanes = last - first
    drawn = np.empty((dimension + dimension % 2, lanes))
    fill_normals(key, first_path + first, lanes, draw, drawn)
    for p in range(lanes):
        for c in range(dimension):
            out[first + p, c] = drawn[c, p]


@njit(cache=True, parallel=True)
def _parallel_blocks(key: Key, first_path: int, draw: int, out: Array) -> None:
    blocks = (out.shape[0] + _TOGETHER - 1) // _TOGETHER
    for index in prange(blocks):
        first = int(np.int64(index)) * _TOGETHER  # prange counts in uint64
        _block(key, first_path, draw, first, min(first + _TOGETHER, out.shape[0]), out)


def keyed_normals(key: Key, *, first_path: int, paths: int, draw: int, dimension: int) -> Array:
    """Return the standard normals of some paths at one draw.

    Parameters
    ----------
    key : ndarray of uint64, shape (2,)
        From ``numerics.counter_streams.stream_key``.
    first_path : int
        Index of the first path, at least 0; all indices stay below 2**63.
    paths : int
        Their number M.
    draw : int
        Which draw of a path, in [0, 2**32): the samplers start from draw 0, and use draw k + 1
        for the noise of step k.
    dimension : int
        The dimension d.

    Returns
    -------
    ndarray, shape (M, d)
        Row m depends on the key, ``first_path + m`` and ``draw`` only, entry by entry: neither
        on ``paths``, nor on ``dimension``, nor on the number of threads.

    Examples
    --------
    >>> from numerics.counter_streams import stream_key
    >>> both = keyed_normals(stream_key(0), first_path=0, paths=4, draw=1, dimension=3)
    >>> late = keyed_normals(stream_key(0), first_path=2, paths=2, draw=1, dimension=2)
    >>> bool(np.all(both[2:, :2] == late))
    True
    """
    out = np.empty((paths, dimension))
    if paths * dimension <= _SMALL:
        for first in range(0, paths, _TOGETHER):
            _block(key, first_path, draw, first, min(first + _TOGETHER, paths), out)
    else:
        _parallel_blocks(key, first_path, draw, out)
    return out
