"""Numbers as a user types them, kept exact."""

from __future__ import annotations

import re
from fractions import Fraction

from proofs_check.errors import UsageError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_RATIO = re.compile(r"[+-]?[0-9]+/[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE](?P<exponent>[+-]?[0-9]+))?")
# Beyond this nothing is a float64 any more, and 1e999999999 would take all memory.
_LARGEST_EXPONENT = 400
_LONGEST = 1000


def exact_number(
    name: str,
    text: str,
    domain: str = "a real number",
    examples: str = "2, 3/10, 0.3 or 1e-2",
) -> Fraction:
    """Return the number that ``text`` spells: an integer, a ratio or a decimal.

    Parameters
    ----------
    name, domain, examples
        What is being set, which values it takes, and a few of them; for the error.

    Raises
    ------
    UsageError
        If the text is no finite number.

    Examples
    --------
    >>> exact_number("t", "0.3") == exact_number("t", "3/10") == exact_number("t", "30e-2")
    True
    """
    spelled = text.strip()
    if len(spelled) <= _LONGEST:
        decimal = _DECIMAL.fullmatch(spelled)
        if decimal and abs(int(decimal["exponent"] or 0)) <= _LARGEST_EXPONENT:
            return Fraction(spelled)
        if _RATIO.fullmatch(spelled) and int(spelled.partition("/")[2]):
            return Fraction(spelled)
    shown = spelled if len(spelled) <= 40 else f"{spelled[:37]}..."
    raise UsageError(
        f"{name}={shown}: {name} is {domain}; write a finite number such as {examples}"
    )


def is_spelled_as_integer(text: str) -> bool:
    """Return whether ``text`` has neither a point, nor an exponent, nor a stroke.

    Examples
    --------
    >>> is_spelled_as_integer("10"), is_spelled_as_integer("10.0")
    (True, False)
    """
    return _INTEGER.fullmatch(text.strip()) is not None
