"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import proofs_check
from proofs_check.cli import _run_typer, listing, main
from proofs_check.cli.verifying import exit_status
from proofs_check.ledger import Inputs, Ledger
from proofs_check.report import BEGIN, END
from proofs_check.verdict import Slack, Status, Verdict
from theory.claim import Claim
from theory.claims import CLAIMS, main_claims

ROOT = Path(__file__).resolve().parent.parent
CLAIM = "farghly2026.theorem-3a"
CLAIM_3B = "farghly2026.theorem-3b-sum"
YOUNG = "farghly2026.theorem-3b-sum.young"


def scorecert(
    *arguments: str, cwd: Path, python: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, *python, "-m", "proofs_check", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Status]:
    """Stand-in checks: the statuses put in here are what `verify` finds."""
    found: dict[tuple[str, str], Status] = {}

    def tasks(claim_ids: Sequence[str] | None, case: str | None) -> tuple[tuple[str, str], ...]:
        return tuple(
            (claim, name)
            for claim, name in found
            if claim in (claim_ids or CLAIMS) and case in (None, name)
        )

    def check(claim: str, case: str, *, effort: str, seed: int) -> Verdict:
        return Verdict(
            claim,
            case,
            found[claim, case],
            f"{effort} {seed}",
            slack=Slack(1.5, "N=1"),
            evidence=("a line of evidence",),
            witness="a=b=1" if found[claim, case] is Status.REFUTED else "",
        )

    checking = ModuleType("proofs_check.checking")
    vars(checking).update(tasks=tasks, check=check)
    monkeypatch.setitem(sys.modules, checking.__name__, checking)
    monkeypatch.setattr(proofs_check, "checking", checking, raising=False)
    return found


# --- usage errors ---------------------------------------------------------------------------------

