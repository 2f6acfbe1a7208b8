"""Reading tables as people make them: CSV of any encoding and separator, or the first sheet of a workbook; writing CSV.

A file is read whole or refused whole, with every problem named by the row number a spreadsheet shows. A column
is called by the first line of its heading, so that a form may explain itself in the lines below.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time
from zipfile import BadZipFile, ZipFile

from engine.characters import identity, unstorable
from engine.errors import Invalid, Problem
from engine.strict_yaml import nearest

MAX_BYTES = 50_000_000
MAX_UNPACKED = 1_000_000_000
"""Bytes that a workbook may unpack to."""
MAX_ROWS = 250_000
MAX_COLUMNS = 1_000
MAX_CELL = 20_000
"""Characters of a cell: as many as a form's longest text may have."""
MAX_PROBLEMS = 50
"""Problems listed; the rest are counted."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_FORMULA = re.compile(rb"<(\w+:)?f[\s/>]")
_PORTION, _TAG = 1_000_000, 40
"""Bytes of a sheet looked through at a time, and those a tag may have."""
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
    """UTF-8 or GBK, which is what spreadsheets here save unless told otherwise, UTF-16 for their "Unicode text"; XLSX
    for a workbook."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def as_written(name: str) -> str:
    """The name of a column for tables whose columns have no other names."""
    return name


