"""Facts about the machine and the versions, without anything that names the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

#: Distribution names of ours and of the peers, with the module that tells whether it is there.
PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "numba": "numba",
    "python-flint": "flint",
    "sympy": "sympy",
    "jax": "jax",
    "torch": "torch",
    "pykeops": "pykeops",
    "scikit-learn": "sklearn",
    "mpmath": "mpmath",
}
_FLAGS = ("avx2", "fma", "avx512f", "avx512dq")


def is_missing(module: str) -> bool:
    """Tell whether a peer's module cannot be found, without importing it.

    Examples
    --------
    >>> is_missing("math"), is_missing("no_such_module")
    (False, True)
    """
    return find_spec(module) is None


def versions() -> dict[str, str | None]:
    """Return the installed versions; None for what is not installed."""
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def machine_facts() -> str:
    """Return one line: system, Python, cores, and the vector instructions among the CPU flags."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = [
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"{cores} cores",
    ]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ", ".join(facts)
    flags = next((line.split(":")[1].split() for line in lines if line.startswith("flags")), [])
    return ", ".join([*facts, *(flag for flag in _FLAGS if flag in flags)])
