"""What the cases of Eberle's function share: nothing but a drift is needed."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.cases.case import Case, Parameter


def reflection_drift(
    name: str,
    title: str,
    law: str,
    parameters: tuple[Parameter, ...],
    known: Mapping[str, sp.Expr],
) -> Case:
    """Return the case of a drift; ``known`` are closed forms in the parameters' symbols."""

    def closed_forms(values: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        chosen = {p.symbol: values[p.name] for p in parameters}
        return {quantity: form.subs(chosen) for quantity, form in known.items()}

    measured = ("eberle_rate", "best_rate", "f_now", "f_decay", "f_floor", "distance")
    return Case(
        name=name,
        title=title,
        law=law,
        algorithm="none: a statement about a drift",
        parameters=parameters,
        closed_forms=closed_forms,
        measured=tuple(quantity for quantity in measured if quantity not in known),
        properties=frozenset({"reflection-drift", "timeless"}),
    )
