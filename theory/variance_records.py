"""What the claims of generalisation through variance have in common: one paper, one style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theory.claim import Claim, Kind, Source, Statement, Strength
from theory.proof_steps import proof_step

#: An assumption of claims that are checked by sampling at named settings.
NAMED = "the data, features, ridge and training sizes that are named; checked by sampling only"
#: Why a mutant of a claim whose sides are far apart survives.
FAR = "the two sides differ by more"

_PROOF = Source("vastola2025", "this project's proof")


def variance_claim(identifier: str, title: str, locator: str, **more: Any) -> Claim:
    """Return a claim on Vastola's paper, an upper bound of our own unless ``more`` says otherwise.

    Examples
    --------
    >>> from theory.claims import get
    >>> get("vastola2025.proposition-5.2").kind.value
    'derived'
    """
    deviation = more.pop("deviation", "")
    record: dict[str, Any] = {"kind": Kind.DERIVED, "strength": Strength.UPPER, **more}
    return Claim(
        id=identifier, title=title, source=Source("vastola2025", locator, deviation), **record
    )


def variance_step(
    parent: str, name: str, title: str, build: Callable[[], Statement], **more: Any
) -> Claim:
    """Return a step of a proof of ours.

    Examples
    --------
    >>> from theory.claims import get
    >>> get("vastola2025.proposition-5.2.share").step_of
    'vastola2025.proposition-5.2'
    """
    return proof_step(parent, name, title, build, source=_PROOF, **more)
