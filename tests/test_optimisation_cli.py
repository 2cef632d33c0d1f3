"""``scorecert table`` for chains of SGD: the columns of Proposition 14, and one line for errors."""

from __future__ import annotations

import csv
import io
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs_check.cli import main

ROOT = Path(__file__).resolve().parent.parent
ELEVEN = ("table", "farghly2026.proposition-11", "--case")
FOURTEEN = ("table", "farghly2026.proposition-14")
WORST, MEAN = (*ELEVEN, "worst-pair-synchronous"), (*ELEVEN, "mean-sgd")
WELLS = (*FOURTEEN, "--case", "two-wells-sgd")
COMPARED = ("rate_ceiling", "eberle_times_eta", "proposition_11", "saturated", "crossing")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


def rows_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    assert main([*arguments, "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return list(csv.DictReader(io.StringIO(out)))


def test_proposition_14_from_end_to_end(tmp_path: Path) -> None:
    grid = ("--grid", "noise=2,3", "--format", "csv")
    done = subprocess.run(
        [sys.executable, "-m", "proofs_check", *FOURTEEN, *grid],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    numbers = list(rows[0])[8:]
    assert list(rows[0])[:8] == ["N", "B", "K", "eta", "lambda", "L", "C", "noise"]
    assert numbers[-2 * len(COMPARED) :] == [n for c in COMPARED for n in (c, f"{c}_error")]
    assert [row["noise"] for row in rows] == ["2", "3"]
    for row in rows:
        value = {name: float(row[name]) for name in numbers}
        # N = 4, η = 1/10, λ = C = 1, Λ² = 1: R = 1, and the effect of a swap is 2ηC/N = 1/20
        expected = 4 / value["f_diameter"] / 20 / value["contraction_rate"]
        assert value["rhs"] == pytest.approx(expected, rel=1e-12)
        assert value["lhs"] == value["reflection_stability"] < value["rhs"]
        assert value["eberle_times_eta"] < value["contraction_rate"] < value["rate_ceiling"]
        assert value["rate_ceiling"] < 1.01 * value["contraction_rate"]
        # 2RΛ² 2ηC/N Σ_{j<100} 1.1^j, and the same with the clip kept
        growth = sum(1.1**j for j in range(100))
        assert value["proposition_11"] == pytest.approx(growth / 10, rel=1e-12)
        x = 0.0
        for _ in range(100):
            x = 0.9 * x + 0.75 * 0.1 * min(2 * x, 2) + 0.05
        assert value["saturated"] == pytest.approx(2 * x, rel=1e-12)
        level = 2 / value["f_diameter"] / value["contraction_rate"]
        first = math.ceil(math.log1p(level / 10) / math.log(1.1))
        assert (value["crossing"], value["crossing_error"]) == (first, 0)
    assert float(rows[0]["crossing"]) > float(rows[1]["crossing"])
    assert list(tmp_path.iterdir()) == []


def test_no_crossing_is_an_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    # L < λ: the sum stays below 1/(η(λ − L)) = 8
    few = ("--set", "L=1/2", "--set", "eta=1/4", "--grid", "noise=1/2,2")
    quiet, loud = rows_of(capsys, *FOURTEEN, *few)
    levels = [2 / float(r["f_diameter"]) / float(r["contraction_rate"]) for r in (quiet, loud)]
    assert levels[1] < 8 < levels[0]
    assert (quiet["crossing"], quiet["crossing_error"]) == ("", "")
    assert float(loud["crossing"]) == 8


def test_the_cases_of_proposition_11(capsys: pytest.CaptureFixture[str]) -> None:
    (worst,) = rows_of(capsys, *WORST, "--set", "N=1", "--set", "K=1", "--set", "eta=1")
    assert (worst["lhs"], worst["rhs"], worst["slack"]) == ("4.0", "4.0", "1.0")
    assert "t" not in worst
    few, many = rows_of(capsys, *MEAN, "--grid", "N=4,400")
    assert float(many["lhs"]) < float(few["lhs"]) < float(few["rhs"])
    assert float(few["rhs"]) == pytest.approx(100 * float(many["rhs"]), rel=1e-12)


BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "overshoot": ((*WORST, "--set", "eta=2"), "eta=2, lambda=1: eta · lambda is at most 1"),
    "overshoot of the default": ((*FOURTEEN, "--set", "lambda=20"), "take eta = 1/20"),
    "no clip": ((*WORST, "--set", "C=0"), "C=0: C (norm at which gradients are clipped)"),
    "clip below zero": ((*WORST, "--set", "C=-1"), "C=-1: C (norm"),
    "batch too large": ((*WORST, "--set", "N=2", "--set", "B=3"), "take B = 2"),
    "half a batch": ((*WORST, "--set", "B=3/2"), "B=3/2: B (batch size) is an integer"),
    "no decay": ((*WORST, "--set", "lambda=0"), "lambda=0: lambda (weight decay)"),
    "Lipschitz below zero": ((*WORST, "--set", "L=-1"), "L=-1: L (mean Lipschitz constant"),
    "no noise": ((*FOURTEEN, "--set", "noise=0"), "noise=0: noise (standard deviation s"),
    "too many steps": ((*FOURTEEN, "--set", "K=2000000"), "take K = 1000000"),
    "no steps": ((*WORST, "--set", "K=0"), "K=0: K (number of steps)"),
    "a time": ((*WORST, "--set", "t=1/2"), "unknown parameter of worst-pair-synchronous 't'"),
    "a schedule": ((*FOURTEEN, "--set", "schedule=ve"), "reflection-recursion 'schedule'"),
    "a time of a drift": (
        ("table", "eberle2016.lower", "--case", "eberle-ou", "--set", "t=1"),
        "unknown parameter of eberle-ou 't'",
    ),
    "a time of the mean": ((*MEAN, "--grid", "t=1,2"), "unknown parameter of mean-sgd 't'"),
    "uniform times": (
        (*WELLS, "--set", "eps=1/10", "--set", "T=1"),
        "eps, T: chains of SGD draw from finitely many times here",
    ),
    "a given Lipschitz constant": ((*WELLS, "--set", "L=1"), "parameter of two-wells-sgd 'L'"),
    "mean clipped": ((*MEAN, "--set", "C=1/2"), "has none of them clipped; take C = 1"),
    "mean overshoots": ((*MEAN, "--set", "eta=7/10"), "take eta = 2/3"),
    "unknown": ((*WORST, "--set", "nois=1"), "unknown parameter of worst-pair-synchronous 'nois'"),
    "another case": ((*ELEVEN, "reflection-recursion"), "reflection-recursion has it not"),
    "a case of rates": ((*FOURTEEN, "--case", "eberle-ou"), "eberle-ou has it not"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_usage_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("scorecert: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("setting", ["noise=1e-300", "noise=1e300", "C=1e200"])
def test_extreme_settings_are_one_line(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FOURTEEN, "--set", setting]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert setting[0] in err
    # no word of what went wrong inside
    assert "argmin" not in err
    assert "inf:" not in err
