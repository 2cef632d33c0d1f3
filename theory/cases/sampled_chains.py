"""How large chains may be that are sampled."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

_MOST_POINTS = 10_000
_MOST_WORK = 20_000


def too_much_work(values: Mapping[str, sp.Expr]) -> str:
    """Return the objection to chains that would take minutes to sample; empty if there is none.

    Examples
    --------
    >>> too_much_work({"N": sp.Integer(10), "K": sp.Integer(100), "B": sp.Integer(2)})
    ''
    """
    size, work = values["N"], values["K"] * values["B"]
    if size.is_Integer and size > _MOST_POINTS:
        return (
            f"N={size}: chains are sampled here, with at most {_MOST_POINTS} points; take N = 100"
        )
    if work.is_Integer and work > _MOST_WORK:
        return (
            f"K={values['K']}, B={values['B']}: chains are sampled here, with K · B at most "
            f"{_MOST_WORK}; take fewer steps or a smaller batch"
        )
    return ""
