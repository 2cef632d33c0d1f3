r"""The functions of one axis at many places at once, exactly, inside compiled code.

Gaussians. Of equally spaced centres c + kΔ, k = -H..H, of width w, with u = (x - c)/w and r = Δ/w,

    exp(-(u - k r)²/2) = exp(-u²/2) exp(r u)^k exp(-k² r²/2),

so a group of centres takes two exponentials, one division and two products per centre; a sum over
the group takes one product per centre, by Horner's rule in exp(r u) and in exp(-r u). A group has
H r <= 16, and u is cut off at ± (H r + 8.6): beyond that every value of the group, and so the
error, is below exp(-8.6²/2) < 1e-16 of the peak. Groups of one centre take any centres.

Fourier. Cosine and sine of one angle, from polynomials of relative error below 1e-16 on
[-π/4, π/4], then the others by adding angles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numerics.features import FourierAxis, GaussianAxis
from numerics.vector_exp import decay, fused

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Widths beyond which a Gaussian is below 1e-16 of its peak, and the most widths that a group
# reaches to either side: exponents stay below (16 + 8.6)²/2 = 303 and 16 (16 + 8.6) = 394.
_CUT = 8.6
_REACH = 16.0

# Adding this rounds to the nearest integer.
_ROUNDER = 6755399441055744.0


class AxisPlan(NamedTuple):
    """What the kernel needs of an axis.

    ``kind`` is 0 for Gaussians and 1 for Fourier functions. Group g of Gaussians has the features
    first[g] to first[g + 1] - 1, its anchor at feature middle[g] and place anchor[g], and its u is
    cut off at cut[g]. ``scale`` is 1/w, or 1/period; factor[j] is exp(-k²r²/2)/(w √(2π)) for
    feature j, k places from its anchor, and ``ratio`` is r.
    """

    kind: int
    features: int
    first: Integers
    middle: Integers
    anchor: Array
    cut: Array
    scale: float
    ratio: float
    factor: Array
    cosines: int


class Scratch(NamedTuple):
    """Five arrays (lanes,): rows of one array would hide from LLVM that they do not overlap."""

    first: Array
    second: Array
    third: Array
    fourth: Array
    fifth: Array


@njit(cache=True)
def new_scratch(lanes: int) -> Scratch:
    """Return arrays to work in."""
    return Scratch(
        np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    )


def axis_plan(axis: GaussianAxis | FourierAxis) -> AxisPlan:
    """Return the plan of an axis.

    Examples
    --------
    >>> axis_plan(GaussianAxis(np.linspace(-1.5, 1.5, 16), 0.1)).first.tolist()
    [0, 16]
    """
    none, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    if isinstance(axis, FourierAxis):
        return AxisPlan(
            1, axis.count, whole, whole, none, none, 1.0 / axis.period, 0.0, none, axis.cosines
        )
    count, width = axis.count, axis.width
    even = np.linspace(axis.centres[0], axis.centres[-1], count)
    spacing = (axis.centres[-1] - axis.centres[0]) / (count - 1)
    ratio = spacing / width
    # A few units in the last place: u is then as exact as the centres.
    slack = 4.0 * np.finfo(float).eps * np.abs(axis.centres).max()
    half = int(_REACH / ratio) if np.all(np.abs(axis.centres - even) <= slack) else 0
    groups = -(-count // (2 * half + 1))
    first = np.array([count * g // groups for g in range(groups + 1)], dtype=np.int64)
    middle = (first[:-1] + first[1:]) // 2
    reach = np.maximum(middle - first[:-1], first[1:] - 1 - middle)
    offset = np.arange(count) - np.repeat(middle, np.diff(first))
    peak = 1.0 / (width * math.sqrt(2.0 * math.pi))
    return AxisPlan(
        0,
        count,
        first,
        middle,
        axis.centres[middle],
        reach * ratio + _CUT,
        1.0 / width,
        ratio,
        peak * np.exp(-0.5 * (offset * ratio) ** 2),
        0,
    )


@njit(cache=True)
def own_plan(plan: AxisPlan) -> AxisPlan:
    """Return a copy of a thread's own: reference counts of shared arrays would slow all threads."""
    return AxisPlan(
        plan.kind,
        plan.features,
        plan.first.copy(),
        plan.middle.copy(),
        plan.anchor.copy(),
        plan.cut.copy(),
        plan.scale,
        plan.ratio,
        plan.factor.copy(),
        plan.cosines,
    )


