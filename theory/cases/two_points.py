"""Data at +a with probability p and at -a otherwise; the algorithm is the empirical score.

A sample with k copies of +a has posterior mean a tanh(mu a x/sigma^2 + b_k) with
b_k = log(k/(N-k))/2, so every quantity is a finite sum of Gaussian expectations. With
r = mu a/sigma, and after flipping the sign of z for data at -a, the argument is
U = r^2 + r z for the point that the data came from:

    e(k) = E (1 - tanh(U + b_k))^2,    e(N) = 0,    e(0) = 4

is the mean squared error of the posterior mean at +a, in units of a^2, and e(N-k) the one at -a.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Domain, Geometry, Parameter, Reduction
from theory.cases.parameters import HALF_DISTANCE, SAMPLE_SIZE
from theory.operators import GaussianExpectation, TimeIntegral
from theory.symbols import mu, sigma2

PROBABILITY = Parameter(
    "p",
    Domain.PROBABILITY,
    sp.Rational(1, 2),
    "probability of the point +a",
    sp.Symbol("p", nonnegative=True),
)
_KNOWN = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_l_sm_hat",
    "C_sm",
    "E_C_sm_hat",
    "E_C_sm_hat_next",
    "eps_stab_squared",
    "E_l_dsm_replaced",
    "E_change_on_sample",
    "E_own_change",
    "E_other_change",
)
_Z = sp.Symbol("z", real=True)
_RATIO = sp.Symbol("r", positive=True)


def _half_log_odds(k: sp.Expr, n: sp.Expr) -> sp.Expr:
    if k == 0:
        return -sp.oo
    if k == n:
        return sp.oo
    return sp.log(k / (n - k)) / 2


def _posterior_mean(log_odds: sp.Expr) -> sp.Expr:
    """Posterior mean in units of a at the argument U, for these half log odds of +a."""
    if log_odds in (sp.oo, -sp.oo):
        return sp.S.One if log_odds == sp.oo else sp.S.NegativeOne
    return sp.tanh(_RATIO**2 + _RATIO * _Z + log_odds)


def _squared_difference(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """E of the squared difference; one spelling whatever the order, so that equal terms merge."""
    if first == -sp.oo or (second in (sp.oo, -sp.oo) and first != sp.oo):
        first, second = second, first
    difference = _posterior_mean(first) - _posterior_mean(second)
    return GaussianExpectation(difference**2, _Z)


def _error(k: sp.Expr, n: sp.Expr) -> sp.Expr:
    return _squared_difference(sp.oo, _half_log_odds(k, n))


def _binomial(k: sp.Expr, n: sp.Expr, p: sp.Expr) -> sp.Expr:
    return sp.binomial(n, k) * p**k * (1 - p) ** (n - k)


def _empirical_constant(n: sp.Expr, p: sp.Expr) -> sp.Expr:
    return sp.Add(
        *(
            _binomial(k, n, p) * (k * _error(k, n) + (n - k) * _error(n - k, n)) / n
            for k in map(sp.Integer, range(int(n) + 1))
        )
    )


def _change_on_sample(n: sp.Expr, p: sp.Expr) -> sp.Expr:
    """S holds j copies of +a beside the replaced point, which is +a in S or in Sⁱ."""
    terms = []
    for j in map(sp.Integer, range(int(n))):
        low, high = _half_log_odds(j, n), _half_log_odds(j + 1, n)
        at_plus = (2 * j + 1) * _squared_difference(high, low)
        at_minus = (2 * n - 2 * j - 1) * _squared_difference(-high, -low)
        terms.append(_binomial(j, n - 1, p) * (at_plus + at_minus) / n)
    return p * (1 - p) * sp.Add(*terms)


def _joining(k: sp.Expr, gain: int, n: sp.Expr, sign: int) -> sp.Expr:
    """Change at a point on the side ``sign`` when one point joins n, k of them at +a."""
    before, after = _half_log_odds(k, n), _half_log_odds(k + gain, n + 1)
    return _squared_difference(sign * after, sign * before)


def _own_change(n: sp.Expr, p: sp.Expr) -> sp.Expr:
    return sp.Add(
        *(
            _binomial(k, n, p) * (p * _joining(k, 1, n, 1) + (1 - p) * _joining(k, 0, n, -1))
            for k in map(sp.Integer, range(int(n) + 1))
        )
    )


def _other_change(n: sp.Expr, p: sp.Expr) -> sp.Expr:
    """The noised training point is +a or -a, k of the other n - 1 are +a."""

    def joined(k: sp.Expr, sign: int) -> sp.Expr:
        return p * _joining(k, 1, n, sign) + (1 - p) * _joining(k, 0, n, sign)

    return sp.Add(
        *(
            _binomial(k, n - 1, p) * (p * joined(k + 1, 1) + (1 - p) * joined(k, -1))
            for k in map(sp.Integer, range(int(n)))
        )
    )


def _in_ratio(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    """Return the quantities at one time as functions of r, in units of mu^2 a^2 / sigma^4."""
    n, p = values["N"], values["p"]
    if not (n.is_Integer and p.is_Rational):
        return {}
    if p in (0, 1):
        return dict.fromkeys(_KNOWN, sp.S.Zero)
    log_odds = sp.log(p / (1 - p)) / 2
    samples = [
        (_half_log_odds(k, n), _binomial(k, n, p), k) for k in map(sp.Integer, range(int(n) + 1))
    ]
    others = [
        (_half_log_odds(j, n), _half_log_odds(j + 1, n), _binomial(j, n - 1, p), j)
        for j in map(sp.Integer, range(int(n)))
    ]
    constant = _empirical_constant(n, p)
    return {
        "E_l_dsm": sp.Add(
            *(w * (p * _error(k, n) + (1 - p) * _error(n - k, n)) for _, w, k in samples)
        ),
        "E_l_dsm_hat": constant,
        "E_l_sm": sp.Add(
            *(
                w
                * (
                    p * _squared_difference(b, log_odds)
                    + (1 - p) * _squared_difference(-b, -log_odds)
                )
                for b, w, _ in samples
            )
        ),
        "E_l_sm_hat": sp.S.Zero,
        "C_sm": p * _squared_difference(sp.oo, log_odds)
        + (1 - p) * _squared_difference(sp.oo, -log_odds),
        "E_C_sm_hat": constant,
        "E_C_sm_hat_next": _empirical_constant(n + 1, p),
        "eps_stab_squared": p
        * (1 - p)
        * sp.Add(
            *(
                w * (_squared_difference(high, low) + _squared_difference(-high, -low))
                for low, high, w, _ in others
            )
        ),
        "E_l_dsm_replaced": sp.Add(
            *(w * (p * _error(j + 1, n) + (1 - p) * _error(n - j, n)) for _, _, w, j in others)
        ),
        "E_change_on_sample": _change_on_sample(n, p),
        "E_own_change": _own_change(n, p),
        "E_other_change": _other_change(n, p),
    }


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    a = values["a"]
    ratio, scale = mu * a / sp.sqrt(sigma2), mu**2 * a**2 / sigma2**2
    return {
        name: TimeIntegral(scale * form.subs(_RATIO, ratio))
        for name, form in _in_ratio(values).items()
    }


def _geometry(values: Mapping[str, sp.Expr]) -> Geometry:
    a, p = values["a"], values["p"]
    return Geometry(2 * a, sp.Min(p, 1 - p), sp.oo, 0, a)


CASE = Case(
    name="two-points",
    title="Two points",
    law="p δ_a + (1 − p) δ_{−a} on the line",
    algorithm="empirical score",
    parameters=(SAMPLE_SIZE, PROBABILITY, HALF_DISTANCE),
    closed_forms=_closed_forms,
    properties=frozenset(
        {"empirical-score", "resolved-rate", "resolved-stability", "local-mass", "packing"}
    ),
    reduction=Reduction(_RATIO, _in_ratio),
    geometry=_geometry,
)
