r"""Eberle's constants and concave function for a drift, as Arb balls, and a proof of what they do.

With κ(r) the drift's curvature (``theory.reflection_drifts``), ``φ = exp(-¼ ∫ u κ⁻)``, ``Φ = ∫ φ``,
``J = ∫ Φ/φ``, ``I = J(R_1)``, ``g = 1 - ½ J/I`` up to R_1 and ½ beyond, ``f = ∫ φ g`` and
``c = 1/I``, Eberle (2016) shows ``2 f'' - ½ r κ f' <= -c f``: contraction at rate c.

Here κ is nondecreasing, which is checked.  So κ < 0 below R_0 and κ >= 0 above, κ⁻ = -κ or 0, and
what must hold at all r >= R holds as soon as it holds at R.  On cells, φ, Φ, J and ``K = ∫ φ J``
are Taylor polynomials with the last coefficient over the cell (Lagrange); ``f = Φ - ½ K/I``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import sympy as sp
from flint import arb, arb_poly, arb_series, ctx, fmpq

from proofs_check.enclosure import enclose
from theory.reflection_drifts import DISTANCE, ReflectionDrift

_MOST_CELLS = 4000
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers in the construction: Eberle's, or others to see them fail.

    ``φ = exp(-exponent ∫ u κ⁻)``, ``g = 1 - share J/I``, ``c = rate / I``.
    """

    exponent: fmpq = field(default_factory=lambda: fmpq(1, 4))
    share: fmpq = field(default_factory=lambda: fmpq(1, 2))
    rate: fmpq = field(default_factory=lambda: fmpq(1))

    def __post_init__(self) -> None:
        for name in ("exponent", "share", "rate"):
            if not isinstance(getattr(self, name), fmpq):
                raise TypeError(f"{name}={getattr(self, name)!r}: must be exact; give an fmpq")


@dataclass(frozen=True, slots=True)
class _State:
    """φ, Φ, J and K at a point, or over a ball of points."""

    slope: arb
    mass: arb
    ratio: arb
    product: arb


@dataclass(frozen=True, slots=True)
class _Series:
    """With ψ = φ/φ(left): ∫ψ, ∫1/ψ, ∫(∫ψ)/ψ, ∫ψ∫1/ψ and ∫ψ∫(∫ψ)/ψ, as Taylor polynomials.

    The last coefficients are enclosed over the cell.  Relative to φ(left) they are free of the
    errors of earlier cells, which would grow otherwise where φ falls.
    """

    grown: arb_poly
    inverse: arb_poly
    ratio: arb_poly
    crossed: arb_poly
    product: arb_poly


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell, the four functions at its left end, and how they go on."""

    left: arb
    width: arb
    drift: arb_poly
    damped: bool
    exponent: arb_poly
    start: _State
    series: _Series

    def at(self, x: arb) -> _State:
        """Enclose the four functions at distances x from the left end, 0 <= x <= width."""
        start, series = self.start, self.series
        grown = start.slope * series.grown(x)
        carried = start.mass / start.slope * series.inverse(x)
        rest = start.mass * series.crossed(x) + start.slope * series.product(x)
        return _State(
            start.slope * self.exponent(x).exp(),
            start.mass + grown,
            start.ratio + carried + series.ratio(x),
            start.product + start.ratio * grown + rest,
        )

    def function(self, share: arb) -> arb_poly:
        """Return ``Φ - share K`` as a polynomial in x."""
        start, series = self.start, self.series
        mass = series.grown * start.slope + start.mass
        rest = series.crossed * start.mass + series.product * start.slope
        product = series.grown * (start.slope * start.ratio) + rest + start.product
        return mass - product * share


@dataclass(frozen=True, slots=True)
class EberleConstants:
    """The constants as balls, and the cells that they came from.

    Attributes
    ----------
    inner_radius, outer_radius : arb
        R_0 and R_1.
    slope : arb
        φ(R_0), the least slope of ∫ φ.
    mass : arb
        Φ(R_1).
    integral : arb
        I, the integral of Φ/φ to R_1.
    rate : arb
        c.
    """

    inner_radius: arb
    outer_radius: arb
    slope: arb
    mass: arb
    integral: arb
    rate: arb
    recipe: Recipe
    precision: int
    cells: tuple[_Cell, ...]

    def at(self, distance: arb) -> tuple[arb, arb, arb]:
        """Enclose f, f' and f'' for all distances >= 0 in a ball; f'' jumps at R_1."""
        with ctx.workprec(self.precision):
            pieces = [
                self._inside(cell, (distance - cell.left).max(arb(0)).min(cell.width))
                for cell in self.cells
                if not (distance < cell.left or distance > cell.left + cell.width)
            ]
            if not distance <= self.outer_radius:
                pieces.append(self._beyond((distance - self.outer_radius).max(arb(0))))
            f, first, second = pieces[0]
            for piece in pieces[1:]:
                f, first, second = (
                    a.union(b) for a, b in zip((f, first, second), piece, strict=True)
                )
        return f, first, second

    def _inside(self, cell: _Cell, x: arb) -> tuple[arb, arb, arb]:
        state = cell.at(x)
        share = self.recipe.share / self.integral
        g = 1 - share * state.ratio
        fall = self.recipe.exponent * cell.drift(x) * state.slope if cell.damped else arb(0)
        second = fall * g - share * state.mass
        return state.mass - share * state.product, state.slope * g, second

    def _beyond(self, x: arb) -> tuple[arb, arb, arb]:
        last = self.cells[-1]
        f, _, _ = self._inside(last, last.width)
        slope = self.slope * (1 - self.recipe.share)
        return f + slope * x, slope, arb(0)


