"""A finished verdict survives everything, and is reused only where it is the same question."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import proofs_check
from proofs_check import run
from proofs_check.errors import UsageError
from proofs_check.fingerprint import fingerprint
from proofs_check.latest import last_verdicts
from proofs_check.ledger import Inputs, Ledger, LedgerError, default_ledger
from proofs_check.run import verify
from proofs_check.tainting import tainted
from proofs_check.verdict import Slack, Status, Verdict
from theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parent.parent
CLAIM = "farghly2026.theorem-3a"
INPUTS = Inputs(CLAIM, "two-points", "quick", 10**30, "abc")
VERDICT = Verdict(
    CLAIM,
    "two-points",
    Status.CERTIFIED,
    "ε ≤ 1",
    slack=Slack(math.inf, "N=1"),
    evidence=("one", "two"),
    rests_on=("three",),
    false_alarm=1e-9,
    witness="w",
    seconds=0.1,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "new" / "ledger.sqlite")


def test_a_verdict_comes_back_as_it_was(ledger: Ledger) -> None:
    ledger.store(INPUTS, VERDICT)
    assert ledger.find(INPUTS) == VERDICT
    (entry,) = ledger.latest().values()
    assert (entry.inputs, entry.verdict) == (INPUTS, VERDICT)


@pytest.mark.parametrize(
    "other",
    [
        replace(INPUTS, claim="other"),
        replace(INPUTS, case="other"),
        replace(INPUTS, effort="other"),
        replace(INPUTS, seed=3),
        replace(INPUTS, fingerprint="other"),
    ],
)
def test_any_other_input_is_another_question(ledger: Ledger, other: Inputs) -> None:
    ledger.store(INPUTS, VERDICT)
    assert ledger.find(other) is None


def test_the_latest_verdict_is_the_last_one_finished(ledger: Ledger) -> None:
    weaker = replace(VERDICT, status=Status.SUPPORTED)
    ledger.store(INPUTS, VERDICT)
    ledger.store(replace(INPUTS, effort="deep"), weaker)
    assert [entry.verdict for entry in ledger.latest().values()] == [weaker]
    ledger.store(INPUTS, VERDICT)
    assert [entry.verdict for entry in ledger.latest().values()] == [VERDICT]


def test_reading_creates_nothing(ledger: Ledger) -> None:
    assert ledger.latest() == {}
    assert ledger.find(INPUTS) is None
    assert not ledger.path.parent.exists()
    ledger.store(INPUTS, VERDICT)
    before = sorted(ledger.path.parent.iterdir())
    assert before == [ledger.path], "closed properly, the log is merged into the file"
    assert len(ledger.latest()) == 1
    assert sorted(ledger.path.parent.iterdir()) == before


def test_the_file_is_in_wal_mode(ledger: Ledger) -> None:
    ledger.store(INPUTS, VERDICT)
    connection = sqlite3.connect(ledger.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_verdict_still_in_the_log_is_read(ledger: Ledger) -> None:
    ledger.store(INPUTS, VERDICT)
    reader = sqlite3.connect(ledger.path)
    reader.execute("SELECT * FROM verdict").fetchall()  # keeps the log from being merged
    ledger.store(replace(INPUTS, seed=1), replace(VERDICT, summary="in the log"))
    assert ledger.path.with_name("ledger.sqlite-wal").stat().st_size > 0
    assert [entry.verdict.summary for entry in ledger.latest().values()] == ["in the log"]
    reader.close()


def _foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()


def _newer_ledger(path: Path) -> None:
    Ledger(path).store(INPUTS, VERDICT)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.commit()
    connection.close()


def _garbled_verdict(path: Path) -> None:
    Ledger(path).store(INPUTS, VERDICT)
    connection = sqlite3.connect(path)
    connection.execute("""UPDATE verdict SET verdict = '{"status": "certain"}'""")
    connection.commit()
    connection.close()


BROKEN: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("certainly not a database\n" * 99, encoding="utf-8"),
    "folder": lambda path: path.mkdir(),
    "another program's database": _foreign_database,
    "a newer ledger": _newer_ledger,
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "ledger.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    ledger = Ledger(path)
    actions: list[Callable[[], object]] = [
        ledger.latest,
        lambda: ledger.find(INPUTS),
        lambda: ledger.store(INPUTS, VERDICT),
    ]
    for action in actions:
        with pytest.raises(LedgerError, match="it was left as it is") as caught:
            action()
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_garbled_verdict_is_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    _garbled_verdict(path)
    with pytest.raises(LedgerError, match="unusable"):
        Ledger(path).latest()


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LedgerError, match="unusable"):
        Ledger(tmp_path / "file" / "ledger.sqlite").store(INPUTS, VERDICT)


def test_where_the_ledger_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)
    assert default_ledger().path == Path(".scorecert", "ledger.sqlite")
    monkeypatch.setenv("SCORECERT_LEDGER", "/elsewhere/l.db")
    assert default_ledger().path == Path("/elsewhere/l.db")


WRITER = """
import sys
from pathlib import Path
from proofs_check.ledger import Inputs, Ledger
from proofs_check.verdict import Status, Verdict