# Vector code needs the division without a check, and comparisons in place of min and max.
@njit(cache=True, error_model="numpy")
def _powers(x: Array, plan: AxisPlan, g: int, bell: Array, rise: Array, fall: Array) -> None:
    """Write exp(-u²/2), exp(r u) and exp(-r u) (lanes,) for the anchor of group g."""
    anchor, cut, scale, ratio = plan.anchor[g], plan.cut[g], plan.scale, plan.ratio
    for p in range(len(x)):
        u = (x[p] - anchor) * scale
        u = u if u < cut else cut
        u = u if u > -cut else -cut
        small = decay(ratio * abs(u))
        large = 1.0 / small
        bell[p] = decay(0.5 * u * u)
        rise[p] = large if u > 0.0 else small
        fall[p] = small if u > 0.0 else large


@njit(cache=True)
def _multiply(power: Array, by: Array, factor: float, out: Array) -> None:
    """Multiply power (lanes,) by ``by``, and write factor times it."""
    for p in range(len(power)):
        value = power[p] * by[p]
        power[p] = value
        out[p] = factor * value


@njit(cache=True)
def fill_gaussians(x: Array, plan: AxisPlan, scratch: Scratch, out: Array) -> None:
    """Write the densities (count, lanes) at places (lanes,)."""
    bell, rise, fall, power, _ = scratch
    for g in range(len(plan.anchor)):
        middle = plan.middle[g]
        _powers(x, plan, g, bell, rise, fall)
        power[:] = 1.0
        _multiply(power, bell, plan.factor[middle], out[middle])
        for j in range(middle + 1, plan.first[g + 1]):
            _multiply(power, rise, plan.factor[j], out[j])
        power[:] = bell
        for j in range(middle - 1, plan.first[g] - 1, -1):
            _multiply(power, fall, plan.factor[j], out[j])


@njit(cache=True)
def _horner(terms: Array, length: int, at: Array, out: Array) -> None:
    """Write Σ_k terms_k at^k (lanes,) over k < length, a multiple of eight."""
    lanes = len(at)
    for p in range(lanes):
        out[p] = 0.0
    for k in range(length - 8, -1, -8):
        c0, c1, c2, c3 = terms[k], terms[k + 1], terms[k + 2], terms[k + 3]
        c4, c5, c6, c7 = terms[k + 4], terms[k + 5], terms[k + 6], terms[k + 7]
        for p in range(lanes):
            z = at[p]
            high = fused(fused(fused(fused(out[p], z, c7), z, c6), z, c5), z, c4)
            out[p] = fused(fused(fused(fused(high, z, c3), z, c2), z, c1), z, c0)


@njit(cache=True)
def _combine(
    bell: Array, rise: Array, fall: Array, above: Array, below: Array, central: float, out: Array
) -> None:
    """Add bell (central + rise above + fall below) to out, all (lanes,)."""
    for p in range(len(out)):
        total = fused(above[p], rise[p], fused(below[p], fall[p], central))
        out[p] = fused(bell[p], total, out[p])


