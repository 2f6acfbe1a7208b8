"""What a document says, whichever file it becomes: control block, headings, paragraphs, tables, charts.

All values are frozen. Texts are taken literally: nothing in them is markup, a formula or a placeholder.
Numbers stay exact until they are shown, and are then rounded half up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Number = int | float | Decimal | Fraction
Value = str | Number | date | datetime | None
"""What a cell may hold; None is a cell without a value."""

NOTHING = "—"
"""What stands where a number or a date has no value."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of the sign-off: what was done (编制, 审核, 批准), by whom and on which day."""

    act: str
    name: str = ""
    """Empty: to be signed by hand."""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """What makes a document a controlled one (ISO 9001:2015, 7.5.3): its title, code, version and sign-off."""

    title: str
    dated: date
    """The day of issue; also the day that the file itself says it was made."""
    code: str = ""
    version: str = ""
    organisation: str = ""
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1, 2 or 3; it is numbered 一、（一） 1. unless it says not."""

    text: str
    level: Literal[1, 2, 3] = 1
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; each line of `text` becomes one.

    Aligned left, its first line is indented by two characters, as Chinese texts are; right is for who issues
    a notice, and its date.
    """

    text: str
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels with their values, two pairs a line: the body of a form such as a record of a call-back.

    A long value, or one of several lines, takes the whole line.
    """

    pairs: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head and how its values are shown.

    A `percent` is given as a share (0.853) and shown as 85.3%; `places` are its decimals or a number's.
    """

    title: str
    kind: Literal["text", "number", "percent", "date"] = "text"
    places: int = 0
    width: float = 0
    """In Chinese characters; 0: by what stands in it. In Word and PDF widths are shares of the line."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; on each page that it reaches its head is repeated, and no row is torn apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    caption: str = ""
    """Above the table, after its number: 表1 各项目满意率."""
    note: str = ""
    """Below it: bases, methods, abbreviations."""
    strong: frozenset[int] = frozenset()
    """Rows, from 0, that stand out: totals."""
    empty: str = "（无）"
    """What stands in a table without rows."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values over a chart's labels; None leaves a gap."""

    name: str
    values: tuple[Number | None, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A line that values are measured against."""

    value: Number
    name: str = "目标"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over `labels`.

    kind      one of
        bars      a bar for each label and series, with its value; below `target` in another colour
        lines     a line for each series: a trend over rounds
        stacked   a bar for each label, divided among the series by their shares of the sum: a cross-table
    axis      where the values' axis begins and ends; without it, from 0 to a round number; percent: 0 to 1
    """

    kind: Literal["bars", "lines", "stacked"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    caption: str = ""
    """Below the chart, after its number: 图1 各项满意率."""
    percent: bool = False
    places: int = 0
    """Decimals of the values written beside bars and points."""
    target: Target | None = None
    axis: tuple[Number, Number] | None = None
    note: str = ""
    empty: str = "（无数据）"


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Fields | Table | Chart | PageBreak


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be rendered as Word or PDF, alike in both."""

    control: Control
    blocks: tuple[Block, ...]
    landscape: bool = False
    """A4 on its side, for wide tables."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Further placeholders that a Word template of a department's own may name."""


def decimal(value: Number, places: int) -> str:
    """The number in decimals, rounded half up (away from zero), as hand calculation does."""
    exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    scaled = abs(exact) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    digits = str(whole).rjust(places + 1, "0")
    sign = "-" if exact < 0 and whole else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def shown(value: Value, column: Column) -> str:
    """The value as Word and PDF print it."""
    match value:
        case None:
            return "" if column.kind == "text" else NOTHING
        case str():
            return value
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case bool():
            return "是" if value else "否"
        case _ if column.kind == "percent":
            return f"{decimal(value * 100, column.places)}%"
        case _ if column.kind == "number":
            return decimal(value, column.places)
        case _:
            return str(value)
