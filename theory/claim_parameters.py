"""Parameters of a statement itself, such as the exponent of Proposition 6: a claim holds for each.

They are not parameters of a law; a point carries a value for each of them next to the law's own.
"""

from __future__ import annotations

import sympy as sp

from theory.cases.case import Domain, Parameter

#: Exponent of Proposition 6: how much of the bound comes from the training set.
c = sp.Symbol("c", positive=True)
#: Radius of the balls of Proposition 6, in units of the noise seen from the data, σ_ε/μ_ε.
ball = sp.Symbol("ball", positive=True)
#: Exponent of Harnack's inequality.
alpha = sp.Symbol("alpha", positive=True)
#: Time between two noise times of the reverse process.
gap = sp.Symbol("gap", positive=True)

#: Distance of two coupled chains, as a share of the largest one that the statement is about.
share = sp.Symbol("share", positive=True)

PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("c", Domain.OPEN_UNIT, sp.Rational(1, 2), "exponent of Proposition 6", c),
        Parameter(
            "ball", Domain.POSITIVE, sp.S.One, "radius of the balls in units of σ_ε/μ_ε", ball
        ),
        Parameter(
            "alpha", Domain.ABOVE_ONE, sp.Integer(2), "exponent of Harnack's inequality", alpha
        ),
        Parameter("gap", Domain.POSITIVE, sp.S.Half, "time between two noise times", gap),
        Parameter("share", Domain.POSITIVE, sp.S.Half, "distance as a share of the largest", share),
    )
}
