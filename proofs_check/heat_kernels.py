"""Arb enclosures of the best constants of Wang's and the log-Harnack inequality.

Generator Laplacian; circle and sphere of radius 1 (radius a, time t and distance r are time
``t / a^2`` and distance ``r / a``).  For ``alpha > 1`` and ``a = alpha / (alpha - 1)`` the best
H in ``(P_t f(x))^alpha <= H P_t(f^alpha)(y)`` over f >= 0 is, by Hölder's equality case,
``H = (int k_t(x, z)^a k_t(y, z)^(1 - a) dz)^(alpha - 1)``, and the best C in
``P_t log f(x) <= log P_t f(y) + C`` is ``int k_t(x, z) log(k_t(x, z) / k_t(y, z)) dz``.

What is rigorous: every ball returned contains the constant, whatever its radius.  The kernels
are those of `proofs_check.heat_kernel_balls`.  Integrals over the circle are Arb's (Petras'
algorithm, which needs the integrand holomorphic where it asks so: a logarithm whose argument's
ball meets the negative axis is not a number there, and the path is cut finer); those over the
sphere are a Gauss rule with its proven error (`_sphere_mean`).  Tolerances and the search for
enough precision steer the work and the radius, never the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from flint import acb, arb, ctx, fmpq

from proofs_check.exact_lengths import (
    Exact,
    ExactLength,
    Length,
    Space,
    exact_above,
    exact_lengths,
)
from proofs_check.heat_kernel_balls import CircleKernel, SphereKernel, legendre_values

#: Bits of the goal at each attempt, until the ball is narrow enough.
_ATTEMPTS = (40, 80, 160, 320)

#: The sphere's rule gives up beyond this many nodes.
_MOST_GAUSS_NODES = 6000


def _gauss_rows(
    kernel: SphereKernel, count: int, degree: int
) -> Iterator[tuple[arb, arb, list[arb]]]:
    """Yield at each Gauss node its weight, log k, and the Legendre polynomials."""
    for j in range(count):
        node, weight = arb.legendre_p_root(count, j, weight=True)
        log = kernel.log(acb(node.acos()), False).real
        yield weight, log, legendre_values(node, degree)


def _gauss_error(radius: arb, count: int) -> arb:
    """Return the rule's error for a function bounded by 1 on Bernstein's ellipse."""
    return 8 * radius ** (-2 * count) / (1 - 1 / radius)


def _sphere_mean(time: fmpq, distance: ExactLength, order: fmpq, bits: int) -> arb:
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
        for weight, log, legendre in _gauss_rows(kernel, count, degree):
            near = (log * arb(order)).exp()
            rows.append((weight, near, (log * arb(1 - order)).exp(), legendre))
            part = (near * weight).mid()
            sums = [(a + part * b.mid()).mid() for a, b in zip(sums, legendre, strict=True)]
        fit = [(a * arb(fmpq(2 * n + 1, 2))).mid() for n, a in enumerate(sums)]
        at_y = legendre_values(distance.ball().cos(), degree)
        turned = [a * b for a, b in zip(fit, at_y, strict=True)]
        missed = own = mean = arb(0)
        for weight, near, far, legendre in rows:
            gap = near - _dot(fit, legendre)
            missed += weight * gap * gap
            own += weight * far * far
            mean += weight * far * _dot(turned, legendre)
        rule = _gauss_error(radius, count)
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


def _sphere_gap(time: fmpq, distance: ExactLength, bits: int) -> arb:
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
        at_y = legendre_values(distance.ball().cos(), degree)
        four_pi = 4 * arb.pi()
        series = [
            (2 * n + 1) * (-arb(time * (n * n + n))).exp() * (1 - at_y[n]) / four_pi
            for n in range(degree + 1)
        ]
        total = arb(0)
        for weight, log, legendre in _gauss_rows(kernel, count, degree):
            total += weight * log * _dot(series, legendre)
        # On the ellipse, log |k| is bounded by the boxes; its argument is that of S, which kept
        # off the negative axis, and Im(theta^2) / (4 t).
        largest = abs(low).max(abs(high)) + arb.pi() + arb.pi() * height / (2 * arb(time))
        on_ellipse = sum((abs(a) * radius**n for n, a in enumerate(series)), arb(0))
        error = _gauss_error(radius, count) * largest * on_ellipse
        # sum_{l > L} (2 l + 1) exp(-l (l + 1) t) <= exp(-L (L + 1) t) / t, and 1 - P_l <= 2.
        tail = 2 * (-arb(time * (degree * degree + degree))).exp() / arb(time) / four_pi
        error += 2 * tail * largest
        return 2 * arb.pi() * (total + arb(0, 1) * error.upper())


# From log k_x and log k_y to the integrand.
_Combine = Callable[[acb, acb], acb]


def _over_circle(time: fmpq, distance: ExactLength, combine: _Combine, bits: int) -> arb:
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


def _sum_over_factors(
    lengths: tuple[ExactLength, ...], compute: Callable[[ExactLength, int], arb], relative: float
) -> arb:
    """Add the constants of the factors, each refined; one of length zero adds nothing."""
    parts = [
        _refined(partial(compute, length), relative) if length.rational != 0 else arb(0)
        for length in lengths
    ]
    # At the highest precision of the parts; the ambient one would widen them.
    with ctx.workprec(_ATTEMPTS[-1] + 40):
        return sum(parts, arb(0))


def _on_line(time: fmpq, length: ExactLength, order: fmpq) -> arb:
    """Return the Rényi divergence in closed form; order 1 is Kullback and Leibler's."""
    pi_squared = arb.pi() ** 2 if length.times_pi else arb(1)
    return arb(order * length.rational**2 / (4 * time)) * pi_squared


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
    t = exact_above("time", time, 0)
    lengths = exact_lengths(space, distance)
    power = exact_above("alpha", alpha, 1)
    order = power / (power - 1)
    if space == "line":
        return _on_line(t, lengths[0], order)

    def combine(at_x: acb, at_y: acb) -> acb:
        return (at_x * arb(order) + at_y * arb(1 - order)).exp()

    def compute(length: ExactLength, bits: int) -> arb:
        if space == "sphere":
            mean = _sphere_mean(t, length, order, bits)
        else:
            mean = _over_circle(t, length, combine, bits)
        return mean.log() * arb(power - 1) if mean > 0 else arb("nan")

    return _sum_over_factors(lengths, compute, relative)


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
    t = exact_above("time", time, 0)
    lengths = exact_lengths(space, distance)
    if space == "line":
        return _on_line(t, lengths[0], fmpq(1))

    def combine(at_x: acb, at_y: acb) -> acb:
        return at_x.exp() * (at_x - at_y)

    def compute(length: ExactLength, bits: int) -> arb:
        if space == "sphere":
            return _sphere_gap(t, length, bits)
        return _over_circle(t, length, combine, bits)

    return _sum_over_factors(lengths, compute, relative)