path, name = sys.argv[1:]
for seed in range(25):
    verdict = Verdict(name, "case", Status.PROVED, str(seed))
    Ledger(Path(path)).store(Inputs(name, "case", "quick", seed, "f"), verdict)
"""


def test_many_may_write_at_once(ledger: Ledger) -> None:
    names = [f"claim-{n}" for n in range(4)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(ledger.path), name], cwd=ROOT)
        for name in names
    ]
    while any(writer.poll() is None for writer in writers):
        ledger.latest()
    assert [writer.returncode for writer in writers] == [0] * 4
    for name in names:
        for seed in range(25):
            found = ledger.find(Inputs(name, "case", "quick", seed, "f"))
            assert found is not None
            assert found.summary == str(seed)


# --- verify ---------------------------------------------------------------------------------------

# The stand-in notes each check that starts, and sleeps in those that are asked to.
STAND_IN = """
import os, sys, time, types
from pathlib import Path
import proofs_check
from proofs_check.verdict import Status, Verdict

folder, slow, jobs = Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
CLAIMS = ["farghly2026.lemma-1", "vincent2011.decomposition", "farghly2026.theorem-3a"]

def tasks(claim_ids, case):
    return tuple((c, name) for c in claim_ids or CLAIMS for name in ("one-point", "two-points"))

def check(claim, case, *, effort, seed):
    (folder / f"{claim}@{case}@{os.getpid()}").touch()
    if f"{claim}@{case}" in slow:
        time.sleep(600)
    return Verdict(claim, case, Status.PROVED, f"{effort} {seed}")

checking = types.ModuleType("proofs_check.checking")
checking.tasks, checking.check = tasks, check
sys.modules["proofs_check.checking"] = proofs_check.checking = checking

if __name__ == "__main__":
    from proofs_check.cli import main
    sys.exit(main(["verify", "--effort", "quick", "--seed", "3", "--jobs", str(jobs)]))
"""
PAIRS = [
    (claim, case)
    for claim in ("farghly2026.lemma-1", "vincent2011.decomposition", CLAIM)
    for case in ("one-point", "two-points")
]


class Runs:
    """Runs of `verify` in real processes, with a stand-in for the checks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "script.py"
        self.script.write_text(STAND_IN, encoding="utf-8")
        self.ledger = Ledger(folder / "ledger.sqlite")

    def start(self, name: str, slow: str = "", jobs: int = 1) -> subprocess.Popen[str]:
        (self.folder / name).mkdir()
        command = [sys.executable, str(self.script), str(self.folder / name), slow, str(jobs)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCORECERT_LEDGER": str(self.ledger.path),
        }
        return subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def started(self, name: str) -> list[list[str]]:
        """Return claim, case and process of each check that was started."""
        return [mark.name.split("@") for mark in (self.folder / name).iterdir()]

    def wait_until_kept(self, count: int) -> None:
        wait_until(lambda: len(self.ledger.latest()) == count)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited a minute in vain")


