"""One plus a binomial variable: the number of training points in a ball around one of them."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Domain, Parameter

TRIALS = Parameter(
    "n",
    Domain.NATURAL,
    sp.Integer(5),
    "number of trials",
    sp.Symbol("n", integer=True, nonnegative=True),
)
ORDER = Parameter(
    "k",
    Domain.POSITIVE_INTEGER,
    sp.Integer(2),
    "order of the inverse moment",
    sp.Symbol("k", integer=True, positive=True),
)
PROBABILITY = Parameter(
    "q",
    Domain.OPEN_UNIT,
    sp.Rational(1, 3),
    "probability of each trial",
    sp.Symbol("q", positive=True),
)


def _closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    n, k, q = values["n"], values["k"], values["q"]
    if not n.is_Integer:
        return {}
    moment = sp.Add(
        *(
            sp.binomial(n, j) * q**j * (1 - q) ** (n - j) / sp.Integer(1 + j) ** k
            for j in range(int(n) + 1)
        )
    )
    return {"inverse_binomial_moment": moment}


CASE = Case(
    name="binomial",
    title="One plus a binomial variable",
    law="J ~ Bin(n, q)",
    algorithm="none: a statement about a moment",
    parameters=(TRIALS, ORDER, PROBABILITY),
    closed_forms=_closed_forms,
    properties=frozenset({"binomial"}),
)
