"""What commands print: aligned tables, JSON, pages, progress. Colour and pager only on a terminal.

Columns are as wide as the terminal shows them: a Chinese character takes two cells.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
from wcwidth import wcswidth, wcwidth

from console.language import tr

_GAP = "  "
_LEAST = 8
"""Cells that a clipped column keeps."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A text with the colour it has on a terminal."""

    text: str
    fg: str | None = None
    bold: bool = False
    dim: bool = False

    def __str__(self) -> str:
        return self.text


Shown = str | Cell | int | None


def width(text: str) -> int:
    """The cells a text takes on a terminal; a control character counts as none."""
    cells: int = wcswidth(text)
    return cells if cells >= 0 else sum(max(wcwidth(character), 0) for character in text)


def clip(text: str, cells: int) -> str:
    """A text shortened to so many cells, the last of them an ellipsis."""
    if width(text) <= cells:
        return text
    kept, used = "", 0
    for character in text:
        used += max(wcwidth(character), 0)
        if used > cells - 1:
            break
        kept += character
    return f"{kept}…"


def wrap(text: str, cells: int) -> list[str]:
    """A paragraph broken into lines of at most so many cells: between words, or after any wide character."""
    lines, line = [], ""
    for word in _pieces(text):
        if line and width(line + word.rstrip()) > cells:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    return [*lines, line.rstrip()] if line.strip() else lines


_CLOSING = "，。、；：？！）」』》】”’"


def _pieces(text: str) -> Iterator[str]:
    piece = ""
    for character in text:
        wide = wcwidth(character) > 1
        closing = character in _CLOSING
        if piece and not closing and (wide or piece.endswith(" ") or wcwidth(piece[-1]) > 1):
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def table(heads: Sequence[str], rows: Iterable[Sequence[Shown]], *, flexible: int | None = None) -> None:
    """Print rows under their heads, aligned. On a terminal the column `flexible` is clipped to the width."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        return
    widths = [max(width(each.text) for each in column) for column in zip(_head(heads), *cells, strict=True)]
    if flexible is not None and sys.stdout.isatty():
        over = sum(widths) + len(_GAP) * (len(widths) - 1) - shutil.get_terminal_size().columns
        widths[flexible] = max(widths[flexible] - max(over, 0), _LEAST)
    page(_line(row, widths) for row in [_head(heads), *cells])


def fields(pairs: Iterable[tuple[str, Shown]], *, indent: int = 0) -> None:
    """Print names and their values, one a line, values aligned; what has no value is left out."""
    known = [(name, _cell(value)) for name, value in pairs if value is not None and str(value)]
    most = max((width(name) for name, _ in known), default=0)
    for name, value in known:
        label = click.style(name + " " * (most - width(name)), dim=True)
        first, *more = value.text.split("\n")
        echo(f"{' ' * indent}{label}{_GAP}{_styled(value, first)}")
        for line in more:
            echo(f"{' ' * (indent + most)}{_GAP}{_styled(value, line)}")


def echo(text: str = "", *, err: bool = False) -> None:
    """Print a line. Colour is left out where it is not wanted (NO_COLOR) or not shown (no terminal)."""
    click.echo(text, err=err, color=_colour())


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def heading(text: str) -> None:
    """Print a line that stands above a part."""
    echo(click.style(text, bold=True))


def say(template: str, /, **params: object) -> None:
    """Print what was done, in the language in use."""
    echo(tr(template, **params))


def note(template: str, /, **params: object) -> None:
    """Print a remark to stderr, where it does not mix with results."""
    echo(click.style(tr(template, **params), dim=True), err=True)


def cut(shown: int, total: int) -> None:
    """Say on standard error that a list was cut off, if it was."""
    if shown < total:
        note("{shown} of {total}; -L shows more", shown=shown, total=total)


def warn(template: str, /, **params: object) -> None:
    """Print to stderr what deserves attention."""
    echo(click.style(tr(template, **params), fg="yellow"), err=True)


def dump(value: object, *, err: bool = False) -> None:
    """Print a value as JSON: frozen rows as objects under their field names, instants as ISO 8601 in UTC."""
    echo(json.dumps(value, ensure_ascii=False, indent=2, default=plain), err=err)


def plain(value: object) -> object:
    """What JSON makes of a value that it does not know. Raises TypeError for what has no such form."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def page(lines: Iterable[str]) -> None:
    """Print lines; through a pager when they are more than a terminal shows at once."""
    all_lines = list(lines)
    if sys.stdout.isatty() and len(all_lines) > shutil.get_terminal_size().lines - 2:
        click.echo_via_pager("\n".join(all_lines), color=_colour())
        return
    for line in all_lines:
        echo(line)


@contextmanager
def working(template: str, /, **params: object) -> Iterator[None]:
    """Say on stderr what takes a while, before it does."""
    echo(click.style(f"{tr(template, **params)} …", dim=True), err=True)
    yield


def interactive() -> bool:
    """Whether a person sits at a terminal, so that questions may be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _head(heads: Sequence[str]) -> list[Cell]:
    return [Cell(tr(head), dim=True) for head in heads]


def _cell(value: Shown) -> Cell:
    return value if isinstance(value, Cell) else Cell("" if value is None else str(value))


def _line(row: Sequence[Cell], widths: Sequence[int]) -> str:
    parts = []
    for position, (cell, cells) in enumerate(zip(row, widths, strict=True)):
        text = clip(cell.text.replace("\n", " "), cells)
        last = position == len(row) - 1
        parts.append(_styled(cell, text) + ("" if last else " " * (cells - width(text))))
    return _GAP.join(parts).rstrip()


def _styled(cell: Cell, text: str) -> str:
    if not text or not (cell.fg or cell.bold or cell.dim):
        return text
    return click.style(text, fg=cell.fg, bold=cell.bold or None, dim=cell.dim or None)