def eberle_constants(
    drift: ReflectionDrift, digits: int = 30, *, recipe: Recipe | None = None
) -> EberleConstants:
    r"""Enclose Eberle's constants, each to a relative radius below ``10^-digits``.

    Parameters
    ----------
    drift : ReflectionDrift
        Each piece of ``r κ(r)`` a polynomial, κ nondecreasing and positive in the end.
    digits : int
        How many digits.
    recipe : Recipe, optional
        Eberle's numbers unless given.

    Raises
    ------
    ValueError
        If κ is of another form, or the digits are out of reach.

    Examples
    --------
    >>> from theory.reflection_drifts import ornstein_uhlenbeck
    >>> constants = eberle_constants(ornstein_uhlenbeck(sp.Integer(1)), digits=12)
    >>> [ball.str(10, radius=False) for ball in (constants.outer_radius, constants.rate)]
    ['2.000000000', '0.5000000000']
    """
    if digits < 1:
        raise ValueError(f"digits={digits}: must be at least 1; 30 is the default")
    chosen = recipe or Recipe()
    for extra in (60, 160, 400):
        precision = int(digits * 3.33) + extra
        with _working(precision, digits // 2 + extra // 4 + 5):
            try:
                found = _construct(_Curvature(drift, precision), chosen, precision)
            except ArithmeticError:
                continue
            named = (found.outer_radius, found.slope, found.mass, found.integral, found.rate)
            balls = named if found.inner_radius == 0 else (*named, found.inner_radius)
            if all(ball.rad() < abs(ball).lower() * arb(10) ** (-digits) for ball in balls):
                return found
    raise ValueError(f"digits={digits}: out of reach for {drift.name}; ask for fewer")


@dataclass(frozen=True, slots=True)
class InequalityCertificate:
    """Whether ``2 f'' - ½ r κ f' + c f <= 0`` at every r > 0 but R_1, and on how many cells.

    Attributes
    ----------
    direct, structural : int
        Cells of (0, R_1] on which the left side was enclosed below 0 from the derivatives of the
        series of f, and those on which it is below 0 as a sum of terms that are.
    failed : arb or None
        Distances on which neither could be shown.
    beyond : bool
        Whether it holds on (R_1, oo).
    two_sided : bool
        Whether ``(1 - share) φ(R_0) r <= f(r) <= r``.
    """

    direct: int
    structural: int
    failed: arb | None
    beyond: bool
    two_sided: bool

    @property
    def certified(self) -> bool:
        """Whether all of it was shown."""
        return self.failed is None and self.beyond and self.two_sided


def certify_differential_inequality(
    drift: ReflectionDrift, *, recipe: Recipe | None = None, digits: int = 30
) -> InequalityCertificate:
    r"""Show Eberle's differential inequality at every distance, or say where not.

    Parameters
    ----------
    drift : ReflectionDrift
        As for `eberle_constants`.
    recipe : Recipe, optional
        Eberle's numbers unless given.
    digits : int
        Of the constants; more resolve the inequality directly on more cells.

    Notes
    -----
    With exponent α, share β and rate γ the left side is on (0, R_1] identically::

        (½ - 2α) r κ⁻ φ g - ½ r κ⁺ φ g - (2β - γ) Φ/I - γ β K/I²

    whose terms are all <= 0 if ``α >= ¼``, ``γ <= 2β`` and ``0 <= β <= 1``.  This serves near 0,
    where both sides vanish, and where K/I is too small beside Φ to be resolved.

    Beyond R_1, ``f = f(R_1) + s (r - R_1)`` with ``s = (1 - β) φ(R_0)``, and
    ``κ(r) >= 8 / (R_1 (R_1 - R_0))``.  So ``½ r κ s - c f`` is at least an affine function of r,
    which is >= 0 as ``4 s >= c (R_1 - R_0) f(R_1)`` and ``4 >= c R_1 (R_1 - R_0)``.  The first
    follows from Eberle's ``c <= 2 φ(R_0) / ((R_1 - R_0) Φ(R_1))``, an equality if R_0 = 0, as
    ``f(R_1) < Φ(R_1)``; it is what balls can decide.

    The two-sided bound follows from ``f' = φ g``: φ falls from 1 to φ(R_0), g from 1 to 1 - β.

    Examples
    --------
    >>> from theory.reflection_drifts import ornstein_uhlenbeck
    >>> certify_differential_inequality(ornstein_uhlenbeck(sp.Integer(1))).certified
    True
    """
    chosen = recipe or Recipe()
    constants = eberle_constants(drift, digits, recipe=chosen)
    signs = 0 <= chosen.rate <= 2 * chosen.share and chosen.share <= 1
    direct = structural = 0
    failed: arb | None = None
    with ctx.workprec(constants.precision):
        for cell in constants.cells:
            if _below_zero(cell, constants):
                direct += 1
            elif signs and (not cell.damped or chosen.exponent >= fmpq(1, 4)):
                structural += 1
            else:
                failed = cell.left.union(cell.left + cell.width)
                break
        f, slope, _ = constants._beyond(arb(0))
        gap = constants.outer_radius - constants.inner_radius
        beyond = bool(
            slope >= 0
            and 4 * slope >= constants.rate * gap * f
            and constants.rate * constants.outer_radius * gap <= 4
        )
    two_sided = chosen.exponent >= 0 and 0 <= chosen.share <= 1
    return InequalityCertificate(direct, structural, failed, beyond, bool(two_sided))


def _below_zero(cell: _Cell, constants: EberleConstants) -> bool:
    """Whether the left side, from the derivatives of the series of f, is < 0 on a cell.

    A polynomial whose last coefficient holds over the cell may be differentiated: n times the
    n-th coefficient of f over the cell is the (n - 1)-th of f'.
    """
    share = constants.recipe.share / constants.integral
    f = cell.function(share)
    first = f.derivative()
    left_side = 2 * first.derivative() - cell.drift * first * fmpq(1, 2) + constants.rate * f
    rise = left_side.derivative()
    for part in range(_PARTS):
        low, high = (cell.width * fmpq(part + k, _PARTS) for k in (0, 1))
        middle = (low + high) / 2
        whole = low.union(high)
        if not left_side(middle) + rise(whole) * (whole - middle) < 0:
            return False
    return True


@contextmanager
def _working(precision: int, order: int) -> Iterator[None]:
    """Work at a precision and with series of an order."""
    before = ctx.cap
    ctx.cap = order + 1
    try:
        with ctx.workprec(precision):
            yield
    finally:
        ctx.cap = before


class _Curvature:
    """κ as balls: the ends of its pieces, and r κ on each as a polynomial."""

    def __init__(self, drift: ReflectionDrift, precision: int) -> None:
        def ball(value: sp.Expr) -> arb:
            return enclose(value, precision=precision)

        self.ends: list[arb] = []
        self.drifts: list[arb_poly] = []
        for end, curvature in drift.pieces:
            written = sp.Poly(sp.expand(DISTANCE * curvature), DISTANCE)
            coefficients = written.all_coeffs()[::-1]
            signed = [-c if k == 0 else c for k, c in enumerate(coefficients) if k != 1]
            if not all(_is_nonnegative(c, ball) for c in signed):
                raise ValueError(
                    f"{drift.name}: {curvature} must not fall with r; split or change the drift"
                )
            self.drifts.append(arb_poly([ball(c) for c in coefficients]))
            if end != sp.oo:
                self.ends.append(ball(end))
        for (end, before), (_, after) in pairwise(drift.pieces):
            jump = sp.simplify((after - before).subs(DISTANCE, end))
            if not _is_nonnegative(jump, ball):
                raise ValueError(f"{drift.name}: the curvature falls at {end}; order the pieces")
        first = sp.Poly(sp.expand(DISTANCE * drift.pieces[0][1]), DISTANCE).all_coeffs()[::-1]
        start = (*first, sp.Integer(0))[:2]
        self.starts_nonnegative = start[0] == 0 and _is_nonnegative(start[1], ball)

    def drift(self, distance: arb) -> arb:
        """Enclose r κ(r) for all distances in a ball, on whichever pieces they are."""
        values = [
            drift(distance)
            for k, drift in enumerate(self.drifts)
            if not (k and distance < self.ends[k - 1])
            and not (k < len(self.ends) and distance > self.ends[k])
        ]
        total = values[0]
        for value in values[1:]:
            total = total.union(value)
        return total


def _is_nonnegative(value: sp.Expr, ball: Callable[[sp.Expr], arb]) -> bool:
    return bool(value == 0 or ball(value) >= 0)


def _first_reaching(reaches: Callable[[fmpq], bool | None], low: fmpq) -> arb:
    """Enclose the infimum of the distances that a monotone condition holds at, by bisection.

    ``reaches(r)`` is True or False where it can be told, else None, which ends the search.
    """
    high = low + 1
    while (holds := reaches(high)) is not True:
        if high > 2**60:
            raise ValueError("the curvature is not positive in the end; no constants exist")
        if holds is False:
            low = high
        high *= 2
    while arb(high - low) >= arb(high) * arb(2) ** (8 - ctx.prec):
        # A middle too near the infimum to tell is passed over once.
        for share in (fmpq(1, 2), fmpq(7, 16)):
            middle = low + share * (high - low)
            holds = reaches(middle)
            if holds is not None:
                break
        if holds is None:
            break
        low, high = (low, middle) if holds else (middle, high)
    return arb(low).union(arb(high))


def _construct(curvature: _Curvature, recipe: Recipe, precision: int) -> EberleConstants:
    def is_positive(distance: fmpq) -> bool | None:
        value = curvature.drift(arb(distance))
        return True if value >= 0 else False if value < 0 else None

    inner = arb(0) if curvature.starts_nonnegative else _first_reaching(is_positive, fmpq(0))

    def suffices(distance: fmpq) -> bool | None:
        r = arb(distance)
        if r <= inner:
            return False
        value = curvature.drift(r) * (r - inner)
        return True if value >= 8 and r >= inner else False if value < 8 else None

    outer = _first_reaching(suffices, fmpq(0))
    cells: list[_Cell] = []
    state = _State(arb(1), arb(0), arb(0), arb(0))
    for left, right, piece, damped in _stretches(curvature, inner, outer):
        here = left
        while True:
            # Floats choose the widths only.
            pull = abs(float(piece(here).mid())) * float(recipe.exponent) if damped else 0.0
            width = arb(1 / (2.0 + 0.7 * pull)).min(right - here)
            last = not right - here > width
            width = right - here if last else width
            cells.append(_cell(here, width, piece, damped, state, recipe))
            state = cells[-1].at(width)
            if not state.slope > 0:
                raise ArithmeticError("φ is not told from 0; raise the precision")
            if last:
                break
            here = here + width
            if len(cells) > _MOST_CELLS:
                raise ValueError(f"R_1={float(outer.mid()):.3g}: needs too many cells; rescale")
    return EberleConstants(
        inner_radius=inner,
        outer_radius=outer,
        slope=state.slope,
        mass=state.mass,
        integral=state.ratio,
        rate=recipe.rate / state.ratio,
        recipe=recipe,
        precision=precision,
        cells=tuple(cells),
    )


def _stretches(
    curvature: _Curvature, inner: arb, outer: arb
) -> Iterator[tuple[arb, arb, arb_poly, bool]]:
    """Intervals of (0, R_1] on which r κ is one polynomial of one sign."""
    left = arb(0)
    damped = inner != 0
    for k, piece in enumerate(curvature.drifts):
        stop = curvature.ends[k] if k < len(curvature.ends) else arb("inf")
        if damped and _is_before(inner, stop):
            yield left, inner, piece, True
            left, damped = inner, False
        if not damped and _is_before(outer, stop):
            yield left, outer, piece, False
            return
        yield left, stop, piece, damped
        left = stop


def _is_before(point: arb, stop: arb) -> bool:
    if not (point < stop or stop < point):
        raise ValueError(f"R={point}: on the end of a piece of the curvature; merge the pieces")
    return bool(point < stop)


def _cell(
    left: arb, width: arb, drift: arb_poly, damped: bool, state: _State, recipe: Recipe
) -> _Cell:
    """Expand at the left end; the last coefficients are enclosed over the cell."""
    reach = arb(0).union(width)
    moved = drift(arb_poly([left, 1])) * recipe.exponent
    around = drift(arb_poly([left + reach, 1])) * recipe.exponent
    exponent = moved.integral() if damped else arb_poly([])
    slope = exponent(reach).exp()
    grown, inverse = reach * slope, reach / slope
    ratio = reach * grown / slope
    over = (grown, inverse, ratio, reach * slope * inverse, reach * slope * ratio)
    point = _expand(exponent, arb(1), (arb(0),) * 5)
    ball = _expand(around.integral() if damped else arb_poly([]), slope, over)
    series = (
        arb_poly([*(low[k] for k in range(ctx.cap - 1)), high[ctx.cap - 1]])
        for low, high in zip(point, ball, strict=True)
    )
    return _Cell(left, width, drift(arb_poly([left, 1])), damped, exponent, state, _Series(*series))


def _expand(exponent: arb_poly, slope: arb, values: tuple[arb, ...]) -> tuple[arb_series, ...]:
    """Taylor series of the functions of `_Series` from ψ and their values."""
    power = arb_series(exponent.coeffs(), prec=ctx.cap)
    psi = power.exp() * slope
    reciprocal = (-power).exp() / slope
    grown = psi.integral() + values[0]
    inverse = reciprocal.integral() + values[1]
    ratio = (grown * reciprocal).integral() + values[2]
    crossed = (psi * inverse).integral() + values[3]
    return grown, inverse, ratio, crossed, (psi * ratio).integral() + values[4]
