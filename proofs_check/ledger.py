"""The ledger: every finished verdict in one SQLite file, from the moment it is finished.

Connections are opened for one reading or one writing and closed again, so a killed run leaves
nothing open, and several runs may share the file. Reading creates no file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from proofs_check.errors import UsageError
from proofs_check.verdict import Verdict

_BUSY_SECONDS = 60.0
_LAYOUT = 1
_REMEDY = "it was left as it is; move it away, or set SCORECERT_LEDGER to another path"
_TABLE = """
CREATE TABLE IF NOT EXISTS verdict (
    claim TEXT NOT NULL,
    case_name TEXT NOT NULL,
    effort TEXT NOT NULL,
    seed TEXT NOT NULL,  -- text, because a seed may exceed 64 bits
    fingerprint TEXT NOT NULL,
    verdict TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished TEXT NOT NULL,
    PRIMARY KEY (claim, case_name, effort, seed, fingerprint)
)
"""


class LedgerError(UsageError):
    """The ledger file cannot be read or written; it is left as it is."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a verdict was asked for, and what it was computed with."""

    claim: str
    case: str
    effort: str
    seed: int
    fingerprint: str

    def _row(self) -> tuple[str, str, str, str, str]:
        return (self.claim, self.case, self.effort, str(self.seed), self.fingerprint)


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict of the ledger. ``finished`` is a time in UTC, ISO 8601."""

    inputs: Inputs
    verdict: Verdict
    finished: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger in the file ``path``, which need not exist yet."""

    path: Path

    def store(self, inputs: Inputs, verdict: Verdict) -> None:
        """Keep a finished verdict, in place of an earlier one with the same inputs.

        Raises
        ------
        LedgerError
            If the file is not a ledger, or cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        row = (*inputs._row(), json.dumps(verdict.to_dict()), verdict.seconds, now)
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO verdict VALUES (?,?,?,?,?,?,?,?)", row)

    def find(self, inputs: Inputs) -> Verdict | None:
        """Return the verdict with these inputs, or None.

        Raises
        ------
        LedgerError
            If the file is not a ledger, or cannot be read.
        """
        where = "claim=? AND case_name=? AND effort=? AND seed=? AND fingerprint=?"
        with self._errors_named():
            found = self._read("mode=rw", f"WHERE {where}", inputs._row())
        return found[0].verdict if found else None

    def latest(self) -> dict[tuple[str, str], Entry]:
        """Return the last finished verdict of every claim and case, whatever it was made with.

        Creates no file.

        Raises
        ------
        LedgerError
            If the file is not a ledger, or cannot be read.
        """
        with self._errors_named():
            entries = self._all_in_order()
        return {(entry.inputs.claim, entry.inputs.case): entry for entry in entries}

    def _all_in_order(self) -> list[Entry]:
        in_order = "ORDER BY finished, rowid"
        if not self.path.with_name(self.path.name + "-wal").exists():
            # Without a log every page is in the file itself, and "immutable" keeps SQLite from
            # creating one. A writer that comes at this moment can only make the reading fail.
            with suppress(sqlite3.Error):
                return self._read("immutable=1", in_order)
        return self._read("mode=ro", in_order)

    def _read(self, mode: str, clause: str, values: tuple[str, ...] = ()) -> list[Entry]:
        if not self.path.exists():
            return []
        address = f"{self.path.resolve().as_uri()}?{mode}"
        columns = "claim, case_name, effort, seed, fingerprint, verdict, finished"
        opened = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)
        with closing(opened) as connection:
            if not _has_layout(connection, self.path):
                return []
            rows = connection.execute(f"SELECT {columns} FROM verdict {clause}", values)
            return [
                Entry(
                    Inputs(claim, case, effort, int(seed), made_with),
                    Verdict.from_dict(json.loads(verdict)),
                    finished,
                )
                for claim, case, effort, seed, made_with, verdict, finished in rows
            ]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._errors_named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # No implicit transactions: the one that matters is begun by hand, as a writer.
            opened = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(opened) as connection:
                _has_layout(connection, self.path)  # before anything of another's file is changed
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("BEGIN IMMEDIATE")
                if not _has_layout(connection, self.path):
                    connection.execute(_TABLE)
                    connection.execute(f"PRAGMA user_version={_LAYOUT}")
                yield connection
                connection.execute("COMMIT")

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except LedgerError:
            raise
        except (sqlite3.Error, OSError, KeyError, TypeError, ValueError) as error:
            raise LedgerError(f"the ledger {self.path} is unusable ({error}): {_REMEDY}") from error


def _has_layout(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file holds verdicts; a file of somebody else's is refused."""
    # One statement, one snapshot: another writer may be creating the table at this moment.
    layout, tables = connection.execute(
        "SELECT (SELECT user_version FROM pragma_user_version), "
        "(SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if layout == _LAYOUT:
        return True
    if layout == 0 and tables == 0:
        return False
    raise LedgerError(
        f"{path} is a database, but not a ledger of this version of scorecert: {_REMEDY}"
    )


def default_ledger() -> Ledger:
    """Return the ledger that the command line uses.

    It is the file named by the environment variable ``SCORECERT_LEDGER``, otherwise
    ``.scorecert/ledger.sqlite`` in the current directory.
    """
    named = os.environ.get("SCORECERT_LEDGER")
    return Ledger(Path(named) if named else Path(".scorecert", "ledger.sqlite"))