def is_running(process: str) -> bool:
    state = Path("/proc", process, "stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_loses_no_finished_verdict(runs: Runs, jobs: int) -> None:
    killed = runs.start("killed", slow="farghly2026.theorem-3a@two-points", jobs=jobs)
    runs.wait_until_kept(5)
    wait_until(lambda: len(runs.started("killed")) == 6)
    killed.kill()
    killed.communicate()
    wait_until(lambda: not any(is_running(process) for *_, process in runs.started("killed")))

    resumed = runs.start("resumed")
    out, err = resumed.communicate()
    assert (resumed.returncode, err) == (0, "")
    assert [mark[:2] for mark in runs.started("resumed")] == [[CLAIM, "two-points"]]
    assert [tuple(line.split()[:2]) for line in out.splitlines()[1:7]] == PAIRS


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_says_one_line_and_ends_the_workers(runs: Runs, jobs: int) -> None:
    run = runs.start("run", slow="farghly2026.theorem-3a@two-points", jobs=jobs)
    runs.wait_until_kept(5)
    wait_until(lambda: len(runs.started("run")) == 6)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: everyone gets it
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.startswith("scorecert: interrupted")
    assert err.count("\n") == 1
    assert not any(is_running(process) for *_, process in runs.started("run"))
    assert len(runs.ledger.latest()) == 5


def test_a_worker_that_dies_is_not_a_pass(runs: Runs) -> None:
    run = runs.start("run", slow="farghly2026.theorem-3a@two-points", jobs=2)
    runs.wait_until_kept(5)
    wait_until(lambda: len(runs.started("run")) == 6)
    (victim,) = (p for claim, case, p in runs.started("run") if (claim, case) == PAIRS[-1])
    os.kill(int(victim), signal.SIGKILL)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "a worker process died" in err
    assert err.count("\n") == 1


def test_verdicts_and_order_do_not_depend_on_jobs(runs: Runs) -> None:
    outputs = []
    for jobs in (1, 2):
        run = runs.start(f"run-{jobs}", jobs=jobs)
        outputs.append(run.communicate()[0])
        assert run.returncode == 0
        runs.ledger.path.unlink()
    assert outputs[0] == outputs[1]
    assert [tuple(line.split()[:2]) for line in outputs[0].splitlines()[1:7]] == PAIRS


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A stand-in for the checks, in this process; returns what was checked."""
    done: list[tuple[str, str]] = []

    def tasks(claim_ids: list[str] | None, case: str | None) -> tuple[tuple[str, str], ...]:
        return tuple(pair for pair in PAIRS if case in (None, pair[1]))

    def check(claim: str, case: str, *, effort: str, seed: int) -> Verdict:
        done.append((claim, case))
        if case == "two-points" and effort == "deep":
            raise ZeroDivisionError("a defect")
        return Verdict(claim, case, Status.PROVED, f"{effort} {seed}")

    checking = ModuleType("proofs_check.checking")
    vars(checking).update(tasks=tasks, check=check)
    monkeypatch.setitem(sys.modules, checking.__name__, checking)
    monkeypatch.setattr(proofs_check, "checking", checking, raising=False)
    return done


def test_without_a_ledger_nothing_is_kept(
    checks: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    verify()
    verify()
    assert checks == PAIRS * 2
    assert list(tmp_path.iterdir()) == []


def test_fresh_computes_again_and_other_code_is_not_trusted(
    checks: list[tuple[str, str]], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = verify(ledger=ledger)
    assert [(v.claim, v.case) for v in first] == PAIRS
    assert verify(ledger=ledger) == first
    assert checks == PAIRS
    verify(ledger=ledger, fresh=True)
    assert checks == PAIRS * 2
    verify(ledger=ledger, seed=1)
    assert checks == PAIRS * 3
    monkeypatch.setattr(run, "fingerprint", lambda: "other code")
    verify(ledger=ledger)
    assert checks == PAIRS * 4


def test_every_verdict_is_announced_after_it_is_kept(
    checks: list[tuple[str, str]], ledger: Ledger
) -> None:
    seen = []

    def announce(verdict: Verdict) -> None:
        seen.append((verdict.claim, verdict.case))
        assert len(ledger.latest()) == len(seen)

    verify(ledger=ledger, on_verdict=announce)
    assert seen == PAIRS


def test_a_broken_ledger_shows_before_the_work(
    checks: list[tuple[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("no database" * 999, encoding="utf-8")
    with pytest.raises(LedgerError):
        verify(ledger=Ledger(path), fresh=True)
    assert checks == []


def test_a_check_that_fails_decides_nothing_and_is_tried_again(
    checks: list[tuple[str, str]], ledger: Ledger
) -> None:
    verdicts = verify(ledger=ledger, case="two-points", effort="deep")
    assert {v.status for v in verdicts} == {Status.INCONCLUSIVE}
    assert "ZeroDivisionError: a defect" in verdicts[0].summary
    assert "in check, test_ledger.py line" in verdicts[0].evidence[0]
    assert ledger.latest() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"claim_ids": ["farghly2026.theorem-3"]}, "unknown claim .* 'farghly2026.theorem-3a'"),
        ({"claim_ids": []}, "no claim was named"),
        ({"case": "one-pint"}, "unknown case 'one-pint': did you mean 'one-point'"),
        ({"effort": "hard"}, "unknown effort 'hard'"),
        ({"seed": -1}, "seed=-1: a seed is an integer ≥ 0"),
        ({"jobs": 0}, "jobs=0: "),
        ({"case": "gaussian-data"}, "no check on 'gaussian-data', but on one-point, two-points"),
    ],
)
def test_bad_requests(
    checks: list[tuple[str, str]], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        verify(**arguments)  # type: ignore[arg-type]
    assert checks == []


# --- tainting -------------------------------------------------------------------------------------

YOUNG = "farghly2026.theorem-3b-sum.young"
SUM = "farghly2026.theorem-3b-sum"
RATE = "farghly2026.theorem-3b-rate"


def _verdict(claim: str, case: str, status: Status = Status.PROVED) -> Verdict:
    return Verdict(claim, case, status, "shown")


def test_a_refuted_step_taints_what_stands_on_it() -> None:
    verdicts = [
        _verdict(YOUNG, "algebra", Status.REFUTED),
        _verdict(SUM, "chain"),
        _verdict(SUM, "one-point"),
        _verdict(RATE, "chain", Status.CERTIFIED),
        _verdict(CLAIM, "chain"),
    ]
    young, chain, case, rate, other = tainted(verdicts, CLAIMS)
    assert young == verdicts[0]
    assert chain.status is rate.status is Status.INCONCLUSIVE
    assert f"tainted by {YOUNG}" in chain.summary
    assert f"tainted by {YOUNG}" in rate.summary, "taint passes through the claims in between"
    assert case.status is Status.PROVED, "checked on its own"
    assert any(f"tainted by {YOUNG}" in line for line in case.rests_on)
    assert other == verdicts[4]


def test_taint_never_improves_a_verdict() -> None:
    fallen = _verdict(YOUNG, "algebra", Status.REFUTED)
    for status in Status:
        (_, after) = tainted([fallen, _verdict(SUM, "chain", status)], CLAIMS)
        expected = Status.INCONCLUSIVE if status.holds else status
        assert after.status is expected


def test_no_refutation_no_taint() -> None:
    verdicts = tuple(_verdict(claim, "chain") for claim in CLAIMS)
    assert tainted(verdicts, CLAIMS) == verdicts


def test_an_earlier_refutation_counts(
    checks: list[tuple[str, str]], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuted = _verdict(YOUNG, "algebra", Status.REFUTED)
    ledger.store(Inputs(YOUNG, "algebra", "quick", 9, fingerprint()), refuted)
    checking = sys.modules["proofs_check.checking"]
    monkeypatch.setattr(checking, "tasks", lambda claim_ids, case: ((SUM, "chain"),))
    (verdict,) = verify([SUM], ledger=ledger)
    assert verdict.status is Status.INCONCLUSIVE
    kept = ledger.find(Inputs(SUM, "chain", "standard", 0, fingerprint()))
    assert kept is not None
    assert kept.status is Status.PROVED, "the ledger keeps what the check itself said"
    assert last_verdicts(ledger)[SUM, "chain"].verdict.status is Status.INCONCLUSIVE
