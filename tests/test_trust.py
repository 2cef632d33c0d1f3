"""Trust is pinned: the verdict of each claim in each case, no worse and no better than written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import proofs_check
from proofs_check.checking import tasks

PINS = tomllib.loads(Path(__file__).with_name("trust_pins.toml").read_text())


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, proofs_check.Verdict]]:
    found: dict[str, dict[str, proofs_check.Verdict]] = {}
    for verdict in proofs_check.verify(effort="quick", jobs=2):
        found.setdefault(verdict.claim, {})[verdict.case] = verdict
    return found


def test_every_pair_of_a_claim_and_a_case_is_pinned() -> None:
    pinned = {(claim, case) for claim, pins in PINS.items() for case in pins}
    assert pinned == set(tasks())


@pytest.mark.parametrize("claim", PINS)
def test_verdicts_are_as_pinned(
    claim: str, verdicts: dict[str, dict[str, proofs_check.Verdict]]
) -> None:
    reached = {case: verdict.status.value for case, verdict in verdicts[claim].items()}
    assert reached == PINS[claim], "worse: mend it; better: tighten the pin"


def test_what_must_come_out() -> None:
    theorem = PINS["farghly2026.theorem-3a"]
    assert theorem["gaussian-mean"] == "proved"
    assert theorem["one-point"] == "proved"
    assert theorem["two-points"] == "certified"
    assert theorem["gaussian-data"] == "supported"


def test_sampling_errors_are_under_control_over_the_whole_run(
    verdicts: dict[str, dict[str, proofs_check.Verdict]],
) -> None:
    total = sum(v.false_alarm for by_case in verdicts.values() for v in by_case.values())
    assert 0 < total < 1e-6
