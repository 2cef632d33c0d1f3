"""What goes wrong because of what the user gave, said on one line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_SHORT_LIST = 8


class UsageError(ValueError):
    """Bad input; the message is one line that names the input and says how to mend it.

    Examples
    --------
    >>> print(UsageError("N=0: the sample size\\nis an integer ≥ 1"))
    N=0: the sample size is an integer ≥ 1
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like ``name``.

    A name that holds ``name`` as a part comes before one that only resembles it.

    Raises
    ------
    ValueError
        If no name is known.

    Examples
    --------
    >>> nearest("theorem-3a", ["farghly2026.theorem-3a-sharp", "farghly2026.theorem-3a", "b"])
    'farghly2026.theorem-3a'
    """
    wanted = name.casefold()

    def resemblance(candidate: str) -> tuple[bool, float]:
        known_name = candidate.casefold()
        ratio = SequenceMatcher(None, wanted, known_name, autojunk=False).ratio()
        return bool(wanted) and wanted in known_name, ratio

    return max(known, key=resemblance)


def unknown_name(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that is not known, naming the nearest, and all of a short list.

    Examples
    --------
    >>> print(unknown_name("case", "one-pont", ["one-point", "two-points"]))
    unknown case 'one-pont': did you mean 'one-point'? Known: one-point, two-points
    """
    names = tuple(known)
    message = f"unknown {what} {name!r}: did you mean {nearest(name, names)!r}?"
    if len(names) <= _SHORT_LIST:
        message += f" Known: {', '.join(names)}"
    return UsageError(message)


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    """Return ``name`` if it is known.

    Raises
    ------
    UsageError
        If it is not, with the nearest known name.

    Examples
    --------
    >>> one_of("effort", "quick", ["quick", "standard", "deep"])
    'quick'
    """
    names = tuple(known)
    if name not in names:
        raise unknown_name(what, name, names)
    return name
