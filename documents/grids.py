"""The ruled grids of labels and values: the control block under a title, and the fields of a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from documents.content import Column, Control, Fields, Signature, shown
from documents.measure import breadth

WIDEST = 12.0
"""What stands beside another field, in Chinese characters; a broader value takes the line alone."""
NARROW = 7.5
"""What a cell of the control block holds in one line, in Chinese characters."""
SIGNED = 3
"""Signatures in a line."""
ALIGN = {"text": "left", "number": "right", "percent": "right", "date": "center"}
"""How the cells of a table's column are set, by its kind."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a label, or a value over `span` columns."""

    text: str
    label: bool = False
    span: int = 1


Line = tuple[Cell, ...]


def control_lines(control: Control) -> list[Line]:
    """Code (where there is one), version and day of issue, then the sign-off: six columns. Nothing without a code or
    signature.

    A code too long for its cell has the first line alone; name and day are then two lines, too.
    """
    if not control.code and not control.signatures:
        return []
    code, about = ("文件编号", control.code), [("版本", control.version), ("日期", control.dated.isoformat())]
    heads = [[code], about] if breadth(control.code) > NARROW else [[code, *about] if control.code else about]
    signed = [(each.act, _signed(each)) for each in control.signatures]
    lines = [*heads, *(signed[start : start + SIGNED] for start in range(0, len(signed), SIGNED))]
    return [_spread(line, 2 * SIGNED) for line in lines]


def _signed(signature: Signature) -> str:
    day = "" if signature.on is None else signature.on.isoformat()
    beside = f"{signature.name} {day}".strip()
    return beside if breadth(beside) <= NARROW else f"{signature.name}\n{day}".strip()


def field_lines(fields: Fields) -> list[Line]:
    """Two pairs a line in four columns; a broad value, or one of several lines, has a line of its own."""
    column = Column("", "text")
    lines: list[Line] = []
    waiting: list[tuple[str, str]] = []
    for label, value in fields.pairs:
        text = shown(value, column)
        alone = breadth(text) > WIDEST or "\n" in text
        if alone and waiting:
            lines.append(_spread(waiting, 4))
            waiting = []
        waiting.append((label, text))
        if alone or len(waiting) == 2:
            lines.append(_spread(waiting, 4))
            waiting = []
    return [*lines, _spread(waiting, 4)] if waiting else lines


def _spread(pairs: Sequence[tuple[str, str]], columns: int) -> Line:
    """The pairs over so many columns; the last value takes what is left."""
    cells = [cell for label, value in pairs for cell in (Cell(label, label=True), Cell(value))]
    cells[-1] = Cell(cells[-1].text, span=columns - len(cells) + 1)
    return tuple(cells)
