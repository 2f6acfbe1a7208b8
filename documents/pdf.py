"""PDF for the archive (PDF/A-2u, ISO 19005-2) and pictures of charts, both typeset by typst.

The fonts are installed with the program and embedded as far as used; no font of the machine is looked at, so
that every machine makes the same bytes. A character in none of the fonts is an error, never an empty box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pylopdf_fonts_zh_cn as shipped
import typst

from documents.checking import Place, check, texts
from documents.content import (
    Block,
    Chart,
    Document,
    Fields,
    Heading,
    PageBreak,
    Paragraph,
    Table,
    shown,
)
from documents.grids import ALIGN, Line, control_lines, field_lines
from documents.measure import fitted
from documents.numbering import numbered
from documents.plot import plotted
from engine.errors import Invalid, Problem

LAYOUTS = Path(__file__).parent / "layouts"
STANDARD: Any = "a-2u"
DOTS = 200
"""Dots an inch of a picture."""
ROOM, ROOM_ACROSS = 48.0, 74.0
"""Characters of a table's text that a line holds, upright and on its side."""
LONG = 200
"""Characters of a cell whose row may be divided between two pages; shorter rows are kept whole."""

_MISSING = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def pdf(document: Document, fonts: Path | None = None) -> bytes:
    """The document as PDF/A.

    `fonts` is a folder with further fonts, for characters that the shipped ones lack. Raises `Invalid` with
    every character that is in no font, by place.
    """
    check(document.control, document.blocks)
    places = texts(document.control, document.blocks)
    return _typeset("document.typ", _data(document), places, fonts)


def picture(chart: Chart, form: Literal["png", "svg"] = "png", fonts: Path | None = None) -> bytes:
    """The chart as a picture, 16 cm broad, without its caption and note. Raises `Invalid` as `pdf` does."""
    check(None, [chart])
    data = plotted(chart)
    _typeset("picture.typ", data, texts(None, [chart]), fonts)  # only PDF/A tells of missing characters
    made = _compiler(fonts).compile(LAYOUTS / "picture.typ", format=form, ppi=DOTS, sys_inputs=_inputs(data))
    assert isinstance(made, bytes)  # a page alone
    return made


def _typeset(layout: str, data: dict[str, Any], places: Iterable[Place], fonts: Path | None) -> bytes:
    try:
        made = _compiler(fonts).compile(
            LAYOUTS / layout,
            format="pdf",
            sys_inputs=_inputs(data),
            pdf_standards=[STANDARD],
            pdf_tags=False,  # tags would make a long table eighteen times as large
        )
    except typst.TypstError as error:
        missing = _missing(error)
        if not missing:
            raise
        raise Invalid(_unshown(missing, places)) from error
    assert isinstance(made, bytes)
    return made


@cache
def _compiler(fonts: Path | None) -> typst.Compiler:
    folders = [str(shipped.sans_path().parent), *([str(fonts)] if fonts else [])]
    # Typst's own fonts have other signs at the private code points of rare Chinese names.
    known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    return typst.Compiler(root=str(LAYOUTS), font_paths=known, ignore_system_fonts=True)


def _inputs(data: dict[str, Any]) -> dict[str, str]:
    # U+FEFF, which text pasted from files begins with, is seen by nobody and forbidden in PDF/A.
    return {"data": json.dumps(data, ensure_ascii=False).replace("\ufeff", "")}


def _missing(error: typst.TypstError) -> set[str]:
    found = "".join(_MISSING.findall(error.diagnostic))
    return set(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), found))


def _unshown(missing: set[str], places: Iterable[Place]) -> Iterator[Problem]:
    template = (
        "The character {character} (U+{code}) is in no installed font: "
        "add a font that has it, or write it in another way"
    )
    for place, text in places:
        for sign in sorted(missing & set(text)):
            yield Problem(place, template, {"character": sign, "code": f"{ord(sign):04X}"})


def _data(document: Document) -> dict[str, Any]:
    control = document.control
    room = ROOM_ACROSS if document.landscape else ROOM
    return {
        "title": control.title,
        "organisation": control.organisation,
        "mark": " ".join(part for part in (control.code, control.version) if part),
        "year": control.dated.year,
        "month": control.dated.month,
        "day": control.dated.day,
        "landscape": document.landscape,
        "control": _lines(control_lines(control)),
        "blocks": [_block(block, room) for block in numbered(document.blocks)],
    }


def _block(block: Block, room: float) -> dict[str, Any]:
    match block:
        case Heading():
            return {"block": "heading", "level": block.level, "text": block.text}
        case Paragraph():
            return {"block": "paragraph", "text": block.text, "align": block.align}
        case Fields():
            return {"block": "fields", "lines": _lines(field_lines(block))}
        case Table():
            return {"block": "table", **_table(block, room)}
        case Chart():
            return {"block": "chart", **plotted(block)}
        case PageBreak():
            return {"block": "page"}


def _lines(lines: Iterable[Line]) -> list[list[dict[str, Any]]]:
    return [[{"text": c.text, "label": c.label, "span": c.span} for c in line] for line in lines]


def _table(table: Table, room: float) -> dict[str, Any]:
    rows = []
    for number, row in enumerate(table.rows):
        cells = [shown(value, column) for value, column in zip(row, table.columns, strict=True)]
        long = any(len(cell) > LONG or cell.count("\n") > 5 for cell in cells)
        rows.append({"cells": cells, "strong": number in table.strong, "long": long})
    return {
        "caption": table.caption,
        "note": table.note,
        "empty": table.empty,
        "head": [column.title for column in table.columns],
        "align": [ALIGN[column.kind] for column in table.columns],
        "widths": fitted(table, room),
        "rows": rows,
    }
