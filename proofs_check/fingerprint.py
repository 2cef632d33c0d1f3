"""What a verdict was computed with: the toolkit's own source text and the versions of its tools."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path

_ROOMS = ("theory", "numerics", "proofs_check")
_TOOLS = ("sympy", "numpy", "scipy", "numba", "python-flint", "z3-solver")


def _version(distribution: str) -> str:
    from importlib import metadata  # 40 ms that an empty ledger does not need

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


@cache
def versions() -> dict[str, str]:
    """Return the versions that a verdict depends on, by name.

    Examples
    --------
    >>> sorted(versions())[:3]
    ['numba', 'numpy', 'python']
    """
    tools = {tool: _version(tool) for tool in _TOOLS}
    return {"scorecert": _version("scorecert"), "python": platform.python_version(), **tools}


@cache
def fingerprint() -> str:
    """Return a hash of the three packages' sources and of the versions they ran with.

    Verdicts with the same inputs and the same fingerprint are the same verdict.
    """
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(repr(sorted(versions().items())).encode())
    for room in _ROOMS:
        for source in sorted((root / room).rglob("*.py")):
            digest.update(f"\0{source.relative_to(root).as_posix()}\0".encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()
