"""What figures share: style, colours, and saving in one piece, the same bytes every time."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofs_check.errors import UsageError, one_of
from proofs_check.figures import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")

#: Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"

_DOTS_PER_INCH = 200
_STYLE: Mapping[str, object] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.4,
    "legend.fontsize": 6,
    "legend.frameon": False,
    "svg.hashsalt": "scorecert",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}
# Without these the files hold the time at which they were written, or by which version.
_METADATA: Mapping[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def require_matplotlib() -> None:
    """Import matplotlib.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(
            'figures need matplotlib, which is not installed: pip install "scorecert[figures]"'
        ) from error


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within this, whatever the user's own settings."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]
        yield


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a figure goes: one file per format, and the data beside them."""

    stem: Path
    formats: tuple[str, ...]

    def path(self, suffix: str) -> Path:
        """Return the file with this suffix."""
        return self.stem.with_name(f"{self.stem.name}.{suffix}")


def targets(out: Path, formats: Sequence[str]) -> Targets:
    """Return where to write: the suffix of ``out`` is a format too; without any, PNG.

    Raises
    ------
    UsageError
        For an unknown format, or a folder that is missing or cannot be written.

    Examples
    --------
    >>> found = targets(Path("slack.svg"), ["pdf"])
    >>> found.stem.name, found.formats
    ('slack', ('svg', 'pdf'))
    """
    named = [one_of("format", form, FORMATS) for form in formats]
    stem = out
    if out.suffix:
        suffix = out.suffix[1:]
        if suffix not in FORMATS:
            known = ", ".join(FORMATS)
            raise UsageError(f"--out {out}: no format {suffix!r}; known: {known}; or no suffix")
        named, stem = [suffix, *named], out.with_suffix("")
    folder = stem.resolve().parent
    if not folder.is_dir():
        raise UsageError(f"cannot write {out}: there is no folder {stem.parent}; create it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write {out}: the folder {stem.parent} cannot be written")
    found = Targets(stem, tuple(dict.fromkeys(named or ["png"])))
    for suffix in (*found.formats, "npz", "csv"):
        if found.path(suffix).is_dir():
            raise UsageError(f"cannot write {found.path(suffix)}: it is a folder; choose another")
    return found


def save(figure: Figure, record: Record, where: Targets) -> tuple[Path, ...]:
    """Write the figure in every format, and its data; all the files or none.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    contents = {suffix: _drawn(figure, suffix) for suffix in where.formats}
    contents |= {"npz": _npz(record), "csv": _csv(record)}
    parts: dict[Path, Path] = {}
    try:
        for suffix, content in contents.items():
            path = where.path(suffix).resolve()
            parts[path] = path.with_name(f".{path.name}.{os.getpid()}")
            parts[path].write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {where.stem}: {error.strerror or error}") from error
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return tuple(where.path(suffix) for suffix in contents)


def _drawn(figure: Figure, suffix: str) -> bytes:
    file = io.BytesIO()
    with style():
        figure.savefig(file, format=suffix, dpi=_DOTS_PER_INCH, metadata=_METADATA[suffix])
    return file.getvalue()


def _npz(record: Record) -> bytes:
    file = io.BytesIO()
    np.savez(file, **record.arrays())  # type: ignore[arg-type]
    return file.getvalue()


def _csv(record: Record) -> bytes:
    file = io.StringIO()
    head, rows = record.table()
    csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return file.getvalue().encode()
