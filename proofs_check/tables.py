"""One row per point: every quantity of a claim, both sides, and the slack, each with its error."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proofs_check.errors import UsageError
from proofs_check.number import Number
from proofs_check.plain_json import dumps, finite
from proofs_check.plain_text import aligned, width_of
from theory.quantities import QUANTITIES, TABLE_QUANTITIES

if TYPE_CHECKING:
    from proofs_check.point import Point
    from theory.claim import Claim

FORMATS = ("text", "csv", "json", "latex", "md")
_SIDES = {"lhs": r"\text{lhs}", "rhs": r"\text{rhs}", "slack": r"\text{rhs}/\text{lhs}"}
_DIGITS = 7
_UNKNOWN = "–"
_NOT_KNOWN = Number(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Row:
    """One point. A parameter is an int, or the text of an exact value; an unknown number, None."""

    parameters: tuple[tuple[str, int | str], ...]
    numbers: tuple[tuple[str, Number | None], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A claim on a case, at some points; all rows have the same columns."""

    claim: str
    case: str
    rows: tuple[Row, ...]

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The first columns: parameters that some row has, in order."""
        return tuple(dict.fromkeys(name for row in self.rows for name, _ in row.parameters))

    @property
    def number_names(self) -> tuple[str, ...]:
        """The other columns: the quantities, then ``lhs``, ``rhs`` and ``slack``."""
        return tuple(dict.fromkeys(name for row in self.rows for name, _ in row.numbers))

    def _repr_html_(self) -> str:
        from html import escape

        def line(tag: str, texts: Sequence[str]) -> str:
            return f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in texts)}</tr>"

        head = line("th", headings(self))
        body = "".join(line("td", cells) for cells in shown_cells(self))
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def tabulate(claim: Claim, points: Sequence[Point], *, effort: str, seed: int) -> Table:
    """Compute the table of a claim at some points of one case.

    Raises
    ------
    UsageError
        If there is no point, or the claim does not speak of the case.
    """
    from proofs_check import best_step, coupling_columns, denoising_bounds
    from proofs_check.measurement import measure, radius_excess, sides
    from theory import cases

    if not points:
        raise UsageError("a table needs at least one point")
    if claim.is_algebraic:
        raise UsageError(f"{claim.id} speaks of plain real numbers, not of a case: no table")
    law = points[0].law
    if missing := sorted(claim.needs - law.offers):
        fit = [name for name in cases.NAMES if claim.needs <= cases.get(name).offers]
        raise UsageError(
            f"case={law.name}: {claim.id} needs {', '.join(missing)}, and {law.name} has it not; "
            f"take one of {', '.join(fit)}"
        )
    for point in points:
        if "ball" in claim.parameters and (excess := radius_excess(point)):
            raise UsageError(f"{excess}; take a smaller ball or an earlier time")
    names = columns_of(claim)
    rows = []
    for point in points:
        more = denoising_bounds.INGREDIENTS if claim.id == denoising_bounds.CLAIM else ()
        try:
            known = measure(point, (*names, *more), effort=effort, seed=seed)
        except (ValueError, OverflowError) as error:  # a kernel's objection, on one line
            raise UsageError(f"{point}: {error}") from error
        lhs, rhs, slack = sides(claim, point, known)
        numbers = [(name, known.get(name)) for name in names]
        numbers += [("lhs", lhs), ("rhs", rhs), ("slack", slack)]
        if claim.id == denoising_bounds.CLAIM:
            numbers += denoising_bounds.bound_columns(point, known)
        if claim.id == best_step.CLAIM and (best := best_step.best_steps(point)):
            exact, bound = best
            numbers += [("kappa_star_KL", exact.place), ("kappa_star_bound", bound.place)]
        if claim.id == coupling_columns.CLAIM:
            numbers += coupling_columns.coupling_columns(point)
        rows.append(Row(_parameters(point), tuple(numbers)))
    return Table(claim.id, law.name, tuple(rows))


def columns_of(claim: Claim) -> tuple[str, ...]:
    """Return the quantities that a table shows: the claim's own, and the usual if it has any."""
    own = claim.quantity_names
    of_theorem_3 = {*own} & {*TABLE_QUANTITIES} and not claim.parameters
    usual = TABLE_QUANTITIES if of_theorem_3 else ()
    return tuple(dict.fromkeys((*usual, *own)))


