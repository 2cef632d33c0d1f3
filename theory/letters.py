"""Letters for steps of proofs: real numbers that stand for something said in the claim's title."""

from __future__ import annotations

from typing import Any

from theory.claim import Relation


def letters(names: str, **assumptions: bool) -> tuple[Any, ...]:
    """Return sympy symbols, one per word; sympy is imported only now.

    Examples
    --------
    >>> letters("a b", real=True)
    (a, b)
    """
    import sympy as sp

    return tuple(sp.Symbol(name, **assumptions) for name in names.split())


def nonnegative(*expressions: Any) -> tuple[Relation, ...]:
    """Return the hypotheses that these are nonnegative.

    Examples
    --------
    >>> print(nonnegative(*letters("a", real=True))[0])
    0 ≤ a
    """
    import sympy as sp

    return tuple(Relation(sp.S.Zero, "<=", expression) for expression in expressions)