TABLE = ("table", CLAIM, "--case", "gaussian-mean")
BAD_USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "no command": ((), "name a command; scorecert --help lists them"),
    "unknown command": (("lst",), "Did you mean 'list'?"),
    "unknown option": (("list", "--jsn"), "--json"),
    "missing argument": (("show",), "Missing argument 'ID'"),
    "option without value": (("verify", "--case"), "'--case' requires an argument"),
    "no integer": (("verify", "--seed", "x"), "Invalid value for '--seed'"),
    "too many arguments": (("show", CLAIM, CLAIM), "unexpected extra argument"),
    "unknown claim": (("show", "farghly2026.theorem-3"), f"did you mean '{CLAIM}'?"),
    "verify, unknown claim": (("verify", "theorem-3a"), f"did you mean '{CLAIM}'?"),
    "verify, unknown case": (("verify", "--case", "one-pint"), "did you mean 'one-point'?"),
    "verify, unknown effort": (("verify", "--effort", "hard"), "Known: quick, standard, deep"),
    "verify, unknown bar": (("verify", "--at-least", "refuted"), "Known: proved, certified, supp"),
    "verify, negative seed": (("verify", "--seed", "-1"), "a seed is an integer ≥ 0"),
    "verify, no job": (("verify", "--jobs", "0"), "jobs=0"),
    "verify, no folder": (("verify", "--report", "no/r.json"), "there is no folder no"),
    "verify, nothing there": (("verify", "--case", "two-points"), "but on one-point"),
    "table, unknown claim": (("table", "x", "--case", "one-point"), "unknown claim 'x'"),
    "table, unknown case": (("table", CLAIM, "--case", "x"), "unknown case 'x'"),
    "table, unknown format": ((*TABLE, "--format", "jsn"), "did you mean 'json'?"),
    "table, unknown effort": ((*TABLE, "--effort", "x"), "unknown effort 'x'"),
    "table, negative seed": ((*TABLE, "--seed", "-2"), "seed=-2"),
    "table, unknown parameter": ((*TABLE, "--set", "sigma=1"), "parameter of gaussian-mean 'sig"),
    "table, out of domain": ((*TABLE, "--grid", "N=1,0"), "N=0: N (number of training points)"),
    "table, a float": ((*TABLE, "--grid", "N=1.5"), "is an integer ≥ 1"),
    "table, no number": ((*TABLE, "--set", "s=nan"), "s is a real number > 0"),
    "table, algebra": (("table", YOUNG, "--case", "one-point"), "speaks of plain real numbers"),
    "mutants, unknown claim": (("mutants", "x"), "unknown claim 'x'"),
    "stability, no file": (("stability", "no/file.npy"), "no such file"),
    "stability, unknown name": (("stability", "digit"), "did you mean 'digits'?"),
    "stability, unknown schedule": (("stability", "digits", "--schedule", "oo"), "mean 'ou'?"),
    "stability, eps": (("stability", "digits", "--eps", "1"), "eps=1: eps is a time > 0 and below"),
    "stability, no time": (("stability", "digits", "--eps", "x"), "eps=x: eps is a time > 0"),
    "stability, seed": (("stability", "digits", "--seed", "-1"), "seed=-1"),
    "stability, horizon": (
        ("stability", "digits", "--schedule", "fraction", "--T", "2"),
        "T=2: T is at most 1 for fraction",
    ),
    "stability, beyond float64": (("stability", "digits", "--T", "1e399"), "T=1e399: T is beyond"),
    "readme, no file": (("readme",), "cannot read README.md"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    statuses: dict[tuple[str, str], Status],
    capsys: pytest.CaptureFixture[str],
) -> None:
    statuses[CLAIM, "one-point"] = Status.PROVED
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("scorecert: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize("name", ["no command", "unknown option", "table, out of domain"])
def test_bad_usage_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    arguments, message = BAD_USAGE[name]
    done = scorecert(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_broken_ledger_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".scorecert" / "ledger.sqlite"
    path.parent.mkdir()
    path.write_text("no database" * 1000, encoding="utf-8")
    for arguments in (["list"], ["show", CLAIM]):
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert "the ledger .scorecert/ledger.sqlite is unusable" in err


# --- list and show --------------------------------------------------------------------------------


def test_list_names_every_claim_and_creates_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [claim.id for claim in main_claims()]
    assert all("not checked" in line for line in lines[1:])
    assert main(["list", "--steps"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    assert listed == set(CLAIMS)
    assert main(["list", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["id"] for record in records] == list(CLAIMS)
    assert all(record["last_verdicts"] == {} for record in records)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--steps"], ["--json"], ["--json", "--steps"]])
def test_the_quick_way_to_list_is_the_usual_one(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", *options]) == 0
    quick = capsys.readouterr().out
    assert _run_typer(["list", *options]) == 0
    assert capsys.readouterr().out == quick


def test_list_imports_nothing_slow(tmp_path: Path) -> None:
    done = scorecert("list", cwd=tmp_path, python=["-X", "importtime"])
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "theory.claims" in imported
    slow = {"sympy", "numpy", "scipy", "numba", "flint", "z3", "rich", "typer", "pydantic"}
    assert imported & slow == set()


def test_list_shows_the_last_verdicts(
    statuses: dict[tuple[str, str], Status], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses[CLAIM, "one-point"] = statuses[CLAIM, "chain"] = Status.PROVED
    statuses[CLAIM, "two-points"] = Status.CERTIFIED
    assert main(["verify"]) == 0
    capsys.readouterr()
    main(["list"])
    (line,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith(f"{CLAIM} "))
    assert line.endswith("2 proved, 1 certified")
    main(["list", "--json"])
    (record,) = (r for r in json.loads(capsys.readouterr().out) if r["id"] == CLAIM)
    assert record["last_verdicts"]["two-points"]["status"] == "certified"
    assert record["last_verdicts"]["two-points"]["current"] is True


def test_older_code_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(Path(".scorecert", "ledger.sqlite"))
    verdict = Verdict(CLAIM, "one-point", Status.PROVED, "s")
    ledger.store(Inputs(CLAIM, "one-point", "quick", 0, "older"), verdict)
    ledger.store(Inputs("gone", "one-point", "quick", 0, "older"), verdict)
    main(["list"])
    assert "1 proved (by older code)" in capsys.readouterr().out


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_show_says_everything_about_each_claim(
    claim: Claim, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", claim.id]) == 0
    out = capsys.readouterr().out
    parts = [
        claim.title,
        str(claim.statement.conclusion),
        claim.statement.latex(),
        claim.source.locator,
        claim.source.deviation,
        claim.sharp_at,
        claim.strength.value,
        *claim.uses,
        *claim.steps,
        *claim.taken,
        *claim.assumptions,
        *(str(h) for h in claim.statement.hypotheses),
    ]
    for part in parts:
        assert part in out


def test_show_has_the_last_verdicts_and_the_cases(
    statuses: dict[tuple[str, str], Status], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses[YOUNG, "algebra"] = Status.PROVED
    statuses[CLAIM_3B, "chain"] = Status.CERTIFIED
    statuses[CLAIM_3B, "two-points"] = Status.SUPPORTED
    main(["verify", "--seed", "5"])
    capsys.readouterr()
    main(["show", CLAIM_3B])
    lines = capsys.readouterr().out.splitlines()
    assert f"  2. {YOUNG}: 1 proved" in lines
    assert "  the steps imply the claim: certified, standard 5" in lines
    (case,) = (line for line in lines if line.startswith("  two-points"))
    assert case.endswith("supported, standard 5")
    main(["show", "farghly2026.theorem-3a-sharp"])
    assert "gaussian-mean" not in capsys.readouterr().out, "it speaks of the empirical score only"


# --- verify ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "bar", "expected"),
    [
        ([Status.PROVED, Status.SUPPORTED], "supported", 0),
        ([Status.PROVED, Status.SUPPORTED], "certified", 3),
        ([Status.PROVED, Status.CERTIFIED], "certified", 0),
        ([Status.PROVED, Status.CERTIFIED], "proved", 3),
        ([Status.PROVED, Status.INCONCLUSIVE], "supported", 3),
        ([Status.PROVED, Status.VACUOUS], "supported", 3),
        ([Status.PROVED, Status.REFUTED], "supported", 1),
        ([Status.INCONCLUSIVE, Status.REFUTED], "proved", 1),
    ],
)
def test_exit_status(
    statuses: dict[tuple[str, str], Status],
    found: list[Status],
    bar: str,
    expected: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    statuses[CLAIM, "one-point"], statuses[CLAIM, "two-points"] = found
    assert main(["verify", "--at-least", bar]) == expected
    out, err = capsys.readouterr()
    assert err == "", "no progress bar off a terminal"
    for status in found:
        assert f"  {status.value}  " in out
    assert ("a line of evidence" in out) == (expected != 0), "what falls short is explained"
    assert ("witness: a=b=1" in out) == (Status.REFUTED in found)


def test_no_verdict_is_no_pass() -> None:
    assert exit_status([]) == 3


def test_only_what_was_asked_for_is_checked(
    statuses: dict[tuple[str, str], Status], capsys: pytest.CaptureFixture[str]
) -> None:
    for claim in (CLAIM, CLAIM_3B):
        for case in ("one-point", "two-points"):
            statuses[claim, case] = Status.PROVED
    arguments = ["verify", CLAIM, "--case", "two-points", "--json", "--seed", "2"]
    assert main([*arguments, "--effort", "deep", "--report", "r.json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(v["claim"], v["case"]) for v in printed["verdicts"]] == [(CLAIM, "two-points")]
    assert printed["verdicts"][0]["summary"] == "deep 2"
    assert printed == json.loads(Path("r.json").read_text(encoding="utf-8"))


def test_a_refuted_step_is_felt_above(
    statuses: dict[tuple[str, str], Status], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses[YOUNG, "algebra"] = Status.REFUTED
    statuses[CLAIM_3B, "chain"] = Status.PROVED
    assert main(["verify"]) == 1
    assert f"tainted by {YOUNG}" in capsys.readouterr().out
    assert main(["verify", CLAIM_3B]) == 3, "the ledger remembers the refutation"


def test_output_in_a_pipe_is_whole_and_plain(tmp_path: Path) -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "20"}
    done = scorecert("show", CLAIM, cwd=tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "√(E ℓ_dsm(ŝ))" in done.stdout
    assert "\x1b" not in done.stdout
    done = scorecert("list", cwd=tmp_path, **environment)
    assert all(claim.id in done.stdout for claim in main_claims())


def test_a_reader_that_leaves_is_not_an_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "proofs_check", "list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_defect_is_no_refutation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(listing, "last_verdicts", broken)
    assert main(["list"]) == 70
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err


def test_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("list", "show", "verify", "table", "stability", "mutants"):
        assert f"  {command} " in out
    assert main(["verify", "--help"]) == 0
    out = capsys.readouterr().out
    for option in ("--case", "--at-least", "--json", "--effort", "--seed", "--jobs", "--fresh"):
        assert option in out


# --- table ----------------------------------------------------------------------------------------


def test_table_from_end_to_end(tmp_path: Path) -> None:
    arguments = ["table", CLAIM, "--case", "one-point", "--grid", "V=1,3/2", "--set", "t=0.3"]
    done = scorecert(*arguments, "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    assert [row["V"] for row in rows] == [1, "3/2"]
    assert [row["t"] for row in rows] == ["3/10", "3/10"]
    ratio = rows[1]["E_l_dsm"]["value"] / rows[0]["E_l_dsm"]["value"]
    assert ratio == pytest.approx(1.5, rel=1e-14)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["text", "csv", "latex", "md"])
def test_every_format_has_every_row(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--grid", "V=1,3/2", "--grid", "d=1,2"]
    assert main(["table", CLAIM, "--case", "one-point", *grid, "--format", form]) == 0
    out = capsys.readouterr().out
    assert sum("3/10" in line for line in out.splitlines()) == 4
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert [(row["V"], row["d"]) for row in rows] == [
            ("1", "1"),
            ("1", "2"),
            ("3/2", "1"),
            ("3/2", "2"),
        ]


# --- stability, mutants, readme -------------------------------------------------------------------


def test_stability_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{i * 7 % 11},{i * 5 % 13}" for i in range(40))
    Path("points.csv").write_text(f"x,y\n{rows}\n", encoding="utf-8")
    arguments = ["stability", "points.csv", "--times", "0.5,1", "--blocks", "4", "--seed", "3"]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (found["data"], found["schedule"], found["seed"]) == ("points.csv", "ou", 3)
    assert (found["rows"], found["dimension"], found["blocks"]) == (40, 2, 4)
    eps = found["eps_stab"]
    assert 0 <= eps["lower"] <= eps["value"] <= eps["upper"]
    assert [row["time"] for row in found["times"]] == [0.5, 1.0]
    first = found["times"][0]
    assert first["mu"] ** 2 + first["sigma"] ** 2 == pytest.approx(1, abs=1e-15)
    assert main(arguments) == 0
    out = capsys.readouterr().out
    for part in ("ε_stab ", "C_sm", "sqrt(E l_dsm) - sqrt(E l_dsm_hat) <= eps_stab", "Student"):
        assert part in out
    assert [p.name for p in tmp_path.iterdir()] == ["points.csv"]


def test_data_beyond_the_kernels_range(capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{i}e300" for i in range(40))
    Path("huge.csv").write_text(rows, encoding="utf-8")
    assert main(["stability", "huge.csv", "--times", "0.5"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("scorecert: ")
    assert err.count("\n") == 1


@dataclass(frozen=True)
class Outcome:
    """A stand-in for a mutant's outcome."""

    claim: str
    name: str
    statement: str
    killed: bool
    witness: str
    reason: str


KILLED = Outcome(CLAIM, "constant 1/2", "a <= b/2", True, "N=1, t=1", "")
DECLARED = Outcome(CLAIM, "dropped hypothesis", "a <= b", False, "", "never needed")
ESCAPED = Outcome(CLAIM, "flipped exponent", "a <= b**2", False, "", "")


@pytest.fixture
def mutants(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(*outcomes: Outcome) -> None:
        def mutant_report(
            claim_ids: Sequence[str] | None, *, effort: str, seed: int
        ) -> Iterator[Outcome]:
            return iter(outcomes)

        module = ModuleType("proofs_check.mutants")
        vars(module).update(mutant_report=mutant_report)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(proofs_check, "mutants", module, raising=False)

    return install


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [((KILLED, DECLARED), 0), ((KILLED, DECLARED, ESCAPED), 1), ((ESCAPED,), 1), ((DECLARED,), 0)],
)
def test_mutants_and_their_fates(
    mutants: Callable[..., None],
    outcomes: tuple[Outcome, ...],
    expected: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mutants(*outcomes)
    assert main(["mutants", CLAIM]) == expected
    out = capsys.readouterr().out
    for outcome in outcomes:
        assert outcome.name in out
        assert outcome.statement in out
        assert outcome.witness in out
        assert outcome.reason in out
    assert (f"escaped: {CLAIM} {ESCAPED.name}" in out) == (ESCAPED in outcomes)


def test_no_mutants_is_no_pass(
    mutants: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    mutants()
    assert main(["mutants", CLAIM]) == 2
    assert "no mutants" in capsys.readouterr().err


def test_the_readme_is_written_from_the_ledger(
    statuses: dict[tuple[str, str], Status], capsys: pytest.CaptureFixture[str]
) -> None:
    readme = Path("README.md")
    readme.write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")
    statuses[CLAIM, "one-point"] = Status.PROVED
    assert main(["readme"]) == 2
    assert "lacks 1 of 1 verdicts" in capsys.readouterr().err
    assert main(["verify"]) == 0
    assert main(["readme"]) == 0
    text = readme.read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if f"`{CLAIM}`" in line)
    assert line.endswith("| – | proved: `one-point` |")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    capsys.readouterr()
    assert main(["readme"]) == 0
    assert "unchanged" in capsys.readouterr().out


# --- the real checks ------------------------------------------------------------------------------


def test_verify_from_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", YOUNG, "--effort", "quick", "--at-least", "proved", "--json"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    (found,) = json.loads(out)["verdicts"]
    assert (found["claim"], found["case"], found["status"]) == (YOUNG, "algebra", "proved")
    assert main(arguments) == 0
    assert capsys.readouterr().out == out, "found in the ledger, the cost included"
