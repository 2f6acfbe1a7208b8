"""What stands in a workbook, for tests that look at one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from openpyxl import load_workbook


def sheets(book: bytes | Path) -> dict[str, list[list[Any]]]:
    """The rows of each sheet by its name; rows without a value are left out."""
    raw = book if isinstance(book, bytes) else book.read_bytes()
    return {
        page.title: [list(row) for row in page.iter_rows(values_only=True) if any(row)]
        for page in load_workbook(io.BytesIO(raw), data_only=True)
    }


def rows(book: bytes | Path, *head: str, sheet: str = "") -> list[list[Any]]:
    """The rows of the table whose head begins so, with the head and without its note, on that sheet or the first."""
    there = sheets(book)
    page = there[sheet or next(iter(there))]
    begin = next(place for place, row in enumerate(page) if row[: len(head)] == list(head))
    wide = next((place for place, cell in enumerate(page[begin]) if cell is None), len(page[begin]))
    return [row[:wide] for row in page[begin:] if wide == 1 or any(cell is not None for cell in row[1:wide])]
