"""Expressions as one line of Unicode and as LaTeX, with the vocabulary's own names."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from theory.quantities import QUANTITIES

_GREEK = {
    "mu": "μ",
    "sigma": "σ",
    "sigma2": "σ²",
    "eps": "ε",
    "tau": "τ",
    "lambda": "λ",
    "alpha": "α",
    "rho": "ρ",
    "eta": "η",
    "noise": "s",
}

_LATEX_NAMES = {"sigma2": r"\sigma^{2}", "noise": "s"}


class _UnicodePrinter(StrPrinter):  # type: ignore[misc]
    def _print_Symbol(self, expr: sp.Symbol) -> str:
        if expr.name in QUANTITIES:
            return QUANTITIES[expr.name].unicode
        return _GREEK.get(expr.name, str(expr.name))

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        if expr.exp == sp.Rational(1, 2):
            return f"√({self._print(expr.base)})"
        if expr.exp == 2:
            base = self.parenthesize(expr.base, 70)
            return f"({base})²" if base.endswith("²") else f"{base}²"
        return str(super()._print_Pow(expr, rational)).replace("**", "^")

    def _print_Mul(self, expr: sp.Mul) -> str:
        return str(super()._print_Mul(expr)).replace("**", "^").replace("*", "·")

    def _print_Infinity(self, expr: sp.Expr) -> str:
        return "∞"

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "π"

    def _print_factorial(self, expr: sp.Expr) -> str:
        return f"{self.parenthesize(expr.args[0], 1000, strict=True)}!"

    def _print_ceiling(self, expr: sp.Expr) -> str:
        return f"⌈{self._print(expr.args[0])}⌉"


class _LatexPrinter(LatexPrinter):  # type: ignore[misc]
    def _print_Symbol(self, expr: sp.Symbol, style: Any = "plain") -> str:
        if expr.name in QUANTITIES:
            return QUANTITIES[expr.name].latex
        if expr.name in _LATEX_NAMES:
            return _LATEX_NAMES[expr.name]
        return str(super()._print_Symbol(expr, style))


def unicode_expression(expression: sp.Expr) -> str:
    """Return the expression on one line, as a person would type it.

    Examples
    --------
    >>> from theory import quantities as q
    >>> unicode_expression(2 * q.eps_stab_squared**sp.Rational(1, 2))
    '2·√(ε_stab²)'
    """
    return str(_UnicodePrinter().doprint(expression))


def latex_expression(expression: sp.Expr) -> str:
    """Return the expression in LaTeX.

    Examples
    --------
    >>> from theory import quantities as q
    >>> latex_expression(q.C_sm)
    'C_{\\\\mathrm{sm}}'
    """
    return str(_LatexPrinter().doprint(expression))
