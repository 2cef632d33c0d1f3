"""Letters for steps of proofs: real numbers that stand for something said in the claim's title."""

from __future__ import annotations

from typing import Any


def letters(names: str, **assumptions: bool) -> tuple[Any, ...]:
    """Return sympy symbols, one per word; sympy is imported only now.

    Examples
    --------
    >>> letters("a b", real=True)
    (a, b)
    """
    import sympy as sp

    return tuple(sp.Symbol(name, **assumptions) for name in names.split())
