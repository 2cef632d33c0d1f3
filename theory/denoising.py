"""Denoising regularises: Proposition 6, with every constant named.

With S and Sⁱ as in Theorem 3, g_t = |ŝ − ŝⁱ|² and K the mean over Sⁱ of
exp(−μ²|x̃ − x_j|²/(2(1 − c)σ²)), Harnack's inequality with α = 1/c carries g from each noised point
of Sⁱ to the noised x̃. Letters of the steps: P = P_t g(x̃), H = P_t g^c(x̃), Q = P_t g(x_j) or its
mean over Sⁱ, G bounds g, D = μ²|x̃ − x_j|²/(2σ²).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory import quantities as q
from theory.assumptions import SAMPLE, TAU_FORWARD
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.lemma_4 import room
from theory.letters import letters

_HALF = Fraction(1, 2)


def _below_one(c: Any) -> Relation:
    import sympy as sp

    return Relation(c, "<", sp.S.One)


# --- Proposition 6 --------------------------------------------------------------------------------


def _data_dependent() -> Statement:
    from theory.claim_parameters import c

    mass = (q.tau_mass * q.largest_change * q.inverse_local_mass) ** (1 - c)
    return Statement(Relation(q.eps_stab_squared, "<=", mass * q.E_change_on_sample**c))


def _data_dependent_derivation() -> Statement:
    from theory.claim_parameters import c

    (moment,) = letters("k", nonnegative=True)  # E ∫ K^{-p} dτ
    change, largest = q.E_change_on_sample, q.largest_change
    return Statement(
        _data_dependent().conclusion,
        (
            _below_one(c),
            Relation(q.eps_stab_squared, "<=", largest ** (1 - c) * change**c * moment ** (1 - c)),
            Relation(moment, "<=", q.tau_mass * q.inverse_local_mass),
        ),
    )


def _transfer() -> Statement:
    import sympy as sp

    g, h, p, mean, cost = letters("G H P Q D", nonnegative=True)
    (c,) = letters("c", positive=True)
    return Statement(
        Relation(p ** (1 / c) * sp.exp(-cost / (1 - c)), "<=", g ** ((1 - c) / c) * mean),
        (
            _below_one(c),
            Relation(h ** (1 / c), "<=", mean * sp.exp(cost / (1 - c))),
            Relation(p, "<=", g ** (1 - c) * h),
        ),
    )


def _average() -> Statement:
    g, p, mean = letters("G P Q", nonnegative=True)
    c, k = letters("c K", positive=True)
    return Statement(
        Relation(p, "<=", g ** (1 - c) * mean**c * k ** (-c)),
        (_below_one(c), Relation(p ** (1 / c) * k, "<=", g ** ((1 - c) / c) * mean)),
    )


def _moment_order() -> tuple[Any, Any]:
    """k = ⌈p⌉ with p = c/(1 − c), and k!."""
    import sympy as sp

    from theory.claim_parameters import c

    k = sp.ceiling(c / (1 - c))
    return k, sp.factorial(k)


def _constant() -> Any:
    """M: what multiplies the change on the training set to the power c."""
    import sympy as sp

    from theory.claim_parameters import ball, c

    k, factorial = _moment_order()
    mass = (q.tau_mass * q.largest_change) ** (1 - c)
    room = sp.exp(c * ball**2 / (2 * (1 - c))) * factorial ** (c / k)
    return mass * room * q.ball_mass ** (-c)


def _abbreviated_constant() -> tuple[Any, Any]:
    import sympy as sp

    return sp.Symbol("M", positive=True), _constant()


def _proposition_6() -> Statement:
    from theory.claim_parameters import c
    from theory.symbols import N

    symbol, constant = _abbreviated_constant()
    bound = symbol * (room() / N) ** c
    return Statement.abbreviated(Relation(q.eps_stab_squared, "<=", bound), ((symbol, constant),))


def _proposition_6_derivation() -> Statement:
    import sympy as sp

    from theory.claim_parameters import ball, c
    from theory.symbols import N

    k, factorial = _moment_order()
    p = c / (1 - c)
    far = sp.exp(p * ball**2 / (2 * (1 - c)))
    return Statement(
        _proposition_6().conclusion,
        (
            _below_one(c),
            Relation(sp.S.Zero, "<", q.ball_mass),
            _data_dependent().conclusion,
            Relation(q.inverse_local_mass, "<=", far * factorial ** (p / k) * q.ball_mass ** (-p)),
            Relation(N * q.E_change_on_sample, "<=", room()),
        ),
    )


def _binomial_term() -> Statement:
    import sympy as sp

    i, j = letters("i j", real=True)
    return Statement(
        Relation(j + i, "<=", i * (j + 1)),
        (Relation(sp.S.One, "<=", i), Relation(sp.S.Zero, "<=", j)),
    )


def _binomial_shift() -> Statement:
    import sympy as sp

    (k,) = letters("k", integer=True, positive=True)
    j, m = letters("j m", integer=True, nonnegative=True)
    n = j + m
    return Statement(
        Relation(
            sp.binomial(n, j) * sp.factorial(j) / sp.factorial(j + k),
            "=",
            sp.factorial(n) / sp.factorial(n + k) * sp.binomial(n + k, j + k),
        )
    )


def _inverse_moment() -> Statement:
    import sympy as sp

    from theory.cases.binomial import ORDER, PROBABILITY, TRIALS

    n, k, p = TRIALS.symbol, ORDER.symbol, PROBABILITY.symbol
    bound = sp.factorial(k) * sp.factorial(n) / sp.factorial(n + k) * p ** (-k)
    return Statement(Relation(q.inverse_binomial_moment, "<=", bound))


def _inverse_moment_derivation() -> Statement:
    import sympy as sp

    from theory.cases.binomial import ORDER, PROBABILITY, TRIALS

    n, k, p = TRIALS.symbol, ORDER.symbol, PROBABILITY.symbol
    shifted, tail = letters("s T", nonnegative=True)
    return Statement(
        _inverse_moment().conclusion,
        (
            Relation(q.inverse_binomial_moment, "<=", sp.factorial(k) * shifted),
            Relation(shifted, "<=", sp.factorial(n) / sp.factorial(n + k) * p ** (-k) * tail),
            Relation(tail, "<=", sp.S.One),
        ),
    )


# --- Proposition 6 in closed form -----------------------------------------------------------------


def _parts(constant: Any) -> tuple[Any, Any, Any]:
    """The three parts of the bound: of the fit, of ε_stab/N, and of ε_stab²/N."""
    from theory.claim_parameters import c
    from theory.symbols import N

    fit = q.E_l_sm_hat
    cross = 4 * (fit**_HALF + q.C_sm**_HALF) / N
    return (
        constant * (4 * fit) ** c,
        (constant * cross**c) ** (2 / (2 - c)),
        (constant * (4 / N) ** c) ** (1 / (1 - c)),
    )


def _closed_form() -> Statement:
    from theory.claim_parameters import c

    symbol, constant = _abbreviated_constant()
    fit, cross, square = _parts(symbol)
    bound = fit + (1 - c / 2) * cross + (1 - c) * square
    return Statement.abbreviated(
        Relation((1 - c) * q.eps_stab_squared, "<=", bound), ((symbol, constant),)
    )


def _closed_form_derivation() -> Statement:
    import sympy as sp

    from theory.claim_parameters import c

    fit, cross, square = _parts(_constant())
    y, z = letters("y z", nonnegative=True)
    half = c / 2 * q.eps_stab_squared
    return Statement(
        _closed_form().conclusion,
        (
            _below_one(c),
            Relation(sp.S.Zero, "<", q.ball_mass),
            Relation(q.eps_stab_squared, "<=", fit + y + z),
            Relation(y, "<=", half + (1 - c / 2) * cross),
            Relation(z, "<=", half + (1 - c) * square),
        ),
    )


def _part_of_sum() -> Statement:
    c, part, whole = letters("c x s", positive=True)
    return Statement(
        Relation(part, "<=", whole ** (1 - c) * part**c),
        (_below_one(c), Relation(part, "<=", whole)),
    )


def _rate(variable: str) -> Statement:
    import sympy as sp

    from theory.claim_parameters import c
    from theory.symbols import N

    scale = sp.Max(q.largest_change, 1 / q.ball_mass)
    inside = scale * q.C_sm / N**2 + q.E_l_sm_hat
    return Statement(Relation(q.eps_stab_squared, "≲", scale * inside**c), rate_variable=variable)


def _rate_in_size() -> Statement:
    return _rate("N")


def _rate_in_noise() -> Statement:
    return _rate("1/sigma_eps")


_YOUNG = "wang1997.harnack-gaussian.young"
_HARNACK = "wang1997.harnack-gaussian"
_LEMMA_4 = "farghly2026.lemma-4"
_PROPOSITION = "farghly2026.proposition-6"
_DATA = "farghly2026.proposition-6-data-dependent"
_CLOSED = "farghly2026.proposition-6-closed-form"
_AVERAGE = (
    "ŝ does not depend on the order of the points; for one that does, ε_stab² is here the average "
    "over the replaced point, as the change on the training set is"
)
_BOUNDED = (
    "the scores' posterior means lie in a set of diameter D_H, so |ŝ − ŝⁱ|² ≤ D_H² μ_t²/σ_t⁴ "
    "(the support is bounded)"
)
_MASS = "ν(ball(x, r)) ≥ c_ν r^d* for x in the support and r ≤ r_0, and ball · σ_ε/μ_ε ≤ r_0"
_LOOSE = "an upper bound whose terms are not attained together; the slack map shows by how much"
_ZERO_FIT = "bounded laws come with the empirical score here, which fits exactly: E ℓ̂_sm = 0"
_CROSS = "(M*((4*sqrt(C_sm) + 4*sqrt(E_l_sm_hat))/N)**c)**(2/(2 - c))*(1 - c/2)"
_NEEDS = frozenset({"bounded-support"})

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_DATA,
        title="Proposition 6 with the local mass of the data in it",
        source=Source(
            "farghly2026",
            "Proposition 6",
            "derived here: before the mass of balls is bounded; any bounded support",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_data_dependent,
        assumptions=(SAMPLE, TAU_FORWARD, _AVERAGE, _BOUNDED, "0 < c < 1"),
        uses=(_HARNACK, _YOUNG),
        steps=(f"{_DATA}.transfer", f"{_DATA}.average"),
        derivation=_data_dependent_derivation,
        taken=(
            "Hölder over the sample, x̃ and τ: Young's inequality, integrated",
            "μ_t/σ_t falls with t, so K at every time is at least K_ε",
        ),
        needs=_NEEDS | {"local-mass"},
        unkilled=(
            (
                "rhs: term E_change_on_sample**c*(inverse_local_mass*largest_change*tau_mass)"
                "**(1 - c) times 9/10",
                _LOOSE,
            ),
            ("σ for σ² in eps_stab_squared", _LOOSE),
            ("σ for σ² in E_change_on_sample", _LOOSE),
        ),
        parameters=("c",),
    ),
    Claim(
        id=f"{_DATA}.transfer",
        title="Harnack with α = 1/c carries g^c from one noised point to another",
        source=Source("farghly2026", "proof of Proposition 6"),
        kind=Kind.LITERATURE,
        strength=Strength.TIGHT,
        build=_transfer,
        uses=(_HARNACK,),
        step_of=_DATA,
        unkilled=(
            ("hypothesis c < 1 dropped", "true for c > 1 too, and at c = 1 nothing is assumed"),
        ),
        sharp_at="g constant and D = 0",
    ),
    Claim(
        id=f"{_DATA}.average",
        title="The transfer averaged over Sⁱ, solved for P_t g(x̃)",
        source=Source("farghly2026", "proof of Proposition 6"),
        kind=Kind.LITERATURE,
        strength=Strength.TIGHT,
        build=_average,
        step_of=_DATA,
        sharp_at="everywhere, as an equivalence",
        unkilled=(
            ("hypothesis c < 1 dropped", "true for c > 1 too, wherever both sides are defined"),
        ),
    ),
    Claim(
        id=_PROPOSITION,
        title="Denoising regularises: stability from the training loss and the noise level",
        source=Source(
            "farghly2026",
            "Proposition 6",
            "every constant named, ε_stab on both sides (the largest solution bounds it), and for "
            "every algorithm: the paper states a rate for the empirical risk minimiser",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_proposition_6,
        assumptions=(SAMPLE, TAU_FORWARD, _AVERAGE, _BOUNDED, _MASS, "0 < c < 1"),
        uses=(_DATA, _LEMMA_4, _YOUNG),
        steps=(
            f"{_PROPOSITION}.binomial-inverse-moment",
            f"{_PROPOSITION}.binomial-term",
            f"{_PROPOSITION}.binomial-shift",
        ),
        derivation=_proposition_6_derivation,
        taken=(
            "K_ε ≥ exp(−ball²/(2(1 − c))) (1 + Bin(N − 1, q))/N with q ≥ q_ε: the points of Sⁱ in "
            "a ball around x̃, which is one of them",
            "Jensen for the concave power p/⌈p⌉: Young's inequality in mean",
        ),
        needs=_NEEDS,
        parameters=("c", "ball"),
        sharp_at="in the limit c → 0: one training point, many points far apart",
        unkilled=(
            ("rhs: exponent 1/2 of C_sm made 1", _LOOSE),
            ("rhs: exponent 1/2 of E_l_sm_hat made 1", _ZERO_FIT),
            ("rhs: exponent 1/2 of eps_stab_squared made 1", _LOOSE),
            ("M: exponent 2 of ball made 1", _LOOSE),
            ("σ for σ² in C_sm", _LOOSE),
            ("σ for σ² in eps_stab_squared", _LOOSE),
        ),
    ),
    Claim(
        id=f"{_PROPOSITION}.binomial-inverse-moment",
        title="Inverse moments of 1 + Bin(n, q), for every n, k and q",
        source=Source("farghly2026", "proof of Proposition 6", "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_inverse_moment,
        derivation=_inverse_moment_derivation,
        taken=(
            "(1 + j)^k ≥ (j + 1)…(j + k)/k!: the step binomial-term, multiplied over i = 1, …, k",
            "the step binomial-shift, summed over j; T is the probability that Bin(n + k, q) ≥ k",
        ),
        needs=frozenset({"binomial"}),
        step_of=_PROPOSITION,
        sharp_at="k = 1 in the limit n → ∞",
    ),
    Claim(
        id=f"{_PROPOSITION}.binomial-term",
        title="j + i ≤ i(j + 1), where i runs from 1 to k and j is the variable",
        source=Source("farghly2026", "proof of Proposition 6", "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_binomial_term,
        step_of=_PROPOSITION,
        sharp_at="i = 1 or j = 0",
    ),
    Claim(
        id=f"{_PROPOSITION}.binomial-shift",
        title="Binomial coefficients shifted by k, with n = j + m",
        source=Source("farghly2026", "proof of Proposition 6", "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.IDENTITY,
        build=_binomial_shift,
        step_of=_PROPOSITION,
        sharp_at="everywhere",
    ),
    Claim(
        id=_CLOSED,
        title="Denoising regularises (closed form)",
        source=Source(
            "farghly2026",
            "Proposition 6",
            "every constant named; the paper's shape, with c/(2 − c) for its exponent c",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_closed_form,
        assumptions=(SAMPLE, TAU_FORWARD, _AVERAGE, _BOUNDED, _MASS, "0 < c < 1"),
        uses=(_PROPOSITION, _YOUNG),
        steps=(f"{_CLOSED}.part-of-a-sum",),
        derivation=_closed_form_derivation,
        taken=(
            "powers c < 1 are subadditive: the step part-of-a-sum for each part, added up",
            "Young's inequality with θ = c/2 and θ = c for the parts that hold ε_stab",
        ),
        needs=_NEEDS,
        parameters=("c", "ball"),
        unkilled=(
            ("rhs: term M*(4*E_l_sm_hat)**c times 9/10", _ZERO_FIT),
            ("rhs: term M*(4*E_l_sm_hat)**c dropped", _ZERO_FIT),
            ("rhs: term (M*(4/N)**c)**(1/(1 - c))*(1 - c) times 9/10", _LOOSE),
            (f"rhs: term {_CROSS} times 9/10", _LOOSE),
            (f"rhs: term {_CROSS} dropped", _LOOSE),
            ("rhs: exponent c of (4*sqrt(C_sm) + 4*sqrt(E_l_sm_hat))/N made 1", _LOOSE),
            ("rhs: exponent c of 4*E_l_sm_hat made 1", _ZERO_FIT),
            ("rhs: exponent c of 4/N made 1", _LOOSE),
            ("rhs: exponent 1/2 of C_sm made 1", _LOOSE),
            ("rhs: exponent 1/2 of E_l_sm_hat made 1", _ZERO_FIT),
            ("M: exponent 2 of ball made 1", _LOOSE),
            ("σ for σ² in C_sm", _LOOSE),
            ("σ for σ² in eps_stab_squared", _LOOSE),
        ),
    ),
    Claim(
        id=f"{_CLOSED}.part-of-a-sum",
        title="A part x of a sum s is at most s^(1−c) x^c: why powers below one are subadditive",
        source=Source("farghly2026", "proof of Proposition 6", "derived here"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_part_of_sum,
        step_of=_CLOSED,
        sharp_at="x = s",
    ),
    Claim(
        id=f"{_PROPOSITION}-rate",
        title="Denoising regularises (the paper's rate in the sample size)",
        source=Source("farghly2026", "Proposition 6"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate_in_size,
        assumptions=(SAMPLE, TAU_FORWARD, _AVERAGE, _BOUNDED, _MASS, "0 < c < 1"),
        uses=(_CLOSED,),
        taken=("the closed form for the exponent 2c/(1 + c), constants left out",),
        needs=_NEEDS | {"resolved-stability"},
        parameters=("c", "ball"),
        unkilled=(
            (
                "rhs: exponent c of C_sm*Max(1/ball_mass, largest_change)/N**2 + E_l_sm_hat made 1",
                "ε_stab² of the empirical score falls like N⁻², which is the rate for c = 1",
            ),
        ),
    ),
    Claim(
        id=f"{_PROPOSITION}-rate-in-noise",
        title="Denoising regularises (the paper's rate in the noise level)",
        source=Source("farghly2026", "Proposition 6"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate_in_noise,
        assumptions=(SAMPLE, TAU_FORWARD, _AVERAGE, _BOUNDED, _MASS, "0 < c < 1"),
        uses=(_CLOSED,),
        taken=("the closed form for the exponent 2c/(1 + c), constants left out",),
        needs=_NEEDS | {"resolved-stability", "positive-dimension"},
        parameters=("c", "ball"),
        unkilled=(
            (
                "rhs: exponent c of C_sm*Max(1/ball_mass, largest_change)/N**2 + E_l_sm_hat made 1",
                "a weaker statement: what stands inside is large where the noise is low",
            ),
        ),
    ),
)
