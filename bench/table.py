"""The rows as a table for people: grouped, each with its budget, the ratio to it and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bench.rows import Row

HEAD = ("", "value", "unit", "budget", "ratio", "verdict")


def table(rows: Sequence[Row]) -> str:
    """All rows in their order; a heading for each subject and engine."""
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    lines = [_line(HEAD, widths, "")]
    for title, group in groupby(zip(rows, cells, strict=True), key=lambda pair: _title(pair[0])):
        lines += ["", title]
        lines += [_line(cell, widths, row.note) for row, cell in group]
    return "\n".join(lines)


def _title(row: Row) -> str:
    return f"{row.subject} on {row.engine}" if row.engine else row.subject


def _cells(row: Row) -> tuple[str, ...]:
    name, value = f"  {row.name}", _number(row.value)
    if row.budget is None:
        return (name, value, row.unit, "", "", "")
    sign = "≥" if row.budget.at_least else "≤"
    ratio = f"{row.value / row.budget.limit:.2f}" if row.budget.limit else ""
    verdict = "ok" if row.ok else "MISSED"
    return (name, value, row.unit, f"{sign} {_number(row.budget.limit)}", ratio, verdict)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 1000 else f"{value:g}"


def _line(cells: Sequence[str], widths: Sequence[int], note: str) -> str:
    name, value, unit, budget, ratio, verdict = (
        cell.rjust(width) if index in (1, 3, 4) else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((name, value, unit, budget, ratio, verdict, note)).rstrip()
