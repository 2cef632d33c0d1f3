"""A statement about real numbers as polynomial relations, square roots turned into variables.

``√X`` becomes a variable r >= 0 with r² = X; where X is a symbol, X is replaced by r². Equations
that give a symbol are solved for it. What comes out holds exactly when the statement does, as long
as every X under a root is nonnegative, which callers have to show: `System.radicands`.

What is no polynomial can be abstracted first: each such subtree becomes a letter of the same sign.
That forgets what the subtree is, so it serves proofs and never refutations. `Signs` says which
signs follow from the hypotheses, and whether an expression is defined wherever they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import sympy as sp

from theory.claim import Relation, Statement
from theory.operators import GeometricSum


@dataclass(frozen=True, slots=True)
class System:
    """Polynomials: ``equations`` = 0, ``nonnegative`` >= 0, ``positive`` > 0, and the goal.

    ``goal`` is to be shown nonnegative, or zero when ``goal_is_equation``. ``roots`` are the
    variables that stand for the square roots of ``radicands``, in the same order.
    """

    equations: tuple[sp.Expr, ...]
    nonnegative: tuple[sp.Expr, ...]
    positive: tuple[sp.Expr, ...]
    goal: sp.Expr
    goal_is_equation: bool
    radicands: tuple[sp.Expr, ...]
    roots: tuple[sp.Symbol, ...] = ()

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """Every variable, in a fixed order."""
        parts = (*self.equations, *self.nonnegative, *self.positive, self.goal)
        found = set().union(*(part.free_symbols for part in parts))
        return tuple(sorted(found, key=lambda symbol: (symbol.name, sp.srepr(symbol))))


class NotPolynomial(Exception):
    """The statement is not made of polynomials and square roots."""


def system_of(statement: Statement) -> System:
    """Translate a statement.

    Raises
    ------
    NotPolynomial
        If it holds anything but polynomials and square roots of polynomials.
    """
    for relation in (*statement.hypotheses, statement.conclusion):
        _refuse_what_may_be_undefined(relation)
    hypotheses, conclusion = _solve_equations(list(statement.hypotheses), statement.conclusion)
    roots = _square_roots([*hypotheses, conclusion])
    prefix = "root"
    while any(symbol.name.startswith(prefix) for symbol in statement.free_symbols):
        prefix += "_"
    names = {root: sp.Symbol(f"{prefix}{k}", real=True) for k, root in enumerate(roots)}
    squares = {
        root.base: name**2 for root, name in names.items() if isinstance(root.base, sp.Symbol)
    }

    def translate(expression: sp.Expr) -> sp.Expr:
        result = sp.expand(expression.xreplace(names).xreplace(squares))
        if not result.is_polynomial(*result.free_symbols) or not _has_rational_coefficients(result):
            raise NotPolynomial(str(expression))
        return result

    equations = [translate(h.slack) for h in hypotheses if h.op == "="]
    equations += [
        translate(name**2 - root.base) for root, name in names.items() if root.base not in squares
    ]
    symbols = {s for h in (*hypotheses, conclusion) for s in h.free_symbols}
    signed = [
        s - 1 if s.is_integer and s.is_positive else s
        for s in sorted(symbols, key=str)
        if s.is_nonnegative and s not in squares
    ]
    nonnegative = [translate(h.slack) for h in hypotheses if h.op == "<="] + [*names.values()]
    return System(
        equations=tuple(equations),
        nonnegative=tuple(dict.fromkeys(g for g in (*nonnegative, *signed) if g != 0)),
        positive=tuple(translate(h.slack) for h in hypotheses if h.op == "<"),
        goal=translate(conclusion.slack),
        goal_is_equation=conclusion.op == "=",
        radicands=tuple(root.base for root in roots),
        roots=tuple(names.values()),
    )


def _refuse_what_may_be_undefined(relation: Relation) -> None:
    """Refuse division and functions: expanding (x² + x)/x would forget that x is not zero.

    They are refused in each side: log(x) - log(x) is zero only where log(x) is defined.
    """
    for side in (relation.lhs, relation.rhs):
        for node in sp.preorder_traversal(side):
            if node.args and not isinstance(node, sp.Add | sp.Mul | sp.Pow):
                raise NotPolynomial(str(side))
            if isinstance(node, sp.Pow) and not (node.exp.is_Rational and node.exp.is_positive):
                raise NotPolynomial(str(side))


def _has_rational_coefficients(polynomial: sp.Expr) -> bool:
    symbols = polynomial.free_symbols
    if not symbols:
        return bool(polynomial.is_Rational)
    return all(c.is_Rational for c in sp.Poly(polynomial, *symbols).coeffs())


def _square_roots(relations: list[Relation]) -> tuple[sp.Pow, ...]:
    found = set()
    for relation in relations:
        for power in relation.lhs.atoms(sp.Pow) | relation.rhs.atoms(sp.Pow):
            if power.exp.is_Rational and not power.exp.is_Integer:
                if power.exp != sp.Rational(1, 2):
                    raise NotPolynomial(str(power))
                found.add(power)
    return tuple(sorted(found, key=str))


def radicands(relation: Relation) -> tuple[sp.Expr, ...]:
    """Return what stands under the roots of a relation, of whatever order."""
    powers = relation.lhs.atoms(sp.Pow) | relation.rhs.atoms(sp.Pow)
    return tuple(sorted((p.base for p in powers if not p.exp.is_Integer), key=str))


def _solve_equations(
    hypotheses: list[Relation], conclusion: Relation
) -> tuple[list[Relation], Relation]:
    """Use each hypothesis "symbol = expression" to remove the symbol, keeping its sign."""
    for index, equation in enumerate(hypotheses):
        if equation.op != "=":
            continue
        for symbol, value in ((equation.lhs, equation.rhs), (equation.rhs, equation.lhs)):
            if isinstance(symbol, sp.Symbol) and symbol not in value.free_symbols:
                keep_sign = [Relation(sp.S.Zero, "<=", value)] if symbol.is_nonnegative else []
                rest = hypotheses[:index] + hypotheses[index + 1 :]
                replaced = [
                    Relation(h.lhs.subs(symbol, value), h.op, h.rhs.subs(symbol, value))
                    for h in rest
                ]
                left, right = conclusion.lhs.subs(symbol, value), conclusion.rhs.subs(symbol, value)
                return _solve_equations(
                    [*replaced, *keep_sign], Relation(left, conclusion.op, right)
                )
    return hypotheses, conclusion


# --- What is no polynomial ------------------------------------------------------------------------


def abstract(statement: Statement) -> Statement:
    """Replace each maximal subtree that is no polynomial by a letter of the same sign.

    The result implies the statement, and its hypotheses hold wherever the statement's do. A letter
    for ``base**(-n)`` brings the equation ``base**n * letter = 1`` along.

    Raises
    ------
    NotPolynomial
        If a subtree is not shown to be defined wherever the hypotheses hold.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> print(abstract(Statement(Relation(sp.exp(x), "<=", 2 * sp.exp(x)))))
    0 < atom0  ⟹  atom0 ≤ 2·atom0
    """
    builder = _Abstraction(statement)
    hypotheses = [builder.relation(h) for h in statement.hypotheses]
    conclusion = builder.relation(statement.conclusion)
    return Statement(conclusion, (*hypotheses, *builder.facts))


class _Abstraction:
    def __init__(self, statement: Statement) -> None:
        self.signs = Signs(statement.hypotheses)
        self.facts: list[Relation] = []
        self._letters: dict[sp.Expr, sp.Symbol] = {}
        self._prefix = "atom"
        while any(s.name.startswith(self._prefix) for s in statement.free_symbols):
            self._prefix += "_"

    def relation(self, relation: Relation) -> Relation:
        return Relation(self._walk(relation.lhs), relation.op, self._walk(relation.rhs))

    def _walk(self, node: sp.Expr) -> sp.Expr:
        if isinstance(node, sp.Symbol | sp.Rational | sp.NumberSymbol):
            return node
        if isinstance(node, sp.Add | sp.Mul):
            return node.func(*map(self._walk, node.args))
        if isinstance(node, sp.Pow):
            if node.exp == sp.Rational(1, 2) or (node.exp.is_Integer and node.exp.is_positive):
                return self._walk(node.base) ** node.exp
            if node.exp.is_Integer and node not in self._letters:
                letter = self._letter(node)
                self.facts.append(
                    Relation(self._walk(node.base) ** -node.exp * letter, "=", sp.S.One)
                )
        return self._letter(node)

    def _letter(self, node: sp.Expr) -> sp.Symbol:
        if node not in self._letters:
            if not self.signs.is_defined(node):
                raise NotPolynomial(f"{node} is not shown to be defined")
            name = f"{self._prefix}{len(self._letters)}"
            if self.signs.is_positive(node):
                letter = sp.Symbol(name, positive=True)
                self.facts.append(Relation(sp.S.Zero, "<", letter))
            elif self.signs.is_nonnegative(node):
                letter = sp.Symbol(name, nonnegative=True)
            else:
                letter = sp.Symbol(name, real=True)
            self._letters[node] = letter
        return self._letters[node]


# --- Signs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs that follow from the symbols' assumptions and from hypotheses, by exact arithmetic.

    A symbol with bounds is written in a new letter, as c = p/(1 + p) for 0 < c < 1; a rational
    function has a sign when each factor's coefficients do. A "no" means "not shown".

    Examples
    --------
    >>> c = sp.Symbol("c", real=True)
    >>> signs = Signs((Relation(sp.S.Zero, "<", c), Relation(c, "<", sp.S.One)))
    >>> signs.is_positive(c / (1 - c)), signs.is_positive(c - sp.Rational(1, 2))
    (True, False)
    """

    hypotheses: tuple[Relation, ...] = ()

    def is_positive(self, expression: sp.Expr) -> bool:
        """Whether the expression is shown to be > 0 wherever it is defined."""
        if expression.is_positive or self._sign(expression) == (1, True):
            return True
        for strict, fact in self._facts(expression):
            # e = f + (e - f), with f from a hypothesis
            rest = self._sign(expression - fact)
            if rest == (1, True) or (strict and rest is not None and rest[0] >= 0):
                return True
        return False

    def is_nonnegative(self, expression: sp.Expr) -> bool:
        """Whether the expression is shown to be >= 0 wherever it is defined."""
        if expression.is_nonnegative or self._has_sign(expression):
            return True
        return any(self._has_sign(expression - fact) for _, fact in self._facts(expression))

    def is_nonzero(self, expression: sp.Expr) -> bool:
        """Whether the expression is shown to be positive or to be negative."""
        return self.is_positive(expression) or self.is_positive(-expression)

    def is_defined(self, expression: sp.Expr) -> bool:
        """Whether the expression is shown to be a real number wherever the hypotheses hold."""
        if isinstance(expression, sp.Symbol):
            return bool(expression.is_real)
        if isinstance(expression, sp.Rational | sp.NumberSymbol):
            return True
        if not expression.args or not all(map(self.is_defined, expression.args)):
            return False
        if isinstance(expression, sp.Pow):
            return self._power_is_defined(expression.base, expression.exp)
        if isinstance(expression, sp.log | sp.gamma | sp.loggamma):
            return self.is_positive(expression.args[0])
        if isinstance(expression, sp.factorial | sp.binomial):
            return all(map(self.is_nonnegative, expression.args))
        if isinstance(expression, GeometricSum):
            return bool(expression.count.is_integer and expression.count.is_nonnegative)
        return isinstance(expression, _EVERYWHERE)

    def _power_is_defined(self, base: sp.Expr, exponent: sp.Expr) -> bool:
        if exponent.is_Integer:
            return bool(exponent.is_nonnegative) or self.is_nonzero(base)
        # At zero only a positive exponent will do: 0**0 is left out.
        return self.is_positive(base) or (self.is_nonnegative(base) and self.is_positive(exponent))

    def _facts(self, expression: sp.Expr) -> Iterator[tuple[bool, sp.Expr]]:
        """Yield what the hypotheses say is >= 0, and whether strictly.

        Only rational functions, and the expression itself: others could lead back to it for ever.
        """
        for h in self.hypotheses:
            if h.op not in ("<", "<="):
                continue
            slack = h.slack
            if slack == expression or slack.is_rational_function(*slack.free_symbols):
                yield h.op == "<", slack

    def _has_sign(self, expression: sp.Expr) -> bool:
        sign = self._sign(expression)
        return sign is not None and sign[0] >= 0

    def _sign(self, expression: sp.Expr) -> tuple[int, bool] | None:
        return _sign_of(expression, self)

    def in_letters(self, node: sp.Expr, letters: dict[sp.Expr, sp.Expr]) -> sp.Expr:
        """Write a tree as a rational function of letters that carry what is known of signs."""
        if isinstance(node, sp.Rational):
            return node
        if isinstance(node, sp.Add | sp.Mul):
            return node.func(*(self.in_letters(part, letters) for part in node.args))
        if isinstance(node, sp.Pow) and node.exp.is_Integer:
            return self.in_letters(node.base, letters) ** node.exp
        if node not in letters:
            if isinstance(node, sp.Symbol):
                letters[node] = _in_its_range(node, self.hypotheses)
            elif node.is_positive or self._node_sign(node) == (1, True):
                letters[node] = sp.Dummy(positive=True)
            elif node.is_nonnegative or self._node_sign(node) is not None:
                letters[node] = sp.Dummy(nonnegative=True)
            else:
                letters[node] = sp.Dummy(real=True)
        return letters[node]

    def _node_sign(self, node: sp.Expr) -> tuple[int, bool] | None:
        """Return the sign of a node that is no rational function of its arguments."""
        if isinstance(node, sp.Pow):
            if self.is_positive(node.base):
                return 1, True
            return (1, False) if self.is_nonnegative(node.base) else None
        if isinstance(node, sp.exp | sp.cosh):
            return 1, True
        if isinstance(node, sp.ceiling):
            if self.is_positive(node.args[0]):
                return 1, True
            return (1, False) if self.is_nonnegative(node.args[0]) else None
        if isinstance(node, sp.gamma):
            return (1, True) if self.is_positive(node.args[0]) else None
        if isinstance(node, sp.factorial):
            return (1, True) if self.is_nonnegative(node.args[0]) else None
        if isinstance(node, sp.binomial):
            n, k = node.args
            return (1, True) if all(map(self.is_nonnegative, (n, k, n - k))) else None
        return (1, False) if isinstance(node, sp.Abs) else None


