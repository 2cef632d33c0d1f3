"""From ``--set name=value`` and ``--grid name=v1,v2`` to exact points.

Besides the case's own parameters a point has a schedule (``schedule``, ``beta_min``, ``beta_d``)
and a measure of time: ``t=3/10`` is a point mass, ``t=0.1;0.2`` with or without ``weights=1;3`` a
finite list, ``eps=0.01`` with ``T=1`` the uniform measure on [eps, T]. A sampler has its own times:
there ``T`` and ``eps`` stand for the numbers of steps ``L`` and ``m``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import sympy as sp

from proofs_check.errors import UsageError, one_of, unknown_name
from proofs_check.exact import exact_number, is_spelled_as_integer
from proofs_check.names import case_named
from proofs_check.point import Point
from theory import cases
from theory.cases.case import Case, Domain, Parameter
from theory.claim_parameters import PARAMETERS
from theory.process import SCHEDULES, Schedule, TimeAtoms, TimeMeasure, UniformTime

_TIME = ("t", "weights", "eps", "T")
_STEPS = ("eps", "T")
_DEFAULT_TIME = sp.Rational(3, 10)
_DEFAULT_EPS = sp.Rational(1, 100)
_DEFAULT_HORIZON = sp.S.One

Check = Callable[[sp.Expr], bool]


@dataclass(frozen=True, slots=True)
class _Domain:
    """A domain that no case parameter has."""

    words: str
    example: str
    contains: Check


_POSITIVE = _Domain("a real number > 0", "1", lambda value: bool(value > 0))
_SCHEDULE_DOMAINS = {
    "beta_min": _POSITIVE,
    "beta_d": _Domain("a real number ≥ 0", "1", lambda value: bool(value >= 0)),
}
_EXAMPLES = {
    Domain.NATURAL: "0",
    Domain.POSITIVE_INTEGER: "1",
    Domain.FROM_TWO: "2",
    Domain.FROM_THREE: "3",
    Domain.FROM_FOUR: "4",
    Domain.POSITIVE: "1",
    Domain.NONNEGATIVE: "1",
    Domain.ABOVE_ONE: "2",
    Domain.PROBABILITY: "1/2",
    Domain.OPEN_UNIT: "1/2",
}


def parse_assignments(texts: Sequence[str], option: str) -> dict[str, str]:
    """Split ``name=value`` texts.

    Raises
    ------
    UsageError
        If one has no ``=``, no name or no value, or if a name comes twice.

    Examples
    --------
    >>> parse_assignments(["N=1,2", "t=3/10"], "--grid")
    {'N': '1,2', 't': '3/10'}
    """
    assigned: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{option} {text}: write {option} name=value, as in {option} N=4")
        if name in assigned:
            raise UsageError(f"{option} {text}: {name} is given twice; give it once")
        assigned[name] = value
    return assigned


def points(
    case: str,
    sets: Sequence[str] = (),
    grids: Sequence[str] = (),
    claim_parameters: Sequence[str] = (),
) -> tuple[Point, ...]:
    """Return the points of a grid, the last grid's values varying fastest.

    Parameters
    ----------
    case
        A case's name.
    sets
        Texts ``name=value``, the same at every point.
    grids
        Texts ``name=v1,v2,…``.
    claim_parameters
        Names of parameters of the claim itself.

    Raises
    ------
    UsageError
        For an unknown case or parameter, a value outside its domain, a name given twice, an empty
        grid, or a measure of time that contradicts itself.

    Examples
    --------
    >>> for point in points("gaussian-mean", ["t=0.3"], ["N=1,2"]):
    ...     print(point)
    N=1, d=1, s=1, ou, t=3/10
    N=2, d=1, s=1, ou, t=3/10
    """
    law = cases.get(case_named(case))
    fixed = parse_assignments(sets, "--set")
    axes = {name: _axis(name, text) for name, text in parse_assignments(grids, "--grid").items()}
    for name in (*fixed, *axes):
        _check_name(name, law, claim_parameters)
    for name in fixed.keys() & axes.keys():
        raise UsageError(f"{name} is given by --set and by --grid; keep one of the two")
    return tuple(
        _point(law, {**fixed, **dict(zip(axes, chosen, strict=True))}, claim_parameters)
        for chosen in product(*axes.values())
    )


def _axis(name: str, text: str) -> tuple[str, ...]:
    values = tuple(value.strip() for value in text.split(","))
    if not all(values):
        raise UsageError(f"--grid {name}={text}: an empty value; write --grid {name}=v1,v2")
    return values


def _check_name(name: str, law: Case, claim_parameters: Sequence[str]) -> None:
    own = [parameter.name for parameter in law.parameters]
    time = ["schedule", *_SCHEDULE_DOMAINS, *_TIME] if law.time_measure is None else [*_STEPS]
    if "timeless" in law.properties:
        time = []
    fixed = [symbol.name for symbol, _ in law.fixed]
    if name not in (known := [*own, *fixed, *claim_parameters, *time]):
        error = unknown_name(f"parameter of {law.name}", name, known)
        raise error if "Known" in str(error) else UsageError(f"{error} Known: {', '.join(known)}")


def _point(law: Case, given: Mapping[str, str], claim_parameters: Sequence[str]) -> Point:
    schedule = SCHEDULES[one_of("schedule", given.get("schedule", "ou"), SCHEDULES)]
    if schedule.name != "ou" and "reverse-process" in law.properties:
        raise UsageError(
            f"schedule={schedule.name}: {law.name} is about the Ornstein–Uhlenbeck process; leave "
            "it out"
        )
    for symbol, value in law.fixed:
        _check_fixed(law, symbol.name, value, given)
    if law.time_measure is not None:
        given = _with_steps(law, given)
    values = tuple(
        (p.name, _case_value(p, given[p.name]) if p.name in given else p.default)
        for p in law.parameters
    )
    if objection := law.objection(dict(values)):
        raise UsageError(objection)
    own = tuple(
        (p.name, _case_value(p, given[p.name]) if p.name in given else p.default)
        for p in (PARAMETERS[name] for name in claim_parameters)
    )
    if law.time_measure is None:
        tau = _time_measure(schedule, given)
    else:
        tau = law.time_measure(dict(values))
    return Point(law.name, values, schedule.name, tau, _own(schedule, given), own)


def _with_steps(law: Case, given: Mapping[str, str]) -> dict[str, str]:
    """Return the assignments with L for T and m for eps."""
    from numerics import sampler_times

    changed = dict(given)
    kappa = next(p for p in law.parameters if p.name == "kappa")
    step = _case_value(kappa, given["kappa"]) if "kappa" in given else kappa.default
    for name, (count, steps_for) in {
        "T": ("L", sampler_times.uniform_steps),
        "eps": ("m", sampler_times.geometric_steps),
    }.items():
        if name not in given:
            continue
        if count in given:
            raise UsageError(f"{name}={given[name]} and {count}={given[count]}: give one of them")
        value = _rational(name, given[name], "a real number")
        try:
            changed[count] = str(steps_for(float(step), float(value)))
        except ValueError as error:
            raise UsageError(str(error)) from None
        del changed[name]
    return changed


def _check_fixed(law: Case, name: str, value: sp.Expr, given: Mapping[str, str]) -> None:
    if name in given and _rational(name, given[name], f"{value} on {law.name}") != value:
        raise UsageError(f"{name}={given[name]}: {name} is {value} on {law.name}; leave it out")


def _rational(name: str, text: str, domain: str, **examples: str) -> sp.Rational:
    number = exact_number(name, text, domain, **examples)
    return sp.Rational(number.numerator, number.denominator)


def _number(name: str, text: str, domain: _Domain) -> sp.Rational:
    value = _rational(name, text, domain.words)
    if not domain.contains(value):
        raise UsageError(f"{name}={text}: {name} is {domain.words}; take {domain.example}, say")
    return value


def _case_value(parameter: Parameter, text: str) -> sp.Rational:
    name, domain = parameter.name, parameter.domain
    meaning = f"{name} ({parameter.meaning}) is {domain.value}"
    if domain.least_integer is not None and not is_spelled_as_integer(text):
        value = _rational(name, text, domain.value, examples="1 or 10")
        mended = value if domain.contains(value) else _EXAMPLES[domain]
        raise UsageError(f"{name}={text}: {meaning}; write {name}={mended}")
    value = _rational(name, text, domain.value)
    if not domain.contains(value):
        raise UsageError(f"{name}={text}: {meaning}; take {name}={_EXAMPLES[domain]}, say")
    return value


def _own(schedule: Schedule, given: Mapping[str, str]) -> tuple[tuple[str, sp.Expr], ...]:
    """Return the schedule's own parameters."""
    own = dict(schedule.parameters)
    for name in _SCHEDULE_DOMAINS:
        if name in given and name not in own:
            owner = ", ".join(s.name for s in SCHEDULES.values() if name in dict(s.parameters))
            raise UsageError(
                f"{name}={given[name]}: the schedule {schedule.name} has no {name}; "
                f"set schedule={owner} as well, or leave it out"
            )
    return tuple(
        (name, _number(name, given[name], _SCHEDULE_DOMAINS[name]) if name in given else default)
        for name, default in own.items()
    )


