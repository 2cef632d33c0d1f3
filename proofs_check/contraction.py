"""The concave function of a clipped noisy step at a point, found in floats and then certified."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb

from numerics.clipped_step import ClippedStep
from numerics.reflection_coupling import (
    ConcaveFunction,
    best_concave_function,
    slowest_concave_function,
)
from proofs_check.contraction_certificate import (
    ContractionCertificate,
    ExactStep,
    certify_contraction,
)
from proofs_check.enclosure import enclose, exact_ball
from proofs_check.point import Point

#: Lipschitz constants that are no rational numbers are rounded up to a multiple of this.
_GRAIN = sp.Rational(1, 2**20)
_PRECISION = 96

#: Above this exponent it is the barrier, and not the grid, that leaves no rate to be certified;
#: above the second it is not even tried, rates below 1e-10 being lost in rounding.
_HIGH, _HOPELESS = 16.0, 60.0
#: Knots of f: about one for each width of the noise, between these numbers.
_FEWEST, _MOST = 120, 480


@dataclass(frozen=True, slots=True)
class Contraction:
    """A step, its f, and the certificate of its rate; ``diameter`` is None without projection."""

    step: ExactStep
    function: ConcaveFunction
    certificate: ContractionCertificate
    diameter: sp.Rational | None

    @property
    def slope(self) -> arb:
        """f'(0), by which f is divided so that its slope there is one."""
        return sum(map(arb, self.function.weights), arb(self.function.tail_weight))

    def value(self, distance: arb) -> arb:
        """Return f at a distance, divided by its slope at zero."""
        terms = (
            arb(w) * distance.min(arb(b))
            for b, w in zip(self.function.knots, self.function.weights, strict=True)
        )
        return sum(terms, arb(self.function.tail_weight) * distance) / self.slope

    def next_value(self, distance: arb) -> arb:
        """Return E f(R') from a distance, divided by the slope at zero."""
        moved = self.displacement(distance)
        width = 2 * exact_ball(self.step.step_size * self.step.noise)
        terms = (
            arb(w) * _truncated_mean(moved, arb(b), width)
            for b, w in zip(self.function.knots, self.function.weights, strict=True)
        )
        return sum(terms, arb(self.function.tail_weight) * moved) / self.slope

    @property
    def step_slope(self) -> arb:
        """E F'(2ηsZ), the weight of each knot times the probability that the noise is below it."""
        root = 2 * exact_ball(self.step.step_size * self.step.noise) * arb(2).sqrt()
        terms = (
            arb(w) * (arb(b) / root).erf()
            for b, w in zip(self.function.knots, self.function.weights, strict=True)
        )
        return sum(terms, arb(self.function.tail_weight)) / self.slope

    def displacement(self, distance: arb) -> arb:
        """Return h(r) = (1 − ηλ) r + η min(Lr, 2C)."""
        step = self.step
        push = (exact_ball(step.lipschitz) * distance).min(2 * exact_ball(step.clip))
        kept = exact_ball(1 - step.step_size * step.weight_decay)
        return kept * distance + exact_ball(step.step_size) * push


def _truncated_mean(mean: arb, bound: arb, width: arb) -> arb:
    """Return E clip(h + W, −b, b) for a centred normal W, from E (X − b)₊ and E (X + b)₊."""
    return _excess(mean + bound, width) - _excess(mean - bound, width) - bound


def _excess(mean: arb, width: arb) -> arb:
    """Return E (m + W)₊."""
    ratio = mean / width
    density = (-(ratio * ratio) / 2).exp() / (2 * arb.pi()).sqrt()
    return mean * (1 + (ratio / arb(2).sqrt()).erf()) / 2 + width * density


def contraction_at(point: Point) -> Contraction:
    """Return the contraction for the step of a point.

    Raises
    ------
    ValueError
        One line, if no contraction can be certified at this noise.
    """
    values = dict(point.values)
    step = ExactStep(
        values["eta"], values["lambda"], lipschitz_of(point), values["C"], values["noise"]
    )
    projected = "projected" in point.law.properties
    return _contraction(step, 2 * values["C"] / values["lambda"] if projected else None)


def lipschitz_of(point: Point) -> sp.Rational:
    """Return L at a point: exact, or the least multiple of 2^−20 that is at least as large."""
    from proofs_check.measurement import time_rule

    form = point.law.quantities(dict(point.values))["gradient_lipschitz"]
    if form.is_Rational:
        return sp.Rational(form)
    ball = enclose(form, {}, time=time_rule(point), precision=_PRECISION)
    return sp.ceiling(sp.Rational(float(ball.upper()) * (1 + 2.0**-40)) / _GRAIN) * _GRAIN


@lru_cache(maxsize=256)
def _contraction(step: ExactStep, diameter: sp.Rational | None) -> Contraction:
    barrier = _barrier(step)
    if barrier <= _HOPELESS:
        function, certificate = _found(step, diameter)
        if certificate.rate_low > 0:
            return Contraction(step, function, certificate, diameter)
    if barrier > _HIGH:
        raise ValueError(
            f"noise={step.noise}: no contraction is certified; the rate falls like exp(−C²(1/λ − "
            f"1/L)/(η noise²)), here exp(−{barrier:.3g}); take noise = {_enough(step)}, or a "
            "smaller C"
        )
    raise ValueError(
        f"eta={step.step_size}: no contraction is certified; the rate of a step this small is lost "
        "between the knots of f; take a larger eta"
    )


def _barrier(step: ExactStep) -> float:
    """Return C²(1/λ − 1/L)/(η s²), the exponent of φ(R₀) for the diffusion with this drift."""
    if step.lipschitz <= step.weight_decay:
        return 0.0
    height = step.clip**2 * (1 / step.weight_decay - 1 / step.lipschitz)
    return float(height / (step.step_size * step.noise**2))


def _enough(step: ExactStep) -> int:
    """Return a whole number s with C²/(λ η s²) at most one."""
    return math.ceil(math.sqrt(step.clip**2 / (step.weight_decay * step.step_size)))


def _found(
    step: ExactStep, diameter: sp.Rational | None
) -> tuple[ConcaveFunction, ContractionCertificate]:
    floats = ClippedStep(
        float(step.step_size),
        float(step.weight_decay),
        float(step.lipschitz),
        float(step.clip),
        float(step.noise),
    )
    if diameter is None:
        function = best_concave_function(floats, tail="linear")
        certificate = certify_contraction(step, function)
    else:
        last = _float_at_most(diameter)
        knots = round(min(max(_FEWEST, 1.2 * last / floats.noise_width), _MOST))
        function = best_concave_function(floats, last, knots=knots)
        witness = slowest_concave_function(floats, last, knots=knots)
        certificate = certify_contraction(
            step, function, diameter, witness=witness, most_cells=max(1500, 6 * knots)
        )
    return function, certificate


def _float_at_most(value: sp.Rational) -> float:
    """Return the largest float that is not above a rational: f is constant from there on."""
    near = float(value)
    return near if sp.Rational(near) <= value else math.nextafter(near, 0.0)
