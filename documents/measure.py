"""How broad texts are, in Chinese characters; and how broad the columns of a table should be."""

from __future__ import annotations

import wcwidth

from documents.content import Column, Table, shown

NARROWEST, BROADEST = 3.0, 20.0
INSET = 0.9
"""What the two sides of a cell keep free."""
SAMPLE = 500
"""Rows that a column's breadth is judged by."""


def breadth(text: str) -> float:
    """The breadth of the longest line: a Chinese character is 1, a Latin letter one half."""
    return max((max(wcwidth.wcswidth(line), 0) / 2 for line in text.split("\n")), default=0)


def widths(table: Table) -> list[float]:
    """The breadth of each column, as given or by what stands in it, in Chinese characters."""
    return [
        column.width or _fitting(column, [shown(row[number], column) for row in table.rows[:SAMPLE]])
        for number, column in enumerate(table.columns)
    ]


def fitted(table: Table, room: float) -> list[float]:
    """The columns' breadths over a line of `room` characters.

    Room to spare goes to the columns of text. When it is short the broadest of them give way; figures and
    dates keep their breadth as long as every text has a few characters.
    """
    natural = [width + INSET for width in widths(table)]
    elastic = [number for number, column in enumerate(table.columns) if column.kind == "text"]
    free = room - sum(width for number, width in enumerate(natural) if number not in elastic)
    free = max(free, (NARROWEST + INSET) * len(elastic))
    wanted = sum(natural[number] for number in elastic)
    if free > wanted:
        for number in elastic:
            natural[number] *= free / wanted
        return natural
    for count, number in enumerate(sorted(elastic, key=natural.__getitem__)):
        natural[number] = min(natural[number], free / (len(elastic) - count))
        free -= natural[number]
    return natural


def _fitting(column: Column, cells: list[str]) -> float:
    # A head of more than four characters may take two lines; a cell should not, unless it is long.
    broadest = max((breadth(cell) for cell in cells), default=0)
    title = breadth(column.title)
    width = max(broadest, min(title, 4), title / 2, NARROWEST)
    if width < title < width + 2:  # else a character or two would stand alone in the second line
        width = title
    return min(width, BROADEST) + 0.5
