"""The exact reverse process of Gaussian data: two noise times are jointly Gaussian."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case
from theory.cases.gaussian_sampler import MEAN_NORM, VARIANCE
from theory.cases.parameters import DIMENSION
from theory.claim_parameters import gap
from theory.symbols import mu, sigma2


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    d, s2, b = values["d"], values["s2"], values["b"]
    kept = sp.exp(-gap)
    late = mu**2 * s2 + sigma2
    early = kept**2 * late + 1 - kept**2
    covariance = kept * late
    return {
        # s = −(x − mean)/v at either time
        "score_increment": d * (1 / late + 1 / early - 2 * covariance / (late * early)),
        "fisher_late": d / late,
        "fisher_early": d / early,
        "KL_prior": (d * (late - 1 - sp.log(late)) + mu**2 * b**2) / 2,
        "second_moment": d * s2 + b**2,
    }


CASE = Case(
    name="reverse-gaussian",
    title="Reverse process of Gaussian data",
    law="N(m, s² I_d) with |m| = b",
    algorithm="none: a statement about the law and its noise",
    parameters=(DIMENSION, VARIANCE, MEAN_NORM),
    closed_forms=_closed_forms,
    takes=frozenset({"gap"}),
    properties=frozenset({"reverse-process"}),
)
