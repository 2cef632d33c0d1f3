"""Point masses seen from one noised point: what posterior weights say of proxy-score covariances.

With Lⱼ = exp(−|x − μxⱼ|²/(2σ²)) and weights pⱼ the density is p = Σ pⱼ Lⱼ up to a constant, and
the proxy score of xⱼ is qⱼ = (μxⱼ − x)/σ². The three forms of tr C are written from three things:
the moments of qⱼ, the distances of the xⱼ, and the derivatives of log p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.symbols import mu, sigma2


def coordinate(name: str, default: sp.Expr, meaning: str) -> Parameter:
    """Return the parameter of a coordinate of the noised point."""
    return Parameter(name, Domain.NONNEGATIVE, default, meaning, sp.Symbol(name, nonnegative=True))


Place = tuple[sp.Expr, ...]


def noised_point_forms(
    points: Sequence[Place], weights: Sequence[sp.Expr], place: Place, support_radius: sp.Expr
) -> dict[str, sp.Expr]:
    """Return the quantities of a noised point for point masses, exact.

    Parameters
    ----------
    points
        The data points xⱼ; the first one is that of ``outside_moment``.
    weights
        Their probabilities.
    place
        The noised point x.
    support_radius
        The radius of a ball that holds the points.
    """
    likelihoods = [sp.exp(-_square(place, _scaled(p)) / (2 * sigma2)) for p in points]
    masses = [w * likelihood for w, likelihood in zip(weights, likelihoods, strict=True)]
    density = sp.Add(*masses)
    proxies = [tuple((mu * c - x) / sigma2 for c, x in zip(p, place, strict=True)) for p in points]
    mean_square = (
        sp.Add(*(m * sum(c**2 for c in q) for m, q in zip(masses, proxies, strict=True))) / density
    )
    means = [
        sp.Add(*(m * q[k] for m, q in zip(masses, proxies, strict=True))) / density
        for k in range(len(place))
    ]
    pairs = combinations(zip(points, masses, strict=True), 2)
    spread = sp.Add(*(m * n * _square(a, b) for (a, m), (b, n) in pairs)) / density**2
    first, *others = zip(points, weights, strict=True)
    outside = (
        w
        / first[1]
        * _square(p, first[0])
        * sp.exp((_square(place, _scaled(first[0])) - _square(place, _scaled(p))) / (2 * sigma2))
        for p, w in others
    )
    return {
        "proxy_trace": mean_square - sp.Add(*(m**2 for m in means)),
        "posterior_trace": spread,
        "curvature_trace": _curvature(points, weights, place),
        "support_radius": support_radius,
        "outside_moment": sp.Add(*outside),
    }


def _curvature(points: Sequence[Place], weights: Sequence[sp.Expr], place: Place) -> sp.Expr:
    """Return d/σ² + Δ log p, by differentiating the density."""
    free = sp.symbols(f"y:{len(place)}", real=True)
    density = sp.Add(
        *(
            w * sp.exp(-_square(free, _scaled(p)) / (2 * sigma2))
            for p, w in zip(points, weights, strict=True)
        )
    )
    terms = (density.diff(y, 2) / density - (density.diff(y) / density) ** 2 for y in free)
    at_place = dict(zip(free, place, strict=True))
    return len(place) / sigma2 + sp.Add(*terms).subs(at_place, simultaneous=True)


def _scaled(point: Place) -> Place:
    return tuple(mu * c for c in point)


def _square(one: Place, other: Place) -> sp.Expr:
    return sp.Add(*((a - b) ** 2 for a, b in zip(one, other, strict=True)))


def noised_point_case(
    name: str,
    title: str,
    law: str,
    parameters: tuple[Parameter, ...],
    forms: Mapping[str, sp.Expr],
) -> Case:
    """Return a case from forms in the parameters' symbols."""
    written = dict(forms)
    symbols = [p.symbol for p in parameters]
    names = [p.name for p in parameters]

    def closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        chosen = {s: values[n] for s, n in zip(symbols, names, strict=True)}
        return {n: f.subs(chosen, simultaneous=True) for n, f in written.items()}

    return Case(
        name=name,
        title=title,
        law=law,
        algorithm="none: a statement about the law seen from one noised point",
        parameters=parameters,
        closed_forms=closed_forms,
        properties=frozenset({"noised-point"}),
    )
