"""A short way to write a step of a proof chain: a classical fact, and where it is sharp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theory.claim import Claim, Kind, Source, Statement, Strength


def proof_step(
    parent: str,
    name: str,
    title: str,
    build: Callable[[], Statement],
    *,
    source: Source,
    strength: Strength,
    sharp_at: str,
    **more: Any,
) -> Claim:
    """Return the step ``parent.name``.

    Examples
    --------
    >>> from theory.claims import get
    >>> get("farghly2026.discretisation-bound.decay").step_of
    'farghly2026.discretisation-bound'
    """
    return Claim(
        id=f"{parent}.{name}",
        title=title,
        source=source,
        kind=Kind.CLASSICAL,
        strength=strength,
        build=build,
        step_of=parent,
        sharp_at=sharp_at,
        **more,
    )