def _parameters(point: Point) -> tuple[tuple[str, int | str], ...]:
    from theory.process import UniformTime

    fixed = ((symbol.name, value) for symbol, value in point.law.fixed)
    exact = [*fixed, *point.values, *point.claim_values]
    tau = point.tau
    own = point.schedule_values
    if point.law.time_measure is not None:
        return (*((name, _plain(value)) for name, value in exact), *_sampler_ends(point))
    if isinstance(tau, UniformTime):
        time = [("eps", _plain(tau.early_stopping_time)), ("T", _plain(tau.horizon))]
    else:
        time = [("t", _joined(tau.times))]
        if tau.weights != (1,):
            time.append(("weights", _joined(tau.weights)))
    plain = [(name, _plain(value)) for name, value in exact]
    if not point.has_own_time:
        return tuple(plain)
    schedule = [("schedule", point.schedule), *((name, _plain(value)) for name, value in own)]
    return (*plain, *schedule, *time)


def _sampler_ends(point: Point) -> tuple[tuple[str, str], ...]:
    """Return T exactly and ε, whose exact digits would fill the line, with few of them."""
    values = dict(point.values)
    stop = float((1 + values["kappa"]) ** -values["m"])
    return (("T", str(values["kappa"] * values["L"] + 1)), ("eps", f"{stop:.6g}"))


def _plain(value: Any) -> int | str:
    return int(value) if value.is_Integer else str(value)


def _joined(values: Sequence[Any]) -> int | str:
    return _plain(values[0]) if len(values) == 1 else ";".join(map(str, values))


def shown(number: Number | None) -> str:
    """Return a number and its error with few digits; the error covers what the digits leave out.

    Examples
    --------
    >>> shown(Number(1 / 3, 1e-17)), shown(Number(0.25, 0.0)), shown(Number(2.0, 0.0012))
    ('0.3333333 ± 3.4e-08', '0.25', '2 ± 0.0012')
    """
    if number is None or not math.isfinite(number.value):
        return _UNKNOWN
    short = f"{number.value:.{_DIGITS}g}"
    error = number.error + abs(float(short) - number.value)
    if error == 0:
        return short
    return f"{short} ± {_rounded_up(error)}"


def _rounded_up(error: float) -> str:
    """Return at least ``error``, with two digits."""
    if not math.isfinite(error):
        return "∞"
    text = f"{error:.1e}"
    if float(text) < error:
        exponent = int(text.partition("e")[2])
        text = f"{float(text) + 10.0 ** (exponent - 1):.1e}"
    return f"{float(text):.2g}"


def _cells(table: Table, show: Callable[[Number | None], str]) -> Iterator[list[str]]:
    for row in table.rows:
        parameters, numbers = dict(row.parameters), dict(row.numbers)
        yield [
            *(str(parameters.get(name, _UNKNOWN)) for name in table.parameter_names),
            *(show(numbers.get(name)) for name in table.number_names),
        ]


def headings(table: Table) -> list[str]:
    """Return the columns' names for readers."""
    numbers = (QUANTITIES[n].unicode if n in QUANTITIES else n for n in table.number_names)
    return [*table.parameter_names, *numbers]


def shown_cells(table: Table) -> list[list[str]]:
    """Return each row's cells for readers; see `shown`."""
    return list(_cells(table, shown))


def _latex_head(name: str) -> str:
    if name in QUANTITIES:
        return f"${QUANTITIES[name].latex}$"
    return f"${_SIDES[name]}$" if name in _SIDES else rf"$\text{{{name}}}$"


