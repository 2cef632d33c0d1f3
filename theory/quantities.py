"""The vocabulary: every quantity that a claim may speak of.

``QUANTITIES`` describes them in plain text; the attribute of the same name is the sympy symbol,
made on first use: ``theory.quantities.E_l_dsm``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy as sp


@dataclass(frozen=True, slots=True)
class Quantity:
    """A nonnegative real number that depends on the law, the sample size, the algorithm and τ."""

    name: str
    latex: str
    unicode: str
    meaning: str


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            "E_l_dsm",
            r"\mathbb{E}\,\ell_{\mathrm{dsm}}(\hat s)",
            "E ℓ_dsm(ŝ)",
            "expected denoising loss of the trained score on the true law",
        ),
        Quantity(
            "E_l_dsm_hat",
            r"\mathbb{E}\,\hat\ell_{\mathrm{dsm}}(\hat s)",
            "E ℓ̂_dsm(ŝ)",
            "expected denoising loss of the trained score on its own training set",
        ),
        Quantity(
            "E_l_sm",
            r"\mathbb{E}\,\ell_{\mathrm{sm}}(\hat s)",
            "E ℓ_sm(ŝ)",
            "expected squared distance of the trained score to the true score",
        ),
        Quantity(
            "E_l_sm_hat",
            r"\mathbb{E}\,\hat\ell_{\mathrm{sm}}(\hat s)",
            "E ℓ̂_sm(ŝ)",
            "expected squared distance of the trained score to the empirical score, under the "
            "noised training set",
        ),
        Quantity(
            "C_sm",
            r"C_{\mathrm{sm}}",
            "C_sm",
            "ℓ_dsm − ℓ_sm: the least denoising loss, an integrated posterior variance",
        ),
        Quantity(
            "E_C_sm_hat",
            r"\mathbb{E}\,\hat C_{\mathrm{sm}}",
            "E Ĉ_sm",
            "the same constant for the training set: the least empirical denoising loss",
        ),
        Quantity(
            "eps_stab_squared",
            r"\varepsilon_{\mathrm{stab}}^2",
            "ε_stab²",
            "score stability, squared: mean squared change of the score, where the swapped-in "
            "point is noised, when one training point is replaced",
        ),
        Quantity(
            "E_C_sm_hat_next",
            r"\mathbb{E}\,\hat C_{\mathrm{sm}}^{(N+1)}",
            "E Ĉ_sm[N+1]",
            "E Ĉ_sm with one training point more",
        ),
        Quantity(
            "E_l_dsm_replaced",
            r"\mathbb{E}\,\ell_{\mathrm{dsm}}(\hat s^i;\tilde x)",
            "E ℓ_dsm(ŝⁱ; x̃)",
            "denoising loss, at the swapped-in point, of the score trained with that point",
        ),
    )
}

#: The quantities that a table of any score-stability claim shows.
TABLE_QUANTITIES = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_l_sm_hat",
    "C_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
)


@cache
def symbol(name: str) -> sp.Symbol:
    """Return the sympy symbol of a quantity.

    Raises
    ------
    KeyError
        If the vocabulary has no such quantity.
    """
    import sympy as sp

    return sp.Symbol(QUANTITIES[name].name, nonnegative=True)


def __getattr__(name: str) -> Any:
    if name in QUANTITIES:
        return symbol(name)
    raise AttributeError(f"module 'theory.quantities' has no attribute {name!r}")
