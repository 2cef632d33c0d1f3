"""The JSON report and the README's table of claims."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from proofs_check.errors import UsageError
from proofs_check.fingerprint import fingerprint, versions
from proofs_check.report import (
    BEGIN,
    END,
    claims_markdown,
    total_false_alarm,
    with_claims,
    write_report,
    write_whole,
)
from proofs_check.verdict import Slack, Status, Verdict
from theory.claims import CLAIMS, main_claims

VERDICTS = (
    Verdict(
        "farghly2026.theorem-3a",
        "two-points",
        Status.CERTIFIED,
        "on a box",
        slack=Slack(math.inf, "N=1"),
        evidence=("a", "b"),
        false_alarm=0.0,
    ),
    Verdict("farghly2026.theorem-3a", "gaussian-data", Status.SUPPORTED, "s", false_alarm=1e-6),
    Verdict("farghly2026.theorem-3b-sum.young", "algebra", Status.REFUTED, "r", witness="a=b=1"),
)


def test_the_report_holds_everything(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(path, VERDICTS, effort="deep", seed=5)
    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["effort"] == "deep"
    assert found["seed"] == 5
    assert found["versions"] == versions()
    assert found["fingerprint"] == fingerprint()
    assert found["counts"] == {"certified": 1, "supported": 1, "refuted": 1}
    assert found["false_alarm"] == 1e-6
    first = found["verdicts"][0]
    assert first["slack"] == {"ratio": None, "at": "N=1"}
    assert first["evidence"] == ["a", "b"]
    assert first["strength"] == "tight"
    assert found["verdicts"][2]["witness"] == "a=b=1"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_false_alarms_add_up_to_at_most_one() -> None:
    likely = Verdict("c", "d", Status.SUPPORTED, "s", false_alarm=0.4)
    assert total_false_alarm([likely] * 2) == 0.8
    assert total_false_alarm([likely] * 3) == 1.0
    assert total_false_alarm([]) == 0.0


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_whole(tmp_path / "missing" / "report.json", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    write_whole(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()


STATUSES = {
    ("farghly2026.theorem-3a", "chain"): Status.PROVED,
    ("farghly2026.theorem-3a", "two-points"): Status.CERTIFIED,
    ("farghly2026.theorem-3b-sum.young", "algebra"): Status.REFUTED,
}


def test_every_claim_is_in_the_table_once() -> None:
    lines = claims_markdown(STATUSES).splitlines()
    for claim in CLAIMS:
        assert sum(f"`{claim}`" in line for line in lines) == 1
    row = next(line for line in lines if "`farghly2026.theorem-3a`" in line)
    assert row.count("proved") == row.count("certified") == 1
    assert "refuted" in next(line for line in lines if "sum.young`" in line)
    assert row.endswith("| proved | certified: `two-points` |")
    head = lines[0]
    assert {line.count("|") for line in lines[: len(main_claims()) + 2]} == {head.count("|")}


def test_the_readme_block_is_replaced_and_nothing_else() -> None:
    text = f"# Title\n{BEGIN}\nold\n{END}\ntail\n"
    new = with_claims(text, STATUSES)
    assert new.startswith(f"# Title\n{BEGIN}\n| claim |")
    assert new.endswith(f"\n{END}\ntail\n")
    assert "old" not in new
    assert with_claims(new, STATUSES) == new


@pytest.mark.parametrize(
    "text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"]
)
def test_missing_or_doubled_markers_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="needs the line"):
        with_claims(text, STATUSES)
