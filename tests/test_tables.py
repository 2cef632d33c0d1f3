"""Tables say the same thing in every format, and never more than is known."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check import tables
from proofs_check.errors import UsageError
from proofs_check.number import Number
from proofs_check.parameters import points
from proofs_check.plain_text import width_of
from proofs_check.tables import (
    FORMATS,
    Row,
    Table,
    render,
    shown,
    shown_cells,
    tabulate,
    text_within,
)
from theory.claims import get
from theory.quantities import TABLE_QUANTITIES

TABLE = Table(
    "farghly2026.theorem-3a",
    "gaussian-mean",
    (
        Row(
            (("N", 1), ("s", "1/2"), ("schedule", "ou"), ("t", "3/10")),
            (
                ("E_l_dsm", Number(1 / 3, 1e-17)),
                ("C_sm", None),
                ("lhs", Number(0.1, 0.0)),
                ("rhs", Number(1e-9, 2e-12)),
                ("slack", Number(math.inf, math.inf)),
            ),
        ),
        Row(
            (("N", 2), ("s", "1/2"), ("schedule", "ou"), ("eps", "1/100"), ("T", 1)),
            (("E_l_dsm", Number(2.0, math.inf)), ("C_sm", None), ("lhs", None), ("rhs", None)),
        ),
    ),
)


def test_json_has_every_digit_and_null_for_the_rest() -> None:
    first, second = json.loads(render(TABLE, "json"), parse_constant=pytest.fail)
    assert first["N"] == 1
    assert first["s"] == "1/2"
    assert first["E_l_dsm"] == {"value": 1 / 3, "error": 1e-17}
    assert first["C_sm"] == {"value": None, "error": None}
    assert first["slack"] == {"value": None, "error": None}
    assert second["E_l_dsm"] == {"value": 2.0, "error": None}
    assert second["T"] == 1


def test_csv_has_an_error_beside_each_number() -> None:
    rows = list(csv.DictReader(io.StringIO(render(TABLE, "csv"))))
    assert float(rows[0]["E_l_dsm"]) == 1 / 3
    assert float(rows[0]["E_l_dsm_error"]) == 1e-17
    assert rows[0]["C_sm"] == rows[0]["C_sm_error"] == ""
    assert rows[0]["slack"] == "", "an infinite number is not known"
    assert rows[0]["eps"] == ""
    assert rows[1]["eps"] == "1/100"


@pytest.mark.parametrize("form", ["text", "md", "latex"])
def test_readers_see_every_number_with_its_error(form: str) -> None:
    text = render(TABLE, form)
    assert "0.3333333" in text
    assert text.count("±") + text.count(r"\pm") == 3
    assert "inf" not in text.replace(r"\infty", "")
    assert "nan" not in text
    body = [line for line in text.splitlines() if "3/10" in line or "1/100" in line]
    assert len(body) == 2


@pytest.mark.parametrize("width", [10, 40, 80, 1000])
def test_a_narrow_terminal_cuts_no_number(width: int) -> None:
    text = text_within(TABLE, width)
    assert (text == render(TABLE, "text")) == (width == 1000)
    for cells in shown_cells(TABLE):
        assert all(cell in text for cell in cells)
    if width > 10:
        assert max(map(width_of, text.splitlines())) <= width


def test_latex_is_balanced() -> None:
    text = render(TABLE, "latex")
    assert text.count("{") == text.count("}")
    assert text.count("$") % 2 == 0
    columns = len(TABLE.parameter_names) + len(TABLE.number_names)
    assert [line.count("&") for line in text.splitlines() if "&" in line] == [columns - 1] * 3
    assert r"\mathbb{E}\,\ell_{\mathrm{dsm}}(\hat s)" in text


def test_notebooks_get_html() -> None:
    html = TABLE._repr_html_()
    assert html.count("<tr>") == 3
    assert "E ℓ_dsm(ŝ)" in html


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(KeyError):
        render(TABLE, "xml")


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
)
def test_the_shown_error_covers_the_digits_left_out(value: float, error: float) -> None:
    text = shown(Number(value, error))
    digits, _, bound = text.partition(" ± ")
    least = error + abs(float(digits) - value)
    covered = math.inf if bound == "∞" else float(bound or 0)
    assert covered >= least
    assert covered <= least * 1.11 + 1e-300 or math.isinf(least * 1.11) or least < 1e-300


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_shown(value: float) -> None:
    assert shown(Number(value, 0.0)) == shown(None) == "–"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Stand-ins for the measurements; returns the names that were asked for."""
    from proofs_check import measurement

    asked: list[tuple[str, ...]] = []

    def measure(point: Any, names: Sequence[str], *, effort: str, seed: int) -> dict[str, Number]:
        asked.append(tuple(names))
        return {name: Number(float(seed), 0.5) for name in names if name != "E_C_sm_hat"}

    def sides(claim: Any, point: Any, numbers: Any) -> tuple[Number | None, ...]:
        return Number(1.0, 0.0), Number(2.0, 0.0), None

    monkeypatch.setattr(measurement, "measure", measure)
    monkeypatch.setattr(measurement, "sides", sides)
    return asked


