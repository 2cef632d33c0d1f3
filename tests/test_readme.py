"""The README's commands print what the README says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from proofs_check.cli import main

README = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
SHOWN = [
    (command, output)
    for block in BLOCKS
    for command, output in re.findall(r"\$ (scorecert .*)\n((?:(?!\$ ).*\n)*)", block)
]


def test_the_tour_has_commands() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[c for c, _ in SHOWN])
def test_tour(
    command: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)
    main(shlex.split(command)[1:])
    captured = capsys.readouterr()
    assert _lines(captured.out + captured.err) == _lines(output)


def test_the_two_commands_are_make_targets() -> None:
    makefile = Path(__file__).parent.parent.joinpath("Makefile").read_text()
    for target in ("verify", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def _lines(text: str) -> list[str]:
    """Drop the timing at the end of a verdict's line, and white space at the ends."""
    return [
        re.sub(r"\s+\d+\.\d+ s$", "", line.rstrip()) for line in text.splitlines() if line.strip()
    ]
