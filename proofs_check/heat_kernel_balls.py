"""Heat kernels of the unit circle and sphere as Arb balls of their logarithm.

Each kernel is a sum with a bound on its tail added to the ball, so that every ball contains the
true value, whatever its radius; where that cannot be told, the ball is not a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from flint import acb, arb, ctx, fmpq

#: Boxes that may be tried to bound the sphere's kernel.
_MOST_BOXES = 4000

_NAN = acb("nan")


def _blur(total: acb, first: arb, ratio: arb) -> acb:
    """Add a tail of at most ``first (1 + ratio + ratio^2 + ...)`` in absolute value."""
    if not ratio < 0.5:
        return _NAN
    radius = (first / (1 - ratio)).upper()
    error = arb(0, 1) * radius
    return total + acb(error, error)


def _series(start: acb, term: Callable[[int], acb], tail: Callable[[int], tuple[arb, arb]]) -> acb:
    """Enclose ``start + term(1) + term(2) + ...``.

    ``tail(n)`` returns a bound on ``|term(n)|`` and one on the ratio of the bounds from there on.
    """
    total = start
    n = 1
    while True:
        total = total + term(n)
        n += 1
        first, ratio = tail(n)
        if (ratio < 0.5 and first < arb(2) ** (-ctx.prec)) or n > 60:
            return _blur(total, first, ratio)


@dataclass(frozen=True, slots=True)
class CircleKernel:
    """The logarithm of the unit circle's heat kernel on complex balls, at the present precision."""

    time: arb
    wide: bool
    scale: arb

    @classmethod
    def at(cls, time: arb) -> CircleKernel:
        """Return the kernel; long times take Fourier's series, short ones the images."""
        wide = bool(time > 3)
        scale = (2 * arb.pi()).log() if wide else (4 * arb.pi() * time).log() / 2
        return cls(time, wide, scale)

    def log(self, angle: acb, analytic: bool) -> acb:
        """Enclose ``log k``, holomorphic on the ball if ``analytic``, else not a number.

        The images serve |Re angle| < 3 pi / 2, where the nearest one is factored out; Fourier's
        series serves any angle.  Where holomorphy is asked for, Arb's ball holds a piece of the
        real path; the sum is real and positive there, so the principal logarithm of a ball off
        the negative axis extends the true one.
        """
        factor = self._fourier(angle) if self.wide else self._images(angle)
        if not factor.is_finite():
            return _NAN
        value = factor.log(analytic=analytic) - self.scale
        return value if self.wide else value - angle * angle / (4 * self.time)

    def _images(self, angle: acb) -> acb:
        """Enclose ``sum_n exp(-(4 pi n z + 4 pi^2 n^2) / (4 t))``."""
        pi = arb.pi()
        reach = abs(angle.real).upper()
        if not reach < 3 * pi / 2:
            return _NAN
        rate = pi / self.time

        def term(n: int) -> acb:
            return (-(rate * n) * (pi * n - angle)).exp() + (-(rate * n) * (pi * n + angle)).exp()

        def tail(n: int) -> tuple[arb, arb]:
            # |cosh(n rate z)| <= exp(n rate |Re z|); the exponents' steps grow with n.
            first = 2 * (-(rate * n) * (pi * n - reach)).exp()
            return first, (-rate * (pi * (2 * n + 1) - reach)).exp()

        return _series(acb(1), term, tail)

    def _fourier(self, angle: acb) -> acb:
        """Enclose ``1 + 2 sum_n exp(-n^2 t) cos(n z)``."""
        height = abs(angle.imag).upper()

        def term(n: int) -> acb:
            return 2 * (-self.time * (n * n)).exp() * (angle * n).cos()

        def tail(n: int) -> tuple[arb, arb]:
            first = 2 * (height * n - self.time * (n * n)).exp()
            return first, (height - self.time * (2 * n + 1)).exp()

        return _series(acb(1), term, tail)


