"""The numbers at a point: enclosures of closed forms, quadrature or sampling elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import sympy as sp
from flint import arb

from proofs_check import sampling
from proofs_check.enclosure import (
    NoiseAtom,
    NotEnclosable,
    TimeRule,
    UniformNoise,
    enclose,
    enclose_all,
    exact_ball,
)
from proofs_check.number import Method, Number
from proofs_check.point import Point
from theory import symbols
from theory.claim import Claim
from theory.process import TimeAtoms, UniformTime
from theory.quantities import symbol

PRECISION = 96

#: Two Gauss rules further apart than this, as a fraction, may both miss a peak: then neither value
#: nor difference means anything.
_UNRESOLVED = 0.02


def to_number(ball: arb, method: Method = Method.ENCLOSURE) -> Number | None:
    """Return a ball as a float and an error that covers it; None if it is not finite."""
    if not ball.is_finite():
        return None
    value = float(ball.mid())
    distance = abs(ball - arb(value)).upper()
    # Exact only if the ball says so: a distance that underflows is not zero.
    error = 0.0 if distance == 0 else float(np.nextafter(float(distance), np.inf))
    return Number(value, error, method) if np.isfinite(value) and np.isfinite(error) else None


def to_ball(number: Number) -> arb:
    """Return the ball ``value ± error``."""
    return arb(number.value, number.error)


def measure(
    point: Point, names: Sequence[str], *, effort: str = "standard", seed: int = 0, more: int = 1
) -> dict[str, Number]:
    """Return the quantities that the case can give at a point, each with its error.

    Parameters
    ----------
    point
        The case, its exact parameter values, the schedule and τ.
    names
        Names of quantities; those that the case cannot give are left out of the answer.
    effort
        ``quick``, ``standard`` or ``deep``: how many replicates sampling uses.
    seed
        For sampling.
    more
        Multiplies the number of replicates.

    Examples
    --------
    >>> from proofs_check.point import at_time
    >>> numbers = measure(at_time("gaussian-mean", "3/10", N=2), ["E_l_sm", "C_sm"])
    >>> round(numbers["C_sm"].value, 6), numbers["C_sm"].method.value
    (1.216369, 'enclosure')
    """
    found = dict(_closed_forms(point, tuple(names)))
    missing = [name for name in names if name not in found and name in point.law.measured]
    if missing and point.case == "gaussian-mean-variance":
        found |= {k: v for k, v in _plug_in(point).items() if k in missing}
        missing = [name for name in missing if name not in found]
    if missing:
        sample = replicates(point, effort=effort, seed=seed, more=more)
        for name in missing:
            mean, width = sample.combination({name: 1.0})
            found[name] = Number(mean, width, Method.SAMPLING)
    return {name: found[name] for name in names if name in found}


@lru_cache(maxsize=12)
def replicates(point: Point, *, effort: str, seed: int, more: int = 1) -> sampling.Sample:
    """Draw the replicates of a point once for all the quantities that need them."""
    return sampling.draw(point, effort=effort, seed=seed, more=more)


def balls(point: Point, numbers: Mapping[str, Number]) -> dict[sp.Symbol, arb]:
    """Return a ball for every measured quantity and every parameter of a point.

    Quantities are nonnegative by definition, so their balls are cut there; a ball of negative
    numbers alone is undefined.
    """
    environment = {s: exact_ball(v) for s, v in point.substitutions().items() if v.is_Rational}
    for name, number in numbers.items():
        ball = to_ball(number)
        environment[symbol(name)] = arb("nan") if ball < 0 else ball.nonnegative_part()
    return environment


def sides(
    claim: Claim, point: Point, numbers: Mapping[str, Number]
) -> tuple[Number | None, Number | None, Number | None]:
    """Return both sides of a claim and the slack ``rhs/lhs``, errors carried through.

    A side is None where a quantity is missing; the slack also where ``lhs <= 0`` can't be excluded.
    """
    relation = claim.statement.conclusion
    environment = balls(point, numbers)
    method = _worst({number.method for number in numbers.values()})
    found = []
    for side in (relation.lhs, relation.rhs):
        known = side.free_symbols <= set(environment)
        found.append(enclose(side, environment, precision=PRECISION) if known else arb("nan"))
    lhs, rhs = found
    slack = rhs / lhs if lhs > 0 else arb("nan")
    return to_number(lhs, method), to_number(rhs, method), to_number(slack, method)


def _worst(methods: set[Method]) -> Method:
    return next((m for m in (Method.SAMPLING, Method.QUADRATURE) if m in methods), Method.ENCLOSURE)


@lru_cache(maxsize=256)
def _closed_forms(point: Point, names: tuple[str, ...]) -> Mapping[str, Number]:
    forms = point.law.example_quantities(dict(point.values))
    free = {symbol(name): form for name, form in forms.items()}
    wanted = {name: forms[name].subs(free) for name in names if name in forms}
    environment = balls(point, {})
    try:
        enclosed = enclose_all(
            list(wanted.values()), environment, time=time_rule(point), precision=PRECISION
        )
        method = Method.ENCLOSURE
    except NotEnclosable:
        enclosed = _by_gauss_rules(point, list(wanted.values()), environment)
        method = Method.QUADRATURE
    numbers = {n: to_number(b, method) for n, b in zip(wanted, enclosed, strict=True)}
    return MappingProxyType({n: number for n, number in numbers.items() if number is not None})


def time_rule(point: Point) -> TimeRule:
    """Return the point's measure of time, with noise levels, in the form that enclosures want."""
    schedule_values = dict(point.schedule_values)
    tau = point.tau
    if isinstance(tau, UniformTime):
        levels = point.process.at(symbols.t, schedule_values)
        return UniformNoise(
            levels[symbols.mu], levels[symbols.sigma2], tau.early_stopping_time, tau.horizon
        )
    return tuple(
        _atom(point, exact_ball(sp.Rational(t)), exact_ball(sp.Rational(w)))
        for t, w in zip(tau.times, tau.weights, strict=True)
    )


