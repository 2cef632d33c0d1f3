"""What a claim is: a statement, where it comes from, and what its proof rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Literal

from theory.sources import PAPERS

if TYPE_CHECKING:  # sympy costs half a second to import; listing claims does not need it
    import sympy as sp

Operator = Literal["<=", "<", "=", "≲"]

_LATEX_OPERATOR = {"<=": r"\le", "<": "<", "=": "=", "≲": r"\lesssim"}
_UNICODE_OPERATOR = {"<=": "≤", "<": "<", "=": "=", "≲": "≲"}


class Kind(StrEnum):
    """Who states the claim."""

    LITERATURE = "literature"
    CLASSICAL = "classical"
    DERIVED = "derived"


class Strength(StrEnum):
    """How much room the statement leaves."""

    IDENTITY = "identity"
    TIGHT = "tight"
    UPPER = "upper"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim is stated, and how our wording departs from the paper's."""

    key: str
    locator: str
    deviation: str = ""

    def __str__(self) -> str:
        return f"{PAPERS[self.key].key}, {self.locator}"


@dataclass(frozen=True, slots=True)
class Relation:
    """Two inert expressions and the operator between them.

    sympy's own relationals evaluate, and compare equal or not by spelling; this one only stores.
    """

    lhs: sp.Expr
    op: Operator
    rhs: sp.Expr

    @property
    def slack(self) -> sp.Expr:
        """``rhs - lhs``: nonnegative where ``lhs <= rhs`` holds, zero where ``lhs = rhs`` does."""
        return self.rhs - self.lhs

    @property
    def free_symbols(self) -> frozenset[sp.Symbol]:
        """Every symbol of both sides."""
        return frozenset(self.lhs.free_symbols | self.rhs.free_symbols)

    def latex(self) -> str:
        from theory.display import latex_expression

        operator = _LATEX_OPERATOR[self.op]
        return f"{latex_expression(self.lhs)} {operator} {latex_expression(self.rhs)}"

    def __str__(self) -> str:
        from theory.display import unicode_expression

        operator = _UNICODE_OPERATOR[self.op]
        return f"{unicode_expression(self.lhs)} {operator} {unicode_expression(self.rhs)}"


@dataclass(frozen=True, slots=True)
class Statement:
    """Hypotheses and a conclusion.

    Attributes
    ----------
    rate_variable
        The variable of a rate statement: ``N``, or ``1/sigma_eps`` at the early stopping time.
    where
        Abbreviations that ``written``, the conclusion as readers see it, uses.
    """

    conclusion: Relation
    hypotheses: tuple[Relation, ...] = ()
    rate_variable: str = ""
    where: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    written: Relation | None = None

    @classmethod
    def abbreviated(
        cls, written: Relation, where: tuple[tuple[sp.Symbol, sp.Expr], ...]
    ) -> Statement:
        """Return a statement without hypotheses whose conclusion is long when spelt out."""
        full = Relation(written.lhs.subs(where), written.op, written.rhs.subs(where))
        return cls(full, where=where, written=written)

    @property
    def free_symbols(self) -> frozenset[sp.Symbol]:
        """Every symbol of the conclusion and of the hypotheses."""
        symbols = self.conclusion.free_symbols
        return symbols.union(*(h.free_symbols for h in self.hypotheses))

    def latex(self) -> str:
        from theory.display import latex_expression

        given = r",\ ".join(h.latex() for h in self.hypotheses)
        shown = (self.written or self.conclusion).latex()
        meaning = "".join(
            rf",\quad {s} = {latex_expression(expression)}" for s, expression in self.where
        )
        return (given + r"\ \Longrightarrow\ " if given else "") + shown + meaning

    def __str__(self) -> str:
        from theory.display import unicode_expression

        given = ", ".join(map(str, self.hypotheses))
        shown = str(self.written or self.conclusion)
        meaning = "".join(f", {s} = {unicode_expression(e)}" for s, e in self.where)
        return (given + "  ⟹  " if given else "") + shown + (meaning and f"  where{meaning[1:]}")


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the theory.

    Attributes
    ----------
    id
        ``source.locator``, as in ``farghly2026.theorem-3a``.
    build
        Gives the `Statement`; called once, on first use, so that listing claims stays quick.
    assumptions
        What the statement assumes beyond its formal hypotheses, in words.
    uses
        Ids of the claims that its proof rests on.
    steps
        Ids of the steps of its proof chain, in order.
    derivation
        The last link of the chain: the conclusions of ``steps`` and ``uses`` as hypotheses, the
        claim as the conclusion. Its proof is pure algebra.
    taken
        Steps of the chain that are taken from probability theory and not checked by algebra.
    sharp_at
        Where equality holds, if known.
    needs
        Properties that a case must have for the claim to speak of it.
    step_of
        For a step: the id of the claim whose chain it belongs to.
    parameters
        Names of the statement's own parameters, as in `theory.claim_parameters.PARAMETERS`.
    unkilled
        Mutants (by name) that no case can refute, each with the reason.
    """

    id: str
    title: str
    source: Source
    kind: Kind
    strength: Strength
    build: Callable[[], Statement] = field(repr=False)
    assumptions: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    derivation: Callable[[], Statement] | None = field(default=None, repr=False)
    taken: tuple[str, ...] = ()
    sharp_at: str = ""
    needs: frozenset[str] = frozenset()
    step_of: str = ""
    parameters: tuple[str, ...] = ()
    unkilled: tuple[tuple[str, str], ...] = ()

    @property
    def statement(self) -> Statement:
        """The hypotheses and the conclusion."""
        return _built(self.build)

    @property
    def quantity_names(self) -> tuple[str, ...]:
        """Names of the quantities that the statement speaks of, in the vocabulary's order."""
        from theory.quantities import QUANTITIES

        present = {symbol.name for symbol in self.statement.free_symbols}
        return tuple(name for name in QUANTITIES if name in present)

    @property
    def is_algebraic(self) -> bool:
        """Whether the statement speaks of plain real numbers, not of a law or an algorithm."""
        return not self.quantity_names

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.statement.latex()}$"


@cache
def _built(build: Callable[[], Statement]) -> Statement:
    return build()
