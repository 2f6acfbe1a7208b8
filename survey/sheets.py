"""Reading CSV files as people make them: their encoding, their separator, their header, their rows.

A file is read whole or refused whole, with every problem named by the row number a spreadsheet shows.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from engine.errors import Invalid, Problem
from engine.strict_yaml import nearest

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_PROBLEMS = 50
"""Problems listed; the rest are counted."""

_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number, the header being row 1, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that could be read."""

    encoding: str
    """UTF-8 or GBK: the latter is what spreadsheets here save unless told otherwise."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(data: bytes, *, required: Collection[str], known: Collection[str] | None = None) -> Sheet:
    """The CSV file `data`.

    `required` columns have to be there; with `known` no others than these may be. Raises `Invalid` with every
    problem: fields are `file`, `column X` and `row N`.
    """
    text, encoding = _decoded(data)
    lines = _lines(text)
    if not lines:
        raise Invalid([Problem("file", "The file is empty: its first line has to name the columns")])
    header = [name.strip() for name in lines[0][1]]
    _check_header(header, required, known)
    if len(lines) == 1:
        raise Invalid([Problem("file", "The file has a header but no rows")])
    problems: list[Problem] = []
    rows: list[Row] = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            params = {"count": len(cells), "expected": len(header)}
            template = (
                "It has {count} cells, the header has {expected}: look for a missing or extra separator"
            )
            problems.append(Problem(f"row {number}", template, params))
        else:
            values = (cell.strip() for cell in cells)
            rows.append(Row(number, dict(zip(header, values, strict=True))))
    refuse(problems)
    return Sheet(encoding, tuple(header), tuple(rows))


def refuse(problems: Iterable[Problem]) -> None:
    """Raise `Invalid` if there are problems; beyond `MAX_PROBLEMS` they are only counted."""
    found = list(problems)
    if len(found) > MAX_PROBLEMS:
        more = {"count": len(found) - MAX_PROBLEMS}
        found = [*found[:MAX_PROBLEMS], Problem("file", "{count} more problems are not listed", more)]
    if found:
        raise Invalid(found)


def _decoded(data: bytes) -> tuple[str, str]:
    if len(data) > MAX_BYTES:
        raise Invalid(
            [Problem("file", "The file is larger than {limit} bytes: split it", {"limit": MAX_BYTES})]
        )
    if b"\0" in data:
        template = "The file is not text (a workbook, or UTF-16): save it as “CSV UTF-8” and try again"
        raise Invalid([Problem("file", template)])
    for encoding, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GBK")):
        try:
            return data.decode(encoding), name
        except UnicodeDecodeError:
            continue
    template = "The file is neither UTF-8 nor GBK: save it as “CSV UTF-8” and try again"
    raise Invalid([Problem("file", template)])


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, with the row number a spreadsheet gives them."""
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    try:
        lines = list(
            enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1)
        )
    except csv.Error as error:
        template = "The file is no CSV: {reason}. Look for a quotation mark that is not closed"
        raise Invalid([Problem("file", template, {"reason": str(error)})]) from None
    if len(lines) > MAX_ROWS:
        raise Invalid([Problem("file", "The file has more than {limit} rows: split it", {"limit": MAX_ROWS})])
    return [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]


def _check_header(header: list[str], required: Collection[str], known: Collection[str] | None) -> None:
    problems = [
        Problem(f"column {name}", "The column stands in the header more than once: delete one of them")
        for name, count in Counter(header).items()
        if count > 1
    ]
    allowed = [*required, *(name for name in known or () if name not in required)]
    for name in header:
        if known is not None and name not in allowed:
            missing = [each for each in allowed if each not in header]
            meant = nearest(name, missing)
            template = (
                "There is no such column; did you mean {meant}? Expected are: {expected}"
                if meant
                else "There is no such column. Expected are: {expected}"
            )
            params = {"meant": meant, "expected": ", ".join(allowed)}
            problems.append(Problem(f"column {name or '…'}", template, params))
    problems += [
        Problem(
            f"column {name}",
            "The column is missing. Expected are: {expected}",
            {"expected": ", ".join(allowed)},
        )
        for name in required
        if name not in header
    ]
    refuse(problems)
