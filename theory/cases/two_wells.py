"""What the cases of SGD with two wells share: the score model, its constants, the law.

The score of ½N(θ, s²) + ½N(−θ, s²), s_θ = (μθ tanh(μθx/v) − x)/v with v = μ²s² + σ², has a loss
with two wells. Its data are ±(a ± s), all four with equal probability: |x_0| ≤ b = a + s.

With u = μθx/v, ∂s_θ = (μ/v)(tanh u + u/cosh² u), and |∂s_θ| ≤ (μ/v)A where A tanh A = 1. With
y = u tanh u the derivative of the gradient 2(s_θ + Z/σ)∂s_θ is at most

    2(∂s_θ)² + 2(μ²/v²) 2|y(1 − y)|/cosh² u + 2|Z/σ − x/v| (μ²|x|/v²) 2|1 − y|/cosh² u,

where 2|y(1 − y)|/cosh² u ≤ D and 2|1 − y|/cosh² u ≤ 2. The last term has a mean of at most
4(μ²/v³) ((μ²b² + σ²)(μ²b² + μ⁴s⁴/σ²))^(1/2), by Cauchy and Schwarz.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory import sgd_steps
from theory.cases.case import Case, Domain, Parameter
from theory.cases.parameters import HALF_DISTANCE, SAMPLE_SIZE
from theory.cases.sampled_chains import too_much_work
from theory.operators import TimeIntegral
from theory.sgd_steps import BATCH, CLIP, NOISE, STEP_COUNT, STEP_SIZE, WEIGHT_DECAY
from theory.symbols import mu, sigma2

#: At least the A with A tanh A = 1, which is 1.19967864….
LARGEST_SLOPE = sp.Rational(11997, 10000)
#: At least the largest value of 2|y(1 − y)|/cosh² u with y = u tanh u, which is 0.31441….
LARGEST_BEND = sp.Rational(3145, 10000)

SPREAD = Parameter(
    "s",
    Domain.NONNEGATIVE,
    sp.Rational(1, 4),
    "standard deviation of each of the two components",
    sp.Symbol("s", nonnegative=True),
)

_MEASURED = (
    "synchronous_distance",
    "synchronous_square",
    "synchronous_stability",
    "saturated_distance",
    "reflection_distance",
    "reflection_square",
    "reflection_stability",
    "reflection_cost",
    "contraction_rate",
    "step_slope",
    "f_diameter",
)
_PROPERTIES = frozenset({"sgd", "synchronous", "reflection", "projected"})


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    variance, bound = values["s"] ** 2, values["a"] + values["s"]
    v = mu**2 * variance + sigma2
    squares = mu**2 * bound**2 + sigma2
    residual = mu**2 * bound**2 + mu**4 * variance**2 / sigma2
    slope = LARGEST_SLOPE**2 + LARGEST_BEND + 2 * sp.sqrt(squares * residual) / v
    return {
        "gradient_lipschitz": TimeIntegral(2 * mu**2 / v**2 * slope),
        "score_sensitivity": TimeIntegral(mu**2 / v**2 * LARGEST_SLOPE**2),
        "parameter_radius": values["C"] / values["lambda"],
    }


def _objection(values: Mapping[str, sp.Expr]) -> str:
    return sgd_steps.objection(values) or too_much_work(values)


def two_wells(name: str, clipping: str, properties: frozenset[str]) -> Case:
    """Return the case with this way of clipping."""
    return Case(
        name=name,
        title=f"SGD with two wells, {clipping}",
        law="±(a ± s) with equal probability, on the line",
        algorithm="SGD from 0 on the score of ½N(θ, s²) + ½N(−θ, s²), noise η s Z, projected on "
        "|θ| ≤ C/λ",
        parameters=(
            SAMPLE_SIZE,
            HALF_DISTANCE,
            SPREAD,
            BATCH,
            STEP_COUNT,
            STEP_SIZE,
            WEIGHT_DECAY,
            CLIP,
            NOISE,
        ),
        closed_forms=_closed_forms,
        measured=_MEASURED,
        properties=_PROPERTIES | properties,
        objection=_objection,
    )
