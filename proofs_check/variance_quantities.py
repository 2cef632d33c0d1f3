"""The numbers of generalisation through variance at a point that have no closed form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import mpmath as mp
import sympy as sp
from flint import ctx

from proofs_check.enclosure import enclose, enclose_all, exact_ball
from proofs_check.number import Method, Number, to_number
from proofs_check.point import Point
from theory.cases.linear_flow import LinearFlow
from theory.process import SCHEDULES
from theory.symbols import t

_SCHEDULE_OF = {
    "random-slope-ou": "ou",
    "random-slope-vp": "vp-linear",
    "naive-gaussian-ou": "ou",
    "naive-gaussian-vp": "vp-linear",
}
#: Normal deviates beyond this many standard deviations of the tilted law weigh less than 1e-30.
_WIDTH = 12
_DIGITS = 30
_PRECISION = 128


def variance_quantities(point: Point, names: Sequence[str]) -> dict[str, Number]:
    """Return those of the named quantities that a case of the V-kernel computes."""
    if point.case not in _SCHEDULE_OF:
        return {}
    if "naive-estimator" in point.law.properties:
        found = _naive(point)
    elif "averaged_variance" in names:
        found = {"averaged_variance": averaged_variance(point)}
    else:
        found = {}
    return {name: number for name, number in found.items() if name in names}


def _flow(point: Point) -> LinearFlow:
    return LinearFlow(SCHEDULES[_SCHEDULE_OF[point.case]], dict(point.values)["s2"])


@lru_cache(maxsize=64)
def _naive(point: Point) -> dict[str, Number]:
    """Return the variance of the naive estimator's chain, step by step in balls."""
    values = dict(point.values)
    flow, count = _flow(point), int(values["K"])
    step = (values["T"] - values["eps"]) / count
    forms = (flow.shrinkage(t), flow.diffusion(t), flow.variance(t), flow.proxy_variance(t))
    with ctx.workprec(_PRECISION):
        length, kappa = exact_ball(step), exact_ball(values["kappa"])
        (variance,) = enclose_all((flow.variance(values["T"]),), {}, precision=_PRECISION)
        for k in range(count):
            now = {t: exact_ball(values["T"] - k * step)}
            shrinkage, diffusion, true, proxy = enclose_all(forms, now, precision=_PRECISION)
            factor = 1 + length * (shrinkage - diffusion / true)
            variance = factor**2 * variance + kappa * length * diffusion**2 * proxy
        forms_at_end = point.law.quantities(values)
        effective = enclose(forms_at_end["effective_variance"], {}, precision=_PRECISION)
        balls = {"naive_chain_variance": variance, "naive_variance_gap": abs(variance - effective)}
    numbers = {name: to_number(ball) for name, ball in balls.items()}
    return {name: number for name, number in numbers.items() if number is not None}


@lru_cache(maxsize=64)
def averaged_variance(point: Point) -> Number:
    """Return the variance of the law averaged over a random slope, as an integral over slopes.

    Nothing is taken from the closed forms: the flow's exponent is integrated over time.
    """
    values, flow = dict(point.values), _flow(point)
    early, horizon = values["eps"], values["T"]
    shrinkage = sp.lambdify(t, flow.shrinkage(t), "mpmath")
    pull = sp.lambdify(t, flow.diffusion(t) / flow.variance(t), "mpmath")
    with mp.workdps(_DIGITS):
        ends = [mp.mpf(early.p) / early.q, mp.mpf(horizon.p) / horizon.q]
        middle = [ends[0] * (ends[1] / ends[0]) ** (mp.mpf(k) / 8) for k in range(1, 8)]
        path = [ends[0], *middle, ends[1]]
        # dx/dt = −βx + D(1 + δ)x/v, run from T down to ε
        drift, drift_error = mp.quad(lambda u: shrinkage(u) - pull(u), path, error=True)
        pulled, pulled_error = mp.quad(pull, path, error=True)
        start = mp.mpf(str(sp.N(flow.variance(horizon), _DIGITS)))
        spread = mp.sqrt(mp.mpf(values["noise"].p) / values["noise"].q)
        tilt = -2 * spread * pulled

        def weighted(z: mp.mpf) -> mp.mpf:
            return mp.npdf(z) * start * mp.exp(2 * (drift - spread * z * pulled))

        around = [tilt + k for k in range(-_WIDTH, _WIDTH + 1, 3)]
        value, error = mp.quad(weighted, around, error=True)
        error += 2 * abs(value) * (drift_error + abs(tilt) * spread * pulled_error)
        rounding = mp.mpf(10) ** (10 - _DIGITS) * abs(value)
        return Number(
            float(value), float(error + rounding) + 2e-16 * float(value), Method.QUADRATURE
        )
