"""The exact reverse process of a Gaussian mixture on the line; without blur, of point masses.

The centres are the points of the case ``finite-points`` on the line: y_j = a cos(2π (j + 1/3)/K).
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Domain, Parameter
from theory.cases.parameters import ATOMS, HALF_DISTANCE
from theory.symbols import d

BLUR = Parameter(
    "s",
    Domain.NONNEGATIVE,
    sp.Rational(3, 10),
    "standard deviation of the data around each centre; 0 for point masses",
    sp.Symbol("s_0", nonnegative=True),
)


def second_moment(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    """Return E X², in symbols where the number of centres is one."""
    a, count, blur = values["a"], values["K"], values["s"]
    if not count.is_Integer:
        return {}
    angles = (2 * sp.pi * (j + sp.Rational(1, 3)) / count for j in range(int(count)))
    return {"second_moment": blur**2 + a**2 * sp.Add(*(sp.cos(x) ** 2 for x in angles)) / count}


CASE = Case(
    name="reverse-mixture",
    title="Reverse process of a mixture on the line",
    law="equal mixture of N(y_j, s²), y_j = a cos(2π (j + 1/3)/K); s = 0: point masses",
    algorithm="none: a statement about the law and its noise",
    parameters=(ATOMS, HALF_DISTANCE, BLUR),
    closed_forms=second_moment,
    measured=("score_increment", "fisher_late", "fisher_early", "KL_prior"),
    properties=frozenset({"reverse-process"}),
    fixed=((d, sp.S.One),),
)
