"""`flow procedure picture`: a procedure's diagram as a picture, to be printed or put into a document."""

from __future__ import annotations

from pathlib import Path

import click

from console import folders, output
from console.completions import procedures
from console.session import Session
from console.shape import Command, option
from console.writing import FORCE, check_free, written
from engine.errors import NotFound
from engine.files import read_file


@click.command(
    "picture",
    cls=Command,
    example="flow procedure picture 003G --to 003G.svg\nflow procedure picture sketch.bpmn",
)
@click.argument("name", metavar="PROCEDURE|FILE", shell_complete=procedures)
@option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; by default a file .svg of the diagram's name, here.",
)
@FORCE
@click.pass_obj
def picture(session: Session, name: str, file: Path | None, force: bool) -> None:
    """Write a diagram as a picture (SVG, which browsers print and offices insert), with its lanes and labels.

    The workspace's own copy, or the one that is shipped. What has no drawing is drawn for the picture only.
    """
    from engine.layout import draw
    from engine.layout.picture import svg
    from engine.xml_text import MAX_BYTES

    source = _source(session, name)
    target = file or Path(f"{source.stem}.svg")
    check_free(target, force=force)
    drawn = svg(draw(read_file(source, MAX_BYTES)))
    with written(target, force=force) as beside:
        beside.write_text(drawn, encoding="utf-8")
    if session.json:
        output.dump({"file": target})
    else:
        output.say("{file} is written", file=target)


def _source(session: Session, name: str) -> Path:
    source = Path(name)
    if folders.is_diagram(source):
        return source
    found = folders.named(name, folders.at_hand(session))
    if found is None:
        raise NotFound("No procedure {name} is shipped; see `flow procedure list --shipped`", name=name)
    source = found.folder / f"{found.id}.bpmn"
    if not source.is_file():
        raise NotFound("There is no file {file}", file=source)
    return source