def _atom(point: Point, time: arb, weight: arb) -> NoiseAtom:
    levels = point.process.at(symbols.t, dict(point.schedule_values))
    mu, sigma2 = enclose_all(list(levels.values()), {symbols.t: time}, precision=2 * PRECISION)
    return NoiseAtom(mu, sigma2, weight)


def _by_gauss_rules(
    point: Point, forms: Sequence[sp.Expr], environment: Mapping[sp.Symbol, arb]
) -> tuple[arb, ...]:
    """Integrate over uniform time by two Gauss rules; the integrand at each node is enclosed."""
    tau = point.tau
    if not isinstance(tau, UniformTime):
        raise NotEnclosable("no rigorous rule and no quadrature for this point")
    results = []
    for order in (12, 18):
        times, weights = _uniform_rule(tau, order)
        rule = tuple(
            _atom(point, arb(float(t)), arb(float(w))) for t, w in zip(times, weights, strict=True)
        )
        results.append(enclose_all(forms, environment, time=rule, precision=64))
    return tuple(
        fine + arb(0, 2) * abs(fine - coarse) for coarse, fine in zip(*results, strict=True)
    )


def _uniform_rule(tau: UniformTime, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a Gauss rule for uniform time, in log t: the losses vary by decades near the start."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    low, high = float(tau.early_stopping_time), float(tau.horizon)
    half = (np.log(high) - np.log(low)) / 2
    times = np.exp(np.log(low) + half * (nodes + 1))
    return times, weights * half * times / (high - low)


def _plug_in(point: Point) -> dict[str, Number]:
    """The plug-in score by Gauss quadrature, integrated over τ."""
    from numerics.plug_in import plug_in_losses

    values = dict(point.values)

    def at(times: np.ndarray, weights: np.ndarray) -> dict[str, tuple[float, float]]:
        total: dict[str, tuple[float, float]] = {}
        mu, sigma = sampling.noise_level(point, times)
        for m, s, w in zip(mu, sigma, weights, strict=True):
            losses = plug_in_losses(
                int(values["N"]), int(values["d"]), float(values["s"]), mu=float(m), sigma=float(s)
            )
            resolved = all(
                losses.errors[name] <= _UNRESOLVED * abs(value)
                for name, value in losses.values.items()
            )
            for name, value in losses.values.items():
                old_value, old_error = total.get(name, (0.0, 0.0))
                error = losses.errors[name] if resolved else np.inf
                total[name] = (old_value + w * value, old_error + w * error)
        return total

    if isinstance(point.tau, TimeAtoms):
        atoms = np.array([float(t) for t in point.tau.times])
        final = at(atoms, np.array([float(w) for w in point.tau.weights]))
        return {n: Number(v, e, Method.QUADRATURE) for n, (v, e) in final.items()}
    rules = [at(*_uniform_rule(point.tau, order)) for order in (12, 18)]
    return {
        name: Number(value, error + 2 * abs(value - rules[0][name][0]), Method.QUADRATURE)
        for name, (value, error) in rules[1].items()
    }
