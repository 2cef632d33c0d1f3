"""The numbers at a point: enclosures of closed forms, quadrature or sampling elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import sympy as sp
from flint import arb

from proofs_check import sampling
from proofs_check.drift_quantities import drift_quantities
from proofs_check.enclosure import (
    NoiseAtom,
    NotEnclosable,
    TimeRule,
    UniformNoise,
    enclose,
    enclose_all,
    exact_ball,
)
from proofs_check.feature_quantities import feature_quantities
from proofs_check.gap_quantities import gap_quantities
from proofs_check.kernel_constants import kernel_constants
from proofs_check.law_integrals import law_integrals
from proofs_check.number import Method, Number, to_ball, to_number
from proofs_check.point import Point
from proofs_check.sampler_quantities import sampler_quantities
from proofs_check.sgd_quantities import sgd_quantities
from proofs_check.time_quadrature import over_time, uniform_rule
from proofs_check.variance_quantities import variance_quantities
from theory import symbols
from theory.claim import Claim, Relation
from theory.claim_parameters import PARAMETERS
from theory.process import UniformTime
from theory.quantities import symbol

PRECISION = 96

#: What cases are about that have no replicates of one experiment.
_NEVER_SAMPLED = frozenset(
    {
        "sampler",
        "reverse-process",
        "sgd",
        "reflection-drift",
        "random-slope",
        "naive-estimator",
        "naive-gap",
        "gap-filling",
        "trained-features",
        "training-time",
    }
)

#: What `bounds_of_support` gives.
_OF_SUPPORT = frozenset({"tau_mass", "largest_change", "ball_mass"})


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
    own, point = point, point.without_claim
    found = dict(_closed_forms(own if own.law.takes else point, names))
    if not _OF_SUPPORT.isdisjoint(names):
        found |= {name: n for name, n in bounds_of_support(own).items() if name in names}
    missing = [name for name in names if name not in found]
    for computed in (
        law_integrals,
        kernel_constants,
        sampler_quantities,
        drift_quantities,
        variance_quantities,
    ):
        found |= computed(own, missing)
    for drawn in (sgd_quantities, feature_quantities, gap_quantities):
        found |= drawn(own, missing, effort=effort, seed=seed, more=more)
    missing = [name for name in missing if name not in found and name in point.law.measured]
    if missing and point.case == "gaussian-mean-variance":
        found |= {k: v for k, v in _plug_in(point).items() if k in missing}
        missing = [name for name in missing if name not in found]
    if missing and not point.law.properties & _NEVER_SAMPLED:
        sample = replicates(point, effort=effort, seed=seed, more=more)
        for name in missing:
            mean, width = sample.combination({name: 1.0})
            found[name] = Number(mean, width, Method.SAMPLING)
    return {name: found[name] for name in names if name in found}


@lru_cache(maxsize=12)
def replicates(point: Point, *, effort: str, seed: int, more: int = 1) -> sampling.Sample:
    """Draw the replicates of a point once for all the quantities that need them."""
    return sampling.draw(point.without_claim, effort=effort, seed=seed, more=more)


def balls(point: Point, numbers: Mapping[str, Number]) -> dict[sp.Symbol, arb]:
    """Return a ball for every measured quantity and every parameter of a point.

    Quantities are nonnegative by definition, so their balls are cut there; a ball of negative
    numbers alone is undefined.
    """
    environment = {s: exact_ball(v) for s, v in point.substitutions().items() if v.is_Rational}
    if point.one_time is not None:  # a statement about one time may name the noise level there
        time = exact_ball(sp.Rational(point.one_time))
        atom = _atom(point, time, arb(1))
        environment |= {symbols.mu: atom.mu, symbols.sigma2: atom.sigma2, symbols.t: time}
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
    relation = conclusion_at(claim, point)
    environment = balls(point, numbers)
    method = _worst({number.method for number in numbers.values()})
    found = []
    for side in (relation.lhs, relation.rhs):
        known = side.free_symbols <= set(environment)
        found.append(enclose(side, environment, precision=PRECISION) if known else arb("nan"))
    lhs, rhs = found
    slack = rhs / lhs if lhs > 0 else arb("nan")
    return to_number(lhs, method), to_number(rhs, method), to_number(slack, method)


def conclusion_at(claim: Claim, point: Point) -> Relation:
    """Return the conclusion with the claim's own parameters in it as exact numbers."""
    relation = claim.statement.conclusion
    return _with_parameters(relation, point.claim_values) if point.claim_values else relation


@lru_cache(maxsize=1024)
def _with_parameters(relation: Relation, claim_values: tuple[tuple[str, sp.Expr], ...]) -> Relation:
    own = {PARAMETERS[name].symbol: value for name, value in claim_values}
    return Relation(relation.lhs.subs(own), relation.op, relation.rhs.subs(own))