@njit(cache=True)
def sum_gaussians(
    x: Array, plan: AxisPlan, row: Array, scratch: Scratch, terms: Array, out: Array
) -> None:
    """Write Σ_j row_j f_j(x) (lanes,); terms are (2, count + 8 or more)."""
    bell, rise, fall, above, below = scratch
    out[:] = 0.0
    for g in range(len(plan.anchor)):
        first, middle, last = plan.first[g], plan.middle[g], plan.first[g + 1]
        _powers(x, plan, g, bell, rise, fall)
        # The terms of exp(± k r u), k = 1, 2, ..., in eights with zeros added.
        length = -(-max(middle - first, last - 1 - middle) // 8) * 8
        terms[:, :length] = 0.0
        for j in range(middle + 1, last):
            terms[0, j - middle - 1] = row[j] * plan.factor[j]
        for j in range(first, middle):
            terms[1, middle - 1 - j] = row[j] * plan.factor[j]
        _horner(terms[0], length, rise, above)
        _horner(terms[1], length, fall, below)
        _combine(bell, rise, fall, above, below, row[middle] * plan.factor[middle], out)


@njit(cache=True)
def turn(s: float) -> tuple[float, float]:
    """Return cos(2πs) and sin(2πs) for |s| < 1e9, with absolute errors below 3e-16."""
    s -= (s + _ROUNDER) - _ROUNDER
    quarter = (4.0 * s + _ROUNDER) - _ROUNDER
    a = 6.283185307179586 * (s - 0.25 * quarter)
    z = a * a
    # Taylor: the remainders at π/4 are below 4e-18 (cosine) and 2e-19 (sine).
    c = fused(4.779477332387385e-14, -z, 1.1470745597729725e-11)
    c = fused(c, -z, 2.08767569878681e-09)
    c = fused(c, -z, 2.755731922398589e-07)
    c = fused(c, -z, 2.48015873015873e-05)
    c = fused(c, -z, 0.001388888888888889)
    c = fused(c, -z, 0.041666666666666664)
    c = fused(c, -z, 0.5)
    c = fused(c, -z, 1.0)
    b = fused(2.8114572543455206e-15, -z, 7.647163731819816e-13)
    b = fused(b, -z, 1.6059043836821613e-10)
    b = fused(b, -z, 2.505210838544172e-08)
    b = fused(b, -z, 2.7557319223985893e-06)
    b = fused(b, -z, 0.0001984126984126984)
    b = fused(b, -z, 0.008333333333333333)
    b = fused(b, -z, 0.16666666666666666)
    b = fused(b, -z, 1.0) * a
    # A quarter turn to the left takes (c, b) to (-b, c); quarter is -2, -1, 0, 1 or 2.
    odd = abs(quarter) == 1.0
    cosine, sine = (b, c) if odd else (c, b)
    cosine = -cosine if quarter == 1.0 or abs(quarter) == 2.0 else cosine
    sine = -sine if quarter == -1.0 or abs(quarter) == 2.0 else sine
    return cosine, sine


@njit(cache=True)
def _first_angle(x: Array, scale: float, cosine: Array, sine: Array) -> None:
    """Write cos(2π scale x) and sin(2π scale x) (lanes,)."""
    for p in range(len(x)):
        cosine[p], sine[p] = turn(x[p] * scale)


@njit(cache=True)
def _next_angle(cosine: Array, sine: Array, last: Array, partner: Array, out: Array) -> None:
    """Add θ to the angle whose cosine and sine are last and partner; write the cosine to out."""
    for p in range(len(out)):
        c, s = last[p], partner[p]
        value = c * cosine[p] - s * sine[p]
        last[p] = value
        out[p] = value
        partner[p] = s * cosine[p] + c * sine[p]


@njit(cache=True)
def fill_fourier(x: Array, plan: AxisPlan, scratch: Scratch, out: Array) -> None:
    """Write the Fourier functions (count, lanes) at places (lanes,)."""
    cosine, sine, last, partner, _ = scratch
    sines = plan.features - 1 - plan.cosines
    out[0] = 1.0
    if plan.cosines == 0:
        return
    _first_angle(x, plan.scale, cosine, sine)
    out[1] = cosine
    last[:] = cosine
    partner[:] = sine
    # Of an even count the last sine is no feature.
    for n in range(1, plan.cosines + 1):
        if n > 1:
            _next_angle(cosine, sine, last, partner, out[n])
        if n <= sines:
            out[plan.cosines + n] = partner
