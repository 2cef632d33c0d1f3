r"""Rigorous bounds on the contraction of a clipped noisy step, by enclosure on cells of distances.

For f concave and linear between knots, ``T f`` is the mean of f after a step under
reflection-maximal coupling (``numerics.reflection_coupling``), an entire function of the means'
distance h.  On each cell, where h and f are lines, ``T f - q f`` is enclosed by its Taylor
polynomial of degree 2 with the third derivative over the cell; that ``T f`` is concave is not used.

The upper bound q on ``T f / f`` gives the rate ``1 - q`` for every distance.  A lower bound p on
``T g / g`` for any g > 0 shows that nothing contracts faster than ``1 - p``: if ``T u <= q u`` with
``u >= e g``, then ``q^n u >= T^n u >= e T^n g >= e p^n g`` for every n, so ``q >= p``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Protocol

import sympy as sp
from flint import arb, ctx, fmpq

from proofs_check.enclosure import exact_ball

#: Equal parts of a cell in which its polynomial is enclosed.
_PARTS = 8

#: What a bound may lose, relative to the rate, or in any case.
_TOLERANCE = fmpq(1, 300)
_LEAST_RATE = 1e-11


class Concave(Protocol):
    """``sum_j weights[j] min(r, knots[j]) + tail_weight r``, in floats, which are taken exactly."""

    @property
    def knots(self) -> tuple[float, ...]: ...
    @property
    def weights(self) -> tuple[float, ...]: ...
    @property
    def tail_weight(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ExactStep:
    """The step of ``numerics.clipped_step``, in rationals.

    Examples
    --------
    >>> half, one = sp.Rational(1, 2), sp.Integer(1)
    >>> ExactStep(half, one, one, one, one)
    ExactStep(step_size=1/2, weight_decay=1, lipschitz=1, clip=1, noise=1)
    """

    step_size: sp.Rational
    weight_decay: sp.Rational
    lipschitz: sp.Rational
    clip: sp.Rational
    noise: sp.Rational

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, sp.Rational):
                raise TypeError(f"{field.name}={value!r}: must be exact; write a sympy Rational")
            if value < 0 or (value == 0 and field.name != "lipschitz"):
                raise ValueError(f"{field.name}={value}: must be positive; raise it above 0")
        if self.step_size * self.weight_decay > 1:
            raise ValueError(
                f"step_size*weight_decay={self.step_size * self.weight_decay}: must be at most 1; "
                "take a smaller step_size"
            )

    @property
    def kept(self) -> fmpq:
        """``1 - eta lambda``."""
        return _fmpq(1 - self.step_size * self.weight_decay)

    @property
    def push(self) -> fmpq:
        """``2 eta C``, the most by which the clipped gradients part; 0 if they never do."""
        return _fmpq(2 * self.step_size * self.clip) if self.lipschitz else fmpq(0)

    @property
    def kink(self) -> fmpq | None:
        """``2 C / L``, None if there is none."""
        return _fmpq(2 * self.clip / self.lipschitz) if self.lipschitz else None

    def line(self, left: fmpq, right: fmpq) -> tuple[fmpq, fmpq]:
        """Slope and value at 0 of the line that h is on a cell without the kink inside."""
        kink = self.kink
        if kink is None or right <= kink:
            return self.kept + _fmpq(self.step_size * self.lipschitz), fmpq(0)
        assert left >= kink
        return self.kept, self.push


@dataclass(frozen=True, slots=True)
class ContractionCertificate:
    """What was shown, each number exact.

    Attributes
    ----------
    rate_low : arb
        ``T f <= (1 - rate_low) f`` at every distance.
    rate_high : arb
        ``T u <= (1 - rate) u`` at every distance is false for every u of the kind of f if ``rate``
        is larger.
    cells : int
        How many cells were enclosed.
    diameter : sympy.Rational or None
        The largest distance; None if all are covered.
    """

    rate_low: arb
    rate_high: arb
    cells: int
    diameter: sp.Rational | None

    def proves(self, rate: sp.Rational) -> bool:
        """Whether f was shown to contract by ``1 - rate``."""
        with ctx.workprec(256):
            return bool(exact_ball(rate) <= self.rate_low)


def certify_contraction(
    step: ExactStep,
    function: Concave,
    diameter: sp.Rational | None = None,
    *,
    witness: Concave | None = None,
    precision: int = 64,
    most_cells: int = 1500,
) -> ContractionCertificate:
    r"""Bound the rate of a step from below by a function, and from above by a witness.

    Parameters
    ----------
    step : ExactStep
        The step.
    function : Concave
        f, with weights >= 0.
    diameter : sympy.Rational or None
        The largest distance D, for a chain kept in a ball; f must be constant beyond it.  None for
        all distances; f must then have a positive tail weight.
    witness : Concave or None
        g, constant beyond some distance.  By default f itself; on all distances, by default
        ``g(r) = r``, which gives ``rate_high = eta lambda``.
    precision : int
        Bits of the enclosures.
    most_cells : int
        Cells are halved until the bounds are within a 300th of the rate, or there are as many;
        the bounds hold either way.

    Returns
    -------
    ContractionCertificate
        ``rate_low`` may be negative, which proves nothing.

    Raises
    ------
    ValueError
        If a function is not of the form that the case needs.

    Notes
    -----
    Without a diameter, beyond the last knot and the kink both f and the bound on h are lines, and
    ``T f(r) <= f(h(r))`` by Jensen's inequality; the quotient is monotone there.  A witness that is
    constant beyond a distance satisfies ``T g(r) >= T g(D) >= p g(D)`` beyond it, since T g is
    increasing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> half = sp.Rational(1, 2)
    >>> step = ExactStep(half, half, sp.Integer(0), sp.Integer(1), sp.Integer(1))
    >>> line = SimpleNamespace(knots=(), weights=(), tail_weight=1.0)
    >>> certify_contraction(step, line).proves(sp.Rational(1, 4))
    True
    """
    _check(function)
    with ctx.workprec(precision):
        if diameter is not None:
            return _certify_kept(step, function, witness or function, diameter, most_cells)
        return _certify_free(step, function, witness, most_cells)


def _certify_kept(
    step: ExactStep, function: Concave, witness: Concave, diameter: sp.Rational, most: int
) -> ContractionCertificate:
    last = _fmpq(diameter)
    _check(witness)
    for each in (function, witness):
        if each.tail_weight or not each.knots or _fmpq(each.knots[-1]) > last:
            raise ValueError(
                f"diameter={diameter}: f must be constant beyond it; let its last knot be smaller"
            )
    search = _Search(step, function, last)
    high = search.bound(+1, most)
    other = search if witness is function else _Search(step, witness, last)
    low = other.bound(-1, most)
    cells = len(search.cells) + (0 if other is search else len(other.cells))
    return ContractionCertificate((1 - high).lower(), (1 - low).upper(), cells, diameter)


def _certify_free(
    step: ExactStep, function: Concave, witness: Concave | None, most: int
) -> ContractionCertificate:
    if not function.tail_weight > 0.0:
        raise ValueError("tail_weight=0.0: on all distances f must grow; give it a linear tail")
    cells = 0
    high = arb(step.kept)
    edge = max((*map(_fmpq, function.knots), *([step.kink] if step.kink else [])), default=fmpq(0))
    if edge > 0:
        search = _Search(step, function, edge)
        high = high.max(search.bound(+1, most))
        cells += len(search.cells)
        # f = value + slope (r - edge) and h <= kept r + push, with equality beyond the kink.
        slope = arb(_fmpq(function.tail_weight))
        value = search.value(edge)
        high = high.max((value + slope * ((step.kept - 1) * edge + step.push)) / value)
    # T u(r) / u(r) tends to at least 1 - eta lambda for u concave with a linear part.
    low = arb(step.kept)
    if witness is not None:
        _check(witness)
        if witness.tail_weight or not witness.knots:
            raise ValueError(
                f"tail_weight={witness.tail_weight}: a witness must be constant in the end; "
                "take it on a diameter"
            )
        other = _Search(step, witness, _fmpq(witness.knots[-1]))
        low = low.max(other.bound(-1, most))
        cells += len(other.cells)
    return ContractionCertificate((1 - high).lower(), (1 - low).upper(), cells, None)


@dataclass(slots=True)
class _Cell:
    """A cell, the ratio in its middle, and bounds on it over the cell."""

    left: fmpq
    right: fmpq
    middle: arb
    low: arb
    high: arb


class _Search:
    """The cells of ``(0, last]``, halved where the bounds on ``T f / f`` are not yet sharp."""

    def __init__(self, step: ExactStep, function: Concave, last: fmpq) -> None:
        self.step = step
        pairs = list(zip(function.knots, function.weights, strict=True))
        self.knots = [_fmpq(knot) for knot, _ in pairs]
        self.terms = [(arb(_fmpq(k)), arb(_fmpq(w))) for k, w in pairs if w]
        self.weights = [_fmpq(w) for _, w in pairs]
        self.tail = _fmpq(function.tail_weight)
        self.width = arb(_fmpq(2 * step.step_size * step.noise))
        self.root = 1 / (arb(2).sqrt() * self.width)
        self.height = 1 / (2 * arb.pi()).sqrt()
        inner = [step.kink] if step.kink is not None else []
        edges = sorted({*(x for x in (*self.knots, *inner) if x < last), last, fmpq(0)})
        self.cells = [self._cell(a, b) for a, b in pairwise(edges)]

    def value(self, point: fmpq) -> arb:
        """Enclose f at a point."""
        slope, offset = self._line(point, point)
        return offset + slope * point

    def bound(self, sign: int, most: int) -> arb:
        """Bound ``T f / f`` from above (sign 1) or below (sign -1) on all cells."""
        while True:
            bounds = [(c.high if sign > 0 else -c.low) for c in self.cells]
            reached = max(float(sign * c.middle.mid()) for c in self.cells)
            allowed = reached + max((1.0 - sign * reached) * float(_TOLERANCE), _LEAST_RATE)
            # Floats only choose which cells to halve.
            proves_nothing = sign > 0 and reached >= 1.0
            if (
                proves_nothing
                or len(self.cells) >= most
                or all(float(b) <= allowed for b in bounds)
            ):
                top = bounds[0]
                for other in bounds[1:]:
                    top = top.max(other)
                return (sign * top).upper() if sign > 0 else (sign * top).lower()
            fresh: list[_Cell] = []
            for cell, bound in zip(self.cells, bounds, strict=True):
                if float(bound) <= allowed:
                    fresh.append(cell)
                    continue
                middle = (cell.left + cell.right) / 2
                fresh += [self._cell(cell.left, middle), self._cell(middle, cell.right)]
            self.cells = fresh

    def _line(self, left: fmpq, right: fmpq) -> tuple[arb, arb]:
        """Slope and value at 0 of the line that f is on a cell without knots inside."""
        slope, offset = arb(self.tail), arb(0)
        for knot, weight in zip(self.knots, self.weights, strict=True):
            if knot >= right:
                slope += weight
            else:
                assert knot <= left
                offset += arb(knot) * weight
        return slope, offset

    def _cell(self, left: fmpq, right: fmpq) -> _Cell:
        slope, shift = self.step.line(left, right)
        if left == 0:
            return self._first_cell(right, slope, shift)
        centre, half = (left + right) / 2, (right - left) / 2
        h = arb(slope * centre + shift)
        wide = arb(slope * left + shift).union(arb(slope * right + shift))
        t0, t1, t2 = self._derivatives(h)
        t3 = self._third(wide)
        f1, offset = self._line(left, right)
        f0 = offset + f1 * centre
        ratio = t0 / f0
        q = ratio.mid()
        # T f - q f at centre + x is d0 + d1 x + d2 x^2 + d3 x^3.
        d0, d1 = t0 - q * f0, t1 * slope - q * f1
        d2, d3 = t2 * slope**2 / 2, t3 * slope**3 / 6
        low, high = ratio.lower(), ratio.upper()
        for part in range(-_PARTS, _PARTS, 2):
            m = half * fmpq(part + 1, _PARTS)
            step = arb(half / _PARTS) * arb(0, 1)
            x = m + step
            at_m = d0 + m * (d1 + m * (d2 + m * d3))
            rise = d1 + x * (2 * d2 + 3 * x * d3)
            here = q + (at_m + rise * step) / (f0 + f1 * x)
            low, high = low.min(here.lower()), high.max(here.upper())
        return _checked(_Cell(left, right, ratio, low, high))

    def _first_cell(self, right: fmpq, slope: fmpq, shift: fmpq) -> _Cell:
        """The cell (0, right], by ``M(h) / h = M'(0) + h^2 M'''(some u) / 6`` with u in (0, h)."""
        assert shift == 0
        f1, _ = self._line(fmpq(0), right)
        top = slope * right
        reach = arb(0).union(arb(top))
        third = self._third(reach)
        _, t1, _ = self._derivatives(arb(0))
        ratio = slope * (t1 + (reach * reach) * third / 6) / f1
        middle = slope * t1 / f1
        return _checked(_Cell(fmpq(0), right, middle, ratio.lower(), ratio.upper()))

    def _derivatives(self, h: arb) -> tuple[arb, arb, arb]:
        """Enclose ``sum_j w_j M(h, r_j) + w_inf h`` and its first two derivatives in h."""
        total, slope, bend = self.tail * h, arb(self.tail), arb(0)
        for b, weight in self.terms:
            far, near = h + b, h - b
            u, v = far * self.root, near * self.root
            erf_u, erf_v = u.erf(), v.erf()
            exp_u, exp_v = (-u * u).exp(), (-v * v).exp()
            fall = exp_u - exp_v
            total += weight * ((far * erf_u - near * erf_v) / 2 + self.width * self.height * fall)
            slope += weight * (erf_u - erf_v) / 2
            bend += weight * fall
        return total, slope, bend * self.height / self.width

    def _third(self, h: arb) -> arb:
        """Enclose the third derivative for all h in a ball."""
        total = arb(0)
        for b, weight in self.terms:
            u, v = (h + b) * self.root, (h - b) * self.root
            total += weight * (v * (-v * v).exp() - u * (-u * u).exp())
        # phi'(x) = -x phi(x) at x = sqrt(2) u.
        return total * arb(2).sqrt() * self.height / self.width**2


def _checked(cell: _Cell) -> _Cell:
    if not (cell.low.is_finite() and cell.high.is_finite()):
        raise ArithmeticError("the ratio is not finite on a cell; raise the precision")
    return cell


def _fmpq(value: sp.Rational | float) -> fmpq:
    """Return a rational, or the exact value of a float."""
    if isinstance(value, float):
        return fmpq(*value.as_integer_ratio())
    return fmpq(int(value.p), int(value.q))


def _check(function: Concave) -> None:
    edges = (0.0, *function.knots)
    if not all(a < b < float("inf") for a, b in pairwise(edges)):
        raise ValueError("knots: must be positive, finite and increase; sort them")
    if len(function.knots) != len(function.weights):
        raise ValueError(f"weights={len(function.weights)} of them: one is needed for each knot")
    every = (*function.weights, function.tail_weight)
    if not all(0.0 <= weight < float("inf") for weight in every) or not any(every):
        raise ValueError("weights: must be finite, >= 0 and not all 0; project them")
