"""What may be believed: verdicts, certificates, tables and the command line.

Examples
--------
>>> import proofs_check
>>> [verdict] = proofs_check.verify(["farghly2026.theorem-3a"], case="one-point")
>>> verdict.status.value
'proved'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs_check.checking import check
    from proofs_check.measurement import measure
    from proofs_check.run import verify
    from proofs_check.verdict import Status, Verdict

_HOME = {
    "check": "proofs_check.checking",
    "measure": "proofs_check.measurement",
    "verify": "proofs_check.run",
    "Status": "proofs_check.verdict",
    "Verdict": "proofs_check.verdict",
}

__all__ = ["Status", "Verdict", "check", "measure", "verify"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'proofs_check' has no attribute {name!r}")