@dataclass(frozen=True, slots=True)
class SphereKernel:
    """The logarithm of the unit sphere's heat kernel on complex balls of the angle.

    ``k = C exp(-theta^2 / (4 t)) S`` where S averages ``exp((theta^2 - s^2) / (4 t))`` times an
    image sum over sin(s / 2), at ``cos(s / 2) = cos(theta / 2) cos(psi)``: the midpoint rule for
    Mehler and Dirichlet's integral, exact up to Legendre's degree ``2 m - 1``.  In degree l it is
    off by at most ``2 (2 l + 1) exp(l |Im theta|)``, the bound of the Chebyshev polynomial U_{2 l}
    on the segment between plus and minus cos(theta / 2).  Each summand is even in s and of period
    2 pi, so any branch of the arc cosine serves.
    """

    time: arb
    cosines: tuple[arb, ...]
    scale: arb

    @classmethod
    def at(cls, time: arb, bits: int) -> SphereKernel:
        """Return the kernel; ``bits`` steers the number of nodes."""
        short = float(time.mid())
        reach = math.sqrt((0.7 * bits + 12.0 + math.pi**2 / (2.0 * short)) / short)
        count = max(4, math.ceil(reach / 2.0) + 1)
        nodes = (arb(fmpq(2 * j + 1, 4 * count)) * arb.pi() for j in range(count))
        prefactor = time / 4 + (arb.pi() / count).log()
        scale = prefactor - (4 * arb.pi() * time).log() * arb(fmpq(3, 2))
        return cls(time, tuple(node.cos() for node in nodes), scale)

    def log(self, angle: acb, analytic: bool) -> acb:
        """Enclose ``log k`` for |Re angle| <= pi or so; see `CircleKernel.log`."""
        half = (angle / 2).cos()
        square = angle * angle
        total = acb(0)
        for cosine in self.cosines:
            s = 2 * _arc_cosine(half * cosine)
            weight = ((square - s * s) / (4 * self.time)).exp()
            if abs(s).upper() < 1:
                total += weight * self._even_images(s) * 2 / (s / 2).sinc()
            else:
                total += weight * self._images(s) / (s / 2).sin()
            if not total.is_finite():
                return _NAN
        count = 2 * len(self.cosines)
        height = abs(angle.imag).upper()
        first = (2 * count + 1) ** 2 * (height * count - self.time * (count * count + count)).exp()
        growth = arb(fmpq(2 * count + 3, 2 * count + 1)) ** 2
        ratio = growth * (height - self.time * (2 * count + 2)).exp()
        # Relative to C exp(-theta^2 / (4 t)).
        first *= ((square / (4 * self.time)).real - self.scale).exp() / (2 * arb.pi())
        total = _blur(total, first, ratio)
        if not total.is_finite():
            return _NAN
        return total.log(analytic=analytic) + self.scale - square / (4 * self.time)

    def _images(self, s: acb) -> acb:
        """Enclose ``sum_n (-1)^n (s + 2 pi n) exp(-(4 pi n s + 4 pi^2 n^2) / (4 t))``."""
        pi = arb.pi()
        reach = abs(s.real).upper()
        size = abs(s).upper()
        if not reach < 3 * pi / 2:
            return _NAN
        rate = pi / self.time

        def term(n: int) -> acb:
            near = (2 * pi * n - s) * (-(rate * n) * (pi * n - s)).exp()
            far = (2 * pi * n + s) * (-(rate * n) * (pi * n + s)).exp()
            return near - far if n % 2 else far - near

        def tail(n: int) -> tuple[arb, arb]:
            first = 2 * (size + 2 * pi * n) * (-(rate * n) * (pi * n - reach)).exp()
            # size + 2 pi n at most doubles from one n to the next.
            return first, 2 * (-rate * (pi * (2 * n + 1) - reach)).exp()

        return _series(s, term, tail)

    def _even_images(self, s: acb) -> acb:
        """Enclose the sum of `_images` divided by s, for |s| < 1, where s may be 0."""
        pi = arb.pi()
        rate = pi / self.time

        def term(n: int) -> acb:
            turned = s * (rate * n)
            pair = 4 * pi * n * (rate * n) * (turned * acb(0, 1)).sinc() - 2 * turned.cosh()
            return (pair if n % 2 else -pair) * (-(rate * n) * (pi * n)).exp()

        def tail(n: int) -> tuple[arb, arb]:
            # |sinh(z) / z| and |cosh z| are at most exp(|Re z|); n^2 at most quadruples.
            first = (4 * pi * rate * (n * n) + 2) * (-(rate * n) * (pi * n - 1)).exp()
            return first, 4 * (-rate * (pi * (2 * n + 1) - 1)).exp()

        return _series(acb(1), term, tail)

    def range_on_strip(self, height: arb) -> tuple[arb, arb]:
        """Return bounds on log |k| (low, high) for |Im angle| <= height.

        Boxes cover a quarter of the strip, which symmetry suffices; on each the logarithm is
        holomorphic, so k has no zero in the strip.  Not a number if ``_MOST_BOXES`` are too few.
        """
        low = arb("inf")
        todo = [(arb(0), arb.pi() / 8 * j, arb.pi() / 8 * (j + 1), height) for j in range(8)]
        for _ in range(_MOST_BOXES):
            if not todo:
                # |P_l(cos(a + i b))| <= P_l(cosh b), and the series has positive coefficients.
                return low.lower(), self.log(acb(0, height), False).real.upper()
            bottom, left, right, top = todo.pop()
            value = self.log(acb(left.union(right), bottom.union(top)), True)
            if value.is_finite():
                low = low.min(value.real.lower())
                continue
            across, up = (left + right) / 2, (bottom + top) / 2
            todo += [
                (below, start, stop, above)
                for below, above in ((bottom, up), (up, top))
                for start, stop in ((left, across), (across, right))
            ]
        return arb("nan"), arb("nan")


def _arc_cosine(value: acb) -> acb:
    """Enclose an arc cosine, of either sign, more narrowly on wide balls than Arb's function.

    Off the cuts, the mean value theorem (a rectangle is convex); near 1, the modulus: the
    coefficients of ``arccos(1 - u) / sqrt(2 u)`` are positive, so ``|u|`` gives its bound.
    """
    slope = 1 / (1 - value * value).sqrt(analytic=True)
    if slope.is_finite():
        middle = acb(value.real.mid(), value.imag.mid())
        return middle.acos() - (value - middle) * slope
    gap = abs(1 - value).upper()
    if gap < 0.5:
        reach = arb(0, 1) * (1 - gap).acos().upper()
        return acb(reach, reach)
    return value.acos()


def legendre_values(cosine: arb, degree: int) -> list[arb]:
    """Return the Legendre polynomials of degrees 0 to ``degree`` at a cosine."""
    values = [arb(1), cosine]
    for n in range(1, degree):
        values.append(((2 * n + 1) * cosine * values[n] - n * values[n - 1]) / (n + 1))
    return values[: degree + 1]