def bounds_of_support(point: Point) -> dict[str, Number]:
    """Return what Proposition 6 asks of the support and of τ, as far as the case knows it."""
    forms = {"tau_mass": point.tau_mass}
    if point.law.geometry is not None:
        geometry = point.law.geometry(dict(point.values))
        ratio = dict(point.claim_values).get("ball", sp.S.One)
        radius = ratio * sp.sqrt(symbols.sigma2) / symbols.mu
        forms["largest_change"] = geometry.diameter**2 * symbols.mu**2 / symbols.sigma2**2
        forms["ball_mass"] = geometry.lower_mass * radius**geometry.intrinsic_dimension
    start = _atom(point, exact_ball(sp.Rational(point.first_time)), arb(1))
    levels = {symbols.mu: start.mu, symbols.sigma2: start.sigma2}
    found = enclose_all(list(forms.values()), levels, precision=PRECISION)
    numbers = {name: to_number(ball) for name, ball in zip(forms, found, strict=True)}
    return {name: number for name, number in numbers.items() if number is not None}


def radius_excess(point: Point) -> str:
    """Say why the balls of Proposition 6 are too large at a point; empty if they are not."""
    if point.law.geometry is None:
        return ""
    limit = point.law.geometry(dict(point.values)).radius_limit
    ratio = dict(point.claim_values).get("ball", sp.S.One)
    radius = exact_ball(sp.Rational(ratio)) * _noise_radius(point)
    if limit == sp.oo or radius <= enclose(limit, precision=PRECISION):
        return ""
    return (
        f"ball={ratio}: the balls have radius {float(radius.mid()):.6g} = ball · σ_ε/μ_ε, and the "
        f"law's lower mass is known up to radius {limit} only"
    )


def noise_radius(point: Point) -> float:
    """Return σ_ε/μ_ε, the noise at the early stopping time in units of the data."""
    return float(_noise_radius(point).mid())


def _noise_radius(point: Point) -> arb:
    start = _atom(point, exact_ball(sp.Rational(point.first_time)), arb(1))
    return start.sigma2.sqrt() / start.mu


def _worst(methods: set[Method]) -> Method:
    return next((m for m in (Method.SAMPLING, Method.QUADRATURE) if m in methods), Method.ENCLOSURE)


def _closed_forms(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Enclose the quantities that the case has in closed form; each is computed once."""
    known = point.law.example_quantities(dict(point.values))
    found = {name: _closed_form(point, name) for name in names if name in known}
    return {name: number for name, number in found.items() if number is not None}


@lru_cache(maxsize=4096)
def _closed_form(point: Point, name: str) -> Number | None:
    forms = point.law.example_quantities(dict(point.values))
    wanted = sp.sympify(forms[name])
    held = {symbol(n): f for n, f in forms.items() if symbol(n) in wanted.free_symbols}
    wanted = wanted.subs(held) if held else wanted
    environment = balls(point, {})
    try:
        ball = enclose(wanted, environment, time=time_rule(point), precision=PRECISION)
        return to_number(ball, Method.ENCLOSURE)
    except NotEnclosable:
        return to_number(_by_gauss_rules(point, wanted, environment), Method.QUADRATURE)


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


def _by_gauss_rules(point: Point, form: sp.Expr, environment: Mapping[sp.Symbol, arb]) -> arb:
    """Integrate over uniform time by two Gauss rules; the integrand at each node is enclosed."""
    tau = point.tau
    if not isinstance(tau, UniformTime):
        raise NotEnclosable("no rigorous rule and no quadrature for this point")
    results = []
    for order in (12, 18):
        times, weights = uniform_rule(tau, order)
        rule = tuple(
            _atom(point, arb(float(t)), arb(float(w))) for t, w in zip(times, weights, strict=True)
        )
        results.append(enclose(form, environment, time=rule, precision=64))
    coarse, fine = results
    return fine + arb(0, 2) * abs(fine - coarse)


def _plug_in(point: Point) -> dict[str, Number]:
    """The plug-in score by Gauss quadrature, integrated over τ."""
    from numerics.plug_in import plug_in_losses

    values = dict(point.values)
    size, dimension, deviation = int(values["N"]), int(values["d"]), float(values["s"])

    def at_one_time(mu: float, sigma: float) -> dict[str, tuple[float, float]]:
        losses = plug_in_losses(size, dimension, deviation, mu=mu, sigma=sigma)
        return {name: (value, losses.errors[name]) for name, value in losses.values.items()}

    return over_time(point, at_one_time)