def test_columns_of_a_score_stability_claim(measured: list[tuple[str, ...]]) -> None:
    grid = points("one-point", ["t=0.1;0.2"], ["V=1,1/2"])
    table = tabulate(get("farghly2026.theorem-3a"), grid, effort="quick", seed=7)
    assert table.number_names == (*TABLE_QUANTITIES, "lhs", "rhs", "slack")
    rows = json.loads(render(table, "json"))
    keys = "E_l_dsm E_l_dsm_hat E_l_sm E_l_sm_hat C_sm E_C_sm_hat eps_stab_squared lhs rhs slack"
    assert list(rows[1]) == ["N", "V", "d", "schedule", "t", "weights", *keys.split()]
    assert rows[1]["N"] == 1, "the case fixes it"
    assert rows[1]["V"] == "1/2"
    assert rows[1]["t"] == "1/10;1/5"
    assert rows[1]["weights"] == "1/2;1/2"
    assert rows[0]["C_sm"] == {"value": 7.0, "error": 0.5}
    assert rows[0]["E_C_sm_hat"] == rows[0]["slack"] == {"value": None, "error": None}
    assert measured == [TABLE_QUANTITIES] * 2


def test_further_quantities_of_the_claim_follow(measured: list[tuple[str, ...]]) -> None:
    claim = get("farghly2026.empirical-constant-monotone")
    table = tabulate(claim, points("one-point", ["eps=0.1"]), effort="quick", seed=0)
    assert table.number_names == (*TABLE_QUANTITIES, "E_C_sm_hat_next", "lhs", "rhs", "slack")
    assert table.parameter_names == ("N", "V", "d", "schedule", "eps", "T")


@pytest.mark.parametrize(
    ("claim", "case", "message"),
    [
        ("farghly2026.theorem-3b-sum.young", "one-point", "speaks of plain real numbers"),
        ("farghly2026.theorem-3a-sharp", "gaussian-mean", "needs empirical-score"),
    ],
)
def test_claims_that_do_not_speak_of_the_case(claim: str, case: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        tabulate(get(claim), points(case), effort="quick", seed=0)


def test_a_table_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one point"):
        tabulate(get("farghly2026.theorem-3a"), (), effort="quick", seed=0)


def test_exact_closed_forms_end_to_end() -> None:
    """Theorem 3a at N = 1 is an identity for one point: 2 V mu^2/sigma^4 on both sides, squared."""
    grid = points("one-point", ["t=0.3", "V=2"])
    table = tabulate(get("farghly2026.theorem-3a"), grid, effort="quick", seed=0)
    (row,) = json.loads(render(table, "json"))
    expected = 2 * 2 * math.exp(-0.6) / (1 - math.exp(-0.6)) ** 2
    for name in ("E_l_dsm", "eps_stab_squared"):
        assert row[name]["value"] == pytest.approx(expected, rel=1e-14)
        assert 0 <= row[name]["error"] < 1e-12
    assert row["slack"]["value"] == pytest.approx(1, abs=1e-12)
    assert tables.render(table, "text").count("\n") == 1
    assert set(FORMATS) == {"text", "csv", "json", "latex", "md"}
