"""Data of the user's own, read as an array of points: files of four kinds, and one known name."""

from __future__ import annotations

import csv
import importlib
import re
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from proofs_check.errors import UsageError, nearest

FloatArray = NDArray[np.float64]

#: Data sets that are known by name.
KNOWN_DATASETS = ("digits",)

_EXTENSIONS = (".npy", ".npz", ".csv", ".parquet")
_KINDS = "a .npy, .npz, .csv or .parquet file"
_NUMBER = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE
)


class DataError(UsageError):
    """A data set that cannot be used; one line saying what is wrong and how to mend it.

    Examples
    --------
    >>> issubclass(DataError, ValueError)
    True
    """


def load_dataset(name_or_path: str | Path) -> FloatArray:
    """Read a data set as points in rows.

    Parameters
    ----------
    name_or_path : str or Path
        ``digits`` (scikit-learn's bundled 1797 images of 8 x 8 pixels), or a path ending in
        ``.npy``; ``.npz`` (one array, or ``file.npz:key``); ``.csv`` (comma-separated numbers,
        with or without a header line); ``.parquet`` (every column numeric).

    Returns
    -------
    ndarray of float64, shape (n, d)
        At least two rows and one column, every entry finite, in the units of the file.

    Raises
    ------
    DataError
        One line naming the file, what is wrong and the fix.  Pickled content is refused
        unread: nothing in a file is ever executed, and nothing is ever written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "points.csv")
    ...     _ = path.write_text("height,width\\n1,2\\n3,4\\n")
    ...     load_dataset(path)
    array([[1., 2.],
           [3., 4.]])
    """
    text = str(name_or_path)
    if text in KNOWN_DATASETS:
        return _digits()
    file, colon, key = text.partition(".npz:")
    path = Path(file + ".npz") if colon else Path(text)
    kind = path.suffix.lower()
    if not path.exists():
        if not kind and len(path.parts) <= 1:
            ranked = sorted(
                KNOWN_DATASETS, key=lambda name: (name != nearest(text, KNOWN_DATASETS), name)
            )
            raise DataError(
                f"unknown data set {text!r}: did you mean {ranked[0]!r}? Known: "
                f"{', '.join(ranked)}; or give the path of {_KINDS}"
            )
        raise DataError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise DataError(f"{path}: not a file; give the path of {_KINDS}")
    if kind not in _EXTENSIONS:
        raise DataError(f"{path}: unknown extension {kind!r}; convert it to {_KINDS}")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty; give at least two rows of numbers")
        if kind == ".npy":
            with path.open("rb") as file_object:
                return checked_points(path.name, _npy(str(path), file_object))
        if kind == ".npz":
            return checked_points(path.name, _npz(path, key if colon else None))
        if kind == ".csv":
            return checked_points(path.name, _csv(path))
        return checked_points(path.name, _parquet(path))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); check the file"
        ) from None


def checked_points(name: str, array: NDArray[Any]) -> FloatArray:
    """Return ``array`` as finite float64 points (n, d) with n >= 2 and d >= 1.

    Parameters
    ----------
    name : str
        What to call the array in an error.
    array : ndarray, shape (n, d)
        Integers or real numbers.

    Returns
    -------
    ndarray of float64, shape (n, d)

    Raises
    ------
    DataError
        One line: entries that are not real numbers, another number of dimensions, too few rows
        or columns, an entry that is NaN or infinite (its row and column count from 0).

    Examples
    --------
    >>> checked_points("heights", np.array([[1], [2]])).dtype
    dtype('float64')
    """
    if array.dtype.kind not in "fiu":
        raise DataError(
            f"{name}: entries have type {array.dtype}; they must be real numbers: convert them "
            "to float64"
        )
    if array.ndim < 2:
        raise DataError(
            f"{name}: shape {array.shape} has no rows of points; reshape to (n, 1) if each entry "
            "is a point, with array.reshape(-1, 1)"
        )
    if array.ndim > 2:
        raise DataError(
            f"{name}: shape {array.shape} has {array.ndim} dimensions; flatten each point to a "
            "row, with array.reshape(len(array), -1)"
        )
    if array.shape[1] == 0:
        raise DataError(f"{name}: shape {array.shape} has no columns; give at least one")
    if array.shape[0] < 2:
        raise DataError(f"{name}: shape {array.shape} has fewer than two rows; give more points")
    with np.errstate(over="ignore"):
        points = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(points).all():
        row, column = (int(index) for index in np.argwhere(~np.isfinite(points))[0])
        number = int((~np.isfinite(points)).sum())
        raise DataError(
            f"{name}: row {row}, column {column} is {points[row, column]} ({number} such "
            "entries; rows and columns count from 0); remove or fill them"
        )
    return points