def _as_text(table: Table) -> str:
    return aligned([headings(table), *shown_cells(table)])


def text_within(table: Table, width: int) -> str:
    """Return text for a terminal: points side by side if one under the other is too wide.

    Examples
    --------
    >>> row = Row((("N", 1),), (("C_sm", Number(0.5, 0.0)), ("lhs", Number(0.25, 0.0))))
    >>> print(text_within(Table("c", "one-point", (row,)), 12))
    N     1
    C_sm  0.5
    lhs   0.25
    """
    text = _as_text(table)
    if _widest(text) <= width:
        return text
    head, blocks, shown_now = headings(table), [], list[list[str]]()
    for cells in shown_cells(table):
        if shown_now and _widest(_side_by_side(head, [*shown_now, cells])) > width:
            blocks.append(_side_by_side(head, shown_now))
            shown_now = []
        shown_now.append(cells)
    return "\n\n".join([*blocks, _side_by_side(head, shown_now)])


def _side_by_side(head: Sequence[str], points: Sequence[Sequence[str]]) -> str:
    return aligned(list(zip(head, *points, strict=True)))


def _widest(text: str) -> int:
    return max(map(width_of, text.splitlines()))


def _as_csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [column for name in table.number_names for column in (name, f"{name}_error")]
    writer.writerow([*table.parameter_names, *names])
    for row in table.rows:
        parameters, numbers = dict(row.parameters), dict(row.numbers)
        cells: list[object] = [parameters.get(name, "") for name in table.parameter_names]
        for name in table.number_names:
            number = numbers.get(name) or _NOT_KNOWN
            cells += [finite(number.value), finite(number.error)]
        writer.writerow(cells)
    return out.getvalue().rstrip("\n")


def _as_json(table: Table) -> str:
    def number(found: Number | None) -> dict[str, float]:
        known = found or _NOT_KNOWN
        return {"value": known.value, "error": known.error}

    return dumps(
        [
            {**dict(row.parameters), **{name: number(n) for name, n in row.numbers}}
            for row in table.rows
        ]
    )


def _latex_number(number: Number | None) -> str:
    text = shown(number)
    if text == _UNKNOWN:
        return "--"

    def typeset(part: str) -> str:
        digits, e, exponent = part.partition("e")
        power = rf" \cdot 10^{{{int(exponent)}}}" if e else ""
        return digits.replace("∞", r"\infty") + power

    parts = r" \pm ".join(map(typeset, text.split(" ± ")))
    return f"${parts}$"


def _as_latex(table: Table) -> str:
    names = [name.replace("_", r"\_") for name in table.parameter_names]
    head = [*names, *map(_latex_head, table.number_names)]
    lines = [" & ".join(cells) + r" \\" for cells in (head, *_cells(table, _latex_number))]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{'r' * len(head)}}}",
            r"\hline",
            lines[0],
            r"\hline",
            *lines[1:],
            r"\hline",
            r"\end{tabular}",
        ]
    )


def _as_markdown(table: Table) -> str:
    head = headings(table)
    rows = [head, ["---:"] * len(head), *shown_cells(table)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


_RENDERERS: dict[str, Callable[[Table], str]] = {
    "text": _as_text,
    "csv": _as_csv,
    "json": _as_json,
    "latex": _as_latex,
    "md": _as_markdown,
}


def render(table: Table, form: str) -> str:
    """Return the table in one of `FORMATS`, without a final line end.

    In JSON and CSV numbers have all their digits; what is unknown or infinite is null or empty.

    Raises
    ------
    KeyError
        If there is no such format.

    Examples
    --------
    >>> row = Row((("N", 1), ("t", "3/10")), (("lhs", Number(0.5, 0.0)), ("slack", None)))
    >>> print(render(Table("c", "one-point", (row,)), "csv"))
    N,t,lhs,lhs_error,slack,slack_error
    1,3/10,0.5,0.0,,
    """
    return _RENDERERS[form](table)
