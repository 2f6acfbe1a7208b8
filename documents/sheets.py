"""A document as a workbook: each of its tables a sheet, what stands beside them on the first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from documents.content import Chart, Column, Document, Fields, Heading, Paragraph, Table, shown
from documents.excel import LONGEST_NAME, Sheet
from documents.excel_charts import DATA

ABOUT = "内容"
"""The sheet of what stands in no table."""
_TEXT = Column("", "text")


def sheets(document: Document) -> list[Sheet]:
    """The sheets of the document's blocks: fields and paragraphs over its only table, else on a sheet of their own."""
    heading, said = "", list[tuple[str, str]]()
    made = list[tuple[str, Table | None, list[Chart]]]()
    for block in document.blocks:
        match block:
            case Heading():
                heading = block.text
            case Fields():
                said += [(label, shown(value, _TEXT)) for label, value in block.pairs]
            case Paragraph():
                said.append((heading, block.text))
            case Table():
                made.append((heading or block.caption, block, []))
            case Chart() if made:
                made[-1][2].append(block)
            case Chart():
                made.append((heading or block.caption, None, [block]))
    wide, names = document.landscape, _names(made)
    pages = [
        Sheet(name, table, charts=tuple(charts), landscape=wide)
        for name, (_, table, charts) in zip(names, made, strict=True)
    ]
    if len(pages) == 1 and said:
        lines = tuple(f"{label}：{text}" if label else text for label, text in said)
        return [Sheet(names[0], made[0][1], lines, tuple(made[0][2]), landscape=wide)]
    if said or not pages:
        about = Table((Column("项目", width=10), Column(ABOUT, width=40)), tuple(said))
        pages.insert(0, Sheet(ABOUT, about))
    return pages


def sheet_name(title: str) -> str:
    """The title as a sheet may be called: without the characters that Excel refuses, and not too long."""
    return re.sub(r"[\[\]:*?/\\]", "", title).strip("' ")[:LONGEST_NAME] or "表"


def _names(made: list[tuple[str, Table | None, list[Chart]]]) -> list[str]:
    return list(_different([sheet_name(title) for title, _, _ in made]))


def _different(names: list[str]) -> Iterator[str]:
    """The names, numbered where one would come twice."""
    seen = {ABOUT.casefold(), "history", DATA.casefold()}
    for name in names:
        found, number = name, 1
        while found.casefold() in seen:
            number += 1
            found = f"{name[: LONGEST_NAME - 3]}-{number}"
        seen.add(found.casefold())
        yield found
