"""Reading data: what is accepted, what is refused, and that refusal executes nothing."""

from __future__ import annotations

import hashlib
import pickle
import zipfile

import numpy as np
import pytest

from proofs_check import datasets
from proofs_check.datasets import DataError, checked_points, load_dataset
from proofs_check.errors import UsageError

GOOD = np.array([[1.0, 2.5], [3.0, -4.0], [0.0, 1e-3]])


def refused(source, *words):
    with pytest.raises(DataError) as caught:
        load_dataset(source)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message


class Bomb:
    """Unpickling this would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8, np.uint16, ">f8"])
def test_arrays_of_numbers(tmp_path, dtype):
    array = np.array([[1, 2], [3, 4], [5, 6]], dtype=dtype)
    for order in "CF":
        path = tmp_path / f"{order}.npy"
        np.save(path, np.asarray(array, order=order))
        found = load_dataset(path)
        assert found.dtype == np.float64
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, [[1, 2], [3, 4], [5, 6]])


def test_archives(tmp_path):
    np.savez(tmp_path / "one.npz", x=GOOD)
    np.savez_compressed(tmp_path / "two.npz", a=GOOD, b=2 * GOOD)
    np.testing.assert_array_equal(load_dataset(tmp_path / "one.npz"), GOOD)
    np.testing.assert_array_equal(load_dataset(f"{tmp_path}/two.npz:b"), 2 * GOOD)
    refused(tmp_path / "two.npz", "holds 2 arrays (a, b)", "two.npz:key")
    refused(f"{tmp_path}/two.npz:c", "no array 'c'", "a, b")
    np.savez(tmp_path / "none.npz")
    refused(tmp_path / "none.npz", "holds 0 arrays")


@pytest.mark.parametrize(
    "text",
    [
        "1,2.5\n3,-4\n0,1e-3\n",
        "height,width\n1,2.5\n3,-4\n0,1e-3",
        "\ufeffa,b\r\n1,2.5\r\n3,-4\r\n\r\n0,.001\r\n",
        '"a, b","c"\n" 1 ","+2.5"\n3.,-4E0\n0,1e-03\n\n',
    ],
)
def test_comma_separated_text(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode())
    np.testing.assert_array_equal(load_dataset(path), GOOD)


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "data.parquet"
    columns = {"a": GOOD[:, 0].astype(np.int32), "b": GOOD[:, 1]}
    pq.write_table(pa.table(columns), path)
    np.testing.assert_array_equal(load_dataset(path), GOOD)
    pq.write_table(pa.table({"a": [1.0, 2.0], "name": ["x", "y"]}), path)
    refused(path, "column 'name' has type string", "drop or encode")
    pq.write_table(pa.table({"a": [1, 2, None, None]}), path)
    refused(path, "column 'a' has no value in row 2", "2 such rows")
    pq.write_table(pa.table({"a": [1.0, np.nan]}), path)
    refused(path, "row 1, column 0 is nan")
    pq.write_table(pa.table({"a": [True, False]}), path)
    refused(path, "column 'a' has type bool")
    pq.write_table(pa.table({}), path)
    refused(path, "no columns")
    path.write_bytes(b"PAR1 not really")
    refused(path, "not a readable .parquet file")


def test_digits():
    pytest.importorskip("sklearn")
    found = load_dataset("digits")
    assert found.shape == (1797, 64)
    assert found.dtype == np.float64
    assert (found.min(), found.max()) == (0.0, 16.0)


def test_optional_packages_are_named_when_missing(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(datasets.importlib, "import_module", missing)
    refused("digits", "pip install scikit-learn")
    (tmp_path / "a.parquet").write_bytes(b"x")
    refused(tmp_path / "a.parquet", "pip install pyarrow")


def test_nothing_pickled_is_read(tmp_path):
    target = tmp_path / "touched"
    bomb = Bomb(target)
    np.save(tmp_path / "object.npy", np.array([[bomb, 1], [2, 3]], dtype=object), allow_pickle=True)
    refused(tmp_path / "object.npy", "array of Python objects", "float64")
    with zipfile.ZipFile(tmp_path / "object.npz", "w") as archive:
        archive.write(tmp_path / "object.npy", "x.npy")
    refused(tmp_path / "object.npz", "array of Python objects")
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(bomb))
    refused(tmp_path / "pickle.npy", "not in numpy's .npy format", "pickle is never read")
    with zipfile.ZipFile(tmp_path / "pickle.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(bomb))
    refused(tmp_path / "pickle.npz", "pickle is never read")
    assert not target.exists()
    # The bomb is live: unpickling it does touch the file.
    pickle.loads(pickle.dumps(bomb)).close()
    assert target.exists()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(5), ("shape (5,)", "reshape to (n, 1)")),
        (np.float64(3.0), ("shape ()", "reshape")),
        (np.zeros((4, 2, 2)), ("3 dimensions", "flatten")),
        (np.zeros((4, 0)), ("no columns",)),
        (np.zeros((1, 3)), ("fewer than two rows",)),
        (np.zeros((0, 3)), ("fewer than two rows",)),
        (np.array([[0.0, 1.0], [np.nan, 2.0]]), ("row 1, column 0 is nan", "1 such entries")),
        (np.array([[0.0, -np.inf], [np.nan, 2.0]]), ("row 0, column 1 is -inf", "2 such")),
        (np.array([["a", "b"], ["c", "d"]]), ("type <U1",)),
        (np.array([[1j, 2], [3, 4]]), ("type complex128",)),
        (np.array([[True, False], [False, True]]), ("type bool",)),
        (np.zeros((2, 2), dtype=[("x", "f8")]), ("real numbers",)),
        (np.zeros((2, 2), dtype="M8[s]"), ("type datetime64",)),
    ],
)
def test_unusable_arrays(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    refused(tmp_path / "a.npy", "a.npy", *words)
    with pytest.raises(DataError):
        checked_points("a", array)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3\n", ("line 2 has 1 cells", "2", "same number")),
        ("a,b\n1,2\n3,4,5\n", ("line 3 has 3 cells",)),
        ("1,x\n3,4\n", ("line 1, column 1", "'x', not a number")),
        ("a,b\n5,setosa\n", ("line 2, column 1", "'setosa'")),
        ("1;2\n3;4\n5;6\n", ("separate cells by commas",)),
        ("1,2\n,4\n", ("line 2, column 0", "is empty")),
        ("1,2\nnan,4\n", ("row 1, column 0 is nan",)),
        ("1,2\n3,inf\n", ("row 1, column 1 is inf",)),
        ("1,2\n3,1_000\n", ("'1_000', not a number",)),
        ("1,2\n3,1e999\n", ("row 1, column 1 is inf",)),
        ("a,b\n", ("only a header", "at least two lines")),
        ("\n\n", ("no numbers",)),
        ("1,2\n", ("fewer than two rows",)),
        ('1,"2\n3,4\n', ("not comma-separated text",)),
        ("1,2\n3,\u0663\n", ("not a number",)),
    ],
)
def test_unusable_text(tmp_path, text, words):
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    refused(path, "data.csv", *words)


def test_unusable_files(tmp_path):
    for extension in ("npy", "npz", "csv", "parquet"):
        path = tmp_path / f"empty.{extension}"
        path.touch()
        refused(path, "the file is empty")
        refused(tmp_path / f"missing.{extension}", "no such file")
    refused(tmp_path, "not a file")
    (tmp_path / "a.txt").write_text("1")
    refused(tmp_path / "a.txt", "unknown extension '.txt'", ".csv or .parquet")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00\x01,2\n")
    refused(tmp_path / "bad.csv", "UTF-8")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not really")
    refused(tmp_path / "bad.npz", "not a readable .npz archive")
    np.save(tmp_path / "cut.npy", GOOD)
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-8])
    refused(tmp_path / "cut.npy", "damaged .npy content")
    huge = whole.replace(b"(3, 2)", b"(3e9,)")
    (tmp_path / "huge.npy").write_bytes(huge)
    refused(tmp_path / "huge.npy", "damaged .npy content")


def test_unknown_names_list_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused("digit", "unknown data set 'digit'", "mean 'digits'?", "Known: digits")
    assert ".csv" in message
    refused("mnist", "Known: digits")
    refused("folder/digits", "no such file")
    refused("a\nb.csv", "no such file")
    monkeypatch.setattr(datasets, "KNOWN_DATASETS", ("circle", "digits", "moons"))
    refused("moon", "did you mean 'moons'? Known: moons, circle, digits")


def test_errors_are_value_errors_of_the_user_and_nothing_is_written(tmp_path):
    assert issubclass(DataError, UsageError)
    assert issubclass(DataError, ValueError)
    path = tmp_path / "a.npy"
    np.save(path, GOOD)
    before = hashlib.sha256(path.read_bytes()).digest()
    path.chmod(0o444)
    found = load_dataset(path)
    found[0, 0] = 99.0
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npy"]
