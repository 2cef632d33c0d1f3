"""Exponential of a negative number, written so that LLVM vectorises it inside a numba loop.

``math.exp`` is an opaque scalar call in numba.  Here ``exp(-z) = 2**n * exp(r)`` with
``|r| <= log(2)/2``, the polynomial is evaluated by fused multiply-adds and the power of two is
written into the exponent bits, so a loop over ``decay`` becomes straight vector code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: Largest argument whose decay is not flushed to zero: ``exp(-700)`` is about 1e-304.
LARGEST_DECAY = 700.0

#: Bound on the relative error of ``decay``: 1.2 units of roundoff were measured against mpmath
#: (tests/test_empirical_score_accuracy.py), the analysis below gives less than 3 of them.
#: Reduction 0.35 u (absolute, as ``r``), polynomial truncation 0.04 u, Horner's last step
#: (``1 + r * q`` with ``r * q`` below 0.42) 1.4 u with the propagated error of ``q``.
DECAY_ERROR = 3.0 * 2.0**-53

_LOG2_E = 1.4426950408889634
# log(2) split so that n * _LOG_2_HIGH is exact for every n met here (it ends in 21 zero bits).
_LOG_2_HIGH = float.fromhex("0x1.62e42feep-1")
_LOG_2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
# Adding this rounds to the nearest integer and leaves that integer in the low mantissa bits.
_ROUNDER = 6755399441055744.0


@intrinsic
def _fused(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c`` with one rounding (the ``llvm.fma`` instruction)."""
    double = types.float64

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.DoubleType()
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(kind, [kind, kind, kind]), "llvm.fma.f64"
        )
        return builder.call(function, arguments)

    return double(double, double, double), codegen


#: ``fused(a, b, c)`` is ``a * b + c`` with one rounding, inside compiled functions only.
fused = cast("Callable[[float, float, float], float]", _fused)


@intrinsic
def _exponent_bits(typingctx: Any, rounded: Any) -> Any:
    """Return ``2**n`` for ``rounded = _ROUNDER + n`` by moving ``n`` into the exponent bits."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.bitcast(arguments[0], word)
        exponent = builder.add(builder.shl(bits, word(52)), word(1023 << 52))
        return builder.bitcast(exponent, ir.DoubleType())

    return types.float64(types.float64), codegen


_power_of_two = cast("Callable[[float], float]", _exponent_bits)


@njit(cache=True)
def decay(z: float) -> float:
    """Return ``exp(-z)`` for ``z >= -1``, and 0 for ``z > LARGEST_DECAY``.

    Relative error at most ``DECAY_ERROR``.
    """
    near = z if z < LARGEST_DECAY else LARGEST_DECAY
    rounded = fused(near, -_LOG2_E, _ROUNDER)
    n = rounded - _ROUNDER
    r = fused(n, -_LOG_2_HIGH, -near)
    r = fused(n, -_LOG_2_LOW, r)
    # Taylor coefficients 1/k!: the remainder is below 0.3466**14 / 14! < 4.2e-18.
    p = fused(1.6059043836821613e-10, r, 2.08767569878681e-09)
    p = fused(p, r, 2.505210838544172e-08)
    p = fused(p, r, 2.755731922398589e-07)
    p = fused(p, r, 2.7557319223985893e-06)
    p = fused(p, r, 2.48015873015873e-05)
    p = fused(p, r, 0.0001984126984126984)
    p = fused(p, r, 0.001388888888888889)
    p = fused(p, r, 0.008333333333333333)
    p = fused(p, r, 0.041666666666666664)
    p = fused(p, r, 0.16666666666666666)
    p = fused(p, r, 0.5)
    p = fused(p, r, 1.0)
    p = fused(p, r, 1.0)
    value = p * _power_of_two(rounded)
    return value if z <= LARGEST_DECAY else 0.0