def _npy(name: str, file: IO[bytes]) -> NDArray[Any]:
    """Read one array in numpy's own format; pickles and objects are refused."""
    if file.read(6) != b"\x93NUMPY":
        raise DataError(
            f"{name}: not in numpy's .npy format (a pickle is never read); write it with "
            "numpy.save from an array of numbers"
        )
    file.seek(0)
    try:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, MemoryError, OverflowError, SyntaxError) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{name}: an array of Python objects, which only a pickle can hold and is never "
                "read; convert it to float64 and save again"
            ) from None
        raise DataError(f"{name}: damaged .npy content; write it again with numpy.save") from None
    return array


def _npz(path: Path, key: str | None) -> NDArray[Any]:
    """Read one array of an archive of arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                member.removesuffix(".npy"): member
                for member in archive.namelist()
                if member.endswith(".npy")
            }
            names = ", ".join(members) or "none"
            if key is None and len(members) != 1:
                raise DataError(
                    f"{path}: holds {len(members)} arrays ({names}); name one as "
                    f"{path.name}:key, or save a single array"
                )
            chosen = next(iter(members)) if key is None else key
            if chosen not in members:
                raise DataError(f"{path}: no array {chosen!r}; choose one of: {names}")
            with archive.open(members[chosen]) as file:
                return _npy(f"{path}:{chosen}", file)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError):
        raise DataError(f"{path}: not a readable .npz archive; write it with numpy.savez") from None


def _csv(path: Path) -> FloatArray:
    """Read comma-separated numbers; a first line without any number is a header."""
    rows: list[list[float]] = []
    header: list[str] | None = None
    width = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if not any(cell.strip() for cell in cells) and len(cells) <= 1:
                    continue
                line = reader.line_num
                if header is None and not rows:
                    width = len(cells)
                    if not any(_NUMBER.fullmatch(cell.strip()) for cell in cells):
                        header = cells
                        continue
                if len(cells) != width:
                    raise DataError(
                        f"{path}: line {line} has {len(cells)} cells where the first line has "
                        f"{width}; give every line the same number"
                    )
                rows.append([_cell(path, line, column, cell) for column, cell in enumerate(cells)])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: not comma-separated text in UTF-8 ({type(error).__name__}); save it again"
        ) from None
    if not rows:
        found = "only a header or text" if header else "no numbers"
        raise DataError(f"{path}: {found}; give at least two lines of comma-separated numbers")
    return np.array(rows, dtype=np.float64)


def _cell(path: Path, line: int, column: int, cell: str) -> float:
    """Return the number in one cell."""
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    where = f"{path}: line {line}, column {column} (from 0)"
    if not text:
        raise DataError(f"{where} is empty; fill it or remove the line")
    shown = text if len(text) <= 40 else text[:37] + "..."
    hint = "separate cells by commas" if ";" in text or "\t" in text else "remove or encode text"
    raise DataError(f"{where} is {shown!r}, not a number; {hint}")


def _parquet(path: Path) -> NDArray[Any]:
    """Read a table whose columns are all numeric."""
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError:
        raise DataError(
            f"{path}: reading .parquet needs pyarrow; install it with: pip install pyarrow"
        ) from None
    try:
        with path.open("rb") as file:
            table = parquet.read_table(file)
    except (arrow.ArrowException, OSError):
        raise DataError(f"{path}: not a readable .parquet file; write it again") from None
    if table.num_columns == 0:
        raise DataError(f"{path}: the table has no columns; give at least one numeric column")
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        numeric = (
            arrow.types.is_integer(column.type)
            or arrow.types.is_floating(column.type)
            or arrow.types.is_decimal(column.type)
        )
        if not numeric:
            raise DataError(
                f"{path}: column {name!r} has type {column.type}, not numeric; drop or encode it"
            )
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise DataError(
                f"{path}: column {name!r} has no value in row {row} ({column.null_count} such "
                "rows; rows count from 0); remove or fill them"
            )
        columns.append(np.asarray(column.to_numpy()).astype(np.float64))
    return np.column_stack(columns)


def _digits() -> FloatArray:
    """Return scikit-learn's bundled handwritten digits, shape (1797, 64), entries 0 to 16."""
    try:
        datasets: Any = importlib.import_module("sklearn.datasets")
    except ImportError:
        raise DataError(
            "digits: this data set comes with scikit-learn; install it with: "
            "pip install scikit-learn"
        ) from None
    return checked_points("digits", datasets.load_digits().data)
