"""Sampler regularisation: Proposition 7 with every constant, and what follows from it.

The sampler is the exponential integrator of the reverse Ornstein–Uhlenbeck process, from N(0, I),
with the two-phase times of `theory.sampler_steps`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from theory import quantities as q
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters
from theory.proof_steps import proof_step

_HALF = Fraction(1, 2)
_TIMES = "farghly2026.sampler-times"
_EVALUATED = "farghly2026.score-error"
_PATH = "farghly2026.proposition-7-path"
_MAIN = "farghly2026.proposition-7"
_SHARPER = "farghly2026.proposition-7-sharper"
_STABILITY = "farghly2026.proposition-7-stability"
_EXPLICIT = "farghly2026.proposition-7-explicit"
_COROLLARY = "farghly2026.corollary-8"
_BOUND = "farghly2026.discretisation-bound"
_PRIOR = "farghly2026.prior-divergence"
_PRODUCT = "farghly2026.theorem-3b-product"
_SAMPLER = (
    "Ornstein–Uhlenbeck, exponential integrator from N(0, I), two-phase times",
    "ν has a finite second moment",
)
# As mutants are named.
_FIT = "E_l_sm_hat + 2*sqrt(eps_stab_squared)*sqrt(C_sm + E_l_sm_hat) + eps_stab_squared"
_LIMIT = "attained only in the limit of many short steps, more than a check takes"
_LOOSE = "the bound is loose by a factor of five or more on every law here"
_SAME_ORDER = "at fixed T and ε both terms are of order κ: either alone has the rate"
_WEAKER = "a weaker statement for κ ≤ 1"
_NO_PRIOR = "at T = 5 it is a billionth, and the divergence is larger at every κ tried"
_SAME_TAU = "τ in Theorem 3 is τ̂_κ"
_PROOF = Source("farghly2026", "proof of Proposition 7")
_TIME_SOURCE = Source("farghly2026", "Proposition 7, its times", "as in benton2024")


def _times() -> Statement:
    import sympy as sp

    kappa, uniform, geometric = _time_letters()
    horizon = kappa * uniform + 1
    stop = (1 + kappa) ** (-geometric)
    count = (horizon - 1) / kappa + sp.log(1 / stop) / sp.log(1 + kappa)
    return Statement(Relation(count, "=", uniform + geometric))


def _time_letters() -> tuple[Any, Any, Any]:
    import sympy as sp

    return (
        sp.Symbol("kappa", positive=True),
        sp.Symbol("L", positive=True, integer=True),
        sp.Symbol("m", positive=True, integer=True),
    )


def _uniform_step() -> Statement:
    import sympy as sp

    kappa, uniform, k = letters("kappa L k", real=True)
    here, there = kappa * (uniform - k) + 1, kappa * (uniform - k - 1) + 1
    return Statement(Relation(sp.Add(here, -there, evaluate=False), "=", kappa))


def _geometric_step() -> Statement:
    kappa, _, j = _time_letters()
    here, there = (1 + kappa) ** (-j), (1 + kappa) ** (-j - 1)
    return Statement(Relation(here - there, "=", kappa * there))


def _below_one() -> Statement:
    import sympy as sp

    (x,) = letters("x", positive=True)
    (j,) = letters("j", positive=True)
    return Statement(Relation(sp.S.One, "<=", x**j), (Relation(sp.S.One, "<=", x),))


def _last_time() -> Statement:
    kappa, _, m = _time_letters()
    return Statement(Relation((1 + kappa) ** (1 - m), "=", (1 + kappa) * (1 + kappa) ** (-m)))


def _evaluated() -> Statement:
    return Statement(Relation(q.score_error, "=", q.E_l_sm))


def _path() -> Statement:
    return Statement(Relation(q.KL, "<=", q.KL_prior + q.path_error))


def _root_sum(first: Any, second: Any) -> Any:
    return (first**_HALF + second**_HALF) ** 2


def _minkowski_in_mean() -> Statement:
    return Statement(Relation(q.path_error, "<=", _root_sum(q.score_error, q.D_kappa)))


def _minkowski() -> Statement:
    s, d, c, e = letters("s d c e", real=True)
    return Statement(
        Relation(e, "<=", _root_sum(s, d)),
        (Relation(c, "<=", s**_HALF * d**_HALF), Relation(e, "<=", s + d + 2 * c)),
    )


def _main() -> Statement:
    return Statement(Relation(q.KL, "<=", q.KL_prior + _root_sum(q.score_error, q.D_kappa)))


def _main_derivation() -> Statement:
    return Statement(_main().conclusion, (_path().conclusion, _minkowski_in_mean().conclusion))


def _cross() -> Any:
    return q.score_error**_HALF * q.step_fisher**_HALF


def _sharper() -> Statement:
    return Statement(Relation(q.KL, "<=", q.KL_prior + q.score_error + q.D_kappa + _cross()))


def _sharper_derivation() -> Statement:
    (aligned,) = letters("c", real=True)
    return Statement(
        _sharper().conclusion,
        (
            _path().conclusion,
            Relation(q.path_error, "<=", q.score_error + q.D_kappa + 2 * aligned),
            Relation(2 * aligned, "<=", _cross()),
        ),
    )


def _small_drift() -> Statement:
    import sympy as sp

    (g,) = letters("g", nonnegative=True)
    return Statement(Relation(g - 1 + sp.exp(-g), "<=", g**2 / 2))


def _drift_times_score() -> Statement:
    import sympy as sp

    g, drift, c, first, second = letters("g h c a b", real=True)
    return Statement(
        Relation(2 * drift * c, "<=", g**2 * (first * second)),
        (
            *(Relation(sp.S.Zero, "<=", x) for x in (drift, first * second)),
            Relation(drift, "<=", g**2 / 2),
            Relation(c, "<=", first * second),
        ),
    )


def _fit_bound() -> Any:
    return (
        q.E_l_sm_hat
        + 2 * q.eps_stab_squared**_HALF * (q.E_l_sm_hat + q.C_sm) ** _HALF
        + q.eps_stab_squared
    )


def _stability() -> Statement:
    return Statement(Relation(q.KL, "<=", q.KL_prior + _root_sum(_fit_bound(), q.D_kappa)))


def _stability_derivation() -> Statement:
    bound = _fit_bound()
    return Statement(
        _stability().conclusion,
        (
            _main().conclusion,
            _evaluated().conclusion,
            Relation(q.E_l_sm**_HALF, "<=", bound**_HALF),
        ),
    )


def _roots() -> Statement:
    import sympy as sp

    low, high = letters("a b", real=True)
    return Statement(
        Relation(low**_HALF, "<=", high**_HALF),
        (Relation(sp.S.Zero, "<=", low), Relation(low, "<=", high)),
    )


def _prior_at_horizon() -> Any:
    import sympy as sp

    from theory.sampler_steps import horizon
    from theory.symbols import d

    noise = sp.exp(-2 * horizon())
    return (noise * (q.second_moment - d) - d * sp.log(1 - noise)) / 2


def _explicit() -> Statement:
    import sympy as sp

    from theory.reverse_process import discretisation_bound

    delta, prior = sp.Symbol("Delta", positive=True), sp.Symbol("P_T", nonnegative=True)
    return Statement.abbreviated(
        Relation(q.KL, "<=", prior + _root_sum(_fit_bound(), delta)),
        ((prior, _prior_at_horizon()), (delta, discretisation_bound())),
    )


def _explicit_derivation() -> Statement:
    import sympy as sp

    from theory.reverse_process import discretisation_bound
    from theory.sampler_steps import horizon

    delta = discretisation_bound()
    return Statement(
        _explicit().conclusion,
        (
            _stability().conclusion,
            Relation(q.KL_prior, "<=", _prior_at_horizon()),
            Relation(q.D_kappa**_HALF, "<=", delta**_HALF),
            Relation(sp.S.Zero, "<", 1 - sp.exp(-2 * horizon())),
        ),
    )


def _rate() -> Statement:
    from theory.sampler_steps import KAPPA, horizon, step_count
    from theory.symbols import d

    kappa = KAPPA.symbol
    discretisation = kappa**2 * d * step_count() + kappa * d * horizon()
    return Statement(Relation(q.KL, "≲", discretisation + q.KL_prior), rate_variable="1/kappa")


def _corollary_8() -> Statement:
    return Statement(Relation(q.least_KL, "<=", q.least_bound))


_step_of = partial(proof_step, source=_PROOF)
_step_of_times = partial(proof_step, _TIMES, source=_TIME_SOURCE)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_TIMES,
        title="The sampler's times: how many steps there are, T = κL + 1 and ε = (1 + κ)^(−m)",
        source=_TIME_SOURCE,
        kind=Kind.LITERATURE,
        strength=Strength.IDENTITY,
        build=_times,
        steps=tuple(
            f"{_TIMES}.{name}"
            for name in ("uniform-step", "geometric-step", "below-one", "last-time")
        ),
        sharp_at="everywhere",
    ),
    _step_of_times(
        "uniform-step",
        "A step of the first phase is κ, and min(1, u_{k+1}) = 1 there",
        _uniform_step,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    _step_of_times(
        "geometric-step",
        "A step of the second phase is κ u_{k+1}",
        _geometric_step,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    _step_of_times(
        "below-one",
        "min(1, u) = u in the second phase, where 1/u = x^j with x = 1 + κ",
        _below_one,
        strength=Strength.TIGHT,
        sharp_at="κ → 0",
        unkilled=(("rhs: exponent j of x made 1", "true as well: x itself is at least one"),),
    ),
    _step_of_times(
        "last-time",
        "The last noise time at which the score is evaluated is (1 + κ)ε",
        _last_time,
        strength=Strength.IDENTITY,
        sharp_at="everywhere",
    ),
    Claim(
        id=_EVALUATED,
        title="The sampler's score error is E ℓ_sm under τ̂_κ = Σ γ_k δ(T − t_k)",
        source=Source("farghly2026", "Proposition 7", "a definition, encoded twice and compared"),
        kind=Kind.DERIVED,
        strength=Strength.IDENTITY,
        build=_evaluated,
        assumptions=_SAMPLER,
        needs=frozenset({"sampler"}),
        sharp_at="everywhere",
    ),
    Claim(
        id=_PATH,
        title="The sampler's divergence is at most that of its paths",
        source=Source("farghly2026", "proof of Proposition 7", "Girsanov and data processing"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_path,
        assumptions=_SAMPLER,
        steps=(f"{_PATH}.minkowski-in-mean", f"{_PATH}.minkowski"),
        needs=frozenset({"sampler"}),
        sharp_at="the empirical score, in the limit κ → 0 and T → ∞: there both sides are S",
        unkilled=(("rhs: term path_error times 9/10", _LIMIT),),
    ),
    Claim(
        id=f"{_PATH}.minkowski-in-mean",
        title="The error along a path: score error and discretisation error",
        source=Source("farghly2026", "proof of Proposition 7"),
        kind=Kind.DERIVED,
        strength=Strength.TIGHT,
        build=_minkowski_in_mean,
        assumptions=_SAMPLER,
        needs=frozenset({"sampler"}),
        step_of=_PATH,
        sharp_at="the true score",
        unkilled=(
            ("rhs: exponent 1/2 of score_error made 1", _LIMIT),
            ("σ for σ² in score_error", _LIMIT),
        ),
    ),
    _step_of(
        _PATH,
        "minkowski",
        "Minkowski's inequality: c is the mean product of the two errors",
        _minkowski,
        strength=Strength.TIGHT,
        sharp_at="c² = s d",
    ),
    Claim(
        id=_MAIN,
        title="The sampler regularises: score error under τ̂_κ, discretisation error, prior",
        source=Source(
            "farghly2026", "Proposition 7", "every constant named: the paper states a rate"
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_main,
        assumptions=_SAMPLER,
        uses=(_PATH, f"{_PATH}.minkowski-in-mean"),
        derivation=_main_derivation,
        taken=("Girsanov's theorem and data processing, for farghly2026.proposition-7-path",),
        needs=frozenset({"sampler"}),
        sharp_at="the empirical score, in the limit κ → 0 and T → ∞",
        unkilled=(
            ("rhs: exponent 1/2 of D_kappa made 1", _LOOSE),
            ("rhs: exponent 1/2 of score_error made 1", _LIMIT),
            ("σ for σ² in score_error", _LIMIT),
        ),
    ),
    Claim(
        id=_SHARPER,
        title="The same with a cross term that is smaller by √κ",
        source=Source(
            "farghly2026",
            "Proposition 7",
            "new: the increments of the score have mean (e^{−h} − 1)s, so they hardly correlate "
            "with the error of the score",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_sharper,
        assumptions=_SAMPLER,
        uses=(_PATH, "benton2024.score-martingale"),
        steps=(f"{_SHARPER}.small-drift", f"{_SHARPER}.one-step"),
        derivation=_sharper_derivation,
        taken=(
            "path_error = score_error + D_kappa + 2c with c = −Σ (γ_k − 1 + e^{−γ_k}) E⟨s, s − ŝ⟩: "
            "E[s_t | F_{t_k}] = e^{−(t − t_k)} s_{t_k}, by the martingale",
            "the step one-step with h = γ_k − 1 + e^{−γ_k}, added over k by Cauchy–Schwarz",
        ),
        needs=frozenset({"sampler"}),
        sharp_at="the empirical score, in the limit κ → 0 and T → ∞",
        unkilled=(
            ("rhs: term D_kappa times 9/10", _LIMIT),
            ("rhs: term sqrt(score_error)*sqrt(step_fisher) times 9/10", _LIMIT),
            ("rhs: term sqrt(score_error)*sqrt(step_fisher) dropped", _LIMIT),
            ("rhs: exponent 1/2 of score_error made 1", _LIMIT),
            ("rhs: exponent 1/2 of step_fisher made 1", _LIMIT),
            ("σ for σ² in score_error", _LIMIT),
        ),
    ),
    _step_of(
        _SHARPER,
        "small-drift",
        "g − 1 + e^{−g} ≤ g²/2",
        _small_drift,
        strength=Strength.TIGHT,
        sharp_at="g = 0",
    ),
    _step_of(
        _SHARPER,
        "one-step",
        "One step: a² = E|s|², b² = E|s − ŝ|², and c = −E⟨s, s − ŝ⟩ ≤ ab",
        _drift_times_score,
        strength=Strength.TIGHT,
        sharp_at="c = ab and h = g²/2",
    ),
    Claim(
        id=_STABILITY,
        title="Proposition 7 with Theorem 3: score stability under τ̂_κ bounds the sampler",
        source=Source("farghly2026", "Proposition 7 and Theorem 3", "every constant named"),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_stability,
        assumptions=(*_SAMPLER, _SAME_TAU),
        uses=(_MAIN, _EVALUATED, _PRODUCT),
        steps=(f"{_STABILITY}.roots",),
        derivation=_stability_derivation,
        needs=frozenset({"sampler"}),
        sharp_at="not attained",
        unkilled=(
            (
                f"rhs: term (sqrt(D_kappa) + sqrt({_FIT}))**2 times 9/10",
                _LIMIT,
            ),
            ("rhs: exponent 1/2 of C_sm + E_l_sm_hat made 1", _LIMIT),
            ("rhs: exponent 1/2 of D_kappa made 1", _LOOSE),
            (
                f"rhs: exponent 1/2 of {_FIT} made 1",
                _LIMIT,
            ),
            ("rhs: exponent 1/2 of eps_stab_squared made 1", _LIMIT),
            ("σ for σ² in C_sm", _LIMIT),
            ("σ for σ² in eps_stab_squared", _LIMIT),
        ),
    ),
    _step_of(
        _STABILITY,
        "roots",
        "The square root is monotone",
        _roots,
        strength=Strength.TIGHT,
        sharp_at="a = b",
    ),
    Claim(
        id=_EXPLICIT,
        title="Proposition 7 in κ, T, ε, d and the stability alone",
        source=Source(
            "farghly2026",
            "Proposition 7",
            "every constant named: the paper's κ²dK + κdT + d e^{−2T} with the stability term",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_explicit,
        assumptions=(*_SAMPLER, _SAME_TAU),
        uses=(_STABILITY, f"{_STABILITY}.roots", _BOUND, _PRIOR),
        derivation=_explicit_derivation,
        taken=("farghly2026.prior-divergence at t = T > 0, where σ² = 1 − e^{−2T} and μ = e^{−T}",),
        needs=frozenset({"sampler"}),
        sharp_at="not attained",
        unkilled=(
            (
                f"rhs: term (sqrt(Delta) + sqrt({_FIT}))**2 times 9/10",
                _LIMIT,
            ),
            ("rhs: exponent 1/2 of C_sm + E_l_sm_hat made 1", _LIMIT),
            ("rhs: exponent 1/2 of Delta made 1", _LIMIT),
            (
                f"rhs: exponent 1/2 of {_FIT} made 1",
                _LIMIT,
            ),
            ("rhs: exponent 1/2 of eps_stab_squared made 1", _LIMIT),
            ("Delta: exponent 2 of kappa made 1", _LOOSE),
            ("σ for σ² in C_sm", _LIMIT),
            ("σ for σ² in eps_stab_squared", _LIMIT),
        ),
    ),
    Claim(
        id=f"{_MAIN}-rate",
        title="The sampler with the true score (the paper's rate in the step size)",
        source=Source("farghly2026", "Proposition 7"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_rate,
        assumptions=_SAMPLER,
        uses=(_MAIN, _BOUND),
        taken=("farghly2026.discretisation-bound and a score error of zero, constants left out",),
        needs=frozenset({"sampler", "true-score"}),
        unkilled=(
            ("rhs: term KL_prior dropped", _NO_PRIOR),
            ("rhs: term d*kappa*(L*kappa + 1) dropped", _SAME_ORDER),
            ("rhs: term d*kappa**2*(L + m) dropped", _SAME_ORDER),
            ("rhs: exponent 2 of kappa made 1", _WEAKER),
        ),
    ),
    Claim(
        id=_COROLLARY,
        title="Optimising the step: κ* of the bound beside κ* of the divergence itself",
        source=Source(
            "farghly2026",
            "Corollary 8",
            "the paper optimises a rate; here both sides are minimised over κ, and tables show "
            "where",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_corollary_8,
        assumptions=(*_SAMPLER, "κ = ε^(−1/m) − 1 for integers m, at most 2 and at least 1/100"),
        uses=(_MAIN,),
        taken=("the least value of the smaller function is the smaller",),
        needs=frozenset({"sampler"}),
        sharp_at="not attained",
    ),
)
