"""Lemma 4: how much the score changes on the training set when one point is replaced.

The letters of the chain: m is E ℓ̂_sm of ŝⁱ on S, which exchange gives.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory import quantities as q
from theory.assumptions import SAMPLE, STABLE, TAU_FORWARD
from theory.claim import Claim, Kind, Relation, Source, Statement, Strength
from theory.letters import letters

_HALF = Fraction(1, 2)


def room() -> Any:
    """N times the right side of Lemma 4."""
    from theory.symbols import N

    fit, stability = q.E_l_sm_hat, q.eps_stab_squared
    cross = stability**_HALF * (fit**_HALF + q.C_sm**_HALF)
    return 4 * N * fit + 4 * cross + 2 * stability


def _lemma_4() -> Statement:
    from theory.symbols import N

    return Statement(Relation(N * q.E_change_on_sample, "<=", room()))


def _lemma_4_derivation() -> Statement:
    from theory.symbols import N

    (other,) = letters("m", nonnegative=True)  # E ℓ̂_sm of ŝⁱ on S
    fit, stability = q.E_l_sm_hat, q.eps_stab_squared
    return Statement(
        _lemma_4().conclusion,
        (
            Relation(q.E_change_on_sample, "<=", 2 * fit + 2 * other),
            Relation(N * other, "=", N * fit + q.E_l_dsm - q.E_l_dsm_hat),
            Relation(q.E_l_dsm, "<=", (q.E_l_dsm_hat**_HALF + stability**_HALF) ** 2),
            Relation(q.E_l_dsm_hat, "=", fit + q.E_C_sm_hat),
            Relation((fit + q.E_C_sm_hat) ** _HALF, "<=", (fit + q.C_sm) ** _HALF),
            Relation((fit + q.C_sm) ** _HALF, "<=", fit**_HALF + q.C_sm**_HALF),
        ),
    )


def _parallelogram() -> Statement:
    import sympy as sp

    a, b, p = letters("a b p", real=True)
    return Statement(
        Relation(a + b - 2 * p, "<=", 2 * a + 2 * b),
        (Relation(sp.S.Zero, "<=", a + b + 2 * p),),
    )


def _lemma_4_empirical() -> Statement:
    from theory.symbols import N

    return Statement(Relation(N * q.E_change_on_sample, "=", q.E_l_sm + q.C_sm - q.E_C_sm_hat))


def _lemma_4_empirical_derivation() -> Statement:
    import sympy as sp

    from theory.symbols import N

    return Statement(
        _lemma_4_empirical().conclusion,
        (
            Relation(q.E_l_dsm_hat + N * q.E_change_on_sample, "=", q.E_l_dsm),
            Relation(q.E_l_sm_hat, "=", sp.S.Zero),
            Relation(q.E_l_dsm, "=", q.E_l_sm + q.C_sm),
            Relation(q.E_l_dsm_hat, "=", q.E_l_sm_hat + q.E_C_sm_hat),
        ),
    )


def _lemma_4_rate() -> Statement:
    from theory.symbols import N

    stability = q.eps_stab_squared**_HALF
    return Statement(
        Relation(
            q.E_change_on_sample,
            "≲",
            q.E_l_sm_hat + stability * (q.C_sm**_HALF + stability) / N,
        ),
        rate_variable="N",
    )


_LEMMA_1 = "farghly2026.lemma-1"
_SQUARE = "farghly2026.theorem-3b-product.square"
_MONOTONE_ROOT = "farghly2026.theorem-3b-product.square-root-monotone"
_SUBADDITIVE_ROOT = "farghly2026.theorem-3b-sum.square-root-subadditive"
_LEMMA_4 = "farghly2026.lemma-4"
_FIT = "no algorithm here moves more on the training set than where x̃ is noised"
_HALF_OF_IT = "for the empirical score half the right side is enough: the next claim"
_NO_N = "C_sm does not depend on N, so a rate in N cannot see its exponent"
_EXCHANGE = (
    "Lemma 1 on S for ŝⁱ; (S, x̃) and (Sⁱ, x_i) have the same law, so E ℓ̂_dsm(ŝⁱ; S) = "
    "E ℓ̂_dsm(ŝ) + (E ℓ_dsm(ŝ) − E ℓ̂_dsm(ŝ))/N: no optimality of ŝ is used"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id=_LEMMA_4,
        title="How much the score changes on the training set when one point is replaced",
        source=Source(
            "farghly2026",
            "Lemma 4",
            "explicit constants 4, 4, 2, and for every algorithm: the paper states a rate for the "
            "empirical risk minimiser",
        ),
        kind=Kind.DERIVED,
        strength=Strength.UPPER,
        build=_lemma_4,
        assumptions=(SAMPLE, STABLE, TAU_FORWARD),
        uses=(_LEMMA_1, _SQUARE, _MONOTONE_ROOT, _SUBADDITIVE_ROOT),
        steps=(f"{_LEMMA_4}.parallelogram",),
        derivation=_lemma_4_derivation,
        taken=(_EXCHANGE, "the parallelogram step in mean, over the sample, the noise and τ"),
        unkilled=(
            ("rhs: term 2*eps_stab_squared times 9/10", _HALF_OF_IT),
            ("rhs: term 4*E_l_sm_hat*N times 9/10", _FIT),
            ("rhs: term 4*E_l_sm_hat*N dropped", _FIT),
            (
                "rhs: term 4*sqrt(eps_stab_squared)*(sqrt(C_sm) + sqrt(E_l_sm_hat)) times 9/10",
                _HALF_OF_IT,
            ),
            ("rhs: exponent 1/2 of E_l_sm_hat made 1", _FIT),
            ("σ for σ² in C_sm", _HALF_OF_IT),
        ),
    ),
    Claim(
        id=f"{_LEMMA_4}.parallelogram",
        title="|u − v|² ≤ 2|u|² + 2|v|²; a, b, p stand for E|u|², E|v|², E⟨u, v⟩",
        source=Source("farghly2026", "proof of Lemma 4"),
        kind=Kind.CLASSICAL,
        strength=Strength.TIGHT,
        build=_parallelogram,
        step_of=_LEMMA_4,
        sharp_at="v = −u",
    ),
    Claim(
        id=f"{_LEMMA_4}-empirical-score",
        title="For the empirical score, the change on the training set is the gap divided by N",
        source=Source("farghly2026", "Lemma 4", "derived here, for the empirical score"),
        kind=Kind.DERIVED,
        strength=Strength.IDENTITY,
        build=_lemma_4_empirical,
        assumptions=(SAMPLE, TAU_FORWARD, "ŝ is the empirical score"),
        uses=(_LEMMA_1, "vincent2011.decomposition"),
        derivation=_lemma_4_empirical_derivation,
        taken=(_EXCHANGE, "ŝ is the empirical score of S: it has no distance to itself"),
        needs=frozenset({"empirical-score"}),
        sharp_at="everywhere",
    ),
    Claim(
        id=f"{_LEMMA_4}-rate",
        title="How much the score changes on the training set (the paper's rate)",
        source=Source("farghly2026", "Lemma 4"),
        kind=Kind.LITERATURE,
        strength=Strength.RATE,
        build=_lemma_4_rate,
        assumptions=(SAMPLE, STABLE, TAU_FORWARD),
        uses=(_LEMMA_4,),
        unkilled=(
            ("rhs: term E_l_sm_hat dropped", _FIT),
            ("rhs: exponent 1/2 of C_sm made 1", _NO_N),
        ),
        needs=frozenset({"resolved-rate"}),
    ),
)
