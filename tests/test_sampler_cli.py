"""``scorecert table`` for samplers: the columns, the numbers, and one line for what is wrong."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs_check.cli import main

ROOT = Path(__file__).resolve().parent.parent
PROPOSITION = ("table", "farghly2026.proposition-7", "--case")
GAUSSIAN = (*PROPOSITION, "gaussian", "--score")
AS_PRINTED = ("--set", "s2=4", "--set", "kappa=1/10", "--set", "L=40", "--grid", "m=40")
QUANTITIES = ("KL", "D_kappa", "KL_prior", "score_error")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


def rows_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    assert main([*arguments, "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return list(csv.DictReader(io.StringIO(out)))


def test_the_true_score_from_end_to_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofs_check", *GAUSSIAN, "true", *AS_PRINTED, "--format", "csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    numbers = [name for n in (*QUANTITIES, "lhs", "rhs", "slack") for name in (n, f"{n}_error")]
    assert list(row) == ["d", "s2", "b", "kappa", "L", "m", "T", "eps", *numbers]
    assert (row["kappa"], row["L"], row["m"], row["T"]) == ("1/10", "40", "40", "5")
    assert float(row["eps"]) == pytest.approx(1.1**-40, rel=1e-5)
    assert float(row["KL"]) == pytest.approx(0.0002636707716, abs=5e-14)
    assert float(row["rhs"]) == pytest.approx(0.37326808, abs=5e-9)
    assert float(row["score_error"]) == 0
    assert row["lhs"] == row["KL"]
    assert float(row["slack"]) == pytest.approx(float(row["rhs"]) / float(row["KL"]), rel=1e-12)
    assert all(0 <= float(row[name]) < 1e-8 for name in numbers if name.endswith("_error_error"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("score", ["mean", "plug-in"])
def test_estimated_scores_cost_more_and_less_with_more_points(
    score: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (exact,) = rows_of(capsys, *GAUSSIAN, "true", *AS_PRINTED)
    few, many = rows_of(capsys, *GAUSSIAN, score, *AS_PRINTED, "--grid", "N=10,1000")
    assert (few["N"], many["N"]) == ("10", "1000")
    for name in ("KL", "score_error", "rhs"):
        assert float(exact[name]) < float(many[name]) < float(few[name])
    for row in (few, many):
        assert row["D_kappa"] == exact["D_kappa"]
        assert row["KL_prior"] == exact["KL_prior"]
        root = sum(float(row[name]) ** 0.5 for name in ("score_error", "D_kappa"))
        assert float(row["rhs"]) == pytest.approx(float(row["KL_prior"]) + root**2, rel=1e-12)
        assert float(row["lhs"]) < float(row["rhs"])


def test_the_two_scores_are_two_cases(capsys: pytest.CaptureFixture[str]) -> None:
    for score in ("true", "mean", "plug-in"):
        named = rows_of(capsys, *PROPOSITION, f"gaussian-sampler-{score}", *AS_PRINTED)
        assert rows_of(capsys, *GAUSSIAN, score, *AS_PRINTED) == named


def test_ends_stand_for_numbers_of_steps(capsys: pytest.CaptureFixture[str]) -> None:
    by_steps = rows_of(
        capsys, *GAUSSIAN, "true", "--set", "kappa=1/4", "--set", "L=16", "--set", "m=4"
    )
    by_ends = rows_of(
        capsys, *GAUSSIAN, "true", "--set", "kappa=1/4", "--set", "T=5", "--set", "eps=0.4096"
    )
    assert by_ends == by_steps
    grid = rows_of(capsys, *GAUSSIAN, "true", "--set", "kappa=0.5", "--grid", "T=2,3,4.5")
    assert [(row["L"], row["T"]) for row in grid] == [("2", "2"), ("4", "3"), ("7", "9/2")]


def test_where_the_step_is_best(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("table", "farghly2026.corollary-8", "--case", "gaussian", "--score", "plug-in")
    (row,) = rows_of(capsys, *arguments, "--set", "N=40")
    assert float(row["kappa_star_bound"]) < float(row["kappa_star_KL"])
    assert float(row["least_KL"]) < float(row["least_bound"])
    assert float(row["kappa_star_KL_error"]) > 0


TRUE = (*GAUSSIAN, "true")
BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "no score": ((*PROPOSITION, "gaussian"), "say which score, --score true, mean or plug-in"),
    "a score elsewhere": ((*PROPOSITION, "circle", "--score", "mean"), "circle has its own score"),
    "two scores": (
        (*PROPOSITION, "gaussian-sampler-true", "--score", "true"),
        "gaussian-sampler-true has its own score",
    ),
    "unknown score": ((*GAUSSIAN, "men"), "unknown score 'men': did you mean 'mean'?"),
    "unknown case and score": ((*PROPOSITION, "circel", "--score", "mean"), "mean 'circle'?"),
    "no sampler": ((*PROPOSITION, "circle"), "needs sampler, and circle has it not"),
    "T off the grid": ((*TRUE, "--set", "T=4.95"), "the nearest is T = 5.0, L = 20"),
    "T of another step": (
        (*TRUE, "--set", "kappa=1/10", "--set", "T=4.96"),
        "with kappa = 0.1 T is 1 + κL for an integer L ≥ 1; the nearest is T = 5.0, L = 40",
    ),
    "T too small": ((*TRUE, "--set", "T=1"), "T > 1 is needed"),
    "T is no number": ((*TRUE, "--set", "T=x"), "T=x: T is a real number"),
    "eps too large": ((*TRUE, "--set", "eps=2"), "0 < ε < 1 is needed"),
    "eps zero": ((*TRUE, "--set", "eps=0"), "0 < ε < 1 is needed"),
    "eps off the grid": ((*TRUE, "--set", "eps=0.01"), "the nearest is ε = 0.0104825960"),
    "T and L": ((*TRUE, "--set", "T=5", "--set", "L=20"), "T=5 and L=20: give one of them"),
    "eps and m": (
        (*TRUE, "--set", "eps=0.01", "--grid", "m=20,30"),
        "eps=0.01 and m=20: give one of them",
    ),
    "a time": ((*TRUE, "--set", "t=1"), "unknown parameter of gaussian-sampler-true 't'"),
    "a schedule": ((*TRUE, "--set", "schedule=ve"), "gaussian-sampler-true 'schedule'"),
    "points of the true score": ((*TRUE, "--set", "N=4"), "gaussian-sampler-true 'N'"),
    "kappa zero": ((*TRUE, "--set", "kappa=0", "--set", "T=5"), "kappa=0: kappa (step size of"),
    "no step": ((*TRUE, "--set", "L=0"), "L=0: L (number of uniform steps"),
    "another process": (
        (
            "table",
            "farghly2026.prior-divergence",
            "--case",
            "reverse-mixture",
            "--set",
            "schedule=ve",
        ),
        "schedule=ve: reverse-mixture is about the Ornstein–Uhlenbeck process",
    ),
    "too many steps": ((*TRUE, "--set", "m=1000000"), "at most 2000 steps L + m"),
    "a variance out of range": ((*TRUE, "--set", "s2=1e300"), "s2 lies in [1e-12, 1e12]"),
    "a step that overflows": (
        (*GAUSSIAN, "plug-in", "--set", "kappa=100"),
        "the output overflows; take more and shorter steps",
    ),
    "too many training sets": (
        (*PROPOSITION, "two-points-sampler", "--set", "N=200"),
        "take N at most 64",
    ),
    "half a step": ((*TRUE, "--set", "m=1.5"), "m=1.5: m (number of geometric steps"),
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
