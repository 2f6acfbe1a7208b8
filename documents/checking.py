"""What a document must not hold, told by place, whichever file it is to become."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

from documents.content import (
    Block,
    Chart,
    Column,
    Control,
    Fields,
    Heading,
    Paragraph,
    Table,
    Value,
    shown,
)
from engine.errors import Invalid, Problem

Place = tuple[str, str]
"""Where a text stands, and the text."""

_KEPT = "\n\t"


def check(control: Control | None, blocks: Iterable[Block]) -> None:
    """Refuses what no file can show: raises `Invalid` with every place."""
    blocks = tuple(blocks)
    problems = [problem for block in blocks for problem in _misshapen(block)]
    if problems:
        raise Invalid(problems)
    for place, text in texts(control, blocks):
        if text.isprintable():  # most are; the rest may yet hold a line's end or a broad space
            continue
        for sign in sorted({sign for sign in text if _unprintable(sign)}):
            template = "The character U+{code} cannot be printed: remove it from the text"
            problems.append(Problem(place, template, {"code": f"{ord(sign):04X}"}))
    if problems:
        raise Invalid(problems)


def texts(control: Control | None, blocks: Iterable[Block]) -> Iterator[Place]:
    """Every text of the document with its place, for errors: `title`, `table 2 row 5`, `chart 1`."""
    if control:
        yield "title", control.title
        yield "code", control.code
        yield "version", control.version
        yield "organisation", control.organisation
        for one in control.signatures:
            yield "signatures", f"{one.act}{one.name}"
    tables = charts = 0
    for block in blocks:
        match block:
            case Heading() | Paragraph():
                start = "".join(sign if sign.isprintable() else " " for sign in block.text[:20])
                yield start.strip() or "paragraph", block.text
            case Fields(pairs):
                yield from ((label, f"{label}{value}") for label, value in pairs)
            case Table():
                tables += 1
                yield from _table_texts(f"table {tables}", block)
            case Chart():
                charts += 1
                yield from ((f"chart {charts}", text) for text in _chart_texts(block))


def _table_texts(place: str, table: Table) -> Iterator[Place]:
    yield place, f"{table.caption}{table.note}{table.empty}"
    yield place, "".join(column.title for column in table.columns)
    for number, row in enumerate(table.rows, start=1):
        yield f"{place} row {number}", "".join(value for value in row if isinstance(value, str))


def _chart_texts(chart: Chart) -> Iterator[str]:
    yield f"{chart.caption}{chart.note}{chart.empty}"
    yield from chart.labels
    yield from (one.name for one in chart.series)
    if chart.target:
        yield chart.target.name


def _unprintable(sign: str) -> bool:
    """Control characters, halves of a character, and what Unicode has not assigned."""
    return sign not in _KEPT and unicodedata.category(sign) in ("Cc", "Cs", "Cn")


def _misshapen(block: Block) -> Iterator[Problem]:
    match block:
        case Table():
            yield from _misshapen_table(block)
        case Chart():
            yield from _misshapen_chart(block)
        case Fields(pairs):
            column = Column("")
            for label, value in pairs:
                yield from _misfit(label, value, column)


def _misshapen_table(table: Table) -> Iterator[Problem]:
    place = table.caption or "table"
    if not table.columns:
        yield Problem(place, "The table has no columns")
    for number, row in enumerate(table.rows, start=1):
        if len(row) != len(table.columns):
            template = "It has {count} cells, the head has {expected}"
            params = {"count": len(row), "expected": len(table.columns)}
            yield Problem(f"{place} row {number}", template, params)
            continue
        for column, value in zip(table.columns, row, strict=True):
            yield from _misfit(f"{place} row {number}, {column.title}", value, column)


def _misfit(place: str, value: Value, column: Column) -> Iterator[Problem]:
    if value is None or isinstance(value, str):
        return
    try:
        shown(value, column)
        if not isinstance(value, date):
            float(value)  # as a spreadsheet keeps it
    except (ValueError, ArithmeticError, TypeError):
        template = "The value {value} cannot be shown as {kind}"
        yield Problem(place, template, {"value": value, "kind": column.kind})


def _misshapen_chart(chart: Chart) -> Iterator[Problem]:
    place = chart.caption or "chart"
    for series in chart.series:
        if len(series.values) != len(chart.labels):
            template = "The series {name} has {count} values for {expected} labels"
            params = {"name": series.name, "count": len(series.values), "expected": len(chart.labels)}
            yield Problem(place, template, params)
        numbers = [value for value in series.values if value is not None]
        if not all(math.isfinite(value) for value in numbers):
            yield Problem(place, "The series {name} has a value that is no number", {"name": series.name})
        elif chart.kind == "stacked" and any(value < 0 for value in numbers):
            template = "The series {name} has a value below zero: shares of a bar cannot be"
            yield Problem(place, template, {"name": series.name})
    if chart.axis and not chart.axis[0] < chart.axis[1]:
        yield Problem(place, "The axis ends before it begins")
