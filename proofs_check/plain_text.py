"""Columns of text that read the same on a terminal and in a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width_of(text: str) -> int:
    """Return how many columns a line takes; accents that sit on a letter take none."""
    return sum(not unicodedata.combining(character) for character in text)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells with their columns aligned, two blanks apart.

    Examples
    --------
    >>> print(aligned([["claim", "ℓ̂"], ["a", "proved"]]))
    claim  ℓ̂
    a      proved
    """
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (c + " " * (w - width_of(c)) for c, w in zip(cells, widths, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join(map(line, rows))