@lru_cache(maxsize=4096)
def _sign_of(expression: sp.Expr, signs: Signs) -> tuple[int, bool] | None:
    """Return -1, 0 or 1 and whether zero is excluded; None if no sign was found."""
    if expression.has(sp.Float, sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        return None
    letters: dict[sp.Expr, sp.Expr] = {}
    rational = signs.in_letters(expression, letters)
    numerator, denominator = sp.fraction(sp.cancel(sp.together(rational)))
    above, below = _factors_sign(numerator), _factors_sign(denominator)
    if above is None or below is None or not below[1]:
        return None
    return above[0] * below[0], above[1]


#: Functions that are real wherever their arguments are.
_EVERYWHERE = (
    *(sp.Add, sp.Mul, sp.exp, sp.erf, sp.tanh, sp.cosh, sp.sinh, sp.cos, sp.sin),
    *(sp.Abs, sp.Max, sp.Min, sp.ceiling),
)


def _factors_sign(polynomial: sp.Expr) -> tuple[int, bool] | None:
    content, factors = sp.factor_list(polynomial)
    if not content.is_Rational:
        return None
    if content == 0:
        return 0, False
    sign, strict = (1 if content > 0 else -1), True
    for factor, power in factors:
        found = _coefficients_sign(factor)
        if found is None:
            if power % 2:
                return None
            found = (1, False)
        sign *= found[0] ** power
        strict = strict and found[1]
    return sign, strict


def _coefficients_sign(polynomial: sp.Expr) -> tuple[int, bool] | None:
    letters = sorted(polynomial.free_symbols, key=sp.srepr)
    strict, signs = False, set()
    for powers, coefficient in sp.Poly(polynomial, *letters).terms():
        if not coefficient.is_Rational:
            return None
        if any(p % 2 and not x.is_nonnegative for x, p in zip(letters, powers, strict=True)):
            return None
        signs.add(1 if coefficient > 0 else -1)
        strict |= all(p == 0 or x.is_positive for x, p in zip(letters, powers, strict=True))
    return (signs.pop(), strict) if len(signs) == 1 else None


@cache
def _in_its_range(symbol: sp.Symbol, hypotheses: tuple[Relation, ...]) -> sp.Expr:
    """Write a symbol in a letter that runs over all positive or nonnegative numbers, if it can."""
    lower, upper = _bounds(symbol, hypotheses)
    if lower is None and upper is None:
        return sp.Dummy(real=True)

    def letter(strict: bool) -> sp.Dummy:
        return sp.Dummy(positive=True) if strict else sp.Dummy(nonnegative=True)

    if upper is None and lower is not None:
        return lower[0] + letter(lower[1])
    if lower is None and upper is not None:
        return upper[0] - letter(upper[1])
    assert lower is not None
    assert upper is not None
    if lower[0] < upper[0] and upper[1]:
        p = letter(lower[1])
        return (lower[0] + upper[0] * p) / (1 + p)
    if lower[0] < upper[0] and lower[1]:
        p = letter(False)
        return (upper[0] + lower[0] * p) / (1 + p)
    return lower[0] + letter(lower[1])


_Bound = tuple[sp.Rational, bool]


def _bounds(
    symbol: sp.Symbol, hypotheses: Sequence[Relation]
) -> tuple[_Bound | None, _Bound | None]:
    """Return the best lower and upper bound of a symbol, each with whether it is strict."""
    lower: list[_Bound] = []
    upper: list[_Bound] = []
    if symbol.is_positive:
        lower.append((sp.S.One, False) if symbol.is_integer else (sp.S.Zero, True))
    elif symbol.is_nonnegative:
        lower.append((sp.S.Zero, False))
    for h in hypotheses:
        if h.op not in ("<", "<=") or h.free_symbols != {symbol}:
            continue
        slack = sp.expand(h.slack)
        if not slack.is_polynomial(symbol) or sp.degree(slack, symbol) != 1:
            continue
        slope, shift = slack.coeff(symbol, 1), slack.coeff(symbol, 0)
        if slope.is_Rational and shift.is_Rational:
            (lower if slope > 0 else upper).append((-shift / slope, h.op == "<"))
    return (
        max(lower, key=lambda bound: (bound[0], bound[1])) if lower else None,
        min(upper, key=lambda bound: (bound[0], not bound[1])) if upper else None,
    )