def read_sheet(
    data: bytes,
    *,
    required: Collection[str],
    known: Collection[str] | None = None,
    called: Callable[[str], str] = as_written,
    free: str | None = None,
) -> Sheet:
    """The table in the file `data`.

    `required` columns have to be there; with `known` no others than these may be, and those that begin with `free`;
    `called` gives the column that a heading means. Raises `Invalid` with every problem: fields are `file`,
    `column X` and `row N`.
    """
    lines, encoding = _workbook(data) if data[:4] == b"PK\x03\x04" else _text(data)
    if not lines:
        raise Invalid([Problem("file", "The file is empty: its first line has to name the columns")])
    header = [called((name.strip().splitlines() or [""])[0].strip()) for name in lines[0][1]]
    _check_header(header, required, known, free)
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
            rows.append(Row(number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
            problems += _cells(rows[-1])
    refuse(problems)
    return Sheet(encoding, tuple(header), tuple(rows))


def _cells(row: Row) -> Iterable[Problem]:
    """What no cell may hold."""
    for name, text in row.cells.items():
        if len(text) > MAX_CELL:
            template = "The cell has {count} characters; at most {limit} may be"
            yield Problem(f"row {row.number}, {name}", template, {"count": len(text), "limit": MAX_CELL})
        elif unstorable(text):
            template = "A character in it cannot be stored: type the text again"
            yield Problem(f"row {row.number}, {name}", template)


def refuse(problems: Iterable[Problem]) -> None:
    """Raise `Invalid` if there are problems; beyond `MAX_PROBLEMS` they are only counted."""
    found = list(problems)
    if len(found) > MAX_PROBLEMS:
        more = {"count": len(found) - MAX_PROBLEMS}
        found = [*found[:MAX_PROBLEMS], Problem("file", "{count} more problems are not listed", more)]
    if found:
        raise Invalid(found)


def csv_text(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV that spreadsheets open in the right encoding, and take for text where it looks like a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def _inert(cell: object) -> object:
    """Text that a spreadsheet would take for a formula is kept text by an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _check_size(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise Invalid([Problem("file", "The file is larger than {limit} bytes: split it", {"limit": limit})])


def as_bytes(data: bytes | str) -> bytes:
    """A file's bytes; text as UTF-8."""
    return data.encode() if isinstance(data, str) else data


def aliases(names: Mapping[str, Iterable[str]]) -> Callable[[str], str]:
    """For `read_sheet`: columns with the other names that people give them, whatever their width and case."""
    meant = {
        identity(name).casefold(): column for column, others in names.items() for name in (column, *others)
    }
    return lambda heading: meant.get(identity(heading).casefold(), heading)


def _decoded(data: bytes) -> tuple[str, str]:
    _check_size(data, MAX_BYTES)
    wide = data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE)
    if wide:
        with suppress(UnicodeDecodeError):
            if _is_table(text := data.decode("utf-16")):
                return text, "UTF-16"
    if wide or b"\0" in data:
        template = "The file is neither text nor an .xlsx workbook: save it as one, or as “CSV UTF-8”"
        raise Invalid([Problem("file", template)])
    for encoding, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GBK")):
        try:
            return data.decode(encoding), name
        except UnicodeDecodeError:
            continue
    template = "The file is neither UTF-8 nor GBK: save it as “CSV UTF-8” and try again"
    raise Invalid([Problem("file", template)])


def _is_table(text: str) -> bool:
    """Whether these may be lines of cells: any two bytes are a character of UTF-16, though seldom one in use."""
    known = all(unicodedata.category(sign) not in ("Cc", "Cn") for sign in set(text) - set("\t\n\v\f\r\x1a"))
    return known and not set(text).isdisjoint("\n\r\t,;")


def _text(data: bytes) -> tuple[list[tuple[int, list[str]]], str]:
    text, encoding = _decoded(data)
    return _lines(text), encoding


def _workbook(data: bytes) -> tuple[list[tuple[int, list[str]]], str]:
    """The first sheet of a workbook, cells as a person would type them; rows end where the header ends."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    template = "The workbook cannot be read: save it again as “Excel Workbook (.xlsx)”, or as “CSV UTF-8”"
    unread = Invalid([Problem("file", template)])
    _check_size(data, MAX_BYTES)
    try:
        with ZipFile(io.BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                raise unread
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that no reader of cells needs
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheet = book.worksheets[0]
            lines = list(_filled(sheet.iter_rows(values_only=True)))
        with ZipFile(io.BytesIO(data)) as packed:
            refuse(_without_result(packed, sheet._worksheet_path))  # type: ignore[attr-defined]
    except (
        BadZipFile,
        InvalidFileException,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        SyntaxError,
        OSError,
    ):
        raise unread from None  # whatever else lies in a ZIP file
    return lines, "XLSX"


def _without_result(packed: ZipFile, sheet: str) -> Iterator[Problem]:
    """Formulas whose result is not stored: a program wrote them, and no spreadsheet has reckoned since.

    An empty text is a result, too; the reader of the cells does not tell it from none.
    """
    from lxml.etree import iterparse

    with packed.open(sheet) as part:
        before = b""
        while (portion := part.read(_PORTION)) and not _FORMULA.search(before + portion):
            before = portion[-_TAG:]
    if not portion:
        return
    with packed.open(sheet) as part:
        number = 0
        for _, row in iterparse(part, tag=f"{_MAIN}row", resolve_entities=False):
            number = int(row.get("r") or number + 1)
            for cell in row:
                formula = cell.find(f"{_MAIN}f")
                if formula is not None and cell.get("t") != "str" and not cell.findtext(f"{_MAIN}v"):
                    template = (
                        "The cell {cell} has a formula whose result is not stored: open the file in a spreadsheet "
                        "and save it again, or type the value"
                    )
                    params = {"cell": cell.get("r") or f"={formula.text}"}
                    yield Problem(f"row {number}", template, params)
            row.clear()


def _filled(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, all as wide as the header."""
    width = 0
    for number, row in enumerate(rows, 1):
        cells = [_typed(value) for value in row]
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if any(cell.strip() for cell in cells):
            width = width or len(cells)
            cells += [""] * (width - len(cells))
            _bound(number, cells)
            yield number, cells


def _typed(value: object) -> str:
    """A cell's value as it would be typed."""
    if value is None:
        return ""
    if isinstance(value, bool):  # not 1 or 0: those are marks on a scale
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return str(value)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, with the row number a spreadsheet gives them."""
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    lines: list[tuple[int, list[str]]] = []
    try:
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1
        ):
            _bound(number, cells)
            if any(cell.strip() for cell in cells):
                lines.append((number, cells))
    except csv.Error as error:
        template = "The file is no CSV: {reason}. Look for a quotation mark that is not closed"
        raise Invalid([Problem("file", template, {"reason": str(error)})]) from None
    return lines


def _bound(number: int, cells: list[str]) -> None:
    """Refuse a file too long or too wide as soon as that is seen, before anything is compared."""
    if number > MAX_ROWS:
        raise Invalid([Problem("file", "The file has more than {limit} rows: split it", {"limit": MAX_ROWS})])
    if len(cells) > MAX_COLUMNS:
        template = "It has {count} columns; at most {limit} may be: look for a wrong separator"
        raise Invalid([Problem(f"row {number}", template, {"count": len(cells), "limit": MAX_COLUMNS})])


def _check_header(
    header: list[str], required: Collection[str], known: Collection[str] | None, free: str | None
) -> None:
    problems = [
        Problem(f"column {name[:40]}", "The column stands in the header more than once: delete one of them")
        for name, count in Counter(header).items()
        if count > 1
    ]
    allowed = [*required, *(name for name in known or () if name not in required)]
    strange = [
        name
        for name in header
        if known is not None and name not in allowed and not (free and name.startswith(free) and name != free)
    ]
    missing = [each for each in allowed if each not in header]
    allowed += [f"{free}…"] if free else []
    for place, name in enumerate(strange):
        meant = nearest(name, missing) if place < MAX_PROBLEMS else None  # the rest are only counted
        template = "There is no such column; did you mean {meant}?" if meant else "There is no such column"
        problems.append(Problem(f"column {name[:40] or '…'}", template, {"meant": meant}))
    lacking = [Problem(f"column {name}", "The column is missing") for name in required if name not in header]
    if strange or lacking:
        params = {"expected": ", ".join(allowed)}
        problems.insert(0, Problem("file", "Expected are the columns: {expected}", params))
    refuse([*problems, *lacking])
