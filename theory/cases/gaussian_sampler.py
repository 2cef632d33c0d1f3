"""What the cases of a Gaussian target have in common: the sampler's output is Gaussian too.

ν = N(m, s² I_d) with |m| = b; with v_u = 1 + (s² − 1) e^{−2u} the noised law is N(e^{−u} m, v_u I).
For a score −(x − e^{−u} c)/v_u one step of the exponential integrator, from u_k to u_{k+1}, is

    Y⁺ = A Y + B c + (e^{2γ} − 1)^(1/2) Z,  A = e^γ − 2(e^γ − 1)/v_k,  B = 2(e^γ − 1) e^{−u_k}/v_k,

so the output is N(M c, V I) with V⁺ = A² V + e^{2γ} − 1 and M⁺ = A M + B, from V = 1 and M = 0.
The forms hold κ, s², N, d and b as symbols: one expression serves a point and a box.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy as sp

from theory.cases.case import Domain, Parameter
from theory.cases.parameters import DIMENSION, SAMPLE_SIZE
from theory.operators import Kept, KeptPositive
from theory.sampler_steps import KAPPA, SAMPLER, noise_times, steps, too_many_steps

VARIANCE = Parameter(
    "s2",
    Domain.POSITIVE,
    sp.Integer(4),
    "variance of each coordinate of the data",
    sp.Symbol("s2", positive=True),
)
MEAN_NORM = Parameter(
    "b",
    Domain.NONNEGATIVE,
    sp.S.Zero,
    "distance of the law's mean from the origin, where the sampler starts",
    sp.Symbol("b", nonnegative=True),
)
WITHOUT_DATA = (DIMENSION, VARIANCE, MEAN_NORM, *SAMPLER)
WITH_DATA = (SAMPLE_SIZE, *WITHOUT_DATA)


_LARGEST = sp.Integer(10) ** 12


def objection(values: Mapping[str, sp.Expr]) -> str:
    """Return what is wrong with values that are each in their domain."""
    for name in ("s2", "kappa"):
        value = values[name]
        if value.is_Rational and not 1 / _LARGEST <= value <= _LARGEST:
            return f"{name}={float(value):.3g}: {name} lies in [1e-12, 1e12] here; take 1, say"
    return too_many_steps(values)


@cache
def quantities_of_law(uniform: int, geometric: int) -> dict[str, sp.Expr]:
    """Return what depends on the law and on the times alone."""
    kappa, s2, d, b = KAPPA.symbol, VARIANCE.symbol, DIMENSION.symbol, MEAN_NORM.symbol
    times, gammas = noise_times(kappa, uniform, geometric), steps(kappa, uniform, geometric)
    variances = [_noised_variance(u) for u in times]
    last, first = variances[0], variances[-1]
    summed = sp.Add(
        *(
            (gamma - 2 * (1 - sp.exp(-gamma))) / v
            for gamma, v in zip(gammas, variances[:-1], strict=True)
        )
    )
    in_between = times[0] - times[-1] + sp.log(last / first) / 2
    cubed = sp.Add(*(g**3 / v for g, v in zip(gammas, variances[:-1], strict=True)))
    return {
        "KL_prior": d * (last - 1 - sp.log(last)) / 2 + b**2 * sp.exp(-2 * times[0]) / 2,
        "D_kappa": d * KeptPositive(in_between + summed),
        "step_fisher": d * KeptPositive(cubed),
        "second_moment": d * s2 + b**2,
    }


@cache
def _output(uniform: int, geometric: int) -> tuple[sp.Expr, sp.Expr]:
    """Return V and M of the output N(M c, V I); computed once, as they are long chains."""
    variance, gain = sp.S.One, sp.S.Zero
    times = noise_times(KAPPA.symbol, uniform, geometric)
    for u, gamma in zip(times, steps(KAPPA.symbol, uniform, geometric), strict=False):
        noised = _noised_variance(u)
        factor = sp.exp(gamma) - 2 * (sp.exp(gamma) - 1) / noised
        gain = Kept(factor * gain + 2 * (sp.exp(gamma) - 1) * sp.exp(-u) / noised)
        variance = KeptPositive(factor**2 * variance + sp.exp(2 * gamma) - 1)
    return variance, gain


@cache
def divergence(uniform: int, geometric: int, *, estimated: bool) -> sp.Expr:
    """Return E KL(p_ε‖q̂) for a score that knows the variance; ``estimated``: not the mean."""
    s2, d, b = VARIANCE.symbol, DIMENSION.symbol, MEAN_NORM.symbol
    variance, gain = _output(uniform, geometric)
    last = noise_times(KAPPA.symbol, uniform, geometric)[-1]
    ratio = _noised_variance(last) / variance
    spread = ratio - 1 - sp.log(ratio)
    if estimated:
        spread += gain**2 * s2 / (SAMPLE_SIZE.symbol * variance)
    offset = (gain - sp.exp(-last)) ** 2 / variance
    return d * spread / 2 + b**2 * offset / 2


@cache
def score_error_of_mean(uniform: int, geometric: int) -> sp.Expr:
    """Return E ℓ_sm under τ̂_κ for the score with the estimated mean."""
    kappa, s2 = KAPPA.symbol, VARIANCE.symbol
    times, gammas = noise_times(kappa, uniform, geometric), steps(kappa, uniform, geometric)
    terms = (
        gamma * sp.exp(-2 * u) / _noised_variance(u) ** 2
        for u, gamma in zip(times, gammas, strict=False)
    )
    return DIMENSION.symbol * s2 / SAMPLE_SIZE.symbol * KeptPositive(sp.Add(*terms))


def _noised_variance(u: sp.Expr) -> sp.Expr:
    """Return 1 + (s² − 1) e^{−2u}, positive as s² and 1 − e^{−2u} are."""
    return KeptPositive(1 + (VARIANCE.symbol - 1) * sp.exp(-2 * u))
