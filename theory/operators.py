"""Inert operators: the integral over time, ∫ · dτ, and the expectation over a standard normal.

sympy's own ``Integral`` would do for both, but these carry what a checker needs to know: that τ is
a positive measure (so the integral is monotone), and that the weight is Gaussian (so tails have
rigorous bounds). A third keeps one step of a long recursion as a node of its own, and a fourth is
the geometric sum, whose closed form divides by zero where the ratio is one.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols

_BOUND_IN_TIME = frozenset({symbols.mu, symbols.sigma2, symbols.t})


class TimeIntegral(sp.Expr):  # type: ignore[misc]
    """∫ integrand dτ, the integrand written in ``mu`` and ``sigma2`` (and possibly ``t``)."""

    is_commutative = True

    def __new__(cls, integrand: Any) -> Any:
        integrand = sp.sympify(integrand)
        return integrand if integrand == 0 else sp.Expr.__new__(cls, integrand)

    @property
    def integrand(self) -> sp.Expr:
        """What is integrated, at one time."""
        return self.args[0]

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return set(self.integrand.free_symbols) - _BOUND_IN_TIME

    def _eval_is_extended_real(self) -> bool | None:
        return self.integrand.is_extended_real  # type: ignore[no-any-return]

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.integrand.is_nonnegative else None

    def _eval_derivative(self, variable: sp.Symbol) -> sp.Expr:
        if variable in _BOUND_IN_TIME:
            return sp.S.Zero
        return TimeIntegral(self.integrand.diff(variable))

    def _latex(self, printer: Any) -> str:
        return rf"\int {printer.parenthesize(self.integrand, 40)} \,\tau(\mathrm{{d}}t)"

    def _sympystr(self, printer: Any) -> str:
        return f"∫({printer.doprint(self.integrand)})dτ"


class GaussianExpectation(sp.Expr):  # type: ignore[misc]
    """E f(Z) for Z standard normal on the line; ``variable`` is bound in ``integrand``."""

    is_commutative = True

    def __new__(cls, integrand: Any, variable: sp.Symbol) -> Any:
        integrand = sp.sympify(integrand)
        if variable not in integrand.free_symbols:
            return integrand
        return sp.Expr.__new__(cls, integrand, variable)

    @property
    def integrand(self) -> sp.Expr:
        """The function of ``variable`` whose mean is taken."""
        return self.args[0]

    @property
    def variable(self) -> sp.Symbol:
        """The standard normal variable."""
        return self.args[1]

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return set(self.integrand.free_symbols) - {self.variable}

    def _eval_is_extended_real(self) -> bool | None:
        return self.integrand.is_extended_real  # type: ignore[no-any-return]

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.integrand.is_nonnegative else None

    def _eval_subs(self, old: sp.Basic, new: sp.Basic) -> Any:
        if old == self.variable:
            return self
        return None

    def _eval_derivative(self, parameter: sp.Symbol) -> sp.Expr:
        if parameter == self.variable:
            return sp.S.Zero
        return GaussianExpectation(self.integrand.diff(parameter), self.variable)

    def _latex(self, printer: Any) -> str:
        body = printer.doprint(self.integrand)
        return rf"\mathbb{{E}}_{{{printer.doprint(self.variable)}}}\left[{body}\right]"

    def _sympystr(self, printer: Any) -> str:
        return f"E_{self.variable}[{printer.doprint(self.integrand)}]"


class GeometricSum(sp.Expr):  # type: ignore[misc]
    """1 + q + … + q^(K−1) for a ratio q >= 0 and an integer K >= 0.

    Examples
    --------
    >>> GeometricSum(sp.Integer(2), sp.Integer(5)), GeometricSum(sp.Integer(1), sp.Integer(5))
    (31, 5)
    """

    is_commutative = True

    #: Longer sums of rationals are left to balls: their exact values fill pages.
    _LONGEST = 64

    def __new__(cls, ratio: Any, count: Any) -> Any:
        ratio, count = sp.sympify(ratio), sp.sympify(count)
        if ratio.is_Rational and count.is_Integer and 0 <= count <= cls._LONGEST:
            return count if ratio == 1 else (ratio**count - 1) / (ratio - 1)
        return sp.Expr.__new__(cls, ratio, count)

    @property
    def ratio(self) -> sp.Expr:
        """The ratio q of neighbouring terms."""
        return self.args[0]

    @property
    def count(self) -> sp.Expr:
        """The number K of terms."""
        return self.args[1]

    def _eval_is_extended_real(self) -> bool | None:
        return self.ratio.is_extended_real  # type: ignore[no-any-return]

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.ratio.is_nonnegative else None

    def _latex(self, printer: Any) -> str:
        ratio, count = printer.parenthesize(self.ratio, 100), printer.doprint(self.count)
        return rf"\sum_{{j<{count}}}{ratio}^j"

    def _sympystr(self, printer: Any) -> str:
        return f"Σ_(j<{printer.doprint(self.count)}) {printer.parenthesize(self.ratio, 100)}^j"


class Kept(sp.Expr):  # type: ignore[misc]
    """One real expression as a node of its own: nothing looks inside to find out more of it.

    A recursion over many steps stays a chain of short expressions; sympy asks of each new product
    whether its factors are real, and would walk down the whole chain each time.
    """

    is_commutative = True

    def __new__(cls, inside: Any) -> Any:
        kept = sp.Expr.__new__(cls, sp.sympify(inside))
        kept._symbols = set(kept.args[0].free_symbols)
        return kept

    @property
    def inside(self) -> sp.Expr:
        """The expression."""
        return self.args[0]

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return set(self._symbols)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.inside))

    def _sympystr(self, printer: Any) -> str:
        return f"({printer.doprint(self.inside)})"


class KeptPositive(Kept):
    """The same for an expression that is known to be positive.

    Raises
    ------
    ValueError
        If it is a number that is not.
    """

    def __new__(cls, inside: Any) -> Any:
        exact = sp.sympify(inside)
        if exact.is_Number and not exact > 0:
            raise ValueError(f"{exact} is kept as positive, and is not")
        return super().__new__(cls, exact)

    def _eval_is_extended_positive(self) -> bool:
        return True


def merge_expectations(expression: sp.Expr) -> sp.Expr:
    """Write a sum of Gaussian expectations in one variable as a single expectation.

    Examples
    --------
    >>> z, c = sp.symbols("z c", real=True)
    >>> first, second = GaussianExpectation(z**2, z), GaussianExpectation(sp.tanh(z), z)
    >>> merge_expectations(c * first + second)
    E_z[c*z**2 + tanh(z)]
    """
    means = sorted(expression.atoms(GaussianExpectation), key=str)
    if len({mean.variable for mean in means}) != 1:
        return expression
    names = {mean: sp.Dummy() for mean in means}
    linear = sp.expand(expression.xreplace(names))
    if not linear.is_polynomial(*names.values()):
        return expression
    polynomial = sp.Poly(linear, *names.values())
    if polynomial.total_degree() > 1:
        return expression
    merged = sp.Add(*(polynomial.coeff_monomial(v) * m.integrand for m, v in names.items()))
    return polynomial.coeff_monomial(1) + GaussianExpectation(merged, means[0].variable)
