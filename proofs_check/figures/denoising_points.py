"""One point of the denoising figure: ε_stab² by sampling or in a sandwich, and its three bounds."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from numerics.law_quadrature import Circle
from numerics.packing import packing
from numerics.replicates import QUANTITIES
from proofs_check import measurement, sampling
from proofs_check.denoising_bounds import best_bound, packing_bound
from proofs_check.figures.exchange import exchange_sample
from proofs_check.law_integrals import add_one_numbers
from proofs_check.number import Method, Number
from proofs_check.point import Point, at_time

NAN = math.nan
_COLUMN = QUANTITIES.index("eps_stab_squared")


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be found at one point, and how.

    ``how`` is ``definition`` (replace each point in turn), ``exchange`` (the exchange identity) or
    ``bounds`` (no sampling). ``draws`` is for the exchange identity; elsewhere the effort decides.
    """

    panel: str
    how: str
    case: str
    size: int
    time: str
    dimension: int
    draws: int
    effort: str
    seed: int

    @property
    def key(self) -> str:
        """Return what the cache knows the point by; two panels may share one."""
        found = asdict(self)
        del found["panel"]
        if self.how == "bounds":
            del found["effort"], found["seed"]
        elif self.how == "exchange":
            del found["effort"]
        return json.dumps(found, sort_keys=True)

    def __str__(self) -> str:
        return f"{self.case} N={self.size} t={float(sp.Rational(self.time)):.3g}: {self.how}"


@dataclass(frozen=True, slots=True)
class Row:
    """One point. What has no other unit is of ε_stab², in units of 1/length².

    ``value`` has the standard error ``error`` and the half width ``interval`` of an interval that
    fails with probability 2e-11 (NaN if it was not asked for); ``lower`` and ``upper`` hold ε_stab²
    between them, up to sampling where ``how`` is ``exchange``; ``best`` is the least bound of
    Proposition 6, at ``best_c``; ``c_sm`` is C_sm; ``neighbours`` is (N + 1) over E q⁻¹, about how
    many training points the noise reaches.
    """

    panel: str
    how: str
    case: str
    size: int
    dimension: int
    time: float
    sigma: float
    value: float = NAN
    error: float = NAN
    interval: float = NAN
    lower: float = NAN
    upper: float = NAN
    upper_error: float = NAN
    packing: float = NAN
    best: float = NAN
    best_c: float = NAN
    c_sm: float = NAN
    neighbours: float = NAN


def time_of(sigma: float) -> str:
    """Return an exact time at which the Ornstein–Uhlenbeck noise level is nearly ``sigma``.

    Examples
    --------
    >>> round(math.sqrt(1 - math.exp(-2 * sp.Rational(time_of(0.5)))), 9)
    0.5
    """
    return str(sp.Rational(-math.log1p(-(sigma**2)) / 2).limit_denominator(10**12))


def evaluate(task: Task) -> dict[str, float]:
    """Return the entries of a `Row` that the task finds; the same task gives the same numbers."""
    point = _point(task)
    if task.how == "bounds":
        found = _bounds(point)
    elif task.how == "exchange":
        found = _by_exchange(point, task)
    else:
        found = _measured(point, task)
    return {name: float(value) for name, value in found.items()}


def row_of(task: Task, found: Mapping[str, float]) -> Row:
    """Return the row of a task that has found these entries."""
    _, sigma = _levels(_point(task))
    return Row(
        panel=task.panel,
        how=task.how,
        case=task.case,
        size=task.size,
        dimension=task.dimension,
        time=float(sp.Rational(task.time)),
        sigma=sigma,
        **found,
    )


@lru_cache(maxsize=1024)
def _point(task: Task) -> Point:
    return at_time(task.case, task.time, N=task.size, a=1, d=task.dimension)


def _levels(point: Point) -> tuple[float, float]:
    mu, sigma = sampling.noise_level(point, np.array([float(point.first_time)]))
    return float(mu[0]), float(sigma[0])


def _stream(point: Point, task: Task) -> np.random.Generator:
    name = f"{point} {task.how}"
    return np.random.default_rng([task.seed, zlib.crc32(name.encode()), task.draws])


def _measured(point: Point, task: Task) -> dict[str, float]:
    """By the definition, from the replicates that every check of a claim uses."""
    sample = measurement.replicates(point, effort=task.effort, seed=task.seed)
    _, interval = sample.combination({"eps_stab_squared": 1.0})
    return _mean(sample.values[:, _COLUMN]) | {"interval": interval}


def _mean(values: sampling.Array) -> dict[str, float]:
    return {"value": values.mean(), "error": values.std(ddof=1) / math.sqrt(len(values))}


def _by_exchange(point: Point, task: Task) -> dict[str, float]:
    mu, sigma = _levels(point)
    sample = exchange_sample(
        sampling.law_of(point), task.size, task.draws, mu=mu, sigma=sigma, rng=_stream(point, task)
    )
    upper = _mean((1 + 2 / task.size) * sample.own + sample.other)
    return {
        **_mean(sample.stability),
        "lower": (sample.own + sample.other).mean(),
        "upper": upper["value"],
        "upper_error": upper["error"],
    }


def _bounds(point: Point) -> dict[str, float]:
    numbers = _torus_numbers(point) if point.case == "flat-torus" else _round_numbers(point)
    best, packed = best_bound(point, numbers), packing_bound(point, numbers)
    assert best is not None
    assert packed is not None
    found = {}
    if (changes := add_one_numbers(point)) is not None:
        found = {name: changes[name].value for name in ("lower", "upper")}
        found["upper_error"] = changes["upper"].error
    largest = measurement.bounds_of_support(point)["largest_change"].value
    return {
        **found,
        "packing": packed.value,
        "best": best.bound.value,
        "best_c": float(best.c),
        "c_sm": numbers["C_sm"].value,
        # W₁ is D_H² μ²/σ⁴ E q⁻¹/(N + 1)
        "neighbours": largest / numbers["packing_first"].value,
    }


def _round_numbers(point: Point) -> dict[str, Number]:
    names = ("C_sm", "E_l_sm_hat", "packing_first", "packing_second")
    return measurement.measure(point, names)


def _torus_numbers(point: Point) -> dict[str, Number]:
    """The same for the flat torus: C_sm adds up over the two circles, the mass seen multiplies."""
    mu, sigma = _levels(point)
    values = dict(point.values)
    size, radius = int(values["N"]), float(values["a"])
    circle = at_time("circle", point.first_time, N=size, a=values["a"])
    spread = measurement.measure(circle, ["C_sm"])["C_sm"]
    seen = packing(Circle(radius), mu=mu, sigma=sigma)
    first, second = (one.value**2 / (size + 1) for one in (seen.first, seen.second))
    largest = measurement.bounds_of_support(point)["largest_change"].value
    names = {"packing_first": largest * first, "packing_second": largest * second * 2 / (size + 2)}
    relative = 4 * max(one.error / one.value for one in (seen.first, seen.second))
    return {
        "C_sm": Number(2 * spread.value, 2 * spread.error, spread.method),
        "E_l_sm_hat": Number(0.0, 0.0),
        **{name: Number(v, relative * v, Method.QUADRATURE) for name, v in names.items()},
    }