def _time_measure(schedule: Schedule, given: Mapping[str, str]) -> TimeMeasure:
    interval = [name for name in ("eps", "T") if name in given]
    if interval and "t" in given:
        raise UsageError(
            f"t={given['t']} and {interval[0]}={given[interval[0]]}: t puts τ on single times, "
            "eps and T spread it over [eps, T]; give one or the other"
        )
    if "weights" in given and "t" not in given:
        raise UsageError(f"weights={given['weights']}: weights belong to a list of times; give t")
    if interval:
        return _uniform(schedule, given)
    return _atoms(schedule, given)


def _atoms(schedule: Schedule, given: Mapping[str, str]) -> TimeAtoms:
    if "t" not in given:
        return TimeAtoms((_DEFAULT_TIME,), (sp.S.One,))
    below = "" if schedule.horizon == sp.oo else f" and < {schedule.horizon}"
    domain = _Domain(
        f"a time > 0{below} (schedule {schedule.name})",
        str(_DEFAULT_TIME),
        lambda value: bool((value > 0) and (value < schedule.horizon)),
    )
    times = _list("t", given["t"], domain)
    if "weights" not in given:
        return TimeAtoms(times, (sp.Rational(1, len(times)),) * len(times))
    weights = _list("weights", given["weights"], _POSITIVE)
    if len(weights) != len(times):
        raise UsageError(
            f"weights={given['weights']}: {len(weights)} weights for {len(times)} times; "
            "give one weight for each time"
        )
    return TimeAtoms(times, weights)


def _list(name: str, text: str, domain: _Domain) -> tuple[sp.Rational, ...]:
    return tuple(_number(name, part.strip(), domain) for part in text.split(";"))


def _uniform(schedule: Schedule, given: Mapping[str, str]) -> UniformTime:
    eps = _number("eps", given["eps"], _POSITIVE) if "eps" in given else _DEFAULT_EPS
    horizon = _number("T", given["T"], _POSITIVE) if "T" in given else _DEFAULT_HORIZON
    if eps >= horizon:
        culprit = "eps" if "eps" in given else "T"
        raise UsageError(
            f"{culprit}={given[culprit]}: eps ({eps}) is a time > 0 and below T ({horizon}); "
            "take a smaller eps or a larger T"
        )
    if horizon > schedule.horizon:
        raise UsageError(
            f"T={horizon}: T is at most {schedule.horizon} for the schedule {schedule.name}"
        )
    return UniformTime(eps, horizon)
