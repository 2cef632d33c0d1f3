"""Arb enclosures of the best constants of Wang's and the log-Harnack inequality.

Generator Laplacian; circle and sphere of radius 1 (radius a, time t and distance r are time
``t / a^2`` and distance ``r / a``).  For ``alpha > 1`` and ``a = alpha / (alpha - 1)`` the best
H in ``(P_t f(x))^alpha <= H P_t(f^alpha)(y)`` over f >= 0 is, by Hölder's equality case,
``H = (int k_t(x, z)^a k_t(y, z)^(1 - a) dz)^(alpha - 1)``, and the best C in
``P_t log f(x) <= log P_t f(y) + C`` is ``int k_t(x, z) log(k_t(x, z) / k_t(y, z)) dz``.

What is rigorous: every ball returned contains the constant, whatever its radius.  The kernel is a
sum with a bound on its tail added to the ball.  Integrals over the circle are Arb's (Petras'
algorithm, which needs the integrand holomorphic where it asks so: a logarithm whose argument's
ball meets the negative axis is not a number there, and the path is cut finer); those over the
sphere are a Gauss rule with its proven error (`_sphere_mean`).  Tolerances and the search for
enough precision steer the work and the radius, never the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import sympy as sp
from flint import acb, arb, ctx, fmpq

Space = Literal["line", "circle", "torus", "sphere"]
Exact: TypeAlias = int | Fraction | fmpq | sp.Rational
#: A distance may also be a rational multiple of pi, as ``sympy.pi`` for the cut point.
Length: TypeAlias = Exact | sp.Expr

#: Bits of the goal at each attempt, until the ball is narrow enough.
_ATTEMPTS = (40, 80, 160, 320)

#: Boxes that may be tried to bound the sphere's kernel.
_MOST_BOXES = 4000

#: The sphere's rule gives up beyond this many nodes.
_MOST_GAUSS_NODES = 6000

_NAN = acb("nan")
_SPACES = ("line", "circle", "torus", "sphere")


def _rational(name: str, value: object) -> fmpq:
    """Return an exact rational as an fmpq; floats are refused."""
    if isinstance(value, fmpq):
        return value
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, sp.Rational):
        return fmpq(int(value.p), int(value.q))
    raise ValueError(
        f"{name} = {value!r}: it must be an exact rational; "
        "pass an int, Fraction, fmpq or sympy.Rational"
    )


@dataclass(frozen=True, slots=True)
class _Length:
    """``rational`` or ``rational * pi``, so that domains are decided exactly."""

    rational: fmpq
    times_pi: bool

    def ball(self) -> arb:
        value = arb(self.rational)
        return value * arb.pi() if self.times_pi else value


def _length(space: str, value: object) -> _Length:
    """Return a checked distance: >= 0, and <= pi but for the line."""
    times_pi = isinstance(value, sp.Expr) and value.has(sp.pi)
    bare = value / sp.pi if times_pi else value
    length = _Length(_rational("distance", bare), times_pi)
    rational = length.rational
    with ctx.workprec(128):
        # A rational is never pi, so the balls decide once they are narrow; if not, refuse.
        fits = rational <= 1 if times_pi else bool(arb(rational) < arb.pi())
    if rational < 0:
        raise ValueError(f"distance = {value}: it must be >= 0; pass its absolute value")
    if space != "line" and not fits:
        raise ValueError(
            f"distance = {value}: it must be in [0, pi] on the {space} of radius 1; "
            "divide by the radius, or take the shorter way round"
        )
    return length


def _lengths(space: str, distance: object) -> tuple[_Length, ...]:
    if space not in _SPACES:
        raise ValueError(
            f"space = {space!r}: it must be one of {', '.join(_SPACES)}; choose one of them"
        )
    if space == "torus":
        if not isinstance(distance, tuple) or len(distance) != 2:
            raise ValueError(
                f"distance = {distance!r}: on the torus it must be a pair, one distance in "
                "[0, pi] for each circle; pass a tuple of two exact numbers"
            )
        return tuple(_length("torus", part) for part in distance)
    return (_length(space, distance),)


def _above(name: str, value: object, low: int) -> fmpq:
    rational = _rational(name, value)
    if rational <= low:
        raise ValueError(f"{name} = {value}: it must be > {low}; pass a larger exact rational")
    return rational


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
        total = acb(1)
        n = 1
        while True:
            total += (-(rate * n) * (pi * n - angle)).exp() + (-(rate * n) * (pi * n + angle)).exp()
            n += 1
            # |cosh(n rate z)| <= exp(n rate |Re z|); the exponents' steps grow with n.
            tail = 2 * (-(rate * n) * (pi * n - reach)).exp()
            ratio = (-rate * (pi * (2 * n + 1) - reach)).exp()
            if (ratio < 0.5 and tail < arb(2) ** (-ctx.prec)) or n > 60:
                return _blur(total, tail, ratio)

    def _fourier(self, angle: acb) -> acb:
        """Enclose ``1 + 2 sum_n exp(-n^2 t) cos(n z)``."""
        height = abs(angle.imag).upper()
        total = acb(1)
        n = 1
        while True:
            total += 2 * (-self.time * (n * n)).exp() * (angle * n).cos()
            n += 1
            tail = 2 * (height * n - self.time * (n * n)).exp()
            ratio = (height - self.time * (2 * n + 1)).exp()
            if (ratio < 0.5 and tail < arb(2) ** (-ctx.prec)) or n > 60:
                return _blur(total, tail, ratio)


def _blur(total: acb, first: arb, ratio: arb) -> acb:
    """Add a tail of at most ``first (1 + ratio + ratio^2 + ...)`` in absolute value."""
    if not ratio < 0.5:
        return _NAN
    radius = (first / (1 - ratio)).upper()
    error = arb(0, 1) * radius
    return total + acb(error, error)


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
        total = s
        n = 1
        while True:
            near = (2 * pi * n - s) * (-(rate * n) * (pi * n - s)).exp()
            far = (2 * pi * n + s) * (-(rate * n) * (pi * n + s)).exp()
            total = total + (near - far if n % 2 else far - near)
            n += 1
            first = 2 * (size + 2 * pi * n) * (-(rate * n) * (pi * n - reach)).exp()
            # size + 2 pi n at most doubles from one n to the next.
            ratio = 2 * (-rate * (pi * (2 * n + 1) - reach)).exp()
            if (ratio < 0.5 and first < arb(2) ** (-ctx.prec)) or n > 60:
                return _blur(total, first, ratio)

    def _even_images(self, s: acb) -> acb:
        """Enclose the sum of `_images` divided by s, for |s| < 1, where s may be 0."""
        pi = arb.pi()
        rate = pi / self.time
        total = acb(1)
        n = 1
        while True:
            turned = s * (rate * n)
            pair = 4 * pi * n * (rate * n) * (turned * acb(0, 1)).sinc() - 2 * turned.cosh()
            total = total + (pair if n % 2 else -pair) * (-(rate * n) * (pi * n)).exp()
            n += 1
            # |sinh(z) / z| and |cosh z| are at most exp(|Re z|); n^2 at most quadruples.
            first = (4 * pi * rate * (n * n) + 2) * (-(rate * n) * (pi * n - 1)).exp()
            ratio = 4 * (-rate * (pi * (2 * n + 1) - 1)).exp()
            if (ratio < 0.5 and first < arb(2) ** (-ctx.prec)) or n > 60:
                return _blur(total, first, ratio)

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


def _legendre(cosine: arb, degree: int) -> list[arb]:
    values = [arb(1), cosine]
    for n in range(1, degree):
        values.append(((2 * n + 1) * cosine * values[n] - n * values[n - 1]) / (n + 1))
    return values[: degree + 1]


def _sphere_mean(time: fmpq, distance: _Length, order: fmpq, bits: int) -> arb:
    """Enclose ``int k_x^order k_y^(1 - order)`` over the sphere.

    With g = k^order, h = k^(1 - order) and a polynomial p near g, the integral is that of
    ``p(x . z) h(y . z)``, up to ``|g - p| |h|`` in the norms of L^2 (Cauchy and Schwarz).
    Averaging around y turns each P_l(x . z) into ``P_l(x . y) P_l(y . z)``, which leaves integrals
    over one cosine.  These are done by Gauss and Legendre's rule with n nodes, whose error for a
    function bounded by M on Bernstein's ellipse of radius r is at most
    ``8 M r^(-2 n) / (1 - 1 / r)``: it is exact below degree 2 n, and Chebyshev's coefficient k is
    at most ``2 M r^(-k)``.  The polynomial comes from the same nodes; nothing rests on how near
    it is, since the distance from g is integrated too.
    """
    kernel = SphereKernel.at(arb(time), 60)
    height = arb(time).min(arb(1)) / 2
    low, high = kernel.range_on_strip(height)
    if not (low.is_finite() and high.is_finite()):
        return arb("nan")
    radius = height.exp()
    power = float(arb(order).mid())
    need = 2.0 + bits * math.log(2.0) + (power - 1.0) * max(0.0, -float(low.mid()))
    strip = float(height.lower().mid())
    short = float(arb(time).mid())
    degree = math.ceil(math.sqrt(power * (need + 8.0) / short)) + 3
    rough = 2.0 * need + 2.0 * power * max(0.0, float(high.mid())) + 24.0
    count = max(degree + 2, math.ceil((rough - 2.0 * math.log(strip)) / (2.0 * strip)))
    if count > _MOST_GAUSS_NODES:
        return arb("nan")
    with ctx.workprec(int(1.45 * need + 1.3 * degree) + 80):
        kernel = SphereKernel.at(arb(time), int(1.45 * need) + 60)
        rows = []
        sums = [arb(0)] * (degree + 1)
        for j in range(count):
            node, weight = arb.legendre_p_root(count, j, weight=True)
            log = kernel.log(acb(node.acos()), False).real
            legendre = _legendre(node, degree)
            near = (log * arb(order)).exp()
            rows.append((weight, near, (log * arb(1 - order)).exp(), legendre))
            part = (near * weight).mid()
            sums = [(a + part * b.mid()).mid() for a, b in zip(sums, legendre, strict=True)]
        fit = [(a * arb(fmpq(2 * n + 1, 2))).mid() for n, a in enumerate(sums)]
        at_y = _legendre(distance.ball().cos(), degree)
        turned = [a * b for a, b in zip(fit, at_y, strict=True)]
        missed = own = mean = arb(0)
        for weight, near, far, legendre in rows:
            gap = near - _dot(fit, legendre)
            missed += weight * gap * gap
            own += weight * far * far
            mean += weight * far * _dot(turned, legendre)
        rule = 8 * radius ** (-2 * count) / (1 - 1 / radius)
        most_near = (high * arb(order)).exp()
        most_far = (low * arb(1 - order)).exp()
        most_fit = sum((abs(a) * radius**n for n, a in enumerate(fit)), arb(0))
        turn = 2 * arb.pi()
        missed = turn * (missed + rule * (most_near + most_fit) ** 2)
        own = turn * (own + rule * most_far**2)
        error = rule * most_far * most_fit * turn + (missed.upper() * own.upper()).sqrt()
        return turn * mean + arb(0, 1) * error.upper()


def _dot(left: list[arb], right: list[arb]) -> arb:
    return sum((a * b for a, b in zip(left, right, strict=True)), arb(0))


def _sphere_gap(time: fmpq, distance: _Length, bits: int) -> arb:
    """Enclose ``int k_x (log k_x - log k_y)`` over the sphere.

    Averaging k_x around y multiplies its coefficient l by P_l(x . y), so the integral is that of
    ``sum_l (2 l + 1) / (4 pi) exp(-l (l + 1) t) (1 - P_l(x . y)) P_l(c) log k(c)``; the rule and
    its error are those of `_sphere_mean`, on the series cut at a degree whose tail is added.
    """
    kernel = SphereKernel.at(arb(time), bits + 40)
    height = arb(time).min(arb(1)) / 2
    low, high = kernel.range_on_strip(height)
    if not (low.is_finite() and high.is_finite()):
        return arb("nan")
    radius = height.exp()
    short, strip = float(arb(time).mid()), float(height.lower().mid())
    size = bits * math.log(2.0) + 12.0 + 2.0 * math.log(1.0 + 1.0 / short)
    degree = math.ceil(math.sqrt(size / short)) + 3
    count = max(degree, math.ceil((size + strip * degree) / (2.0 * strip)))
    if count > _MOST_GAUSS_NODES:
        return arb("nan")
    with ctx.workprec(ctx.prec + int(1.3 * degree) + 20):
        at_y = _legendre(distance.ball().cos(), degree)
        four_pi = 4 * arb.pi()
        series = [
            (2 * n + 1) * (-arb(time * (n * n + n))).exp() * (1 - at_y[n]) / four_pi
            for n in range(degree + 1)
        ]
        total = arb(0)
        for j in range(count):
            node, weight = arb.legendre_p_root(count, j, weight=True)
            log = kernel.log(acb(node.acos()), False).real
            total += weight * log * _dot(series, _legendre(node, degree))
        # On the ellipse, log |k| is bounded by the boxes; its argument is that of S, which kept
        # off the negative axis, and Im(theta^2) / (4 t).
        largest = abs(low).max(abs(high)) + arb.pi() + arb.pi() * height / (2 * arb(time))
        on_ellipse = sum((abs(a) * radius**n for n, a in enumerate(series)), arb(0))
        error = 8 * radius ** (-2 * count) / (1 - 1 / radius) * largest * on_ellipse
        # sum_{l > L} (2 l + 1) exp(-l (l + 1) t) <= exp(-L (L + 1) t) / t, and 1 - P_l <= 2.
        tail = 2 * (-arb(time * (degree * degree + degree))).exp() / arb(time) / four_pi
        error += 2 * tail * largest
        return 2 * arb.pi() * (total + arb(0, 1) * error.upper())


# From log k_x and log k_y to the integrand.
_Combine = Callable[[acb, acb], acb]


def _over_circle(time: fmpq, distance: _Length, combine: _Combine, bits: int) -> arb:
    """Integrate over the circle, in two pieces so that each kernel has one nearest image."""
    kernel = CircleKernel.at(arb(time))
    pi = arb.pi()
    rho = distance.ball()
    total = arb(0)
    goal = arb(2) ** (-bits)
    for low, high, shift in ((-pi, rho - pi, 2 * pi - rho), (rho - pi, pi, -rho)):

        def integrand(point: acb, analytic: bool, shift: arb = shift) -> acb:
            at_x = kernel.log(point, analytic)
            return combine(at_x, kernel.log(point + shift, analytic))

        value = acb.integral(integrand, acb(low), acb(high), rel_tol=goal, abs_tol=goal)
        total += value.real
    return total


def _refined(compute: Callable[[int], arb], relative: float) -> arb:
    """Raise the precision until the ball is narrow enough; return the narrowest."""
    best = arb("nan")
    for bits in _ATTEMPTS:
        with ctx.workprec(bits + 40):
            value = compute(bits)
            if value.is_finite() and (not best.is_finite() or value.rad() < best.rad()):
                best = value
            if best.is_finite() and best.rad() <= relative * abs(best).lower():
                break
    return best


def enclose_log_harnack(
    space: Space,
    *,
    time: Exact,
    distance: Length | tuple[Length, Length],
    alpha: Exact,
    relative: float = 1e-7,
) -> arb:
    """Enclose log H, H the best constant of Wang's Harnack inequality.

    Parameters
    ----------
    space : {"line", "circle", "torus", "sphere"}
        Circles and the sphere have radius 1; the line stands for any Euclidean space.
    time : exact rational
        Time, > 0.
    distance : exact rational or rational multiple of sympy.pi, or a pair on the torus
        Distance of x and y, in [0, pi] but for the line.
    alpha : exact rational
        Exponent, > 1.
    relative : float
        Goal for the radius relative to the value; the ball is right if the goal is missed.

    Returns
    -------
    arb
        A ball that contains log H; not finite if the integral could not be enclosed.  The sphere
        takes under a second for times from 0.3 on, seconds at 0.1, half a minute at 0.05; below
        0.02 or so it gives up.

    Raises
    ------
    ValueError
        If an argument is not exact or outside its domain, or the space is unknown.

    Notes
    -----
    F.-Y. Wang, Logarithmic Sobolev inequalities on noncompact Riemannian manifolds, Probab.
    Theory Related Fields 109 (1997), 417-424.

    Examples
    --------
    >>> value = enclose_log_harnack("circle", time=fmpq(3, 10), distance=2, alpha=2)
    >>> value.str(8, radius=False)
    '4.6983404'
    >>> enclose_log_harnack("line", time=1, distance=2, alpha=2)
    2.00000000000000
    """
    t = _above("time", time, 0)
    lengths = _lengths(space, distance)
    power = _above("alpha", alpha, 1)
    order = power / (power - 1)
    if space == "line":
        return arb(order * lengths[0].rational ** 2 / (4 * t)) * _pi_squared(lengths[0])

    def combine(at_x: acb, at_y: acb) -> acb:
        return (at_x * arb(order) + at_y * arb(1 - order)).exp()

    def one(length: _Length) -> arb:
        if length.rational == 0:
            return arb(0)

        def compute(bits: int) -> arb:
            if space == "sphere":
                mean = _sphere_mean(t, length, order, bits)
            else:
                mean = _over_circle(t, length, combine, bits)
            return mean.log() * arb(power - 1) if mean > 0 else arb("nan")

        return _refined(compute, relative)

    return _add([one(length) for length in lengths])


def _add(parts: list[arb]) -> arb:
    """Sum at the highest precision of the parts; the ambient one would widen them."""
    with ctx.workprec(_ATTEMPTS[-1] + 40):
        return sum(parts, arb(0))


def _pi_squared(length: _Length) -> arb:
    return arb.pi() ** 2 if length.times_pi else arb(1)


def enclose_kl(
    space: Space,
    *,
    time: Exact,
    distance: Length | tuple[Length, Length],
    relative: float = 1e-7,
) -> arb:
    """Enclose the best constant of the log-Harnack inequality, KL(k_t(x, .) || k_t(y, .)).

    Parameters
    ----------
    space, time, distance, relative
        As in `enclose_log_harnack`.

    Returns
    -------
    arb
        As in `enclose_log_harnack`.

    Raises
    ------
    ValueError
        If an argument is not exact or outside its domain, or the space is unknown.

    Notes
    -----
    F.-Y. Wang, Harnack inequalities on manifolds with boundary and applications, J. Math. Pures
    Appl. 94 (2010), 304-321.

    Examples
    --------
    >>> enclose_kl("circle", time=fmpq(3, 10), distance=2).str(8, radius=False)
    '3.0533572'
    """
    t = _above("time", time, 0)
    lengths = _lengths(space, distance)
    if space == "line":
        return arb(lengths[0].rational ** 2 / (4 * t)) * _pi_squared(lengths[0])

    def combine(at_x: acb, at_y: acb) -> acb:
        return at_x.exp() * (at_x - at_y)

    def one(length: _Length) -> arb:
        if length.rational == 0:
            return arb(0)
        if space == "sphere":
            return _refined(lambda bits: _sphere_gap(t, length, bits), relative)
        return _refined(lambda bits: _over_circle(t, length, combine, bits), relative)

    return _add([one(length) for length in lengths])
