"""Finished points of a figure, kept beside the ledger from the moment they are finished.

The ledger holds verdicts only. Here one file per fingerprint of the sources has a line of JSON for
each point; a line that a killed run left half written is no point, and is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofs_check.errors import UsageError
from proofs_check.fingerprint import fingerprint
from proofs_check.ledger import default_ledger


@dataclass(frozen=True, slots=True)
class PointCache:
    """Points by key, in the file ``path``, which need not exist yet; None keeps nothing."""

    path: Path | None
    known: dict[str, Any] = field(default_factory=dict)

    def store(self, key: str, value: Any) -> None:
        """Keep a finished point.

        Raises
        ------
        UsageError
            If the file cannot be written.
        """
        self.known[key] = value
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                # The line break comes first: a half written line before it spoils only itself.
                file.write("\n" + json.dumps([key, value]))
        except OSError as error:
            raise UsageError(
                f"cannot keep finished points in {self.path} ({error.strerror or error}): "
                "set SCORECERT_LEDGER to a path in a folder that can be written"
            ) from error


def open_cache(figure: str) -> PointCache:
    """Return what the present code has finished of a figure; creates no file.

    Raises
    ------
    UsageError
        If the file exists and cannot be read.
    """
    path = default_ledger().path.parent / "figures" / f"{figure}-{fingerprint()[:16]}.jsonl"
    known: dict[str, Any] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        lines = []
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror or error}): move it away, or set "
            "SCORECERT_LEDGER to another path"
        ) from error
    for line in lines:
        try:
            key, value = json.loads(line)
        except ValueError:
            continue
        known[str(key)] = value
    return PointCache(path, known)
