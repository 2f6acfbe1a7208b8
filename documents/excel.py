"""Excel workbooks: tables with real numbers, native charts, and forms to fill in.

Texts are written as texts: what begins like a formula stays inert, also when somebody edits the cell. The
same content gives the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from documents import excel_charts
from documents.checking import check
from documents.content import Chart, Column, Control, Table, Value, shown
from documents.measure import breadth, widths
from engine.errors import Invalid, Problem

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
LONGEST_TEXT = 32_767
"""Limits of the file format: rows and columns of a sheet, characters of a cell."""
LONGEST_NAME = 31
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula when the cell is edited."""

LINE, HIGHEST = 17, 400
"""Points of a line, and of a row at most."""

TO_SIGN = "　　　　"
"""Where a name is still to be written by hand."""
FONT = "宋体"
FONT_OF_HEADS = "黑体"


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be filled into a column of an entry form; everything beside such columns is locked."""

    choices: tuple[str, ...] = ()
    between: tuple[int, int] | None = None
    """The least and the greatest whole number."""
    hint: str = ""
    """Shown beside the cell."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: lines of text above, a table, notes and charts below it."""

    name: str
    table: Table | None = None
    intro: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By the title of the column. With entries the sheet is locked, without a password, but for these."""
    landscape: bool = False


def workbook(sheets: Sequence[Sheet], control: Control | None = None) -> bytes:
    """The sheets as .xlsx; with `control`, title, code and sign-off stand at the head of the first.

    Raises `Invalid` for what a workbook cannot hold, by sheet and row.
    """
    _refuse(sheets)
    for sheet in sheets:
        check(control, [*([sheet.table] if sheet.table else []), *sheet.charts])
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        _describe(book, control)
        looks = _Looks(book)
        pages = [book.add_worksheet(sheet.name) for sheet in sheets]  # the charts' data come after them
        for number, (sheet, page) in enumerate(zip(sheets, pages, strict=True)):
            _Page(book, page, sheet, looks).write(None if number else control)
    return out.getvalue()


def _describe(book: Workbook, control: Control | None) -> None:
    """Title, and as the time of making the day of issue: the hour would make every file another."""
    day = control.dated if control else datetime(1980, 1, 1)  # noqa: DTZ001  # the file's format has no zone
    made = datetime.combine(day, time())
    about = {"title": control.title, "company": control.organisation} if control else {}
    book.set_properties({**about, "created": made})


class _Looks:
    """The cell formats of a workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._cells: dict[tuple[object, ...], Format] = {}

    def __call__(self, **looks: Any) -> Format:
        key = tuple(sorted(looks.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(
                {"font_name": FONT, "font_size": 11, "valign": "vcenter", **looks}
            )
        return self._made[key]

    def cell(self, column: Column, *, strong: bool, entry: bool, inert: bool) -> Format:
        """The format of a table's cell."""
        key = (column.kind, column.places, strong, entry, inert)
        if key not in self._cells:
            self._cells[key] = self._cell(column, strong=strong, entry=entry, inert=inert)
        return self._cells[key]

    def _cell(self, column: Column, *, strong: bool, entry: bool, inert: bool) -> Format:
        looks: dict[str, Any] = {"border": 1, "text_wrap": column.kind == "text"}
        places = f".{'0' * column.places}" if column.places else ""
        match column.kind:
            case "number":
                looks |= {"num_format": f"0{places}", "align": "right"}
            case "percent":
                looks |= {"num_format": f"0{places}%", "align": "right"}
            case "date":
                looks |= {"num_format": "yyyy-mm-dd", "align": "center"}
        if strong:
            looks |= {"font_name": FONT_OF_HEADS, "bg_color": "#F2F2F2"}
        if entry:
            looks |= {"locked": False, "bg_color": "#FFF9E5"}
        if inert:
            looks["quote_prefix"] = True
        return self(**looks)


class _Page:
    """The writing of one sheet, from its first row down."""

    def __init__(self, book: Workbook, page: Worksheet, sheet: Sheet, looks: _Looks) -> None:
        self.book, self.page, self.sheet, self.looks = book, page, sheet, looks
        self.row = 0
        self.widths = widths(sheet.table) if sheet.table else []
        self.last = max(len(self.widths) - 1, 0)

    def write(self, control: Control | None) -> None:
        """Everything, in its order."""
        self._set_up()
        if control:
            self._head(control)
        for line in self.sheet.intro:
            self._line(line)
        if self.sheet.table:
            self._table(self.sheet.table)
        for chart in self.sheet.charts:
            self.row = excel_charts.insert(self.book, self.page, chart, self.row + 1, FONT)

    def _set_up(self) -> None:
        page = self.page
        page.set_paper(9)  # A4
        if self.sheet.landscape:
            page.set_landscape()
        page.fit_to_pages(1, 0)
        page.set_margins(left=0.6, right=0.6, top=0.75, bottom=0.75)
        page.set_footer("&C第 &P 页 共 &N 页")
        if self.sheet.entries:
            page.protect("", {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True})
        page.set_default_row(LINE)
        for number, width in enumerate(self.widths):
            page.set_column(number, number, 2 * width + 2, self.looks())

    def _head(self, control: Control) -> None:
        """The title, a line with code, version and day, and the sign-off."""
        self._line(control.title, font_name=FONT_OF_HEADS, font_size=16, align="center")
        said = {"文件编号": control.code, "版本": control.version, "单位": control.organisation}
        line = [f"{label}：{value}" for label, value in said.items() if value]
        self._line("    ".join([*line, f"日期：{control.dated.isoformat()}"]), align="center")
        if control.signatures:
            signed = (f"{s.act}：{s.name or TO_SIGN} {s.on or ''}".rstrip() for s in control.signatures)
            self._line("    ".join(signed), align="center")
        self.page.set_header(f"&R{control.code.replace('&', '&&')} {control.version.replace('&', '&&')}")

    def _line(self, text: str, **looks: Any) -> None:
        """A text over the whole breadth of the table, in as many rows as it needs."""
        look = self.looks(text_wrap=True, **looks)
        if self.last:
            self.page.merge_range(self.row, 0, self.row, self.last, "", look)
        self.page.write_string(self.row, 0, text, look)
        lines = _lines(text, max(sum(self.widths), 10) if self.widths else 40)
        self.page.set_row(self.row, (looks.get("font_size", 11) + 6) * lines)
        self.row += 1

    def _table(self, table: Table) -> None:
        if table.caption:
            self._line(table.caption, font_name=FONT_OF_HEADS)
        head = self.row
        look = self.looks(
            font_name=FONT_OF_HEADS, border=1, align="center", bg_color="#DDE6F0", text_wrap=True
        )
        tall = max(
            (_lines(column.title, width) for column, width in zip(table.columns, self.widths, strict=True)),
            default=1,
        )
        if tall > 1:  # as below: nothing else gives the row its height
            self.page.set_row(head, min(LINE * tall, HIGHEST))
        for number, column in enumerate(table.columns):
            self.page.write_string(head, number, column.title, look)
            if entry := self.sheet.entries.get(column.title):
                self._allow(entry, head + 1, head + len(table.rows), number)
        for index, row in enumerate(table.rows):
            self._row(head + 1 + index, row, table.columns, strong=index in table.strong)
        self.row = head + 1 + len(table.rows)
        self.page.freeze_panes(head + 1, 1 if self.sheet.entries else 0)
        self.page.repeat_rows(head)
        if table.rows:
            self.page.autofilter(head, 0, head + len(table.rows), self.last)
        else:
            self._line(table.empty, align="center")
        if table.note:
            self._line(table.note)

    def _row(self, at: int, row: Sequence[Value], columns: Sequence[Column], *, strong: bool) -> None:
        # Spreadsheets fit the height of a row to its texts only when somebody edits one of them.
        tall = [
            _lines(value, width)
            for value, width in zip(row, self.widths, strict=True)
            if isinstance(value, str) and (len(value) > width or "\n" in value)
        ]
        if tall and max(tall) > 1:
            self.page.set_row(at, min(LINE * max(tall), HIGHEST))
        for number, (column, value) in enumerate(zip(columns, row, strict=True)):
            entry = column.title in self.sheet.entries
            inert = isinstance(value, str) and value.startswith(FORMULA)
            look = self.looks.cell(column, strong=strong, entry=entry, inert=inert)
            if value is None and (entry or column.kind == "text"):
                self.page.write_blank(at, number, None, look)
            elif value is None or isinstance(value, str | bool):
                self.page.write_string(at, number, shown(value, column), look)
            elif isinstance(value, date):
                self._date(at, number, value, look)
            else:
                self.page.write_number(at, number, float(value), look)

    def _date(self, at: int, number: int, value: date, look: Format) -> None:
        if value.year < 1900:  # before Excel's calendar begins
            self.page.write_string(at, number, value.isoformat(), look)
        elif isinstance(value, datetime):
            self.page.write_datetime(at, number, value.replace(tzinfo=None), look)
        else:
            self.page.write_datetime(at, number, value, look)

    def _allow(self, entry: Entry, first: int, last: int, column: int) -> None:
        """What the cells of a column to fill in accept."""
        if last < first:
            return
        rule: dict[str, Any] = {"validate": "any", "ignore_blank": True}
        if entry.choices:
            rule |= {"validate": "list", "source": list(entry.choices)}
            said = "、".join(entry.choices)
        elif entry.between:
            least, greatest = entry.between
            rule |= {"validate": "integer", "criteria": "between", "minimum": least, "maximum": greatest}
            said = f"{least} 至 {greatest} 的整数"
        else:
            said = ""
        if said:
            rule |= {"error_title": "请重新填写", "error_message": f"请填写：{said}"[:255]}
        if entry.hint:
            rule["input_message"] = entry.hint[:255]
        self.page.data_validation(first, column, last, column, rule)


def _lines(text: str, room: float) -> int:
    """The lines that a text takes in a cell of so many Chinese characters."""
    return sum(max(1, math.ceil(breadth(part) / room)) for part in text.split("\n"))


def _refuse(sheets: Sequence[Sheet]) -> None:
    problems = []
    seen = {excel_charts.DATA, "history"}  # ours, and one that Excel keeps for itself
    for sheet in sheets:
        name = sheet.name
        if (
            not name
            or len(name) > LONGEST_NAME
            or set(name) & set("[]:*?/\\")
            or name[0] == "'"
            or name[-1] == "'"
        ):
            template = (
                "A sheet's name has 1 to {most} characters, none of them []:*?/\\, and no ' at its ends"
            )
            problems.append(Problem(name, template, {"most": LONGEST_NAME}))
        if name.casefold() in seen:
            problems.append(Problem(name, "The name is taken by another sheet"))
        seen.add(name.casefold())
        if sheet.table:
            problems += _too_large(name, sheet.table)
    if not sheets:
        problems.append(Problem("", "A workbook needs a sheet"))
    if problems:
        raise Invalid(problems)


def _too_large(name: str, table: Table) -> list[Problem]:
    problems = []
    if len(table.rows) > MOST_ROWS - 100 or len(table.columns) > MOST_COLUMNS:
        template = "A sheet holds {rows} rows and {columns} columns: divide the table"
        problems.append(Problem(name, template, {"rows": MOST_ROWS - 100, "columns": MOST_COLUMNS}))
    for number, row in enumerate(table.rows, start=1):
        if any(isinstance(value, str) and len(value) > LONGEST_TEXT for value in row):
            template = "A cell holds {most} characters at most: shorten the text"
            problems.append(Problem(f"{name} row {number}", template, {"most": LONGEST_TEXT}))
    return problems
