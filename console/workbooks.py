"""`--xlsx`: what a command shows, written as an Excel workbook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.shape import option

if TYPE_CHECKING:
    from console.session import Session
    from documents.excel import Sheet

XLSX = option(
    "--xlsx", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it all as a workbook."
)


def write(session: Session, file: Path, sheets: Sequence[Sheet], title: str, unit: str = "") -> None:
    """Write the sheets as a workbook of that title, dated today, and say so."""
    from documents.content import Control
    from documents.excel import workbook
    from engine.config import whole

    content = workbook(sheets, Control(title, session.today, organisation=unit))
    with whole(file) as beside:
        beside.write_bytes(content)
    if session.json:
        output.dump({"file": file})
    else:
        output.say("{file} is written", file=file)
